"""What many photos have in a column of a catalog in SQLite, put together by SQLite itself, a stretch of
photos at once: row by row the interpreter makes objects of each, and takes its lock for each from whatever
else goes on.

SQLite puts texts together, and takes bytes as texts without a look at them. What it gives is believed where
it has as many bytes as the parts have together; else the rows are read one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, LargeBinary, bindparam, cast, func, select

from dsslic_search.archive.schema import Photo
from dsslic_search.core.blobs import NONE, Blobs

PHOTOS_AT_ONCE = 2048

Part = tuple[NDArray[np.int64], Blobs]
"""The ids of some photos, and what they have."""


def blobs(connection: Connection, column: Any, rising: NDArray[np.int64], known: bool) -> Iterator[Part]:
    """What photos have in a column of bytes, by rising id, of those from the first to the last of ``rising``
    that are there, and perhaps of others between; ``known``: without those that have none."""
    wanted = Photo.id.between(bindparam("first"), bindparam("last"))
    rows = select(Photo.id, column.label("value")).where(wanted).order_by(Photo.id)
    if known:
        rows = rows.where(column.is_not(None))
    part = rows.subquery()
    value = part.c.value
    together = select(
        func.group_concat(part.c.id),
        func.group_concat(func.coalesce(func.length(value), NONE)),
        cast(func.group_concat(value, ""), LargeBinary),
    )
    for begin in range(0, rising.size, PHOTOS_AT_ONCE):
        some = rising[begin : begin + PHOTOS_AT_ONCE]
        bounds = {"first": int(some[0]), "last": int(some[-1])}
        yield _told(*connection.execute(together, bounds).one()) or _one_by_one(connection, rows, bounds)


def _told(ids: str | None, sizes: str | None, data: bytes | None) -> Part | None:
    """What SQLite put together; None where that is not what its parts are."""
    each = Blobs(np.frombuffer(data or b"", np.uint8), _numbers(sizes))
    found = _numbers(ids)
    fits = found.size == len(each) and int(each.lengths.sum()) == each.data.size
    return (found, each) if fits else None


def _numbers(text: str | None) -> NDArray[np.int64]:
    return np.fromstring(text or "", np.int64, sep=",")


def _one_by_one(connection: Connection, rows: Any, bounds: dict[str, int]) -> Part:
    found = connection.execute(rows, bounds).all()
    return np.array([row.id for row in found], np.int64), Blobs.of([row.value for row in found])
