"""`RESI` of the paper's profile: r = x − x′ as a BPG picture of 8 bits, as any BPG program reads it.

::

    mapping 1 byte · least and greatest of r, 2 bytes each, signed, little-endian · BPG picture

Mapping 0, min–max (arXiv 1806.03348): the least becomes 0 and the greatest 255; chroma has half the size
each way, as `bpgenc` does it unless told otherwise. Mapping 1, fixed: halved around 128, chroma of full size.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import bpg
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.layers import residual
from dsslic_search.core.errors import FormatError

MIN_MAX, FIXED = range(2)
CHROMA = {MIN_MAX: "420", FIXED: "444"}
NAMES = {MIN_MAX: "min-max", FIXED: "fixed"}
FIXED_QP_OFFSET = 6  # half the scale: the same distortion needs a QP 6 lower
_TERMS = struct.Struct("<Bhh")
_MIDDLE, _WHITE = 128, 255

Differences = NDArray[np.int16]


class Mapping(NamedTuple):
    """How differences become samples: ``kind`` MIN_MAX or FIXED, and the least and greatest difference."""

    kind: int
    least: int
    greatest: int

    def to_bytes(self) -> bytes:
        """As laid out above."""
        return _TERMS.pack(*self)

    def samples(self, difference: Differences) -> NDArray[np.uint8]:
        """uint8 of differences within least..greatest."""
        if self.kind == FIXED:
            scaled = np.clip((difference + 2 * _MIDDLE) >> 1, 0, _WHITE)
        else:
            span = max(self.greatest - self.least, 1)
            scaled = (2 * _WHITE * (difference.astype(np.int32) - self.least) + span) // (2 * span)
        samples: NDArray[np.uint8] = scaled.astype(np.uint8)
        return samples

    def differences(self, samples: NDArray[np.uint8]) -> Differences:
        """The way back, to the nearest whole number."""
        if self.kind == FIXED:
            return 2 * (samples.astype(np.int16) - _MIDDLE)
        span = self.greatest - self.least
        scaled = (2 * span * samples.astype(np.int32) + _WHITE) // (2 * _WHITE)
        return (self.least + scaled).astype(np.int16)

    def qp(self, qp: int) -> int:
        """The QP of the samples for the distortion that ``qp`` has in the photo."""
        if self.kind == FIXED:
            return max(qp - FIXED_QP_OFFSET, 0)
        scale = _WHITE / max(self.greatest - self.least, 1)
        return int(np.clip(round(qp + 6 * np.log2(scale)), 0, 51))


def encode(
    pixels: NDArray[np.uint8], coarse: NDArray[np.uint8], kind: int, qp: int, preset: str = "slow"
) -> tuple[Chunk, int]:
    """The layer of a photo, uint8 [H, W, 3] or [H, W], over its coarse image of the same shape, and the QP of
    its picture. ``qp``: as for coding the photo directly."""
    difference: Differences = pixels.astype(np.int16) - coarse
    mapping = Mapping(kind, int(difference.min()), int(difference.max()))
    picture, used = encode_difference(difference, mapping, qp, preset)
    return residual.LAYER.chunk(residual.NORMALISED, mapping.to_bytes() + picture), used


def encode_difference(
    difference: Differences, mapping: Mapping, qp: int, preset: str = "slow"
) -> tuple[bytes, int]:
    """The picture alone of differences, int16 [H, W, 3] or [H, W], cut off at the mapping's ends, and its
    QP."""
    used = mapping.qp(qp)
    within = np.clip(difference, mapping.least, mapping.greatest)
    return bpg.encode(mapping.samples(within), qp=used, chroma=CHROMA[mapping.kind], preset=preset), used


def read_mapping(data: bytes) -> tuple[Mapping, bytes]:
    """The mapping of a layer, and the BPG picture after it. FormatError for one that cannot be."""
    if len(data) < _TERMS.size:
        raise FormatError("the residual's mapping is cut short")
    mapping = Mapping(*_TERMS.unpack_from(data))
    if mapping.kind not in CHROMA or not -_WHITE <= mapping.least <= mapping.greatest <= _WHITE:
        raise FormatError("the residual's mapping is damaged")
    return mapping, data[_TERMS.size :]


def decode(chunk: Chunk, coarse: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The photo, uint8 of the shape of its coarse image. FormatError when the chunk is damaged or not of that
    size."""
    mapping, data = read_mapping(chunk.data)
    height, width = coarse.shape[:2]
    picture = bpg.decode(data, max_pixels=height * width)
    if (picture.height, picture.width) != (height, width):
        raise FormatError(
            f"a residual of {picture.width}×{picture.height} pixels where {width}×{height} were declared"
        )
    if picture.bit_depth != 8 or picture.grey != (coarse.ndim == 2):
        raise FormatError("the residual's bit depth or planes are not those declared")
    samples = picture.planes[0].astype(np.uint8) if picture.grey else picture.rgb8()
    pixels: NDArray[np.uint8] = np.clip(coarse + mapping.differences(samples), 0, _WHITE).astype(np.uint8)
    return pixels
