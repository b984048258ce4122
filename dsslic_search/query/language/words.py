"""Tokens of words: of the language, of the vocabulary, of every day and of other languages."""

from __future__ import annotations

import re
from functools import lru_cache

from dsslic_search.core.errors import Remedy
from dsslic_search.core.nouns import MAX_NOUN_WORDS, Noun
from dsslic_search.core.nouns import nouns as nouns_of_wordnet
from dsslic_search.core.text import listed, quoted
from dsslic_search.query.ast import Sort, Thing, written
from dsslic_search.query.language import fields, foreign, image_words, nouns
from dsslic_search.query.language.lexicon import KEYWORDS, Phrase, WordTable
from dsslic_search.query.language.pieces import WORD, Piece, Source
from dsslic_search.query.language.plain_facts import AHEAD
from dsslic_search.query.language.written import complaint

_SUGGESTED_WORDS = 4  # words, from an unknown one on, that are tried as a phrase for suggestions
MAX_NAME_WORDS = 3
"""So many words together are looked up among the names in the archive."""
_BLANK = re.compile(r"[ \t]+")
_GAP = re.compile(r"\s+|[-_‐‑]+")  # between the words of a phrase
_AT_A_PLACE = re.compile(r"\b(?:near|in|at|from|to)\s+\Z")
_HYPHENED = re.compile(r"[^\W_]+(?:[-_][^\W_]+){1,3}(?![-_:])")
_BEFORE_A_NUMBER = re.compile(r"\s+[0-9]")
_MOST = re.compile(r"(?:the\s+)?(most|least|fewest|largest|biggest|smallest)\s+")
_AHEAD = re.compile(AHEAD)
_DATED = "{} needs a date after it, as in since 2019-05, from 2019 to 2021 or added today"
_UNRELATED = (
    "{} is not seen here: write how things lie to each other, as in car next to road or person left of car"
)
_UNSEEN = (
    "what is near and what is far cannot be told here: instead of {} name a part of the photo, as in car in "
    "the bottom half"
)


def word(source: Source, start: int, end: int) -> tuple[list[Piece], int]:
    """The tokens that begin with the word at ``start``, and where they end."""
    if superlative := _superlative(source, start):
        return superlative
    if joined := _joined(source, start, end):
        return joined
    if (source.folded.text[start:end],) not in KEYWORDS and (whole := _whole_name(source, start, end)):
        return whole
    if everyday := _everyday(source, start, end):
        return everyday
    if hyphened := _hyphened(source, start):
        return hyphened
    if ended := _ending(source, start, end):
        return ended, end
    if named := _named(source, start, end):
        return named
    if archived := _archived(source, start, end):
        return archived
    phrase, end = _known(source, start, end)
    span = source.folded.span(start, end)
    if phrase not in KEYWORDS:
        meaning = source.table.meanings[phrase]
        return [Piece("THING", meaning.name, *span, meaning)], end
    type_, value = KEYWORDS[phrase]
    piece = Piece(type_, value, *span, source.table.meanings.get(phrase))
    match type_:
        case "NOBODY" | "WHO":
            piece.meaning = source.table.meanings.get(("person",))
            if piece.meaning is None and type_ == "NOBODY":
                raise source.complaint(start, end, "people are no class here: leave this out")
        case "FILLER" if value == "photo":
            piece.meaning = source.table.meanings.get(("painting",))
        case "ACTIVITY":
            piece.value = " ".join(phrase)
        case "SHAPE":
            piece.type, piece.node = "FILTER", fields.filter_of("orientation", value, source.now)
        case "LOOK":
            name, _, said = value.partition(":")
            piece.type, piece.node = "FILTER", fields.filter_of(name, said, source.now)
        case "SORT":
            piece.sort = fields.sort_of(value, lambda word: None)
        case "DATED" if phrase == ("from",) and _BEFORE_A_NUMBER.match(source.folded.words, end):
            piece.type, piece.value = "FILLER", ""  # "from 2 to 4 people"
        case "DATED" | "UNSEEN" | "UNRELATED":
            sentence = {"DATED": _DATED, "UNSEEN": _UNSEEN, "UNRELATED": _UNRELATED}[type_]
            typed = quoted(source.folded.text[start:end])
            raise complaint(source.folded.original, *span, sentence.format(typed))
    return [piece], end


_ENDINGS = {"less": "FREE", "'s": "POSSESSIVE"}


def _ending(source: Source, start: int, end: int) -> list[Piece]:
    """A thing and what its ending says, for "treeless" and "dog's"; nothing for another word."""
    word, meanings = source.folded.text[start:end], source.table.meanings
    ending = next((ending for ending in _ENDINGS if word.endswith(ending)), "")
    stem = word.removesuffix(ending)
    if not ending or (word,) in meanings or (word,) in KEYWORDS or (stem,) not in meanings:
        return []
    last = end - len(ending)
    if nouns.everyday().get((stem,), "").startswith("!"):
        raise source.complaint(start, last, nouns.everyday()[stem,][1:].strip())
    meaning = meanings[stem,]
    thing = Piece("THING", meaning.name, *source.folded.span(start, last), meaning)
    said = source.piece(_ENDINGS[ending], "", last, end)
    said.meaning = meanings.get(("person",))
    return [thing, said]


def _superlative(source: Source, start: int) -> tuple[list[Piece], int] | None:
    """The order that "most sky" or "the largest dog" asks for, and the thing, which has to be there; of
    "least people" the order alone."""
    most = _MOST.match(source.folded.words, start)
    named = most and WORD.match(source.folded.words, most.end())
    if most is None or named is None:
        return None
    phrase, end = _known(source, *named.span())
    meaning = source.table.meanings.get(phrase)
    if meaning is None:
        return None
    shown = source.folded.span(*named.span())
    thing = Thing(
        source.folded.original[slice(*shown)], meaning.name, meaning.classes, shown[0], meaning.plural
    )
    sort = Sort("thing", thing, most[1] not in {"least", "fewest", "smallest"})
    made = [Piece("SORT", "", *source.folded.span(start, end), sort=sort)]
    if most[1] not in {"least", "fewest"}:
        made.append(Piece("THING", meaning.name, *source.folded.span(named.start(), end), meaning))
    ahead = _AHEAD.match(source.folded.words, end)  # "most sky first"
    return made, ahead.end() if ahead else end


def _words(source: Source, start: int, end: int, least: int = 0) -> tuple[list[str], list[int]]:
    """The word at ``start`` and as many after it as could be a phrase with it, at least that many if there
    are, and where each ends."""
    text, shadow = source.folded.text, source.folded.words
    words, ends = source.followed.setdefault((start, end), ([text[start:end]], [end]))
    longest = max(source.table.longest.get(words[0], _SUGGESTED_WORDS), least, 1)
    while len(words) < longest:
        gap = _GAP.match(shadow, ends[-1])
        following = WORD.match(shadow, gap.end() if gap else ends[-1])
        if following is None:
            break
        words.append(text[following.start() : following.end()])
        ends.append(following.end())
    return (words, ends) if len(words) <= longest else (words[:longest], ends[:longest])


def _in_english(source: Source, start: int, end: int, least: int = 0) -> tuple[list[str], list[int]]:
    """The words that `_words` gives; of one in another language the English ones alone."""
    typed = source.folded.text[start:end]
    if typed in foreign.first_of_phrases() and (phrase := foreign_phrase(source, start, end)):
        return [*phrase[0]], [phrase[1]] * len(phrase[0])
    english = source.in_english(typed)
    if english is None or english == (typed,):  # "zebra"
        return _words(source, start, end, least)
    return [*english], [end] * len(english)


def foreign_phrase(source: Source, start: int, end: int) -> tuple[Phrase, int] | None:
    """The English words for a phrase of another language that begins with the word at ``start``, and where it
    ends: "coucher de soleil"."""
    words, ends = _words(source, start, end, foreign.MAX_PHRASE_WORDS)
    found = foreign.phrase_in_english(tuple(words), source.language)
    return None if found is None else (found[0], ends[found[1] - 1])


def _everyday(source: Source, start: int, end: int) -> tuple[list[Piece], int] | None:
    """What a word of every day is asked as."""
    words, ends = _in_english(source, start, end, MAX_NOUN_WORDS)
    if words[0] not in nouns.first_words():
        return None
    for count in range(len(words), 0, -1):
        phrase = tuple(words[:count])
        if phrase in KEYWORDS:  # "a couple of dogs"
            return None
        meaning = source.table.meanings.get(phrase)
        if phrase not in nouns.everyday() or (meaning and meaning.name == " ".join(phrase)):
            continue
        noun = _noun_of(tuple(words[:MAX_NOUN_WORDS]))
        if noun and noun.words > count:  # "rock concert"
            return None
        if _is_a_verb(words, count):
            continue
        if asked := _asked_as(source, phrase, start, ends[count - 1]):
            return asked
    return None


def _is_a_verb(words: list[str], count: int) -> bool:
    """Whether the last of the first words is no noun: "a pedestrian crossing the street"."""
    return words[count - 1] == "crossing" and words[count : count + 1] in (["the"], ["a"])


def _asked_as(source: Source, phrase: Phrase, start: int, end: int) -> tuple[list[Piece], int] | None:
    """The token of a word of every day; None where the vocabulary lacks a word of what it is asked as."""
    query, span = nouns.everyday()[phrase], source.folded.span(start, end)
    if query.startswith("!"):
        if named := _pieces_named(source, start, end):
            return named
        raise complaint(source.folded.original, *span, query[1:].strip())
    node = source.said_as(query)
    if node is None:
        return None
    note = f"{' '.join(phrase)}: asked as {query}"
    return [Piece("FILTER", "scene", *span, node=node, note=note)], end


def _joined(source: Source, start: int, end: int) -> tuple[list[Piece], int] | None:
    """What two words are asked as that are written as one: "sea side", "sky scraper"."""
    gap = _BLANK.match(source.folded.words, end)
    following = WORD.match(source.folded.words, gap.end()) if gap else None
    if following is None:
        return None
    one, other = source.folded.text[start:end], source.folded.text[slice(*following.span())]
    if not _are_written_as_one(source.table, one, other) or source.language:
        return None
    word, last = one + other, following.end()
    span, note = source.folded.span(start, last), f"{one} {other}: read as {word}"
    if meaning := source.table.meanings.get((word,)):
        return [Piece("THING", meaning.name, *span, meaning, note=note)], last
    if (word,) in nouns.everyday():
        return _asked_as(source, (word,), start, last)
    noun = _noun_of((word,))
    meaning = source.table.meanings.get((noun.kind,)) if noun else None
    if noun and noun.identities:
        node = image_words.shown(noun.noun, noun.identities)
        return [Piece("FILTER", "scene", *span, node=node, note=note)], last
    return ([Piece("THING", meaning.name, *span, meaning, note=note)], last) if meaning else None


def _are_written_as_one(table: WordTable, one: str, other: str) -> bool:
    """Whether two words are rather one than two things: together they are a word and no phrase, and the first
    is no living thing or vehicle, which could be there beside the other ("dog house")."""
    apart, together = (one, other), (one + other,)
    if (one,) in KEYWORDS or (other,) in KEYWORDS or apart in KEYWORDS or min(map(len, apart)) < 3:
        return False
    if apart in table.meanings or apart in nouns.everyday():
        return False
    first = table.meanings.get((one,))
    if first and any(set(first.classes) <= family for family in table.families):
        return False
    if together in table.meanings or together in nouns.everyday():
        return True
    found, noun = _noun_of(apart), _noun_of(together)
    return (found is None or found.words == 1) and noun is not None and bool(noun.kind or noun.identities)


def _named(source: Source, start: int, end: int) -> tuple[list[Piece], int] | None:
    """What a noun that is none of the vocabulary is asked as: a class that it is a kind of, or what whole
    photos show. A noun of more words than are known together comes before these ("traffic light")."""
    words, ends = _in_english(source, start, end, MAX_NOUN_WORDS)
    table = source.table.meanings
    known = next((n for n in range(len(words), 0, -1) if _is_known(source, tuple(words[:n]))), 0)
    noun = _noun_of(tuple(words[:MAX_NOUN_WORDS]))
    if noun is None or noun.words <= known or _is_a_verb(words, noun.words):
        return None
    span = source.folded.span(start, ends[noun.words - 1])
    if noun.identities:
        node = image_words.shown(noun.noun, noun.identities)
        note = "" if node.word == noun.noun else f"{noun.noun}: read as {node.word}"
        return [Piece("FILTER", "scene", *span, node=node, note=note)], ends[noun.words - 1]
    meaning = table.get((noun.kind,))
    if meaning is not None:
        note = f"{noun.noun}: read as {meaning.name}"
        return [Piece("THING", meaning.name, *span, meaning, note=note)], ends[noun.words - 1]
    if archived := _archived(source, start, end):
        return archived
    if (noun.hint,) in table:
        shown = quoted(source.folded.original[slice(*span)])
        sentence = f"photos are not known to show {shown}: for what comes nearest to it write {noun.hint}"
        raise complaint(source.folded.original, *span, sentence, (noun.hint,))
    coloured = KEYWORDS.get((words[0],), ("", ""))[0] == "COLOUR" and tuple(words[1 : noun.words]) in table
    if noun.words > 1 and not coloured:  # "white water" is water that is white
        shown = quoted(source.folded.original[slice(*span)])
        sentence = f"photos are not known to show {shown}: for each of its words put a comma between them"
        raise complaint(source.folded.original, *span, sentence)
    return None


@lru_cache(maxsize=4096)
def _noun_of(words: tuple[str, ...]) -> Noun | None:
    """The noun that words begin with."""
    return nouns_of_wordnet().first_of(words)


def _whole_name(source: Source, start: int, end: int) -> tuple[list[Piece], int] | None:
    """What several words together name in the archive, one behind the first of which is nothing by itself:
    "garden party"."""
    words, ends = _words(source, start, end, MAX_NAME_WORDS)
    for count in range(min(len(words), MAX_NAME_WORDS), 1, -1):
        if any(_says_nothing(source, word) for word in words[1:count]) and (
            found := _pieces_named(source, start, ends[count - 1])
        ):
            return found
    return None


def _says_nothing(source: Source, word: str) -> bool:
    """Whether a word is none of the language, the vocabulary, of every day or of whole photos."""
    if word in source.table.longest or word in nouns.first_words():
        return False
    noun = _noun_of((word,))
    return (noun is None or not (noun.kind or noun.identities)) and word not in foreign.foreign_words()


def _hyphened(source: Source, start: int) -> tuple[list[Piece], int] | None:
    """What words joined by hyphens name in the archive, where they are no phrase of the language."""
    found = _HYPHENED.match(source.folded.text, start)
    if found is None or _is_known(source, tuple(re.split("[-_]", found.group()))):
        return None
    return _pieces_named(source, start, found.end())


def _pieces_named(source: Source, start: int, end: int) -> tuple[list[Piece], int] | None:
    """The token of a name in the archive."""
    typed, span = source.folded.text[start:end], source.folded.span(start, end)
    named = source.named(typed)
    if named is None:
        return None
    if isinstance(named, str):
        return [Piece("SAVED", named, *span, note=f"{typed}: read as @{named}")], end
    return [Piece("FILTER", "name", *span, node=named, note=f"{typed}: read as {written(named)}")], end


def _archived(source: Source, start: int, end: int) -> tuple[list[Piece], int] | None:
    """What a word that is none of the language, or several, names in the archive."""
    if _is_known(source, (source.folded.text[start:end],)):
        return None
    words, ends = _words(source, start, end)
    if any(_is_known(source, tuple(words[: n + 1])) for n in range(len(words))):
        return None
    if source.in_english(words[0]) is not None:
        return None
    for count in range(min(len(words), MAX_NAME_WORDS), 0, -1):
        if found := _pieces_named(source, start, ends[count - 1]):
            return found
    return None


def _is_known(source: Source, phrase: Phrase) -> bool:
    return phrase in KEYWORDS or phrase in source.table.meanings


def _known(source: Source, start: int, end: int) -> tuple[Phrase, int]:
    """The longest phrase of the language or the vocabulary that begins with a word, and where it ends."""
    words, ends = _in_english(source, start, end)
    for count in range(len(words), 0, -1):
        phrase = tuple(words[:count])
        if _is_known(source, phrase):
            return phrase, ends[count - 1]
    if field := fields.field_name(words[0]):
        shown = quoted(source.folded.original[slice(*source.folded.span(start, end))])
        sentence = f"{shown} is what a file says: write it with its value, as in {fields.EXAMPLES[field]}"
        raise source.complaint(start, end, sentence)
    is_noun = nouns_of_wordnet().first_of(words[:1]) is not None
    suggestions = () if is_noun else source.table.closest(words)
    span = source.folded.span(start, end)
    hint = f"leave it out, or see `{Remedy.CLASSES}` for the words there are"
    hint = f"photos are not known to show it; {hint}" if is_noun else hint
    if (
        _AT_A_PLACE.search(source.folded.text, max(start - 10, 0), start)
        and source.folded.original[span[0]].isupper()
    ):
        hint, suggestions = "a place is known by its degrees alone, as in near 48.85,2.35 5km", ()
    elif suggestions:
        hint = f"did you mean {listed([quoted(known) for known in suggestions])}?"
    shown = quoted(source.folded.original[slice(*span)])
    raise complaint(source.folded.original, *span, f"unknown word {shown}: {hint}", suggestions)
