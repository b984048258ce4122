"""Byte-identical copies: photos that lie at several paths, and the bytes that their copies take.

The catalog knows them by content, so no file is read; each is looked at once, since names of one file free
nothing when one of them is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from sqlalchemy import func, select

from dsslic_search.archive import outside
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.known_paths import as_it_was
from dsslic_search.archive.schema import KnownPath, Photo
from dsslic_search.core.files import text_to_path
from dsslic_search.core.kinds import PhotoState


@dataclass(frozen=True)
class ExactCopy:
    """A path at which a photo lies. ``found`` there now: the file as it was, so far as size and time tell, a
    "changed" one, or none that can be looked at. ``same_file_as``: an earlier path of the group that names
    the very file, by a hard or a symbolic link."""

    path: str
    found: Literal["there", "changed", "not there"]
    same_file_as: str | None = None


@dataclass(frozen=True)
class ExactGroup:
    """Copies of one photo, or of one clip of which there are frames (``id``: the first). ``bytes`` of the
    file; the path that is shown comes first."""

    id: int
    bytes: int
    copies: tuple[ExactCopy, ...]

    @property
    def files_beside_the_first(self) -> int:
        """Files that are there now, less one."""
        return max(0, sum(copy.found == "there" and copy.same_file_as is None for copy in self.copies) - 1)

    @property
    def to_be_had(self) -> int:
        """Bytes that deleting all but one of the files would free."""
        return self.files_beside_the_first * self.bytes


@dataclass(frozen=True)
class ExactDuplicates:
    """``groups`` of byte-identical copies, those with the most bytes to be had first."""

    groups: tuple[ExactGroup, ...]

    @property
    def files_beside_the_first(self) -> int:
        """Files of all groups that are there now, less one of each."""
        return sum(group.files_beside_the_first for group in self.groups)

    @property
    def to_be_had(self) -> int:
        """Bytes that deleting all but one file of each group would free."""
        return sum(group.to_be_had for group in self.groups)


def find_exact_duplicates(catalog: Catalog) -> ExactDuplicates:
    """The photos that are here, by the catalog at more than one path, with what is at those paths now."""
    groups = [
        ExactGroup(photo_id, next(iter(rows.values())).file_size, _looked_at(list(rows.values())))
        for photo_id, rows in _rows_by_photo(catalog)
        if len(rows) > 1
    ]
    return ExactDuplicates(tuple(sorted(groups, key=lambda group: (-group.to_be_had, group.id))))


def _rows_by_photo(catalog: Catalog) -> list[tuple[int, dict[str, KnownPath]]]:
    """Live rows by path, of each photo at several paths; of the frames of one clip together."""
    at_several = (
        select(KnownPath.photo_id)
        .where(KnownPath.ended_at.is_(None))
        .group_by(KnownPath.photo_id)
        .having(func.count(KnownPath.path.distinct()) > 1)
    )
    chosen = (
        select(KnownPath)
        .join(Photo, Photo.id == KnownPath.photo_id)
        .where(
            KnownPath.photo_id.in_(at_several),
            KnownPath.ended_at.is_(None),
            Photo.state == PhotoState.HERE.value,
        )
        .order_by(KnownPath.photo_id, KnownPath.first_seen, KnownPath.id)
    )
    found: dict[int, dict[str, KnownPath]] = {}
    clips: dict[str, int] = {}  # path → the first photo that has a frame of the file there
    with catalog.session() as session:
        for photo_id, rows in groupby(session.scalars(chosen), key=lambda row: row.photo_id):
            own = {row.path: row for row in rows}
            first = photo_id
            if any(row.part for row in own.values()):
                first = next((clips[path] for path in own if path in clips), photo_id)
                clips |= dict.fromkeys(own, first)
            found[first] = found.get(first, {}) | own
    return list(found.items())


def _looked_at(rows: list[KnownPath]) -> tuple[ExactCopy, ...]:
    files: dict[tuple[int, int], str] = {}  # device and inode → the path met first
    copies = []
    for row in rows:
        try:
            status = outside.stat(text_to_path(row.path))
        except (OSError, ValueError):
            copies.append(ExactCopy(row.path, "not there"))
            continue
        if not as_it_was(row, status):
            copies.append(ExactCopy(row.path, "changed"))
            continue
        first = files.setdefault((status.st_dev, status.st_ino), row.path)
        copies.append(ExactCopy(row.path, "there", None if first == row.path else first))
    return tuple(copies)
