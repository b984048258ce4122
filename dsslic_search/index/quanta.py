"""Exact coverage in whole numbers, and the 16-bit numbers that stand for it in columns.

A coverage is compared in ticks, whole multiples of 10**-12: coverages of label maps are quotients of pixel
counts, and a sum of a few of them in floating point is off by far less than half a tick, so 10 % + 20 % is
not more than 30 %. The coverage of several classes is the float64 sum of their fractions in order of class
id, turned into ticks once.

A quantum is 0 for what is absent, else 1 + floor(ticks * QUANTA / TICKS): 16 bits that tell the ticks to
within 1 / QUANTA.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TICKS = 10**12  # that make a whole photo
QUANTA = 65_000  # that make a whole photo


def ticks(fraction: NDArray[np.float64]) -> NDArray[np.int64]:
    """Fractions 0..1 as whole ticks, int64."""
    return np.rint(fraction * TICKS).astype(np.int64)


def quanta(fraction: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Fractions 0..1 as quanta, uint16 0..QUANTA + 1."""
    whole = ticks(fraction)
    return np.where(whole > 0, 1 + whole * QUANTA // TICKS, 0).astype(np.uint16)


def span_of(quantum: NDArray[np.uint16]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The least and the greatest number of ticks that quanta may stand for, int64."""
    whole = quantum.astype(np.int64)
    least = -((1 - whole) * TICKS // QUANTA)
    return np.where(whole > 0, np.maximum(least, 1), 0), np.where(
        whole > 0, -(-whole * TICKS // QUANTA) - 1, 0
    )


def doubt(low: int) -> tuple[int, int]:
    """For "coverage >= ``low`` ticks": (r, a) such that a quantum <= r surely fails, one >= a surely holds,
    and the one between, if there is one, must be looked up exactly."""
    if low <= 1:
        return low - 1, low  # present at all, or nothing asked
    if low > TICKS:
        return QUANTA + 1, QUANTA + 2
    return low * QUANTA // TICKS, (low - 1) * QUANTA // TICKS + 2
