"""AVIF (AOMedia, AV1 image file format): through libavif as imagecodecs builds it, which gives all bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture.formats import boxes, pillow
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import Model, Raster, eight_bit_alpha


def read(data: bytes) -> Header:
    """The header of an AVIF file. Its EXIF orientation counts for nothing, "irot" and "imir" do."""
    header = pillow.read(data, "AVIF")
    item = boxes.primary_item(data)

    def decode(shrink: int) -> Raster:
        if item is None:  # a sequence without a still picture: its first frame
            return header.decode(1)
        return _decode(data, item)

    width, height = (
        (item.width, item.height) if item and item.width and item.height else (header.width, header.height)
    )
    return Header("AVIF", width, height, decode, header.embedded)


def _decode(data: bytes, item: boxes.Item) -> Raster:
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
    return Raster(np.ascontiguousarray(samples), model, white, bits, alpha, item.space, item.turn)
