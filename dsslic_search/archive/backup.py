"""A copy of an archive that is an archive, made while others write to it, and brought up to date later.

The catalog is copied first, as it is at one moment, by SQLite's own means; then the files of the photos
that it knows, which were on the disk before their rows were. What changed in between is looked at again: a
photo that was deleted meanwhile is gone from the next copy of the catalog, and one that was stored anew is
described from the file that was copied. So the copy is whole, whatever goes on. ``SHA256SUMS`` has the hash
of each file that was copied, as sha256sum reads it; ``backup.json`` says of which archive it is, and in which
state.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import delete, select

from dsslic_search.archive.backup_about import About, Moment, folder_of
from dsslic_search.archive.catalog import RECORD_COLUMNS, Catalog
from dsslic_search.archive.copies import (
    LOGS,
    Unreadable,
    bring_into_one_file,
    copy_file,
    copy_journal,
    hash_of,
    is_as_copied,
    listed_at,
    read_sums,
    take_snapshot,
    write_sums,
)
from dsslic_search.archive.disk import disk_trouble, write_whole
from dsslic_search.archive.features import read_features
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.journal import Place
from dsslic_search.archive.journaling import JOURNAL_SETTING
from dsslic_search.archive.lock import LOCK, NEXT, WRITER, locked
from dsslic_search.archive.schema import Photo, Purged, Setting
from dsslic_search.archive.stored import ObjectRecord, StoredFile
from dsslic_search.core import files
from dsslic_search.core.errors import ArchiveError, FormatError, Remedy, UsageError
from dsslic_search.core.files import TEMPORARY, absolute, path_to_text
from dsslic_search.core.output import ARCHIVE_MANIFEST

SNAPSHOT = f".catalog.backup{TEMPORARY}"
MOST_ROUNDS = 10
"""How often the catalog is copied anew since photos were deleted meanwhile."""
RECENT_NS = 86_400 * 10**9
"""A file that was written so long before the last backup, or later, may have a row that is not of it yet."""

Rows = dict[str, tuple[int, ObjectRecord]]
"""Photos that have a file, by content hash: id and what their rows say of it."""


@dataclass
class BackupReport:
    """``photos``: of the copy. ``copied``: files of photos that were, with their ``bytes``; ``unchanged``:
    those that were there; ``removed``: those of photos that were deleted for good; ``mended``: copies that
    had become damaged and were copied again; ``failed``: (path, reason)."""

    photos: int = 0
    copied: int = 0
    bytes: int = 0
    unchanged: int = 0
    removed: int = 0
    mended: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def backup(
    archive: ArchiveFolder,
    place: Path,
    *,
    read_data: bool = False,
    replace: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> BackupReport:
    """Make the folder ``place`` a copy of an archive, or bring the copy that is there up to date: only files
    that are new, or of another size or time, are read and copied; with ``read_data`` all copies are read and
    compared with their hashes. ``replace``: even if the copy is of another archive, was changed by others,
    knows photos that the archive does not, or was made of a later state of it. ``progress`` is called with
    files looked at and in all. May be stopped and run again.

    Raises UsageError for a folder that holds something else, or lies within the archive or around it;
    ArchiveError when the archive cannot be read or the copy not be written."""
    archive.verify()
    if not archive.has_own_catalog:
        raise ArchiveError(
            "the catalog is not in the archive's folder; back up that database by its own means, and the "
            "folder or bucket of the photos' files"
        )
    if not archive.store.is_here:
        raise ArchiveError(
            f"the photos' files are in {archive.store.root}; back up that bucket by its own means (versions, "
            "replication), and the archive's folder, which is small"
        )
    root = absolute(place)
    copy = ArchiveFolder(root, wait=archive.wait, waiting=archive.waiting)
    _require_room_for(copy, archive, replace)
    report = BackupReport()
    with disk_trouble(root, "made"):
        root.mkdir(parents=True, exist_ok=True)
    with locked(root, archive.wait, archive.waiting):
        if not replace:
            _require_unchanged(copy)
        if (about := About.read(copy)) is None:
            _begin(copy, archive, about)
        copy.remove_leftovers()
        made_of = _copy(archive, copy, _Copier(archive, copy, read_data, report), replace, progress)
        with Catalog.open(copy.catalog, journal=copy.journal) as catalog:
            catalog.tend_journal()
            report.photos = catalog.count()
        About(folder_of(archive), _state(copy), made_of).write(copy)
    return report


def _copy(
    archive: ArchiveFolder,
    copy: ArchiveFolder,
    copier: _Copier,
    replace: bool,
    progress: Callable[[int, int], None] | None,
) -> Moment:
    """Returns of which state the copy is."""
    snapshot = copy.root / SNAPSHOT
    known = None if replace else _known_to(copy)
    missing: set[str] = set()
    about = About.read(copy)
    for number in range(MOST_ROUNDS):
        take_snapshot(archive, snapshot)
        made_of = Moment.of(archive, snapshot)
        if about is not None and not replace:
            _require_later(copy, about, archive, made_of)
        rows, purged, lost_there = _rows(snapshot)
        if known is not None and (lost := known - rows.keys() - purged - lost_there):
            photos = "a photo" if len(lost) == 1 else f"{len(lost)} photos"
            raise ArchiveError(
                f"{copy.root}: has {photos} that the archive does not know, which may have lost them; choose "
                f"another folder, or lose them here too with {Remedy.REPLACE}"
            )
        if number == 0:
            _begin(copy, archive, about)
        before, missing = missing, copier.copy(rows, progress)
        if missing == before:  # none, or such as no later copy of the catalog is without
            break
        progress = None
    copier.fail(missing)
    with Catalog.open(snapshot) as catalog:
        described = _describe(catalog, copier, rows)
        place = None if described else Place.read(catalog.settings().get(JOURNAL_SETTING))
        if described:
            with catalog.noting() as session:
                session.execute(delete(Setting).where(Setting.name == JOURNAL_SETTING))
    bring_into_one_file(snapshot)
    copy_journal(archive.journal, copy.journal, place)
    About(folder_of(archive), made_of=made_of).write(copy)
    with disk_trouble(copy.root, "written"):
        for ending in LOGS:
            (copy.root / f"catalog.sqlite{ending}").unlink(missing_ok=True)
        snapshot.replace(copy.root / "catalog.sqlite")
        files.sync_folder(copy.root)
    copier.remove((purged if known is not None else copier.known() - lost_there) - rows.keys())
    copier.write_sums()
    return made_of


def _begin(copy: ArchiveFolder, archive: ArchiveFolder, about: About | None) -> None:
    """Say that a copy is not whole, before anything of it is changed."""
    About(folder_of(archive), made_of=None if about is None else about.made_of).write(copy)
    if not copy.exists:
        write_whole(copy.root / ARCHIVE_MANIFEST, (archive.root / ARCHIVE_MANIFEST).read_bytes())


# What may be written over.


def _require_room_for(copy: ArchiveFolder, archive: ArchiveFolder, replace: bool) -> None:
    """UsageError for a folder that is no place for a copy of this archive."""
    said = path_to_text(copy.root)
    is_empty = holds_nothing(copy.root, archive.root, "the archive")
    about = About.read(copy)
    if about is None and not is_empty:
        raise UsageError(f"{said}: holds something else; name a new or empty folder, or that of a backup")
    if about is not None and about.of != folder_of(archive) and not replace:
        raise UsageError(
            f"{said}: is the backup of {about.of}; choose another folder, or replace it with {Remedy.REPLACE}"
        )


def holds_nothing(place: Path, other: Path, of: str) -> bool:
    """Whether a folder is new, or has nothing but what a run left that was stopped. UsageError where it is
    none, or lies within the ``other`` one, which is that ``of`` something, or around it."""
    root, own = Path(os.path.realpath(place)), Path(os.path.realpath(other))
    said = path_to_text(place)
    if root.is_relative_to(own) or own.is_relative_to(root):
        raise UsageError(f"{said}: lies within {of}, or around it; choose another folder")
    with disk_trouble(place, "read"):
        if not place.exists():
            return True
        if not place.is_dir():
            raise UsageError(f"{said}: is a file; name a folder")
        return all(_stray(path.name) for path in place.iterdir())


def _stray(name: str) -> bool:
    return name in (LOCK, NEXT, WRITER) or (name.startswith(".") and name.endswith(TEMPORARY))


def _require_unchanged(copy: ArchiveFolder) -> None:
    """ArchiveError where somebody used a copy as an archive, and changed it."""
    about = About.read(copy)
    if about is None or about.state is None or not Path(copy.root / "catalog.sqlite").is_file():
        return
    if _state(copy) != about.state:
        raise ArchiveError(
            f"{copy.root}: was changed since the last backup, as an archive of its own; choose another "
            f"folder, or lose what was changed with {Remedy.REPLACE}"
        )


def _require_later(copy: ArchiveFolder, about: About, archive: ArchiveFolder, now: Moment) -> None:
    """ArchiveError where a copy was made of a state that the archive, at ``now``, does not come from: of one
    that was put back, what was done since would be lost in the copy, too."""
    if about.made_of is not None and about.made_of.is_unknown_to(archive, now):
        raise ArchiveError(
            f"{copy.root}: was made of a later state of the archive, or of another past, and may know tags, "
            f"ratings and dates that the archive does not; choose another folder, or lose them here too with "
            f"{Remedy.REPLACE}"
        )


def _state(copy: ArchiveFolder) -> str:
    """What changes with whatever is changed in a copy's catalog."""
    with Catalog.open(copy.catalog, change=False) as catalog:
        state = catalog.state()
        return f"{catalog.settings().get(JOURNAL_SETTING)} {state.generation} {state.token}"


def _known_to(copy: ArchiveFolder) -> set[str]:
    """The content hashes of the photos of a copy."""
    if not Path(copy.root / "catalog.sqlite").is_file():
        return set()
    with (
        suppress(ArchiveError),
        Catalog.open(copy.catalog, change=False) as catalog,
        catalog.session() as session,
    ):
        return set(session.scalars(select(Photo.content_hash)))
    return set()


# The catalog.


def _rows(snapshot: Path) -> tuple[Rows, set[str], set[str]]:
    """The photos that have a file, and the hashes of those that were deleted for good, and of those whose
    file is missing or damaged."""
    chosen = select(Photo.content_hash, Photo.id, *RECORD_COLUMNS).where(Photo.lost_at.is_(None))
    lost = select(Photo.content_hash).where(Photo.lost_at.is_not(None))
    with Catalog.open(snapshot) as catalog, catalog.session() as session:
        rows = {row[0]: (row[1], ObjectRecord(*row[2:])) for row in session.execute(chosen)}
        return rows, set(session.scalars(select(Purged.content_hash))), set(session.scalars(lost))


def _describe(catalog: Catalog, copier: _Copier, rows: Rows) -> bool:
    """Describe anew what was stored anew since the catalog was copied; whether there was any."""
    changed = False
    for content_hash in copier.doubtful & rows.keys():
        photo_id, row = rows[content_hash]
        with suppress(FormatError, ArchiveError):
            record = ObjectRecord.of_header(StoredFile(copier.target, content_hash).contents)
            if record != row:
                features, _ = read_features(copier.target, content_hash, record.map_bytes)
                catalog.update(photo_id, asdict(record), features)
                changed = True
    return changed


# The files of photos.


class _Copier:
    """Copies files of photos, each once, and knows their hashes. ``doubtful``: content hashes of those of
    which the row may tell otherwise."""

    def __init__(
        self, archive: ArchiveFolder, copy: ArchiveFolder, read_data: bool, report: BackupReport
    ) -> None:
        self._source, self.target, self._root = archive.store, copy.store, copy.root
        self._sums, self._listed_at = read_sums(copy.root), listed_at(copy.root)
        self._read_data, self._report = read_data, report
        self._settled: set[str] = set()
        self.doubtful: set[str] = set()

    def copy(self, rows: Rows, progress: Callable[[int, int], None] | None) -> set[str]:
        """Copy what is not there as it is; returns the content hashes of those that are missing."""
        missing = set()
        for number, content_hash in enumerate(sorted(rows), 1):
            if content_hash not in self._settled:
                try:
                    self._one(content_hash, rows[content_hash][1])
                    self._parity_of(content_hash)
                    self._settled.add(content_hash)
                except FileNotFoundError:
                    missing.add(content_hash)
                except Unreadable as e:
                    self._report.failed.append((str(self._source.path_of(content_hash)), str(e)))
                    self._settled.add(content_hash)
            if progress is not None:
                progress(number, len(rows))
        return missing

    def _one(self, content_hash: str, row: ObjectRecord) -> None:
        source, target = self._source.path_of(content_hash), self.target.path_of(content_hash)
        name = target.relative_to(self._root).as_posix()
        known = self._sums.get(name)
        there = source.stat()
        if there.st_size != row.stored_bytes or there.st_mtime_ns > self._listed_at - RECENT_NS:
            self.doubtful.add(content_hash)  # its row may be on the way still
        if is_as_copied(source, target):
            if known is not None and target.stat().st_ctime_ns < self._listed_at:
                if not self._read_data or _reads_as(target, known):
                    self._report.unchanged += 1
                    return
                self._report.mended += 1
            elif _reads_as(target, hash_of(source)):  # copied by a run that was stopped
                self._sums[name] = hash_of(target)
                self._report.unchanged += 1
                return
            else:
                self._report.mended += 1
        self._require_sound(source, target)
        self._sums[name], size = copy_file(source, target)
        self._report.copied += 1
        self._report.bytes += size

    def _parity_of(self, content_hash: str) -> None:
        """Copy the parity of a file; where it has none any more the copy has none either."""
        source = self._source.parity_path_of(content_hash)
        target = self.target.parity_path_of(content_hash)
        name = target.relative_to(self._root).as_posix()
        try:
            same = is_as_copied(source, target)
            if not same or (self._read_data and not _reads_as(target, hash_of(source))):
                self._sums[name], size = copy_file(source, target)
                self._report.bytes += size
        except FileNotFoundError:
            self.target.remove_parity(content_hash)
            self._sums.pop(name, None)

    def _require_sound(self, source: Path, target: Path) -> None:
        """`Unreadable` where a sound copy would be replaced with a damaged file."""
        if target.exists() and not _is_sound(source) and _is_sound(target):
            raise Unreadable("it is damaged; the copy stays as it was")

    def fail(self, missing: set[str]) -> None:
        """Report those that are missing in the archive itself."""
        for content_hash in sorted(missing):
            kept = "; the copy has it" if self.target.size_of(content_hash) is not None else ""
            path = str(self._source.path_of(content_hash))
            self._report.failed.append((path, f"it is missing in the archive{kept}"))

    def known(self) -> set[str]:
        """The content hashes of all files of the copy."""
        return set(self.target.hashes())

    def remove(self, hashes: set[str]) -> None:
        """Delete the copies of what was deleted for good."""
        for content_hash in sorted(hashes):
            path = self.target.path_of(content_hash)
            self._report.removed += self.target.remove(content_hash) > 0
            for gone in path, self.target.parity_path_of(content_hash):
                self._sums.pop(gone.relative_to(self._root).as_posix(), None)

    def write_sums(self) -> None:
        """Write the list of hashes."""
        if read_sums(self._root) != self._sums:
            write_sums(self._root, self._sums)


def _reads_as(path: Path, digest: str) -> bool:
    try:
        return hash_of(path) == digest
    except ArchiveError:
        return False


def _is_sound(path: Path) -> bool:
    from dsslic_search.codec import container

    try:
        with disk_trouble(path, "read"):
            container.read(path.read_bytes())
    except (FormatError, ArchiveError):
        return False
    return True
