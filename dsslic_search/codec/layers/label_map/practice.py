"""How the model that every label map is coded from came about: it coded artificial maps, made by a formula,
whose boundaries are like those of a segmentation network.

The format fixes the maps (docs/label-map.md), so what is learnt from them never changes: it lies in
``start.bin``, as `written` packs it, and no program that codes has to learn it again.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.layers.label_map import native
from dsslic_search.codec.layers.label_map.machine import (
    DECODING,
    FLAGS,
    LOW,
    MARGIN_LEFT,
    MARGIN_TOP,
    SQUASH,
    TREE,
)
from dsslic_search.codec.layers.label_map.start import (
    FRESH_SLOT,
    as_loop_takes,
    empty_plane,
    fresh_cells,
    fresh_slots,
    loop_bytes,
)

MAX_LEARNT_COUNT = 12  # what was learnt from artificial maps counts for no more than this many observations


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


def learnt() -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """(slots, cells) after coding the practice maps one after the other, forgetting how sure the model was
    and which labels it saw."""
    fresh, room = fresh_cells(), PRACTICE_SIDE * PRACTICE_SIDE
    slots, cells = as_loop_takes(fresh_slots()), as_loop_takes(fresh)
    for number in range(len(PRACTICE)):
        plane = empty_plane(PRACTICE_SIDE, PRACTICE_SIDE)
        plane[MARGIN_TOP:, MARGIN_LEFT : MARGIN_LEFT + PRACTICE_SIDE] = practice_map(number)
        cells[TREE:SQUASH] = as_loop_takes(fresh[TREE:SQUASH])
        cells[LOW:DECODING] = as_loop_takes(np.array([0, 0xFFFFFFFF, 0, 0, room]))
        written = loop_bytes(np.zeros(room, np.uint8))
        native.scan()(loop_bytes(plane), written, slots, cells, PRACTICE_SIDE, PRACTICE_SIDE)
    kept = np.array(slots, np.uint32)
    counts = np.minimum(kept >> np.uint32(8) & np.uint32(255), np.uint32(MAX_LEARNT_COUNT))
    fresh[:TREE] = cells[:TREE]
    fresh[FLAGS:TREE] = fresh[FLAGS:TREE] & ~255 | np.minimum(fresh[FLAGS:TREE] & 255, MAX_LEARNT_COUNT)
    return kept & np.uint32(0xFFFF00FF) | counts << np.uint32(8), fresh


def written(slots: NDArray[np.uint32], cells: NDArray[np.int64]) -> bytes:
    """What `learnt` returns as ``start.bin`` has it, packed by zlib: a bit for each slot, which says whether
    it is another than at first; the cells before TREE, int32; the number in a table, uint16, of each such
    slot; the table, uint32. All least byte first."""
    used = slots != FRESH_SLOT
    table, numbers = np.unique(slots[used], return_inverse=True)
    parts = [np.packbits(used), cells[:TREE].astype("<i4"), numbers.astype("<u2"), table.astype("<u4")]
    return zlib.compress(b"".join(part.tobytes() for part in parts), 9)
