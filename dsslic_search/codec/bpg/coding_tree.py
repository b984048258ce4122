"""Coding tree blocks of HEVC intra slices: how blocks are split, predicted and transformed (ITU-T H.265,
clauses 7.3.8.1 to 7.3.8.14, 8.4.2, 8.4.3 and 9.3.4.2.2).

As `dsslic_search.codec.bpg.cabac`: one source for machine code and plain Python. Trees are walked with stacks
of their own.
"""

from __future__ import annotations

from dsslic_search.codec.bpg.cabac import (
    COSTS,
    END,
    HINT,
    NEXT,
    Cells,
    bin_of,
    bypass,
    bypass_bits,
    bypass_unary,
    ends_well,
    is_over,
    start_bins,
    terminate,
    unary,
)
from dsslic_search.codec.bpg.coefficients import COEFFICIENT_CELLS, IS_BYPASSED, code_coefficients
from dsslic_search.codec.bpg.contexts import (
    AT_CBF_CHROMA,
    AT_CBF_LUMA,
    AT_CHROMA_MODE,
    AT_CHROMA_QP,
    AT_CU_BYPASS,
    AT_PART_MODE,
    AT_PREV_INTRA,
    AT_QP_DELTA,
    AT_RES_SCALE,
    AT_RES_SIGN,
    AT_SAO_MERGE,
    AT_SAO_TYPE,
    AT_SPLIT_CU,
    AT_SPLIT_TRANSFORM,
    BIT,
    CBF,
    CHROMA_MODE,
    CHROMA_QP,
    CU_BYPASS,
    MPM_IDX,
    PART_MODE,
    PCM_FLAG,
    PCM_SAMPLE,
    PREV_INTRA,
    QP_DELTA,
    QP_SIGN,
    REM_MODE,
    RES_SCALE,
    RES_SIGN,
    SAO_BAND,
    SAO_CLASS,
    SAO_MERGE,
    SAO_OFFSET,
    SAO_SIGN,
    SAO_TYPE,
    SPLIT_CU,
    SPLIT_TRANSFORM,
)

# What lies where in cells. Sides of the picture, log2 of sides of blocks, chroma format 0..3;
_AT = COEFFICIENT_CELLS
WIDTH, HEIGHT, LOG2_TREE, LOG2_CODING, LOG2_MOST_TRANSFORM, LOG2_LEAST_TRANSFORM = range(_AT, _AT + 6)
TRANSFORM_DEPTH, CHROMA = range(_AT + 6, _AT + 8)
# tools that are on;
LUMA_OFFSETS, CHROMA_OFFSETS, MOST_OFFSET, BYPASSES, CROSS_COMPONENT = range(_AT + 8, _AT + 13)
QP_DELTAS, LOG2_QP_GROUP, CHROMA_QPS, LOG2_CHROMA_QP_GROUP, CHROMA_QP_CHOICES = range(_AT + 13, _AT + 18)
PULSE_CODES, LOG2_LEAST_PULSE, LOG2_MOST_PULSE, LUMA_PULSE_BITS, CHROMA_PULSE_BITS = range(_AT + 18, _AT + 23)
# where rows begin in maps: depths of 8 × 8 from 0 on, intra modes of 4 × 4 from MODES on;
DEPTH_ROW, MODES, MODE_ROW = range(_AT + 23, _AT + 26)
# of the block at work: whether what is left of and above its tree block belongs to the slice, and whether the
# quantisers of its group have been told;
LEFT_OPEN, ABOVE_OPEN, QP_TOLD, CHROMA_QP_TOLD = range(_AT + 26, _AT + 30)
# intra modes of the four parts of a coding unit, its chroma modes, and whether these are taken from luma;
LUMA_MODES, CHROMA_MODES, FROM_LUMA = range(_AT + 30, _AT + 42, 4)
CODING_STACK = _AT + 42  # x, y, log2 of the side, depth
TRANSFORM_STACK = (
    CODING_STACK + 4 * 16
)  # and number among four, coded chroma blocks above: bits 0, 1 Cb, 2, 3 Cr
CHROMA_422 = TRANSFORM_STACK + 6 * 20  # table 8-3: modes where chroma has half the columns
TREE_CELLS = CHROMA_422 + 35

PLANAR, DC = 0, 1
_ACROSS, _DOWN, _DIAGONAL = 10, 26, 34
_FROM_LUMA = 4


def code_tree_block(data: Cells, cells: Cells, maps: Cells, events: Cells, x: int, y: int) -> int:
    """The coding tree block at sample (x, y), without its sample adaptive offsets. 0, or 1 where it cannot be
    sound."""
    push(cells, CODING_STACK, x, y, cells[LOG2_TREE], 0)
    count = 1
    while count:
        count -= 1
        at = CODING_STACK + 4 * count
        x, y, log2, depth = cells[at], cells[at + 1], cells[at + 2], cells[at + 3]
        if x >= cells[WIDTH] or y >= cells[HEIGHT]:
            continue
        side = 1 << log2
        cells[HINT] = log2
        split = 1 if log2 > cells[LOG2_CODING] else 0
        if split and x + side <= cells[WIDTH] and y + side <= cells[HEIGHT]:
            deeper = deeper_neighbours(cells, maps, x, y, depth)
            split = bin_of(data, cells, events, SPLIT_CU, AT_SPLIT_CU + deeper)
        if log2 >= cells[LOG2_QP_GROUP]:
            cells[QP_TOLD] = 0
        if log2 >= cells[LOG2_CHROMA_QP_GROUP]:
            cells[CHROMA_QP_TOLD] = 0
        if split:
            half = side >> 1
            for part in range(3, -1, -1):
                target = CODING_STACK + 4 * count
                push(cells, target, x + (part & 1) * half, y + (part >> 1) * half, log2 - 1, depth + 1)
                count += 1
        elif code_unit(data, cells, maps, events, x, y, log2, depth) or is_over(cells):
            return 1
    return 0


def push(cells: Cells, at: int, x: int, y: int, log2: int, depth: int) -> None:
    cells[at], cells[at + 1], cells[at + 2], cells[at + 3] = x, y, log2, depth


def deeper_neighbours(cells: Cells, maps: Cells, x: int, y: int, depth: int) -> int:
    """How many of the blocks left and above are split deeper."""
    mask, row, count = (1 << cells[LOG2_TREE]) - 1, cells[DEPTH_ROW], 0
    here = (y >> 3) * row + (x >> 3)
    if (x & mask or cells[LEFT_OPEN]) and maps[here - 1] > depth:
        count += 1
    if (y & mask or cells[ABOVE_OPEN]) and maps[here - row] > depth:
        count += 1
    return count


def code_unit(
    data: Cells, cells: Cells, maps: Cells, events: Cells, x: int, y: int, log2: int, depth: int
) -> int:
    """A coding unit."""
    for row in range(1 << (log2 - 3)):
        here = ((y >> 3) + row) * cells[DEPTH_ROW] + (x >> 3)
        for column in range(1 << (log2 - 3)):
            maps[here + column] = depth
    cells[IS_BYPASSED] = 0
    if cells[BYPASSES]:
        cells[IS_BYPASSED] = bin_of(data, cells, events, CU_BYPASS, AT_CU_BYPASS)
    parts = 1
    if log2 == cells[LOG2_CODING] and not bin_of(data, cells, events, PART_MODE, AT_PART_MODE):
        parts = 4
    pulse = parts == 1 and cells[PULSE_CODES] and cells[LOG2_LEAST_PULSE] <= log2 <= cells[LOG2_MOST_PULSE]
    if pulse and terminate(data, cells, events, PCM_FLAG):
        set_modes(cells, maps, x, y, log2, DC)
        return code_samples(data, cells, log2)
    told = 0
    for part in range(parts):
        told |= bin_of(data, cells, events, PREV_INTRA, AT_PREV_INTRA) << part
    size = log2 if parts == 1 else log2 - 1
    for part in range(parts):
        left, top = x + ((part & 1) << size), y + ((part >> 1) << size)
        mode = luma_mode(data, cells, maps, events, left, top, told >> part & 1)
        cells[LUMA_MODES + part] = mode
        set_modes(cells, maps, left, top, size, mode)
    chroma = cells[CHROMA]
    if chroma:
        for part in range(parts if chroma == 3 else 1):
            chroma_mode(data, cells, events, part)
    return code_transforms(data, cells, events, x, y, log2, parts)


def set_modes(cells: Cells, maps: Cells, x: int, y: int, log2: int, mode: int) -> None:
    for row in range(1 << (log2 - 2)):
        here = cells[MODES] + ((y >> 2) + row) * cells[MODE_ROW] + (x >> 2)
        for column in range(1 << (log2 - 2)):
            maps[here + column] = mode


def code_samples(data: Cells, cells: Cells, log2: int) -> int:
    """A coding unit's plain samples."""
    if not ends_well(data, cells):
        return 1
    luma = cells[LUMA_PULSE_BITS] << 2 * log2
    chroma = 0
    if cells[CHROMA]:
        chroma = (cells[CHROMA_PULSE_BITS] << 2 * log2) >> 3 - cells[CHROMA]
    cells[COSTS + PCM_SAMPLE] += luma * BIT
    cells[COSTS + PCM_SAMPLE + 1] += chroma * BIT
    cells[COSTS + PCM_SAMPLE + 2] += chroma * BIT
    cells[NEXT] += luma + 2 * chroma >> 3
    return 1 if cells[NEXT] > cells[END] else start_bins(data, cells)


def luma_mode(data: Cells, cells: Cells, maps: Cells, events: Cells, x: int, y: int, is_likely: int) -> int:
    """IntraPredModeY of the part at (x, y): one of the three likely modes, or a number among the rest."""
    mask, row = (1 << cells[LOG2_TREE]) - 1, cells[MODE_ROW]
    here = cells[MODES] + (y >> 2) * row + (x >> 2)
    a = maps[here - 1] if x & mask or cells[LEFT_OPEN] else DC
    b = maps[here - row] if y & mask else DC
    if a == b and a < 2:
        a, b, c = PLANAR, DC, _DOWN
    elif a == b:
        b, c = 2 + (a + 29 & 31), 2 + (a - 1 & 31)
    elif a != PLANAR and b != PLANAR:
        c = PLANAR
    elif a != DC and b != DC:
        c = DC
    else:
        c = _DOWN
    if is_likely:
        index = bypass_unary(data, cells, events, MPM_IDX, 2)
        return a if index == 0 else b if index == 1 else c
    mode = bypass_bits(data, cells, events, REM_MODE, 5)
    first, last = min(a, b, c), max(a, b, c)
    for likely in (first, a + b + c - first - last, last):
        if mode >= likely:
            mode += 1
    return mode


def chroma_mode(data: Cells, cells: Cells, events: Cells, part: int) -> None:
    """IntraPredModeC of a part of a coding unit."""
    told = _FROM_LUMA
    if bin_of(data, cells, events, CHROMA_MODE, AT_CHROMA_MODE):
        told = bypass_bits(data, cells, events, CHROMA_MODE, 2)
    luma = cells[LUMA_MODES + part]
    mode = luma
    if told != _FROM_LUMA:
        mode = PLANAR if told == 0 else _DOWN if told == 1 else _ACROSS if told == 2 else DC
        if mode == luma:
            mode = _DIAGONAL
    if cells[CHROMA] == 2:
        mode = cells[CHROMA_422 + mode]
    cells[CHROMA_MODES + part] = mode
    cells[FROM_LUMA + part] = 1 if told == _FROM_LUMA else 0


def code_transforms(
    data: Cells, cells: Cells, events: Cells, x0: int, y0: int, log2_unit: int, parts: int
) -> int:
    """The transform tree of a coding unit at (x0, y0) of one or four parts."""
    chroma = cells[CHROMA]
    deepest = cells[TRANSFORM_DEPTH] + (1 if parts == 4 else 0)
    push(cells, TRANSFORM_STACK, x0, y0, log2_unit, 0)
    cells[TRANSFORM_STACK + 4], cells[TRANSFORM_STACK + 5] = 0, 15
    count = 1
    while count:
        count -= 1
        at = TRANSFORM_STACK + 6 * count
        x, y, log2, depth = cells[at], cells[at + 1], cells[at + 2], cells[at + 3]
        number, above = cells[at + 4], cells[at + 5]
        parted = 1 if parts == 4 and depth == 0 else 0
        cells[HINT] = log2
        if (
            cells[LOG2_LEAST_TRANSFORM] < log2 <= cells[LOG2_MOST_TRANSFORM]
            and depth < deepest
            and not parted
        ):
            split = bin_of(data, cells, events, SPLIT_TRANSFORM, AT_SPLIT_TRANSFORM + 5 - log2)
        else:
            split = 1 if log2 > cells[LOG2_MOST_TRANSFORM] or parted else 0
        coded = above if log2 == 2 and chroma != 3 else 0
        if chroma == 3 or (chroma and log2 > 2):
            twice = 1 if chroma == 2 and (not split or log2 == 3) else 0
            for component in (1, 2):
                shift = 2 * component - 2
                if above >> shift & 3:
                    coded |= chroma_cbf(data, cells, events, component, depth, twice) << shift
        if split:
            for part in range(3, -1, -1):
                target = TRANSFORM_STACK + 6 * count
                half = 1 << (log2 - 1)
                push(cells, target, x + (part & 1) * half, y + (part >> 1) * half, log2 - 1, depth + 1)
                cells[target + 4], cells[target + 5] = part, coded
                count += 1
            continue
        luma = bin_of(data, cells, events, CBF, AT_CBF_LUMA + (0 if depth else 1))
        part = 0
        if parts == 4:
            part = (y - y0 >> log2_unit - 1) * 2 + (x - x0 >> log2_unit - 1)
        if (luma or (chroma and coded)) and code_blocks(
            data, cells, events, log2, number, luma, coded if chroma else 0, part
        ):
            return 1
    return 0


def chroma_cbf(data: Cells, cells: Cells, events: Cells, component: int, depth: int, twice: int) -> int:
    """cbf_cb or cbf_cr; bit 1 that of the lower of two blocks."""
    coded = bin_of(data, cells, events, CBF + component, AT_CBF_CHROMA + depth)
    if twice:
        coded |= bin_of(data, cells, events, CBF + component, AT_CBF_CHROMA + depth) << 1
    return coded


def code_blocks(
    data: Cells, cells: Cells, events: Cells, log2: int, number: int, luma: int, coded: int, part: int
) -> int:
    """A transform unit: quantisers, and blocks of coefficients."""
    code_quantisers(data, cells, events, coded)
    chroma = cells[CHROMA]
    mode = cells[LUMA_MODES + part]
    if luma and code_coefficients(data, cells, events, log2, 0, mode, 1 if log2 < 4 else 0):
        return 1
    if not chroma or (log2 == 2 and chroma != 3 and number != 3):
        return 0
    part = part if chroma == 3 else 0
    size = log2 if chroma == 3 else max(2, log2 - 1)
    scans = 1 if size == 2 or (size == 3 and chroma == 3) else 0
    mode = cells[CHROMA_MODES + part]
    for component in (1, 2):
        if cells[CROSS_COMPONENT] and luma and cells[FROM_LUMA + part]:
            code_scale(data, cells, events, component)
        for half in range(2 if chroma == 2 else 1):
            if coded >> 2 * component - 2 + half & 1 and code_coefficients(
                data, cells, events, size, component, mode, scans
            ):
                return 1
    return 0


def code_quantisers(data: Cells, cells: Cells, events: Cells, coded: int) -> None:
    """The quantisers of a group, with its first block that has coefficients."""
    if cells[QP_DELTAS] and not cells[QP_TOLD]:
        cells[QP_TOLD] = 1
        size = 0
        while size < 5 and bin_of(data, cells, events, QP_DELTA, AT_QP_DELTA + min(size, 1)):
            size += 1
        if size == 5:
            count = bypass_unary(data, cells, events, QP_DELTA, 16)
            bypass_bits(data, cells, events, QP_DELTA, count)
        if size:
            bypass(data, cells, events, QP_SIGN)
    if cells[CHROMA_QPS] and coded and not cells[IS_BYPASSED] and not cells[CHROMA_QP_TOLD]:
        cells[CHROMA_QP_TOLD] = 1
        if bin_of(data, cells, events, CHROMA_QP, AT_CHROMA_QP) and cells[CHROMA_QP_CHOICES] > 1:
            unary(data, cells, events, CHROMA_QP, AT_CHROMA_QP + 1, cells[CHROMA_QP_CHOICES] - 1)


def code_scale(data: Cells, cells: Cells, events: Cells, component: int) -> None:
    """Cross-component prediction of a chroma block."""
    context, size = AT_RES_SCALE + 4 * component - 4, 0
    while size < 4 and bin_of(data, cells, events, RES_SCALE + component, context + size):
        size += 1
    if size:
        bin_of(data, cells, events, RES_SIGN + component, AT_RES_SIGN + component - 1)


def code_offsets(data: Cells, cells: Cells, events: Cells) -> None:
    """Sample adaptive offsets of a coding tree block."""
    cells[HINT] = 0
    if cells[LEFT_OPEN] and bin_of(data, cells, events, SAO_MERGE, AT_SAO_MERGE):
        return
    if cells[ABOVE_OPEN] and bin_of(data, cells, events, SAO_MERGE, AT_SAO_MERGE):
        return
    kind = 0
    for component in range(3 if cells[CHROMA] else 1):
        if not cells[CHROMA_OFFSETS if component else LUMA_OFFSETS]:
            continue
        if component < 2:
            kind = 0
            if bin_of(data, cells, events, SAO_TYPE + component, AT_SAO_TYPE):
                kind = 1 + bypass(data, cells, events, SAO_TYPE + component)
        if not kind:
            continue
        signs = 0
        for _ in range(4):
            if bypass_unary(data, cells, events, SAO_OFFSET + component, cells[MOST_OFFSET]):
                signs += 1
        if kind == 1:
            bypass_bits(data, cells, events, SAO_SIGN + component, signs)
            bypass_bits(data, cells, events, SAO_BAND + component, 5)
        elif component < 2:
            bypass_bits(data, cells, events, SAO_CLASS + component, 2)
