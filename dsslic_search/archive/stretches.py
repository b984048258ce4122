"""What many photos have in a column of a catalog in SQLite, put together by SQLite itself, a stretch of
photos at once: row by row the interpreter makes objects of each, and takes its lock for each from whatever
else goes on.

SQLite puts texts together, and takes bytes as texts without a look at them. What it gives is believed where
it has as many bytes as the parts have together; else, or where that is too much for it, the rows are read one
by one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, LargeBinary, bindparam, cast, func, or_, select, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType

from dsslic_search.archive.damage import DamagedCatalogError
from dsslic_search.archive.schema import Photo
from dsslic_search.core.blobs import NONE, Blobs
from dsslic_search.core.fact import Values
from dsslic_search.core.fields import INDEXED
from dsslic_search.core.moments import microseconds
from dsslic_search.index.known_files import NOTHING, TEXTS, Known, KnownFiles, another_kind

PHOTOS_AT_ONCE = 4096
BETWEEN = "\0"
"""What stands between two texts; where one has it, rows are read one by one."""
REAL: tuple[Values, ...] = ("degrees", "number or none")
"""What columns of numbers hold that are not whole."""
_WANTED = Photo.id.between(bindparam("first"), bindparam("last"))
_STORED = [type_coerce(getattr(Photo, column.name), NullType()).label(column.name) for column in INDEXED]
_ID = [column.name for column in INDEXED].index("id")

Part = tuple[NDArray[np.int64], Blobs]
"""The ids of some photos, and what they have."""


def dates(connection: Connection, moment: Any) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The ids of all photos, rising, and ``moment`` of each, a column of dates as they are stored."""
    after = -1 << 63
    rows = select(Photo.id, type_coerce(moment, NullType()).label("moment")).where(Photo.id > bindparam("id"))
    rows = rows.order_by(Photo.id).limit(PHOTOS_AT_ONCE)
    part = rows.subquery()
    together = select(func.group_concat(part.c.id), func.group_concat(part.c.moment))
    while (ids := (told := connection.execute(together, {"id": after}).one())[0]) is not None:
        own, moments = _numbers(ids), _numbers(told[1])
        if own.size != moments.size:
            every = connection.execute(rows, {"id": after}).all()
            moments = stored_dates([row.moment for row in every])
        yield own, moments
        after = int(own[-1])


def stored_dates(dates: Sequence[Any]) -> NDArray[np.int64]:
    """Microseconds since 1970, of dates as they are stored. DamagedCatalogError where one is none."""
    try:
        return np.array([microseconds(d) if isinstance(d, datetime) else d for d in dates], np.int64)
    except (ValueError, TypeError):
        raise DamagedCatalogError.because("a date in it is none") from None


def blobs(connection: Connection, column: Any, rising: NDArray[np.int64], known: bool) -> Iterator[Part]:
    """What photos have in a column of bytes, in any order, of those from the first to the last of ``rising``
    that are there, and perhaps of others between; ``known``: without those that have none."""
    wanted = _WANTED & column.is_not(None) if known else _WANTED
    rows = select(Photo.id, column.label("value")).where(wanted)
    together = select(  # in whatever order, each of them in the same
        func.group_concat(Photo.id),
        func.group_concat(func.coalesce(func.length(column), NONE)),
        cast(func.group_concat(column, ""), LargeBinary),
    ).where(wanted)
    for begin in range(0, rising.size, PHOTOS_AT_ONCE):
        some = rising[begin : begin + PHOTOS_AT_ONCE]
        bounds = {"first": int(some[0]), "last": int(some[-1])}
        told = _together(connection, together, bounds)
        yield (told and _told(*told)) or _one_by_one(connection, rows, bounds)


def files(connection: Connection, rising: NDArray[np.int64]) -> Iterator[KnownFiles]:
    """What is known of files, of photos as :func:`blobs` has them."""
    rows = select(Photo.path, *_STORED).where(_WANTED)
    given: set[str] = set()  # columns in which something is known of some photo so far
    together = _files_together(given)
    for begin in range(0, rising.size, PHOTOS_AT_ONCE):
        some = rising[begin : begin + PHOTOS_AT_ONCE]
        bounds = {"first": int(some[0]), "last": int(some[-1])}
        told = _together(connection, together, bounds)
        if new := {
            column.name
            for column, value in zip(INDEXED, told[1:] if told else (), strict=bool(told))
            if value is not None and column.values not in REAL and column.name not in given
        }:
            given |= new
            together = _files_together(given)
            told = _together(connection, together, bounds)
        found = told and _files_told(told, connection, bounds)
        if found is None:
            every = connection.execute(rows, bounds).all()
            found = KnownFiles.of([row[1:] for row in every], [row[0] for row in every])
        yield found


def _together(connection: Connection, statement: Any, bounds: dict[str, int]) -> Any:
    """What SQLite puts together; None where that is more than it takes for one text or string of bytes."""
    try:
        return connection.execute(statement, bounds).one()
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorcode", -1) & 0xFF != sqlite3.SQLITE_TOOBIG:
            raise
        return None


def _files_together(given: set[str]) -> Any:
    """Where nothing is known of anything so far SQLite need not say so photo by photo. Of numbers that are
    not whole it tells alone how many there are: as texts they would not be what they are."""
    told = [func.group_concat(Photo.path, BETWEEN)]
    for column, stored in zip(INDEXED, _STORED, strict=True):
        value = stored.element
        if column.values in REAL:
            told.append(func.nullif(func.count(value), 0))
            continue
        is_text = column.values in TEXTS
        each = func.coalesce(value, "" if is_text else NOTHING) if column.name in given else value
        told.append(func.group_concat(each, BETWEEN if is_text else ","))
    return select(*told).where(_WANTED)


def _files_told(told: Any, connection: Connection, bounds: dict[str, int]) -> KnownFiles | None:
    """What SQLite put together; None where a text has in it what stands between two, or a number is none."""
    paths, *values = told
    each = list(zip(INDEXED, values, strict=True))
    ids = _numbers(values[_ID])
    numbers = tuple(column.name for column, value in each if column.values in REAL and value is not None)
    texts = _texts(paths)
    reals = _reals(connection, bounds, ids, numbers) if numbers else {}
    columns: list[Known | None] = []
    for column, value in each:
        if value is None or column.name in reals:
            columns.append(reals.get(column.name))
        else:
            columns.append(_texts(value) if column.values in TEXTS else _numbers(value))
    sizes = {ids.size, len(texts), *(len(known) for known in columns if known is not None)}
    return KnownFiles(ids, tuple(columns), texts) if len(sizes) == 1 else None


def _reals(
    connection: Connection, bounds: dict[str, int], ids: NDArray[np.int64], names: tuple[str, ...]
) -> dict[str, NDArray[np.float64]]:
    """Numbers of the photos that have any of some."""
    with connection.execute(_reals_of(names), bounds) as result:
        cursor = result.cursor  # as its rows come, which takes half the time
        assert cursor is not None
        own, *values = zip(*cursor.fetchall(), strict=True)
    found, by_id = np.full((len(names), ids.size), np.nan), np.argsort(ids)
    try:
        found[:, by_id[np.searchsorted(ids[by_id], np.array(own, np.int64))]] = np.array(values, np.float64)
    except (ValueError, TypeError, OverflowError):
        raise another_kind() from None
    return dict(zip(names, found, strict=True))


@cache
def _reals_of(names: tuple[str, ...]) -> Any:
    values = [getattr(Photo, name) for name in names]
    known = or_(*(value.is_not(None) for value in values))
    return select(Photo.id, *values).where(_WANTED, known)


def _texts(text: str | None) -> list[str]:
    return [] if text is None else text.split(BETWEEN)


def _told(ids: str | None, sizes: str | None, data: bytes | None) -> Part | None:
    """What SQLite put together; None where that is not what its parts are."""
    each = Blobs(np.frombuffer(data or b"", np.uint8), _numbers(sizes))
    found = _numbers(ids)
    fits = found.size == len(each) and int(each.lengths.sum()) == each.data.size
    return (found, each) if fits else None


def _numbers(text: str | None) -> NDArray[np.int64]:
    """Numbers between commas; none where there is anything else."""
    if text is None or text.encode().translate(None, b"-0123456789,"):
        return np.empty(0, np.int64)
    try:
        return np.fromstring(text, np.int64, sep=",")
    except (ValueError, DeprecationWarning):  # "1-2", by version and settings of numpy; or too few come
        return np.empty(0, np.int64)


def _one_by_one(connection: Connection, rows: Any, bounds: dict[str, int]) -> Part:
    found = connection.execute(rows, bounds).all()
    return np.array([row.id for row in found], np.int64), Blobs.of([row.value for row in found])
