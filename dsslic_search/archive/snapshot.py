"""Reading a whole catalog as it was at one moment, rows by the thousand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column as SqlColumn
from sqlalchemy import (
    Connection,
    Executable,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    case,
    cast,
    func,
    insert,
    select,
    type_coerce,
)

from dsslic_search.archive.history import changed_since
from dsslic_search.archive.lookup import PROSE, Totals, batches, classes_of
from dsslic_search.archive.schema import KnownPath, Photo, Tag
from dsslic_search.core.fact import Values
from dsslic_search.core.fields import INDEXED
from dsslic_search.core.kinds import HIDDEN, PhotoState
from dsslic_search.features.scene import SceneRegions
from dsslic_search.index.source import InOrder, State

CHUNK = 20_000  # rows
WIDE_CHUNK = 5_000  # rows that hold an embedding
LOOKED_UP = 20_000  # photos that are summed by their ids; for more, all are gone through

_FILE = [getattr(Photo, column.name) for column in INDEXED]
_EMBEDDING = type_coerce(Photo.embedding, LargeBinary)  # as it is stored
_MOMENT = func.coalesce(Photo.taken_at, Photo.added_at)
_NEWEST_FIRST = _MOMENT.desc(), Photo.id
_NOTHING: Mapping[Values, Any] = {"whole": 0, "pixels": 0, "date": None}
_NO_FILE = tuple(_NOTHING.get(column.values) for column in INDEXED)
"""Of a photo that is not there."""
_TOTALS = (
    *(Photo.file_size, Photo.stored_bytes, Photo.map_bytes, cast(Photo.width, Integer) * Photo.height),
    *(case((getattr(Photo, column).is_not(None), 1), else_=0) for column in PROSE),
)


_CHOSEN = Table(
    "chosen",
    MetaData(),
    SqlColumn("row", Integer, primary_key=True),
    SqlColumn("id", Integer),
    prefixes=["TEMPORARY"],
)
"""Photos in an order of their own; a temporary table of the connection."""


class Snapshot:
    """The catalog as it was at one moment, however long the reading takes; made by `Catalog.snapshot`.

    ``state`` is that moment's; what is built from the snapshot carries it. Everything is for use inside
    the ``with`` that made it, and raises ArchiveError there for trouble with the database.
    """

    def __init__(self, connection: Connection, state: State, ids: NDArray[np.int64] | None = None) -> None:
        """``ids``: those in the temporary table of the connection, where the snapshot is of these alone."""
        self.state = state
        self._connection = connection
        self._ids = ids

    @property
    def generation(self) -> int:
        """How many changes had been committed."""
        return self.state.generation

    def changed_since(self, state: State) -> NDArray[np.int64] | None:
        """The photos, in any order, that were added, changed or removed since an earlier state; None where
        this cannot be told, or where the state is none of this catalog's past."""
        return changed_since(self._connection, self.state, state)

    @contextmanager
    def of(self, ids: NDArray[np.int64]) -> Iterator[Snapshot]:
        """A snapshot of some photos alone, in this order: it is the order of `photo_ids` there. Of those that
        the catalog does not have nothing is known. One at a time."""
        _CHOSEN.create(self._connection, checkfirst=False)
        try:
            chosen = insert(_CHOSEN)
            for start in range(0, ids.size, CHUNK):
                part = ids[start : start + CHUNK].tolist()
                rows = [{"row": start + number, "id": photo_id} for number, photo_id in enumerate(part)]
                self._connection.execute(chosen, rows)
            yield Snapshot(self._connection, self.state, ids)
        finally:
            _CHOSEN.drop(self._connection, checkfirst=False)

    def rows(self, statement: Executable, chunk: int = CHUNK) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of any SELECT over the catalog, in lists of ``chunk`` (the last may be shorter)."""
        with self._connection.execute(statement, execution_options={"yield_per": chunk}) as result:
            yield from (list(map(tuple, part)) for part in result.partitions())

    def newest_first(self, ids: NDArray[np.int64] | None = None) -> InOrder:
        """All photos, or those of ``ids`` that are there, in the order in which equally good ones are
        shown."""
        if ids is not None:
            with self.of(ids) as own:
                return own._dated()
        return self._dated()

    def _dated(self) -> InOrder:
        dates = self._among(select(Photo.id, _MOMENT)).order_by(*_NEWEST_FIRST)
        parts = list(self.rows(dates))
        moments = [np.array([date for _, date in rows], "datetime64[us]").astype(np.int64) for rows in parts]
        return InOrder(_joined([_ids(rows) for rows in parts], np.int64), _joined(moments, np.int64))

    def more_than(self, photos: int) -> bool:
        """Whether there are more photos in all than that many, of which no more are counted."""
        beyond = select(Photo.id).offset(photos).limit(1)
        return self._connection.execute(beyond).first() is not None

    def photo_ids(self) -> NDArray[np.int64]:
        """All photos in the order in which equally good ones are shown: newest first (date taken, else
        added), then by id."""
        return self._dated().ids if self._ids is None else self._ids

    def _among(self, statement: Any) -> Any:
        """A SELECT of photos, of those that are chosen alone."""
        return statement if self._ids is None else statement.where(Photo.id.in_(select(_CHOSEN.c.id)))

    def _in_order(self, chunk: int, nothing: Sequence[Any], *columns: Any) -> Iterator[list[tuple[Any, ...]]]:
        """(id, values of some columns of its row) of each photo in the order of `photo_ids`, in lists;
        ``nothing``: the values of a photo that is not there."""
        if self._ids is None:
            yield from self.rows(select(Photo.id, *columns).order_by(*_NEWEST_FIRST), chunk)
            return
        joined = _CHOSEN.outerjoin(Photo, Photo.id == _CHOSEN.c.id)
        asked = select(_CHOSEN.c.id, Photo.id, *columns).select_from(joined).order_by(_CHOSEN.c.row)
        for rows in self.rows(asked, chunk):
            yield [
                (wanted, *nothing) if there is None else (wanted, *values) for wanted, there, *values in rows
            ]

    def coverages(self) -> Iterator[list[tuple[int, bytes]]]:
        """(id, stored coverages) of all photos in the order of `photo_ids`, in lists."""
        for rows in self._in_order(CHUNK, (b"",), Photo.stored_coverages):
            yield [(photo_id, stored) for photo_id, stored in rows]

    def covered(self, ids: NDArray[np.int64], classes: Sequence[int]) -> NDArray[np.float64]:
        """The fraction of each photo that the classes cover together, summed in order of class id; 0 for
        photos not there."""
        sums = dict.fromkeys(ids.tolist(), 0.0)
        for asked in batches(ids):
            stored = select(Photo.id, Photo.stored_coverages).where(Photo.id.in_(asked))
            for rows in self.rows(stored):
                for photo_id, shown in rows:
                    for each in classes_of(photo_id, shown):
                        if each.class_id in classes:
                            sums[photo_id] += each.fraction
        return np.fromiter((sums[i] for i in ids.tolist()), np.float64, ids.size)

    def embeddings(self) -> Iterator[list[tuple[int, bytes]]]:
        """(id, stored embedding) of all photos in the order of `photo_ids`, in lists; empty for photos
        without a label map."""
        for rows in self._in_order(WIDE_CHUNK, (b"", 0), _EMBEDDING, Photo.map_bytes):
            yield [(photo_id, embedding if seen else b"") for photo_id, embedding, seen in rows]

    def regions(self) -> Iterator[list[tuple[int, bytes | None]]]:
        """(id, stored regions) of all photos in the order of `photo_ids`, in lists; None for photos of an
        older version."""
        nothing = SceneRegions.none().to_bytes()
        for rows in self._in_order(WIDE_CHUNK, (nothing,), Photo.regions):
            yield [(photo_id, stored) for photo_id, stored in rows]

    def image_words(self) -> Iterator[list[tuple[int, bytes | None]]]:
        """(id, stored image words) of all photos in the order of `photo_ids`, in lists; None for photos whose
        files have none."""
        for rows in self._in_order(CHUNK, (None,), Photo.stored_words):
            yield [(photo_id, stored) for photo_id, stored in rows]

    def files(self) -> Iterator[list[tuple[Any, ...]]]:
        """What is known of each photo's file, in the order of `photo_ids`, in lists; the values are those of
        `core.fields.INDEXED`."""
        for rows in self._in_order(CHUNK, _NO_FILE, *_FILE):
            yield [tuple(values) for _, *values in rows]

    def paths(self, ids: NDArray[np.int64] | None = None) -> Iterator[list[tuple[int, str]]]:
        """(id, path that is shown) of all photos, or of those of ``ids`` that are there, in any order, in
        lists."""
        asked = select(Photo.id, Photo.path)
        for part in [None] if ids is None else batches(ids):
            for rows in self.rows(self._among(asked) if part is None else asked.where(Photo.id.in_(part))):
                yield [(photo_id, path) for photo_id, path in rows]

    def copies(self, ids: NDArray[np.int64] | None = None) -> Iterator[list[tuple[int, str]]]:
        """(id, path) of all other paths at which photos lie, or at which those of ``ids`` do, in any order,
        in lists."""
        path = KnownPath.path + KnownPath.part
        asked = select(Photo.id, path).join(KnownPath, KnownPath.photo_id == Photo.id)
        asked = asked.where(KnownPath.ended_at.is_(None), path != Photo.path)
        for part in [None] if ids is None else batches(ids):
            for rows in self.rows(self._among(asked) if part is None else asked.where(Photo.id.in_(part))):
                yield [(photo_id, path) for photo_id, path in rows]

    def hidden(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """The photos that are left out of answers, in any order: ids and `core.kinds.PhotoState.flag`."""
        asked = select(Photo.id, Photo.state).where(Photo.state.in_(HIDDEN))
        found = [row for rows in self.rows(self._among(asked)) for row in rows]
        return _ids(found), np.array([PhotoState(state).flag for _, state in found], np.uint8)

    def texts(self, column: str) -> Iterator[list[tuple[int, str]]]:
        """(id, text) of the photos that have a text in a column, in any order, in lists."""
        text = getattr(Photo, column)
        for rows in self.rows(self._among(select(Photo.id, text).where(text.is_not(None)))):
            yield [(photo_id, value) for photo_id, value in rows]

    def tagged(self, name: str) -> NDArray[np.int64]:
        """The ids of the photos that have a tag, in any order."""
        return _joined(
            [_ids(rows) for rows in self.rows(select(Tag.photo_id).where(Tag.name == name))], np.int64
        )

    def totals(self, ids: NDArray[np.int64]) -> Totals:
        """Of the photos of ``ids`` that are there; `Lookup.totals` of all."""
        summed = [func.coalesce(func.sum(figure), 0) for figure in _TOTALS]
        if ids.size <= LOOKED_UP:
            found = [
                row
                for part in batches(ids)
                for rows in self.rows(select(*summed).where(Photo.id.in_(part)))
                for row in rows
            ]
        else:
            found, among = [], np.sort(ids)
            for rows in self.rows(select(Photo.id, *_TOTALS)):
                figures = np.array(rows, np.int64)
                found.append(figures[are_among(among, figures[:, 0]), 1:].sum(0).tolist())
        return Totals.of(sum(column) for column in zip(*found, strict=True)) if found else Totals()


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
