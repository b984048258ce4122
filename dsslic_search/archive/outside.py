"""Files outside the archive, on a disk of this machine or in a bucket: what lies at a path, by the same
questions of both. Each raises OSError, and ValueError for what can be no path."""

from __future__ import annotations

import hashlib
import os
import stat as modes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO

from dsslic_search.archive import bucket_files
from dsslic_search.core.files import LARGEST_FILE_BYTES, in_bucket

Status = os.stat_result | bucket_files.Status
Entry = os.DirEntry[str] | bucket_files.Entry


def stat(path: PurePath | str) -> Status:
    """Of a file or a folder."""
    return bucket_files.stat(path) if in_bucket(path) else os.stat(path)  # noqa: PTH116 (often a str, and many)


def is_folder(path: PurePath | str) -> bool:
    """Whether a folder lies there; False where that cannot be told."""
    return _is(path, modes.S_ISDIR)


def is_file(path: PurePath | str) -> bool:
    """Whether a regular file lies there; False where that cannot be told."""
    return _is(path, modes.S_ISREG)


def _is(path: PurePath | str, sort: object) -> bool:
    assert callable(sort)
    try:
        return bool(sort(stat(path).st_mode))
    except (OSError, ValueError):
        return False


def exists(path: PurePath | str) -> bool:
    """Whether anything lies there, as far as can be told."""
    return _is(path, lambda _mode: True)


def identity(path: PurePath | str) -> tuple[int, int]:
    """Device and inode of a folder; of one in a bucket what stands for them, whether it is there or not."""
    if in_bucket(path):
        return bucket_files.identity(path)
    found = os.stat(path)  # noqa: PTH116 (a str, and many of them)
    return found.st_dev, found.st_ino


def listed(folder: PurePath | str) -> Sequence[Entry]:
    """What lies in a folder, by name."""
    if in_bucket(folder):
        return bucket_files.listed(folder)
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda e: e.name)


def names(folder: PurePath | str) -> list[str]:
    """The names alone, in any order."""
    if in_bucket(folder):
        return [entry.name for entry in bucket_files.listed(folder)]
    return os.listdir(folder)  # noqa: PTH208 (names alone, and many of them)


def files_below(folder: str) -> Iterator[str]:
    """The paths of all files in a folder and those in it, by folder; what cannot be read is left out."""
    if not in_bucket(folder):
        for parent, _, files in os.walk(folder):
            yield from (os.path.join(parent, file) for file in sorted(files))  # noqa: PTH118 (a str, and many)
        return
    try:
        entries = bucket_files.listed(folder)
    except OSError:
        return
    yield from (entry.path for entry in entries if not entry.is_dir())
    for entry in entries:
        if entry.is_dir():
            yield from files_below(entry.path)


@contextmanager
def opened(path: PurePath | str) -> Iterator[IO[bytes] | bucket_files.Opened]:
    """A file of which some parts are read."""
    if in_bucket(path):
        yield bucket_files.Opened(path)
        return
    with open(path, "rb", opener=open_without_waiting) as f:
        yield f


def is_regular(file: IO[bytes] | bucket_files.Opened) -> bool:
    """Whether what was opened is a file, and no pipe and the like."""
    return isinstance(file, bucket_files.Opened) or modes.S_ISREG(os.fstat(file.fileno()).st_mode)


def read_whole(path: Path) -> bytes:
    """A file's bytes."""
    if in_bucket(path):
        return bucket_files.read(path, LARGEST_FILE_BYTES)[1]
    return path.read_bytes()


def hash_of(path: PurePath) -> str | None:
    """SHA-256 of a file in hex; None where it cannot be read."""
    try:
        if in_bucket(path):
            return hashlib.sha256(bucket_files.read(path, LARGEST_FILE_BYTES)[1]).hexdigest()
        with open(path, "rb", opener=open_without_waiting) as f:
            return hashlib.file_digest(f, "sha256").hexdigest()
    except OSError:
        return None


def open_without_waiting(name: str, flags: int) -> int:
    """An opener for `open`: a file that was replaced by a pipe must not stop who reads it."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
