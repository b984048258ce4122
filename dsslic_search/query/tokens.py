"""Query text to tokens for the grammar: words looked up, fillers dropped, numbers and operands cut out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsslic_search.query.complaint import complaint, quoted
from dsslic_search.query.words import KEYWORDS, Meaning, Phrase, WordTable

if TYPE_CHECKING:
    from dsslic_search.errors import QueryError

MAX_CHARACTERS = 10_000
MAX_MARKS = 8  # combining marks taken together with a letter; more is not writing, and slow to normalise

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_GAP = re.compile(r"\s+|[-_‐‑]+")  # between the words of a phrase
_END = re.compile(r"[\s.!?]*\Z")  # of a sentence
_ID = re.compile(r"#[0-9]+")
_SYMBOLS = {
    ">=": ("COMPARE", ">="), "=>": ("COMPARE", ">="), "≥": ("COMPARE", ">="),
    "<=": ("COMPARE", "<="), "=<": ("COMPARE", "<="), "≤": ("COMPARE", "<="),
    "==": ("COMPARE", "="), ">": ("COMPARE", ">"), "<": ("COMPARE", "<"), "=": ("COMPARE", "="),
    "&&": ("AND", "and"), "&": ("AND", "and"), "||": ("OR", "or"), "|": ("OR", "or"),
    "(": ("LPAR", "("), ")": ("RPAR", ")"), ",": ("COMMA", ","), "%": ("PERCENT", "%"),
}  # fmt: skip
_SYMBOL = re.compile("|".join(re.escape(symbol) for symbol in sorted(_SYMBOLS, key=len, reverse=True)))
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“”", "‘": "’", "«": "»"}

_NO_KEYWORD = ("", "")

ENDS = {"THING", "AMOUNT", "OPERAND", "RPAR"}  # tokens that can end a predicate
STARTS = {"THING", "COMPARE", "BETWEEN", "MOSTLY", "LITTLE", "LIKE", "NOT", "LPAR", "AMOUNT"}


@dataclass(frozen=True)
class Piece:
    """A token: its type, its value in normal form (a THING's is its meaning's name), and the text[start:end] it came from."""

    type: str
    value: str
    start: int
    end: int
    meaning: Meaning | None = None


def tokens(text: str, table: WordTable) -> list[Piece]:
    """The tokens of a query, without fillers. Raises QueryError for what is not a word, number or sign of the language."""
    if len(text) > MAX_CHARACTERS:
        raise complaint(
            text, MAX_CHARACTERS, len(text), f"a query may have {MAX_CHARACTERS} characters, this one has {len(text)}; shorten it"
        )
    return _connected(list(_scan(_Folded(text), table)))


class _Folded:
    """The text in normal form, and for each of its characters the place in the original that it came from."""

    def __init__(self, text: str) -> None:
        self.original = text
        if text.isascii():
            self.text, self.origin = text.lower(), list(range(len(text) + 1))
            return
        parts: list[str] = []
        origin: list[int] = []
        start = 0
        while start < len(text):
            end = start + 1
            while end < min(len(text), start + 1 + MAX_MARKS) and unicodedata.combining(text[end]):
                end += 1
            folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text[start:end]).casefold())
            parts.append(folded.replace("’", "'"))
            origin.extend([start] * len(folded))
            start = end
        self.text, self.origin = "".join(parts), [*origin, len(text)]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original for a span of the folded text that is not empty."""
        after = end
        while after < len(self.text) and self.origin[after] == self.origin[end - 1]:
            after += 1
        return self.origin[start], self.origin[after]


def _scan(folded: _Folded, table: WordTable) -> Iterator[Piece]:
    text = folded.text
    place = 0
    while not _END.match(text, place):
        if text[place].isspace():
            place += 1
        elif number := _NUMBER.match(text, place):
            yield Piece("AMOUNT", number.group(), *folded.span(*number.span()))
            place = number.end()
        elif symbol := _SYMBOL.match(text, place):
            type_, value = _SYMBOLS[symbol.group()]
            yield Piece(type_, value, *folded.span(*symbol.span()))
            place = symbol.end()
        elif words := _words(text, place, table.longest):
            phrase, end = _known(folded, words, table)
            piece = _word(folded, phrase, words[0][1], end, table)
            yield piece
            place = end
            if piece.type == "LIKE":
                operand, place = _operand(folded, piece, end)
                yield operand
        else:
            raise _stray(folded, place)


def _words(text: str, place: int, most: int) -> list[tuple[str, int, int]]:
    """Up to ``most`` words from ``place`` on, with nothing but gaps between them: (word, start, end) each."""
    found: list[tuple[str, int, int]] = []
    while len(found) < most:
        end = place
        while end < len(text) and (_letter(text[end]) or (end > place and (text[end].isdigit() or _apostrophe(text, end)))):
            end += 1
        if end == place:
            break
        found.append((text[place:end], place, end))
        gap = _GAP.match(text, end)
        place = gap.end() if gap else end
    return found


def _letter(character: str) -> bool:
    return character.isalpha() or unicodedata.category(character)[0] == "M"


def _apostrophe(text: str, place: int) -> bool:
    return text[place] == "'" and place + 1 < len(text) and text[place + 1].isalpha()


def _known(folded: _Folded, words: list[tuple[str, int, int]], table: WordTable) -> tuple[Phrase, int]:
    """The longest phrase that the words begin with, and where it ends."""
    for count in range(len(words), 0, -1):
        phrase = tuple(word for word, _, _ in words[:count])
        if phrase in table.meanings or phrase in KEYWORDS:
            return phrase, words[count - 1][2]
    suggestions = table.closest([word for word, _, _ in words])
    start, end = folded.span(words[0][1], words[0][2])
    hint = f"did you mean {_alternatives(suggestions)}?" if suggestions else "see `dss-search classes` for the words there are"
    raise complaint(folded.original, start, end, f"unknown word {quoted(folded.original[start:end])}: {hint}", suggestions)


def _alternatives(words: tuple[str, ...]) -> str:
    *most, last = (f'"{word}"' for word in words)
    return ", ".join(most) + " or " + last if most else last


def _word(folded: _Folded, phrase: Phrase, start: int, end: int, table: WordTable) -> Piece:
    meaning = table.meanings.get(phrase)
    if meaning is not None:
        return Piece("THING", meaning.name, *folded.span(start, end), meaning)
    return Piece(*KEYWORDS[phrase], *folded.span(start, end))


def _operand(folded: _Folded, like: Piece, place: int) -> tuple[Piece, int]:
    """What follows "like": a quoted path, an id, or a bare path up to a space, a comma or the parenthesis around it."""
    text = folded.text
    while place < len(text) and text[place].isspace():
        place += 1
    start = folded.origin[place]
    rest = folded.original[start:]
    if rest[:1] in _QUOTES:
        closing = re.search(f"[{_QUOTES[rest[0]]}]", rest[1:])
        if closing is None:
            raise complaint(folded.original, start, start + 1, "the quotation mark is never closed: add one after the path")
        inner, length = rest[1 : 1 + closing.start()], 1 + closing.end()
    else:
        inner = _bare(rest)
        length = len(inner)
        if inner[:1] == "#" and not _ID.fullmatch(inner):
            raise complaint(folded.original, start, start + length, f"{quoted(inner)} is not an id: write # and digits, as in like #12")
        if KEYWORDS.get((inner.casefold(),), _NO_KEYWORD)[0] in {"AND", "OR", "NOT"}:
            inner = ""
    if not inner.strip():
        raise complaint(folded.original, like.start, like.end, '"like" needs a photo after it: a path, or # and an id, as in like #12')
    if any(unicodedata.category(character) == "Cc" for character in inner):
        raise complaint(folded.original, start, start + length, "a path may not hold control characters: write the path of a photo")
    end = start + length
    while place < len(text) and folded.origin[place] < end:
        place += 1
    return Piece("OPERAND", inner, start, end), place


def _bare(rest: str) -> str:
    inner = re.split(r"[\s,]", rest, maxsplit=1)[0]
    while inner.endswith(")") and inner.count(")") > inner.count("("):
        inner = inner[:-1]
    return inner


def _stray(folded: _Folded, place: int) -> QueryError:
    start, end = folded.span(place, place + 1)
    sign = folded.original[start:end]
    if sign[:1] in _QUOTES or sign == "#":
        hint = 'only a photo after "like" is written so; leave it out or write like before it'
    else:
        hint = "leave it out; words, percentages, comparisons, commas and parentheses are understood"
    return complaint(folded.original, start, end, f"{quoted(sign)} is not part of the query language: {hint}")


def _connected(pieces: list[Piece]) -> list[Piece]:
    """The tokens that the grammar sees: fillers gone, "%" joined to its number, an "and" where the text means one.

    Between two predicates "with" means "and", and so does nothing at all before a "not" ("road without cars"). A comma before
    "and" or "or" is only punctuation."""
    kept = [piece for piece in pieces if piece.type != "FILLER"]
    result: list[Piece] = []
    for index, piece in enumerate(kept):
        following = kept[index + 1] if index + 1 < len(kept) else None
        before = result[-1] if result else None
        ended = before is not None and before.type in ENDS
        if piece.type == "PERCENT" and before is not None and before.type == "AMOUNT" and not before.value.endswith("%"):
            result[-1] = Piece("AMOUNT", before.value + "%", before.start, piece.end)
        elif piece.type == "WITH":
            if ended and following is not None and following.type in STARTS:
                result.append(Piece("AND", "and", piece.start, piece.end))
        elif piece.type == "COMMA" and ended and following is not None and following.type in {"AND", "OR"}:
            continue
        elif piece.type == "NOT" and ended:
            result += [Piece("AND", "and", piece.start, piece.start), piece]
        else:
            result.append(piece)
    return result
