"""A stream of FLIF's range coder, read or written from Python: the same calls do both.

What a call is given is what is written; what it returns is what was read, or written.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.flif import chances, machine


class Stream:
    """``data``, uint8, from byte ``at`` on; the loops share the arrays."""

    def __init__(self, data: NDArray[np.uint8], mode: int, at: int = 0) -> None:
        self.data = data
        self.cells = np.zeros(machine.CELL_COUNT, np.int64)
        self._data, self.state = data.data, self.cells.data
        self.state[machine.MODE], self.state[machine.NEXT], self.state[machine.END] = mode, at, len(data)
        self.cells[machine.COSTS :] = chances.costs()
        self.set_steps(chances.DEFAULT_CUTOFF, chances.DEFAULT_DIVISOR)
        machine.start(self._data, self.state)

    @property
    def is_decoding(self) -> bool:
        """Whether the stream is read."""
        return self.state[machine.MODE] == machine.DECODING

    def has_ended(self) -> bool:
        """Whether more was read or written than there is room for."""
        return bool(self.state[machine.ENDED])

    @property
    def position(self) -> int:
        """How many bytes have been read or written."""
        return int(self.state[machine.NEXT])

    def set_steps(self, cutoff: int, divisor: int) -> None:
        """How chances move from now on."""
        self.cells[machine.STEPS : machine.COSTS] = chances.steps(cutoff, divisor)

    def uniform(self, low: int, high: int, value: int = 0) -> int:
        """A number of low..high, all equally likely."""
        return machine.code_uniform(self._data, self.state, low, high, value)

    def flag(self, value: bool = False) -> bool:
        """A bit of even odds."""
        return bool(machine.code_bit(self._data, self.state, int(value), self.state[machine.RANGE] >> 1))

    def numbers(self) -> Numbers:
        """Numbers that share adaptive chances."""
        return Numbers(self, self._data)

    def finish(self) -> bytes:
        """All that was written."""
        machine.finish(self._data, self.state)
        return bytes(self._data[: self.state[machine.NEXT]])


class Numbers:
    """Numbers coded with chances of their own; made by :meth:`Stream.numbers`."""

    def __init__(self, stream: Stream, data: memoryview) -> None:
        self._stream, self._data = stream, data
        self._chances = chances.first_chances().data

    def code(self, low: int, high: int, value: int = 0) -> int:
        """A number of low..high, which include 0 or lie on one side of it."""
        cells = self._stream.state
        cells[machine.LEAF], cells[machine.STRIDE] = 0, machine.CHANCES
        return chances.code_shifted(self._data, self._chances, None, cells, low, high, value)
