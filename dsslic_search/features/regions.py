"""The connected parts of a label map, found from its horizontal runs.

A run is a stretch of equal labels in one row. Two runs of one class in neighbouring rows belong together when they share
a column or meet at a corner (8-connectivity). There are far fewer runs than pixels, and every step is a whole-array one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_PER_MILLE = 1  # smaller regions are noise of the segmentation

Runs = NDArray[np.intp]


@dataclass(frozen=True)
class Region:
    """One 8-connected component. ``area`` is a fraction of the pixels; ``left``, ``top``, ``right``, ``bottom`` (the last two
    exclusive) and the centroid ``x``, ``y`` are fractions of the map's width and height, 0..1, y downwards."""

    class_id: int
    area: float
    left: float
    top: float
    right: float
    bottom: float
    x: float
    y: float


def regions(label_map: NDArray[np.uint8]) -> list[Region]:
    """The components of ``label_map`` (uint8, h x w) that have at least 0.1 % of its pixels.

    Largest first; of equal ones that whose first pixel, row by row, comes first. Raises ValueError for a map without pixels.
    """
    if label_map.ndim != 2 or label_map.size == 0:
        raise ValueError(f"a label map needs two dimensions and at least one pixel, not the shape {label_map.shape}")
    height, width = label_map.shape
    starts, run_of_pixel = _runs(label_map)
    owner = _join(*_contacts(label_map, starts, run_of_pixel), starts.size)

    row, left = np.divmod(starts, width)
    length = np.diff(starts, append=label_map.size)
    right = left + length
    firsts, part = np.unique(owner, return_inverse=True)  # a component is owned by its first run, so by one in its top row
    area = np.bincount(part, length)
    x = np.bincount(part, length * (left + right)) / (2 * area)
    y = np.bincount(part, length * (2 * row + 1)) / (2 * area)
    box_left = np.full(firsts.size, width)
    box_right, box_bottom = np.zeros((2, firsts.size), np.intp)
    np.minimum.at(box_left, part, left)
    np.maximum.at(box_right, part, right)
    np.maximum.at(box_bottom, part, row + 1)

    kept = np.flatnonzero(area * 1000 >= LEAST_PER_MILLE * label_map.size)
    kept = kept[np.argsort(-area[kept], kind="stable")]
    labels = label_map.ravel()[starts[firsts]]
    return [
        Region(
            class_id=int(labels[i]),
            area=float(area[i] / label_map.size),
            left=float(box_left[i] / width),
            top=float(row[firsts[i]] / height),
            right=float(box_right[i] / width),
            bottom=float(box_bottom[i] / height),
            x=float(x[i] / width),
            y=float(y[i] / height),
        )
        for i in kept
    ]


def _runs(label_map: NDArray[np.uint8]) -> tuple[Runs, Runs]:
    """Flat positions where runs start, and for every pixel (h x w) the number of its run."""
    begins = np.ones(label_map.shape, bool)
    np.not_equal(label_map[:, 1:], label_map[:, :-1], out=begins[:, 1:])
    return np.flatnonzero(begins), (np.cumsum(begins) - 1).reshape(label_map.shape)


def _contacts(label_map: NDArray[np.uint8], starts: Runs, run_of_pixel: Runs) -> tuple[Runs, Runs]:
    """Pairs of touching runs of one class. Of two touching runs, one starts in a column in which, or right after which, the
    other still is: so looking straight and one to the left, up and down from each start, sees every contact."""
    height, width = label_map.shape
    row, column = np.divmod(starts, width)
    ones: list[Runs] = []
    others: list[Runs] = []
    for down in (-1, 1):
        for aside in (0, -1):
            y, x = row + down, column + aside
            inside = np.flatnonzero((y >= 0) & (y < height) & (x >= 0))
            y, x = y[inside], x[inside]
            same = label_map[y, x] == label_map[row[inside], column[inside]]
            ones.append(inside[same])
            others.append(run_of_pixel[y[same], x[same]])
    return np.concatenate(ones), np.concatenate(others)


def _join(one: Runs, other: Runs, count: int) -> Runs:
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
