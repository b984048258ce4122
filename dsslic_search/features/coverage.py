"""How much of a photo each class covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def coverage(label_map: NDArray[np.uint8], classes: int) -> NDArray[np.float64]:
    """The fraction of the pixels of ``label_map`` (uint8, h x w) that each class covers.

    Returns float64[classes], each the correctly rounded quotient of two integers, 0..1, with sum 1.
    Raises ValueError for a map without pixels or with a class id that is not below ``classes``.
    """
    check_label_map(label_map)
    counts = np.bincount(label_map.ravel(), minlength=classes)
    if counts.size > classes:
        raise ValueError(f"class id {counts.size - 1} in a label map of {classes} classes")
    return counts / np.float64(label_map.size)


def check_label_map(label_map: NDArray[np.uint8]) -> None:
    """Raise ValueError for what is not h x w with at least one pixel."""
    if label_map.ndim != 2 or label_map.size == 0:
        raise ValueError(
            f"a label map needs two dimensions and at least one pixel, not the shape {label_map.shape}"
        )
