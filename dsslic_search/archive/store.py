"""The .dsslic files of an archive, by the SHA-256 of the original photo's bytes.

A file is either wholly there or not at all: it is written under a temporary name in its own folder, flushed
to the disk and renamed. Whatever an interruption leaves is a temporary file, which the next writer
removes.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dsslic_search.core import files
from dsslic_search.core.errors import ArchiveError, Remedy

SUFFIX = ".dsslic"
PARITY_SUFFIX = ".parity"

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Store:
    """Object files under ``root``, in 256 folders. All methods raise ArchiveError for trouble with the
    disk."""

    root: Path

    def path_of(self, content_hash: str) -> Path:
        """Where the file of a photo is, or would be. Raises ValueError unless given 64 lower-case hex
        digits."""
        if not _HASH.fullmatch(content_hash):
            raise ValueError(f"not a SHA-256 in hex: {content_hash!r}")
        return self.root / content_hash[:2] / (content_hash + SUFFIX)

    def write(self, content_hash: str, data: bytes) -> None:
        """Store ``data``, replacing what was there; on the disk for good when this returns."""
        path = self.path_of(content_hash)
        if not path.parent.is_dir():
            with disk_trouble(path.parent, "made"):
                path.parent.mkdir(parents=True, exist_ok=True)
                files.sync_folder(self.root)
                files.sync_folder(self.root.parent)
        write_whole(path, data)

    def read_prefix(self, content_hash: str, n: int, *, start: int = 0) -> bytes:
        """Bytes ``start`` to ``n`` of a file (fewer if it is shorter), reading no other byte of it."""
        path = self.path_of(content_hash)
        with disk_trouble(path, "read"), path.open("rb", buffering=0) as f:
            f.seek(start)
            parts: list[bytes] = []
            missing = n - start
            while missing > 0 and (part := f.read(missing)):
                parts.append(part)
                missing -= len(part)
            return b"".join(parts)

    def read(self, content_hash: str) -> bytes:
        """A whole file."""
        path = self.path_of(content_hash)
        with disk_trouble(path, "read"):
            return path.read_bytes()

    def size_of(self, content_hash: str) -> int | None:
        """Bytes of a file; None when there is none."""
        path = self.path_of(content_hash)
        with disk_trouble(path, "looked at"):
            try:
                return path.stat().st_size
            except FileNotFoundError:
                return None

    def parity_path_of(self, content_hash: str) -> Path:
        """Where the parity of a file is, or would be; see `archive.parity`."""
        return self.path_of(content_hash).with_suffix(PARITY_SUFFIX)

    def write_parity(self, content_hash: str, data: bytes) -> None:
        """Store the parity of a file that is there."""
        write_whole(self.parity_path_of(content_hash), data)

    def read_parity(self, content_hash: str) -> bytes | None:
        """The parity of a file; None when there is none."""
        path = self.parity_path_of(content_hash)
        with disk_trouble(path, "read"):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def remove_parity(self, content_hash: str) -> int:
        """Delete the parity of a file; returns its bytes, 0 when there is none."""
        return self._remove(self.parity_path_of(content_hash))

    def set_aside(self, content_hash: str) -> None:
        """Rename a file to NAME.damaged, out of the archive's sight but not lost; no error when there is
        none."""
        path = self.path_of(content_hash)
        with disk_trouble(path, "renamed"), suppress(FileNotFoundError):
            path.replace(path.with_name(path.name + ".damaged"))

    def remove(self, content_hash: str) -> int:
        """Delete a file for good, and its parity; returns its own bytes, 0 when there is none."""
        self.remove_parity(content_hash)
        return self._remove(self.path_of(content_hash))

    @staticmethod
    def _remove(path: Path) -> int:
        with disk_trouble(path, "deleted"):
            try:
                size = path.stat().st_size
                path.unlink()
            except FileNotFoundError:
                return 0
            files.sync_folder(path.parent)
        return size

    def hashes(self) -> Iterator[str]:
        """The content hashes of all files, in order."""
        for entry in self._entries():
            name = entry.name.removesuffix(SUFFIX)
            if entry.name.endswith(SUFFIX) and _HASH.fullmatch(name):
                yield name

    def leftovers(self) -> Iterator[Path]:
        """Temporary files of interrupted writes. Those of a running writer look the same: hold the lock to
        act on them."""
        return (Path(e) for e in self._entries() if e.name.endswith(files.TEMPORARY))

    def remove_leftovers(self) -> int:
        """Delete what interrupted writes left; returns how many files. Only for the holder of the writer
        lock."""
        count = 0
        for path in self.leftovers():
            with disk_trouble(path, "deleted"):
                path.unlink(missing_ok=True)
            count += 1
        return count

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        with disk_trouble(self.root, "listed"):
            if not self.root.is_dir():
                return
            for folder in sorted(p for p in self.root.iterdir() if p.is_dir()):
                with os.scandir(folder) as entries:
                    yield from sorted(entries, key=lambda e: e.name)


def write_whole(path: Path, data: bytes) -> None:
    """`files.write_atomically` with ArchiveError for trouble with the disk."""
    with disk_trouble(path, "written"):
        files.write_atomically(path, data)


@contextmanager
def disk_trouble(path: Path, done: str) -> Iterator[None]:
    """Turn OSError into ArchiveError that names the file, what could not be done with it, and what to do."""
    try:
        yield
    except OSError as e:
        if isinstance(e, FileNotFoundError):
            advice = f"see what else is missing with: {Remedy.CHECK}"
        elif e.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "free some space and run it again"
        else:
            advice = "check the disk and its permissions"
        raise ArchiveError(f"{path}: cannot be {done} ({e.strerror or e}); {advice}") from e
