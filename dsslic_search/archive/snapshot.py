"""Reading a whole catalog as it was at one moment, rows by the thousand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import compress
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Executable,
    Integer,
    LargeBinary,
    MetaData,
    SQLColumnExpression,
    Table,
    case,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy import Column as SqlColumn

from dsslic_search.archive import bulk, layouts, stretches
from dsslic_search.archive.damage import DamagedCatalogError
from dsslic_search.archive.history import changed_since
from dsslic_search.archive.lookup import PROSE, Totals, batches, classes_of
from dsslic_search.archive.schema import KnownPath, Photo, Tag
from dsslic_search.core.blobs import Blobs, Gathered, put_together
from dsslic_search.core.cached import cached_property
from dsslic_search.core.fields import INDEXED
from dsslic_search.core.kinds import HIDDEN, PhotoState
from dsslic_search.core.moments import microseconds
from dsslic_search.features.scene import SceneRegions
from dsslic_search.index.compiling import quick
from dsslic_search.index.known_files import KnownFiles
from dsslic_search.index.source import InOrder, State, Stored

CHUNK = 20_000  # rows
WIDE_CHUNK = 5_000  # rows that hold an embedding
CHOSEN_ONE_IN = 4
"""Some photos are looked up one by one where there are more than so many times of them."""
LOOKED_UP = 20_000  # photos that are summed by their ids; for more, all are gone through

_FILE = [getattr(Photo, column.name) for column in INDEXED]
_ID = [column.name for column in INDEXED].index("id")
_EMBEDDING = type_coerce(Photo.embedding, LargeBinary)  # as it is stored
_MOMENT = func.coalesce(Photo.taken_at, Photo.added_at)
_TOTALS = (
    *(Photo.file_size, Photo.stored_bytes, Photo.map_bytes, cast(Photo.width, BigInteger) * Photo.height),
    *(case((getattr(Photo, column).is_not(None), 1), else_=0) for column in PROSE),
)

# Made once: to put together a statement takes longer than to run it in a small archive.
_DATED, _FILES = select(Photo.id, _MOMENT), select(*_FILE, Photo.path)
_STATES = select(Photo.id, Photo.state).where(Photo.state.in_(HIDDEN))
_LYING: SQLColumnExpression[str] = KnownPath.path + KnownPath.part
# a photo that lies at one path alone is shown at that: an index tells which are not
_COPIES = (
    select(Photo.id, _LYING)
    .join(KnownPath, KnownPath.photo_id == Photo.id)
    .where(
        Photo.id.in_(select(KnownPath.photo_id).group_by(KnownPath.photo_id).having(func.count() > 1)),
        KnownPath.ended_at.is_(None),
        Photo.path != _LYING,
    )
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

    def __init__(
        self, connection: Connection, state: State, ids: NDArray[np.int64] | None = None, chosen: bool = False
    ) -> None:
        """``ids``: the photos that it is of, if not of all; ``chosen``: they are in the temporary table of
        the connection."""
        self.state = state
        self._connection = connection
        self._ids = ids
        self._chosen = chosen

    @property
    def generation(self) -> int:
        """How many changes had been committed."""
        return self.state.generation

    def has_sines(self) -> bool:
        """Whether the database knows sine, cosine and their inverses; SQLite does where it was built so."""
        known = "SELECT count(*) FROM pragma_function_list WHERE name = 'asin'"
        return self._connection.dialect.name != "sqlite" or bool(
            self._connection.exec_driver_sql(known).scalar()
        )

    def keeps_layouts(self) -> bool | None:
        """Whether the database can compare photos, see `archive.layouts`; None where none of its kind can."""
        if self._connection.dialect.name != "postgresql":
            return None
        return layouts.are_kept(self._connection)

    def changed_since(self, state: State) -> NDArray[np.int64] | None:
        """The photos, in any order, that were added, changed or removed since an earlier state; None where
        this cannot be told, or where the state is none of this catalog's past."""
        return changed_since(self._connection, self.state, state)

    @contextmanager
    def of(self, ids: NDArray[np.int64]) -> Iterator[Snapshot]:
        """A snapshot of some photos alone, in this order: it is the order of `photo_ids` there. Of those that
        the catalog does not have nothing is known. One at a time."""
        if not self.more_than(CHOSEN_ONE_IN * ids.size):  # to go through all is faster
            yield Snapshot(self._connection, self.state, ids)
            return
        _CHOSEN.create(self._connection, checkfirst=False)
        try:
            bulk.put(self._connection, _CHOSEN, ("row", "id"), enumerate(ids.tolist()))
            yield Snapshot(self._connection, self.state, ids, chosen=True)
        finally:
            _CHOSEN.drop(self._connection, checkfirst=False)

    def rows(self, statement: Executable, chunk: int = CHUNK) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of any SELECT over the catalog, in lists of ``chunk`` (the last may be shorter)."""
        with self._connection.execute(statement, execution_options={"yield_per": chunk}) as result:
            yield from (list(map(tuple, part)) for part in result.partitions())

    def _stored(self, statement: Any, chunk: int = CHUNK) -> Iterator[list[tuple[Any, ...]]]:
        """As `rows`, with values as the database has them, which in SQLite takes a fraction of the time."""
        if self._connection.dialect.name != "sqlite":
            yield from self.rows(statement, chunk)
            return
        with self._connection.execute(statement) as result:
            cursor = result.cursor
            assert cursor is not None
            while rows := cursor.fetchmany(chunk):
                yield list(rows)

    def _own(self, statement: Any, chunk: int = CHUNK) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a SELECT of photos, whose first column is the id, of those that the snapshot is of, as
        they are stored."""
        for _, rows in self._own_by_id(statement, chunk):
            yield rows

    def _own_by_id(
        self, statement: Any, chunk: int, at: int = 0
    ) -> Iterator[tuple[NDArray[np.int64], list[tuple[Any, ...]]]]:
        """The same with their ids, which are in the column ``at``."""
        if self._chosen:
            statement = statement.where(Photo.id.in_(select(_CHOSEN.c.id)))
        for rows in self._stored(statement, chunk):
            ids = _ids(rows, at)
            if self._ids is not None and not self._chosen:
                own = are_among(self._rising, ids)
                if not own.all():
                    ids, rows = ids[own], list(compress(rows, own.tolist()))
            yield ids, rows

    @cached_property
    def _rising(self) -> NDArray[np.int64]:
        return np.sort(self.photo_ids())

    def newest_first(self, ids: NDArray[np.int64] | None = None) -> InOrder:
        """All photos, or those of ``ids`` that are there, in the order in which equally good ones are
        shown."""
        if ids is not None:
            with self.of(ids) as own:
                return own._dated()
        return self._dated()

    def _dated(self) -> InOrder:
        parts = list(self._dates())
        ids, moments = (_joined([part[i] for part in parts], np.int64) for i in range(2))
        order = np.lexsort((ids, -moments))
        return InOrder(ids[order], moments[order])

    def _dates(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """The ids of the photos that are there, in any order, and their dates."""
        if self._chosen or self._connection.dialect.name != "sqlite":
            for ids, rows in self._own_by_id(_DATED, CHUNK):
                yield ids, stretches.stored_dates([moment for _, moment in rows])
            return
        for ids, moments in stretches.dates(self._connection, _MOMENT):
            own = slice(None) if self._ids is None else are_among(self._rising, ids)
            yield ids[own], moments[own]

    def more_than(self, photos: int) -> bool:
        """Whether there are more photos in all than that many, of which no more are counted."""
        beyond = select(Photo.id).offset(photos).limit(1)
        return self._connection.execute(beyond).first() is not None

    def photo_ids(self) -> NDArray[np.int64]:
        """All photos in the order in which equally good ones are shown: newest first (date taken, else
        added), then by id."""
        if self._ids is None:
            self._ids = self._dated().ids
        return self._ids

    def _blobs(self, chunk: int, column: Any, known: bool = False) -> Iterator[stretches.Part]:
        """What the photos that are there have in a column of bytes, as it is stored, in any order; ``known``:
        without those that have none."""
        if self._chosen or self._connection.dialect.name != "sqlite":
            asked = select(Photo.id, column)
            for ids, rows in self._own_by_id(asked.where(column.is_not(None)) if known else asked, chunk):
                yield ids, Blobs.of([value for _, value in rows])
            return
        for ids, blobs in stretches.blobs(self._connection, column, self._rising, known):
            own = are_among(self._rising, ids)
            yield (ids, blobs) if own.all() else (ids[own], blobs.some(own))

    def _in_order(
        self, chunk: int, nothing: bytes | None, column: Any, known: bool = False
    ) -> Iterator[Stored]:
        """What photos have in a column of bytes as it is stored, in the order of `photo_ids`; ``nothing``:
        that of a photo that is not there. ``known``: it may be None, and that is as if it were not there."""
        # read as they lie in the file and put in order here: the database would sort all that it reads
        ids = self.photo_ids()
        order, gathered = np.argsort(ids), Gathered(ids.size, nothing)
        for own, blobs in self._blobs(chunk, column, known):
            gathered.put(order[np.searchsorted(self._rising, own)], blobs)
        start = 0
        for blobs in gathered.parts(chunk, quick(put_together, gathered.nbytes)):
            yield Stored(ids[start : start + len(blobs)], blobs)
            start += len(blobs)

    def coverages(self) -> Iterator[Stored]:
        """The stored coverages of all photos in the order of `photo_ids`."""
        yield from self._in_order(CHUNK, b"", Photo.stored_coverages)

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

    def embeddings(self) -> Iterator[Stored]:
        """The stored embeddings of the photos that are there, in any order; empty for photos without a label
        map."""
        for ids, blobs in self._blobs(WIDE_CHUNK, _EMBEDDING):
            yield Stored(ids, blobs)

    def regions(self) -> Iterator[Stored]:
        """The stored regions of all photos in the order of `photo_ids`; None for photos of an older
        version."""
        yield from self._in_order(WIDE_CHUNK, SceneRegions.none().to_bytes(), Photo.regions)

    def image_words(self) -> Iterator[Stored]:
        """The stored image words of all photos in the order of `photo_ids`; None for photos whose files have
        none."""
        yield from self._in_order(CHUNK, None, Photo.stored_words, known=True)

    def files(self) -> Iterator[KnownFiles]:
        """What is known of the file of each photo that is there, in any order."""
        if self._connection.dialect.name == "sqlite" and not self._chosen:
            for part in stretches.files(self._connection, self._rising):
                own = are_among(self._rising, part.ids)
                yield part if own.all() else part.some(own)
            return
        for _, rows in self._own_by_id(_FILES, CHUNK, _ID):
            numbered = rows if self._connection.dialect.name == "sqlite" else list(map(_numbered, rows))
            yield KnownFiles.of([row[:-1] for row in numbered], [row[-1] for row in rows])

    def paths(
        self, ids: NDArray[np.int64] | None = None, letters: str = ""
    ) -> Iterator[list[tuple[int, str]]]:
        """(id, path that is shown) of all photos, or of those of ``ids`` that are there, in any order, in
        lists. ``letters``, small ones and digits of ASCII: those may be left out whose folded path is without
        them, see `index.patterns.PathTest`."""
        asked = select(Photo.id, Photo.path).where(*self._may_hold(Photo.path, letters))
        for part in [None] if ids is None else batches(ids):
            yield from self._own(asked if part is None else asked.where(Photo.id.in_(part)))

    def copies(
        self, ids: NDArray[np.int64] | None = None, letters: str = ""
    ) -> Iterator[list[tuple[int, str]]]:
        """(id, path) of all other paths at which photos lie, or at which those of ``ids`` do, in any order,
        in lists; ``letters`` as for `paths`."""
        asked = _COPIES.where(*self._may_hold(_LYING, letters))
        for part in [None] if ids is None else batches(ids):
            yield from self._own(asked if part is None else asked.where(Photo.id.in_(part)))

    def _may_hold(self, path: SQLColumnExpression[str], letters: str) -> list[ColumnElement[bool]]:
        """What leaves out paths that, folded, are without some letters of ASCII. What is not of ASCII may be
        folded into such."""
        if not letters:
            return []
        if self._connection.dialect.name == "sqlite":  # whose LIKE passes over capitals of ASCII
            return [path.like(f"%{letters}%") | (func.length(path) < func.length(cast(path, LargeBinary)))]
        plain = path.collate("C")
        return [plain.ilike(f"%{letters}%") | (func.length(path) < func.octet_length(path))]

    def hidden(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """The photos that are left out of answers, in any order: ids and `core.kinds.PhotoState.flag`."""
        found = [row for rows in self._own(_STATES) for row in rows]
        return _ids(found), np.array([PhotoState(state).flag for _, state in found], np.uint8)

    def texts(self, column: str) -> Iterator[list[tuple[int, str]]]:
        """(id, text) of the photos that have a text in a column, in any order, in lists."""
        text = getattr(Photo, column)
        yield from self._own(select(Photo.id, text).where(text.is_not(None)))

    def tagged(self, name: str | None) -> NDArray[np.int64]:
        """The ids of the photos that have a tag, or any (None), in any order."""
        every = select(Tag.photo_id)
        wanted = every.distinct() if name is None else every.where(Tag.name == name)
        return _joined([_ids(rows) for rows in self.rows(wanted)], np.int64)

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


def _ids(rows: Sequence[tuple[Any, ...]], at: int = 0) -> NDArray[np.int64]:
    try:
        return np.fromiter(map(itemgetter(at), rows), np.int64, len(rows))
    except (ValueError, TypeError):
        raise DamagedCatalogError.because("an id in it is none") from None


def _numbered(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(microseconds(value) if isinstance(value, datetime) else value for value in values)


def _joined(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *parts])
