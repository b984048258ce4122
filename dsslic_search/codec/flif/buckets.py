"""Colour buckets: which colours exist, told plane by plane.

There is one bucket for plane 0, one for alpha, one of plane 1 for each value of plane 0, and one of plane 2
for each value of plane 0 and each four values of plane 1. A bucket says which values its plane takes: none, a
list, or all of a range.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.flif.ranges import CO_STEP, Ranges
from dsslic_search.codec.flif.stream import Numbers, Stream
from dsslic_search.core.errors import FormatError

Planes = NDArray[np.int32]

MOST_LISTED = (255, 510, 5, 255)  # values of a bucket's list, by plane
WIDEST = 1023  # greatest less least value of a plane


@dataclass
class Bucket:
    """The values that a plane takes: low..high, or of them those listed. None where low > high."""

    low: int = 1
    high: int = 0
    listed: list[int] = field(default_factory=list)

    def has(self, value: int) -> bool:
        """Whether a value is in it."""
        return self.low <= value <= self.high and (not self.listed or value in self.listed)

    def remove(self, value: int) -> None:
        """Take a value out."""
        if not self.has(value):
            return
        left = self.listed or list(range(self.low, self.high + 1))
        left = [each for each in left if each != value]
        if not left:
            self.low, self.high, self.listed = 1, 0, []
            return
        self.low, self.high = left[0], left[-1]
        self.listed = left if len(left) < self.high - self.low + 1 else []

    def nearest(self) -> list[int]:
        """For each of low..high the listed value nearest to it, the smaller of two."""
        places = np.array(self.listed)
        wanted = np.arange(self.low, self.high + 1)
        above = np.searchsorted(places, wanted)
        below = np.maximum(above - 1, 0)
        nearer = wanted - places[below] <= places[above] - wanted
        return np.where(nearer & (above > 0), places[below], places[above]).tolist()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class ColourBuckets:
    """All buckets: of plane 0, of alpha, of plane 1 by the value of plane 0, of plane 2 by both."""

    first: Bucket
    alpha: Bucket
    second: list[Bucket]
    third: list[list[Bucket]]

    @staticmethod
    def applies(ranges: Ranges) -> bool:
        """Whether buckets may be declared for such planes."""
        if ranges.count < 3 or ranges.is_constant(1):
            return False
        if not any((ranges.lows[0], ranges.highs[0], ranges.lows[2], ranges.highs[2])):
            return False
        return all(ranges.highs[p] - ranges.lows[p] <= WIDEST for p in range(3))

    @classmethod
    def code(cls, stream: Stream, ranges: Ranges, chosen: ColourBuckets | None = None) -> ColourBuckets:
        """Read all buckets; none are ever chosen. FormatError where they make no sense."""
        if not cls.applies(ranges):
            raise FormatError("the FLIF picture declares colour buckets of planes that have no colours")
        ranges.fill(stream.state)
        numbers = [stream.numbers() for _ in range(6)]
        low, low_1 = ranges.lows[:2]
        first = _read(numbers, 0, *ranges.limits(stream.state, 0))
        second, third = [], []
        for y in range(low, ranges.highs[0] + 1):
            second.append(_read(numbers, 1, *ranges.limits(stream.state, 1, y)) if first.has(y) else Bucket())
        if not ranges.is_constant(2):
            columns = range(low_1, ranges.highs[1] + 1, CO_STEP)
            for y in range(low, ranges.highs[0] + 1):
                if stream.has_ended():
                    raise FormatError("the FLIF picture's data ends in its colour buckets")
                row, beside = [], second[y - low]
                least, most = ranges.limits(stream.state, 1, y) if first.has(y) else (1, 0)
                for start in columns:
                    bucket = Bucket()
                    values = range(start, start + CO_STEP)
                    if any(least <= i <= most and beside.has(i) for i in values):
                        limits = [ranges.limits(stream.state, 2, y, i) for i in values]
                        bucket = _read(numbers, 2, min(a for a, _ in limits), max(b for _, b in limits))
                    row.append(bucket)
                third.append(row)
        alpha = _read(numbers, 3, *ranges.limits(stream.state, 3)) if ranges.count > 3 else Bucket()
        for row, bucket in zip(third, second, strict=False):
            for place, below in enumerate(row):
                if below.low > below.high:
                    for value in range(low_1 + CO_STEP * place, low_1 + CO_STEP * (place + 1)):
                        bucket.remove(value)
        return cls(first, alpha, second, third)

    def ranges(self, ranges: Ranges) -> Ranges:
        return ranges

    def undo(self, planes: Planes) -> Planes:
        return planes

    def table(self) -> NDArray[np.int32]:
        """What the loops look up (`ranges.snap_to_bucket`): int32, BUCKET numbers a bucket, then the nearest
        values of those with lists."""
        buckets = list(self._all())
        heads: list[tuple[int, int, int]] = []
        near: list[int] = []
        for bucket in buckets:
            place = -1
            if bucket.listed:
                place = 3 * len(buckets) + len(near)
                near += bucket.nearest()
            heads.append((bucket.low, bucket.high, place))
        return np.concatenate([np.array(heads, np.int32).reshape(-1), np.array(near, np.int32)])

    def _all(self) -> Iterator[Bucket]:
        yield from (self.first, self.alpha, *self.second)
        for row in self.third:
            yield from row


def _read(numbers: list[Numbers], plane: int, least: int, most: int) -> Bucket:
    """One bucket of a plane whose values lie in least..most."""
    if not numbers[0].code(0, 1):
        return Bucket()
    if least >= most:
        return Bucket(least, least)
    low = numbers[1].code(least, most)
    high = numbers[2].code(low, most)
    if high - low < 2 or not numbers[3].code(0, 1):
        return Bucket(low, high)
    count = numbers[4].code(2, min(MOST_LISTED[plane], high - low))
    listed = [low]
    for place in range(1, count - 1):
        listed.append(numbers[5].code(listed[-1] + 1, high + 1 - count + place))
    return Bucket(low, high, [*listed, high])
