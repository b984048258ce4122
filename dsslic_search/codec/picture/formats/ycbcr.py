"""Luma and chroma to red, green and blue, by the matrices and ranges of ITU-T H.273."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BAND_PIXELS = 1 << 18
"""That are in floating point at a time."""

RGB, YCGCO, _BT601 = 0, 8, 6
_LUMA_WEIGHTS = {  # of red and of blue, by matrix; 2 is "unspecified"
    1: (0.2126, 0.0722),
    2: (0.299, 0.114),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
MATRICES = frozenset({RGB, YCGCO, *_LUMA_WEIGHTS})
"""Those that are read."""


def to_rgb(
    planes: Sequence[NDArray[Any]], bits: int, matrix: int, full_range: bool, smooth: bool = False
) -> NDArray[Any]:
    """Samples of full range and the same depth: [H, W] of one plane, [H, W, 3] of three.

    ``planes``: luma, [H, W], then none or two of chroma, of the same size or halved, rounded up, in one or
    both directions; unsigned integers of ``bits`` bits. ``matrix``: one of :data:`MATRICES`. A chroma sample
    stands for all pixels that share it, as libheif shows them: no colour bleeds over the edge of two; with
    ``smooth`` it lies in their middle and they are interpolated, as libavif shows them."""
    luma, white = planes[0], (1 << bits) - 1
    height, width = luma.shape
    shown = np.empty((height, width) if len(planes) == 1 else (height, width, 3), luma.dtype)
    step = 2 * max(1, BAND_PIXELS // max(1, 2 * width))
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        y = luma[rows].astype(np.float32)
        enlarged = _interpolated if smooth else _enlarged
        chroma = [enlarged(plane, rows, height, width).astype(np.float32) for plane in planes[1:]]
        values = _converted(_expanded(y, chroma, bits, matrix, full_range), matrix)
        shown[rows] = np.rint(np.clip(values, 0, 1) * np.float32(white))
    return shown


def interleaved_to_rgb(samples: NDArray[Any], white: float) -> NDArray[np.float32]:
    """[H, W, 3] of BT.601 and full range, 0..``white``, as it is in JPEG, to the same of colours."""
    values = samples.astype(np.float32) / np.float32(white)
    middle = np.float32((white + 1) / 2 / white)
    planes = [values[..., 0], values[..., 1] - middle, values[..., 2] - middle]
    return np.asarray(np.clip(_converted(planes, _BT601), 0, 1) * np.float32(white), np.float32)


def _enlarged(plane: NDArray[Any], rows: slice, height: int, width: int) -> NDArray[Any]:
    """Rows of a chroma plane at luma's size; ``rows`` begin with an even one."""
    if plane.shape[0] < height:
        plane = np.repeat(plane[rows.start // 2 : -(-rows.stop // 2)], 2, 0)[: rows.stop - rows.start]
    else:
        plane = plane[rows]
    return np.repeat(plane, 2, 1)[:, :width] if plane.shape[1] < width else plane


def _interpolated(plane: NDArray[Any], rows: slice, height: int, width: int) -> NDArray[np.float32]:
    """The same with three quarters of the nearest sample and one of the next, each way."""
    values = plane
    if plane.shape[0] < height:
        values = _between(values, np.arange(rows.start, rows.stop), 0)
    else:
        values = values[rows]
    if plane.shape[1] < width:
        values = _between(values, np.arange(width), 1)
    return np.asarray(values, np.float32)


def _between(values: NDArray[Any], wanted: NDArray[np.intp], axis: int) -> NDArray[np.float32]:
    near = wanted // 2
    far = np.clip(near + np.where(wanted % 2, 1, -1), 0, values.shape[axis] - 1)
    parts = values.take(near, axis).astype(np.float32), values.take(far, axis).astype(np.float32)
    return parts[0] * np.float32(0.75) + parts[1] * np.float32(0.25)


def _expanded(
    y: NDArray[np.float32], chroma: list[NDArray[np.float32]], bits: int, matrix: int, full_range: bool
) -> list[NDArray[np.float32]]:
    """Luma in 0..1, chroma in -0.5..0.5; with the identity for a matrix all three in 0..1."""
    step = np.float32(1 << (bits - 8))
    white = np.float32((1 << bits) - 1)
    black, luma_range, chroma_range = (
        (np.float32(0), white, white) if full_range else (16 * step, 219 * step, 224 * step)
    )
    if matrix == RGB:
        return [(plane - black) / luma_range for plane in (y, *chroma)]
    return [(y - black) / luma_range, *((plane - 128 * step) / chroma_range for plane in chroma)]


def _converted(values: list[NDArray[np.float32]], matrix: int) -> NDArray[np.float32]:
    if len(values) == 1:
        return values[0]
    first, second, third = values
    if matrix == RGB:
        return np.stack([third, first, second], -1)
    if matrix == YCGCO:
        rest = first - second
        return np.stack([rest + third, first + second, rest - third], -1)
    red, blue = _LUMA_WEIGHTS[matrix]
    r = first + np.float32(2 * (1 - red)) * third
    b = first + np.float32(2 * (1 - blue)) * second
    g = (first - np.float32(red) * r - np.float32(blue) * b) / np.float32(1 - red - blue)
    return np.stack([r, g, b], -1)
