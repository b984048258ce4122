"""A query's text in parts that can be taken away, and with one more part: both found by reading what comes
out, so that neither ever means something else than it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from dsslic_search.core.errors import QueryError
from dsslic_search.query.ast import And, Node, Query, whole, written
from dsslic_search.query.explain import outermost

Read = Callable[[str], Query]
"""Reads a query; raises QueryError."""

MAX_PLACES = 32
"""Of a text with more places at which it could be cut, those after them are left together."""
MOST_READ = 32_000
"""Characters: each place costs a reading of the whole text, so a longer one is cut at fewer of them."""

_PLACE = re.compile(r"\s*[,+&]\s*|\s+")
_JOINED_BEFORE = re.compile(r"(?:\s|[,&]|\+(?=\s)|\b(?:dna|tub)\b)+", re.IGNORECASE)
"""Of a text read backwards: to look for what ends it costs, from the front, the square of a run of blanks."""
_JOINED_BEHIND = re.compile(r"(?:\s|[,&]|\+\s|\b(?:and|but)\b)+", re.IGNORECASE)
_SAMPLES = ("sky", "id:>0")
"""A thing and a filter: what can follow a text one way or the other."""


@dataclass(frozen=True)
class Chip:
    """``text`` is the query's from ``start`` to ``end``; ``reading``: what it is read as; ``without``: the
    query without it, which may be empty."""

    text: str
    start: int
    end: int
    reading: str
    without: str


@dataclass(frozen=True)
class _Said:
    """What a text asks for: parts that all must hold, as `written` has them (nodes also tell where in the
    text they stood); the order, how many, and whether they are counted."""

    parts: tuple[str, ...]
    whole_query: tuple[object, ...]

    @classmethod
    def of(cls, query: Query) -> _Said:
        return cls(tuple(map(written, _all_of(query.tree))), (_order(query), query.limit, query.tally))

    def __add__(self, other: _Said) -> _Said:
        merged = tuple(
            a if b is None else b for a, b in zip(self.whole_query, other.whole_query, strict=True)
        )
        return _Said(self.parts + other.parts, merged)

    @property
    def anything(self) -> bool:
        return bool(self.parts) or any(each is not None for each in self.whole_query)


def chips(text: str, read: Read) -> tuple[Chip, ...]:
    """The parts of a query, in the order of its text, all of which must hold: things and filters joined by
    "and", and what is said of the whole query, such as its order. QueryError for what is none."""
    said = _Said.of(read(text))
    spans = list(_spans(text, said, read))
    found = []
    for number, (start, end) in enumerate(spans):
        part = text[start:end]
        others = [text[a:b] for other, (a, b) in enumerate(spans) if other != number]
        rest = [_said(text[a:b], read) for other, (a, b) in enumerate(spans) if other != number]
        expected = _sum(rest)
        reading = outermost(whole(read(part))).removeprefix("everything ")
        found.append(Chip(part, start, end, reading, _joined(others, expected, read)))
    return tuple(found)


def refining(text: str, read: Read) -> Callable[[str], str]:
    """Makes, of a condition, the query for those photos of ``text`` that also meet it. QueryError for a text
    that is no query; an empty one is everything."""
    if not text.strip():
        return lambda condition: condition
    said = _Said.of(read(text))
    alone = [text[start:end] for start, end in _spans(text, said, read)]
    of_all = [each for each in alone if not _said(each, read).parts]
    others = [each for each in alone if each not in of_all]
    apart = " and ".join(f"({each})" for each in others)
    frames = [(f"{text} and ", ""), (f"{text}, ", ""), (f"({text}) and ", "")]
    ending = "".join(f" {each}" for each in of_all)
    last = (f"{apart} and " if apart else "", ending)
    frames = [last, *frames] if of_all else [*frames, last]
    # a query of another language may read the new words in that: its normal form does not
    normal = " and ".join(f"({part})" for part in said.parts)
    frames.append((f"{normal} and " if normal else "", ending))
    if order := said.whole_query[0]:  # of a saved query that stood alone
        frames.append((frames[-1][0], f" {str(order).removeprefix('everything ')}"))
    for before, behind in frames:
        if all(_is(f"{before}{sample}{behind}", said + _Said.of(read(sample)), read) for sample in _SAMPLES):
            break
    alike = set(map(_bare, said.parts))

    def refined(condition: str) -> str:
        is_said = condition in said.parts
        if not is_said and _bare(condition) in alike:  # to read each takes a while
            asked = _said(condition, read)
            is_said = set(asked.parts) <= set(said.parts) and asked == _Said(asked.parts, _NOT_SAID)
        return text if is_said else f"{before}{condition}{behind}"

    return refined


_NOT_SAID = (None, None, None)


def _bare(part: str) -> str:
    """A part without the field that it names and without marks: "lamp" is the bare word:lamp."""
    return re.sub(r"\W+", "", part.partition(":")[2] or part).casefold()


def _spans(text: str, said: _Said, read: Read) -> Iterator[tuple[int, int]]:
    """Where the parts are: as many as can be told apart."""
    start, end = _trimmed(text, 0, len(text))
    most = min(MAX_PLACES, MOST_READ // max(end - start, 1))
    places = [found.span() for found in islice(_PLACE.finditer(text, start, end), most)]
    for left_end, right_start in places:
        if left_end <= start:
            continue
        left, right = _trimmed(text, start, left_end), _trimmed(text, right_start, end)
        if left[0] >= left[1] or right[0] >= right[1]:
            continue
        one, other = _told(text[slice(*left)], read), _told(text[slice(*right)], read)
        if one is None or other is None or not (one.anything and other.anything):
            continue
        if one + other == said:
            yield left
            start, said = right[0], other
    if start < end:
        yield start, end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without what only joins it to others."""
    if behind := _JOINED_BEHIND.match(text, start, end):
        start = behind.end()
    if before := _JOINED_BEFORE.match(text[start:end][::-1]):
        end -= before.end()
    return start, end


def _joined(texts: Sequence[str], expected: _Said, read: Read) -> str:
    """One query of several that all must hold."""
    if not texts:
        return ""
    for joined in (", ".join(texts), " and ".join(texts)):
        if _is(joined, expected, read):
            return joined
    things = [f"({each})" if _said(each, read).parts else each for each in texts]
    return " and ".join(things)


def _is(text: str, expected: _Said, read: Read) -> bool:
    return _told(text, read) == expected


def _told(text: str, read: Read) -> _Said | None:
    try:
        return _said(text, read)
    except QueryError:
        return None


def _said(text: str, read: Read) -> _Said:
    return _Said.of(read(text))


def _all_of(tree: Node | None) -> Iterator[Node]:
    """The parts of a tree that must all hold."""
    match tree:
        case And(parts):
            for part in parts:
                yield from _all_of(part)
        case None:
            return
        case _:
            yield tree


def _order(query: Query) -> str | None:
    return None if query.sort is None else whole(Query(None, query.sort))


def _sum(several: Sequence[_Said]) -> _Said:
    total = _Said((), (None, None, None))
    for each in several:
        total = total + each
    return total
