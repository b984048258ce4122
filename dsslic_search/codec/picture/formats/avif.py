"""AVIF (AOMedia, AV1 image file format): through libavif as imagecodecs builds it, which gives all bits;
where its arithmetic falls short, through dav1d as the FFmpeg of PyAV has it."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture.formats import heif, items, pillow
from dsslic_search.codec.picture.formats.items import CodePoints, Item, Items, transformed, transformed_size
from dsslic_search.codec.picture.header import Companions, Header
from dsslic_search.codec.picture.raster import Model, Raster, eight_bit_alpha
from dsslic_search.core.errors import PhotoError

_AV1 = frozenset({b"av01"})
_SHORT_OF_BLUE = frozenset({1, 9})
"""Matrices of ITU-T H.273 whose narrow range libavif shows by way of libyuv, which has no factor above 2:
blue comes out up to 16 of 255 levels short."""


def read(data: bytes) -> Header:
    """The header of an AVIF file. Its EXIF orientation counts for nothing, "irot" and "imir" do."""
    header = pillow.read(data, "AVIF")
    found = items.read(data)
    if found is None:  # a sequence without a still picture: its first frame
        return header
    item = found.described(found.primary)
    size = (item.height, item.width) if item.height and item.width else (header.height, header.width)
    height, width = transformed_size(size, item.transforms)
    gain_map = any(kind == b"tmap" for kind, _ in found.kinds.values())
    companions = Companions(gain_map)

    def decode(shrink: int) -> Raster:
        return _decode_exactly(found, item) or _decode(data, item)

    return Header("AVIF", width, height, decode, header.embedded, lambda: companions)


def _decode_exactly(found: Items, item: Item) -> Raster | None:
    """A picture that libavif does not show right; None for all others."""
    if item.bits > 8 or not (item.code_points is None or _is_short_of_blue(item.code_points)):
        return None
    try:
        source, opacity = heif.sources(found, _AV1)
        if item.code_points is None:
            planes = heif.planes_of(found, source)
            if len(planes.planes) < 3 or planes.bits > 8 or not _is_short_of_blue(planes.code_points):
                return None
        raster = heif.decoded(found, source, opacity, smooth=True)
    except (PhotoError, ValueError, struct.error):  # layers, damage …: libavif's to read or to refuse
        return None
    return replace(raster, space=item.space) if raster.model == "rgb" else None


def _is_short_of_blue(points: CodePoints) -> bool:
    return points.matrix in _SHORT_OF_BLUE and not points.full_range


def _decode(data: bytes, item: Item) -> Raster:
    from imagecodecs import avif_decode

    samples: NDArray[Any] = avif_decode(data, 0)
    bits = item.bits or 8 * samples.dtype.itemsize
    white = float((1 << bits) - 1) if samples.dtype == np.uint16 else 255.0
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    alpha = None
    if channels in (2, 4):
        alpha = eight_bit_alpha(samples[..., -1], white)
        samples = samples[..., :-1]
    if samples.ndim == 3 and samples.shape[2] == 1:
        samples = samples[..., 0]
    model: Model = "grey" if samples.ndim == 2 else "rgb"
    samples = np.ascontiguousarray(transformed(samples, item.transforms))
    if alpha is not None:
        alpha = np.ascontiguousarray(transformed(alpha, item.transforms))
    return Raster(samples, model, white, bits, alpha, item.space)
