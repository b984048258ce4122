"""Palettes: the colours of a picture in a list, pixels as numbers in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.flif.ranges import Ranges
from dsslic_search.codec.flif.stream import Stream
from dsslic_search.core.errors import FormatError

Planes = NDArray[np.int32]
Colour = tuple[int, ...]  # (alpha where it is part of it,) and the planes 0, 1, 2

MAX_COLOURS = 30_000  # in any file
MOST_CHOSEN = 512


@dataclass(frozen=True)
class Palette:
    """The planes 0 to 2, with alpha where it is part of the colours, become one: plane 1."""

    colours: tuple[Colour, ...]
    is_sorted: bool = True
    has_alpha: bool = False

    @classmethod
    def choose(
        cls, planes: Planes, ranges: Ranges, *, has_alpha: bool, skips_invisible: bool
    ) -> Palette | None:
        """The sorted palette of a picture; None where it has too many colours, or needs none."""
        if not cls.applies(ranges, has_alpha=has_alpha):
            return None
        most = min(MOST_CHOSEN, planes[0].size // 3)
        colours = planes[[3, 0, 1, 2]] if has_alpha else planes[:3]
        flat = colours.reshape(len(colours), -1).T
        if skips_invisible:
            unseen = planes[3].reshape(-1) == 0
            flat = np.where(unseen[:, None], 0, flat) if has_alpha else flat[~unseen]
        found = np.unique(flat, axis=0)
        if not 0 < len(found) <= most:
            return None
        return cls(tuple(tuple(colour) for colour in found.tolist()), True, has_alpha)

    @staticmethod
    def applies(ranges: Ranges, *, has_alpha: bool) -> bool:
        """Whether a palette makes sense for such planes."""
        if ranges.count < (4 if has_alpha else 3):
            return False
        if has_alpha:
            return ranges.lows[3] != ranges.highs[3]
        return ranges.lows[1] != ranges.highs[1] or ranges.lows[2] != ranges.highs[2]

    @classmethod
    def code(
        cls,
        stream: Stream,
        ranges: Ranges,
        chosen: Palette | None = None,
        *,
        has_alpha: bool,
        skips_invisible: bool,
    ) -> Palette:
        """Write ``chosen``, or read it where the stream is read."""
        if not cls.applies(ranges, has_alpha=has_alpha):
            raise FormatError("the FLIF picture declares a palette of planes that have no colours")
        counts, *planes = (stream.numbers() for _ in range(4))
        alphas = stream.numbers()
        ranges.fill(stream.state)
        colours: list[Colour] = []
        count = counts.code(1, MAX_COLOURS, len(chosen.colours) if chosen else 0)
        is_sorted = bool(counts.code(0, 1, int(chosen.is_sorted) if chosen else 0))
        least = ranges.lows[3] if has_alpha else ranges.lows[0]  # of what colours are sorted by first
        last: Colour = (-1, -1)
        for place in range(count):
            if stream.has_ended():
                raise FormatError("the FLIF picture's data ends in its palette")
            given = chosen.colours[place] if chosen else 4 * (0,)
            alpha: Colour = ()
            if has_alpha:
                alpha = (alphas.code(least if is_sorted else ranges.lows[3], ranges.highs[3], given[0]),)
                given = given[1:]
                if skips_invisible and alpha == (0,):
                    colours.append((0, 0, 0, 0))
                    continue
            low, high = ranges.limits(stream.state, 0)
            if is_sorted and has_alpha:
                low, high = (last[1] if last[:1] == alpha else ranges.lows[0]), ranges.highs[0]
            elif is_sorted:
                low, high = least, ranges.highs[0]
            y = planes[0].code(low, high, given[0])
            low, high = ranges.limits(stream.state, 1, y)
            if is_sorted and not has_alpha and last[0] == y:
                low = last[1]
            if low > high:
                raise FormatError(
                    "the FLIF picture's palette holds a colour that does not exist: damaged data"
                )
            i = planes[1].code(low, high, given[1])
            low, high = ranges.limits(stream.state, 2, y, i)
            if low > high:
                raise FormatError(
                    "the FLIF picture's palette holds a colour that does not exist: damaged data"
                )
            last = (*alpha, y, i, planes[2].code(low, high, given[2]))
            least = last[0]
            colours.append(last)
        return cls(tuple(colours), is_sorted, has_alpha)

    def ranges(self, ranges: Ranges) -> Ranges:
        limits = {0: (0, 0), 1: (0, len(self.colours) - 1), 2: (0, 0)}
        if self.has_alpha:
            limits[3] = (1, 1)
        return ranges.with_planes(limits)

    def apply(self, planes: Planes) -> Planes:
        """Pixels whose colour is not listed, invisible ones, get any number."""
        colours = planes[[3, 0, 1, 2]] if self.has_alpha else planes[:3]
        numbered = np.zeros_like(planes)
        place = {colour: number for number, colour in enumerate(self.colours)}
        found, inverse = np.unique(colours.reshape(len(colours), -1), axis=1, return_inverse=True)
        invisible = place.get((0, 0, 0, 0), 0) if self.has_alpha else 0
        numbers = np.array([place.get(tuple(colour), invisible) for colour in found.T.tolist()], np.int32)
        numbered[1] = numbers[inverse.reshape(planes[0].shape)]
        if len(planes) > 3:
            numbered[3] = 1 if self.has_alpha else planes[3]
        return numbered

    def undo(self, planes: Planes) -> Planes:
        numbers = planes[1]
        numbers[(numbers < 0) | (numbers >= len(self.colours))] = 0
        colours = np.array(self.colours, np.int32)[numbers]
        if self.has_alpha:
            planes[3], colours = colours[..., 0], colours[..., 1:]
        planes[:3] = np.moveaxis(colours, -1, 0)
        return planes
