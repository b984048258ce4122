"""Coverage columns: for each class one number a photo, to answer coverage questions about all photos in a pass over memory.

Rows are in the order in which equally good photos are shown: newest first (date taken, else date added), then by id.
A class that a third of the photos or more have is kept as a full column of quanta, any other as (row, quantum) pairs.
The columns alone decide a question for all photos but those whose quantum holds the bound; these are looked up in the catalog.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsslic_search.errors import ArchiveError
from dsslic_search.index import cache
from dsslic_search.index.quanta import SCALE, TICKS, doubt, quanta, ticks
from dsslic_search.index.source import Snapshot, Source
from dsslic_search.vocabulary import Vocabulary

FILE = "coverage.columns"
KIND = "coverage"


@dataclass(frozen=True)
class Columns:
    """The columns of one generation of the catalog. ``ids``: int64, photo ids in row order."""

    source: Source
    generation: int
    classes: int
    arrays: cache.Arrays
    _decided: dict[tuple[tuple[int, ...], int], NDArray[np.intp]] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return int(self.ids.size)

    @property
    def ids(self) -> NDArray[np.int64]:
        return self.arrays["ids"]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together."""
        return sum(array.nbytes for array in self.arrays.values())

    def quanta(self, class_id: int) -> NDArray[np.uint16]:
        """The quantum of a class in each row, uint16; treat as read-only."""
        place = int(self.arrays["places"][class_id])
        if place >= 0:
            column: NDArray[np.uint16] = self.arrays["full"][place]
            return column
        start, stop = self.arrays["starts"][class_id : class_id + 2]
        scattered = np.zeros(len(self), np.uint16)
        scattered[self.arrays["rows"][start:stop]] = self.arrays["pairs"][start:stop]
        return scattered

    def total(self, classes: Sequence[int]) -> NDArray[np.uint16]:
        """The sum of the quanta of several different classes in each row, uint16; treat as read-only."""
        first, *rest = classes
        summed = self.quanta(first)
        for number, class_id in enumerate(rest):
            summed = np.add(summed, self.quanta(class_id), out=summed if number else None)
        return summed

    def at_least(self, classes: Sequence[int], low: int, total: NDArray[np.uint16] | None = None) -> NDArray[np.bool_]:
        """Which rows have at least ``low`` ticks of the classes together: bool, exact.

        ``total`` is ``self.total(classes)`` if the caller has it already."""
        if low <= 0:
            return np.ones(len(self), bool)
        if low > TICKS:
            return np.zeros(len(self), bool)
        total = self.total(classes) if total is None else total
        fails, holds = doubt(low, len(classes))
        held: NDArray[np.bool_] = total >= holds
        if holds > fails + 1:
            held[self._doubtful(tuple(sorted(classes)), low, total)] = True
        return held

    def _doubtful(self, classes: tuple[int, ...], low: int, total: NDArray[np.uint16]) -> NDArray[np.intp]:
        """The rows of which the columns cannot tell, but the catalog does, that they have ``low`` ticks or more.

        Remembered, as a generation never changes."""
        if (classes, low) not in self._decided:
            fails, holds = doubt(low, len(classes))
            rows = np.flatnonzero((total > fails) & (total < holds))
            with self.source.snapshot() as snapshot:
                exact = ticks(snapshot.covered(self.ids[rows], classes))
            self._decided[classes, low] = rows[exact >= low]
        return self._decided[classes, low]


def open_columns(source: Source, folder: Path, vocabulary: Vocabulary) -> Columns:
    """The columns for the catalog as it is now: from ``folder`` if a sound and current file is there, else built and stored.

    A folder that cannot be written costs time at the next opening, nothing else. Raises ArchiveError when the catalog holds
    fractions that cannot be."""
    key = f"{vocabulary.identity}/{SCALE}"
    generation, arrays = cache.opened(source, folder / FILE, KIND, key, lambda snapshot: _build(snapshot, len(vocabulary)))
    return Columns(source, generation, len(vocabulary), arrays)


def _build(snapshot: Snapshot, classes: int) -> cache.Arrays:
    """All arrays from the catalog."""
    ids = snapshot.photo_ids()
    by_id = np.argsort(ids)
    sums = np.zeros(ids.size)
    places = np.full(classes, -1, np.int16)
    full: list[NDArray[np.uint16]] = []
    pairs: list[tuple[NDArray[np.uint32], NDArray[np.uint16]]] = []
    for class_id in range(classes):
        rows, fractions = _class_rows(snapshot, class_id, ids, by_id)
        sums[rows] += fractions
        values = quanta(fractions)
        if 3 * rows.size >= ids.size > 0:
            places[class_id] = len(full)
            full.append(np.zeros(ids.size, np.uint16))
            full[-1][rows] = values
            rows, values = rows[:0], values[:0]
        pairs.append((rows.astype(np.uint32), values))
    if np.any(sums > 1 + 1e-9):
        bad = int(ids[np.argmax(sums)])
        raise ArchiveError(
            f"the catalog is damaged: the classes of photo {bad} cover more than all of it; check the archive and ingest it again"
        )
    return {
        "ids": ids,
        "places": places,
        "full": np.array(full, np.uint16).reshape(len(full), ids.size),
        "starts": np.cumsum([0, *(rows.size for rows, _ in pairs)], dtype=np.int64),
        "rows": np.concatenate([rows for rows, _ in pairs]),
        "pairs": np.concatenate([values for _, values in pairs]),
    }


def _class_rows(
    snapshot: Snapshot, class_id: int, ids: NDArray[np.int64], by_id: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Rows and fractions of the photos that have a class, by row. ``by_id`` sorts ``ids``."""
    photos, fractions = snapshot.coverages(class_id)
    if not ids.size:
        return np.empty(0, np.intp), np.empty(0)
    if not np.all((fractions > 0) & (fractions <= 1)):
        raise ArchiveError(f"the catalog is damaged: a coverage of class {class_id} is not in 0..1; ingest the photos again")
    nearest = np.minimum(np.searchsorted(ids, photos, sorter=by_id), ids.size - 1)
    rows = by_id[nearest]
    known = ids[rows] == photos  # rows of no photo are for the archive's check to tell
    order = np.argsort(rows[known])
    return rows[known][order], fractions[known][order]
