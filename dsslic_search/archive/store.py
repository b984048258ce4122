"""The .dsslic files of an archive, by the SHA-256 of the original photo's bytes, on a disk or in a bucket.

A file is either wholly there or not at all, see `archive.objects`. Whatever an interruption leaves on a disk
is a temporary file, which the next writer removes.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dsslic_search.archive.disk import disk_trouble
from dsslic_search.archive.objects import Folder, Looks, Objects
from dsslic_search.core.cached import cached_property

if TYPE_CHECKING:
    from concurrent.futures import Future

SUFFIX = ".dsslic"
PARITY_SUFFIX = ".parity"

_HASH = re.compile(r"[0-9a-f]{64}")

Key = TypeVar("Key")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Store:
    """Object files under ``root``, a folder or the URL of a bucket, in 256 folders. All methods raise
    ArchiveError for trouble with the disk or the bucket."""

    root: Path | str

    @cached_property
    def objects(self) -> Objects:
        """What holds them."""
        if isinstance(self.root, Path):
            return Folder(self.root)
        from dsslic_search.archive.bucket import open_bucket

        return open_bucket(self.root)

    @property
    def is_here(self) -> bool:
        """Whether they are files of this machine."""
        return isinstance(self.objects, Folder)

    @property
    def ahead(self) -> int:
        """So many bytes from a file's start take no longer to read than fewer do."""
        return self.objects.ahead

    def each(self, keys: Iterable[Key], make: Callable[[Key], Made]) -> Iterator[Made]:
        """What ``make``, which reads a file of the store, makes of each key, in their order; of a bucket some
        at once."""
        if self.objects.at_once == 1:
            yield from map(make, keys)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self.objects.at_once, "dss-bucket") as pool:
            flying: deque[Future[Made]] = deque()
            try:
                for key in keys:
                    flying.append(pool.submit(make, key))
                    if len(flying) > 2 * self.objects.at_once:
                        yield flying.popleft().result()
                while flying:
                    yield flying.popleft().result()
            finally:
                for left in flying:
                    left.cancel()

    def where(self, content_hash: str) -> str:
        """What people know a file by: its path or its URL."""
        return self.objects.where(_name(content_hash))

    def path_of(self, content_hash: str) -> Path:
        """Where the file of a photo is on this machine, or would be. Raises ValueError unless given 64
        lower-case hex digits, and where they are in a bucket."""
        return self._path(_name(content_hash))

    def write(self, content_hash: str, data: bytes) -> None:
        """Store ``data``, replacing what was there; there for good when this returns."""
        self.objects.write(_name(content_hash), data)

    def read_prefix(self, content_hash: str, n: int, *, start: int = 0) -> bytes:
        """Bytes ``start`` to ``n`` of a file (fewer if it is shorter), reading no other byte of it."""
        return self.objects.read(_name(content_hash), start, n)

    def read(self, content_hash: str) -> bytes:
        """A whole file."""
        return self.objects.read(_name(content_hash))

    def looks(self, content_hash: str) -> Looks | None:
        """What a file looks like; None when there is none."""
        return self.objects.looks(_name(content_hash))

    def size_of(self, content_hash: str) -> int | None:
        """Bytes of a file; None when there is none."""
        looks = self.looks(content_hash)
        return None if looks is None else looks.size

    def parity_path_of(self, content_hash: str) -> Path:
        """Where the parity of a file is on this machine, or would be; see `archive.parity`."""
        return self._path(_parity(content_hash))

    def where_parity(self, content_hash: str) -> str:
        """What people know the parity of a file by."""
        return self.objects.where(_parity(content_hash))

    def has_parity(self, content_hash: str) -> bool:
        """Whether there is one."""
        return self.objects.looks(_parity(content_hash)) is not None

    def write_parity(self, content_hash: str, data: bytes) -> None:
        """Store the parity of a file that is there."""
        self.objects.write(_parity(content_hash), data)

    def read_parity(self, content_hash: str) -> bytes | None:
        """The parity of a file; None when there is none."""
        if not self.has_parity(content_hash):
            return None
        return self.objects.read(_parity(content_hash))

    def remove_parity(self, content_hash: str) -> int:
        """Delete the parity of a file; returns its bytes, 0 when there is none."""
        return self.objects.remove(_parity(content_hash))

    def set_aside(self, content_hash: str) -> None:
        """Rename a file to NAME.damaged, out of the archive's sight but not lost; no error when there is
        none."""
        self.objects.set_aside(_name(content_hash))

    def remove(self, content_hash: str) -> int:
        """Delete a file for good, and its parity; returns its own bytes, 0 when there is none."""
        self.remove_parity(content_hash)
        return self.objects.remove(_name(content_hash))

    def hashes(self) -> Iterator[str]:
        """The content hashes of all files, in order."""
        for name in self.objects.names():
            content_hash = name.rpartition("/")[2].removesuffix(SUFFIX)
            if name.endswith(SUFFIX) and _HASH.fullmatch(content_hash):
                yield content_hash

    def leftovers(self) -> Iterator[Path]:
        """Temporary files of interrupted writes, which a bucket has none of. Those of a running writer look
        the same: hold the lock to act on them."""
        return self.objects.leftovers() if isinstance(self.objects, Folder) else iter(())

    def remove_leftovers(self) -> int:
        """Delete what interrupted writes left; returns how many files. Only for the holder of the writer
        lock."""
        count = 0
        for path in self.leftovers():
            with disk_trouble(path, "deleted"):
                path.unlink(missing_ok=True)
            count += 1
        return count

    def _path(self, name: str) -> Path:
        if not isinstance(self.objects, Folder):
            raise ValueError(f"{self.objects.where(name)}: no file of this machine")
        return self.objects.path_of(name)


def _name(content_hash: str) -> str:
    if not _HASH.fullmatch(content_hash):
        raise ValueError(f"not a SHA-256 in hex: {content_hash!r}")
    return f"{content_hash[:2]}/{content_hash}{SUFFIX}"


def _parity(content_hash: str) -> str:
    return _name(content_hash).removesuffix(SUFFIX) + PARITY_SUFFIX
