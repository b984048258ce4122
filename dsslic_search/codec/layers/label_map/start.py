"""The state that every label map is coded from: tables, and a model that has learnt from maps made by a
formula.

A label map is small, and a model that starts knowing nothing spends a good part of it on learning what
boundaries look like. So both sides start from what a model knows that has coded a few artificial maps
(`practice`); ``start.bin`` beside this module holds that.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.layers.label_map import native
from dsslic_search.codec.layers.label_map.machine import (
    CELL_COUNT,
    CONTEXTS,
    END,
    FLAG_DISTANCE,
    FLAG_SEGMENT,
    FLAGS,
    HIGH,
    HISTORIES,
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

LEARNT = Path(__file__).with_name("start.bin")
SLOT_COUNT = CONTEXTS << SLOT_BITS
FRESH_SLOT = np.uint32(32768 << 16)
MIN_PROBABILITY = 24  # least probability of either answer to a question, / 65536
START_WEIGHT = 5000  # of each mixer input, / 65536
# 65536 / (1 + exp(-(i - 16) / 2)), rounded, for i = 0..16; the other half mirrors it
LOGISTIC = (22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768)


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


def fresh_slots() -> NDArray[np.uint32]:
    """Of a model that has seen nothing."""
    return np.full(SLOT_COUNT, FRESH_SLOT, np.uint32)


def fresh_cells() -> NDArray[np.int64]:
    """Of a model that has seen nothing, with the tables, and the range coder's registers as it begins."""
    cells = np.zeros(CELL_COUNT, np.int64)
    zeros, ones = np.arange(256) >> 4, np.arange(256) & 15
    cells[HISTORIES:MIXER_A] = np.tile(65536 * (5 * ones + 2) // (5 * zeros + 5 * ones + 4), CONTEXTS)
    cells[MIXER_A:FLAGS] = START_WEIGHT
    cells[FLAGS:TREE] = 32768 << 8
    cells[FLAGS + FLAG_SEGMENT : FLAGS + FLAG_DISTANCE] = 2000 << 8 | 2
    cells[TREE:PARTNERS] = _tree()
    cells[SQUASH:STRETCH] = squash_table()
    cells[STRETCH:RATES] = stretch_table(squash_table())
    cells[RATES : RATES + 256] = 655360 // (10 * np.minimum(np.arange(256), 100) + 16)
    cells[HIGH] = 0xFFFFFFFF
    return cells


def as_loop_takes(array: NDArray[Any]) -> Any:
    """A copy of an array as the loop takes it: a list without numba."""
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


@cache
def _prepared() -> tuple[Any, Any]:
    """(slots, cells) of a model that has practised; `practice.written` says how they lie in the file."""
    data = np.frombuffer(zlib.decompress(LEARNT.read_bytes()), np.uint8)
    marks, cells_end = SLOT_COUNT // 8, SLOT_COUNT // 8 + 4 * TREE
    used = np.unpackbits(data[:marks]).astype(bool)
    numbers_end = cells_end + 2 * int(used.sum())
    slots, cells = fresh_slots(), fresh_cells()
    slots[used] = data[numbers_end:].view("<u4")[data[cells_end:numbers_end].view("<u2")]
    cells[:TREE] = data[marks:cells_end].view("<i4")
    return as_loop_takes(slots), as_loop_takes(cells)
