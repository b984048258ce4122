"""How well a photo satisfies a range of coverage, and the best of many without ranking the others.

The degree of satisfaction is a function of the coverage c as the columns round it (up, to 1/65000):

    at least low             (c - low) / (1 - low)
    at most high             (high - c) / high
    from low to high         the distance of c to the nearer bound, over half the width of the range

and 0 outside. Where the bounds leave no room (100 %, 0 %, low = high) it is 1 at the bound; where low is
greater than high nothing satisfies them.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.quanta import QUANTA, TICKS

ROWS_ONE_IN = 64
"""Where no more than one row in so many matches, these alone are looked at, else all are in whole columns."""
FIRST_BLOCK_ROWS = 1024  # looked at together for equal ones, at first; then twice as many each time

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
Values = NDArray[Any]


class Ranked(NamedTuple):
    """Rows, best first, and the number of each, by which they are ranked."""

    rows: Rows
    numbers: Values


class Ranking(Protocol):
    """A number for each row, greater for better ones."""

    def at(self, rows: Rows) -> Values:
        """The numbers of some rows, ascending."""

    def most(self, rows: Rows) -> Values:
        """What the numbers of some rows, ascending, are at most; told sooner than the numbers."""

    def may_reach(self, value: Any, among: Mask, *, above: bool = False) -> Mask | None:
        """Rows of ``among``, which match the query, of which are all that have at least ``value``, or with
        ``above`` more; None for all of them."""


@lru_cache(maxsize=256)
def degrees(low: int, high: int) -> NDArray[np.float32]:
    """The degree, 0..1, for each quantum of coverage, where ``low`` to ``high`` ticks are asked for;
    read-only."""
    covered: NDArray[np.float32] = np.minimum(
        np.arange(QUANTA + 2, dtype=np.float32) * np.float32(1 / QUANTA), np.float32(1)
    )
    least, most = max(low, 0) / TICKS, min(high, TICKS) / TICKS
    below, above = least > 0, most < 1
    room = (most - least) / (2 if below and above else 1)
    table: NDArray[np.float32]
    if high < low:
        table = np.zeros_like(covered)
    elif not below and not above:
        table = np.ones_like(covered)
    elif room <= 1 / TICKS:
        table = (np.abs(covered - np.float32(least if below else most)) <= 2 / QUANTA).astype(np.float32)
    elif below and above:
        table = np.minimum(covered - np.float32(least), np.float32(most) - covered) * np.float32(1 / room)
    else:
        table = (covered - np.float32(least) if below else np.float32(most) - covered) * np.float32(1 / room)
    table = np.clip(table, 0, 1)
    table.flags.writeable = False
    return table


def span(table: NDArray[np.float32], value: float, *, above: bool) -> tuple[int, int]:
    """The first and the last quantum whose degree reaches a value; (1, 0) when none does. A table rises and
    then falls."""
    reached = table > value if above else table >= value
    first, last = int(np.argmax(reached)), reached.size - 1 - int(np.argmax(reached[::-1]))
    return (first, last) if reached[first] else (1, 0)


def best(ranking: Ranking, mask: Mask, total: int, limit: int) -> Ranked:
    """The ``limit`` best of the ``total`` rows in ``mask``, best first, equal ones in their order."""
    stride = isqrt(total) // 4  # as many are sampled, about, as reach what the sample tells
    if 0 < 16 * limit < total and stride > 1:
        sample = ranking.at(np.flatnonzero(mask[::stride]) * stride)
        rank = 2 * limit // stride + 16
        if sample.size > 4 * rank:
            value = np.partition(sample, -rank)[-rank]
            crowded = np.count_nonzero(sample >= value) > 2 * rank
            found = (
                _first_of_equals(ranking, mask, value, limit)
                if crowded
                else _reaching(ranking, mask, value, limit)
            )
            if found.rows.size >= limit:
                return Ranked(found.rows[:limit], found.numbers[:limit])
    rows = np.flatnonzero(mask)
    return top(rows, ranking.at(rows), limit)


def top(rows: Rows, numbers: Values, limit: int) -> Ranked:
    """Of rows, ascending, the ``limit`` with the greatest numbers, greatest first, equal ones as they
    were."""
    if 0 < 4 * limit < rows.size:
        last = np.partition(numbers, -limit)[-limit]
        above, equal = np.flatnonzero(numbers > last), np.flatnonzero(numbers == last)
        chosen = np.concatenate([above, equal[: limit - above.size]])
        rows, numbers = rows[chosen], numbers[chosen]
    falling = ~numbers if numbers.dtype.kind == "i" else -numbers  # minus the least whole number is itself
    order = np.argsort(falling, kind="stable")[:limit]
    return Ranked(rows[order], numbers[order])


def _reaching(ranking: Ranking, mask: Mask, value: Any, limit: int, *, above: bool = False) -> Ranked:
    """The best of the rows that reach a value."""
    rows, numbers = reaching(ranking, mask, value, above=above)
    return top(rows, numbers, limit)


def reaching(ranking: Ranking, mask: Mask, value: Any, *, above: bool = False) -> tuple[Rows, Values]:
    """The rows of ``mask`` that have at least ``value``, or with ``above`` more, ascending; their numbers."""
    if ROWS_ONE_IN * np.count_nonzero(mask) <= mask.size:
        rows = np.flatnonzero(mask)
        most = ranking.most(rows)
        rows = rows[most > value if above else most >= value]
    else:
        may = ranking.may_reach(value, mask, above=above)
        rows = np.flatnonzero(mask if may is None else may)
    numbers = ranking.at(rows)
    reached = numbers > value if above else numbers >= value
    return rows[reached], numbers[reached]


def _first_of_equals(ranking: Ranking, mask: Mask, value: Any, limit: int) -> Ranked:
    """The best where many share ``value``: those above it, then the first of those, as far as they are
    needed."""
    better = _reaching(ranking, mask, value, limit, above=True)
    found = [better.rows]
    missing, start, length = limit - better.rows.size, 0, FIRST_BLOCK_ROWS
    while missing > 0 and start < mask.size:
        rows = start + np.flatnonzero(mask[start : start + length])
        found.append(rows[ranking.at(rows) == value][:missing])
        missing, start, length = missing - found[-1].size, start + length, 2 * length
    rows = np.concatenate(found)
    equal = np.full(rows.size - better.rows.size, value, better.numbers.dtype)
    return Ranked(rows, np.concatenate([better.numbers, equal]))
