"""A query's text in normal form, with the way back to the characters as they were typed."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from dsslic_search.core.text import folded

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

    def after(self, place: int, original: int) -> int:
        """The first place from ``place`` on that comes from the original's character ``original`` or a later
        one."""
        while place < len(self.text) and self.origin[place] < original:
            place += 1
        return place
