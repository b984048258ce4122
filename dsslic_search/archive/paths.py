"""The paths at which an archive's photos lie or lay: every change of them, and what follows for photos.

A photo is its content; rows of the table ``path`` say at which files it lies. Nothing that disks say deletes
a row: it ends, "gone" when the file is not there any more, "replaced" when the file holds another photo. From
the rows follow, in the transaction that changes them, a photo's state and the one path that is shown of it
(`settle`):

- A photo in the bin is "removed", else one whose object file is missing or damaged is "lost".
- A photo with a live row, or with no row at all, is "here"; of several paths the one seen first is shown.
- Without any it is "replaced" if a row ended so, else "missing"; the path that ended last is shown.

A photo that lies somewhere has no row that ended "replaced": who moves a photo away and lets another take its
name has not made a new version of it. At a path, or a part of its file, at most one photo lies.

Every change is made in a transaction of the caller's, `Catalog.changing`. What is known is read by
`archive.known_paths`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlalchemy import and_, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from dsslic_search.archive.lookup import batches
from dsslic_search.archive.schema import KnownPath, Photo, Tag
from dsslic_search.core.files import absolute, path_to_text
from dsslic_search.core.kinds import PhotoState

_THERE_OR_OF = select(KnownPath).where(
    or_(
        and_(KnownPath.path == bindparam("file"), KnownPath.part == bindparam("its_part")),
        KnownPath.photo_id == bindparam("photo"),
    )
)
_STANDING = select(Photo.id, Photo.state, Photo.path, Photo.removed_at, Photo.lost_at)
_SETTLED = _STANDING.where(Photo.id == bindparam("photo"))
_MOVED = (
    update(Photo)
    .where(Photo.__table__.c.id == bindparam("photo"))
    .values(state=bindparam("new_state"), path=bindparam("new_path"))
)
"""For connections: a session would go through all rows that it holds after each photo."""
_ELSEWHERE = (
    select(KnownPath.id)
    .where(
        KnownPath.photo_id == bindparam("photo"),
        KnownPath.id != bindparam("row"),
        KnownPath.ended_at.is_(None),
    )
    .limit(1)
)


_NEW = insert(KnownPath)
_LIVING: dict[str, Any] = {"ended_at": None, "ended": None, "replaced_by": None, "tags_given": False}
"""Of a row of a photo that lies there."""


class End(StrEnum):
    """Why a photo does not lie at a path any more."""

    GONE = "gone"
    REPLACED = "replaced"


_NOT_GIVEN = (
    select(KnownPath)
    .where(
        KnownPath.ended == End.REPLACED,
        KnownPath.replaced_by.is_not(None),
        KnownPath.tags_given.is_(False),
    )
    .order_by(KnownPath.ended_at, KnownPath.id)
)
_REPLACED = _NOT_GIVEN.with_only_columns(KnownPath.photo_id, KnownPath.replaced_by)


@dataclass(frozen=True)
class FileThere:
    """A file that was looked at: where, its bytes, when it was changed last (nanoseconds since 1970; None:
    not to be relied on), and for a photo that is but a part of it, which."""

    path: Path
    size: int
    modified_ns: int | None
    part: str = ""


class Seen(NamedTuple):
    """What it means that a photo was seen at a path. ``kind``: "new", its first path; "known", it lay there;
    "back", it had been there, or lay nowhere; "copy", it lies elsewhere too. ``displaced``: the ids of photos
    that lay there until now."""

    kind: Literal["known", "copy", "back", "new"]
    displaced: tuple[int, ...]


def seen(
    session: Session, photo_id: int, there: FileThere, now: datetime, since: datetime | None = None
) -> Seen:
    """Say that a photo lies at a path, seen there ``now`` (UTC), or first ``since`` then, elsewhere. What lay
    there does not any more."""
    text = path_to_text(absolute(there.path))
    known = {"file": text, "its_part": there.part, "photo": photo_id}
    found = list(session.scalars(_THERE_OR_OF, known))
    own = [row for row in found if row.photo_id == photo_id]
    row = next((row for row in own if (row.path, row.part) == (text, there.part)), None)
    kind = _kind(row, own)
    last = {"file_size": there.size, "modified_ns": there.modified_ns, "last_seen": now, **_LIVING}
    if row is None:
        new = {"photo_id": photo_id, "path": text, "part": there.part, "first_seen": since or now, **last}
        # with no unit of work, which takes several times as long
        key = session.connection().execute(_NEW, new).inserted_primary_key
        assert key is not None
        own.append(KnownPath(id=key[0], **new))
    else:
        if since is not None:
            row.first_seen = min(row.first_seen, since)
        for name, value in last.items():
            setattr(row, name, value)
    displaced = [other for other in found if other.photo_id != photo_id and other.ended_at is None]
    for other in displaced:
        _displace(session, other, photo_id, now)
    session.flush()
    for photo in session.execute(_SETTLED, {"photo": photo_id}):
        if moved := _settled(own, *photo):
            session.connection().execute(_MOVED, moved)
    settle(session, [other.photo_id for other in displaced])
    return Seen(kind, tuple(other.photo_id for other in displaced))


def first_seen(session: Session, rows: Sequence[int]) -> dict[int, datetime]:
    """When photos were first seen at the paths of rows, by their ids."""
    chosen = select(KnownPath.id, KnownPath.first_seen)
    return {
        row.id: row.first_seen
        for part in batches(rows)
        for row in session.execute(chosen.where(KnownPath.id.in_(part)))
    }


def _kind(row: KnownPath | None, own: Sequence[KnownPath]) -> Literal["known", "copy", "back", "new"]:
    if not own:
        return "new"
    if row is not None and row.ended_at is None:
        return "known"
    return "copy" if row is None and any(each.ended_at is None for each in own) else "back"


def _displace(session: Session, row: KnownPath, by: int, now: datetime) -> None:
    """End a row where another photo lies now: "replaced" if its photo lies nowhere else."""
    lies_on = session.scalar(_ELSEWHERE, {"photo": row.photo_id, "row": row.id}) is not None
    row.ended_at, row.ended = now, End.GONE if lies_on else End.REPLACED
    row.replaced_by, row.tags_given = (None if lies_on else by), False


def gone(session: Session, rows: Sequence[int], now: datetime) -> None:
    """Say of rows, by their ids, that the file is not there any more; those that ended before stay as they
    are."""
    concerned: set[int] = set()
    for part in batches(rows):
        for row in session.scalars(
            select(KnownPath).where(KnownPath.id.in_(part), KnownPath.ended_at.is_(None))
        ):
            row.ended_at, row.ended, row.replaced_by = now, End.GONE, None
            concerned.add(row.photo_id)
    settle(session, concerned)


def settle(session: Session, photo_ids: Iterable[int]) -> None:
    """Make state and shown path of photos what follows from the rows, wherever they are not yet."""
    for part in batches(sorted(set(photo_ids))):
        rows: dict[int, list[KnownPath]] = defaultdict(list)
        for row in session.scalars(select(KnownPath).where(KnownPath.photo_id.in_(part))):
            rows[row.photo_id].append(row)
        standing = session.execute(_STANDING.where(Photo.id.in_(part))).all()
        if moved := [each for photo in standing if (each := _settled(rows[photo.id], *photo))]:
            session.connection().execute(_MOVED, moved)


def _settled(
    rows: Sequence[KnownPath],
    photo_id: int,
    state: str,
    path: str,
    removed_at: datetime | None,
    lost_at: datetime | None,
) -> dict[str, Any] | None:
    """What becomes of a photo with all its rows, which the database has; None where it is so already."""
    _end_no_living_photo_as_replaced(rows)
    new_state = _state(rows, removed_at is not None, lost_at is not None).value
    new_path = _shown(rows) or path
    if (new_state, new_path) == (state, path):
        return None
    return {"photo": photo_id, "new_state": new_state, "new_path": new_path}


def _end_no_living_photo_as_replaced(rows: Sequence[KnownPath]) -> None:
    if any(row.ended_at is None for row in rows):
        for row in rows:
            if row.ended == End.REPLACED:
                row.ended, row.replaced_by = End.GONE, None


def _state(rows: Sequence[KnownPath], removed: bool, lost: bool) -> PhotoState:
    if removed:
        return PhotoState.REMOVED
    if lost:
        return PhotoState.LOST
    if not rows or any(row.ended_at is None for row in rows):
        return PhotoState.HERE
    return PhotoState.REPLACED if any(row.ended == End.REPLACED for row in rows) else PhotoState.MISSING


def _shown(rows: Sequence[KnownPath]) -> str | None:
    live = [row for row in rows if row.ended_at is None]
    if live:
        shown = min(live, key=lambda row: (row.first_seen, row.id))
    elif rows:
        shown = max(rows, key=lambda row: (row.ended_at or row.last_seen, row.id))
    else:
        return None
    return shown.path + shown.part


def give_tags(session: Session) -> list[tuple[int, int]]:
    """Give the tags of photos that were replaced to those that replaced them, once for each time that it
    happened; returns the ids of both for each. To be called at the end of a run: within one, a photo may look
    replaced that only moved."""
    ends = list(session.scalars(_NOT_GIVEN))
    given = [(end.photo_id, end.replaced_by) for end in ends if end.replaced_by is not None]
    while sum(_give(session, earlier, later) for earlier, later in given):
        pass  # again until nothing is left to give: a version may have come and gone within one run
    for end in ends:
        end.tags_given = True
    return given


def ratings_to_give(session: Session) -> dict[int, float]:
    """The stars of photos that were replaced, by the ids of those that replaced them and say nothing of their
    own: of replacements whose tags were not given yet, so it is to be called before `give_tags`. Nothing is
    written."""
    ends = session.execute(_REPLACED).all()
    pairs = [(earlier, later) for earlier, later in ends if later is not None]
    stars: dict[int, float | None] = {}
    for part in batches(sorted({photo_id for pair in pairs for photo_id in pair})):
        rows = session.execute(select(Photo.id, Photo.__table__.c.rating).where(Photo.id.in_(part)))
        stars.update((photo_id, rating) for photo_id, rating in rows)
    given: dict[int, float] = {}
    for earlier, later in pairs:
        rating = stars.get(earlier)
        if rating is not None and stars.get(later, 0) is None:
            given[later] = stars[later] = rating
    return given


def _give(session: Session, earlier: int, later: int) -> bool:
    """Whether the later photo got a tag that it had not."""
    tags: dict[int, set[str]] = defaultdict(set)
    chosen = select(Tag.photo_id, Tag.name).where(Tag.photo_id.in_([earlier, later]))
    for photo_id, name in session.execute(chosen):
        tags[photo_id].add(name)
    new = sorted(tags[earlier] - tags[later])
    if new:
        session.execute(insert(Tag), [{"name": name, "photo_id": later} for name in new])
    return bool(new)
