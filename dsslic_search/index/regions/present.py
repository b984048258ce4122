"""All regions of a class, wherever they are: which photos have how many, and how large the largest is, as the
index stores it, without an array over all photos."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index import column_loops
from dsslic_search.index.compiling import quick, runnable
from dsslic_search.index.regions import kernels

MOST = (1 << 16) - 1  # what a stored number may be


@dataclass(frozen=True, eq=False)
class Present:
    """As `relate.RegionMatches`, which says what methods and properties give. ``photos``: how many there are;
    of those that have such regions ``rows``, uint32, ascending, ``sizes``, uint16, how many, and ``areas``,
    uint16, the measure."""

    photos: int
    rows: NDArray[np.uint32]
    sizes: NDArray[np.uint16]
    areas: NDArray[np.uint16]
    degree_of: NDArray[np.float32]
    _placed: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]] = field(
        default_factory=list, repr=False
    )

    @property
    def nbytes(self) -> int:
        return 0

    @property
    def counts(self) -> NDArray[np.uint16]:
        counts = np.zeros(self.photos, np.uint16)
        counts[self.rows] = self.sizes
        return counts

    @property
    def best(self) -> NDArray[np.uint16]:
        best = np.zeros(self.photos, np.uint16)
        best[self.rows] = self.areas + np.uint16(1)
        return best

    def within(self, low: int, high: int | None, rows: NDArray[np.intp] | None = None) -> NDArray[np.bool_]:
        high = MOST if high is None else high
        if rows is None:
            return self._held(self.sizes, low, high, others=low <= 0 <= high)
        counts = self._at(self.sizes, rows)
        held: NDArray[np.bool_] = (counts >= low) & (counts <= high)
        return held

    def degrees(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        measures = self._at(self.areas, rows).astype(np.intp) + 1
        found: NDArray[np.float32] = np.where(self._places(rows)[1], self.degree_of[measures], np.float32(0))
        return found

    def reaching(self, value: float, *, above: bool = False) -> NDArray[np.bool_]:
        first = int(np.searchsorted(self.degree_of, np.float32(value), "right" if above else "left"))
        return self._held(self.areas, first - 1, MOST, others=first <= 0)

    def _held(self, values: NDArray[Any], low: int, high: int, *, others: bool) -> NDArray[np.bool_]:
        """The photos whose value is from ``low`` to ``high``, and, if so said, those without one."""
        held = np.full(self.photos, others)
        runnable(kernels.mark, values.size)(self.rows, values, low, high, held)
        return held

    def _at(self, values: NDArray[np.uint16], rows: NDArray[np.intp]) -> NDArray[np.uint16]:
        """Those of some photos, ascending; 0 where there is none."""
        places, there = self._places(rows)
        return (
            np.where(there, values[places], np.uint16(0)) if values.size else np.zeros(rows.size, np.uint16)
        )

    def _places(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where photos are among those that have such regions, and whether they are."""
        for known, places, there in self._placed:
            if known is rows:
                return places, there
        if (find := quick(column_loops.find, rows.size)) is None:
            places = np.minimum(
                np.searchsorted(self.rows, rows.astype(np.uint32)), max(self.rows.size - 1, 0)
            )
            there = self.rows[places] == rows if self.rows.size else np.zeros(rows.size, bool)
        else:
            places, there = np.empty(rows.size, np.intp), np.empty(rows.size, bool)
            find(self.rows, rows, places, there)
        self._placed[:] = [(rows, places, there)]  # the same are asked for more than one number
        return places, there
