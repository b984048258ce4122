"""The archive's bin: photos that somebody removed. They keep their rows, tags and files, and are out of
answers, until they are taken back or deleted.

To remove and to take back changes rows alone, as tags do, so it works while another process writes. To delete
is for the one who writes: first the row goes and its content hash is kept as purged, in one transaction, then
the file. What an interruption leaves in between is a file without a row whose hash is purged; the next
emptying, or a repair, deletes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from dsslic_search.archive import outside
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.known_paths import as_it_was
from dsslic_search.archive.lookup import batches
from dsslic_search.archive.notes import check_ids
from dsslic_search.archive.paths import settle
from dsslic_search.archive.schema import KnownPath, Photo, Purged
from dsslic_search.archive.store import Store
from dsslic_search.core.files import text_to_path

Ids = NDArray[np.int64]

_PURGED = select(Purged.content_hash).where(Purged.content_hash == bindparam("content_hash"))
_WITHOUT_PHOTO = (
    select(Purged.content_hash)
    .where(Purged.content_hash.not_in(select(Photo.content_hash)))
    .order_by(Purged.content_hash)
)


@dataclass(frozen=True)
class Moved:
    """``ids`` of photos that were put into the bin, or taken back; ``others`` were there already, or not in
    it."""

    ids: tuple[int, ...]
    others: tuple[int, ...]


@dataclass(frozen=True)
class Binned:
    """A photo in the bin, since ``removed_at`` (UTC). ``bytes``: of its file in the archive."""

    id: int
    path: str
    removed_at: datetime
    bytes: int


@dataclass(frozen=True)
class Emptied:
    """``deleted``: the ids of photos that were deleted for good, or would be; ``bytes`` of their files.
    ``kept``: of those that stay, since no other copy of their originals was found."""

    deleted: tuple[int, ...]
    bytes: int
    kept: tuple[int, ...]
    dry_run: bool


def remove(catalog: Catalog, ids: Ids, now: datetime, *, dry_run: bool = False) -> Moved:
    """Put photos into the bin, in one transaction. ArchiveError, and nothing done, when there is no photo of
    an id."""
    return _move(catalog, ids, now, dry_run)


def restore(catalog: Catalog, ids: Ids | None, *, dry_run: bool = False) -> Moved:
    """Take photos, or with None all that are there, back out of the bin, in one transaction. ArchiveError,
    and nothing done, when there is no photo of an id."""
    chosen = np.array([each.id for each in binned(catalog)], np.int64) if ids is None else ids
    return _move(catalog, chosen, None, dry_run)


def _move(catalog: Catalog, ids: Ids, removed_at: datetime | None, dry_run: bool) -> Moved:
    with catalog.session() as reading:
        check_ids(reading, ids)
        inside = {
            photo_id
            for part in batches(ids)
            for photo_id in reading.scalars(
                select(Photo.id).where(Photo.id.in_(part), Photo.removed_at.is_not(None))
            )
        }
    moved = [int(i) for i in ids if (int(i) in inside) == (removed_at is None)]
    others = [int(i) for i in ids if (int(i) in inside) != (removed_at is None)]
    if moved and not dry_run:
        with catalog.changing() as session:
            for part in batches(moved):
                session.execute(update(Photo).where(Photo.id.in_(part)).values(removed_at=removed_at))
            settle(session, moved)
    return Moved(tuple(moved), tuple(others))


def binned(catalog: Catalog) -> list[Binned]:
    """What is in the bin, what was removed last first."""
    chosen = select(Photo.id, Photo.path, Photo.removed_at, Photo.stored_bytes)
    chosen = chosen.where(Photo.removed_at.is_not(None)).order_by(Photo.removed_at.desc(), Photo.id)
    with catalog.session() as session:
        return [
            Binned(photo_id, path, removed_at, stored_bytes)
            for photo_id, path, removed_at, stored_bytes in session.execute(chosen)
            if removed_at is not None
        ]


def empty(
    archive: ArchiveFolder,
    *,
    now: datetime,
    older_than: timedelta | None = None,
    only_copies: bool = False,
    dry_run: bool = False,
) -> Emptied:
    """Delete the photos in the bin, or those that were put there ``older_than`` ago, for good.

    A photo stays whose original is found nowhere else: no path at which it lies has a file of the right size
    and, where that is known, of the right time; with ``only_copies`` it is deleted, too. Raises ArchiveError
    while another writer is at work."""
    with archive.writing() as catalog:
        chosen = [
            each for each in binned(catalog) if older_than is None or each.removed_at <= now - older_than
        ]
        kept = [] if only_copies else [each for each in chosen if not _lies_elsewhere(catalog, each.id)]
        deleted = [each for each in chosen if each not in kept]
        if not dry_run:
            for content_hash in list(purged_files(catalog, archive.store)):
                archive.store.remove(content_hash)
            for each in deleted:
                _delete(catalog, archive.store, each.id, now)
    return Emptied(
        tuple(sorted(each.id for each in deleted)),
        sum(each.bytes for each in deleted),
        tuple(sorted(each.id for each in kept)),
        dry_run,
    )


def _lies_elsewhere(catalog: Catalog, photo_id: int) -> bool:
    chosen = select(KnownPath).where(KnownPath.photo_id == photo_id, KnownPath.ended_at.is_(None))
    with catalog.session() as session:
        return any(_is_there(row) for row in session.scalars(chosen))


def _is_there(row: KnownPath) -> bool:
    """Whether the file at a path still is what it was."""
    try:
        return as_it_was(row, outside.stat(text_to_path(row.path)))
    except (OSError, ValueError):
        return False


def _delete(catalog: Catalog, store: Store, photo_id: int, now: datetime) -> None:
    with catalog.changing(shed=True) as session:
        content_hash = session.scalar(select(Photo.content_hash).where(Photo.id == photo_id))
        if content_hash is None:
            return
        session.execute(delete(Photo).where(Photo.id == photo_id))
        unpurge(session, content_hash)
        session.execute(insert(Purged).values(content_hash=content_hash, purged_at=now))
    store.remove(content_hash)


def is_purged(catalog: Catalog, content_hash: str) -> bool:
    """Whether content was deleted for good."""
    with catalog.reading() as connection:
        return connection.scalar(_PURGED, {"content_hash": content_hash}) is not None


def unpurge(session: Session, content_hash: str) -> None:
    """Forget that content was deleted, as it is taken again."""
    session.execute(delete(Purged).where(Purged.content_hash == content_hash))


def purged_files(catalog: Catalog, store: Store) -> Iterator[str]:
    """The content hashes of files that an interrupted emptying left."""
    with catalog.session() as session:
        hashes = session.scalars(_WITHOUT_PHOTO).all()
    return (content_hash for content_hash in hashes if store.size_of(content_hash) is not None)
