"""The machine under the label-map coder: its state, a binary range coder, adaptive flags, and labels by name.

The range coder is the carry-less one of the PAQ line (Mahoney): 32-bit bounds, of which the first byte is
written as soon as both have the same one. It has no carry to propagate, unlike LZMA's, and loses next to
nothing: the range is above 2²⁴ but where the bounds lie closely on both sides of a first byte's edge.

One source for two ways of running: as machine code where numba is installed (`native`), as plain Python
where it is not. Both give the same bytes, because every value is an integer that fits in 63 bits. Encoding
and decoding are the same walk; ``cells[DECODING]`` tells which. The bitstream is described in
docs/label-map.md.

The functions work on four flat arrays: ``plane``, the labels in uint8, with margins; ``data``, the bytes
written or read; ``slots``, uint32, the large tables of the model; ``cells``, int64, all else.
"""

from __future__ import annotations

from typing import Any

Cells = Any  # what is indexed in the loop: a numpy array when compiled, a list or bytearray when not

MARGIN_TOP, MARGIN_LEFT, MARGIN_RIGHT = 4, 4, 4  # labels around the map in its plane
CONTEXTS = 12  # situations that a pixel is seen in, each with a table of its own
SLOT_BITS = 15  # slots has CONTEXTS << SLOT_BITS cells: probability << 16 | count << 8 | zeros << 4 | ones
INPUT_COUNT = 2 * CONTEXTS + 1  # of a mixer: two a context, and a constant
WEIGHT_SETS = 64  # of mixer weights
MAX_CANDIDATES = 5  # distinct labels near by that are asked for before a label is named
FLAG_SEGMENT, FLAG_DISTANCE, FLAG_PARTNER, FLAG_COUNT = 0, 64, 128, 129
MAX_FLAG_COUNT = 60  # observations: a flag goes on learning at the rate that it has after so many
MIN_FLAG_PROBABILITY = 40  # of either answer, / 65536
SEEN_WEIGHT = 12000  # that a label gains in the tree when it is first named
SEEN_AGAIN_WEIGHT = 4000  # and each time after that

# What lies where in cells. First what is learnt,
HISTORIES = 0  # 256 a context: probability of a 1 after (zeros, ones)
MIXER_A = HISTORIES + 256 * CONTEXTS  # INPUT_COUNT weights a set
MIXER_B = MIXER_A + WEIGHT_SETS * INPUT_COUNT
FLAGS = MIXER_B + WEIGHT_SETS * INPUT_COUNT  # probability << 8 | count
TREE = FLAGS + FLAG_COUNT  # 512: the weights of the 256 labels from 256 on, and sums of them before
PARTNERS = TREE + 512  # 256: the label last named beside this one, plus 1
# then tables,
SQUASH = PARTNERS + 256  # 4096
STRETCH = SQUASH + 4096  # 4096
RATES = STRETCH + 4096  # 256
# then the coder's registers and what one pixel needs.
LOW, HIGH, VALUE, NEXT, END, DECODING = range(RATES + 256, RATES + 262)
CANDIDATES = DECODING + 1
WEIGHTS = CANDIDATES + MAX_CANDIDATES  # of candidates while they are out of the tree
HASHES = WEIGHTS + MAX_CANDIDATES
PLACES = HASHES + CONTEXTS  # of each context in slots, then in HISTORIES
INPUTS = PLACES + 2 * CONTEXTS
TRACE = INPUTS + INPUT_COUNT  # what trace_boundary found
CELL_COUNT = TRACE + 7


def code_bit(data: Cells, cells: Cells, bit: int, one: int) -> int:
    """Code one bit with the range coder, ``one`` / 65536 being the probability of 1 (1..65535); returns it.

    Bytes past the data's end read as 0.
    """
    low, high = int(cells[LOW]), int(cells[HIGH])
    middle = low + (((high - low) * one) >> 16)
    if cells[DECODING]:
        bit = 1 if cells[VALUE] <= middle else 0
    if bit:
        high = middle
    else:
        low = middle + 1
    while (low ^ high) < 0x1000000:
        at = int(cells[NEXT])
        if cells[DECODING]:
            byte = int(data[at]) if at < cells[END] else 0
            cells[VALUE] = ((int(cells[VALUE]) << 8) & 0xFFFFFFFF) | byte
        elif at < cells[END]:
            data[at] = high >> 24
        cells[NEXT] = at + 1
        low = (low << 8) & 0xFFFFFFFF
        high = ((high << 8) & 0xFFFFFFFF) | 255
    cells[LOW], cells[HIGH] = low, high
    return bit


def code_flag(data: Cells, cells: Cells, bit: int, flag: int) -> int:
    """Code a bit with an adaptive probability of its own."""
    state = int(cells[FLAGS + flag])
    one, count = state >> 8, state & 255
    limited = min(max(one, MIN_FLAG_PROBABILITY), 65536 - MIN_FLAG_PROBABILITY)
    bit = code_bit(data, cells, bit, limited)
    one += (((65535 if bit else 0) - one) * (65536 // (count + 2))) >> 16
    cells[FLAGS + flag] = (one << 8) | min(count + 1, MAX_FLAG_COUNT)
    return bit


def weigh(cells: Cells, label: int, change: int) -> None:
    """Add to a label's weight in the tree."""
    node = label + 256
    while node > 0:
        cells[TREE + node] += change
        node >>= 1


def code_in_tree(data: Cells, cells: Cells, label: int) -> int:
    """Code a label by its weight among all; the tree must not be empty."""
    node = 1
    for place in range(7, -1, -1):
        total, left = int(cells[TREE + node]), int(cells[TREE + 2 * node])
        bit = (label >> place) & 1
        if left == 0:
            bit = 1
        elif left == total:
            bit = 0
        else:
            bit = code_bit(data, cells, bit, min(max(((total - left) << 16) // total, 1), 65535))
        node = 2 * node + bit
    return node - 256


def code_named(data: Cells, cells: Cells, label: int, count: int) -> int:
    """Code a label that is none of the first ``count`` candidates: the partner of the first one, or by
    weight. -1 if none is left."""
    west = int(cells[CANDIDATES])
    for k in range(count):
        cells[WEIGHTS + k] = cells[TREE + 256 + cells[CANDIDATES + k]]
        weigh(cells, cells[CANDIDATES + k], -cells[WEIGHTS + k])
    if cells[TREE + 1] <= 0:
        return -1
    partner = int(cells[PARTNERS + west]) - 1
    named = -1
    aside = int(cells[TREE + 256 + partner]) if partner >= 0 else 0
    if 0 < aside < cells[TREE + 1]:
        if code_flag(data, cells, 1 if label == partner else 0, FLAG_PARTNER):
            named = partner
        else:
            weigh(cells, partner, -aside)
            named = code_in_tree(data, cells, label)
            weigh(cells, partner, aside)
    else:
        named = code_in_tree(data, cells, label)
    for k in range(count):
        weigh(cells, cells[CANDIDATES + k], cells[WEIGHTS + k])
    weigh(cells, named, SEEN_AGAIN_WEIGHT if cells[TREE + 256 + named] >= SEEN_WEIGHT else SEEN_WEIGHT)
    cells[PARTNERS + west] = named + 1
    return named
