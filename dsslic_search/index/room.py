"""Memory for what is unpacked or put together from the files of indexes: kept for the next question as long
as there is room, and then what was not used for longest goes first."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any, TypeVar

from numpy.typing import NDArray

ROOM_BYTES = 1 << 30  # of all indexes that a process has open, together

Value = TypeVar("Value")
_Place = tuple[int, Hashable]


class Room:
    """At most about ``nbytes`` of values, each made by its owner, of which it is forgotten with the owner."""

    def __init__(self, nbytes: int = ROOM_BYTES) -> None:
        self.nbytes = nbytes
        self.taken = 0
        self._values: OrderedDict[_Place, tuple[Any, int]] = OrderedDict()
        self._places: dict[int, set[_Place]] = {}
        self._lock = RLock()

    def get(self, owner: object, key: Hashable, make: Callable[[], Value], nbytes: int = 0) -> Value:
        """The owner's value of a key: as it was kept, or made now. ``nbytes``: what it takes, but for what
        :meth:`grew` tells."""
        place = id(owner), key
        with self._lock:
            if (known := self._values.get(place)) is not None:
                self._values.move_to_end(place)
                value: Value = known[0]
                return value
        value = make()  # two threads may make it at once: either will do
        with self._lock:
            if id(owner) not in self._places:
                self._places[id(owner)] = set()
                weakref.finalize(owner, self._forget, id(owner)).atexit = False
            self._places[id(owner)].add(place)
            self._drop(place)
            self._values[place] = value, 0
            self.grew(owner, key, nbytes)
        return value

    def array(self, owner: object, key: Hashable, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """As :meth:`get`, of an array, which is read-only from then on."""

        def made() -> NDArray[Any]:
            array = make()
            array.flags.writeable = False
            return array

        found = self.get(owner, key, made)
        with self._lock:
            value, counted = self._values.get((id(owner), key), (None, 0))
            if value is found and not counted:
                self.grew(owner, key, found.nbytes)
        return found

    def grew(self, owner: object, key: Hashable, nbytes: int) -> None:
        """A value takes so many bytes more. Others go if there is no room for them."""
        place = id(owner), key
        with self._lock:
            if place not in self._values:
                return
            value, before = self._values[place]
            self._values[place] = value, before + nbytes
            self.taken += nbytes
            while self.taken > self.nbytes and len(self._values) > 1:
                oldest = next(iter(self._values))
                if oldest == place:
                    self._values.move_to_end(place)
                    continue
                self._drop(oldest)

    def _drop(self, place: _Place) -> None:
        self.taken -= self._values.pop(place, (None, 0))[1]

    def _forget(self, owner: int) -> None:
        with self._lock:
            for place in self._places.pop(owner, ()):
                self._drop(place)


ROOM = Room()
