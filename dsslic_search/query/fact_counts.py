"""Every fact of the registry counted over photos: how many have it, and what there is of it.

From columns alone; what only the catalog holds (titles, descriptions, tags) it is told by its caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dsslic_search.archive.damage import date_in
from dsslic_search.core.fact import Fact
from dsslic_search.core.fields import FACTS
from dsslic_search.core.moments import NEVER
from dsslic_search.index.files import Files

Rows = NDArray[np.intp] | None  # ascending; None: all
T = TypeVar("T", bound=np.generic)

_SIDES = ("width", "height", "megapixels")  # 0 where they are not known
_WHOLE = ("whole", "pixels", "whole or none")


@dataclass(frozen=True)
class FactCount:
    """Of one fact. ``photos``: how many have it, of texts that are asked for together (`text`) any of them.
    ``least``, ``median`` (of two in the middle the smaller) and ``greatest``: of numbers in the units of
    `core.fields`, of dates as ISO 8601 has them; None without any, and of all else; ``mean``: of numbers
    alone. ``values``: where a fact is one of some words, or several, photos by value, most frequent first;
    else None."""

    photos: int
    least: float | str | None = None
    median: float | str | None = None
    greatest: float | str | None = None
    mean: float | None = None
    values: dict[str, int] | None = None

    def plain(self) -> dict[str, object]:
        """Without what does not apply."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in told.items() if value is not None}


def count_facts(
    parts: Sequence[tuple[Files, Rows]],
    written: Mapping[str, int],
    tagged: int,
    tags: Mapping[str, int],
    worded: int,
    words: Mapping[str, int],
) -> dict[str, FactCount]:
    """Every fact by its name. ``parts``: of each segment the files, and the rows that are counted;
    ``written``: photos by the texts of their own that they have ("title"); ``tagged``: how many have a tag at
    all, ``worded``: how many have image words, and ``tags`` and ``words`` photos by these."""
    every = sum(len(files) if rows is None else rows.size for files, rows in parts)
    found = {}
    for fact in FACTS:
        match fact.kind:
            case "date":
                found[fact.name] = _dates(parts, fact.name)
            case "number":
                found[fact.name] = _numbers(parts, fact)
            case "prose":
                found[fact.name] = FactCount(written[fact.columns[0].name])
            case "path" | "texts":  # every photo has a path
                found[fact.name] = FactCount(every)
            case "tag":
                found[fact.name] = FactCount(tagged, values=dict(tags))
            case "shown":
                found[fact.name] = FactCount(worded, values=dict(words))
            case "place":
                found[fact.name] = FactCount(_having(parts, fact.name))
            case "colour":
                found[fact.name] = FactCount(_having(parts, fact.name), values=_colours(parts, fact))
            case _:
                values = Counter[str]()
                for files, rows in parts:
                    values.update(files.counts(fact.name, rows))
                having = _sized(parts) if fact.kind == "orientation" else _having(parts, fact.name)
                found[fact.name] = FactCount(having, values=_most_first(values.items()))
    return found


def _dates(parts: Sequence[tuple[Files, Rows]], name: str) -> FactCount:
    dates = np.concatenate([np.empty(0, np.int64), *(_of(files.values(name), rows) for files, rows in parts)])
    known = np.sort(dates[dates != NEVER])
    if not known.size:
        return FactCount(0)
    least, median, greatest = (date_in(int(known[at])).isoformat() for at in (0, (known.size - 1) // 2, -1))
    return FactCount(known.size, least, median, greatest)


def _numbers(parts: Sequence[tuple[Files, Rows]], fact: Fact) -> FactCount:
    numbers = np.concatenate([np.empty(0), *(_known(files, fact.name, rows) for files, rows in parts)])
    if not numbers.size:
        return FactCount(0)
    whole = len(fact.columns) == 1 and fact.columns[0].values in _WHOLE
    ascending = np.sort(numbers)
    least, median, greatest = (
        int(ascending[at]) if whole else float(ascending[at]) for at in (0, (numbers.size - 1) // 2, -1)
    )
    return FactCount(numbers.size, least, median, greatest, round(float(numbers.mean()), 6))


def _known(files: Files, name: str, rows: Rows) -> NDArray[np.float64]:
    """The numbers of a fact, of those photos that have one."""
    if name == "megapixels":
        found = _of(files.values(name), rows) / 1e6
    else:
        found = files.known(name, rows)
    return found[found > 0] if name in _SIDES else found


def _having(parts: Sequence[tuple[Files, Rows]], name: str) -> int:
    """How many photos have a fact that can be unknown."""
    return sum(int(np.count_nonzero(~_of(files.unknown(name), rows))) for files, rows in parts)


def _sized(parts: Sequence[tuple[Files, Rows]]) -> int:
    """How many photos are of known size."""
    return sum(_known(files, "width", rows).size for files, rows in parts)


def _colours(parts: Sequence[tuple[Files, Rows]], fact: Fact) -> dict[str, int]:
    counts = {
        colour: sum(int(np.count_nonzero(_of(files.text(fact.name, colour), rows))) for files, rows in parts)
        for colour in fact.values
    }
    return _most_first((colour, n) for colour, n in counts.items() if n)


def _of(values: NDArray[T], rows: Rows) -> NDArray[T]:
    return values if rows is None else values[rows]


def _most_first(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    return dict(sorted(counts, key=lambda each: (-each[1], each[0])))
