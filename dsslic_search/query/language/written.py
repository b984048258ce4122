"""A query as it was written: its normal form with the way back to the characters that were typed, the values
in it, and how an error shows a place of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from dsslic_search.core.errors import QueryError
from dsslic_search.core.text import folded, printable

MAX_MARKS = 8  # combining marks taken together with a letter; more is not writing, and slow to normalise
MARK = "\u0300"  # stands for every combining mark in ``Folded.words``


class Folded:
    """``text``: the ``original`` folded (core.text.folded); ``origin``: for each of its characters the place
    that it came from, and the original's length; ``words``: the same as ``text`` but with one and the same
    sign for all combining marks."""

    def __init__(self, text: str) -> None:
        self.original = text
        self.origin: Sequence[int] = range(len(text) + 1)
        if text.isascii():
            self.text = self.words = text.lower()
            return
        parts: list[str] = []
        origin: list[int] = []
        known: dict[str, str] = {}
        start = 0
        while start < len(text):
            end = start + 1
            while end < min(len(text), start + 1 + MAX_MARKS) and unicodedata.combining(text[end]):
                end += 1
            cluster = text[start:end]
            if cluster not in known:
                known[cluster] = folded(cluster).replace("’", "'")
            parts.append(known[cluster])
            origin.extend([start] * len(known[cluster]))
            start = end
        self.text, self.origin = "".join(parts), [*origin, len(text)]
        marks = {ord(c): MARK for c in set(self.text) if unicodedata.category(c)[0] == "M"}
        self.words = self.text.translate(marks) if marks else self.text

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original for a span of the folded text that is not empty."""
        if isinstance(self.origin, range):
            return start, end
        last = self.origin[end - 1]
        while end < len(self.text) and self.origin[end] == last:
            end += 1
        return self.origin[start], self.origin[end]

    def after(self, index: int, original: int) -> int:
        """The first index from ``index`` on that comes from the original's character ``original`` or a later
        one."""
        while index < len(self.text) and self.origin[index] < original:
            index += 1
        return index


# What stands after a field or after "like": a value in quotes, or bare.

QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“”", "‘": "’", "«": "»"}
"""Each opening quotation mark, and those that close it."""

_BARE = re.compile(r"[^\s,]*")


def value_at(query: Folded, index: int) -> tuple[str, int, int, int]:
    """The value at ``index`` after blanks: in quotes, or up to a space, a comma or the parenthesis that was
    opened before it.

    Returns it as it was typed, its span in the original with the quotes, and the index after it. It is empty
    where none stands. Raises QueryError for quotes that are never closed and for control characters."""
    text, original = query.text, query.original
    while index < len(text) and text[index].isspace():
        index += 1
    start = query.origin[index]
    if original[start : start + 1] in QUOTES:
        closing = re.compile(f"[{QUOTES[original[start]]}]").search(original, start + 1)
        if closing is None:
            raise complaint(
                original,
                start,
                start + 1,
                "the quotation mark is never closed: add one at the end of what it quotes",
            )
        inner, end = original[start + 1 : closing.start()], closing.end()
    else:
        inner = _balanced(_BARE.match(original, start))
        end = start + len(inner)
    if any(unicodedata.category(character) == "Cc" for character in inner):
        raise complaint(
            original, start, end, "a path or value may not hold control characters: leave them out"
        )
    return inner, start, end, query.after(index, end)


def _balanced(found: re.Match[str] | None) -> str:
    """A bare value without the parentheses at its end that close nothing in it."""
    inner = found.group() if found else ""
    closing = inner.count(")") - inner.count("(")
    while closing > 0 and inner.endswith(")"):
        inner, closing = inner[:-1], closing - 1
    return inner


def value_as_written(value: str) -> str:
    """A value as it can stand after a field, in quotes where it needs them: `value_at` reads it again."""
    joins = unicodedata.category(value[0])[0] == "M"  # a mark would join the colon before it
    if not joins and not any(c.isspace() or c in ",()" for c in value) and value[0] not in QUOTES:
        return value
    quotes = next((pair for pair in ('""', "''", "«»") if pair[1] not in value), '""')
    return f"{quotes[0]}{value}{quotes[1]}"


# Errors: what is wrong and what to do, then the query with a mark under the place.

SHOWN_COLUMNS = 72  # of the query, in a terminal


def complaint(
    text: str, start: int, end: int, sentence: str, suggestions: tuple[str, ...] = ()
) -> QueryError:
    """A QueryError for ``text[start:end]``. ``sentence`` says what is wrong and what to do; the position is
    added to it."""
    start = min(start, len(text))
    where = "at the end" if start == len(text) else f"at character {start + 1}"
    message = f"{sentence} ({where})"
    if text.strip():
        message += "\n" + _marked(text, start, max(end, start + 1))
    return QueryError(message, text, start, suggestions, max(end, start))


def _marked(text: str, start: int, end: int) -> str:
    """Two lines: the part of the query around ``start``, and a caret and tildes under ``text[start:end]``."""
    first = 0 if start < SHOWN_COLUMNS - 16 else start - SHOWN_COLUMNS // 2
    last = min(len(text), first + SHOWN_COLUMNS)
    before = "  " + ("…" if first else "") + printable(text[first:start])
    under = printable(text[start : min(end, last)])
    line = before + printable(text[start:last]) + ("…" if last < len(text) else "")
    return f"{line.rstrip()}\n{' ' * _columns(before)}^{'~' * (_columns(under) - 1)}"


def _columns(text: str) -> int:
    """The columns a terminal gives to ``text``."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
