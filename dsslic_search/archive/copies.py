"""An archive's parts, copied: files compared by hash, with the list of hashes beside copies; the catalog as
it is at one moment, and as much of the journal."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.database import BUSY_SECONDS, IN_USE, database_trouble
from dsslic_search.archive.disk import disk_trouble, write_whole
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.journal import Place, Stand
from dsslic_search.archive.journals import Journals
from dsslic_search.core import files
from dsslic_search.core.errors import ArchiveError

SUMS = "SHA256SUMS"
LOGS = "-wal", "-shm", "-journal"
"""What SQLite keeps beside a file, by the endings of their names."""
PIECE = 1 << 20  # bytes read at once
TIME_STEPS_NS = 1, 100, 1_000, 10**7, 10**9, 2 * 10**9
"""How finely file systems keep times: most; NTFS and SMB; some over networks; exFAT; HFS+ and ext3; FAT."""
_LINE = re.compile(r"([0-9a-f]{64})  ([\x21-\x7e]+)\n?")


def read_sums(folder: Path) -> dict[str, str]:
    """The SHA-256 of each copy in a folder, in hex, by its path below that; without lines that are
    damaged."""
    try:
        text = (folder / SUMS).read_text("ascii", errors="replace")
    except OSError:
        return {}
    return {m[2]: m[1] for line in text.splitlines() if (m := _LINE.fullmatch(line))}


def listed_at(folder: Path) -> int:
    """When the list was written, nanoseconds since 1970, of which files that changed later are not; 0 where
    there is none."""
    try:
        return (folder / SUMS).stat().st_ctime_ns
    except OSError:
        return 0


def write_sums(folder: Path, sums: Mapping[str, str]) -> None:
    """Write them as sha256sum does."""
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    write_whole(folder / SUMS, text.encode())


def hash_of(path: Path) -> str:
    """The SHA-256 of a file in hex. ArchiveError where it cannot be read."""
    with disk_trouble(path, "read"), path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


class Unreadable(ArchiveError):
    """What is to be copied cannot be read, or is not what it was."""


def is_as_copied(source: Path, target: Path) -> bool:
    """Whether a copy has the size and the time of what it was made of, as finely as its file system keeps
    times. FileNotFoundError where there is nothing to copy."""
    there = source.stat()
    try:
        copy = target.stat()
    except FileNotFoundError:
        return False
    kept = {there.st_mtime_ns // step * step for step in TIME_STEPS_NS}
    return there.st_size == copy.st_size and copy.st_mtime_ns in kept


def copy_file(source: Path, target: Path, expected: str | None = None) -> tuple[str, int]:
    """Copy a file, with its time, under a temporary name that is replaced; returns the hash and the bytes of
    what was read, with which what was written was compared.

    FileNotFoundError where there is nothing to copy, `Unreadable` where it cannot be read or is not what was
    ``expected``, ArchiveError where it cannot be written, or what was written reads otherwise: then what was
    there stays."""
    digest, size = hashlib.sha256(), 0
    with _opened(source) as read, disk_trouble(target, "written"):
        there = os.fstat(read.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}{files.TEMPORARY}")
        try:
            with temporary.open("wb") as write:
                while piece := _piece(read):
                    digest.update(piece)
                    size += write.write(piece)
                write.flush()
                os.fsync(write.fileno())
            found = digest.hexdigest()
            if expected is not None and found != expected:
                raise Unreadable("it is damaged: its SHA-256 is not that of what was copied")
            if hash_of(temporary) != found:
                raise ArchiveError(f"{target}: reads otherwise than it was written; check the disk")
            os.utime(temporary, ns=(there.st_atime_ns, there.st_mtime_ns))
            temporary.replace(target)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        files.sync_folder(target.parent)
    return found, size


def _opened(source: Path) -> IO[bytes]:
    try:
        return source.open("rb")
    except FileNotFoundError:
        raise
    except OSError as e:
        raise Unreadable(f"it cannot be read ({e.strerror or e})") from e


def _piece(file: IO[bytes]) -> bytes:
    try:
        return file.read(PIECE)
    except OSError as e:
        raise Unreadable(f"it cannot be read ({e.strerror or e})") from e


# The catalog and its journal.


def take_snapshot(archive: ArchiveFolder, snapshot: Path) -> None:
    """Copy the catalog as it is at one moment. ArchiveError that names the disk that is in the way, and for a
    lock that is not to be had in `BUSY_SECONDS`."""
    for ending in ("", *LOGS):
        left = snapshot.with_name(snapshot.name + ending)
        with disk_trouble(left, "deleted"):
            left.unlink(missing_ok=True)
    with (
        disk_trouble(snapshot, "written"),
        Catalog.open(archive.catalog, change=False) as catalog,
        database_trouble(catalog.name),
        closing(catalog.engine.raw_connection()) as source,
        closing(sqlite3.connect(snapshot, timeout=BUSY_SECONDS)) as target,
    ):
        assert isinstance(source.driver_connection, sqlite3.Connection)
        try:
            source.driver_connection.backup(target, progress=_end_where_locked)
        except _Locked as e:
            if _is_locked(source.driver_connection):
                raise ArchiveError(f"{catalog.name}: {IN_USE}") from e
            raise ArchiveError(
                f"{snapshot}: cannot be locked, which SQLite does with each file that it writes; see that no "
                "other program has it open, and attach a share that has no locks of its own with the option "
                "that leaves them to this machine (SMB: nobrl), or choose another folder"
            ) from e
        except sqlite3.Error as e:
            if e.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
                raise
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from e


_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class _Locked(Exception):
    """A lock was not to be had in the time that SQLite waits for it."""


def _end_where_locked(status: int, remaining: int, total: int) -> None:
    """For `sqlite3.Connection.backup`, which would else begin to wait again, for ever."""
    if status & 0xFF in _LOCKED:
        raise _Locked


def _is_locked(connection: sqlite3.Connection) -> bool:
    """Whether a database cannot be read now."""
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
    except sqlite3.OperationalError as e:
        return e.sqlite_errorcode & 0xFF in _LOCKED
    return False


def bring_into_one_file(snapshot: Path) -> None:
    with database_trouble(str(snapshot)), closing(sqlite3.connect(snapshot, isolation_level=None)) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    for ending in LOGS:
        left = snapshot.with_name(snapshot.name + ending)
        with disk_trouble(left, "deleted"):
            left.unlink(missing_ok=True)


def copy_journal(source: Path, target: Path, place: Place | None) -> None:
    """As much of the journal, twice, as the copy of the catalog says; none where it went on as another one,
    and the copy begins one of its own."""
    journals = Journals.of(target)
    with disk_trouble(target, "written"):
        for each in journals.both:
            each.path.unlink(missing_ok=True)
        if place is None:
            return
        with suppress(FileNotFoundError), source.open("rb") as f, files.replacing(target) as out:
            left = place.length
            while left and (piece := f.read(min(left, PIECE))):
                left -= out.write(piece)
        if journals.first.stand(place) is Stand.IN_STEP:
            journals.follow(place)
        else:
            target.unlink(missing_ok=True)
