"""AVIF (AOMedia, AV1 image file format): through libavif as imagecodecs builds it, which gives all bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture.formats import items, pillow
from dsslic_search.codec.picture.formats.items import Item, transformed, transformed_size
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import Model, Raster, eight_bit_alpha


def read(data: bytes) -> Header:
    """The header of an AVIF file. Its EXIF orientation counts for nothing, "irot" and "imir" do."""
    header = pillow.read(data, "AVIF")
    found = items.read(data)
    if found is None:  # a sequence without a still picture: its first frame
        return header
    item = found.described(found.primary)
    size = (item.height, item.width) if item.height and item.width else (header.height, header.width)
    height, width = transformed_size(size, item.transforms)
    return Header("AVIF", width, height, lambda shrink: _decode(data, item), header.embedded)


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
