"""Transforms of FLIF pictures that keep every pixel: other values, other planes, closer limits.

Each class has both directions: ``code`` reads or writes what the transform is, ``apply`` and ``undo`` do it
to planes, int32 [planes, h, w]. `coder` knows in which order they may come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.flif.ranges import DIFFERENCES, YCOCG, Ranges
from dsslic_search.codec.flif.stream import Stream
from dsslic_search.core.errors import FormatError

Planes = NDArray[np.int32]

FEW_VALUES = 10  # of a channel: values between them are added, so that guesses between them stay
WORTH_COMPACTING = 9, 10  # values there are of those there could be, at most


class Transform(Protocol):
    """What all transforms offer."""

    def ranges(self, ranges: Ranges) -> Ranges:
        """What samples can be after it."""

    def apply(self, planes: Planes) -> Planes:
        """Planes as they are coded."""

    def undo(self, planes: Planes) -> Planes:
        """Planes as they were before, also of samples that no picture would have come to."""


@dataclass(frozen=True)
class CompactChannels:
    """Each plane's values, in order, are numbered."""

    values: tuple[tuple[int, ...], ...]

    @classmethod
    def choose(cls, planes: Planes, ranges: Ranges) -> CompactChannels | None:
        """The transform that suits a picture; None if none does."""
        chosen, pays = [], False
        part, whole = WORTH_COMPACTING
        for plane in range(len(planes)):
            values = np.unique(planes[plane]).tolist()
            if plane == 3 and values[0]:
                values.insert(0, 0)  # fully transparent stays 0
            pays |= len(values) * whole <= part * (ranges.highs[plane] - ranges.lows[plane])
            if len(values) < FEW_VALUES:
                between = [(a + b) // 2 for a, b in zip([0, *values], values, strict=False) if b > a + 1]
                values, pays = sorted({*values, *between}), True
            chosen.append(tuple(values))
        return cls(tuple(chosen)) if pays else None

    @classmethod
    def code(cls, stream: Stream, ranges: Ranges, chosen: CompactChannels | None = None) -> CompactChannels:
        """Write ``chosen``, or read it where the stream is read."""
        numbers, coded = stream.numbers(), []
        for plane in range(ranges.count):
            least, most = ranges.lows[plane], ranges.highs[plane]
            given = chosen.values[plane] if chosen else ()
            count = numbers.code(0, most - least, len(given) - 1) + 1
            values: list[int] = []
            for place in range(count):
                if not chosen and stream.has_ended():
                    raise FormatError("the FLIF picture's data ends in its planes' values")
                value = given[place] if chosen else 0
                values.append(least + numbers.code(0, most - least - (count - 1 - place), value - least))
                least = values[-1] + 1
            coded.append(tuple(values))
        return cls(tuple(coded))

    def ranges(self, ranges: Ranges) -> Ranges:
        return ranges.with_planes({p: (0, len(values) - 1) for p, values in enumerate(self.values)})

    def apply(self, planes: Planes) -> Planes:
        numbered = [np.searchsorted(v, plane) for v, plane in zip(self.values, planes, strict=True)]
        return np.stack(numbered).astype(np.int32)

    def undo(self, planes: Planes) -> Planes:
        for values, plane in zip(self.values, planes, strict=True):
            plane[(plane < 0) | (plane >= len(values))] = 0
            plane[:] = np.array(values, np.int32)[plane]
        return planes


@dataclass(frozen=True)
class ToYCoCg:
    """Red, green and blue as luma and two differences."""

    highs: tuple[int, ...]  # of red, green and blue

    @classmethod
    def code(cls, stream: Stream, ranges: Ranges, chosen: ToYCoCg | None = None) -> ToYCoCg:
        """The transform for such ranges. FormatError where it makes no sense."""
        if not cls.applies(ranges):
            raise FormatError("the FLIF picture declares YCoCg of planes that are not red, green and blue")
        return cls(ranges.highs[:3])

    @staticmethod
    def applies(ranges: Ranges) -> bool:
        """Whether there are three planes that are not constant."""
        return (
            ranges.count >= 3
            and min(ranges.lows[:3]) >= 0
            and not any(ranges.is_constant(p) for p in range(3))
        )

    def ranges(self, ranges: Ranges) -> Ranges:
        quarter = max(self.highs) // 4 + 1
        most = 4 * quarter - 1
        lows, highs = (0, -most, -most), (most, most, most)
        return Ranges(lows + ranges.lows[3:], highs + ranges.highs[3:], YCOCG, quarter)

    def apply(self, planes: Planes) -> Planes:
        red, green, blue = planes[:3]
        half = (red + blue) >> 1
        return np.stack([(half + green) >> 1, red - blue, green - half, *planes[3:]])

    def undo(self, planes: Planes) -> Planes:
        y, co, cg = planes[:3]
        green = y - (-cg >> 1)
        blue = y + ((1 - cg) >> 1) - (co >> 1)
        red = co + blue
        for plane, values, most in zip(planes, (red, green, blue), self.highs, strict=False):
            np.clip(values, 0, most, out=plane)
        return planes


@dataclass(frozen=True)
class PermutePlanes:
    """Planes in another order; the second and third may be differences from the first."""

    order: tuple[int, ...]
    is_difference: bool
    sources: tuple[tuple[int, int], ...]  # what the planes can be, in their new order

    @classmethod
    def code(cls, stream: Stream, ranges: Ranges, chosen: PermutePlanes | None = None) -> PermutePlanes:
        """Write ``chosen``, or read it where the stream is read."""
        if ranges.count < 3 or min(ranges.lows[:3]) < 0:
            raise FormatError("the FLIF picture permutes planes that are not red, green and blue")
        numbers = stream.numbers()
        is_difference = bool(numbers.code(0, 1, int(chosen.is_difference) if chosen else 0))
        given = chosen.order if chosen else ranges.count * (0,)
        order = tuple(numbers.code(0, ranges.count - 1, plane) for plane in given)
        if sorted(order) != list(range(ranges.count)):
            raise FormatError("the FLIF picture permutes planes so that some are lost")
        return cls(order, is_difference, tuple((ranges.lows[p], ranges.highs[p]) for p in order))

    @classmethod
    def choose(cls, ranges: Ranges) -> PermutePlanes:
        """Green first, and red and blue as differences from it."""
        order = (1, 0, 2, 3)[: ranges.count]
        return cls(order, True, tuple((ranges.lows[p], ranges.highs[p]) for p in order))

    def ranges(self, ranges: Ranges) -> Ranges:
        pairs = list(self.sources)
        if not self.is_difference:
            return ranges.with_planes(dict(enumerate(pairs)))
        low, high = pairs[0]
        pairs[1:3] = [(a - high, b - low) for a, b in pairs[1:3]]
        return Ranges(
            tuple(a for a, _ in pairs), tuple(b for _, b in pairs), DIFFERENCES, sources=self.sources
        )

    def apply(self, planes: Planes) -> Planes:
        permuted = planes[list(self.order)]
        if self.is_difference:
            permuted[1:3] -= permuted[0]
        return permuted

    def undo(self, planes: Planes) -> Planes:
        if self.is_difference:
            for plane in (1, 2):
                np.clip(planes[plane] + planes[0], *self.sources[plane], out=planes[plane])
        restored = np.empty_like(planes)
        restored[list(self.order)] = planes
        return restored


@dataclass(frozen=True)
class Bounds:
    """Each plane's least and greatest value."""

    limits: tuple[tuple[int, int], ...]

    @classmethod
    def choose(cls, planes: Planes, ranges: Ranges, *, skips_invisible: bool) -> Bounds | None:
        """The closest bounds; None where they are no closer than what is known."""
        seen = planes[3] != 0 if skips_invisible else np.ones(planes[0].shape, bool)
        if seen.any():
            limits = [(int(plane[seen].min()), int(plane[seen].max())) for plane in planes[:3]]
        else:
            limits = [
                2 * ((low + high) // 2,) for low, high in zip(ranges.lows[:3], ranges.highs, strict=False)
            ]
        limits += [(int(plane.min()), int(plane.max())) for plane in planes[3:]]
        return cls(tuple(limits)) if limits != list(zip(ranges.lows, ranges.highs, strict=True)) else None

    @classmethod
    def code(cls, stream: Stream, ranges: Ranges, chosen: Bounds | None = None) -> Bounds:
        """Write ``chosen``, or read it where the stream is read."""
        numbers, limits = stream.numbers(), []
        for plane in range(ranges.count):
            low, high = chosen.limits[plane] if chosen else (0, 0)
            low = numbers.code(ranges.lows[plane], ranges.highs[plane], low)
            limits.append((low, numbers.code(low, ranges.highs[plane], high)))
        return cls(tuple(limits))

    def ranges(self, ranges: Ranges) -> Ranges:
        return ranges.bounded(list(self.limits))

    def apply(self, planes: Planes) -> Planes:
        return planes

    def undo(self, planes: Planes) -> Planes:
        return planes
