"""The residual layer: what the coarse image lacks, r = x − x', as a 10-bit picture r/2 + 128 (samples 512 + 2·r)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BIT_DEPTH = 10
MIDDLE = 512


def to_samples(photo: NDArray[np.uint8], coarse: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Samples uint16 in 2..1022 of the same shape as the two uint8 pictures."""
    return (MIDDLE + 2 * (photo.astype(np.int16) - coarse)).astype(np.uint16)


def apply(coarse: NDArray[np.uint8], samples: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The photo, uint8: coarse plus the residual that decoded samples stand for."""
    residual = (samples.astype(np.int16) - MIDDLE + 1) >> 1
    return (coarse + residual).clip(0, 255).astype(np.uint8)
