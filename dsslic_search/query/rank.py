"""How well a photo satisfies a range of coverage, and the best of many.

The degree of satisfaction is a function of the coverage c as the columns round it (up, to 1/65000 for each class of the thing):

    at least low             (c - low) / (1 - low)
    at most high             (high - c) / high
    from low to high         the distance of c to the nearer bound, over half the width of the range

and 0 outside. Where the bounds leave no room (100 %, 0 %, low = high) it is 1 at the bound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.quanta import SCALE, TICKS
from dsslic_search.query.plan import Within


def degree(total: NDArray[np.uint16], step: Within) -> NDArray[np.float32]:
    """The degrees, float32 0..1, of rows whose sums of quanta are ``total`` (index.columns)."""
    covered: NDArray[np.float32] = np.minimum(total * np.float32(1 / SCALE), np.float32(1))
    low, high = max(step.low, 0) / TICKS, min(step.high, TICKS) / TICKS
    below, above = low > 0, high < 1
    if not below and not above:
        return np.ones(total.size, np.float32)
    room = (high - low) / (2 if below and above else 1)
    if room <= 1 / TICKS:
        at_bound = np.abs(covered - np.float32(low if below else high)) <= (len(step.classes) + 1) / SCALE
        return np.asarray(at_bound, np.float32)
    distance: NDArray[np.float32]
    if below and above:
        distance = np.minimum(covered - np.float32(low), np.float32(high) - covered)
    else:
        distance = covered - np.float32(low) if below else np.float32(high) - covered
    distance *= np.float32(1 / room)
    return np.clip(distance, 0, 1, out=distance)


def best(degrees: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """The places of the ``limit`` greatest degrees, greatest first, equal ones in their order; without sorting the others."""
    if limit >= degrees.size:
        return np.argsort(-degrees, kind="stable")
    if limit == 0:
        return np.empty(0, np.intp)
    last = np.partition(_upper(degrees, limit), -limit)[-limit]
    above = np.flatnonzero(degrees > last)
    equal = np.flatnonzero(degrees == last)[: limit - above.size]
    return np.concatenate([above[np.argsort(-degrees[above], kind="stable")], equal])


def _upper(degrees: NDArray[np.float32], limit: int) -> NDArray[np.float32]:
    """A small part of the degrees that has the ``limit`` greatest, if a sample shows where they begin; else all of them."""
    stride = degrees.size // 4096
    if stride < 2 or limit > degrees.size // 64:
        return degrees
    sample = degrees[::stride]
    rank = min(2 * limit // stride + 16, sample.size)
    upper = degrees[degrees >= np.partition(sample, -rank)[-rank]]
    return upper if upper.size >= limit else degrees
