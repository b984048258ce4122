"""CABAC's arithmetic decoder, which counts what each bin costs (ITU-T H.265, clauses 9.3.2.5 and 9.3.4.3).

One source for two ways of running: as machine code where numba is installed, as plain Python where it is not.
The functions work on flat arrays: ``data``, uint8, the bytes of slices; ``cells``, int64, all that is known;
``maps``, int32, what is known of each block of the picture; ``events``, int64, where every bin is noted if
that is asked for.

What a bin costs is the logarithm of the part of the range that it leaves. These sum to the bits that were
read, but for the few that start and end a stretch of bins.
"""

from __future__ import annotations

from typing import Any

from dsslic_search.codec.bpg.contexts import BIT, CONTEXT_COUNT, COSTS_COUNT, END_OF_SLICE

Cells = Any  # what is indexed in the loops: a numpy array when compiled, a memoryview of it when not

# What lies where in cells. The decoder: where its bytes begin, which it takes next, where they end; its range
# and the number in it, which has HAVE bits more than the range;
BEGIN, NEXT, END, RANGE, VALUE, HAVE = range(6)
# bins so far, whether they are noted, how many there is room for, and what is noted beside each;
BINS, NOTING, ROOM, HINT = range(6, 10)
# contexts as they are, as they were after a row's second block, and as they were where a segment ended;
CONTEXTS = 10
ROW_CONTEXTS = CONTEXTS + CONTEXT_COUNT
SEGMENT_CONTEXTS = ROW_CONTEXTS + CONTEXT_COUNT
FIRST_CONTEXTS = SEGMENT_CONTEXTS + CONTEXT_COUNT  # and as a slice starts;
COSTS = FIRST_CONTEXTS + CONTEXT_COUNT  # in 1/65536 bits,
COUNTS = COSTS + COSTS_COUNT  # and bins, of each element's three components;
# and tables.
LPS = COUNTS + COSTS_COUNT
LIKELIER = LPS + 256
OTHER = LIKELIER + 128
LOGS = OTHER + 128
SHIFTS = LOGS + 512  # by an eighth of a range, how far it is to be shifted
CABAC_CELLS = SHIFTS + 64

BYPASS = 255  # the context of bins that have none,
TERMINATE = 254  # and of those that tell the end
_FULL = 510
_STOP = 0x80
_REFILL = 16  # bits beyond the range from which on none are fetched


def start_bins(data: Cells, cells: Cells) -> int:
    """The decoder before its first bin, at ``cells[NEXT]``. 1 where its number is not within the range, else
    0."""
    cells[BEGIN] = cells[NEXT]
    cells[RANGE], cells[VALUE], cells[HAVE] = _FULL, 0, -9
    fetch(data, cells)
    return 1 if cells[VALUE] >= _FULL << cells[HAVE] else 0


def fetch(data: Cells, cells: Cells) -> None:
    """More bytes; zeros behind the end."""
    value, have, at, end = cells[VALUE], cells[HAVE], cells[NEXT], cells[END]
    while have < _REFILL:
        value = value << 8 | (int(data[at]) if at < end else 0)
        at += 1
        have += 8
    cells[VALUE], cells[HAVE], cells[NEXT] = value, have, at


def is_over(cells: Cells) -> int:
    """Whether bins were read from behind the end."""
    return 1 if 8 * (cells[NEXT] - cells[END]) > cells[HAVE] else 0


def note(cells: Cells, events: Cells, element: int, context: int, value: int) -> None:
    """A bin that was read: bit 0 its value, 1..7 the element's place, 8..15 the context, 16.. the hint."""
    cells[COUNTS + element] += 1
    count = cells[BINS]
    cells[BINS] = count + 1
    if cells[NOTING] and count < cells[ROOM]:
        events[count] = cells[HINT] << 16 | context << 8 | element << 1 | value


def bin_of(data: Cells, cells: Cells, events: Cells, element: int, context: int) -> int:
    """The next bin, in a context."""
    if cells[HAVE] < 8:
        fetch(data, cells)
    have, value, size = cells[HAVE], cells[VALUE], cells[RANGE]
    state = cells[CONTEXTS + context]
    less = cells[LPS + (state >> 1) * 4 + (size >> 6 & 3)]
    rest = size - less
    if value < rest << have:
        bit: int = state & 1
        cells[CONTEXTS + context] = cells[LIKELIER + state]
        shift = 0 if rest >= 256 else 1
    else:
        bit = 1 - (state & 1)
        cells[CONTEXTS + context] = cells[OTHER + state]
        cells[VALUE] = value - (rest << have)
        rest = less
        shift = cells[SHIFTS + (less >> 3)]
    rest <<= shift
    cells[RANGE] = rest
    cells[HAVE] = have - shift
    cells[COSTS + element] += shift * BIT + cells[LOGS + size] - cells[LOGS + rest]
    note(cells, events, element, context, bit)
    return bit


def bypass(data: Cells, cells: Cells, events: Cells, element: int) -> int:
    """The next bin, of two values that are alike."""
    if cells[HAVE] < 8:
        fetch(data, cells)
    have, value = cells[HAVE] - 1, cells[VALUE]
    cells[HAVE] = have
    size = cells[RANGE] << have
    bit = 0
    if value >= size:
        cells[VALUE] = value - size
        bit = 1
    cells[COSTS + element] += BIT
    note(cells, events, element, BYPASS, bit)
    return bit


def bypass_bits(data: Cells, cells: Cells, events: Cells, element: int, count: int) -> int:
    """A number of ``count`` such bins."""
    value = 0
    for _ in range(count):
        value = value << 1 | bypass(data, cells, events, element)
    return value


def unary(data: Cells, cells: Cells, events: Cells, element: int, context: int, most: int) -> int:
    """A number of up to ``most``, in unary, all bins in one context."""
    value = 0
    while value < most and bin_of(data, cells, events, element, context):
        value += 1
    return value


def bypass_unary(data: Cells, cells: Cells, events: Cells, element: int, most: int) -> int:
    """The same without contexts."""
    value = 0
    while value < most and bypass(data, cells, events, element):
        value += 1
    return value


def terminate(data: Cells, cells: Cells, events: Cells, element: int) -> int:
    """A bin that tells whether the stretch of bins ends."""
    if cells[HAVE] < 8:
        fetch(data, cells)
    have, size = cells[HAVE], cells[RANGE]
    rest = size - 2
    if cells[VALUE] >= rest << have:
        cells[COSTS + element] += cells[LOGS + size] - BIT
        note(cells, events, element, TERMINATE, 1)
        return 1
    shift = 0 if rest >= 256 else 1
    rest <<= shift
    cells[RANGE] = rest
    cells[HAVE] = have - shift
    cells[COSTS + element] += shift * BIT + cells[LOGS + size] - cells[LOGS + rest]
    note(cells, events, element, TERMINATE, 0)
    return 0


def ends_well(data: Cells, cells: Cells) -> int:
    """Behind the bin that ends a stretch: whether what was read ends in a 1, and zeros fill the byte. What
    follows that is next."""
    read = 8 * (cells[NEXT] - cells[BEGIN]) - cells[HAVE]
    at = cells[BEGIN] + (read - 1 >> 3)
    if at >= cells[END]:
        return 0
    cells[NEXT] = at + 1
    return 1 if int(data[at]) << (read - 1 & 7) & 0xFF == _STOP else 0


def start_contexts(cells: Cells, source: int) -> None:
    """Contexts as they lie at ``source``."""
    for place in range(CONTEXT_COUNT):
        cells[CONTEXTS + place] = cells[source + place]


def keep_contexts(cells: Cells, target: int) -> None:
    """Put contexts where they are taken up from."""
    for place in range(CONTEXT_COUNT):
        cells[target + place] = cells[CONTEXTS + place]


def end_of_segment(data: Cells, cells: Cells, events: Cells) -> int:
    """end_of_slice_segment_flag or end_of_subset_one_bit."""
    cells[HINT] = 0
    return terminate(data, cells, events, END_OF_SLICE)
