"""How a query error reads: what is wrong and what to do, then the query with a mark under the place."""

from __future__ import annotations

import unicodedata

from dsslic_search.core.errors import QueryError
from dsslic_search.core.text import printable

WINDOW = 72  # columns of the query that are shown


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
    return QueryError(message, text, start, suggestions)


def _marked(text: str, start: int, end: int) -> str:
    """Two lines: the part of the query around ``start``, and a caret and tildes under ``text[start:end]``."""
    first = 0 if start < WINDOW - 16 else start - WINDOW // 2
    last = min(len(text), first + WINDOW)
    before = "  " + ("…" if first else "") + printable(text[first:start])
    under = printable(text[start : min(end, last)])
    line = before + printable(text[start:last]) + ("…" if last < len(text) else "")
    return f"{line.rstrip()}\n{' ' * _columns(before)}^{'~' * (_columns(under) - 1)}"


def _columns(text: str) -> int:
    """The columns a terminal gives to ``text``."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
