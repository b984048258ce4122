"""The machine under FLIF: what lies where in the arrays that its loops share, and its binary range coder.

One source for two ways of running: as machine code where numba is installed (`loops`), as plain Python where
it is not. Both give the same bytes, because every value is an integer that fits in 63 bits. Encoding and
decoding are the same walk; ``cells[MODE]`` tells which, and a third mode learns trees and writes nothing.

The functions work on flat arrays: ``data``, uint8, the bytes read or written; ``planes``, int32, the samples
of each plane row by row; ``nodes``, int32, the tree of one plane; ``chances``, uint16, the adaptive chances
of its leaves; ``stats``, int64, what is learnt about each leaf; ``buckets``, int32, the colours that exist,
where a picture says so; ``cells``, int64, all else.
"""

from __future__ import annotations

from typing import Any

Cells = Any  # what is indexed in the loops: a numpy array when compiled, a memoryview of it when not

DECODING, ENCODING, LEARNING = range(3)

MAX_PLANES = 4
MAX_PROPERTIES = 12
NODE = 5  # numbers of a node: property or -1, split, count, first child (the other follows), leaf
BUCKET = 3  # numbers of a bucket: least and greatest value, place of the table of nearest values or -1
CHANCES = 2 + 2 * 17 + 18  # of numbers of up to 18 bits: is it 0, its sign, its exponent, its mantissa

# What lies where in cells. The registers of the range coder,
RANGE, LOW, NEXT, END, ENDED, MODE = range(6)
# the picture, what is being coded of it, and the limits of one sample,
WIDTH, HEIGHT, PLANE_COUNT, PLANE, ZOOM, PREDICTOR = range(6, 12)
SKIPS_INVISIBLE, INVISIBLE_PREDICTOR, SMALLEST, LARGEST, JOB = range(12, 17)
# the tree: how many nodes and leaves it has and may have, which leaf is at work, what is asked of it,
NODE_COUNT, NODE_LIMIT, LEAF_COUNT, MAX_LEAVES, STRIDE, LEAF = range(17, 23)
PROPERTY_COUNT, THRESHOLD, SIDES = range(23, 26)
PROPERTIES = 26  # of the sample being coded
PROPERTY_LOWS = PROPERTIES + MAX_PROPERTIES  # what the properties can be
PROPERTY_HIGHS = PROPERTY_LOWS + MAX_PROPERTIES
# what samples can be: see `ranges`,
RANGE_KIND = PROPERTY_HIGHS + MAX_PROPERTIES
QUARTER, IS_BOUNDED, HAS_BUCKETS, BUCKET_ROWS, BUCKET_COLUMNS = range(RANGE_KIND + 1, RANGE_KIND + 6)
LOWS = BUCKET_COLUMNS + 1  # MAX_PLANES each: of each plane,
HIGHS = LOWS + MAX_PLANES
SOURCE_LOWS = HIGHS + MAX_PLANES  # and of each plane before it was made a difference
SOURCE_HIGHS = SOURCE_LOWS + MAX_PLANES
# and tables.
STEPS = SOURCE_HIGHS + MAX_PLANES  # the chance after a 0, for each of 4096, and after a 1
COSTS = STEPS + 2 * 4096  # what a bit of each chance costs, in 1/5461 bits; 4097
CELL_COUNT = COSTS + 4097

FULL_RANGE = 1 << 24  # of the range coder,
LEAST_RANGE = 1 << 16  # and what it is brought above again
PAST_END = 1 << 60  # register of a decoder that is out of data: each bit is a 1, at any chance


def start(data: Cells, cells: Cells) -> None:
    """The range coder before its first bit, at ``cells[NEXT]`` of the data."""
    cells[RANGE], cells[LOW], cells[ENDED] = FULL_RANGE, 0, 0
    if cells[MODE] == DECODING:
        for _ in range(3):
            cells[LOW] = next_byte(data, cells, cells[LOW])


def next_byte(data: Cells, cells: Cells, low: int) -> int:
    """A decoder's register with one more byte in it."""
    at = int(cells[NEXT])
    if at >= cells[END]:
        cells[ENDED] = 1
        return PAST_END
    cells[NEXT] = at + 1
    return PAST_END if cells[ENDED] else low << 8 | int(data[at])


def code_bit(data: Cells, cells: Cells, bit: int, one: int) -> int:
    """Code one bit, to which 1 has ``one`` parts of the range; returns it."""
    size, low = int(cells[RANGE]), int(cells[LOW])
    zero = size - one
    if cells[MODE] == DECODING:
        if low >= zero:
            bit = 1
            low -= zero
            size = one
        else:
            bit = 0
            size = zero
        while size <= LEAST_RANGE:
            low = next_byte(data, cells, low)
            size <<= 8
    else:
        if bit:
            low += zero
            size = one
        else:
            size = zero
        if low >= FULL_RANGE:
            low -= FULL_RANGE
            carry(data, int(cells[NEXT]) - 1)
        while size <= LEAST_RANGE:
            put_byte(data, cells, low >> 16)
            low = (low & 0xFFFF) << 8
            size <<= 8
    cells[RANGE], cells[LOW] = size, low
    return bit


def carry(data: Cells, at: int) -> None:
    """Add 1 to the number that the bytes up to ``at`` make."""
    while data[at] == 255:
        data[at] = 0
        at -= 1
    data[at] += 1


def put_byte(data: Cells, cells: Cells, byte: int) -> None:
    at = int(cells[NEXT])
    if at < cells[END]:
        data[at] = byte
    else:
        cells[ENDED] = 1
    cells[NEXT] = at + 1


def finish(data: Cells, cells: Cells) -> None:
    """Write what an encoder still holds: a decoder has read three bytes ahead."""
    low = int(cells[LOW])
    for place in (16, 8, 0):
        put_byte(data, cells, (low >> place) & 255)


def code_uniform(data: Cells, cells: Cells, low: int, high: int, value: int) -> int:
    """Code a number of low..high, all equally likely; returns it."""
    while low < high:
        middle = low + (high - low) // 2
        if code_bit(data, cells, 1 if value > middle else 0, int(cells[RANGE]) >> 1):
            low = middle + 1
        else:
            high = middle
    return low
