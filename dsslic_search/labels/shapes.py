"""Masks as runs and as polygons, and back, without a pixel's difference.

Polygons run along the edges of pixels, and a pixel belongs to one whose rule of even and odd its centre
fulfils; holes hang on bridges of no width, since most formats have one ring of corners a polygon."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import FormatError
from dsslic_search.labels.scene import Mask

Corner = tuple[float, float]
"""x and y, pixels, from the upper left corner of the picture."""


def run_lengths(values: NDArray[np.bool_]) -> list[int]:
    """The lengths of runs of a flat mask, the first of them of zeros, and perhaps 0."""
    changes = np.flatnonzero(np.diff(values)) + 1
    lengths = np.diff(np.concatenate([[0], changes, [values.size]])).tolist()
    return [0, *lengths] if values.size and values[0] else lengths


def from_run_lengths(lengths: Sequence[int], size: int, where: str) -> NDArray[np.bool_]:
    """The flat mask, bool[size], of runs of which the first is of zeros. FormatError where they are not as
    long as it."""
    try:
        runs = np.asarray(lengths, np.int64)
    except OverflowError as e:
        raise FormatError(f"{where}: a run longer than its mask of {size} pixels") from e
    if runs.ndim != 1 or np.any(runs < 0) or np.any(runs > size) or int(runs.sum()) != size:
        raise FormatError(f"{where}: runs of {int(runs.sum())} pixels for a mask of {size}")
    return np.repeat(np.arange(runs.size) % 2 == 1, runs)


def rings(mask: Mask) -> list[list[tuple[int, int]]]:
    """The outlines of a mask as closed rings of corners (x, y), the last of which leads back to the first:
    the outer ones with the mask on their right (clockwise as seen), holes the other way around. Where two
    pixels meet at a corner alone the ring turns to the right."""
    padded = np.pad(mask, 1)
    ahead: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def edges(found: NDArray[np.bool_], begin: tuple[int, int], end: tuple[int, int]) -> None:
        for y, x in np.argwhere(found).tolist():
            at = x + begin[0], y + begin[1]
            ahead.setdefault(at, []).append((x + end[0], y + end[1]))

    inner = padded[1:-1, 1:-1]
    edges(inner & ~padded[:-2, 1:-1], (0, 0), (1, 0))  # above: to the right
    edges(inner & ~padded[1:-1, 2:], (1, 0), (1, 1))  # on the right: down
    edges(inner & ~padded[2:, 1:-1], (1, 1), (0, 1))  # below: to the left
    edges(inner & ~padded[1:-1, :-2], (0, 1), (0, 0))  # on the left: up
    found: list[list[tuple[int, int]]] = []
    while ahead:
        first = min(ahead, key=lambda corner: (corner[1], corner[0]))
        ring = [first]
        at, came = first, (0, 0)
        while True:
            ways = ahead[at]
            way = max(ways, key=lambda to: _turn(came, (to[0] - at[0], to[1] - at[1])))
            ways.remove(way)
            if not ways:
                del ahead[at]
            step = way[0] - at[0], way[1] - at[1]
            if step == came:
                ring[-1] = way
            else:
                ring.append(way)
            at, came = way, step
            if at == first:
                break
        found.append(ring[:-1])
    return found


def _turn(came: tuple[int, int], goes: tuple[int, int]) -> int:
    """Greatest for a turn to the right, where y grows downwards."""
    return came[0] * goes[1] - came[1] * goes[0]


def one_ring(outlines: Sequence[Sequence[Corner]]) -> list[Corner]:
    """Rings in one, each joined to the first corner of the first by a bridge that is walked twice. A bridge
    runs across and then up or down, on edges of pixels: aslant it would meet centres of pixels, on one side
    of which rounding may put it there and on the other on the way back."""
    at = outlines[0][0]
    joined: list[Corner] = [*outlines[0]]
    for ring in outlines[1:]:
        knee = ring[0][0], at[1]
        joined += [at, knee, *ring, ring[0], knee]
    return joined


def fill(polygons: Sequence[Sequence[Corner]], width: int, height: int) -> Mask:
    """The pixels, bool[height, width], whose centres lie inside an odd number of times in rings of corners
    (x, y) in pixels, which close by themselves. What lies outside the picture is left out."""
    crossings = np.zeros((height, width + 1), bool)
    for corners in polygons:
        for (x0, y0), (x1, y1) in pairwise([*corners, corners[0]]):
            low, high = sorted((y0, y1))
            first = min(max(int(np.ceil(low - 0.5)), 0), height)
            last = min(max(int(np.ceil(high - 0.5)), 0), height)
            if first >= last:
                continue
            rows = np.arange(first, last)
            x = x0 + (rows + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
            at = np.clip(np.ceil(x - 0.5), 0, width).astype(np.intp)
            crossings[rows, at] ^= True
    return np.logical_xor.accumulate(crossings, axis=1)[:, :width]
