"""The numbers by which a region is known, whole ones, so that every answer from them is exact.

Coordinates count in 1/UNITS of the photo's width or height, areas in 1/UNITS of its pixels, shares in
1/SHARES, all rounded down. 252 is divisible by 2, 3 and 4, so a share is at least 1/2 exactly when its number
is at least 126.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

UNITS = 60_000  # that make the width, the height or the area of a photo
SHARES = 252  # that make the whole of a region, of its foot or of its outline
MIN_REGION_AREA = UNITS // 1000  # in 1/UNITS of the pixels; smaller regions are noise of the segmentation

Line = Literal["first half", "second half", "first third", "middle third", "last third", "middle half"]
LINES: tuple[Line, ...] = get_args(Line)  # stretches of an axis, in the order of the shares in REGION

REGION = np.dtype(
    [
        ("class_id", "u1"),
        ("area", "<u2"),
        ("left", "<u2"),
        ("top", "<u2"),
        ("right", "<u2"),  # exclusive, as is bottom
        ("bottom", "<u2"),
        ("x", "<u2"),  # centroid
        ("y", "<u2"),
        ("columns", "u1", len(LINES)),  # share of the pixels whose centre lies in each stretch of the width
        ("rows", "u1", len(LINES)),  # and of the height
    ]
)
CONTACT = np.dtype(
    [
        ("region", "<u2"),  # number of the region in the photo
        ("class_id", "u1"),  # that it touches, or the number of a group
        ("under", "u1"),  # share of the foot that stands on the class
        ("border", "u1"),  # share of the outline that the class takes
    ]
)


class Scenes(NamedTuple):
    """The regions of many photos, REGION[n], one photo's after another's, and their contacts, CONTACT[m], by
    region, then by class and group; how many of both each photo has, intp. ``contacts`` number regions from 0
    in every photo."""

    regions: NDArray[Any]
    contacts: NDArray[Any]
    counts: NDArray[np.intp]
    touching: NDArray[np.intp]
