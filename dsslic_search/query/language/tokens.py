"""Query text to tokens, from left to right: words, numbers, signs, fields and operands. What they mean
together is in phrases.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from dsslic_search.core.errors import QueryError
from dsslic_search.core.text import quoted
from dsslic_search.query.ast import Leaf, Node
from dsslic_search.query.language import dates, fields, told, valued, words
from dsslic_search.query.language.adjectives import BLACK_AND_WHITE
from dsslic_search.query.language.lexicon import WordTable
from dsslic_search.query.language.pieces import LETTER, WORD, Piece, Source
from dsslic_search.query.language.written import MARK, QUOTES, Folded, complaint

MAX_CHARACTERS = 10_000

_SYMBOLS = {
    ">=": ("COMPARE", ">="), "=>": ("COMPARE", ">="), "≥": ("COMPARE", ">="),
    "<=": ("COMPARE", "<="), "=<": ("COMPARE", "<="), "≤": ("COMPARE", "<="),
    "==": ("COMPARE", "="), ">": ("COMPARE", ">"), "<": ("COMPARE", "<"), "=": ("COMPARE", "="),
    "&&": ("AND", "and"), "&": ("AND", "and"), "||": ("OR", "or"), "|": ("OR", "or"),
    "(": ("LPAR", "("), ")": ("RPAR", ")"), ",": ("COMMA", ","), "%": ("PERCENT", "%"), "*": ("EVERYTHING",
    "everything"), "/": ("OR", "or"), "+": ("AND", "and"),
}  # fmt: skip
_TOKEN = re.compile(
    rf"(?P<space>\s+|(?<=\w)[-‐‑](?=free\b))|(?P<either>and/or\b)|(?P<brief>w/o?(?=\s)|b\s?[&/]\s?w\b|"
    rf"black\s*&\s*white\b)|(?P<word>{WORD.pattern})"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
    rf"|(?P<plus>(?:(?<=[\s(,])|(?<!.))\+(?={LETTER}|[(@\"“„«*]))"
    rf"|(?P<symbol>{'|'.join(re.escape(symbol) for symbol in sorted(_SYMBOLS, key=len, reverse=True))})"
    rf"|(?P<minus>(?:(?<=[\s(,])|(?<!.))[-−!](?={LETTER}|[(@\"“„«*]))"
    r"|(?P<quote>[\"“„«])"
    rf"|(?P<saved>@(?:[^\W_]|[_.-]|{MARK})+)"
    r"|(?P<end>[.!?][\s.!?]*\Z)",
    re.DOTALL,
)
_OR_MORE = re.compile(r"\s?\+(?=\s)")
_RANGE = re.compile(r"(?P<percent>\s*+(?:%|percent\b|per cent\b))?+\s*+(?:[-–]|\.\.|to\b)\s*+(?=\.?[0-9])")


def tokens(
    text: str,
    table: WordTable,
    now: datetime,
    south: bool = False,
    said_as: Callable[[str], Node | None] = lambda query: None,
    named: Callable[[str], Leaf | str | None] = lambda word: None,
) -> list[Piece]:
    """The tokens of a query, fillers among them. ``south``: seasons are those of the southern hemisphere.
    ``said_as``: the tree of a query that a word of every day is asked as; None where the vocabulary cannot.
    ``named``: what a word names in the archive (`query.names`).
    Raises QueryError for what is not a word, number or sign of
    the language."""
    if len(text) > MAX_CHARACTERS:
        raise complaint(
            text,
            MAX_CHARACTERS,
            len(text),
            f"a query may have {MAX_CHARACTERS} characters, this one has {len(text)}; shorten it",
        )
    return list(_Scanner(Source(Folded(text), table, now, south, said_as, named)).pieces())


class _Scanner:
    """One reading of a query from left to right. Places are those of the folded text."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.folded = source.folded
        self.last = ""  # the type of the piece before, but for fillers

    def pieces(self) -> Iterator[Piece]:
        for piece in self._cut():
            self.last = self.last if piece.type == "FILLER" else piece.type
            yield piece

    def _cut(self) -> Iterator[Piece]:
        text, index = self.folded.words, 0
        while index < len(text):
            found = _TOKEN.match(text, index)
            if found is None:
                raise self._stray(index)
            start, index = found.span()
            if found.lastgroup == "space":
                continue
            if said := told.told(self.source, found.lastgroup, found.group(), start, self.last):
                yield from said[0]
                index = said[1]
                continue
            match found.lastgroup:
                case "quote":
                    piece, index = valued.quotation(self.source, start)
                    yield piece
                case "plus":
                    continue
                case "brief":
                    yield self._brief(found.group(), start, index)
                case "either":
                    yield self.source.piece("OR", "or", start, index)
                case "word":
                    made, index = self._word(start, index)
                    yield from made
                case "symbol":
                    yield self.source.piece(*_SYMBOLS[found.group()], start, index)
                case "number":
                    made, index = self._number(found.group(), start, index)
                    yield from made
                case "minus":
                    yield self.source.piece("NOT", "-", start, index)
                case "saved":
                    index = max(start + len(found.group().rstrip(".")), start + 2)
                    yield self.source.piece("SAVED", self.folded.text[start + 1 : index], start, index)

    def _brief(self, said: str, start: int, end: int) -> Piece:
        """The token of "w/o", "w/" or "b&w"."""
        if said[0] == "w":
            return self.source.piece(*(("NOT", "no") if said == "w/o" else ("WITH", "with")), start, end)
        piece = self.source.piece("FILTER", BLACK_AND_WHITE, start, end)
        piece.node = fields.filter_of("colour", "black and white", self.source.now)
        return piece

    def _number(self, number: str, start: int, end: int) -> tuple[list[Piece], int]:
        """A number, or two with a dash or "to" between them as "between … and …", up to the second."""
        made = [self.source.piece("NUMBER", number, start, end)]
        if plus := _OR_MORE.match(self.folded.words, end):
            return [self.source.piece("COMPARE", ">=", *plus.span()), *made], plus.end()
        ranged = _RANGE.match(self.folded.words, end)
        if ranged is None:
            return made, end
        made.insert(0, self.source.piece("BETWEEN", "between", start, end))
        if ranged["percent"]:
            made.append(self.source.piece("PERCENT", "%", *ranged.span("percent")))
        return [*made, self.source.piece("MID", "and", *ranged.span())], ranged.end()

    def _word(self, start: int, end: int) -> tuple[list[Piece], int]:
        """The tokens that begin with the word at ``start``, and where they end."""
        if field := valued.field_at(self.source, start, end):
            return field
        word = self.folded.text[start:end]
        if word in dates.OPENERS or word in fields.NEAR_OPENERS:
            spoken = told.spoken(self.source, word, start, end)
            if spoken:
                return spoken
        if word in told.foreign_time_words() and (time := told.foreign_time(self.source, start, end)):
            return time
        made, end = words.word(self.source, start, end)
        if made[-1].type == "LIKE":
            return valued.compared(self.source, made[-1], end, self.last)
        return made, end

    def _stray(self, index: int) -> QueryError:
        start, end = self.folded.span(index, index + 1)
        sign = self.folded.original[start:end]
        bare = sign[0]  # without its accents
        if bare in QUOTES or bare == "#":
            hint = (
                'only a photo after "like" and a value after a field are written so; leave it out or write '
                "like before it"
            )
        elif bare == "@":
            hint = "a saved query is written @ and its name, letters, digits, - and _"
        else:
            hint = "leave it out; words, percentages, comparisons, commas and parentheses are understood"
        return complaint(
            self.folded.original, start, end, f"{quoted(sign)} is not part of the query language: {hint}"
        )
