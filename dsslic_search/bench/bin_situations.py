"""The situation of each bin of an HEVC slice, for `dsslic_search.bench.bin_models`: what is known before it,
and where each model looks by that.

Sizes of coefficients are followed as a decoder would: sig_coeff_flag, the two greater flags and what remains
give them bin by bin (ITU-T H.265, clause 7.3.8.11), with the Rice parameter of clause 9.3.3.11.
"""

from __future__ import annotations

from dsslic_search.codec.bpg.cabac import BYPASS
from dsslic_search.codec.bpg.contexts import (
    AT_CBF_LUMA,
    AT_LAST_Y,
    GREATER1,
    GREATER2,
    LAST_PREFIX,
    LAST_SUFFIX,
    MPM_IDX,
    REM_MODE,
    REMAINING,
    SIG_COEFF,
)
from dsslic_search.codec.layers.label_map.machine import CELL_COUNT, Cells

MODELS = 8  # that there are at most
TABLE = 1 << 16  # slots of a model
KINDS = 256  # that bins have, and as many circumstances: each has weights of its own
ROW = 36  # sizes in a row of a block of coefficients, of which the last 4 are 0
AREA = ROW * ROW
SPREAD = 0x2F0B4C47  # multiplier of the hash that finds a slot
REM_MODE_BINS, MOST_MPM_BINS = 5, 2

# What lies where in cells. What is learnt: two mixers' weights, / 65536, MODELS of each kind;
KIND_WEIGHTS = CELL_COUNT
CIRCUMSTANCE_WEIGHTS = KIND_WEIGHTS + KINDS * MODELS
RECIPROCALS = CIRCUMSTANCE_WEIGHTS + KINDS * MODELS  # and a table, 65536 / (count + 1.6).
MODEL_COUNT = RECIPROCALS + 1024  # How many models there are.
# Of the element: which, how many of its bins there were, and what they were, behind a 1;
ELEMENT, PLACE, NODE = range(MODEL_COUNT + 1, MODEL_COUNT + 4)
# of what remains of a size: ones of its prefix, how many bits are to come, what it is so far, Rice parameter;
PREFIX, TO_COME, REST, TAIL, RICE = range(NODE + 1, NODE + 6)
# of coefficients: where this one's size is; which sub-block it is of; how many were found in that;
HERE, SUB_BLOCK, FOUND = range(RICE + 1, RICE + 4)
SIDE = FOUND + 1  # of the largest block since sizes were forgotten;
SUMS = SIDE + 1  # of the sizes of each component's block, then of the one before;
LASTS = SUMS + 6  # each component's last prefixes, 16 x + y;
PAST = LASTS + 3  # the latest four bins of each element;
SIZES_OF = PAST + 128 + ROW  # sizes of each component's coefficients;
AT = SIZES_OF + 3 * AREA  # each model's slot,
OPINIONS = AT + MODELS  # what it says,
CIRCUMSTANCE = OPINIONS + MODELS  # and by what else than the bin's kind weights are chosen.
BIN_CELLS = CIRCUMSTANCE + 1


def situate(cells: Cells, element: int, context: int, hint: int) -> int:
    """Each model's slot for the next bin, at AT, and its circumstance; returns the bin's kind. ``hint``: as
    events have it."""
    part = element - element % 3
    begin(cells, element)
    if SIG_COEFF <= part <= REMAINING:
        enter(cells, element % 3, hint)
        kind = kind_of(cells, part, context)
        place_coefficient(cells, kind, element, hint)
    else:
        kind = kind_of(cells, part, context)
        place_other(cells, kind, element, context, hint)
    return kind


def begin(cells: Cells, element: int) -> None:
    """Of an element that is another than that of the bin before, no bin was seen."""
    if element != cells[ELEMENT]:
        cells[ELEMENT] = element
        cells[PLACE], cells[NODE] = 0, 1
        if element - element % 3 == LAST_PREFIX:
            cells[LASTS + element % 3] = 0


def kind_of(cells: Cells, part: int, context: int) -> int:
    """What a bin is: its context in the standard, or, where it has none, which of its element's it is."""
    if context != BYPASS:
        return context
    at: int = cells[PLACE]
    to_come: int = cells[TO_COME]
    prefix: int = cells[PREFIX]
    if part == REMAINING and to_come:
        return 200 + min(to_come, 5)
    if part == REMAINING:
        return 160 + 8 * int(cells[RICE]) + min(prefix, 7)
    if part == LAST_SUFFIX:
        return 206 + min(at, 3)
    if part == REM_MODE:
        return 210 + min(at, 4)
    if part == MPM_IDX:
        return 215 + min(at, 1)
    return 217 + min(at, 7)


def enter(cells: Cells, component: int, hint: int) -> None:
    """Where a bin's coefficient is, and what is new with a sub-block."""
    y, x = hint >> 4 & 31, hint >> 9 & 31
    cells[HERE] = SIZES_OF + component * AREA + y * ROW + x
    cells[SIDE] = max(cells[SIDE], 4 << (hint & 3))
    sub_block = component * 64 + (y >> 2) * 8 + (x >> 2)
    if sub_block != cells[SUB_BLOCK]:
        cells[SUB_BLOCK] = sub_block
        cells[FOUND], cells[RICE] = 0, 0


def place_coefficient(cells: Cells, kind: int, element: int, hint: int) -> None:
    """Each model's slot for a bin of a coefficient."""
    component, here = element % 3, cells[HERE]
    log2, y, x = hint & 3, hint >> 4 & 31, hint >> 9 & 31
    near, others = hint >> 14 & 63, hint >> 20 & 7
    near = near if near < 8 else 8 + min(near - 8 >> 2, 7)
    right, below, diagonal = cells[here + 1], cells[here + ROW], cells[here + ROW + 1]
    far = cells[here + 2] + cells[here + 2 * ROW]
    farther = cells[here + 3] + cells[here + 3 * ROW] + cells[here + ROW + 2] + cells[here + 2 * ROW + 1]
    past, same = cells[PAST + element], kind * 3 + component
    # of the components before, the same coefficient and those around it; luma has none
    twin, around = min(right, 3) * 4 + min(below, 3), past
    if component:
        twin, around = min(cells[here - AREA], 3), beside(cells, here - AREA)
    if component == 2:
        twin = twin * 4 + min(cells[here - 2 * AREA], 3)
        around += beside(cells, here - 2 * AREA)
    here_sum, before_sum = level(cells[SUMS + component]), level(cells[SUMS + 3 + component])
    put(cells, 0, same * 16 + near)
    put(cells, 1, (((same * 16 + twin) * 16 + min(around, 15)) * 4 + min(near, 3)) * 4 + log2)
    put(cells, 2, ((same * 32 + y) * 32 + x) * 4 + log2)
    shape = ((same * 4 + min(right, 3)) * 4 + min(below, 3)) * 3 + min(diagonal, 2)
    put(cells, 3, shape * 8 + min(far, 7))
    weighted = min(2 * (right + below) + diagonal + far, 63)
    put(cells, 4, ((same * 64 + weighted) * 8 + min(farther, 7)) * 4 + log2)
    put(cells, 5, (((same * 16 + past) * 17 + cells[FOUND]) * 8 + cells[RICE]) * 8 + min(near, 7))
    put(cells, 6, ((same * 16 + here_sum) * 16 + before_sum) * 16 + near)
    put(cells, 7, (((same * 32 + min(x + y, 31)) * 4 + log2) * 16 + near) * 8 + others)
    cells[CIRCUMSTANCE] = (log2 * 3 + component) * 16 + near


def beside(cells: Cells, at: int) -> int:
    """The sizes of the four coefficients around one."""
    total: int = cells[at + 1] + cells[at + ROW] + cells[at - 1] + cells[at - ROW]
    return total


def place_other(cells: Cells, kind: int, element: int, context: int, hint: int) -> None:
    """Each model's slot for a bin of anything else."""
    component = element % 3
    same = KINDS * 3 + kind * 3 + component
    past, log2 = cells[PAST + element], hint & 15
    last = cells[LASTS + component]
    before = level(cells[SUMS + 3 + component])
    twin = cells[LASTS + component - 1] if component else 0
    twin_sum = level(cells[SUMS + component - 1]) if component else 0
    node, at = min(cells[NODE], 255), min(cells[PLACE], 15)
    if element - component == LAST_PREFIX:
        node, at = last, last & 15 if context >= AT_LAST_Y else last >> 4
    put(cells, 0, (same * 16 + log2) * 16 + at)
    put(cells, 1, (same * 256 + node) * 16 + log2)
    put(cells, 2, ((same * 256 + twin) * 4 + (log2 & 3)) * 16 + at)
    put(cells, 3, (same * 16 + past) * 1024 + (hint & 1023))
    put(cells, 4, ((same * 16 + twin_sum) * 16 + before) * 16 + at)
    put(cells, 5, ((same * 32 + cells[FOUND]) * 16 + log2) * 16 + at)
    put(cells, 6, ((same * 16 + past) * 16 + level(cells[SUMS + 3])) * 16 + at)
    put(cells, 7, ((same * 16 + before) * 16 + log2) * 16 + at)
    cells[CIRCUMSTANCE] = 192 + at * 4 + (log2 & 3)


def put(cells: Cells, model: int, situation: int) -> None:
    """A situation's slot in a model's table, by multiplicative hashing of its lower 32 bits."""
    cells[AT + model] = model * TABLE + ((situation & 0xFFFFFFFF) * SPREAD >> 16 & 0xFFFF)


def level(total: int) -> int:
    """0..15: a sum of sizes, by its logarithm."""
    halved = 0
    while total > 3 and halved < 12:
        total >>= 1
        halved += 1
    return min(total + halved, 15)


def follow(cells: Cells, element: int, context: int, bit: int) -> None:
    """What is known after a bin."""
    component = element % 3
    part = element - component
    begin(cells, element)
    cells[PAST + element] = (cells[PAST + element] << 1 | bit) & 15
    cells[PLACE] += 1
    cells[NODE] = (cells[NODE] << 1 | bit) & 255
    if part == SIG_COEFF:
        cells[FOUND] += bit
        grow(cells, component, bit)
    elif part == GREATER1:
        grow(cells, component, 1 + bit - cells[cells[HERE]])
    elif part == GREATER2:
        grow(cells, component, bit)
    elif part == REMAINING:
        follow_remaining(cells, component, bit)
    elif part == LAST_PREFIX:
        cells[SUB_BLOCK], cells[FOUND] = -1, 0
        cells[LASTS + component] += bit if context >= AT_LAST_Y else 16 * bit
    elif part in (REM_MODE, MPM_IDX):
        most = REM_MODE_BINS if part == REM_MODE else MOST_MPM_BINS
        if cells[PLACE] == most or (part == MPM_IDX and not bit):
            cells[PLACE], cells[NODE] = 0, 1
    elif context == AT_CBF_LUMA or context == AT_CBF_LUMA + 1:
        forget(cells)


def grow(cells: Cells, component: int, by: int) -> None:
    """The coefficient is larger by that than it seemed."""
    cells[cells[HERE]] += by
    cells[SUMS + component] += by


def follow_remaining(cells: Cells, component: int, bit: int) -> None:
    """What is known of a size after a bin of what remains of it."""
    if cells[TO_COME]:
        cells[TO_COME] -= 1
        cells[TAIL] = cells[TAIL] << 1 | bit
    elif bit:
        cells[PREFIX] += 1
        return
    else:
        prefix, rice = cells[PREFIX], cells[RICE]
        cells[REST] = (prefix if prefix <= 3 else (1 << prefix - 3) + 2) << rice
        cells[TO_COME] = rice if prefix <= 3 else prefix - 3 + rice
    if cells[TO_COME]:
        return
    here = cells[HERE]
    grow(cells, component, cells[REST] + cells[TAIL] + (0 if cells[here] else 1))
    if cells[here] > 3 << cells[RICE]:
        cells[RICE] = min(cells[RICE] + 1, 4)
    cells[PREFIX], cells[TAIL], cells[PLACE], cells[NODE] = 0, 0, 0, 1


def forget(cells: Cells) -> None:
    """Before the blocks of a transform unit: nothing of their coefficients is known."""
    side = cells[SIDE]
    for component in range(3):
        if cells[SUMS + component]:
            for row in range(side):
                start = SIZES_OF + component * AREA + row * ROW
                for at in range(start, start + side):
                    cells[at] = 0
        cells[SUMS + 3 + component], cells[SUMS + component] = cells[SUMS + component], 0
        cells[LASTS + component] = 255
    cells[SIDE] = 0
