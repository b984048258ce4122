"""The connected parts of a label map, found from its horizontal runs.

A run is a stretch of equal labels in one row. Two runs of one class in neighbouring rows belong together when
they share a column or meet at a corner (8-connectivity). There are far fewer runs than pixels, and every step
is a whole-array one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Runs:
    """The runs of a label map in reading order. ``row``, ``left``, ``length`` (pixels), ``label``: one entry
    a run; ``part``: the component of a run, 0.. in the order of their first pixels; ``of_pixel``: (h, w), the
    run of each pixel."""

    row: Numbers
    left: Numbers
    length: Numbers
    label: NDArray[np.uint8]
    part: Numbers
    of_pixel: Numbers


def components(label_map: NDArray[np.uint8]) -> Runs:
    """The runs of ``label_map`` (uint8, h x w, at least one pixel) with the 8-connected component that each
    belongs to."""
    begins = np.ones(label_map.shape, bool)
    np.not_equal(label_map[:, 1:], label_map[:, :-1], out=begins[:, 1:])
    starts = np.flatnonzero(begins)
    of_pixel = (np.cumsum(begins) - 1).reshape(label_map.shape)
    row, left = np.divmod(starts, label_map.shape[1])
    owner = _join(*_contacts(label_map, row, left, of_pixel), starts.size)
    first = owner == np.arange(starts.size)
    return Runs(
        row=row,
        left=left,
        length=np.diff(starts, append=label_map.size),
        label=label_map.ravel()[starts],
        part=(np.cumsum(first) - 1)[owner],
        of_pixel=of_pixel,
    )


def _contacts(
    label_map: NDArray[np.uint8], row: Numbers, left: Numbers, of_pixel: Numbers
) -> tuple[Numbers, Numbers]:
    """Pairs of touching runs of one class. Of two touching runs, one starts in a column in which, or right
    after which, the other still is: so looking straight and one to the left, up and down from each start,
    sees every contact."""
    height = label_map.shape[0]
    ones: list[Numbers] = []
    others: list[Numbers] = []
    for down in (-1, 1):
        for aside in (0, -1):
            y, x = row + down, left + aside
            inside = np.flatnonzero((y >= 0) & (y < height) & (x >= 0))
            y, x = y[inside], x[inside]
            same = label_map[y, x] == label_map[row[inside], left[inside]]
            ones.append(inside[same])
            others.append(of_pixel[y[same], x[same]])
    return np.concatenate(ones), np.concatenate(others)


def _join(one: Numbers, other: Numbers, count: int) -> Numbers:
    """Union-find on whole arrays: for each of ``count`` runs, the lowest run of its component."""
    owner = np.arange(count)
    while one.size:
        a, b = owner[one], owner[other]
        apart = a != b
        one, other, a, b = one[apart], other[apart], a[apart], b[apart]
        np.minimum.at(owner, np.maximum(a, b), np.minimum(a, b))
        while True:
            further = owner[owner]
            if np.array_equal(further, owner):
                break
            owner = further
    return owner
