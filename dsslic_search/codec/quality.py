"""From the one number a user gives to the quantisers of the layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsslic_search.errors import UsageError

# quality 1..100 → HEVC QP of a photo coded directly at the same distortion
_QUALITY = (1, 25, 50, 75, 90, 100)
_DIRECT_QP = (48, 40, 33, 26, 20, 10)
# A coarser c saves bits on the whole: BD-rate by PSNR -0.7 % with these two against equal QPs capped at 30, -1.7 % at +8 without a
# cap (ten photos that training the codec never saw). But compact and coarse are also shown: hence the moderate offset and the cap.
COMPACT_OFFSET_QP = 4
COMPACT_MAX_QP = 36
RESIDUAL_GAIN_QP = 6  # r is coded as r/2 + 128: half the amplitude, so the same distortion needs a QP 6 lower


@dataclass(frozen=True)
class Quantisers:
    """HEVC QPs (0..51, on the 8-bit scale) of the compact image and of the residual."""

    compact: int
    residual: int


def quantisers(quality: int) -> Quantisers:
    """The QPs for a quality of 1 (smallest) to 100 (best). UsageError outside that."""
    if not isinstance(quality, int) or not 1 <= quality <= 100:
        raise UsageError(f"quality {quality} is not a whole number from 1 (smallest files) to 100 (best picture)")
    direct = round(float(np.interp(quality, _QUALITY, _DIRECT_QP)))
    return Quantisers(compact=min(COMPACT_MAX_QP, direct + COMPACT_OFFSET_QP), residual=max(0, direct - RESIDUAL_GAIN_QP))
