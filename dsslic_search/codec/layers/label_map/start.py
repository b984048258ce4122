"""The state that every label map is coded from: tables, and a model that has learnt from maps made by a
formula.

A label map is small, and a model that starts knowing nothing spends a good part of it on learning what
boundaries look like. So both sides first code a few artificial maps, whose boundaries are like those of a
segmentation network, and start from there.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.layers.label_map import native
from dsslic_search.codec.layers.label_map.machine import (
    CELL_COUNT,
    CONTEXTS,
    DECODING,
    END,
    FLAG_DISTANCE,
    FLAG_SEGMENT,
    FLAGS,
    HISTORIES,
    LOW,
    MARGIN_LEFT,
    MARGIN_RIGHT,
    MARGIN_TOP,
    MIXER_A,
    PARTNERS,
    RATES,
    SLOT_BITS,
    SQUASH,
    STRETCH,
    TREE,
)

MAX_LEARNT_COUNT = 12  # what was learnt from artificial maps counts for no more than this many observations
MIN_PROBABILITY = 24  # least probability of either answer to a question, / 65536
START_WEIGHT = 5000  # of each mixer input, / 65536
# 65536 / (1 + exp(-(i - 16) / 2)), rounded, for i = 0..16; the other half mirrors it
LOGISTIC = (22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768)


class Octave(NamedTuple):
    """An octave of value noise: numbers on a grid of cells of height × width labels, times strength."""

    height: int
    width: int
    strength: int


PRACTICE_SIDE = 160  # labels
PRACTICE_LABELS = 8  # different ones in a map
SMOOTH = (Octave(64, 96, 6), Octave(16, 16, 2))
FINE = (Octave(32, 48, 6), Octave(12, 12, 2))
RAGGED = (Octave(64, 96, 6), Octave(24, 24, 2), Octave(8, 8, 1))
PRACTICE = (SMOOTH, FINE, SMOOTH, FINE, RAGGED)

# multiplier and right shift of each round of :func:`noise`; they are part of the bitstream
NOISE_ROUNDS = ((0x9E3779B1, 15), (0x85EBCA6B, 13), (0xC2B2AE35, 16))


def squash_table() -> NDArray[np.int32]:
    """int32 [4096]: the probability, / 65536, at log odds (i - 2048) / 256. Straight lines between the points
    of LOGISTIC."""
    points = np.array(LOGISTIC + tuple(65536 - p for p in LOGISTIC[-2::-1]), np.int64)
    piece, rest = np.arange(4096) >> 7, np.arange(4096) & 127
    line = (points[piece] * (128 - rest) + points[piece + 1] * rest + 64) >> 7
    table: NDArray[np.int32] = np.clip(line, MIN_PROBABILITY, 65535 - MIN_PROBABILITY).astype(np.int32)
    return table


def stretch_table(squash: NDArray[np.int32]) -> NDArray[np.int32]:
    """int32 [4096], the inverse: for a probability of (16 i + 8) / 65536 the first log odds whose squash is
    no less, × 256."""
    first = np.searchsorted(squash, np.arange(4096) * 16 + 8)
    return (np.minimum(first, 4095) - 2048).astype(np.int32)


def _tree() -> NDArray[np.int64]:
    """Low ids first: vocabularies list their classes by how frequent they are, and keep 255 for unknown."""
    tree = np.zeros(512, np.int64)
    tree[256:320] = 3840 // (np.arange(64) + 16) + 4
    tree[320:511] = 1
    tree[511] = 16
    for node in range(255, 0, -1):
        tree[node] = tree[2 * node] + tree[2 * node + 1]
    return tree


def _empty_cells() -> NDArray[np.int64]:
    cells = np.zeros(CELL_COUNT, np.int64)
    zeros, ones = np.arange(256) >> 4, np.arange(256) & 15
    cells[HISTORIES:MIXER_A] = np.tile(65536 * (5 * ones + 2) // (5 * zeros + 5 * ones + 4), CONTEXTS)
    cells[MIXER_A:FLAGS] = START_WEIGHT
    cells[FLAGS:TREE] = 32768 << 8
    cells[FLAGS + FLAG_SEGMENT : FLAGS + FLAG_DISTANCE] = 2000 << 8 | 2
    cells[TREE:PARTNERS] = _tree()
    cells[SQUASH:STRETCH] = squash_table()
    cells[STRETCH:RATES] = stretch_table(squash_table())
    cells[RATES:LOW] = 655360 // (10 * np.minimum(np.arange(256), 100) + 16)
    return cells


def _for_loop(array: NDArray[Any]) -> Any:
    return array.copy() if native.is_compiled() else array.tolist()


def loop_bytes(array: NDArray[np.uint8]) -> Any:
    """The values of a contiguous array that may be written to, flat, as the loop takes them: a view, or a
    bytearray without numba."""
    return array.reshape(-1) if native.is_compiled() else bytearray(array.tobytes())


def empty_plane(height: int, width: int) -> NDArray[np.uint8]:
    """Zeros, uint8, of a map's size and the margins that the scan works with around it."""
    return np.zeros((height + MARGIN_TOP, MARGIN_LEFT + width + MARGIN_RIGHT), np.uint8)


def prepared(data_length: int) -> tuple[Any, Any]:
    """(slots, cells) in the state that encoding starts from, ``data_length`` bytes being there to write to
    (or, decoding, to read)."""
    slots, cells = _prepared()
    cells = cells.copy()
    cells[END] = data_length
    return slots.copy(), cells


def noise(seed: int, count: int) -> NDArray[np.int64]:
    """``count`` numbers of 0..1023: a 32-bit mixing of seed × 65536 + index.

    Three rounds of multiply and xor-shift: by the prime next to 2³² / φ (Knuth's multiplicative hashing) and
    the two multipliers of MurmurHash3's finaliser, with the shifts of xxHash32's.
    """
    mask = np.uint64(0xFFFFFFFF)
    x = np.arange(count, dtype=np.uint64) + np.uint64(seed * 65536 & 0xFFFFFFFF) & mask
    for multiplier, shift in NOISE_ROUNDS:
        x = x * np.uint64(multiplier) & mask
        x ^= x >> np.uint64(shift)
    return (x & np.uint64(1023)).astype(np.int64)


def _field(seed: int, octave: Octave) -> NDArray[np.int64]:
    """Noise between whose grid points is interpolated, × 1024 × strength; int64 [160, 160]."""
    height, width, strength = octave
    rows, columns = PRACTICE_SIDE // height + 2, PRACTICE_SIDE // width + 2
    grid = noise(seed, rows * columns).reshape(rows, columns)
    y, x = np.divmod(np.arange(PRACTICE_SIDE), height), np.divmod(np.arange(PRACTICE_SIDE), width)
    lines = grid[y[0]] * (height - y[1])[:, None] + grid[y[0] + 1] * y[1][:, None]
    surface: NDArray[np.int64] = (
        (lines[:, x[0]] * (width - x[1]) + lines[:, x[0] + 1] * x[1]) * (1024 * strength) // (height * width)
    )
    return surface


def practice_map(number: int) -> NDArray[np.uint8]:
    """Artificial map ``number``, uint8 [160, 160]: at each place the label whose noise is largest, the lowest
    of equals."""
    fields = [
        sum(_field(256 * number + 8 * label + i, octave) for i, octave in enumerate(PRACTICE[number]))
        for label in range(PRACTICE_LABELS)
    ]
    labels: NDArray[np.uint8] = np.argmax(np.stack(fields), axis=0).astype(np.uint8)
    return labels


@cache
def _prepared() -> tuple[Any, Any]:
    """(slots, cells) after coding the practice maps one after the other, forgetting how sure the model was
    and which labels it saw."""
    fresh, room = _empty_cells(), PRACTICE_SIDE * PRACTICE_SIDE
    slots, cells = _for_loop(np.full(CONTEXTS << SLOT_BITS, 32768 << 16, np.uint32)), _for_loop(fresh)
    for number in range(len(PRACTICE)):
        plane = empty_plane(PRACTICE_SIDE, PRACTICE_SIDE)
        plane[MARGIN_TOP:, MARGIN_LEFT : MARGIN_LEFT + PRACTICE_SIDE] = practice_map(number)
        cells[TREE:SQUASH] = _for_loop(fresh[TREE:SQUASH])
        cells[LOW:DECODING] = _for_loop(np.array([0, 0xFFFFFFFF, 0, 0, room]))
        written = loop_bytes(np.zeros(room, np.uint8))
        native.scan()(loop_bytes(plane), written, slots, cells, PRACTICE_SIDE, PRACTICE_SIDE)
    learnt, state = np.array(slots, np.uint32), np.array(cells, np.int64)
    counts = np.minimum(learnt >> np.uint32(8) & np.uint32(255), np.uint32(MAX_LEARNT_COUNT))
    learnt = learnt & np.uint32(0xFFFF00FF) | counts << np.uint32(8)
    state[FLAGS:TREE] = state[FLAGS:TREE] & ~255 | np.minimum(state[FLAGS:TREE] & 255, MAX_LEARNT_COUNT)
    state[TREE:SQUASH] = fresh[TREE:SQUASH]
    state[LOW:DECODING] = 0, 0xFFFFFFFF, 0, 0, 0
    return _for_loop(learnt), _for_loop(state)
