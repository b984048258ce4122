"""The regions of all photos, to answer questions about where things are from the photos that have them, looking at no others.

Rows are those of the columns: newest first, then by id. Regions lie class by class, each class by row, the regions of one class
in one photo (a *group*) largest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.scene import FORMAT, LINES, SHARES, UNITS, Line
from dsslic_search.index import cache, kernels
from dsslic_search.index.compiling import Loop, runnable
from dsslic_search.index.gather import gathered
from dsslic_search.index.kernels import BOTTOM, LEFT, RIGHT, TOP, X, Y
from dsslic_search.index.relate import ZONES, Anywhere, Between, Found, InZone, Related, Test
from dsslic_search.index.source import Source
from dsslic_search.vocabulary import Vocabulary

FILE = "places.regions"
KIND = "regions"
HALF, MOST = SHARES // 2, SHARES * 3 // 4
NEAR = UNITS // 20
SPARSE = 30  # fewer photos than one in so many are searched for, more are marked

_TOUCHING = {"on": (True, False, HALF), "in": (True, True, HALF), "surrounded by": (False, True, MOST)}  # by foot, by border, least
_BESIDE = {"left of": (LEFT, X, RIGHT, 1), "right of": (RIGHT, X, LEFT, -1), "above": (TOP, Y, BOTTOM, 1), "below": (BOTTOM, Y, TOP, -1)}
_MEETING = {"next to": 0, "in front of": 1, "behind": -1}

Groups = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class Regions:
    """The regions of one generation of the catalog.

    ``arrays``: ids (int64, by row); groups (int64[classes + 1]: where a class's groups begin); rows (of each group) and first (its
    first region, one more at the end); boxes (uint16[7, regions]: area, left, top, right, bottom, x, y in 1/UNITS); lines
    (uint8[12, regions]: shares of LINES, columns then rows); contact (each region's first, one more at the end); contacts
    (uint8[3, contacts]: class, under, border)."""

    generation: int
    arrays: cache.Arrays

    def __len__(self) -> int:
        return int(self.ids.size)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Photo ids in row order, int64."""
        return self.arrays["ids"]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together."""
        return sum(array.nbytes for array in self.arrays.values())

    def where(self, classes: tuple[int, ...], test: Test, rows: NDArray[np.intp] | None = None) -> Found:
        """The regions of ``classes`` that pass ``test``, photo by photo; only ``rows`` (ascending) are looked at, when given.

        ``classes``: different ids of the vocabulary. Raises KeyError for a zone or relation that there is not."""
        others = _others(test)
        photos = min(map(self._rows, [classes, *others]), key=len) if rows is None else rows.astype(np.uint32)
        groups = self._groups(classes, photos)
        loop, arguments, whole = self._loop(test, self._groups([c for part in others for c in part], photos))
        places, counts, best = np.empty(photos.size, np.intp), np.empty(photos.size, np.uint16), np.empty(photos.size, np.uint16)
        number = runnable(loop, photos.size)(groups, *arguments, places, counts, best)
        return Found(photos[places[:number]].astype(np.intp), counts[:number], _degrees(whole)[best[:number]])

    def _loop(self, test: Test, other: Groups) -> tuple[Loop, tuple[Any, ...], float]:
        """What decides a test: a loop of `index.kernels`, its arguments between ``groups`` and ``places``, and the measure that is
        as clear as can be."""
        first, boxes = self.arrays["first"], self.arrays["boxes"]
        match test:
            case Anywhere():
                return kernels.counting, (first, boxes[kernels.AREA]), UNITS / 4
            case InZone(zone):
                columns, rows = ZONES[zone]
                across, down = self._shares(columns, 0), self._shares(rows, len(LINES))
                return kernels.lying, (first, down if across is None else across, across if down is None else down, HALF), SHARES
            case Between(between, _):
                return kernels.amid, (other, len(between), first, boxes), UNITS / 2
            case Related(relation, touched) if relation in _TOUCHING:
                wanted = np.isin(np.arange(256), touched)
                contacts = self.arrays["contact"], self.arrays["contacts"]
                return kernels.touching, (first, *contacts, wanted, *_TOUCHING[relation], SHARES), SHARES
            case Related(relation, _) if relation in _BESIDE:
                low, middle, high, sign = _BESIDE[relation]
                return kernels.beside, (other, first, boxes[low], boxes[middle], boxes[high], sign), UNITS / 2
            case Related(relation, _):
                way = _MEETING[relation]
                return kernels.meeting, (other, first, boxes, way, NEAR), UNITS / 2 if way else 2 * NEAR

    def _shares(self, line: Line | None, start: int) -> NDArray[np.uint8] | None:
        return None if line is None else self.arrays["lines"][start + LINES.index(line)]

    def _of(self, class_id: int) -> tuple[int, NDArray[np.uint32]]:
        """A class's first group, and the rows of its groups, ascending."""
        start, stop = self.arrays["groups"][class_id : class_id + 2].tolist()
        return start, self.arrays["rows"][start:stop]

    def _rows(self, classes: Sequence[int]) -> NDArray[np.uint32]:
        """The rows that have one of the classes, ascending."""
        if len(classes) == 1:
            return self._of(classes[0])[1]
        there = np.zeros(len(self), bool)
        for class_id in classes:
            there[self._of(class_id)[1]] = True
        return np.flatnonzero(there).astype(np.uint32)

    def _groups(self, classes: Sequence[int], photos: NDArray[np.uint32]) -> Groups:
        """The group of each class in each of the rows ``photos`` (ascending), -1 where there is none: [photos, classes]."""
        groups = np.full((photos.size + 1, len(classes)), -1, np.int32 if self.arrays["rows"].size < 2**31 else np.int64)
        place_of = None  # of a row in photos; of all others: one too many
        for number, class_id in enumerate(classes):
            start, rows = self._of(class_id)
            every = np.arange(start, start + rows.size, dtype=groups.dtype)
            if np.may_share_memory(rows, photos):  # they are the same
                groups[:-1, number] = every
            elif rows.size and photos.size * SPARSE < len(self):
                place = np.minimum(np.searchsorted(rows, photos), rows.size - 1)
                groups[:-1, number] = np.where(rows[place] == photos, every[place], -1)
            else:
                if place_of is None:
                    place_of = np.full(len(self), photos.size, groups.dtype)
                    place_of[photos] = np.arange(photos.size, dtype=groups.dtype)
                groups[place_of[rows], number] = every
        return groups[:-1]


def open_regions(source: Source, folder: Path, vocabulary: Vocabulary) -> Regions:
    """The regions of the catalog as it is now: from ``folder`` if a sound and current file is there, else built and stored.

    A folder that cannot be written costs time at the next opening, nothing else. Raises ArchiveError when the catalog does not
    know the regions of a photo, or has nonsense instead."""
    key = f"{vocabulary.identity}/{FORMAT}"
    generation, arrays = cache.opened(source, folder / FILE, KIND, key, lambda snapshot: gathered(snapshot, len(vocabulary)))
    return Regions(generation, arrays)


@lru_cache(maxsize=8)
def _degrees(whole: float) -> NDArray[np.float32]:
    """The degree of each measure plus 1, from at least 1/255 to 1 for ``whole`` and more; float32[UNITS + 2]."""
    degrees = np.clip((np.arange(UNITS + 2) - 1) / whole, 1 / 255, 1).astype(np.float32)
    degrees.flags.writeable = False
    return degrees


def _others(test: Test) -> list[tuple[int, ...]]:
    """The classes of which a photo needs a region for the test to pass, beside those that are asked about."""
    match test:
        case Between(first, second):
            return [first, second]
        case Related(relation, classes) if relation not in _TOUCHING:
            return [classes]
    return []
