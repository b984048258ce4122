"""What is known of the regions of a label map: where they are, what they stand on and what is around them.

A region is an 8-connected component of one class that has at least 0.1 % of the pixels. Its *foot* is the
lowest pixel of each of its columns, where that lies in the lowest quarter of its box: a car's wheels, not its
mirrors. It stands on the classes that appear within a fiftieth of the height right below its foot, which
bridges the thin wrong labels between a thing and the ground.

A group of classes is touched where any of them is. Mostly that is what its classes take together; where it is
not, since several of them lie below one pixel of the foot, or since each share was rounded down, the group
has a contact of its own, if half of the foot or outline is concerned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.components import Numbers, Runs, components
from dsslic_search.features.coverage import check_label_map
from dsslic_search.features.region_numbers import CONTACT, REGION, SHARES, UNITS
from dsslic_search.features.scene import SceneRegions

MIN_REGION_PER_MILLE = 1  # of the pixels; less is noise of the segmentation
LABELS = 256  # that a label map may have
DECIDING_SHARE = SHARES // 2  # no relation holds by less of a foot or outline
FOOT_GAP_ONE_IN = 50  # of the height: how far below a foot the ground may begin

# (k, j): stretches of a side end where its j-th k-th does
_CUTS = ((4, 1), (3, 1), (2, 1), (3, 2), (4, 3))


def regions(label_map: NDArray[np.uint8], groups: Mapping[int, Sequence[int]] | None = None) -> SceneRegions:
    """The regions of ``label_map`` (uint8, h x w): largest first; of equal ones that whose first pixel, row
    by row, comes first. ``groups``: classes that are touched as one thing, by the number that their contacts
    have, which is greater than any class id and less than LABELS.

    Raises ValueError for a map without pixels.
    """
    check_label_map(label_map)
    height, width = label_map.shape
    runs = components(label_map)
    number, count = _numbered(runs, label_map.size)
    order = np.argsort(number, kind="stable")
    order = order[: np.searchsorted(number[order], count)]
    first = np.searchsorted(number[order], np.arange(count))
    row, left, length = runs.row[order], runs.left[order], runs.length[order]
    right = left + length

    def sums(*weights: Numbers) -> NDArray[np.intp]:
        """Of each array over the runs of each region, [weights, regions]."""
        stacked: NDArray[np.intp] = np.add.reduceat(np.stack(weights), first, axis=1)
        return stacked

    area, x, y = sums(length, length * (left + right), length * (2 * row + 1))
    columns = sums(*(np.clip(_cut(width, k, j) - left, 0, length) for k, j in _CUTS))
    rows = sums(*(np.where(row < _cut(height, k, j), length, 0) for k, j in _CUTS))
    (outside,) = sums(length * (row == 0) + length * (row == height - 1) + (left == 0) + (right == width))
    top, bottom = row[first], np.maximum.reduceat(row, first) + 1

    found = np.zeros(count, REGION)
    found["class_id"] = runs.label[order][first]
    found["area"] = area * UNITS // label_map.size
    found["left"] = np.minimum.reduceat(left, first) * UNITS // width
    found["right"] = np.maximum.reduceat(right, first) * UNITS // width
    found["top"] = top * UNITS // height
    found["bottom"] = bottom * UNITS // height
    found["x"] = x * UNITS // (2 * width * area)
    found["y"] = y * UNITS // (2 * height * area)
    found["columns"] = _shares(columns, area)
    found["rows"] = _shares(rows, area)

    upper = np.flatnonzero(label_map[1:] != label_map[:-1])  # pixels above a pixel of another class
    edges = _edges(label_map, runs, number, count, upper)
    outline = edges.sum(axis=1) + outside
    feet, below = _feet(label_map, runs, number, upper, top, bottom)
    foot = np.bincount(feet, minlength=count)
    border = SHARES * edges // outline[:, None]
    under = SHARES * _standing(feet, below, count) // foot[:, None]
    for group, members in (groups or {}).items():
        joined = (
            SHARES * np.bincount(feet[np.isin(below, members).any(axis=1)], minlength=count) // foot,
            SHARES * edges[:, members].sum(axis=1) // outline,
        )
        summed = [np.minimum(shares[:, members].sum(axis=1), SHARES) for shares in (under, border)]
        large = np.maximum(joined, summed) >= DECIDING_SHARE
        differs = np.any(np.not_equal(joined, summed) & large, axis=0)
        under[:, group], border[:, group] = np.where(differs, joined, 0)
    region, class_id = np.nonzero(border + under)
    contacts = np.zeros(region.size, CONTACT)
    contacts["region"], contacts["class_id"] = region, class_id
    contacts["under"], contacts["border"] = under[region, class_id], border[region, class_id]
    return SceneRegions(found, contacts)


def _numbered(runs: Runs, pixels: int) -> tuple[Numbers, int]:
    """The region of each run, counted from 0, and the number of regions; runs of smaller components get that
    number."""
    area = np.bincount(runs.part, runs.length).astype(np.intp)
    kept = np.flatnonzero(area * 1000 >= MIN_REGION_PER_MILLE * pixels)
    kept = kept[np.argsort(-area[kept], kind="stable")]
    region_of_part = np.full(area.size, kept.size)
    region_of_part[kept] = np.arange(kept.size)
    return region_of_part[runs.part], kept.size


def _cut(side: int, k: int, j: int) -> int:
    """How many of the ``side`` pixels in a line have their centre before j k-ths of it: (2 x + 1) * k < 2 *
    side * j."""
    return -((k - 2 * side * j) // (2 * k))


def _shares(before: NDArray[np.intp], area: NDArray[np.intp]) -> NDArray[Any]:
    """The shares in the order of LINES, [regions, 6], from the pixels that lie before each of the cuts, [5,
    regions]."""
    quarter, third, half, thirds, quarters = before
    parts = np.stack([half, area - half, third, thirds - third, area - thirds, quarters - quarter], axis=1)
    shares: NDArray[np.intp] = SHARES * parts // area[:, None]
    return shares


def _edges(
    label_map: NDArray[np.uint8], runs: Runs, number: Numbers, count: int, upper: Numbers
) -> NDArray[np.intp]:
    """How many edges of pixels of each class are in the outline of each region, [regions, LABELS]."""
    flat, of_pixel = label_map.ravel(), runs.of_pixel.ravel()
    lower = upper + label_map.shape[1]
    right = np.flatnonzero(runs.left > 0)
    inner = np.concatenate(
        [number[of_pixel[upper]], number[of_pixel[lower]], number[right - 1], number[right]]
    )
    outer = np.concatenate([flat[lower], flat[upper], runs.label[right], runs.label[right - 1]])
    edges: NDArray[np.intp] = np.bincount(inner * LABELS + outer, minlength=(count + 1) * LABELS)
    return edges[: count * LABELS].reshape(count, LABELS)


def _feet(
    label_map: NDArray[np.uint8], runs: Runs, number: Numbers, upper: Numbers, top: Numbers, bottom: Numbers
) -> tuple[Numbers, NDArray[np.int16]]:
    """The region of each pixel of a foot, and the labels below it as far as the ground may begin, [pixels,
    gap], LABELS where the photo has ended."""
    (height, width), count = label_map.shape, top.size
    # lower ends of vertical runs, row by row
    ends = np.concatenate([upper, np.arange(label_map.size - width, label_map.size)])
    region = number[runs.of_pixel.ravel()[ends]]
    ends, region = ends[region < count], region[region < count]
    lowest = np.full(count * width, -1)
    lowest[region * width + ends % width] = ends // width  # of several the last one stays
    column = np.flatnonzero(lowest >= 0)  # of every region that has a foot in it
    (region, x), y = np.divmod(column, width), lowest[column]
    foot = 4 * (y + 1 - top[region]) > 3 * (bottom - top)[region]
    region, x, y = region[foot], x[foot], y[foot]

    below = y[:, None] + np.arange(1, max(1, height // FOOT_GAP_ONE_IN) + 1)
    labels = label_map[np.minimum(below, height - 1), x[:, None]]
    return region, np.where(below < height, labels, np.int16(LABELS))


def _standing(feet: Numbers, below: NDArray[np.int16], count: int) -> NDArray[np.intp]:
    """How many pixels of each region's foot stand on each class, [regions, LABELS]."""
    classes = np.sort(below, axis=1)
    new = np.ones(classes.shape, bool)
    np.not_equal(classes[:, 1:], classes[:, :-1], out=new[:, 1:])
    each = (feet[:, None] * (LABELS + 1) + classes)[new]
    standing: NDArray[np.intp] = np.bincount(each, minlength=count * (LABELS + 1))
    return standing.reshape(count, LABELS + 1)[:, :LABELS]
