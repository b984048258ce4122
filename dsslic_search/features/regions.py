"""What is known of the regions of a label map: where they are, what they stand on and what is around them.

A region is an 8-connected component of one class that has at least 0.1 % of the pixels. Its *foot* is the
lowest pixel of each of its columns, where that lies in the lowest quarter of its box: a car's wheels, not its
mirrors. It stands on the classes that appear within a fiftieth of the height right below its foot, which
bridges the thin wrong labels between a thing and the ground.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.components import Numbers, Runs, components
from dsslic_search.features.coverage import check_label_map
from dsslic_search.features.scene import CONTACT, REGION, SHARES, UNITS, SceneRegions

MIN_REGION_PER_MILLE = 1  # of the pixels; less is noise of the segmentation
FOOT_GAP_ONE_IN = 50  # of the height: how far below a foot the ground may begin

# (k, j): stretches of a side end where its j-th k-th does
_CUTS = ((4, 1), (3, 1), (2, 1), (3, 2), (4, 3))


def regions(label_map: NDArray[np.uint8]) -> SceneRegions:
    """The regions of ``label_map`` (uint8, h x w): largest first; of equal ones that whose first pixel, row
    by row, comes first.

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
    border = _border(label_map, runs, number, count, upper, outside)
    under = _under(label_map, runs, number, upper, top, bottom)
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


def _border(
    label_map: NDArray[np.uint8],
    runs: Runs,
    number: Numbers,
    count: int,
    upper: Numbers,
    outside: NDArray[np.intp],
) -> NDArray[np.intp]:
    """The share of each class in the outline of each region, [regions, 256]. ``outside``: edges of the photo
    in it."""
    flat, of_pixel = label_map.ravel(), runs.of_pixel.ravel()
    lower = upper + label_map.shape[1]
    right = np.flatnonzero(runs.left > 0)
    inner = np.concatenate(
        [number[of_pixel[upper]], number[of_pixel[lower]], number[right - 1], number[right]]
    )
    outer = np.concatenate([flat[lower], flat[upper], runs.label[right], runs.label[right - 1]])
    edges = np.bincount(inner * 256 + outer, minlength=(count + 1) * 256)[: count * 256].reshape(count, 256)
    shares: NDArray[np.intp] = SHARES * edges // (edges.sum(axis=1) + outside)[:, None]
    return shares


def _under(
    label_map: NDArray[np.uint8], runs: Runs, number: Numbers, upper: Numbers, top: Numbers, bottom: Numbers
) -> NDArray[np.intp]:
    """The share of each region's foot that stands on each class, [regions, 256]."""
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
    # 256: none
    classes = np.where(below < height, label_map[np.minimum(below, height - 1), x[:, None]], np.int16(256))
    classes.sort(axis=1)
    new = np.ones(classes.shape, bool)
    np.not_equal(classes[:, 1:], classes[:, :-1], out=new[:, 1:])
    standing = np.bincount((region[:, None] * 257 + classes)[new], minlength=count * 257).reshape(count, 257)[
        :, :256
    ]
    shares: NDArray[np.intp] = SHARES * standing // np.bincount(region, minlength=count)[:, None]
    return shares
