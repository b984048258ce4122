"""Objects in a bucket: S3 and what speaks as it does, Google Cloud Storage, Azure's Blob Storage (obstore, an
extra).

A part of an object is one request for that range of bytes. Requests that the service refuses for the moment,
that take too long, or whose answer ends too early, are made again, after pauses that grow. What was put there
is compared with what the service says of it: with its MD5 where it tells that, and otherwise it is read
again. Who may do so is for the service's own settings in the environment (AWS_ACCESS_KEY_ID and so on).

The starts of objects that were read are kept for some seconds: a page of photos asks for the header, the
label map and the compact image of each one after the other, and all that is one request. What looks at an
object first, as a check does, has no start of an earlier one.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from dsslic_search.archive.objects import Looks, Objects
from dsslic_search.core.cached import cached_property
from dsslic_search.core.errors import ArchiveError, MissingExtraError, Remedy, UsageError
from dsslic_search.core.files import BUCKETS

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = BUCKETS

_URL = re.compile(rf"({'|'.join(SCHEMES)})://([A-Za-z0-9][A-Za-z0-9._-]*)((?:/[A-Za-z0-9._=+-]+)*)/?")
_MD5 = re.compile(r'"?([0-9a-f]{32})"?')
FRESH_SECONDS = 5.0
STARTS_KEPT = 256  # of 64 KiB at most

NO_BUCKET = "no such bucket"
_WRITES = 3  # of one object, of which the service says, or gives back, something else


@dataclass(frozen=True)
class Patience:
    """``timeout``: seconds for one request. ``retries``: how often one is made again, after ``pause`` seconds
    and each time twice as long, up to ``longest``."""

    timeout: float = 60
    retries: int = 6
    pause: float = 0.2
    longest: float = 15


PATIENCE = Patience()


def checked_url(url: str) -> str:
    """The URL of a place in a bucket as archives keep it, without a "/" at its end. UsageError where it is
    not one."""
    found = _URL.fullmatch(url)
    if found is None or ".." in url:
        raise UsageError(
            f"{url}: not a place in a bucket; write it like s3://bucket/prefix (or with "
            f"{' or '.join(SCHEMES[1:])}; of letters, digits and . _ = + -)"
        )
    return f"{found[1]}://{found[2]}{found[3]}"


@cache
def open_bucket(url: str) -> Bucket:
    """The objects under a URL, with connections that are kept. Asks the service nothing yet."""
    return Bucket(checked_url(url), PATIENCE)


@dataclass(frozen=True)
class _Start:
    """The first bytes of an object; ``until`` when they may be taken for it, by `time.monotonic`."""

    data: bytes
    size: int
    e_tag: str | None
    until: float


class Bucket(Objects):
    """Objects under a URL. Safe to use from several threads."""

    at_once = 16
    ahead = 1 << 16

    def __init__(self, url: str, patience: Patience) -> None:
        self.url = url
        self.patience = patience
        self._starts: OrderedDict[str, _Start] = OrderedDict()
        self._turn = threading.Lock()

    @cached_property
    def store(self) -> ObjectStore:
        """What speaks to the service. Methods ask for it before they import obstore, since it says what to
        install where that is not there."""
        try:
            from obstore.exceptions import BaseError
            from obstore.store import from_url
        except ImportError as e:
            raise MissingExtraError(
                "files in a bucket need an extra package: pip install 'dsslic-search[objects]'"
            ) from e
        patience = self.patience
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        plain: Any = {"allow_http": True} if endpoint.startswith("http://") else {}
        opened: Any = from_url  # its overloads know no general settings
        try:
            store: ObjectStore = opened(
                self.url,
                client_options={"timeout": timedelta(seconds=patience.timeout), **plain},
                retry_config={
                    "max_retries": patience.retries,
                    "backoff": {
                        "init_backoff": timedelta(seconds=patience.pause),
                        "max_backoff": timedelta(seconds=patience.longest),
                        "base": 2,
                    },
                    "retry_timeout": timedelta(seconds=patience.timeout * (patience.retries + 1)),
                },
            )
        except BaseError as e:
            raise ArchiveError(f"{self.url}: cannot be opened ({first_line(e)}); check its address") from e
        return store

    def where(self, name: str) -> str:
        return f"{self.url}/{name}"

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        store = self.store
        import obstore

        if end is not None and end <= start:
            return b""
        known = self._start(name)
        if (
            known is not None
            and end is not None
            and (end <= len(known.data) or known.size == len(known.data))
        ):
            return known.data[start:end]
        wanted: Any = {}
        if start or end is not None:
            wanted = {"range": {"offset": start} if end is None else (start, end)}
        with self._trouble(name, "read"):
            try:
                found = obstore.get(store, name, options=wanted)
                data = bytes(found.bytes())
            except FileNotFoundError:
                raise
            except Exception:
                # of an object that is no longer than `start` there is no such range
                looks = self.looks(name) if wanted else None
                if looks is None or looks.size > start:
                    raise
                return b""
        if not start and end is not None and end <= self.ahead:
            until = time.monotonic() + FRESH_SECONDS
            self._keep(name, _Start(data, found.meta["size"], found.meta["e_tag"], until))
        return data

    def _start(self, name: str) -> _Start | None:
        with self._turn:
            known = self._starts.get(name)
            return known if known is not None and time.monotonic() < known.until else None

    def _keep(self, name: str, start: _Start | None) -> None:
        with self._turn:
            self._starts.pop(name, None)
            if start is not None:
                self._starts[name] = start
                if len(self._starts) > STARTS_KEPT:
                    self._starts.popitem(last=False)

    def write(self, name: str, data: bytes) -> None:
        store = self.store
        import obstore

        for _ in range(_WRITES):
            with self._trouble(name, "written"):
                # in one request, which is there whole or not at all
                told = obstore.put(store, name, data, use_multipart=False)
            self._keep(name, None)
            if self._is_there(name, data, told["e_tag"]):
                return
        raise ArchiveError(
            f"{self.where(name)}: the service keeps other bytes than it was given, {_WRITES} times; nothing "
            "was said to be stored; check the connection, and run it again"
        )

    def _is_there(self, name: str, data: bytes, e_tag: str | None) -> bool:
        found = _MD5.fullmatch(e_tag or "")
        if found is not None and found[1] == hashlib.md5(data, usedforsecurity=False).hexdigest():
            return True
        return self.read(name) == data

    def looks(self, name: str) -> Looks | None:
        store = self.store
        import obstore

        with self._trouble(name, "looked at"):
            try:
                told = obstore.head(store, name)
            except FileNotFoundError:
                self._keep(name, None)
                return None
        known = self._start(name)
        if known is not None and (known.size, known.e_tag) != (told["size"], told["e_tag"]):
            self._keep(name, None)
        modified = told["last_modified"]
        modified_ns = int(modified.timestamp()) * 1_000_000_000 + modified.microsecond * 1_000
        return Looks(told["size"], modified_ns, told["e_tag"] or f"{modified_ns}")

    def remove(self, name: str) -> int:
        store = self.store
        import obstore

        looks = self.looks(name)
        if looks is None:
            return 0
        with self._trouble(name, "deleted"):
            obstore.delete(store, name)
        self._keep(name, None)
        return looks.size

    def set_aside(self, name: str) -> None:
        store = self.store
        import obstore

        if self.looks(name) is not None:
            with self._trouble(name, "renamed"):
                obstore.rename(store, name, name + ".damaged")
            self._keep(name, None)

    def names(self, folder: str = "") -> Iterator[str]:
        store = self.store
        import obstore
        from obstore.exceptions import GenericError

        last: str | None = None
        within = folder or None
        listed = obstore.list(store, within)
        left, pause = self.patience.retries, self.patience.pause
        while True:
            with self._trouble("", "listed"):
                try:
                    part = next(listed, None)
                except GenericError:  # of a list that ends too early, unlike an object, obstore asks no more
                    if not left:
                        raise
                    time.sleep(pause)
                    left, pause = left - 1, min(2 * pause, self.patience.longest)
                    listed = obstore.list(store, within, offset=last)
                    continue
            if part is None:
                return
            if part:
                last = part[-1]["path"]
            yield from (each["path"] for each in part)

    @contextmanager
    def _trouble(self, name: str, done: str) -> Iterator[None]:
        try:
            with as_of_a_disk():
                yield
        except OSError as e:
            if isinstance(e, FileNotFoundError) or e.strerror == NO_BUCKET:
                why = f"(no such object, or no such bucket); see what else is missing with: {Remedy.CHECK}"
            elif isinstance(e, PermissionError):
                why = f"since {e.strerror}"
            else:
                why = f"({e.strerror}); check the connection and the service, and run it again"
            raise ArchiveError(f"{self.where(name)}: cannot be {done} {why}") from e


@contextmanager
def as_of_a_disk() -> Iterator[None]:
    """Raise what obstore raises as the OSError that a disk would: FileNotFoundError, PermissionError, and
    else OSError, whose ``strerror`` says what it is (NO_BUCKET where a list says so)."""
    from obstore.exceptions import (
        BaseError,
        NotFoundError,
        PermissionDeniedError,
        UnauthenticatedError,
    )

    try:
        yield
    except (FileNotFoundError, NotFoundError) as e:
        raise FileNotFoundError(errno.ENOENT, "no such object") from e
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as e:
        why = "the service does not allow it; check the credentials in the environment and what they may do"
        raise PermissionError(errno.EACCES, why) from e
    except (BaseError, OSError) as e:
        raise OSError(errno.EIO, NO_BUCKET if says_no_bucket(e) else first_line(e)) from e


def says_no_bucket(error: Exception) -> bool:
    """Whether that is why a list failed."""
    return "status code: 404" in str(error)


def first_line(error: Exception) -> str:
    """What obstore says, without the rest that is for programmers."""
    return str(error).strip().partition("\n")[0].strip()
