"""Strings of bytes of many things, one after another in one array, so that no object of each has to be
made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NONE = -1
"""The size of what is None."""


@dataclass(frozen=True)
class Blobs:
    """``data``: uint8, the bytes of all; ``sizes``: int64[n], how many each has, or NONE, which has none."""

    data: NDArray[np.uint8]
    sizes: NDArray[np.int64]

    def __len__(self) -> int:
        return self.sizes.size

    @classmethod
    def of(cls, each: Sequence[bytes | None] | Blobs) -> Blobs:
        """Those of a sequence; blobs as they are."""
        if isinstance(each, Blobs):
            return each
        there = [one for one in each if one is not None]
        sizes = np.fromiter((NONE if one is None else len(one) for one in each), np.int64, len(each))
        return cls(np.frombuffer(b"".join(there), np.uint8), sizes)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many bytes each has, int64[n]; 0 where it is None."""
        return np.maximum(self.sizes, 0)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which are not None, bool[n]."""
        return np.asarray(self.sizes != NONE)

    def some(self, chosen: NDArray[np.bool_]) -> Blobs:
        """Those that are chosen, bool[n]."""
        return Blobs(self.data[np.repeat(chosen, self.lengths)], self.sizes[chosen])

    def each(self) -> list[bytes | None]:
        """One by one."""
        data, ends = self.data.tobytes(), np.cumsum(self.lengths).tolist()
        sizes = self.sizes.tolist()
        return [None if n == NONE else data[end - n : end] for n, end in zip(sizes, ends, strict=True)]

    def whole(self) -> list[bytes]:
        """Those that are not None, one by one."""
        return [one for one in self.each() if one is not None]


class Gathered:
    """Blobs that come in any order, to be handed out in another one."""

    def __init__(self, count: int, nothing: bytes | None) -> None:
        """``nothing``: what is told of those that do not come."""
        self._data = bytearray(nothing or b"")
        self._starts = np.zeros(count, np.int64)
        self._sizes = np.full(count, NONE if nothing is None else len(nothing), np.int64)

    def put(self, places: NDArray[np.intp], blobs: Blobs) -> None:
        """Blobs of some places, each of which comes once."""
        lengths = blobs.lengths
        self._starts[places] = len(self._data) + np.cumsum(lengths) - lengths
        self._sizes[places] = blobs.sizes
        self._data += blobs.data.data

    @property
    def nbytes(self) -> int:
        """Of all together."""
        return len(self._data)

    def parts(self, count: int, together: Callable[..., Any] | None = None) -> Iterable[Blobs]:
        """All of them in the order of their places, ``count`` at a time. ``together``: :func:`put_together`,
        compiled, if that pays."""
        data = np.frombuffer(self._data, np.uint8)
        for begin in range(0, self._sizes.size, count):
            sizes, starts = self._sizes[begin : begin + count], self._starts[begin : begin + count]
            lengths = np.maximum(sizes, 0)
            if together is None:
                both = zip(starts.tolist(), lengths.tolist(), strict=True)
                whole = b"".join([data.data[start : start + length] for start, length in both])
                found = np.frombuffer(whole, np.uint8)
            else:
                found = np.empty(int(lengths.sum()), np.uint8)
                together(data, starts, lengths, found)
            yield Blobs(found, sizes)


def put_together(data: Any, starts: Any, lengths: Any, found: Any) -> None:
    """Some stretches of ``data`` one after another into ``found``: a loop in the part of Python that numba
    compiles."""
    at = 0
    for i in range(starts.size):
        part, to = data[starts[i] : starts[i] + lengths[i]], found[at : at + lengths[i]]
        for k in range(part.size):
            to[k] = part[k]
        at += lengths[i]
