"""Chroma planes of half the width (4:2:2) or half of both sides (4:2:0), and back.

BPG leaves the interpolation to the decoder. 8-bit 4:2:0 pictures come out exactly as the reference decoder
shows them (compared on its output); 4:2:2 and cosited pictures use the same family of filters and have not
been compared.

A chroma sample lies midway between two luma samples in each halved direction (as in JPEG), or,
*cosited*, on the left one of them horizontally (as in MPEG-2). Beyond the picture its edge continues.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.bpg.colour import Samples, bands, sample_type

# Weights (in 64ths) of the chroma samples at -3..4 around a sample, for luma at the distance named, in chroma
# samples.
_QUARTER_BEFORE = (2, -6, 18, 57, -10, 4, -1, 0)
_QUARTER_AFTER = (-1, 4, -10, 57, 18, -6, 2, 0)
_ON = (0, 0, 0, 64, 0, 0, 0, 0)
_HALF_AFTER = (-1, 4, -11, 40, 40, -11, 4, -1)
_BEFORE, _AFTER = 3, 4

# Weights (in 128ths) of the luma-sized samples at -6..7 around sample 2k, for chroma sample k: the
# interpolator's transpose.
_DECIMATION = (-1, 2, 4, -6, -10, 18, 57, 57, 18, -10, -6, 4, 2, -1)
_DECIMATION_BEFORE, _DECIMATION_AFTER = 6, 7


def upsample(
    plane: Samples, height: int, width: int, *, chroma: str, bit_depth: int, cosited: bool = False
) -> Samples:
    """A chroma ``plane`` at the size of luma, [height,width], same depth (8..12 bits).

    ``plane`` is [ceil(height/2), ceil(width/2)] for ``chroma`` "420", [height, ceil(width/2)] for "422";
    "444" is given back as it is.
    """
    if chroma == "444":
        return plane
    both = chroma == "420"
    across = (_ON, _HALF_AFTER) if cosited else (_QUARTER_BEFORE, _QUARTER_AFTER)
    shift = 12 if both else 6
    wide: Samples = np.empty((height, width), sample_type(bit_depth))
    padded = np.pad(plane, ((_BEFORE, _AFTER) if both else (0, 0), (_BEFORE, _AFTER)), "edge")
    for rows in bands(plane.shape[0], 4 * plane.shape[1]):
        if both:
            band = padded[rows.start : rows.stop + _BEFORE + _AFTER].astype(np.int32)
            band = _double(band, 0, _QUARTER_BEFORE, _QUARTER_AFTER)
            target = slice(2 * rows.start, min(2 * rows.stop, height))
        else:
            band = padded[rows].astype(np.int32)
            target = rows
        filled = _double(band[: target.stop - target.start], 1, *across)[:, :width]
        wide[target] = _round(filled, shift, bit_depth)
    return wide


def downsample(plane: Samples, *, chroma: str, bit_depth: int) -> Samples:
    """The chroma plane for ``chroma`` "420", "422" or "444" of a ``plane`` at the size of luma, samples
    midway (as in JPEG).

    Halved sides become ceil(side / 2).
    """
    if chroma == "444":
        return plane
    both = chroma == "420"
    height, width = plane.shape
    shift = 14 if both else 7
    before, after = _DECIMATION_BEFORE, _DECIMATION_AFTER
    padded = np.pad(
        plane, ((before, after + height % 2) if both else (0, 0), (before, after + width % 2)), "edge"
    )
    small: Samples = np.empty((-(-height // 2) if both else height, -(-width // 2)), sample_type(bit_depth))
    for rows in bands(small.shape[0], 4 * small.shape[1]):
        if both:
            band = _halve(
                padded[2 * rows.start : 2 * rows.stop - 1 + before + after].astype(np.int32),
                0,
                rows.stop - rows.start,
            )
        else:
            band = padded[rows].astype(np.int32)
        small[rows] = _round(_halve(band, 1, small.shape[1]), shift, bit_depth)
    return small


def _double(
    samples: NDArray[np.int32], axis: int, even: tuple[int, ...], odd: tuple[int, ...]
) -> NDArray[np.int32]:
    """Twice as many samples along ``axis``, 64 times as large; ``samples`` has the neighbours at -3..4 of
    both ends."""
    count = samples.shape[axis] - _BEFORE - _AFTER
    shape = [samples.shape[0], samples.shape[1]]
    shape[axis] = 2 * count
    doubled = np.zeros(shape, np.int32)
    for phase, weights in enumerate((even, odd)):
        target = doubled[_along(axis, slice(phase, None, 2))]
        for start, weight in enumerate(weights):
            if weight:
                target += samples[_along(axis, slice(start, start + count))] * np.int32(weight)
    return doubled


def _halve(samples: NDArray[np.int32], axis: int, count: int) -> NDArray[np.int32]:
    """``count`` samples along ``axis``, 128 times as large, from twice as many that have the neighbours at
    -6..7 of both ends."""
    shape = [samples.shape[0], samples.shape[1]]
    shape[axis] = count
    halved = np.zeros(shape, np.int32)
    for start, weight in enumerate(_DECIMATION):
        halved += samples[_along(axis, slice(start, start + 2 * count - 1, 2))] * np.int32(weight)
    return halved


def _along(axis: int, part: slice) -> tuple[slice, slice]:
    return (part, slice(None)) if axis == 0 else (slice(None), part)


def _round(samples: NDArray[np.int32], shift: int, bit_depth: int) -> NDArray[np.int32]:
    rounded = (samples + (1 << shift >> 1)) >> shift
    return np.clip(rounded, 0, (1 << bit_depth) - 1, out=rounded)
