"""The words of the query language: the vocabulary's, and the language's own.

Words are compared in a normal form (NFKC, case-folded, single spaces), and every word has one meaning.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dsslic_search.vocabulary import ClassInfo, Group, Vocabulary, plural_of

Phrase = tuple[str, ...]

# token type and value of each phrase of the language itself; the longest phrase at a place wins
_NOT = ("NOT", "not")
_AND = ("AND", "and")
_OR = ("OR", "or")
_WITH = ("WITH", "with")  # "and" between two predicates, nothing elsewhere
_FILLER = ("FILLER", "")
KEYWORDS: Mapping[Phrase, tuple[str, str]] = {
    tuple(phrase.split()): meaning
    for meaning, phrases in {
        _NOT: "not, no, without, excluding, free of, lacking",
        _AND: "and, but, plus, as well as",
        _OR: "or",
        _WITH: "with, containing, contain, contains, showing, including, featuring, has, have, having",
        ("COMPARE", ">="): "at least, no less than, not less than, minimum",
        ("COMPARE", "<="): "at most, no more than, not more than, up to, maximum",
        ("COMPARE", ">"): "more than, greater than",
        ("COMPARE", "<"): "less than",
        ("COMPARE", "="): "exactly, equal to, equals",
        ("BETWEEN", "between"): "between",
        ("MOSTLY", "mostly"): "mostly, mainly",
        ("LITTLE", "little"): "little",
        ("LIKE", "like"): "like, similar to, looking like",
        ("PERCENT", "%"): "percent, per cent",
        _FILLER: (
            "a, an, the, some, any, all, every, each, my, of, that, which, where, there, is, are, be, i, want, give, get, please, "
            "show, me, find, search, search for, look for, for, "
            "image, images, photo, photos, photograph, photographs, picture, pictures, pic, pics"
        ),
    }.items()
    for phrase in phrases.split(", ")
}


@dataclass(frozen=True)
class Meaning:
    """What a word stands for: the ``name`` of a class or group and its class ids, ascending."""

    name: str
    classes: tuple[int, ...]


@dataclass(frozen=True)
class WordTable:
    """All words and phrases for classes and groups; ``longest`` is the most words that one phrase has, keywords included."""

    meanings: Mapping[Phrase, Meaning]
    longest: int

    def closest(self, words: Sequence[str], at_most: int = 3) -> tuple[str, ...]:
        """The known words and phrases most like the first of ``words`` or like the first few of them together, best first."""
        ranked: dict[str, float] = {}
        for count in range(1, min(len(words), self.longest) + 1):
            asked = " ".join(words[:count])
            matcher = difflib.SequenceMatcher(b=asked, autojunk=False)
            for phrase in self._candidates():
                matcher.set_seq1(phrase)
                if matcher.real_quick_ratio() < 0.6 or matcher.quick_ratio() < 0.6:
                    continue
                ratio = matcher.ratio() + 0.1 * (phrase[:1] == asked[:1])  # people rarely get the first letter wrong
                if ratio >= 0.7:
                    ranked[phrase] = max(ranked.get(phrase, 0), ratio)
        best: dict[object, str] = {}  # one word for each meaning
        clear = max(ranked.values(), default=0) - 0.2  # what is much worse than the best only distracts
        for phrase in sorted((p for p in ranked if ranked[p] >= clear), key=lambda phrase: (-ranked[phrase], phrase)):
            words_of_it = tuple(phrase.split())
            best.setdefault(self.meanings.get(words_of_it) or KEYWORDS[words_of_it], phrase)
        return tuple(best.values())[:at_most]

    def _candidates(self) -> Iterator[str]:
        yield from map(" ".join, self.meanings)
        yield from (" ".join(phrase) for phrase in KEYWORDS if len(" ".join(phrase)) > 3)


def normal(text: str) -> str:
    """A word or phrase in normal form: NFKC, case-folded, words apart by one space; hyphens and underscores are spaces."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.replace("-", " ").replace("_", " ").replace("’", "'").split())


@lru_cache(maxsize=4)
def word_table(vocabulary: Vocabulary) -> WordTable:
    """The words of a vocabulary: names, plurals and synonyms of classes and groups, and the synonyms' regular plurals.

    Raises ValueError when a word would have two meanings or is a word of the language itself."""
    table: dict[Phrase, Meaning] = {}
    owners: list[tuple[ClassInfo | Group, Meaning]] = [(c, Meaning(c.name, (c.id,))) for c in vocabulary.classes]
    owners += [(g, Meaning(g.name, g.members)) for g in vocabulary.groups]
    for owner, meaning in owners:
        plural = owner.plural if isinstance(owner, ClassInfo) else _plural(owner.name)
        for word in (owner.name, plural, *owner.synonyms):
            _enter(table, word, meaning)
    stated = set(table)
    for owner, meaning in owners:
        for synonym in owner.synonyms:
            plural = _plural(synonym)
            if tuple(normal(plural).split()) not in stated:  # a word that is stated outright beats a regular plural
                _enter(table, plural, meaning)
    return WordTable(table, max(map(len, [*table, *KEYWORDS])))


def _enter(table: dict[Phrase, Meaning], word: str, meaning: Meaning) -> None:
    phrase = tuple(normal(word).split())
    if phrase in KEYWORDS:
        raise ValueError(f'"{word}" cannot name {meaning.name}: it is a word of the query language')
    if table.setdefault(phrase, meaning) != meaning:
        raise ValueError(f'"{word}" means both {table[phrase].name} and {meaning.name}')


def _plural(phrase: str) -> str:
    """The regular plural; of "body of water" that is "bodies of water"."""
    head, of, rest = phrase.partition(" of ")
    return plural_of(head) + of + rest
