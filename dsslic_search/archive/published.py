"""Indexes that one machine makes and the others take, where they share a catalog and the photos' files.

Who has put many photos in publishes the segments that he joined (`index.segments`). Each of their files is an
object, ``index/`` and the SHA-256 of its bytes; so is a list of their names, hashes and sizes, and its own
hash is the value of a setting. So one row, written at once, publishes all of it. One publishes at a time, and
goes on from what was published before. All that is a cache of the catalog: what is missing, damaged or of a
state that the catalog never had counts as not there, and is made of the catalog as ever.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dsslic_search.archive.store import Store
from dsslic_search.core import files
from dsslic_search.core.errors import ArchiveError, DSSError, MissingExtraError
from dsslic_search.core.plain_json import parsed
from dsslic_search.index import cache
from dsslic_search.index.segment import ROWS
from dsslic_search.index.segments import MANIFEST, names_in

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from dsslic_search.archive.catalog import Catalog

SETTING = "index"
"""The hash of the list of what is published last."""
FOLDER = "index"
LIST = "published.json"
"""The list, in the folder of a machine's indexes, as it was looked at last."""
OURS = "publishing.manifest"
PIECE_BYTES = 1 << 22
MOST_LIST_BYTES = 1 << 26
REST_SECONDS = 60.0
"""For so long nothing is asked of a store that could not be reached: a bucket is waited for with patience,
and a question that needs many files would do so for each."""

TURN_SECONDS = 900.0
"""For another machine that publishes: one that sleeps meanwhile shall keep no other from its work."""

_FORMAT = "dsslic-search indexes"
_HASH = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(rf"[0-9a-f]{{16}}\.[a-z]+|{re.escape(MANIFEST)}")


class Stored(NamedTuple):
    """The SHA-256 of a file, in hex, by which its object is named, and its bytes."""

    hash: str
    size: int


Files = dict[str, Stored]
"""By their names in a folder of indexes."""


@dataclass(frozen=True)
class Published:
    """An `index.segment.Elsewhere`: what other machines have put into a store. ``settings``: those of the
    catalog, as they are now. ``folder``: of this machine's indexes."""

    store: Store
    settings: Callable[[], Mapping[str, str]]
    folder: Path
    _rests: list[float] = field(default_factory=list, repr=False)
    """Until when the store is left alone, by `time.monotonic`, if it could not be reached."""

    # Taking

    def fetch(self, name: str) -> bool:
        stored = self._listed_here().get(name)
        return stored is not None and self._tried(lambda: self._bring(self.folder / name, stored))

    def bring(self, manifest: str) -> bool:
        return self._tried(lambda: self._bring_segments(self.folder / manifest))

    def has(self, segment: str) -> bool:
        of_it = {name for name in self._listed_here() if name.startswith(f"{segment}.")}
        return bool(of_it - {f"{segment}.{ROWS}"})

    def _tried(self, work: Callable[[], bool]) -> bool:
        """What cannot be had is no error; a store that cannot be reached is left alone for a while."""
        if self._rests and time.monotonic() < self._rests[0]:
            return False
        try:
            return work()
        except (DSSError, OSError) as e:
            unreachable = isinstance(e.__cause__, OSError) and not isinstance(e.__cause__, FileNotFoundError)
            if unreachable or isinstance(e, MissingExtraError):
                self._rests[:] = [time.monotonic() + REST_SECONDS]
            return False

    def _bring_segments(self, manifest: Path) -> bool:
        """Bring the manifest that was published last, and rows. Raises ArchiveError and OSError."""
        listed = self._newest()
        if MANIFEST not in listed:
            return False
        if not manifest.exists() or _hash(manifest.read_bytes()) != listed[MANIFEST].hash:
            manifest.unlink(missing_ok=True)
            self._bring(manifest, listed[MANIFEST])
        for name, stored in listed.items():
            if name.endswith(f".{ROWS}"):
                self._bring(self.folder / name, stored)
        return True

    def _newest(self) -> Files:
        """What is published now, of which the list is brought here."""
        digest = self.settings().get(SETTING)
        if digest is None:
            return {}
        path = self.folder / LIST
        if not path.exists() or _hash(path.read_bytes()) != digest:
            data = self._list(digest)
            if data is None:
                return {}
            self.folder.mkdir(parents=True, exist_ok=True)
            files.write_atomically(path, data)
        return self._listed_here()

    def _list(self, digest: str) -> bytes | None:
        """The list of a hash, as it was written; None where it is not there."""
        objects = self.store.objects
        if not _HASH.fullmatch(digest) or objects.looks(_object(digest)) is None:
            return None
        data = objects.read(_object(digest), 0, MOST_LIST_BYTES)
        return data if _hash(data) == digest else None

    def _listed_here(self) -> Files:
        with suppress(OSError):
            return _files_of((self.folder / LIST).read_bytes())
        return {}

    def _bring(self, path: Path, stored: Stored) -> bool:
        """Bring a file, unless it is there, and sound; whether it was brought. Raises ArchiveError and
        OSError."""
        if path.exists() and not cache.is_damaged(path):
            return False
        found = hashlib.sha256()
        with files.replacing(path) as file:
            for piece in self._pieces(stored):
                found.update(piece)
                file.write(piece)
            if found.hexdigest() != stored.hash:
                raise ArchiveError(f"{self.store.objects.where(_object(stored.hash))}: damaged")
        if cache.is_damaged(path):  # as it was published: nobody would ever have done with it
            path.unlink()
            return False
        return True

    def _pieces(self, stored: Stored) -> Iterator[bytes]:
        objects, name = self.store.objects, _object(stored.hash)
        starts = range(0, stored.size, PIECE_BYTES)
        return self.store.each(
            starts, lambda start: objects.read(name, start, min(start + PIECE_BYTES, stored.size))
        )

    # Publishing

    def publish(self, connection: Connection) -> None:
        """Publish what the folder of the indexes has, and delete what nothing names any more. ``connection``:
        that of who publishes, see `publishing`. Raises ArchiveError, OSError and SQLAlchemyError; what was
        published before is as it was then."""
        objects = self.store.objects
        there = set(objects.names(FOLDER))
        listed = self._put(there)
        if listed is None:
            return
        data = _text_of(listed)
        digest = _hash(data)
        if _object(digest) not in there:
            objects.write(_object(digest), data)
        _say(connection, digest)
        for name in _unnamed(there, listed, digest):
            objects.remove(name)
        files.write_atomically(self.folder / LIST, data)

    def _put(self, there: set[str]) -> Files | None:
        """Put the files of the segments of our manifest to what is ``there``; None where there is no
        manifest, or another process has just written another one."""
        own = self.folder / OURS  # as it is now, whoever writes another one meanwhile
        files.write_atomically(own, (self.folder / MANIFEST).read_bytes())
        names = names_in(own)
        if names is None:
            return None
        before = self._listed_here()
        listed = {MANIFEST: self._put_one(own, there)}
        for name, stored in before.items():
            if name.partition(".")[0] in names and _object(stored.hash) in there:
                listed[name] = stored
        for segment in names:
            for path in sorted(self.folder.glob(f"{segment}.*")):
                if path.name not in listed and _FILE.fullmatch(path.name) and not cache.is_damaged(path):
                    listed[path.name] = self._put_one(path, there)
        return listed if all(f"{segment}.{ROWS}" in listed for segment in names) else None

    def _put_one(self, path: Path, there: set[str]) -> Stored:
        data = path.read_bytes()
        stored = Stored(_hash(data), len(data))
        if _object(stored.hash) not in there:
            self.store.objects.write(_object(stored.hash), data)
        return stored

    def unnamed(self) -> list[str]:
        """The names of objects that are published no more, or not yet."""
        there = set(self.store.objects.names(FOLDER))
        digest = self.settings().get(SETTING, "")
        data = self._list(digest) if there else None
        return _unnamed(there, {}, "") if data is None else _unnamed(there, _files_of(data), digest)


@contextmanager
def publishing(published: Published | None, catalog: Catalog) -> Iterator[None]:
    """A block that joins segments to be published when it ends, one such block at a time on all machines;
    where another one does not end, it is not waited for for ever, and nothing is published. That is no error:
    the others make theirs of the catalog."""
    if published is None:
        yield
        return
    from sqlalchemy.exc import SQLAlchemyError

    with catalog.publishing(wait=TURN_SECONDS) as connection:
        yield
        if connection is not None:
            with suppress(ArchiveError, OSError, SQLAlchemyError):
                published.publish(connection)


def leftovers(published: Published | None, catalog: Catalog, *, remove: bool = False) -> list[str]:
    """What people know the objects by that one left who was stopped while he published; none while another is
    at it. ``remove``: delete them. Raises ArchiveError."""
    if published is None:
        return []
    with catalog.publishing(wait=0) as connection:
        names = [] if connection is None else published.unnamed()
        for name in names if remove else ():
            published.store.objects.remove(name)
    return [published.store.objects.where(name) for name in names]


def _say(connection: Connection, digest: str) -> None:
    from sqlalchemy import insert, update

    from dsslic_search.archive.schema import Setting

    changed = update(Setting).where(Setting.name == SETTING).values(value=digest)
    if not connection.execute(changed).rowcount:
        connection.execute(insert(Setting).values(name=SETTING, value=digest))


def _object(digest: str) -> str:
    return f"{FOLDER}/{digest}"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _unnamed(there: set[str], listed: Files, digest: str) -> list[str]:
    named = {_object(each) for each in (digest, *(stored.hash for stored in listed.values()))}
    return sorted(name for name in there - named if _HASH.fullmatch(name.rpartition("/")[2]))


def _text_of(listed: Files) -> bytes:
    return json.dumps({"format": _FORMAT, "version": 1, "files": listed}, sort_keys=True).encode()


def _files_of(data: bytes) -> Files:
    """What :func:`_text_of` wrote; nothing of what is none of it."""
    try:
        told = parsed(data)
        if told["format"] != _FORMAT or told["version"] != 1:
            return {}
        found = {str(name): Stored(*each) for name, each in told["files"].items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
    sound = all(
        _FILE.fullmatch(name)
        and type(each.hash) is str
        and _HASH.fullmatch(each.hash)
        and type(each.size) is int
        and each.size >= 0
        for name, each in found.items()
    )
    return found if sound else {}
