"""The compact image's layer: c, an eighth of the photo each way, as BPG 4:4:4 of 10 bits (DSSLIC's c).

In the paper's profile it is a FLIF file. Decoding is in integers, so that every machine has the same ĉ to
predict the photo from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import bpg
from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.codec.layers import flif_files
from dsslic_search.codec.layers.planes import read_samples
from dsslic_search.core.kinds import Stage

BPG = 1
FLIF = 2
LAYER = Layer("COMP", "the compact image", (BPG, FLIF), (Stage.COMPACT, Stage.COARSE, Stage.FULL))

PRESET = "slow"  # x265's; the layer is small, so that its time does not count beside a residual's
BIT_DEPTH = 10
FRACTION_BITS = 2  # of the samples: quarters of a grey level


def encode(compact: NDArray[np.uint8], qp: int, quickly: bool = False) -> Chunk:
    """The compact image, uint8 [h, w, 3] or, of a grey photo, [h, w], at a QP of 0..51. ``quickly``: in some
    40 % of the time, for about 9 % more bytes at the same PSNR."""
    samples = compact.astype(np.uint16) << np.uint16(FRACTION_BITS)
    block = bpg.CODING_BLOCKS[1 if quickly else 0]
    return LAYER.chunk(
        BPG, bpg.encode(samples, qp=qp, bit_depth=BIT_DEPTH, preset=PRESET, coding_block=block)
    )


def encode_as_flif(compact: NDArray[np.uint8]) -> Chunk:
    """The same as a FLIF file: every pixel is kept."""
    return LAYER.chunk(FLIF, flif_files.encode(compact))


def decode(chunk: Chunk, grey: bool, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """ĉ as FineNet takes it: uint8 [h, w, 3] in any case, three equal channels where ``grey``.

    FormatError when the chunk is damaged or not of the (height, width) ``size``.
    """
    LAYER.check(chunk)
    if chunk.codec == FLIF:
        whole = flif_files.decode(chunk.data, size, planes=1 if grey else 3)
        return np.repeat(whole[..., None], 3, 2) if grey else whole
    samples = read_samples(chunk.data, grey, BIT_DEPTH, size)
    rounding = 1 << FRACTION_BITS >> 1
    compact = ((samples + rounding) >> FRACTION_BITS).clip(0, 255).astype(np.uint8)
    return np.repeat(compact[..., None], 3, 2) if grey else compact
