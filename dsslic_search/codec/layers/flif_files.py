"""Layers of the paper's profile that are FLIF16 files: any FLIF program reads them. Their coder is loaded
when a file has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import FormatError


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """The smaller file of the two, in rows or interlaced."""
    from dsslic_search.codec import flif

    return min((flif.encode(pixels, interlaced=way) for way in (False, True)), key=len)


def channels_of(data: bytes, max_pixels: int) -> int:
    """How many channels a file has, from its first bytes. FormatError where it is none, or of more pixels."""
    from dsslic_search.codec.flif.file import read_header

    return read_header(data, max_pixels)[0].channels


def decode(data: bytes, shape: tuple[int, ...] | None, planes: int) -> NDArray[np.uint8]:
    """uint8, [h, w] of one plane, [h, w, 3] of three. FormatError when the file is damaged, or not of the
    (height, width) ``shape`` or of so many planes of 8 bits; None for a size that nothing declares."""
    from dsslic_search.codec import flif

    size = None if shape is None else shape[0] * shape[1]
    pixels = flif.decode(data, max_pixels=size).pixels
    if shape is not None and pixels.shape[:2] != shape:
        height, width = pixels.shape[:2]
        raise FormatError(
            f"a FLIF layer of {width}×{height} pixels where {shape[1]}×{shape[0]} were declared"
        )
    if pixels.dtype != np.uint8 or (1 if pixels.ndim == 2 else pixels.shape[2]) != planes:
        raise FormatError("a FLIF layer's bit depth or planes are not those declared")
    return pixels.astype(np.uint8, copy=False)
