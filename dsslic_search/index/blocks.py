"""The blocks of an index's file: compared with their sums when something in them is looked at first, and
unpacked, where they are packed, when they are asked for."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.cached import cached_property
from dsslic_search.core.mapping import leave
from dsslic_search.index.packing import BLOCK_VALUES, HEAD, Packed
from dsslic_search.index.room import ROOM, zeros
from dsslic_search.index.source import Stale

BLOCK = 1 << 16
"""Bytes that have a sum."""

Identity = tuple[int, int, int]
"""Of a file: device, number on it, and when it was changed, nanoseconds since 1970."""

DAMAGED: set[Identity] = set()
"""Files that were found to be damaged: where the disk cannot be written they stay there."""


class Damaged(Stale):
    """A file of an index is not as it was written. It counts as not there from now on, so that it is built
    anew."""


class Blocks:
    """The sums of a file's blocks, and which of these were compared with them."""

    def __init__(
        self, name: str, identity: Identity, content: NDArray[np.uint8], sums: NDArray[np.uint32]
    ) -> None:
        self._name = name
        self._identity = identity
        self._content = content
        self._first = content.ctypes.data
        self._sums = sums
        self._sound = bytearray(sums.size)

    def damaged(self) -> Damaged:
        """What to raise for a file that is not as it was written."""
        DAMAGED.add(self._identity)
        return Damaged(self._name)

    def check(self, part: NDArray[Any]) -> None:
        start = part.__array_interface__["data"][0] - self._first
        first, last = start // BLOCK, (start + part.nbytes - 1) // BLOCK
        number = self._sound.find(0, first, last + 1)
        while number >= 0:
            if zlib.crc32(self._content[number * BLOCK : (number + 1) * BLOCK].data) != self._sums[number]:
                raise self.damaged()
            self._sound[number] = 1
            number = self._sound.find(0, number + 1, last + 1)


class _Values(NamedTuple):
    """Room for values, not touched yet; the same as the array is seen; and which blocks are there."""

    values: NDArray[Any]
    shown: NDArray[Any]
    there: bytearray


class Unpacked:
    """A packed array of a file, unpacked as far as it was asked for, while there is room."""

    def __init__(
        self, stored: NDArray[np.uint8], dtype: np.dtype[Any], shape: tuple[int, ...], blocks: Blocks
    ) -> None:
        self.stored = stored
        self.shape = shape
        self.size = int(np.prod(shape))
        self._dtype = dtype
        self._blocks = blocks

    def parts(self, bounds: Iterable[tuple[int, int]]) -> NDArray[Any]:
        """The array, of which the values of the ``bounds`` are there, of all one after another."""
        kept = ROOM.get(self, "values", self._nothing)
        for start, stop in bounds:
            if missing := _missing(kept.there, start, stop):
                self._fill(kept, missing)
        return kept.shown

    def missing(self, start: int, stop: int) -> list[int]:
        """The blocks of these values that are not there."""
        return _missing(ROOM.get(self, "values", self._nothing).there, start, stop)

    def unpack(self, numbers: Sequence[int]) -> None:
        """Unpack blocks, rising, to be kept. Two threads may do it at once: they write the same."""
        self._fill(ROOM.get(self, "values", self._nothing), numbers)

    def _fill(self, kept: _Values, numbers: Sequence[int]) -> None:
        """Unpack blocks into values that may not be kept any more."""
        nbytes = 0
        for number in numbers:
            part = kept.values[number * BLOCK_VALUES : (number + 1) * BLOCK_VALUES]
            self._block(number, part)
            kept.there[number] = 1
            nbytes += part.nbytes
        self._leave(numbers)
        ROOM.grew(self, "values", nbytes)

    def taken(self, start: int, stop: int) -> NDArray[Any]:
        """Values, unpacked for once where they are not kept."""
        kept: _Values | None = ROOM.known(self, "values")
        if kept is not None and stop > start and not _missing(kept.there, start, stop):
            return np.asarray(kept.shown.reshape(-1)[start:stop])  # read-only, as what loops are compiled for
        found = np.empty(max(stop - start, 0), self._dtype)
        for first in range(start - start % BLOCK_VALUES, stop, BLOCK_VALUES):
            last = min(first + BLOCK_VALUES, self.size)
            here = slice(max(first, start) - first, min(last, stop) - first)
            out = found[first + here.start - start : first + here.stop - start]
            if here.stop - here.start == last - first:
                self._block(first // BLOCK_VALUES, out)
            else:
                whole = np.empty(last - first, self._dtype)
                self._block(first // BLOCK_VALUES, whole)
                out[:] = whole[here]
        found.flags.writeable = False
        if found.size:
            self._leave((start // BLOCK_VALUES, (stop - 1) // BLOCK_VALUES))
        return found

    def _leave(self, numbers: Sequence[int]) -> None:
        """Give back the mapped memory of blocks, rising, and of what is between them."""
        starts = self._packed.starts
        leave(self.stored[starts[numbers[0]] : starts[numbers[-1] + 1]])

    def _nothing(self) -> _Values:
        values = zeros(self.size, self._dtype)
        shown = values.reshape(self.shape)
        shown.flags.writeable = False
        return _Values(values, shown, bytearray(-(-self.size // BLOCK_VALUES)))

    def _block(self, number: int, out: NDArray[Any]) -> None:
        packed = self._packed
        self._blocks.check(self.stored[packed.starts[number] : packed.starts[number + 1]])
        try:
            packed.block(number, out)
        except (ValueError, IndexError, TypeError, struct.error):
            raise self._blocks.damaged() from None

    @cached_property
    def _packed(self) -> Packed:
        self._blocks.check(self.stored[: HEAD.size])
        head = Packed.head_bytes(self.stored)
        if head > self.stored.size:
            raise self._blocks.damaged()
        self._blocks.check(self.stored[:head])
        found = Packed(self.stored)
        inside = (found.starts >= 0) & (found.starts <= self.stored.size)
        if found.starts.size <= -(-self.size // BLOCK_VALUES) or not inside.all():
            raise self._blocks.damaged()
        return found


def _missing(there: bytearray, start: int, stop: int) -> list[int]:
    """The blocks of some values that are not ``there``."""
    first, last = start // BLOCK_VALUES, (stop - 1) // BLOCK_VALUES
    return [number for number in range(first, last + 1 if stop > start else first) if not there[number]]
