"""The words of the query language: the vocabulary's, and the language's own.

Words are compared in a normal form (NFKC, case-folded, single spaces), and every word has one meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from dsslic_search.core import wordnet
from dsslic_search.core.cached import cached_property
from dsslic_search.core.colour_terms import TERMS
from dsslic_search.core.errors import UsageError
from dsslic_search.core.nouns import nouns as nouns_of_wordnet
from dsslic_search.core.text import KnownWords, normal, plural_of, quoted
from dsslic_search.core.vocabulary import ClassInfo, Group, Vocabulary
from dsslic_search.query.language import nouns, spatial

Phrase = tuple[str, ...]

_NOT = ("NOT", "not")
_NO = ("NOT", "no")  # takes a list of "and" too
_AND = ("AND", "and")
_OR = ("OR", "or")
_WITH = ("WITH", "with")  # "and" between two predicates, nothing elsewhere
_FILLER = ("FILLER", "")
_PHOTO = ("FILLER", "photo")  # a filler, but "left of the photo" is a zone
_COLOUR_WORDS = {"grey": ("grey", "gray"), "purple": ("purple", "violet")}
SHADES = ("dark", "light", "bright", "pale", "deep", "vivid", "clear")
"""Words before a colour, which is not told apart by them."""


def _shades(*colours: str) -> Iterator[str]:
    yield from colours
    yield from (f"{shade} {colour}" for colour in colours for shade in SHADES)


_UNSEEN = ("UNSEEN", "")  # what no label map shows: an error that says so
PHRASES: Mapping[tuple[str, str], str] = {  # for each token type and value
    _NOT: "not, isn't, aren't, wasn't, weren't",
    _NO: "no, without, excluding, except, except for, free of, lacking, minus, neither, everything but, "
    "other than, everything except, every year except, every year but, anything but, all but, "
    "all except, do not, don't, does not, doesn't",
    _AND: "and, plus, as well as",
    ("CLAUSE", "but"): "but",
    _OR: "or, nor",
    _WITH: "with, containing, contain, contains, showing, including, featuring, has, have, having, together "
    "with, along with, at, covered with, covered in, covered by, filled with, "
    "holding, wearing, carrying, reading, eating, drinking, using, through, chasing, kicking, throwing, "
    "catching, pulling, pushing, feeding, petting, hugging, watching, playing with, looking out of",
    ("COMPARE", ">="): "at least, no less than, not less than, no fewer than, not fewer than, minimum, min",
    ("COMPARE", "<="): "at most, no more than, not more than, up to, maximum, max",
    (
        "COMPARE",
        ">",
    ): "more than, greater than, larger than, bigger than, more then, greater then, larger then, bigger then",
    ("COMPARE", "<"): "less than, fewer than, smaller than, less then, fewer then, smaller then",
    ("COMPARE", "="): "exactly, equal to, equals",
    ("MORE", ">="): "more",
    ("MORE", "<="): "less, fewer",
    ("BETWEEN", "between"): "between, in between",
    ("MOSTLY", "mostly"): "mostly, mainly, dominated by, majority, full of, most of, "
    "predominantly, primarily",
    ("ONLY", "only"): "only, nothing but, just, almost all, nearly all, almost entirely, entirely",
    (
        "LOTS",
        "lots of",
    ): "a lot of, lot of, lots of, lots and lots of, much, plenty of, loads of, tons of, dozens of, "
    "scores of, hundreds of, thousands of, countless",
    ("LITTLE", "little"): "little, a bit of, little bit of, hardly any, barely any",
    ("BARELY", "almost no"): "almost no, next to no, virtually no, practically no",
    (
        "LARGE",
        "large",
    ): "large, big, huge, wide, vast, portrait of, portraits of, close up of, close ups of, closeup of, "
    "closeups of, macro of, close up photo of, closeup photo of, close up shot of, closeup shot of, "
    "macro photo of, macro shot of",
    ("SMALL", "small"): "small, tiny",
    ("NUMBER", "1"): "single, lone, only one, exactly one",
    ("NUMBER", "2"): "couple of, pair of",
    ("NUMBER", "6"): "half a dozen",
    ("NUMBER", "12"): "dozen",
    ("AMOUNT", "33%"): "a third, one third",
    ("AMOUNT", "67%"): "two thirds",
    ("AMOUNT", "25%"): "a quarter, one quarter",
    ("AMOUNT", "75%"): "three quarters",
    ("AMOUNT", "20%"): "a fifth, one fifth",
    ("AMOUNT", "10%"): "a tenth, one tenth",
    ("TIMES", "2"): "twice",
    ("TIMES", "3"): "thrice",
    ("TIMES", ""): "times",
    ("AS_MUCH", ""): "as much, as many, the same amount of, the same number of",
    ("AS_LARGE", ""): "as large as, as big as, as much as, as many as, as small as",
    ("EQUALLY", ""): "equal amounts of, equal parts, equal parts of",
    ("AS", ""): "as",
    ("THAN", ""): "than, then",
    ("FREE", ""): "free",
    ("ABOUT", ""): "roughly, approximately, approx, circa, nearly, almost",
    ("DEGREE", ""): "very, too, really, extremely, quite, so",
    ("MANY", "2-5"): "few, a few",
    ("MANY", "2"): "multiple",
    ("MANY", "3"): "several, group of, groups of, herd of, herds of, flock of, flocks of, pack of, swarm of",
    ("MANY", "5"): "many, numerous",
    ("LIKE", "like"): "like, same as, the same as, similar to, looking like, looks like, look like, "
    "laid out like, arranged like",
    ("LIKE", "unlike"): "unlike, different from",
    ("MIRRORED", "mirrored"): "mirrored, or mirrored",
    ("PERCENT", "%"): "percent, per cent",
    ("AMOUNT", "50%"): "half",
    ("EVERYTHING", "everything"): "everything, anything",
    ("SORT", "-taken"): "newest first",
    ("SORT", "taken"): "oldest first",
    (
        "SHAPE",
        "portrait",
    ): "portrait, portraits, portrait format, portrait orientation, vertical, vertical format, upright",
    ("SHAPE", "landscape"): "landscape format, landscape orientation, horizontal, horizontal format",
    ("SHAPE", "square"): "square, square format",
    ("SHAPE", "panorama"): "panorama, panoramas, panoramic, panorama format",
    ("LOOK", "brightness:<60"): "dark",
    ("LOOK", "brightness:>170"): "bright",
    (
        "LOOK",
        "colour:black and white",
    ): "black and white, in black and white, monochrome, greyscale, grayscale, bw",
    ("LOOK", "colour:colourful"): "colourful, colorful, vivid, multicoloured, multicolored",
    (
        "UNRELATED",
        "",
    ): "on both sides of, both sides of, on either side of, across, opposite, facing, facing away, "
    "looking at, pointing at",
    **{("COLOUR", term): ", ".join(_shades(*_COLOUR_WORDS.get(term, (term,)))) for term in TERMS},
    ("DATED", ""): "added, after, since, until, till, during, from",
    _UNSEEN: "foreground, background, distance",
    ("ACTIVITY", ""): spatial.ACTIVITIES,
    _FILLER: (
        "beautiful, nice, pretty, lovely, great, amazing, awesome, gorgeous, cute, cool, my favourite, "
        "favourite, favorite, "
        "a, an, the, some, any, all, every, each, my, our, your, of, that, which, where, there, is, are, be, "
        "i, want, give, get, please, "
        "show, me, find, search, search for, look for, for, to, taken, shot, "
        "captured, photographed, cover, covers, covering, in which, on "
        "which, either, can, you, could, do, does, whose, his, their, its, i am, i'm, looking for, "
        "what, about, something, "
        "field of, bunch of, bunches of, row of, rows of, pile of, piece of, kind of, kinds of, type of, "
        "also, visible, number of, we, us, see, did, ok, okay, let's, should, i'd like, i would like, "
        "searching for, display all, display photos, display images, display pictures, display the, "
        "list all, list photos, list images, list pictures, list the, takes up, take up, fills, fill"
    ),
    ("POLITE", ""): "thanks, thank you, hi, hello, hey",
    ("WHO", ""): "who",
    ("IT", ""): "it, them, him",
    ("EACH_OTHER", ""): "each other, one another",
    ("NOBODY", "no"): "nobody, no one, noone, none",
    ("HER", ""): "her",
    ("BOTH", ""): "both",
    ("IN_FRONT", "in front of"): "in front",
    ("SIDE_BY_SIDE", "next to"): "side by side",
    _PHOTO: "image, images, scene, scenes, shots, snap, snaps, snapshot, snapshots, "
    "photo, photos, photograph, photographs, picture, pictures, pic, pics",
}

NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
"""The words for 0, 1, 2 …"""


def _keywords() -> Iterator[tuple[str, tuple[str, str]]]:
    for meaning, phrases in PHRASES.items():
        yield from ((phrase, meaning) for phrase in phrases.split(", "))
    yield from ((word, ("NUMBER", str(number))) for number, word in enumerate(NUMBERS))
    yield from ((phrase, ("RELATION", name)) for name, phrase in spatial.relation_phrases())
    yield from ((phrase, ("ZONE", name)) for name, phrases in spatial.zones().items() for phrase in phrases)


KEYWORDS: Mapping[Phrase, tuple[str, str]] = {
    tuple(phrase.split()): meaning for phrase, meaning in _keywords()
}


@dataclass(frozen=True)
class Meaning:
    """What a word stands for: the ``name`` of a class or group, its class ids, ascending, and the plural of
    its name."""

    name: str
    classes: tuple[int, ...]
    plural: str = ""


@dataclass(frozen=True)
class WordTable:
    """All words and phrases for classes and groups. ``longest``: by first word, the most words of a phrase,
    keywords included. ``made``: the plurals made by rule, which are understood but not suggested
    ("cloudses"). ``families``: classes of which what is said of one in a list is said of the others;
    ``settings``: classes on, in or beside one of which a thing is said to be where it is by another."""

    meanings: Mapping[Phrase, Meaning]
    longest: Mapping[str, int] = field(repr=False)
    made: frozenset[Phrase] = field(default=frozenset(), repr=False)
    families: tuple[frozenset[int], ...] = ()
    settings: tuple[frozenset[int], ...] = ()

    def closest(self, words: Sequence[str], at_most: int = 3) -> tuple[str, ...]:
        """The known words and phrases most like the first of ``words`` or like the first few of them
        together, best first."""
        ranked: dict[str, float] = {}
        for count in range(1, len(words) + 1):
            found = self._suggested.like(" ".join(words[:count]), phrases_only=count > 1)
            asked = " ".join(words[:count])
            for phrase, likeness in found.items():
                if not _could_be_meant(asked, phrase):
                    continue
                ranked[phrase] = max(ranked.get(phrase, 0), likeness)
        best: dict[object, str] = {}  # one word for each meaning
        clear = max(ranked.values(), default=0) - 0.2  # what is much worse than the best only distracts
        for phrase in sorted(
            (p for p in ranked if ranked[p] >= clear), key=lambda phrase: (-ranked[phrase], phrase)
        ):
            words_of_it = tuple(phrase.split())
            best.setdefault(self.meanings.get(words_of_it) or KEYWORDS.get(words_of_it, phrase), phrase)
        return tuple(best.values())[:at_most] or _rare_nouns_like(words[0])[:at_most]

    @cached_property
    def _suggested(self) -> KnownWords:
        own = (" ".join(phrase) for phrase, (type_, _) in KEYWORDS.items() if type_ not in _NOT_SUGGESTED)
        stated = (" ".join(phrase) for phrase in self.meanings if phrase not in self.made)
        image_words = (normal(synset.words[0]) for synset in wordnet.image_words().synsets.values())
        every_day = (" ".join(phrase) for phrase in nouns.everyday())
        known = [*stated, *(word for word in own if len(word) > 3)]
        return KnownWords(dict.fromkeys([*known, *every_day, *nouns_of_wordnet().places(), *image_words]))


MIN_RARE_CHARACTERS = 6  # of a word: of a shorter one too many nouns are a letter away
MIN_SPOKEN_CHARACTERS = 5  # of a word that sounds like a noun


def _rare_nouns_like(word: str) -> tuple[str, ...]:
    """Nouns that a word is like, and plurals of those that a plural is like."""
    stem = word.removesuffix("s")
    found = _singulars_like(word)
    return found if found or stem == word else tuple(map(plural_of, _singulars_like(stem)))


def _singulars_like(word: str) -> tuple[str, ...]:
    """Nouns that begin as a word does and from which it is one mistake away, or that sound the same."""
    if not MIN_SPOKEN_CHARACTERS <= len(word) <= MAX_WORD_CHARACTERS:
        return ()
    table, sound = nouns_of_wordnet(), _sound(word)
    if alike := tuple(noun for noun in table.beginning(word[:3], hinted=True) if _sound(noun) == sound):
        return alike
    if len(word) < MIN_RARE_CHARACTERS:
        return ()
    return tuple(noun for noun in table.beginning(word[:2]) if _mistakes(word, noun, 1) <= 1)


def _sound(word: str) -> str:
    """What is the same for words that sound the same but for double letters, "ph" and a silent "e"."""
    return _DOUBLED.sub(r"\1", word.replace("ph", "f").removesuffix("e"))


_DOUBLED = re.compile(r"(.)\1+")


MAX_WORD_CHARACTERS = 40  # of a word that may be mistyped
LETTERS_A_MISTAKE = 4  # of a word: so many letters may have one mistake, at least one


def _could_be_meant(asked: str, known: str) -> bool:
    """Whether a known word is as long as one that was mistyped and begins like it, and few letters differ."""
    if sorted(asked) == sorted(known):
        return True
    allowed = max(1, len(known) // LETTERS_A_MISTAKE)
    return asked[:1] == known[:1] and _mistakes(asked, known, allowed) <= allowed


def _mistakes(one: str, other: str, most: int) -> int:
    """Letters left out, put in, exchanged or swapped with their neighbour between two words (optimal string
    alignment); ``most`` + 1 for more than that."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    unlike = (i for i, (letter, wanted) in enumerate(zip(one, other, strict=False)) if letter != wanted)
    same = next(unlike, min(len(one), len(other)))
    one, other = one[same:], other[same:]
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                least = min(least, earlier[j - 2] + 1)
            row.append(least)
        if min(row) > most:  # which no later row is less than, but for a swap, which costs one more itself
            return most + 1
    return row[-1]


_NOT_SUGGESTED = {"UNSEEN", "UNRELATED", "DATED", "MORE", "POLITE"}


@lru_cache(maxsize=4)
def word_table(vocabulary: Vocabulary) -> WordTable:
    """The words of a vocabulary: names, plurals and synonyms of classes and groups, and the synonyms' regular
    plurals.

    Raises UsageError when a word would have two meanings or is a word of the language itself; only relations
    may be words of the vocabulary too ("inside" is a relation where it stands before a thing, and a group
    elsewhere)."""
    table: dict[Phrase, Meaning] = {}
    owners: list[tuple[ClassInfo | Group, Meaning]] = [
        (c, Meaning(c.name, (c.id,), _spoken_plural(c))) for c in vocabulary.classes
    ]
    owners += [(g, Meaning(g.name, g.members, plural_of(g.name))) for g in vocabulary.groups]
    for owner, meaning in owners:
        plural = owner.plural if isinstance(owner, ClassInfo) else meaning.plural
        for word in (owner.name, plural, *owner.synonyms):
            _enter(table, word, meaning, vocabulary)
    stated = set(table)
    for owner, meaning in owners:
        for synonym in owner.synonyms:
            plural = plural_of(synonym)
            # a word that is stated outright beats a regular plural
            if tuple(normal(plural).split()) not in stated:
                _enter(table, plural, meaning, vocabulary)
    longest: dict[str, int] = {}
    for phrase in (*table, *KEYWORDS):
        longest[phrase[0]] = max(longest.get(phrase[0], 0), len(phrase))
    return WordTable(
        table, longest, frozenset(table) - stated, *(_known(table, names) for names in (FAMILIES, SETTINGS))
    )


def _spoken_plural(owner: ClassInfo) -> str:
    return "people" if "people" in owner.synonyms else owner.plural


def _known(
    table: Mapping[Phrase, Meaning], families: tuple[tuple[str, ...], ...]
) -> tuple[frozenset[int], ...]:
    """The classes of each family that the words of a table know."""
    known = [
        [table[phrase].classes for name in names if (phrase := tuple(name.split())) in table]
        for names in families
    ]
    return tuple(frozenset().union(*classes) for classes in known)


FAMILIES = (("animal", "person"), ("vehicle",), ("furniture",))
"""Words for things that can be where one another can be."""
SETTINGS = (("ground", "vegetation"), ("body of water",), ("structure",))
"""Words for what other things are on, in or beside."""


def _enter(table: dict[Phrase, Meaning], word: str, meaning: Meaning, vocabulary: Vocabulary) -> None:
    phrase = tuple(normal(word).split())
    if KEYWORDS.get(phrase, ("RELATION", ""))[0] != "RELATION":
        trouble = f"cannot name {quoted(meaning.name)}, as it is a word of the query language"
    elif table.setdefault(phrase, meaning) != meaning:
        trouble = f"means both {quoted(table[phrase].name)} and {quoted(meaning.name)}"
    else:
        return
    raise UsageError(
        f"class list {quoted(vocabulary.name)}: {quoted(word)} {trouble}; write another word there"
    )
