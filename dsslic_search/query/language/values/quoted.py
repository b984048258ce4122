"""What stands after a field or after "like": a value in quotes, or bare."""

from __future__ import annotations

import re
import unicodedata

from dsslic_search.query.language.errors import complaint
from dsslic_search.query.language.folded import Folded

QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“”", "‘": "’", "«": "»"}
"""Each opening quotation mark, and those that close it."""

_BARE = re.compile(r"[^\s,]*")


def value_at(folded: Folded, place: int) -> tuple[str, int, int, int]:
    """The value at ``place`` after blanks: in quotes, or up to a space, a comma or the parenthesis that was
    opened before it.

    Returns it as it was typed, its span in the original with the quotes, and the place after it. It is empty
    where none stands. Raises QueryError for quotes that are never closed and for control characters."""
    text, original = folded.text, folded.original
    while place < len(text) and text[place].isspace():
        place += 1
    start = folded.origin[place]
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
    return inner, start, end, folded.after(place, end)


def _balanced(found: re.Match[str] | None) -> str:
    """A bare value without the parentheses at its end that close nothing in it."""
    inner = found.group() if found else ""
    closing = inner.count(")") - inner.count("(")
    while closing > 0 and inner.endswith(")"):
        inner, closing = inner[:-1], closing - 1
    return inner
