"""Blocks of coefficients in HEVC slices (ITU-T H.265, clauses 7.3.8.11, 9.3.3.11 and 9.3.4.2.4 to 9.3.4.2.7).

As `dsslic_search.codec.bpg.cabac`: one source for machine code and plain Python.
"""

from __future__ import annotations

from dsslic_search.codec.bpg.cabac import (
    CABAC_CELLS,
    CONTEXTS,
    HINT,
    NOTING,
    Cells,
    bin_of,
    bypass,
    bypass_bits,
    bypass_unary,
    is_over,
)
from dsslic_search.codec.bpg.contexts import (
    AT_CODED_SUB_BLOCK,
    AT_GREATER1,
    AT_GREATER2,
    AT_LAST_X,
    AT_LAST_Y,
    AT_SIG_COEFF,
    AT_TRANSFORM_SKIP,
    CODED_SUB_BLOCK,
    COEFF_SIGN,
    GREATER1,
    GREATER2,
    LAST_PREFIX,
    LAST_SUFFIX,
    REMAINING,
    RICE_STATS,
    SIG_COEFF,
    TRANSFORM_SKIP,
)

# What lies where in cells. What the parameter sets say;
SKIPS, LOG2_SKIP, SKIP_CONTEXTS, IMPLICIT_RDPCM, RICE_ADAPTS, HIDES_SIGNS = range(
    CABAC_CELLS, CABAC_CELLS + 6
)
IS_BYPASSED = CABAC_CELLS + 6  # whether the coding unit is coded without transform and quantiser;
FOUND = IS_BYPASSED + 1  # where the coefficients of a sub-block are,
SIZES = FOUND + 16  # and how large, as far as it is known;
CODED = SIZES + 16  # which sub-blocks have any, 9 × 9, the last row and column none;
LEVELS = CODED + 81  # how large coefficients are, 36 × 36, the last rows and columns 0; if bins are noted
# and tables: place of each of 16 in a sub-block, 4 * y + x, by scan; the same of sub-blocks, 8 * y + x, by
# scan and log2 of how many are in a row; contexts of the coefficients of blocks of 4 × 4.
PLACES = LEVELS + 36 * 36
BLOCKS = PLACES + 3 * 16
SMALL_CONTEXTS = BLOCKS + 3 * 4 * 64
COEFFICIENT_CELLS = SMALL_CONTEXTS + 16

DIAGONAL, HORIZONTAL, VERTICAL = range(3)
ACROSS, DOWN = 10, 26  # intra modes
_NEAR = 4  # from which modes are near enough to these for their scan
_MOST_PREFIX = 32
_LARGEST = 1 << 15  # a coefficient has 16 bits
LEVEL_ROW = 36


def code_coefficients(
    data: Cells, cells: Cells, events: Cells, log2: int, component: int, mode: int, may_scan: int
) -> int:
    """A block of ``component`` 0..2, 2**log2 a side, predicted in intra ``mode``; ``may_scan``: whether that
    decides the order. Returns 0, or 1 where it cannot be sound."""
    chroma = 1 if component else 0
    bypassed = cells[IS_BYPASSED]
    cells[HINT] = log2 - 2 | component << 2
    skipped = 0
    if cells[SKIPS] and not bypassed and log2 <= cells[LOG2_SKIP]:
        skipped = bin_of(data, cells, events, TRANSFORM_SKIP + component, AT_TRANSFORM_SKIP + chroma)
    scan = DIAGONAL
    if may_scan and DOWN - _NEAR <= mode <= DOWN + _NEAR:
        scan = HORIZONTAL
    elif may_scan and ACROSS - _NEAR <= mode <= ACROSS + _NEAR:
        scan = VERTICAL
    x_prefix = last_prefix(data, cells, events, log2, component, AT_LAST_X)
    y_prefix = last_prefix(data, cells, events, log2, component, AT_LAST_Y)
    x = last_place(data, cells, events, component, x_prefix)
    y = last_place(data, cells, events, component, y_prefix)
    if scan == VERTICAL:
        x, y = y, x
    blocks = BLOCKS + scan * 256 + (log2 - 2) * 64
    block = 0
    while cells[blocks + block] != (y >> 2) * 8 + (x >> 2):
        block += 1
    places = PLACES + scan * 16
    place = 0
    while cells[places + place] != (y & 3) * 4 + (x & 3):
        place += 1
    for row in range((1 << (log2 - 2)) + 1):
        for column in range((1 << (log2 - 2)) + 1):
            cells[CODED + row * 9 + column] = 0
    if cells[NOTING]:
        for row in range((1 << log2) + 2):
            for column in range((1 << log2) + 2):
                cells[LEVELS + row * LEVEL_ROW + column] = 0
    hides = cells[HIDES_SIGNS]
    if bypassed or (cells[IMPLICIT_RDPCM] and skipped and mode in (ACROSS, DOWN)):
        hides = 0
    plain = 1 if skipped or bypassed else 0
    last, carry = block, 1
    for number in range(last, -1, -1):
        carry = code_sub_block(
            data, cells, events, log2, component, scan, number, last, place, carry, hides, plain
        )
        if carry < 0 or is_over(cells):
            return 1
    return 0


def last_prefix(data: Cells, cells: Cells, events: Cells, log2: int, component: int, contexts: int) -> int:
    """last_sig_coeff_x_prefix or last_sig_coeff_y_prefix."""
    if component:
        offset, shift = 15, log2 - 2
    else:
        offset, shift = 3 * (log2 - 2) + (log2 - 1 >> 2), log2 + 1 >> 2
    value = 0
    while value < 2 * log2 - 1 and bin_of(
        data, cells, events, LAST_PREFIX + component, contexts + offset + (value >> shift)
    ):
        value += 1
    return value


def last_place(data: Cells, cells: Cells, events: Cells, component: int, prefix: int) -> int:
    """Where the last coefficient is along a side, its prefix being known."""
    if prefix < 4:
        return prefix
    count = (prefix >> 1) - 1
    return (2 + (prefix & 1) << count) + bypass_bits(data, cells, events, LAST_SUFFIX + component, count)


def code_sub_block(
    data: Cells,
    cells: Cells,
    events: Cells,
    log2: int,
    component: int,
    scan: int,
    number: int,
    last: int,
    place: int,
    carry: int,
    hides: int,
    plain: int,
) -> int:
    """Sub-block ``number`` of those up to ``last``, where the last coefficient is at ``place``. Returns what
    the next sub-block takes from it: 0 where a coefficient greater than 1 was seen last; -1 where the data
    cannot be sound. ``carry``: the same of the one before."""
    chroma = 1 if component else 0
    block: int = cells[BLOCKS + scan * 256 + (log2 - 2) * 64 + number]
    at = CODED + (block >> 3) * 9 + (block & 7)
    right, below = cells[at + 1], cells[at + 9]
    coded, infers = 1, 0
    if 0 < number < last:
        cells[HINT] = log2 - 2 | component << 2 | block << 4
        context = AT_CODED_SUB_BLOCK + 2 * chroma + (right | below)
        coded = bin_of(data, cells, events, CODED_SUB_BLOCK + component, context)
        infers = 1
    cells[at] = coded
    if not coded:
        return carry
    near = right + 2 * below
    count, first = 0, 15
    if number == last:
        cells[FOUND], cells[SIZES] = place, 1
        count, first = 1, place - 1
        mark(cells, block, scan, place, 1)
    for n in range(first, -1, -1):
        found = 1
        if n or not infers:
            context = AT_SIG_COEFF + sig_context(cells, log2, chroma, scan, block, n, near, plain)
            hint(cells, log2, component, block, scan, n)
            found = bin_of(data, cells, events, SIG_COEFF + component, context)
        if found:
            infers = 0
            cells[FOUND + count], cells[SIZES + count] = n, 1
            count += 1
            mark(cells, block, scan, n, 1)
    if not count:
        return carry
    return code_sizes(data, cells, events, log2, component, scan, block, number, count, carry, hides, plain)


def sig_context(
    cells: Cells, log2: int, chroma: int, scan: int, block: int, n: int, near: int, plain: int
) -> int:
    """ctxInc of sig_coeff_flag. ``near``: 1 if the sub-block to the right has coefficients, + 2 if the one
    below has."""
    if plain and cells[SKIP_CONTEXTS]:
        return 42 + chroma
    at = cells[PLACES + scan * 16 + n]
    if log2 == 2:
        small: int = cells[SMALL_CONTEXTS + at]
        return small + 27 * chroma
    if not block and not at:
        return 27 * chroma
    x, y = at & 3, at >> 2
    if near == 0:
        context = 2 if x + y == 0 else 1 if x + y < 3 else 0
    elif near == 3:
        context = 2
    else:
        far = y if near == 1 else x
        context = 2 if far == 0 else 1 if far == 1 else 0
    if chroma:
        return 27 + context + (9 if log2 == 3 else 12)
    if block:
        context += 3
    return context + ((9 if scan == DIAGONAL else 15) if log2 == 3 else 21)


def code_sizes(
    data: Cells,
    cells: Cells,
    events: Cells,
    log2: int,
    component: int,
    scan: int,
    block: int,
    number: int,
    count: int,
    carry: int,
    hides: int,
    plain: int,
) -> int:
    """How large the ``count`` coefficients of a sub-block are, and their signs; returns as
    `code_sub_block` does."""
    chroma = 1 if component else 0
    group = 0 if number == 0 or chroma else 2
    if carry == 0:
        group += 1
    carry, greater = 1, -1
    for k in range(min(count, 8)):
        n = cells[FOUND + k]
        hint(cells, log2, component, block, scan, n)
        context = AT_GREATER1 + 16 * chroma + 4 * group + carry
        if bin_of(data, cells, events, GREATER1 + component, context):
            cells[SIZES + k] = 2
            mark(cells, block, scan, n, 2)
            carry = 0
            if greater < 0:
                greater = k
        elif 0 < carry < 3:
            carry += 1
    if greater >= 0:
        n = cells[FOUND + greater]
        hint(cells, log2, component, block, scan, n)
        if bin_of(data, cells, events, GREATER2 + component, AT_GREATER2 + 4 * chroma + group):
            cells[SIZES + greater] = 3
            mark(cells, block, scan, n, 3)
    hidden = 1 if hides and cells[FOUND] - cells[FOUND + count - 1] > 3 else 0
    for k in range(count - hidden):
        hint(cells, log2, component, block, scan, cells[FOUND + k])
        bypass(data, cells, events, COEFF_SIGN + component)
    stat = CONTEXTS + RICE_STATS + (0 if chroma else 2) + plain
    rice = cells[stat] // 4 if cells[RICE_ADAPTS] else 0
    fresh = 1
    for k in range(count):
        size = cells[SIZES + k]
        if size < (1 if k >= 8 else 3 if k == greater else 2):
            continue
        n = cells[FOUND + k]
        hint(cells, log2, component, block, scan, n)
        more = remaining(data, cells, events, component, rice)
        if more < 0:
            return -1
        if fresh and cells[RICE_ADAPTS]:
            adapt(cells, stat, more)
        fresh = 0
        if size + more > _LARGEST:
            return -1
        mark(cells, block, scan, n, size + more)
        if size + more > 3 << rice:
            rice = rice + 1 if cells[RICE_ADAPTS] else min(rice + 1, 4)
    return carry


def remaining(data: Cells, cells: Cells, events: Cells, component: int, rice: int) -> int:
    """coeff_abs_level_remaining; -1 where it cannot be sound."""
    prefix = bypass_unary(data, cells, events, REMAINING + component, _MOST_PREFIX)
    if prefix == _MOST_PREFIX:
        return -1
    if prefix <= 3:
        return (prefix << rice) + bypass_bits(data, cells, events, REMAINING + component, rice)
    suffix = bypass_bits(data, cells, events, REMAINING + component, prefix - 3 + rice)
    return ((1 << (prefix - 3)) + 3 - 1 << rice) + suffix


def adapt(cells: Cells, stat: int, more: int) -> None:
    """The counter that the Rice parameter starts from, after the first number of a sub-block (9.3.4.2.7)."""
    count = cells[stat]
    if more >= 3 << count // 4:
        cells[stat] = count + 1
    elif 2 * more < 1 << count // 4 and count:
        cells[stat] = count - 1


def mark(cells: Cells, block: int, scan: int, n: int, size: int) -> None:
    """What is known of a coefficient's size, for hints."""
    if cells[NOTING]:
        at = cells[PLACES + scan * 16 + n]
        y, x = (block >> 3) * 4 + (at >> 2), (block & 7) * 4 + (at & 3)
        cells[LEVELS + y * LEVEL_ROW + x] = size


def hint(cells: Cells, log2: int, component: int, block: int, scan: int, n: int) -> None:
    """For a bin of a coefficient: bits 0..1 log2 of the block's side - 2, 2..3 the component, 4..8 the row,
    9..13 the column, 14..19 the sum of five sizes to the right and below, as far as they are known, 63 if it
    is more, 20..22 how many of them are not 0."""
    if cells[NOTING]:
        at = cells[PLACES + scan * 16 + n]
        y, x = (block >> 3) * 4 + (at >> 2), (block & 7) * 4 + (at & 3)
        here = LEVELS + y * LEVEL_ROW + x
        total = count = 0
        for step in (1, 2, LEVEL_ROW, 2 * LEVEL_ROW, LEVEL_ROW + 1):
            size = cells[here + step]
            total += size
            if size:
                count += 1
        cells[HINT] = log2 - 2 | component << 2 | y << 4 | x << 9 | min(total, 63) << 14 | count << 20
