"""Reading a whole catalog as it was at one moment, rows by the thousand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Executable, Integer, cast, func, select

from dsslic_search.archive.lookup import Totals, batches
from dsslic_search.archive.schema import Coverage, KnownPath, Photo, Tag
from dsslic_search.core.certainty import UNKNOWN_CERTAINTY
from dsslic_search.core.fields import INDEXED
from dsslic_search.core.kinds import HIDDEN, PhotoState
from dsslic_search.index.source import ClassRows

CHUNK = 20_000  # rows
WIDE_CHUNK = 5_000  # rows that hold an embedding
LOOKED_UP = 20_000  # photos that are summed by their ids; for more, all are gone through

_FILE = [getattr(Photo, column.name) for column in INDEXED]
_NEWEST_FIRST = func.coalesce(Photo.taken_at, Photo.added_at).desc(), Photo.id
_BYTES = Photo.file_size, Photo.stored_bytes, Photo.map_bytes, cast(Photo.width, Integer) * Photo.height


class Snapshot:
    """The catalog as it was at one moment, however long the reading takes; made by `Catalog.snapshot`.

    ``generation`` is that moment's; what is built from the snapshot carries it. Everything is for use inside
    the ``with`` that made it, and raises ArchiveError there for trouble with the database.
    """

    def __init__(self, connection: Connection, generation: int) -> None:
        self.generation = generation
        self._connection = connection

    def rows(self, statement: Executable, chunk: int = CHUNK) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of any SELECT over the catalog, in lists of ``chunk`` (the last may be shorter)."""
        with self._connection.execute(statement, execution_options={"yield_per": chunk}) as result:
            yield from (list(map(tuple, part)) for part in result.partitions())

    def photo_ids(self) -> NDArray[np.int64]:
        """All photos in the order in which equally good ones are shown: newest first (date taken, else
        added), then by id."""
        return _joined(
            [_ids(rows) for rows in self.rows(select(Photo.id).order_by(*_NEWEST_FIRST))], np.int64
        )

    def coverages(self, class_id: int) -> ClassRows:
        """The photos that have a class, in any order, with what is known of it there."""
        chosen = select(
            Coverage.photo_id,
            Coverage.fraction,
            func.coalesce(Coverage.certainty, UNKNOWN_CERTAINTY),
            func.coalesce(Coverage.colours, 0),
        ).where(Coverage.class_id == class_id)
        parts = [tuple(zip(*rows, strict=True)) for rows in self.rows(chosen)]
        ids, fractions, certainties, colours = zip(*parts, strict=True) if parts else ((),) * 4
        return ClassRows(
            _gathered(ids, np.int64),
            _gathered(fractions, np.float64),
            _gathered(certainties, np.uint8),
            _gathered(colours, np.uint16),
        )

    def covered(self, ids: NDArray[np.int64], classes: Sequence[int]) -> NDArray[np.float64]:
        """The fraction of each photo that the classes cover together, summed in order of class id; 0 for
        photos not there."""
        sums = dict.fromkeys(ids.tolist(), 0.0)
        for asked in batches(ids):
            # asked by photo alone: a condition on the class tempts SQLite to walk the other index
            query = select(Coverage.photo_id, Coverage.class_id, Coverage.fraction).where(
                Coverage.photo_id.in_(asked)
            )
            for rows in self.rows(query.order_by(Coverage.photo_id, Coverage.class_id)):
                for photo_id, class_id, fraction in rows:
                    if class_id in classes:
                        sums[photo_id] += fraction
        return np.fromiter((sums[i] for i in ids.tolist()), np.float64, ids.size)

    def embeddings(self) -> Iterator[list[tuple[int, bytes]]]:
        """(id, embedding) of all photos that have a label map, in the order of `photo_ids`, in lists."""
        seen = select(Photo.id, Photo.embedding).where(Photo.map_bytes > 0)
        for rows in self.rows(seen.order_by(*_NEWEST_FIRST), WIDE_CHUNK):
            yield [(photo_id, embedding) for photo_id, embedding in rows]

    def regions(self) -> Iterator[list[tuple[int, bytes | None]]]:
        """(id, stored regions) of all photos in the order of `photo_ids`, in lists; None for photos of an
        older version."""
        for rows in self.rows(select(Photo.id, Photo.regions).order_by(*_NEWEST_FIRST), WIDE_CHUNK):
            yield [(photo_id, stored) for photo_id, stored in rows]

    def image_words(self) -> Iterator[list[tuple[int, bytes | None]]]:
        """(id, stored image words) of all photos in the order of `photo_ids`, in lists; None for photos whose
        files have none."""
        for rows in self.rows(select(Photo.id, Photo.stored_words).order_by(*_NEWEST_FIRST), CHUNK):
            yield [(photo_id, stored) for photo_id, stored in rows]

    def moments(self) -> NDArray[np.int64]:
        """The date taken, else the date added, of all photos in the order of `photo_ids`: microseconds since
        1970."""
        dates = select(func.coalesce(Photo.taken_at, Photo.added_at)).order_by(*_NEWEST_FIRST)
        parts = [
            np.array([date for (date,) in rows], "datetime64[us]").astype(np.int64)
            for rows in self.rows(dates)
        ]
        return _joined(parts, np.int64)

    def files(self) -> Iterator[list[tuple[Any, ...]]]:
        """What is known of each photo's file, in the order of `photo_ids`, in lists; the values are those of
        `core.fields.INDEXED`."""
        yield from self.rows(select(*_FILE).order_by(*_NEWEST_FIRST))

    def paths(self, ids: NDArray[np.int64] | None = None) -> Iterator[list[tuple[int, str]]]:
        """(id, path that is shown) of all photos, or of those of ``ids`` that are there, in any order, in
        lists."""
        asked = select(Photo.id, Photo.path)
        for part in [None] if ids is None else batches(ids):
            for rows in self.rows(asked if part is None else asked.where(Photo.id.in_(part))):
                yield [(photo_id, path) for photo_id, path in rows]

    def copies(self, ids: NDArray[np.int64] | None = None) -> Iterator[list[tuple[int, str]]]:
        """(id, path) of all other paths at which photos lie, or at which those of ``ids`` do, in any order,
        in lists."""
        path = KnownPath.path + KnownPath.part
        asked = select(Photo.id, path).join(KnownPath, KnownPath.photo_id == Photo.id)
        asked = asked.where(KnownPath.ended_at.is_(None), path != Photo.path)
        for part in [None] if ids is None else batches(ids):
            for rows in self.rows(asked if part is None else asked.where(Photo.id.in_(part))):
                yield [(photo_id, path) for photo_id, path in rows]

    def hidden(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """The photos that are left out of answers, in any order: ids and `core.kinds.PhotoState.flag`."""
        asked = select(Photo.id, Photo.state).where(Photo.state.in_(HIDDEN))
        found = [row for rows in self.rows(asked) for row in rows]
        return _ids(found), np.array([PhotoState(state).flag for _, state in found], np.uint8)

    def texts(self, column: str) -> Iterator[list[tuple[int, str]]]:
        """(id, text) of the photos that have a text in a column, in any order, in lists."""
        text = getattr(Photo, column)
        for rows in self.rows(select(Photo.id, text).where(text.is_not(None))):
            yield [(photo_id, value) for photo_id, value in rows]

    def tagged(self, name: str) -> NDArray[np.int64]:
        """The ids of the photos that have a tag, in any order."""
        return _joined(
            [_ids(rows) for rows in self.rows(select(Tag.photo_id).where(Tag.name == name))], np.int64
        )

    def totals(self, ids: NDArray[np.int64]) -> Totals:
        """Of the photos of ``ids`` that are there; `Lookup.totals` of all."""
        summed = [func.coalesce(func.sum(figure), 0) for figure in _BYTES]
        if ids.size <= LOOKED_UP:
            found = [
                row
                for part in batches(ids)
                for rows in self.rows(select(*summed).where(Photo.id.in_(part)))
                for row in rows
            ]
        else:
            found, among = [], np.sort(ids)
            for rows in self.rows(select(Photo.id, *_BYTES)):
                figures = np.array(rows, np.int64)
                found.append(figures[are_among(among, figures[:, 0]), 1:].sum(0).tolist())
        return Totals(*(int(sum(column)) for column in zip(*found, strict=True)))


def are_among(ascending: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of some ids are in ``ascending``: for many small parts of ids, cheaper than to sort them all
    together."""
    if not ascending.size:
        return np.zeros(ids.size, bool)
    places = np.minimum(np.searchsorted(ascending, ids), ascending.size - 1)
    return np.asarray(ascending[places] == ids)


def _ids(rows: Sequence[tuple[Any, ...]]) -> NDArray[np.int64]:
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))


def _joined(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *parts])


def _gathered(parts: Iterable[Sequence[float]], dtype: type) -> NDArray[Any]:
    return _joined([np.array(part, dtype) for part in parts], dtype)
