"""Tokens of words: of the language, of the vocabulary, of every day and of other languages."""

from __future__ import annotations

import re

from dsslic_search.core.errors import Remedy
from dsslic_search.core.nouns import MAX_NOUN_WORDS
from dsslic_search.core.nouns import nouns as nouns_of_wordnet
from dsslic_search.core.text import listed, quoted
from dsslic_search.query.ast import Sort, Thing
from dsslic_search.query.language import fields, foreign, image_words, nouns
from dsslic_search.query.language.lexicon import KEYWORDS, Phrase
from dsslic_search.query.language.pieces import WORD, Piece, Source
from dsslic_search.query.language.written import complaint

_SUGGESTED_WORDS = 4  # words, from an unknown one on, that are tried as a phrase for suggestions
_GAP = re.compile(r"\s+|[-_‐‑]+")  # between the words of a phrase
_MOST = re.compile(r"(?:the\s+)?(most|least|fewest|largest|biggest|smallest)\s+")
_DATED = "{} needs a date after it, as in since 2019-05, from 2019 to 2021 or added today"
_UNSEEN = (
    "what is near and what is far cannot be told here: instead of {} name a part of the photo, as in car in "
    "the bottom half"
)


def word(source: Source, start: int, end: int) -> tuple[list[Piece], int]:
    """The tokens that begin with the word at ``start``, and where they end."""
    if superlative := _superlative(source, start):
        return superlative
    if everyday := _everyday(source, start, end):
        return everyday
    if named := _named(source, start, end):
        return named
    phrase, end = _known(source, start, end)
    span = source.folded.span(start, end)
    if phrase not in KEYWORDS:
        meaning = source.table.meanings[phrase]
        return [Piece("THING", meaning.name, *span, meaning)], end
    type_, value = KEYWORDS[phrase]
    piece = Piece(type_, value, *span, source.table.meanings.get(phrase))
    match type_:
        case "NOBODY":
            piece.meaning = source.table.meanings.get(("person",))
        case "SHAPE":
            piece.type, piece.node = "FILTER", fields.filter_of("orientation", value, source.now)
        case "LOOK":
            name, _, said = value.partition(":")
            piece.type, piece.node = "FILTER", fields.filter_of(name, said, source.now)
        case "SORT":
            piece.sort = fields.sort_of(value, lambda word: None)
        case "DATED" | "UNSEEN":
            sentence = _DATED if type_ == "DATED" else _UNSEEN
            word_typed = quoted(source.folded.text[start:end])
            raise complaint(source.folded.original, *span, sentence.format(word_typed))
    return [piece], end


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
    thing = Thing(source.folded.original[slice(*shown)], meaning.name, meaning.classes, shown[0])
    sort = Sort("thing", thing, most[1] not in {"least", "fewest", "smallest"})
    made = [Piece("SORT", "", *source.folded.span(start, end), sort=sort)]
    if most[1] not in {"least", "fewest"}:
        made.append(Piece("THING", meaning.name, *source.folded.span(named.start(), end), meaning))
    return made, end


def _words(source: Source, start: int, end: int, least: int = 0) -> tuple[list[str], list[int]]:
    """The word at ``start`` and as many after it as could be a phrase with it, at least that many if there
    are, and where each ends."""
    text, shadow = source.folded.text, source.folded.words
    words, ends = [text[start:end]], [end]
    longest = max(source.table.longest.get(words[0], _SUGGESTED_WORDS), least)
    while len(words) < longest:
        gap = _GAP.match(shadow, ends[-1])
        following = WORD.match(shadow, gap.end() if gap else ends[-1])
        if following is None:
            break
        words.append(text[following.start() : following.end()])
        ends.append(following.end())
    return words, ends


def _in_english(source: Source, start: int, end: int, least: int = 0) -> tuple[list[str], list[int]]:
    """The words that `_words` gives; of one in another language the English ones alone."""
    english = foreign.english_of(source.folded.text[start:end], source.language, source.is_english)
    return _words(source, start, end, least) if english is None else ([*english], [end] * len(english))


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
        query, span = nouns.everyday()[phrase], source.folded.span(start, ends[count - 1])
        if query.startswith("!"):
            raise complaint(source.folded.original, *span, query[1:].strip())
        node = source.said_as(query)
        if node is not None:
            note = f"{' '.join(phrase)}: asked as {query}"
            return [Piece("FILTER", "scene", *span, node=node, note=note)], ends[count - 1]
    return None


def _named(source: Source, start: int, end: int) -> tuple[list[Piece], int] | None:
    """What a noun that is none of the vocabulary is asked as: a class that it is a kind of, or what whole
    photos show. A noun of more words than are known together comes before these ("traffic light")."""
    words, ends = _in_english(source, start, end, MAX_NOUN_WORDS)
    table = source.table.meanings
    strange = [(word,) not in KEYWORDS and (word,) not in table for word in words[:MAX_NOUN_WORDS]]
    if not any(strange):
        return None
    known = next((n for n in range(len(words), 0, -1) if _is_known(source, tuple(words[:n]))), 0)
    noun = nouns_of_wordnet().first_of(words)
    if noun is None or noun.words <= known:
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
    if (noun.hint,) in table:
        shown = quoted(source.folded.original[slice(*span)])
        sentence = f"photos are not known to show {shown}: for what comes nearest to it write {noun.hint}"
        raise complaint(source.folded.original, *span, sentence, (noun.hint,))
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
    hint = f"see `{Remedy.CLASSES}` for the words there are"
    hint = f"photos are not known to show it; {hint}" if is_noun else hint
    if suggestions:
        hint = f"did you mean {listed([quoted(known) for known in suggestions])}?"
    shown = quoted(source.folded.original[slice(*span)])
    raise complaint(source.folded.original, *span, f"unknown word {shown}: {hint}", suggestions)
