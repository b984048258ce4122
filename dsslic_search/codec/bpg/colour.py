"""Integer colour conversion between RGB pixels and the three planes of a BPG picture.

Everything is fixed-point arithmetic in 32 bits, so every machine gives the same samples. The way back to RGB
equals what the reference decoder shows, sample for sample, where it was compared: BT.601 and RGB, 8 and 10
bits, full range.

Colour spaces, by the names used here, in the order of BPG's color_space:

========== ===================================
``ycbcr``  BT.601
``rgb``    planes in the order G, B, R
``ycgco``  Y, Cg, Co
``bt709``  BT.709
``bt2020`` BT.2020, non-constant luminance
========== ===================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.uint8 | np.uint16]

COLOURS = ("ycbcr", "rgb", "ycgco", "bt709", "bt2020")
# of red and of blue
_LUMA_WEIGHTS = {"ycbcr": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
# rows are converted in bands of about this many pixels, whose temporaries stay in the cache
_BAND_SAMPLES = 1 << 15

Rows = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


def sample_type(bit_depth: int) -> type[np.uint8] | type[np.uint16]:
    """The dtype that samples of ``bit_depth`` bits are kept in."""
    return np.uint8 if bit_depth == 8 else np.uint16


def bands(height: int, width: int) -> Iterator[slice]:
    """Slices of rows that cover a picture, each of a size worth working on at once."""
    step = max(1, _BAND_SAMPLES // width)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def rescale(samples: Samples, *, bit_depth: int, out_depth: int) -> Samples:
    """``samples`` of ``bit_depth`` bits as samples of ``out_depth`` bits: black stays black, white white, in
    between to the nearest."""
    if bit_depth == out_depth:
        return samples.astype(sample_type(out_depth), copy=False)
    largest, out_largest = (1 << bit_depth) - 1, (1 << out_depth) - 1
    table: Samples = np.empty(1 << bit_depth, sample_type(out_depth))
    table[:] = (np.arange(1 << bit_depth, dtype=np.int64) * (2 * out_largest) + largest) // (2 * largest)
    return table[samples]


def to_planes(pixels: Samples, *, bit_depth: int, colour: str = "ycbcr") -> tuple[Samples, Samples, Samples]:
    """RGB ``pixels`` [H,W,3], 0..2**bit_depth-1, as three full-range planes [H,W] of the same depth.

    ``bit_depth`` is 8..12, ``colour`` one of :data:`COLOURS`. Greys have chroma exactly at the centre.
    """
    shift = 30 - bit_depth
    real = _encoding_rows(colour)
    weights = [[round(value * (1 << shift)) for value in row] for row in real]
    for row, exact in zip(weights, real, strict=True):
        # what rounding lost goes to green: white stays white, greys grey
        row[1] += round(sum(exact)) * (1 << shift) - sum(row)
    biases = [(1 << shift >> 1) + (centre << shift) for centre in _offsets(colour, bit_depth, limited=False)]
    height, width = pixels.shape[:2]
    planes = [np.empty((height, width), sample_type(bit_depth)) for _ in range(3)]
    for rows in bands(height, width):
        sources = [pixels[rows, :, channel].astype(np.int32) for channel in range(3)]
        for plane, row, bias in zip(planes, weights, biases, strict=True):
            plane[rows] = _combine(sources, row, bias, shift, bit_depth)
    return planes[0], planes[1], planes[2]


def to_pixels(
    planes: Sequence[Samples],
    *,
    bit_depth: int,
    out_depth: int | None = None,
    colour: str = "ycbcr",
    limited: bool = False,
) -> Samples:
    """Three planes [H,W] (or one, grey) of ``bit_depth`` bits as RGB pixels [H,W,3] of ``out_depth`` bits
    (``bit_depth`` if None).

    Depths are 8..12. ``limited``: the planes use the video range, 16..235 for luma and 16..240 for chroma at
    8 bits. uint8 comes out for 8 bits, else uint16.
    """
    depth = bit_depth if out_depth is None else out_depth
    # these overshoot white by far, and need the room in 32 bits
    shift = (28 if limited or colour == "ycgco" else 30) - depth
    scale = ((1 << depth) - 1) * (1 << shift)
    steps = (219 << (bit_depth - 8), 224 << (bit_depth - 8)) if limited else ((1 << bit_depth) - 1,) * 2
    of_luma, of_chroma = scale / steps[0], scale / steps[1]
    scales = (of_luma,) * 3 if colour == "rgb" else (of_luma, of_chroma, of_chroma)
    grey = len(planes) == 1
    real = ((1.0, 0.0, 0.0),) if grey else _decoding_rows(colour)
    weights = [[round(value * factor) for value, factor in zip(row, scales, strict=True)] for row in real]
    offsets = _offsets(colour, bit_depth, limited)
    biases = [
        (1 << shift >> 1) - sum(weight * offset for weight, offset in zip(row, offsets, strict=True))
        for row in weights
    ]
    height, width = planes[0].shape
    pixels: Samples = np.empty((height, width, 3), sample_type(depth))
    for rows in bands(height, width):
        sources = [plane[rows].astype(np.int32) for plane in planes]
        for channel, (row, bias) in enumerate(zip(weights, biases, strict=True)):
            pixels[rows, :, channel] = _combine(sources, row, bias, shift, depth)
        if grey:
            pixels[rows, :, 1:] = pixels[rows, :, :1]
    return pixels


def _combine(
    sources: Sequence[NDArray[np.int32]], weights: Sequence[int], bias: int, shift: int, bit_depth: int
) -> NDArray[np.int32]:
    """``(bias + sum of weight * source) >> shift``, kept within ``bit_depth`` bits. Sums fit in 32 bits for
    depths up to 12.

    A lone (grey) source takes the first weight; the others are then zero.
    """
    total = np.full(sources[0].shape, bias, np.int32)
    for source, weight in zip(sources, weights, strict=False):
        if weight:
            total += source * np.int32(weight)
    total >>= shift
    return np.clip(total, 0, (1 << bit_depth) - 1, out=total)


def _offsets(colour: str, bit_depth: int, limited: bool) -> tuple[int, int, int]:
    """The sample values of black, or of no colour, in each plane."""
    black = 16 << (bit_depth - 8) if limited else 0
    centre = black if colour == "rgb" else 1 << (bit_depth - 1)
    return black, centre, centre


def _decoding_rows(colour: str) -> Rows:
    """What red, green and blue are made of, in terms of planes whose ranges are 1 wide."""
    if colour == "rgb":
        return (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    if colour == "ycgco":
        return (1.0, -1.0, 1.0), (1.0, 1.0, 0.0), (1.0, -1.0, -1.0)
    red, blue = _LUMA_WEIGHTS[colour]
    green = 1 - red - blue
    return (
        (1.0, 0.0, 2 * (1 - red)),
        (1.0, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green),
        (1.0, 2 * (1 - blue), 0.0),
    )


def _encoding_rows(colour: str) -> Rows:
    """What the planes are made of, in terms of red, green and blue: the inverse of :func:`_decoding_rows`."""
    if colour == "rgb":
        return (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)
    if colour == "ycgco":
        return (0.25, 0.5, 0.25), (-0.25, 0.5, -0.25), (0.5, 0.0, -0.5)
    red, blue = _LUMA_WEIGHTS[colour]
    green = 1 - red - blue
    to_blue, to_red = 2 * (1 - blue), 2 * (1 - red)
    return (red, green, blue), (-red / to_blue, -green / to_blue, 0.5), (0.5, -green / to_red, -blue / to_red)
