"""The residual's layer of a lossless file: the photo itself as JPEG XL, every pixel of it exact.

A residual under a lossless coder costs more than the photo (5 to 23 % on five photos: noise is coded either
way), and HEVC's lossless mode 30 to 60 % more than JPEG XL.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import jpeg_xl
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.layers import residual
from dsslic_search.core.errors import FormatError


def encode(pixels: NDArray[np.uint8], effort: int) -> Chunk:
    """The photo, uint8 [H, W, 3] or [H, W]; ``effort`` 1..9."""
    import imagecodecs

    codestream = imagecodecs.jpegxl_encode(
        pixels, lossless=True, effort=effort, usecontainer=False, numthreads=1
    )
    return residual.LAYER.chunk(residual.JPEG_XL, bytes(codestream))


def decode(chunk: Chunk, size: tuple[int, int], grey: bool) -> NDArray[np.uint8]:
    """What :func:`encode` was given. FormatError when the chunk is damaged or not of the (height, width)
    ``size``."""
    import imagecodecs

    if jpeg_xl.read_size(chunk.data) != size:
        raise FormatError("the lossless layer is not of the size that the header declares")
    try:
        pixels = np.asarray(imagecodecs.jpegxl_decode(chunk.data, numthreads=1))
    except (RuntimeError, ValueError, MemoryError) as e:
        raise FormatError(f"the lossless layer is damaged ({e})") from e
    if pixels.dtype != np.uint8 or pixels.shape != (size if grey else (*size, 3)):
        raise FormatError("the lossless layer's depth or planes are not those declared")
    return pixels
