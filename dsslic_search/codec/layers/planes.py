"""Pictures inside layers: BPG streams of which the header of the .dsslic file says size, depth and planes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import bpg
from dsslic_search.core.errors import FormatError
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS

Planes = tuple[NDArray[np.uint16], ...]
"""One plane [h, w] or three of them, 0..2**depth-1."""


def read_planes(data: bytes, grey: bool, bit_depth: int, size: tuple[int, int] | None) -> Planes:
    """The planes as they are stored: one where ``grey``, else three.

    FormatError unless the stream has them, in ``bit_depth`` and of the (height, width) ``size``; None for a
    size that nothing declares.
    """
    picture = _read(data, grey, bit_depth, size)
    return tuple(plane.astype(np.uint16, copy=False) for plane in picture.planes)


def read_samples(data: bytes, grey: bool, bit_depth: int, size: tuple[int, int] | None) -> NDArray[np.uint16]:
    """The same with its planes converted from YCbCr to red, green and blue: uint16 [h, w, 3], 0..2**depth-1,
    or [h, w] where ``grey``."""
    picture = _read(data, grey, bit_depth, size)
    return picture.planes[0].astype(np.uint16) if grey else picture.rgb_native()


def _read(data: bytes, grey: bool, bit_depth: int, size: tuple[int, int] | None) -> bpg.Picture:
    picture = bpg.decode(data, max_pixels=size[0] * size[1] if size else DEFAULT_MAX_PIXELS)
    if size is not None and (picture.height, picture.width) != size:
        raise FormatError(
            f"a layer of {picture.width}×{picture.height} pixels where {size[1]}×{size[0]} were declared"
        )
    if (
        picture.bit_depth != bit_depth
        or len(picture.planes) != (1 if grey else 3)
        or picture.header.chroma not in ("400", "444")
    ):
        raise FormatError("a layer's bit depth or planes are not those declared")
    return picture
