"""The loops that choose the codes of `index.vectors.candidates`, in the part of Python that numba compiles:
what FAISS finds centre by centre for one vector after the other, for many vectors at once."""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = Any  # what is indexed: a numpy array

VECTORS_AT_ONCE = 256
BLOCK = 32
"""Vectors whose codes lie together, as FAISS has them in an IndexPQFastScan: of two pieces after one another
16 bytes each, which have the codes of one vector in their lower four bits and of one in the upper."""


def encode(
    packed: Numbers, factors: Numbers, scales: Numbers, slots: Numbers, centres: Numbers, first: int,
    codes: Numbers,
) -> None:  # fmt: skip
    """The nearest centre of each piece of vectors, the first of equally near ones, into ``codes``, u8, zeros.

    ``packed``, int8[n, m], times ``factors``, float32[m], times ``scales``, float32[n], are the vectors'
    numbers; ``slots``: the place of each in the vector, of which others are 0. ``centres``: float32[pieces,
    16, numbers of a piece]. ``first``: of all vectors, a multiple of BLOCK."""
    pieces, many, size = centres.shape
    rows = np.zeros((pieces * size, VECTORS_AT_ONCE), np.float32)
    far, best = np.empty(VECTORS_AT_ONCE, np.float32), np.empty(VECTORS_AT_ONCE, np.float32)
    nearest = np.empty(VECTORS_AT_ONCE, np.int32)
    bytes_each = BLOCK // 2
    of_block = bytes_each * (pieces + pieces % 2)
    for start in range(0, packed.shape[0], VECTORS_AT_ONCE):
        count = min(VECTORS_AT_ONCE, packed.shape[0] - start)
        for j in range(packed.shape[1]):
            row, factor = rows[slots[j]], factors[j]
            for i in range(count):
                row[i] = np.float32(packed[start + i, j]) * factor * scales[start + i]
        for piece in range(pieces):
            for centre in range(many):
                far[:] = 0
                for k in range(size):
                    row, number = rows[piece * size + k], centres[piece, centre, k]
                    for i in range(VECTORS_AT_ONCE):
                        difference = row[i] - number
                        far[i] += difference * difference
                if centre == 0:
                    best[:] = far
                    nearest[:] = 0
                else:
                    for i in range(VECTORS_AT_ONCE):
                        less = far[i] < best[i]
                        best[i] = far[i] if less else best[i]
                        nearest[i] = centre if less else nearest[i]
            for i in range(count):
                number = first + start + i
                within = number % BLOCK
                upper, place = within // bytes_each, within % bytes_each
                to = 2 * place if place < bytes_each // 2 else 2 * place - bytes_each + 1
                codes[number // BLOCK * of_block + piece * bytes_each + to] |= np.uint8(
                    nearest[i] << (4 * upper)
                )
