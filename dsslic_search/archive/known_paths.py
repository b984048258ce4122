"""What a catalog knows of the paths at which photos lie or lay, to be compared with what disks say.

Changes are made by `archive.paths`; that a file was seen again as it was is no change.
"""

from __future__ import annotations

import stat
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import and_, bindparam, func, or_, select, update

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.lookup import batches
from dsslic_search.archive.outside import Status
from dsslic_search.archive.schema import KnownPath, Photo
from dsslic_search.core.files import absolute, path_to_text, text_to_path

ROWS_TOUCHED_AT_ONCE = 10_000  # in one transaction, so that nobody waits long for its end


_KNOWN = select(
    KnownPath.id,
    KnownPath.photo_id,
    Photo.content_hash,
    KnownPath.path,
    KnownPath.part,
    KnownPath.file_size,
    KnownPath.modified_ns,
    KnownPath.ended_at.is_(None),
    Photo.state,
    KnownPath.ended,
).join(Photo, Photo.id == KnownPath.photo_id)
"""The columns of `Known`."""

# Made once: to put together a statement takes longer than to run it in a small archive.
_LIVING = _KNOWN.where(
    or_(
        KnownPath.ended_at.is_(None),
        KnownPath.photo_id.not_in(select(KnownPath.photo_id).where(KnownPath.ended_at.is_(None))),
    )
)
"""Live ones, and ended ones of photos that lie nowhere."""
_WITHIN = {
    True: and_(KnownPath.path >= bindparam("inside"), KnownPath.path < bindparam("after")),
    False: func.substr(KnownPath.path, 1, func.length(bindparam("inside"))) == bindparam("inside"),
}
_AT_OR_IN = {way: _LIVING.where(or_(KnownPath.path == bindparam("at"), it)) for way, it in _WITHIN.items()}
"""At a path and, as far as text tells, at all paths in that folder, by whether the database orders texts by
their bytes, so that it finds the folder's in its index."""
_TOUCHED = (
    update(KnownPath).where(KnownPath.__table__.c.id == bindparam("row")).values(last_seen=bindparam("now"))
)


@dataclass(frozen=True)
class Known:
    """A row of the table, with the photo's hash and state. ``path``: as text. ``live``: the photo lies there;
    else ``ended`` says why not."""

    row: int
    photo_id: int
    content_hash: str
    path: str
    part: str
    size: int
    modified_ns: int | None
    live: bool
    state: str
    ended: str | None = None


def under(catalog: Catalog, folders: Iterable[Path]) -> dict[str, list[Known]]:
    """The rows at some files, and at all files in some folders, by path as text: live ones, and ended ones of
    photos that lie nowhere."""
    found: dict[str, list[Known]] = defaultdict(list)
    told: set[int] = set()
    # see `postgresql.require_fit`
    chosen = _AT_OR_IN[catalog.engine.dialect.name in ("sqlite", "postgresql")]
    with catalog.reading() as connection:
        for place in map(absolute, folders):
            inside = str(place).rstrip("/") + "/"
            for row in connection.execute(chosen, _ends(path_to_text(place))):
                known = Known(*tuple(row))
                native = str(text_to_path(known.path))
                # "/a//udcff" begins with "/a/", but is a file beside that folder
                if known.row not in told and (native == str(place) or native.startswith(inside)):
                    told.add(known.row)
                    found[known.path].append(known)
    return dict(found)


def lying_at(catalog: Catalog, path: str) -> list[Known]:
    """The live rows at one path, as text."""
    chosen = _KNOWN.where(KnownPath.path == path, KnownPath.ended_at.is_(None))
    with catalog.session() as session:
        return [Known(*tuple(row)) for row in session.execute(chosen.order_by(KnownPath.id))]


def _ends(text: str) -> dict[str, str]:
    """What `_AT_OR_IN` asks of a path."""
    inside = text.rstrip("/") + "/"
    return {"at": text, "inside": inside, "after": inside[:-1] + chr(ord("/") + 1)}


def rows_of(catalog: Catalog, photo_ids: Iterable[int]) -> dict[int, list[Known]]:
    """All rows of photos, by photo, in the order in which they came to be."""
    found: dict[int, list[Known]] = {photo_id: [] for photo_id in photo_ids}
    with catalog.session() as session:
        for part in batches(list(found)):
            for row in session.execute(_KNOWN.where(KnownPath.photo_id.in_(part)).order_by(KnownPath.id)):
                found[row.photo_id].append(Known(*tuple(row)))
    return found


def earlier_versions(catalog: Catalog, photo_id: int) -> list[int]:
    """The ids of photos that this one replaced, the latest first."""
    chosen = (
        select(KnownPath.photo_id)
        .where(KnownPath.replaced_by == photo_id)
        .group_by(KnownPath.photo_id)
        .order_by(func.max(KnownPath.ended_at).desc(), KnownPath.photo_id.desc())
    )
    with catalog.session() as session:
        return list(session.scalars(chosen))


def as_it_was(row: KnownPath, status: Status) -> bool:
    """Whether a file is what a row says of it, as far as can be told without reading it."""
    same_time = row.modified_ns is None or row.modified_ns == status.st_mtime_ns
    return stat.S_ISREG(status.st_mode) and status.st_size == row.file_size and same_time


def touch(catalog: Catalog, rows: Sequence[int], now: datetime) -> None:
    """Say of rows, by their ids, that the file was there as it had been; no index holds that."""
    for start in range(0, len(rows), ROWS_TOUCHED_AT_ONCE):
        with catalog.noting() as session:
            session.connection().execute(
                _TOUCHED,
                [{"row": int(row), "now": now} for row in rows[start : start + ROWS_TOUCHED_AT_ONCE]],
            )
