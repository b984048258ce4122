"""Photos in a bucket that are not the archive's own objects, by the questions that `os` answers of those on
disks.

A bucket has no folders; one is there where something lies in it. Trouble is an OSError, whose ``strerror``
says what it is, so that it stays that of one file or folder, as trouble with a disk does.
"""

from __future__ import annotations

import errno
import hashlib
import stat as modes
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from dsslic_search.archive.bucket import Bucket, as_of_a_disk, open_bucket, says_no_bucket

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

_NS = 1_000_000_000


class Status(NamedTuple):
    """What `os.stat_result` says of a file. ``st_mtime_ns``: services tell whole seconds; the rest stands
    for the ETag, so that it is another number whenever the object is another one. ``st_dev`` and ``st_ino``:
    alike for one URL alone."""

    st_mode: int
    st_size: int
    st_mtime_ns: int
    st_dev: int
    st_ino: int

    @property
    def st_mtime(self) -> float:
        """When it was put there, in whole seconds."""
        return float(self.st_mtime_ns // _NS)


@dataclass(frozen=True)
class Entry:
    """What `os.DirEntry` is; ``path``: as `core.files` has it, "s3:/bucket/…"."""

    name: str
    path: str
    status: Status

    def is_dir(self) -> bool:
        return modes.S_ISDIR(self.status.st_mode)

    def is_symlink(self) -> bool:
        return False

    def stat(self) -> Status:
        return self.status


def stat(path: PurePath | str) -> Status:
    """Of an object, or of what lies under a prefix as a folder's; FileNotFoundError where neither is."""
    store, key = _place(path)
    import obstore

    with as_of_a_disk():
        if key:
            try:
                return _status(path, obstore.head(store, key))
            except FileNotFoundError:
                pass
        # of a bucket that is not there only a list tells that
        anything = next(obstore.list(store, key or None, chunk_size=1), None)
    if key and not anything:
        raise FileNotFoundError(errno.ENOENT, "no such object")
    return _folder(path)


def listed(folder: PurePath | str) -> list[Entry]:
    """What lies in a folder, by name; nothing where there is none."""
    store, key = _place(folder)
    import obstore
    from obstore.exceptions import GenericError

    patience = _bucket(folder).patience
    left, pause = patience.retries, patience.pause
    while True:
        with as_of_a_disk():
            try:
                found = obstore.list_with_delimiter(store, key or None)
            except GenericError as e:  # of a list that ends too early, unlike an object, obstore asks no more
                if says_no_bucket(e) or not left:
                    raise
                time.sleep(pause)
                left, pause = left - 1, min(2 * pause, patience.longest)
                continue
        break
    top = str(folder).rstrip("/")
    entries = []
    for prefix in found["common_prefixes"]:
        name = prefix.rpartition("/")[2]
        entries.append(Entry(name, f"{top}/{name}", _folder(f"{top}/{name}")))
    for told in found["objects"]:
        name = told["path"].rpartition("/")[2]
        entries.append(Entry(name, f"{top}/{name}", _status(f"{top}/{name}", told)))
    return sorted(entries, key=lambda e: e.name)


def read(path: PurePath | str, most: int) -> tuple[Status, bytes]:
    """An object, in one request; of one of more than ``most`` bytes none of them."""
    store, key = _place(path)
    import obstore

    with as_of_a_disk():
        got = obstore.get(store, key)
        status = _status(path, got.meta)
        return status, b"" if status.st_size > most else bytes(got.bytes())


class Opened:
    """An object of which parts are read, each in a request; OSError where it is another one by then."""

    def __init__(self, path: PurePath | str) -> None:
        self._store, self._key = _place(path)
        import obstore

        with as_of_a_disk():
            self._told = obstore.head(self._store, self._key)
        self._at = 0

    def seek(self, at: int) -> None:
        """Go to a byte."""
        self._at = at

    def read(self, size: int) -> bytes:
        """So many bytes from there, or fewer where it ends."""
        import obstore

        end = min(self._at + size, self._told["size"])
        if end <= self._at:
            return b""
        options: Any = {"range": (self._at, end)}
        if self._told["e_tag"] is not None:
            options["if_match"] = self._told["e_tag"]
        with as_of_a_disk():
            data = bytes(obstore.get(self._store, self._key, options=options).bytes())
        self._at += len(data)
        return data


def identity(path: PurePath | str) -> tuple[int, int]:
    """``st_dev`` and ``st_ino``; asks the service nothing."""
    scheme, bucket, key = _parts(path)
    return _number(f"{scheme}:{bucket}"), _number(key)


def _parts(path: PurePath | str) -> tuple[str, str, str]:
    scheme, _, rest = str(path).partition(":")
    bucket, _, key = rest.lstrip("/").partition("/")
    return scheme, bucket, key.rstrip("/")


def _bucket(path: PurePath | str) -> Bucket:
    scheme, bucket, _ = _parts(path)
    return open_bucket(f"{scheme}://{bucket}")


def _place(path: PurePath | str) -> tuple[ObjectStore, str]:
    """The store and the object's name; MissingExtraError without the extra."""
    return _bucket(path).store, _parts(path)[2]


def _folder(path: PurePath | str) -> Status:
    return Status(modes.S_IFDIR, 0, 0, *identity(path))


def _status(path: PurePath | str, told: ObjectMeta) -> Status:
    when: datetime = told["last_modified"]
    within = _number(told["e_tag"] or "") % _NS
    return Status(modes.S_IFREG, told["size"], int(when.timestamp()) * _NS + within, *identity(path))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
