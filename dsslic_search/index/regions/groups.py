"""Where the regions of some classes are, photo by photo, for the loops of `index.regions.kernels`: by walking
through the groups of each class and through the photos that are asked about, both in the order of their
rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.compiling import runnable
from dsslic_search.index.regions import kernels

PHOTOS_AT_ONCE = 1 << 15
"""What is found of so many fits into memory that a processor has close by."""


class Groups(NamedTuple):
    """Those of a class: ``rows``, ascending; ``sizes``, uint16, how many regions each has; and the ``first``
    region of all."""

    rows: NDArray[np.uint32]
    sizes: NDArray[np.uint16]
    first: int


class Placed(NamedTuple):
    """Of some ``photos`` and of each class the first region of the group there, uint32, and how many it has,
    uint16, 0 for none: ``firsts`` and ``sizes``, [classes, photos + 1]. What stands last, and first regions
    where there are none, mean nothing."""

    photos: NDArray[np.uint32]
    firsts: NDArray[np.uint32]
    sizes: NDArray[np.uint16]


def placed(every: Sequence[Groups], photos: NDArray[np.uint32]) -> Iterator[Placed]:
    """The groups of each class in some photos, ascending, PHOTOS_AT_ONCE after PHOTOS_AT_ONCE."""
    if not photos.size:
        return
    number, place = runnable(kernels.numbered, 0), runnable(kernels.placed, 0)
    row = int(photos[0])
    begins = [int(np.searchsorted(each.rows, photos[0])) for each in every]
    regions = [each.first + int(each.sizes[:begin].sum()) for each, begin in zip(every, begins, strict=True)]
    for start in range(0, photos.size, PHOTOS_AT_ONCE):
        of = photos[start : start + PHOTOS_AT_ONCE]
        last = of[-1]
        places = np.full(int(last) + 1 - row, of.size, np.uint16)
        number(of, row, places)
        firsts = np.empty((len(every), of.size + 1), np.uint32)
        sizes = np.zeros((len(every), of.size + 1), np.uint16)
        for k, each in enumerate(every):
            end = int(np.searchsorted(each.rows, last, "right"))
            own = slice(begins[k], end)
            regions[k] = place(each.rows[own], each.sizes[own], regions[k], row, places, firsts[k], sizes[k])
            begins[k] = end
        yield Placed(of, firsts, sizes)
        row = int(last) + 1
