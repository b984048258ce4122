"""Which half, which third and how much of the middle half of the width, or of the height, a region fills: one
number each, since no less than half of a region is ever asked for.

The halves of a side share out a region's pixels, and so do its thirds. So there is at most one of them with
half of the pixels or more, or two with exactly half, and the number is 0 where there is none, else tells
which and how much. Much of it follows from a region's box, but to tell it from that takes the edges of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.region_numbers import LINES, SHARES, Line

HALF = SHARES // 2
DIVISIONS: Mapping[str, tuple[Line, ...]] = {
    "half": ("first half", "second half"),
    "third": ("first third", "middle third", "last third"),
    "middle": ("middle half",),
}
"""The stretches that share out a side, or a part of it."""
DIVISION_OF: Mapping[Line, str] = {line: name for name, lines in DIVISIONS.items() for line in lines}
STEPS = SHARES - HALF + 1  # shares of half or more


def _largest(lines: Sequence[Line]) -> int:
    return len(lines) * STEPS + len(list(combinations(lines, 2)))


NARROW = frozenset(name for name, lines in DIVISIONS.items() if _largest(lines) <= np.iinfo(np.uint8).max)
"""The divisions whose numbers are kept in a byte."""


def codes(shares: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The numbers for shares of the stretches of a division, uint8[stretches, n]: uint16[n]."""
    found = np.zeros(shares.shape[1], np.uint16)
    for place, share in enumerate(shares.astype(np.uint16)):
        filled = share >= HALF
        found[filled] = 1 + place * STEPS + (share[filled] - HALF)
    for number, (one, other) in enumerate(combinations(range(len(shares)), 2)):
        found[(shares[one] == HALF) & (shares[other] == HALF)] = 1 + len(shares) * STEPS + number
    return found


def _shares(line: Line) -> NDArray[np.uint8]:
    """For each number of its division, the share that lies in a stretch; 0 for less than half."""
    lines = DIVISIONS[DIVISION_OF[line]]
    pairs = list(combinations(range(len(lines)), 2))
    found = np.zeros(1 + len(lines) * STEPS + len(pairs), np.uint8)
    place = lines.index(line)
    found[1 + place * STEPS :][:STEPS] = np.arange(HALF, SHARES + 1)
    for number, pair in enumerate(pairs, 1 + len(lines) * STEPS):
        found[number] = HALF if place in pair else 0
    return found


SHARES_OF: Mapping[Line, NDArray[np.uint8]] = {line: _shares(line) for line in LINES}
"""The share that lies in a stretch, by the number of its division; 0 for less than half."""
