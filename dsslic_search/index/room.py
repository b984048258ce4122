"""Memory for what is unpacked or put together from the files of indexes: kept for the next question as long
as there is room, and then what was not used for longest goes first."""

from __future__ import annotations

import contextlib
import mmap
import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

HUGE_PAGE = 1 << 21
HUGE_FROM = 3 << 19
"""Bytes from which on an array is laid on huge pages: to touch memory for the first time takes the system as
long a page of 4 KiB as unpacking a thousand numbers."""
BALLOONS = Path("/sys/bus/virtio/drivers/virtio_balloon")
REPORTING = 5  # the feature of a balloon by which a virtual machine gives free pages back to its host
ROOM_BYTES = 15 << 26  # a gigabyte, of all indexes that a process has open, together

Value = TypeVar("Value")


def zeros(count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """As numpy's, of one dimension, for arrays that are kept: on huge pages where these are to be had at
    once."""
    nbytes = count * dtype.itemsize
    if nbytes < HUGE_FROM or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.zeros(count, dtype)
    pages = mmap.mmap(-1, -(-nbytes // HUGE_PAGE) * HUGE_PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a system without them
        pages.madvise(mmap.MADV_NOHUGEPAGE if gives_back(BALLOONS) else mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, dtype, count)


@cache
def gives_back(balloons: Path) -> bool:
    """Whether this is a virtual machine that gives free memory back to its host, in pieces of huge pages: to
    have one again takes it milliseconds, several times as long as the small pages that it kept."""
    try:
        told = [each.read_text() for each in balloons.glob("virtio*/features")]
    except OSError:
        return False
    return any(features[REPORTING : REPORTING + 1] == "1" for features in told)


_Place = tuple[int, Hashable]


@dataclass
class _Kept:
    """A value, what it takes, and when it was used last, by a count of uses."""

    value: Any
    nbytes: int
    used: int


class Room:
    """At most about ``nbytes`` of values, each made by its owner, of which it is forgotten with the owner."""

    def __init__(self, nbytes: int = ROOM_BYTES) -> None:
        self.nbytes = nbytes
        self.taken = 0
        self._values: dict[_Place, _Kept] = {}
        self._uses = count()
        self._places: dict[int, set[_Place]] = {}
        self._lock = RLock()

    def get(self, owner: object, key: Hashable, make: Callable[[], Value], nbytes: int = 0) -> Value:
        """The owner's value of a key: as it was kept, or made now. ``nbytes``: what it takes, but for what
        :meth:`grew` tells."""
        place = id(owner), key
        if (known := self._values.get(place)) is not None:
            known.used = next(self._uses)
            found: Value = known.value
            return found
        value = make()  # two threads may make it at once: either will do
        with self._lock:
            if id(owner) not in self._places:
                self._places[id(owner)] = set()
                weakref.finalize(owner, self._forget, id(owner)).atexit = False
            self._places[id(owner)].add(place)
            self._drop(place)
            self._values[place] = _Kept(value, 0, next(self._uses))
            self.grew(owner, key, nbytes)
        return value

    def known(self, owner: object, key: Hashable) -> Any:
        """The owner's value of a key, if it is kept; else None."""
        if (known := self._values.get((id(owner), key))) is None:
            return None
        known.used = next(self._uses)
        return known.value

    def array(self, owner: object, key: Hashable, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """As :meth:`get`, of an array, which is read-only from then on."""

        def made() -> NDArray[Any]:
            array = make()
            array.flags.writeable = False
            return array

        found = self.get(owner, key, made)
        kept = self._values.get((id(owner), key))
        if kept is not None and kept.value is found and not kept.nbytes:
            self.grew(owner, key, found.nbytes)
        return found

    def grew(self, owner: object, key: Hashable, nbytes: int) -> None:
        """A value takes so many bytes more. Others go if there is no room for them."""
        place = id(owner), key
        with self._lock:
            if (kept := self._values.get(place)) is None:
                return
            kept.nbytes += nbytes
            self.taken += nbytes
            if self.taken > self.nbytes:
                for other in sorted(self._values.keys() - {place}, key=lambda each: self._values[each].used):
                    self._drop(other)
                    if self.taken <= self.nbytes:
                        break

    def _drop(self, place: _Place) -> None:
        if (kept := self._values.pop(place, None)) is not None:
            self.taken -= kept.nbytes

    def _forget(self, owner: int) -> None:
        with self._lock:
            for place in self._places.pop(owner, ()):
                self._drop(place)


ROOM = Room()
