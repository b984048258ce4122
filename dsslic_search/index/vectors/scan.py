"""Likeness of many photos to a query, by inner products of whole numbers: exact, and the same on every
machine.

A query's weights, one for each number of a packed embedding, are rounded to int16 (to 1/32767 of the
largest). Then for each photo

    score = greatest over the query's alternatives of (unit · Σ number · weight), in float64,
            · scale of the photo, as float32

where the sum is of whole numbers. All photos are looked at; the loops are compiled, and run on several cores,
where there are many.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.pools import pool
from dsslic_search.index.compiling import Loop, runnable

MAX_WEIGHT = 32767  # the sum of 500 products with -127..127 is still an int32
COMPILED_FROM = 50_000  # rows to look at, from which loading numba pays
LOADED_FROM = 512  # the same where it is loaded
SAMPLED_ONE_IN = 64  # rows, from which it is guessed what the best reach
SAMPLED_TOGETHER = 32  # neighbours
ROWS_AT_ONCE = 4096  # that numpy looks at
ROWS_PER_TASK = 1 << 16  # consecutive ones that a core looks at before it takes more
CHOSEN_ROWS_PER_TASK = 1 << 10  # rows here and there, which take about as long

Scores = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Question:
    """Alternatives of a query: ``weights``: int16[m, k], m at least 1; ``units``: float64[m], what a weight
    of 1 stands for."""

    weights: NDArray[np.int16]
    units: NDArray[np.float64]


def question(weights: NDArray[np.float64]) -> Question:
    """Weights, float64[m, k], rounded."""
    units = np.abs(weights).max(axis=1) / MAX_WEIGHT
    units[units == 0] = 1
    return Question(np.asarray(np.rint(weights / units[:, None]), np.int16), units)


@dataclass(frozen=True)
class Scan:
    """``packed``: int8[n, k], the numbers of each photo, -127..127, k at most 500; ``scales``: float32[n]."""

    packed: NDArray[np.int8]
    scales: NDArray[np.float32]

    def scores(self, asked: Question, rows: Rows | None = None) -> Scores:
        """The scores of all photos, or of those in ``rows`` in their order."""
        count = len(self.packed) if rows is None else rows.size
        if count >= COMPILED_FROM or (count >= LOADED_FROM and "numba" in sys.modules):
            return self._looked(asked, rows, count, -np.inf)[1]
        found = np.empty(count, np.float32)
        for start in range(0, count, ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            found[part] = self._plainly(asked, part if rows is None else rows[part])
        return found

    def best(self, asked: Question, k: int) -> tuple[Rows, Scores]:
        """The ``k`` best photos, 1 <= k <= n, best first, equal ones in their order; and their scores."""
        rows, scores = self._reaching(asked, self._bound(asked, k))
        if rows.size > 4 * k:
            kept = scores >= np.partition(scores, -k)[-k]
            rows, scores = rows[kept], scores[kept]
        order = np.argsort(-scores, kind="stable")[:k]
        return rows[order], scores[order]

    def _bound(self, asked: Question, k: int) -> float:
        """A score that at least ``k`` photos reach: the k-th of a sample."""
        stride = min(SAMPLED_ONE_IN, len(self.packed) // (16 * k))
        if stride < 2:
            return -np.inf
        # rows that lie together are read sooner
        starts = np.arange(0, len(self.packed), stride * SAMPLED_TOGETHER)
        sample = (starts[:, None] + np.arange(SAMPLED_TOGETHER)).ravel()
        sample = sample[sample < len(self.packed)]
        if sample.size < k:
            return -np.inf
        return float(np.partition(self.scores(asked, sample), -k)[-k])

    def _reaching(self, asked: Question, bound: float) -> tuple[Rows, Scores]:
        """The rows, ascending, whose scores are at least ``bound``, and their scores."""
        if len(self.packed) >= COMPILED_FROM:
            return self._looked(asked, None, len(self.packed), bound)
        scores = self.scores(asked)
        rows = np.flatnonzero(scores >= bound)
        return rows, scores[rows]

    def _plainly(self, asked: Question, part: slice | Rows) -> Scores:
        sums = self.packed[part].astype(np.int32) @ asked.weights.T.astype(np.int32)
        return np.asarray((sums * asked.units).max(axis=1) * self.scales[part], np.float32)

    def _looked(self, asked: Question, chosen: Rows | None, count: int, bound: float) -> tuple[Rows, Scores]:
        """As `_plainly` and :meth:`_reaching` do, by the compiled loop, on all cores."""
        rows, scores = np.empty(count, np.intp), np.empty(count, np.float32)
        look = runnable(_loop(self.packed.shape[1]), COMPILED_FROM)
        given, share = (
            (np.empty(0, np.intp), ROWS_PER_TASK) if chosen is None else (chosen, CHOSEN_ROWS_PER_TASK)
        )

        def part(start: int) -> slice:
            stop = min(start + share, count)
            arguments = self.packed, self.scales, asked.weights, asked.units, given, chosen is not None
            return slice(start, start + look(*arguments, bound, start, stop, rows, scores))

        found = list(pool("scan").map(part, range(0, count, share)))
        if sum(f.stop - f.start for f in found) == count:
            return rows, scores
        return np.concatenate([rows[f] for f in found]), np.concatenate([scores[f] for f in found])


@cache
def _loop(length: int) -> Loop:
    """The loop for rows of ``length`` numbers; to know them when it is compiled makes it twice as fast."""

    def look(
        packed: Any, scales: Any, weights: Any, units: Any, chosen: Any, some: bool, bound: float, start: int,
        stop: int, rows: Any, scores: Any,
    ) -> int:  # fmt: skip
        """Write the rows from ``start`` to ``stop`` (of ``chosen``, if only some are), whose scores are at
        least ``bound``, with their scores, from ``start`` on; returns how many."""
        count = 0
        first, unit = (
            weights[0],
            units[0],
        )  # there is one alternative most often: to know it beforehand is faster
        for place in range(start, stop):
            row = chosen[place] if some else place
            total = np.int32(0)
            for j in range(length):
                total = np.int32(total + np.int32(np.int32(packed[row, j]) * np.int32(first[j])))
            best = total * unit
            for i in range(1, units.size):
                total = np.int32(0)
                for j in range(length):
                    total = np.int32(total + np.int32(np.int32(packed[row, j]) * np.int32(weights[i, j])))
                best = max(best, total * units[i])
            score = np.float32(best * scales[row])
            if score >= bound:
                rows[start + count] = row
                scores[start + count] = score
                count += 1
        return count

    return look
