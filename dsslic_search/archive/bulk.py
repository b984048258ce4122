"""Reading a whole catalog as it was at one moment, rows by the thousand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Executable, func, select

from dsslic_search.archive.models import Coverage, Photo

CHUNK = 20_000  # rows
WIDE_CHUNK = 5_000  # rows that hold an embedding
ASKED_AT_ONCE = 500  # photo ids in one statement; databases bound the number of parameters

_NEWEST_FIRST = func.coalesce(Photo.taken_at, Photo.added_at).desc(), Photo.id


class Snapshot:
    """The catalog as it was at one moment, however long the reading takes; made by `Catalog.snapshot`.

    ``generation`` is that moment's; what is built from the snapshot carries it. Everything is for use inside the ``with``
    that made it, and raises ArchiveError there for trouble with the database.
    """

    def __init__(self, connection: Connection, generation: int) -> None:
        self.generation = generation
        self._connection = connection

    def rows(self, statement: Executable, chunk: int = CHUNK) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of any SELECT over the catalog, in lists of ``chunk`` (the last may be shorter)."""
        with self._connection.execute(statement, execution_options={"yield_per": chunk}) as result:
            yield from (list(map(tuple, part)) for part in result.partitions())

    def photo_ids(self) -> NDArray[np.int64]:
        """All photos in the order in which equally good ones are shown: newest first (date taken, else added), then by id."""
        return _joined([_ids(rows) for rows in self.rows(select(Photo.id).order_by(*_NEWEST_FIRST))], np.int64)

    def coverages(self, class_id: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The photos that have a class, in any order: ids and fractions."""
        ids: list[NDArray[np.int64]] = []
        fractions: list[NDArray[np.float64]] = []
        for rows in self.rows(select(Coverage.photo_id, Coverage.fraction).where(Coverage.class_id == class_id)):
            ids.append(_ids(rows))
            fractions.append(np.fromiter((row[1] for row in rows), np.float64, len(rows)))
        return _joined(ids, np.int64), _joined(fractions, np.float64)

    def covered(self, ids: NDArray[np.int64], classes: Sequence[int]) -> NDArray[np.float64]:
        """The fraction of each photo that the classes cover together, summed in order of class id; 0 for photos not there."""
        sums = dict.fromkeys(ids.tolist(), 0.0)
        for start in range(0, ids.size, ASKED_AT_ONCE):
            asked = ids[start : start + ASKED_AT_ONCE].tolist()
            # asked by photo alone: a condition on the class tempts SQLite to walk the other index
            query = select(Coverage.photo_id, Coverage.class_id, Coverage.fraction).where(Coverage.photo_id.in_(asked))
            for rows in self.rows(query.order_by(Coverage.photo_id, Coverage.class_id)):
                for photo_id, class_id, fraction in rows:
                    if class_id in classes:
                        sums[photo_id] += fraction
        return np.fromiter((sums[i] for i in ids.tolist()), np.float64, ids.size)

    def embeddings(self) -> Iterator[list[tuple[int, bytes]]]:
        """(id, embedding) of all photos in the order of `photo_ids`, in lists."""
        for rows in self.rows(select(Photo.id, Photo.embedding).order_by(*_NEWEST_FIRST), WIDE_CHUNK):
            yield [(photo_id, embedding) for photo_id, embedding in rows]


def _ids(rows: Sequence[tuple[Any, ...]]) -> NDArray[np.int64]:
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))


def _joined(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *parts])
