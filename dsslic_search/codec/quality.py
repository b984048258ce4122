"""From the one number a user gives to the quantisers of the layers, and from one effort to what the encoder
tries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsslic_search.codec.bpg.x265 import Search
from dsslic_search.core.errors import UsageError
from dsslic_search.core.settings import LOSSLESS
from dsslic_search.networks.look import PLAINLY, QUICKLY, THOROUGHLY, Look

# quality 1..100 → HEVC QP of a photo coded directly at the same distortion
_QUALITY = (1, 25, 50, 75, 90, 100)
_DIRECT_QP = (48, 40, 33, 26, 20, 10)
# The residual does not lean on c unless that saves bits, so c is there for the previews: at this distance a
# little over 1 % of the file (docs/results/levers.json).
COMPACT_OFFSET_QP = 8
COMPACT_MAX_QP = 44

EFFORTS = range(1, 10)


@dataclass(frozen=True)
class Quantisers:
    """HEVC QPs (0..51, on the 8-bit scale): of the compact image, and of the photo as if it were coded
    directly."""

    compact: int
    residual: int


@dataclass(frozen=True)
class Effort:
    """What the encoder tries. ``preset``, ``search``: see `codec.bpg.x265`; ``fit``: whether the
    restoration's strength and the compact image's QP are fitted to the photo, and that image is coded with
    small blocks; ``trusts``: how much of the coarse image to subtract, in 1/64. ``look``: how closely SegNet
    looks (docs/results/segmentation-settings.json)."""

    preset: str
    search: Search = Search.PLAIN
    fit: bool = False
    trusts: tuple[int, ...] = (0,)
    look: Look = PLAINLY


_EFFORTS = (
    Effort("ultrafast", look=QUICKLY),
    Effort("superfast", look=QUICKLY),
    Effort("veryfast", look=QUICKLY),
    Effort("fast", fit=True),
    Effort("medium", fit=True),
    Effort("slow", fit=True, search=Search.PHOTO),
    Effort("slower", fit=True, search=Search.EVERYTHING),
    Effort("placebo", fit=True, search=Search.EVERYTHING, look=THOROUGHLY),
    Effort("placebo", fit=True, search=Search.EVERYTHING, trusts=(0, 16, 32), look=THOROUGHLY),
)


def quantisers(quality: int) -> Quantisers:
    """The QPs for a quality of 1 (smallest) to 100 (best), or LOSSLESS. UsageError outside that."""
    if not isinstance(quality, int) or isinstance(quality, bool) or not 1 <= quality <= LOSSLESS:
        raise UsageError(
            f"quality {quality} is not a whole number from 1 (smallest files) to 100 (best picture), nor "
            "lossless"
        )
    direct = round(float(np.interp(quality, _QUALITY, _DIRECT_QP)))
    return Quantisers(compact=min(COMPACT_MAX_QP, direct + COMPACT_OFFSET_QP), residual=direct)


def effort(number: int) -> Effort:
    """What an effort of 1 (fastest) to 9 (smallest files) stands for. UsageError outside that."""
    if not isinstance(number, int) or isinstance(number, bool) or number not in EFFORTS:
        raise UsageError(f"effort {number} is not a whole number from 1 (fastest) to 9 (smallest files)")
    return _EFFORTS[number - 1]
