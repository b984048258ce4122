"""What the label-map coder expects at a boundary: contexts from the labels already coded, and the mixing of
what they say.

A pixel's label is asked for as "is it the k-th distinct label near by?". Each context has seen how such
questions were answered in its situation; two sets of weights, themselves learnt, join their opinions into one
probability.

This is context mixing of the PAQ line (Mahoney, "Adaptive Weighing of Context Models for Lossless Data
Compression", 2005; the logistic mixing of PAQ7 and lpaq), in integers:

* a context gives two predictions: an adaptive probability, whose rate falls with what it has seen, and an
  indirect one, by the history of its answers: how often 0 and how often 1, up to 15, where an answer brings
  the other's number down to about half;
* the mixer adds the predictions' log odds (*stretch*), each times its weight, and turns the sum into a
  probability again (*squash*); weights follow the gradient of the coding cost, error × input;
* two mixers, each with a set of weights chosen by another situation and taught by its own error, are averaged
  in log odds.
"""

from __future__ import annotations

from dsslic_search.codec.layers.label_map.machine import (
    CANDIDATES,
    CONTEXTS,
    HASHES,
    HISTORIES,
    INPUT_COUNT,
    INPUTS,
    MIXER_A,
    MIXER_B,
    PLACES,
    RATES,
    SLOT_BITS,
    SQUASH,
    STRETCH,
    TRACE,
    Cells,
    code_bit,
)

MAX_REACH = 40  # farthest that a boundary is looked for in the next row, and longest straight run counted
HISTORY_RATE = 700  # / 65536, by which the probability after a history moves towards each answer
MIXER_RATE = 10  # / 2²⁰, learning rate of the mixers' weights
NOWHERE = -1000  # a column that no boundary is at

# Multipliers of the hash that finds a context's slot. Multiplicative hashing (Knuth) needs odd numbers with
# their bits in no pattern. The situation has up to 42 bits: its lower 31, the rest, and the question's number
# have one each, and the sum is mixed once more by xor-shift and multiply. They are part of the bitstream.
# They have at most 30 bits, so that every product fits into 63: no 64-bit overflow, compiled or not.
HASH_LOW = 0x2F0B4C47
HASH_HIGH = 0x1B873593  # MurmurHash3's second constant
HASH_QUESTION = 0x3C6EF372  # twice the golden ratio's 0x9E3779B9, in 32 bits; k is small, so it may be even
HASH_FINAL = 0x2C1B3C6D


def bucket(distance: int) -> int:
    """0..4 as they are, then 5-6, 7-8, 9-12, 13-16, 17-24, 25-40, more: 0..11."""
    if distance < 5:
        return distance
    if distance < 9:
        return 5 if distance < 7 else 6
    if distance < 17:
        return 7 if distance < 13 else 8
    if distance < 41:
        return 9 if distance < 25 else 10
    return 11


def shift_bucket(shift: int) -> int:
    """0..23: the bucket of a shift and its sign; 31 for a boundary that was not found."""
    if shift < NOWHERE // 2:
        return 31
    return 12 - bucket(-shift) if shift < 0 else 12 + bucket(shift)


def find_boundary(plane: Cells, row: int, width: int, near: int, reach: int, left: int, right: int) -> int:
    """The column in 1..width-1 nearest to ``near`` where ``left`` changes to ``right``; the smaller of two;
    NOWHERE if not within reach."""
    for d in range(reach):
        at = near - d
        if at > 0 and plane[row + at - 1] == left and plane[row + at] == right:
            return at
        at = near + d
        if at < width and plane[row + at - 1] == left and plane[row + at] == right:
            return at
    return NOWHERE


def trace_boundary(plane: Cells, cells: Cells, row: int, y: int, stride: int, width: int, at: int) -> None:
    """Follow the boundary at column ``at`` of the row above upwards and leave in TRACE: at, three shifts, two
    straight runs, the step.

    The shifts are how far it moves from each row to the next; the runs are how many rows it stays where it
    is, first from the row above on, then beyond the step that ends the first run (1 to the left, 2 to the
    right, 3 gone, 0 none: the top of the map). Column 0 stands for no boundary: no shift is found and the
    rest is 0.
    """
    cells[TRACE] = at
    if at == 0:
        for i in range(1, 7):
            cells[TRACE + i] = NOWHERE if i < 4 else 0
        return
    left, right = int(plane[row - stride + at - 1]), int(plane[row - stride + at])
    here = at
    for i in range(3):
        there = (
            find_boundary(plane, row - (i + 2) * stride, width, here, MAX_REACH, left, right)
            if here != NOWHERE
            else NOWHERE
        )
        cells[TRACE + 1 + i] = here - there if there != NOWHERE else NOWHERE
        here = there
    above, run, step, second = y - 2, 0, 0, 0
    row -= 2 * stride
    while above >= 0 and run < MAX_REACH and plane[row + at - 1] == left and plane[row + at] == right:
        run, above, row = run + 1, above - 1, row - stride
    if above >= 0:
        here = find_boundary(plane, row, width, at, 3, left, right)
        step = 3 if here == NOWHERE else (1 if here < at else 2)
        while (
            step < 3
            and above >= 0
            and second < MAX_REACH
            and plane[row + here - 1] == left
            and plane[row + here] == right
        ):
            second, above, row = second + 1, above - 1, row - stride
    cells[TRACE + 4], cells[TRACE + 5], cells[TRACE + 6] = run, second, step


def neighbour_pattern(plane: Cells, cells: Cells, at: int, stride: int, count: int) -> int:
    """Two bits for each of 21 neighbours: which of the first three candidates it is, 0..2, or 3 for none of
    them."""
    up, up2, up3, up4 = at - stride, at - 2 * stride, at - 3 * stride, at - 4 * stride
    first, second, third = int(cells[CANDIDATES]), -1, -1
    if count > 1:
        second = int(cells[CANDIDATES + 1])
    if count > 2:
        third = int(cells[CANDIDATES + 2])
    pattern, place = 0, 0
    for cell in (up, up - 1, up + 1, at - 2, up2, up2 + 1, up + 2, up2 - 1, up - 2, at - 3, up3, up2 + 2,
    up + 3, up3 + 1, up3 - 1,
                 up2 - 2, up - 3, up2 + 3, up + 4, up4, at - 4):  # fmt: skip
        label = plane[cell]
        if label == first:
            which = 0
        elif label == second:
            which = 1
        elif label == third:
            which = 2
        else:
            which = 3
        pattern |= which << place
        place += 2
    return pattern


def set_contexts(cells: Cells, pattern: int, x: int, distances: int, beyond: int, count: int) -> None:
    """Fill HASHES with the situations that the pixel at column x is in.

    ``distances`` holds four buckets of 5 bits: since the last change in this row, to the next and since the
    last in the row above, to the next in the row above that. ``beyond`` is the label after the next change in
    the row above. TRACE and CANDIDATES are used.
    """
    west, second = int(cells[CANDIDATES]), 0
    if count > 1:
        second = int(cells[CANDIDATES + 1]) + 1
    boundary = int(cells[TRACE])
    passed = x - boundary if boundary > 0 else 20
    where = min(max(passed, -8), 12) + 8 if passed <= 12 else 20 + min(bucket(passed) - 7, 5)
    shift, shift_2, shift_3 = (
        shift_bucket(int(cells[TRACE + 1])),
        shift_bucket(int(cells[TRACE + 2])),
        shift_bucket(int(cells[TRACE + 3])),
    )
    run, run_2, step = int(cells[TRACE + 4]), int(cells[TRACE + 5]), int(cells[TRACE + 6])
    differ = 1 if pattern & 3 else 0
    since, ahead = distances & 31, (distances >> 5) & 31
    cells[HASHES] = pattern & 0xFFF
    cells[HASHES + 1] = pattern & 0xFFFFFFF
    cells[HASHES + 2] = pattern
    cells[HASHES + 3] = (pattern >> 2) & 0x3FFFFF3
    cells[HASHES + 4] = (west << 16) | (second << 7) | (pattern & 63)
    cells[HASHES + 5] = where | (shift << 6) | (shift_2 << 11) | (shift_3 << 16) | (min(ahead, 3) << 22)
    cells[HASHES + 6] = where | (min(run, 20) << 6) | (min(run_2, 20) << 12) | (step << 18)
    cells[HASHES + 7] = distances | (differ << 20)
    cells[HASHES + 8] = where | (shift << 6) | (west << 12) | (second << 20)
    cells[HASHES + 9] = where | (run << 6) | (step << 12) | ((pattern & 0xFF) << 14)
    cells[HASHES + 10] = since | (where << 5) | (shift << 11) | ((pattern & 0x3FF) << 16)
    cells[HASHES + 11] = west | (beyond << 8) | (where << 16)


def code_choice(data: Cells, slots: Cells, cells: Cells, bit: int, k: int, set_a: int, set_b: int) -> int:
    """Code "is it candidate k?" by mixing what all contexts say, and teach them the answer."""
    mask = (1 << SLOT_BITS) - 1
    question = k * HASH_QUESTION
    for i in range(CONTEXTS):
        h = int(cells[HASHES + i])
        h = ((h & 0x7FFFFFFF) * HASH_LOW + (h >> 31) * HASH_HIGH + question) & 0x7FFFFFFF
        h = (h ^ (h >> 15)) * HASH_FINAL
        slot = (i << SLOT_BITS) + ((h >> 12) & mask)
        state = int(slots[slot])
        history = (i << 8) + (state & 255)
        cells[PLACES + i], cells[PLACES + CONTEXTS + i] = slot, history
        cells[INPUTS + 2 * i] = cells[STRETCH + (state >> 20)]
        cells[INPUTS + 2 * i + 1] = cells[STRETCH + (cells[HISTORIES + history] >> 4)]
    cells[INPUTS + 2 * CONTEXTS] = 256
    weights_a, weights_b = MIXER_A + set_a * INPUT_COUNT, MIXER_B + set_b * INPUT_COUNT
    sum_a, sum_b = 0, 0
    for i in range(INPUT_COUNT):
        x = cells[INPUTS + i]
        sum_a += x * cells[weights_a + i]
        sum_b += x * cells[weights_b + i]
    sum_a = min(max(sum_a >> 16, -2047), 2047)
    sum_b = min(max(sum_b >> 16, -2047), 2047)
    bit = code_bit(data, cells, bit, int(cells[SQUASH + ((sum_a + sum_b) >> 1) + 2048]))
    target = 65535 if bit else 0
    error_a = ((target - cells[SQUASH + sum_a + 2048]) * MIXER_RATE) >> 10
    error_b = ((target - cells[SQUASH + sum_b + 2048]) * MIXER_RATE) >> 10
    if error_a != 0:  # else no weight changes
        for i in range(INPUT_COUNT):
            cells[weights_a + i] += (cells[INPUTS + i] * error_a + 512) >> 10
    if error_b != 0:
        for i in range(INPUT_COUNT):
            cells[weights_b + i] += (cells[INPUTS + i] * error_b + 512) >> 10
    for i in range(CONTEXTS):
        slot, history = cells[PLACES + i], HISTORIES + cells[PLACES + CONTEXTS + i]
        expected = cells[history]
        cells[history] = expected + (((target - expected) * HISTORY_RATE) >> 16)
        state = int(slots[slot])
        one, count, zeros, ones = state >> 16, (state >> 8) & 255, (state >> 4) & 15, state & 15
        one += ((target - one) * cells[RATES + count]) >> 16
        if bit:
            ones = ones + 1 if ones < 15 else 15
            zeros = (zeros + 2) >> 1 if zeros > 2 else zeros
        else:
            zeros = zeros + 1 if zeros < 15 else 15
            ones = (ones + 2) >> 1 if ones > 2 else ones
        slots[slot] = (one << 16) | ((count + 1 if count < 255 else 255) << 8) | (zeros << 4) | ones
    return bit
