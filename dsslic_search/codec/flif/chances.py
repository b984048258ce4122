"""Adaptive chances, and numbers near zero coded with them.

A chance is that of a 1, in 1/4096. After each bit it moves towards what came by a fixed part, and never
nearer to certainty than the cutoff. A number is asked for as: is it 0; its sign; its exponent in unary; the
bits of its mantissa from the top. What the limits rule out is not asked.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.flif.learning import learn_bit
from dsslic_search.codec.flif.machine import (
    CHANCES,
    LEAF,
    LEARNING,
    MODE,
    RANGE,
    STEPS,
    STRIDE,
    Cells,
    code_bit,
)

ONE = 1 << 32
DEFAULT_CUTOFF, DEFAULT_DIVISOR = 2, 19

# Where the chances of a number lie: two of each exponent, one a sign.
ZERO, SIGN, EXPONENTS, MANTISSAS = 0, 1, 2, 36

_FIRST_ZERO, _FIRST_SIGN = 1000, 2048
_FIRST_EXPONENTS = (1000, 1200, 1500, 1750, 2000, 2300, 2800, 2400, 2300) + 8 * (2048,)
_FIRST_MANTISSAS = (1900, 1850, 1800, 1750, 1650, 1600, 1600) + 11 * (2048,)


def first_chances() -> NDArray[np.uint16]:
    """What the chances of a number start from: uint16 [CHANCES]."""
    exponents = [chance for chance in _FIRST_EXPONENTS for _ in range(2)]
    return np.array([_FIRST_ZERO, _FIRST_SIGN, *exponents, *_FIRST_MANTISSAS], np.uint16)


@cache
def steps(cutoff: int, divisor: int) -> NDArray[np.int64]:
    """The chance after a 0, then after a 1, for each chance: int64 [8192]. ``cutoff``: the least chance of
    either bit; ``divisor``: the part of the way to certainty that a chance moves is about 1/divisor."""
    rate, most = 0xFFFFFFFF // divisor, 4096 - cutoff
    after_one = [0] * 4096
    chance, last = ONE // 2, 0
    for _ in range(2048):  # a long run of ones, from even odds
        step = max((4096 * chance + ONE // 2) >> 32, last + 1)
        if last and last < 4096 and step <= most:
            after_one[last] = step
        chance += ((ONE - chance) * rate + ONE // 2) >> 32
        last = step
    for place in range(cutoff, most + 1):  # chances that such a run passes over
        if not after_one[place]:
            chance = (place * ONE + 2048) // 4096
            chance += ((ONE - chance) * rate + ONE // 2) >> 32
            after_one[place] = min(max((4096 * chance + ONE // 2) >> 32, place + 1), most)
    after_zero = [0] + [4096 - after_one[4096 - place] for place in range(1, 4096)]
    return np.array(after_zero + after_one, np.int64)


@cache
def costs() -> NDArray[np.int64]:
    """What a bit of each chance costs, in 1/5461 bits: int64 [4097]."""
    return np.array([0] + [round(5461.25 * (12 - math.log2(chance))) for chance in range(1, 4097)], np.int64)


def code_choice(data: Cells, chances: Cells, stats: Cells, cells: Cells, place: int, bit: int) -> int:
    """Code one of a number's bits with the chance that the leaf at work has for it; returns it."""
    if cells[MODE] == LEARNING:
        learn_bit(chances, stats, cells, place, bit)
        return bit
    at = int(cells[LEAF]) * int(cells[STRIDE]) + place
    chance = int(chances[at])
    bit = code_bit(data, cells, bit, (int(cells[RANGE]) * chance + 2048) >> 12)
    chances[at] = cells[STEPS + (bit << 12) + chance]
    return bit


def code_number(
    data: Cells, chances: Cells, stats: Cells, cells: Cells, low: int, high: int, value: int
) -> int:
    """Code a number of low..high, low <= 0 <= high; returns it."""
    if low == high:
        return low
    if code_choice(data, chances, stats, cells, ZERO, 1 if value == 0 else 0):
        return 0
    sign = 1 if low == 0 else 0
    if low < 0 and high > 0:
        sign = code_choice(data, chances, stats, cells, SIGN, 1 if value > 0 else 0)
    most = high if sign else -low
    size = value if sign else -value
    exponent = 0
    while (2 << exponent) <= most:
        here = 1 if (size >> exponent) == 1 else 0
        if code_choice(data, chances, stats, cells, EXPONENTS + 2 * exponent + sign, here):
            break
        exponent += 1
    known = 1 << exponent
    for place in range(exponent - 1, -1, -1):
        larger = known | 1 << place
        if larger <= most and code_choice(
            data, chances, stats, cells, MANTISSAS + place, (size >> place) & 1
        ):
            known = larger
    return known if sign else -known


def code_shifted(
    data: Cells, chances: Cells, stats: Cells, cells: Cells, low: int, high: int, value: int
) -> int:
    """Code a number of low..high, wherever these lie: as what it is beyond the end that is nearer to zero."""
    shift = 0
    if low > 0:
        shift = low
    elif high < 0:
        shift = high
    return shift + code_number(data, chances, stats, cells, low - shift, high - shift, value - shift)


assert MANTISSAS + len(_FIRST_MANTISSAS) == CHANCES
