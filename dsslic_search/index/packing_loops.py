"""The loops of `index.packing`, in the part of Python that numba compiles: a block of numbers put together in
two passes that stay in the processor's cache. They do what that module does with whole-array operations.

Numbers are u64, modulo 2**64; what is stored into an array of a smaller type is taken modulo its range.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = Any  # what is indexed: a numpy array

SPREAD = (np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)).reshape(-1).view("<u8").copy()
"""By a byte, its bits as eight bytes, the highest bit first: u64[256], little-endian."""
SPREAD.flags.writeable = False


def unpack(
    data: Numbers, at: int, way: int, width: int, bytes_each: int, exceptions: int, count: int, base: Any,
    scale: Any, first: Any, spread: Numbers, out: Numbers,
) -> None:  # fmt: skip
    """A block into ``out``, of an unsigned type. Its parts begin at ``at``; ``way`` to ``first``: as the
    block's head says, ``way`` less 2 being the bits that number the commonest values. ``spread``: SPREAD."""
    values = out.size
    bits = max(way - 2, 0)
    last = (1 << bits) - 1
    room: Any = np.zeros(last + max(count, values) + 1 if way else 0, out.dtype)
    numbers: Any = np.zeros((values + 7) // 8 if bits else 0, np.uint64)
    if bits:
        for i in range(last):
            number = np.uint64(0)
            for byte in range(7, -1, -1):
                number = (number << np.uint64(8)) | np.uint64(data[at + 8 * i + byte])
            room[i] = number
        at += 8 * last
        for plane in range(bits):
            eighths = data[at : at + numbers.size]
            for i in range(numbers.size):
                numbers[i] |= spread[eighths[i]] << np.uint64(plane)
            at += numbers.size

    whole, rest = width // 8, width % 8
    step, lower = (count + 7) // 8, at + whole * count
    words = np.zeros(step, np.uint64)
    for plane in range(rest):
        eighths = data[lower + plane * step : lower + (plane + 1) * step]
        for i in range(step):
            words[i] |= spread[eighths[i]] << np.uint64(plane)
    small = words.view(np.uint8)[:count]
    told = room[last:] if way else out
    if whole == 0:
        for i in range(count):
            told[i] = np.uint64(small[i]) + base
    elif whole == 1:
        lowest = data[at : at + count]
        for i in range(count):
            told[i] = (np.uint64(lowest[i]) | (np.uint64(small[i]) << np.uint64(8))) + base
    else:
        lowest, second = data[at : at + count], data[at + count : at + 2 * count]
        for i in range(count):
            told[i] = np.uint64(lowest[i]) | (np.uint64(second[i]) << np.uint64(8))
        for plane in range(2, whole):
            higher, shift = data[at + plane * count : at + (plane + 1) * count], np.uint64(8 * plane)
            for i in range(count):
                told[i] = np.uint64(told[i]) | (np.uint64(higher[i]) << shift)
        shift = np.uint64(8 * whole) if rest else np.uint64(0)
        for i in range(count):
            told[i] = (np.uint64(told[i]) | (np.uint64(small[i]) << shift)) + base
    if scale != 1:
        less = (scale - np.uint64(1)) * base  # the base was added before
        for i in range(count):
            told[i] = np.uint64(told[i]) * scale - less
    at = lower + rest * step
    own = at + 2 * exceptions
    for i in range(exceptions):
        number = np.uint64(0)
        for byte in range(bytes_each - 1, -1, -1):
            number = (number << np.uint64(8)) | np.uint64(data[own + i * bytes_each + byte])
        place = np.int64(data[at + 2 * i]) + 256 * np.int64(data[at + 2 * i + 1])
        if (
            place < count
        ):  # of a file that was changed after it was compared with its sums, nothing is believed
            told[place] = number * scale + base

    if way == 1:
        total = np.uint64(first)
        out[0] = total
        for i in range(count):
            total += np.uint64(told[i])
            out[i + 1] = total
    elif bits:
        # those that are not among them stand behind these in one array: no step waits for one before
        which, place = numbers.view(np.uint8), np.int64(last)
        for i in range(values):
            kind = np.int64(which[i])
            other = kind == last
            out[i] = room[place if other else kind]
            place += np.int64(other)


def measure(words: Numbers, base: Any, offsets: Numbers, lengths: Numbers, counts: Numbers) -> None:
    """What ``words`` are more than ``base``; how many bits each of these takes, or one more next to a power
    of two, by the exponent of the nearest float; and how many take how many."""
    floats = np.empty(words.size, np.float64)
    for i in range(words.size):
        offsets[i] = words[i] - base
        floats[i] = offsets[i]
    bits = floats.view(np.uint64)
    for i in range(words.size):
        length = max(np.int64(bits[i] >> np.uint64(52)) - 1022, 0)
        lengths[i] = length
        counts[length] += 1


def number_all(words: Numbers, values: Numbers, found: Numbers) -> None:
    """Which of some values each word is, the last of equal ones; others stay as they are in ``found``."""
    for number in range(values.size):
        value = values[number]
        for i in range(words.size):
            found[i] = np.uint8(number) if words[i] == value else found[i]


def apart(words: Numbers, low: Any, codes: Numbers, none: int, numbers: Numbers, others: Numbers) -> int:
    """The code of each word, by what it is more than ``low``, into ``numbers``, and the words of which it is
    ``none`` into ``others``, which has room for one more than there are; how many these are."""
    count = 0
    for i in range(words.size):
        code = codes[np.int64(words[i] - low)]
        numbers[i] = code
        others[count] = words[i]
        count += int(code == none)
    return count


def split(offsets: Numbers, width: int, planes: Numbers) -> None:
    """Numbers of ``width`` bits as planes of bytes, then of bits, with zeros to whole bytes; ``planes`` has
    zeros."""
    count, whole, rest = offsets.size, width // 8, width % 8
    step = (count + 7) // 8
    for plane in range(whole):
        shift, part = np.uint64(8 * plane), planes[plane * count : (plane + 1) * count]
        for i in range(count):
            part[i] = offsets[i] >> shift
    for plane in range(rest):
        shift = np.uint64(8 * whole + plane)
        start = whole * count + plane * step
        part = planes[start : start + step]
        for i in range(count):
            part[i >> 3] |= np.uint8(((offsets[i] >> shift) & np.uint64(1)) << np.uint64(7 - (i & 7)))
