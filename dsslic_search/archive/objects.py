"""Where an archive's object files lie: in a folder of this machine, or in a bucket. What both do is the same,
and stands side by side: here that of a folder, in `archive.bucket` that of a bucket."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from dsslic_search.archive.disk import disk_trouble, write_whole
from dsslic_search.core import files


class Looks(NamedTuple):
    """Of an object its bytes, when it was written (nanoseconds since 1970), and a text that is another one
    whenever it was written again."""

    size: int
    modified_ns: int
    version: str


class Objects(ABC):
    """Objects by their names, texts with one "/": FOLDER/FILE. Each is wholly there or not at all. Every
    method raises ArchiveError for trouble with the disk or the bucket."""

    at_once: int
    """So many reads go on side by side with profit."""
    ahead: int
    """So many bytes from an object's start take no longer to read than fewer do."""

    @abstractmethod
    def where(self, name: str) -> str:
        """What people know an object by: its path or its URL."""

    @abstractmethod
    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        """Bytes ``start`` to ``end`` (fewer if it is shorter), and no other; with None to its end."""

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Put an object there, or another one in its place; there for good when this returns."""

    @abstractmethod
    def looks(self, name: str) -> Looks | None:
        """What it looks like; None where there is none."""

    @abstractmethod
    def remove(self, name: str) -> int:
        """Delete it for good; returns its bytes, 0 where there is none."""

    @abstractmethod
    def set_aside(self, name: str) -> None:
        """Give it the name NAME.damaged; no error where there is none."""

    @abstractmethod
    def names(self, folder: str = "") -> Iterator[str]:
        """Of all objects, or of those of one folder, in order."""


@dataclass(frozen=True)
class Folder(Objects):
    """In folders under ``root``. Written under a temporary name in its own folder, flushed to the disk and
    renamed, so that an interruption leaves temporary files at most."""

    root: Path
    at_once = 1
    ahead = 0

    def path_of(self, name: str) -> Path:
        """Where an object is, or would be."""
        return self.root / name

    def where(self, name: str) -> str:
        return self._file(name)

    def _file(self, name: str) -> str:
        """The same in text, for what is done to many files in an answer."""
        return f"{self.root}/{name}"

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        path = self._file(name)
        with disk_trouble(path, "read"):
            number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                size = os.fstat(number).st_size
                missing = (size if end is None else min(end, size)) - start
                parts: list[bytes] = []
                while missing > 0 and (part := os.pread(number, missing, start)):
                    parts.append(part)
                    start += len(part)
                    missing -= len(part)
                return parts[0] if len(parts) == 1 else b"".join(parts)
            finally:
                os.close(number)

    def write(self, name: str, data: bytes) -> None:
        path = self.path_of(name)
        if not path.parent.is_dir():
            with disk_trouble(path.parent, "made"):
                path.parent.mkdir(parents=True, exist_ok=True)
                files.sync_folder(self.root)
                files.sync_folder(self.root.parent)
        write_whole(path, data)

    def looks(self, name: str) -> Looks | None:
        path = self._file(name)
        with disk_trouble(path, "looked at"):
            try:
                status = os.stat(path)  # noqa: PTH116  # a Path of each takes longer than the look
            except FileNotFoundError:
                return None
        return Looks(status.st_size, status.st_mtime_ns, f"{status.st_mtime_ns}")

    def remove(self, name: str) -> int:
        path = self.path_of(name)
        with disk_trouble(path, "deleted"):
            try:
                size = path.stat().st_size
                path.unlink()
            except FileNotFoundError:
                return 0
            files.sync_folder(path.parent)
        return size

    def set_aside(self, name: str) -> None:
        path = self.path_of(name)
        with disk_trouble(path, "renamed"), suppress(FileNotFoundError):
            path.replace(path.with_name(path.name + ".damaged"))

    def names(self, folder: str = "") -> Iterator[str]:
        with disk_trouble(self.root, "listed"):
            if not (self.root / folder).is_dir():
                return
            folders = [self.root / folder] if folder else (p for p in self.root.iterdir() if p.is_dir())
            for each in sorted(folders):
                with os.scandir(each) as entries:
                    yield from (f"{each.name}/{name}" for name in sorted(e.name for e in entries))

    def leftovers(self) -> Iterator[Path]:
        """Temporary files of interrupted writes."""
        return (self.root / name for name in self.names() if name.endswith(files.TEMPORARY))
