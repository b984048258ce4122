"""An archive made of a backup: every file compared with its hash, nothing overwritten."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dsslic_search.archive.backup import SNAPSHOT, holds_nothing
from dsslic_search.archive.backup_about import is_complete
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.copies import (
    Unreadable,
    bring_into_one_file,
    copy_file,
    copy_journal,
    hash_of,
    is_as_copied,
    read_sums,
    take_snapshot,
)
from dsslic_search.archive.database import NoCatalogError
from dsslic_search.archive.disk import disk_trouble, write_whole
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.journal import Place
from dsslic_search.archive.journaling import JOURNAL_SETTING
from dsslic_search.archive.lock import locked
from dsslic_search.core.errors import Remedy, UsageError
from dsslic_search.core.files import absolute, path_to_text
from dsslic_search.core.output import ARCHIVE_MANIFEST


@dataclass
class RestoreReport:
    """``photos``: of the archive that was made; ``files`` of photos that were copied and compared, with their
    ``bytes``; ``unlisted``: those of which the backup has no hash; ``failed``: (path, reason).
    ``is_complete``: whether the backup was made to its end."""

    photos: int = 0
    files: int = 0
    bytes: int = 0
    unlisted: int = 0
    is_complete: bool = True
    failed: list[tuple[str, str]] = field(default_factory=list)


RESTORING = "restoring.json"


def restore(
    backup_folder: ArchiveFolder, place: Path, *, progress: Callable[[int, int], None] | None = None
) -> RestoreReport:
    """Make the folder ``place`` an archive as a backup has it: each file is compared with its hash. Nothing
    that is there is overwritten; a run that was stopped goes on when it is run again.

    Raises UsageError for a folder that holds anything else, or lies within the backup or around it;
    ArchiveError when the backup cannot be read, or the archive not be written."""
    backup_folder.verify("no backup there; name the folder in which one was made")
    made = ArchiveFolder(absolute(place), wait=backup_folder.wait, waiting=backup_folder.waiting)
    _require_empty(made, backup_folder)
    report = RestoreReport(is_complete=is_complete(backup_folder))
    sums = read_sums(backup_folder.root)
    with disk_trouble(made.root, "made"):
        made.root.mkdir(parents=True, exist_ok=True)
    with locked(made.root, made.wait, made.waiting):
        write_whole(made.root / RESTORING, _of(backup_folder))
        made.remove_leftovers()
        snapshot = made.root / SNAPSHOT
        try:
            take_snapshot(backup_folder, snapshot)
        except NoCatalogError as e:
            raise NoCatalogError(f"{e}; make it anew with: {Remedy.REBUILD}") from e
        bring_into_one_file(snapshot)
        hashes = list(backup_folder.store.hashes())
        for number, content_hash in enumerate(hashes, 1):
            source, target = (s.path_of(content_hash) for s in (backup_folder.store, made.store))
            expected = sums.get(source.relative_to(backup_folder.root).as_posix())
            try:
                if not (is_as_copied(source, target) and expected == hash_of(target)):
                    report.bytes += copy_file(source, target, expected)[1]
                with suppress(FileNotFoundError):  # few have some
                    beside = backup_folder.store.parity_path_of(content_hash)
                    report.bytes += copy_file(beside, made.store.parity_path_of(content_hash))[1]
                report.files += 1
                report.unlisted += expected is None
            except (Unreadable, FileNotFoundError) as e:
                report.failed.append((str(source), str(e)))
            if progress is not None:
                progress(number, len(hashes))
        with Catalog.open(snapshot) as catalog:
            place_of_journal = Place.read(catalog.settings().get(JOURNAL_SETTING))
        bring_into_one_file(snapshot)
        copy_journal(backup_folder.journal, made.journal, place_of_journal)
        with disk_trouble(made.root, "written"):
            snapshot.replace(made.root / "catalog.sqlite")
        write_whole(made.root / ARCHIVE_MANIFEST, (backup_folder.root / ARCHIVE_MANIFEST).read_bytes())
        with Catalog.open(made.catalog, journal=made.journal) as catalog:
            catalog.tend_journal()
            report.photos = catalog.count()
        with disk_trouble(made.root, "written"):
            (made.root / RESTORING).unlink()
    return report


def _require_empty(made: ArchiveFolder, backup_folder: ArchiveFolder) -> None:
    is_empty = holds_nothing(made.root, backup_folder.root, "the backup")
    begun = made.root / RESTORING
    if begun.is_file() and begun.read_bytes() == _of(backup_folder):
        return
    if not is_empty:
        raise UsageError(
            f"{path_to_text(made.root)}: is not empty; an archive is restored into a new or empty folder"
        )


def _of(backup_folder: ArchiveFolder) -> bytes:
    return json.dumps({"from": path_to_text(os.path.realpath(backup_folder.root))}).encode()
