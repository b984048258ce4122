"""The opacity's layer, of photos that are not opaque all over: one plane of 8 bits, lossless in BPG."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import bpg
from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.codec.layers.planes import read_planes
from dsslic_search.core.kinds import Stage

BPG = 1
LAYER = Layer("ALPH", "the opacity", (BPG,), (Stage.FULL,))


def encode(alpha: NDArray[np.uint8]) -> Chunk:
    """The opacity, uint8 [H, W], 255 for opaque."""
    return LAYER.chunk(BPG, bpg.encode(alpha, qp=0, lossless=True))


def decode(chunk: Chunk, size: tuple[int, int]) -> NDArray[np.uint8]:
    """What :func:`encode` was given. FormatError when the chunk is damaged or not of the (height, width)
    ``size``."""
    LAYER.check(chunk)
    return read_planes(chunk.data, True, 8, size)[0].astype(np.uint8)
