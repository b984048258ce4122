"""The commonest values of a block of numbers, and what is left without them, for `index.packing`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.cached import cached_property
from dsslic_search.index import packing_loops
from dsslic_search.index.compiling import quick

Words = NDArray[np.uint64]

MOST_NUMBERS = 3  # bits, of the numbers of the commonest values
COUNTED_RANGE = 1 << 16
"""Of values among which the commonest are looked for; else they are an end of the range."""


class Commonest:
    """The commonest of some values, looked for when they are asked for and once for all numbers of bits."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def values(self, bits: int) -> Words:
        """The 2**bits - 1 commonest values; of a wide range its ends, and whatever else is there."""
        count = 2**bits - 1
        if self._counted is not None:
            return self._counted[:count]
        low, high = self._ends
        signed = self._words.view(np.int64)
        ends = [low, high] if bits > 1 else [_commoner(signed, low, high)]
        return np.resize(np.array(ends), count).view(np.uint64)

    def apart(self, bits: int) -> tuple[Words, NDArray[np.uint8], Words]:
        """These values; of each word which of them it is, or their number for none; and the words that are
        none, in their order."""
        words, values = self._words, self.values(bits)
        if self._counted is not None and (apart := quick(packing_loops.apart, words.size)) is not None:
            low, high = self._ends
            codes = np.full(max(high - low + 1, 2**MOST_NUMBERS), values.size, np.uint8)
            codes[(values - np.uint64(low % 2**64)).astype(np.intp)] = np.arange(values.size)
            numbers, others = np.empty(words.size, np.uint8), np.empty(words.size + 1, np.uint64)
            count = apart(words, np.uint64(low % 2**64), codes, values.size, numbers, others)
            return values, numbers, others[:count]
        numbers = _numbers(words, values)
        return values, numbers, words[numbers == values.size]

    @cached_property
    def _ends(self) -> tuple[int, int]:
        """The least and the greatest value, with a sign."""
        signed = self._words.view(np.int64)
        return int(signed.min()), int(signed.max())

    @cached_property
    def _counted(self) -> Words | None:
        """Those of the most bits, the commonest first; None for values of a wide range."""
        low, high = self._ends
        if high - low >= COUNTED_RANGE:
            return None
        count = 2**MOST_NUMBERS - 1
        counts = np.bincount(self._words.view(np.int64) - low, minlength=count)
        found = np.empty(count, np.int64)
        for number in range(count):  # few, so faster than to put them in order
            found[number] = np.argmax(counts)
            counts[found[number]] = -1
        return (found + low).view(np.uint64)


def _commoner(signed: NDArray[np.int64], one: int, other: int) -> int:
    return one if np.count_nonzero(signed == one) >= np.count_nonzero(signed == other) else other


def _numbers(words: Words, values: Words) -> NDArray[np.uint8]:
    """Which of some values each is; their number for none of them."""
    found = np.full(words.size, values.size, np.uint8)
    if (number_all := quick(packing_loops.number_all, words.size)) is not None:
        number_all(words, values, found)
        return found
    for number, value in enumerate(values):
        found[words == value] = number
    return found
