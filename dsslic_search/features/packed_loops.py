"""The loop that reads what `features.packed_scene` describes, photo by photo, in the part of Python that
numba compiles. It takes what `features.scene.read_scenes` takes, in a small part of the time."""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = Any  # what is indexed: a numpy array


def read(
    window: Numbers, starts: Numbers, firsts: Numbers, lengths: Numbers, units: int, whole: int,
    least_area: int, wide: Numbers, small: Numbers, touching: Numbers, contacts: Numbers,
) -> int:  # fmt: skip
    """The regions of photos whose bytes all begin with PACKED; how many contacts they have together, or -1
    where one of them is not as it can be: `read_scenes` says why. Each has as many bytes at least as its
    regions and things, as its first bytes tell them, need.

    ``window``: the bytes and SPARE zeros behind them, as numbers of 8 bytes that overlap, one from each byte
    on; ``starts``: where each photo begins, and the end of the last; ``firsts``: which its first region is,
    and the number of all; ``lengths``: by a number up to 65535, its bits. ``units``, ``whole``,
    ``least_area``: UNITS, SHARES and MIN_REGION_AREA.

    Into ``wide``, uint16[7, regions]: area, left, top, right, bottom, x, y; ``small``, uint8[13, regions]:
    class, columns, rows; ``touching``: how many contacts each region has; ``contacts``, uint8[3, at most
    things of each region]: thing, under, border."""
    half, third, last, quarter = units // 2, units // 3, 2 * units // 3, units // 4
    thing, begin = np.empty(256, np.int64), np.empty(1024, np.int64)
    eight = np.uint64(255)
    count = np.int64(0)
    for photo in range(starts.size - 1):
        at, end = 8 * np.int64(starts[photo]) + 8, 8 * np.int64(starts[photo + 1])
        regions, first = np.int64(firsts[photo + 1] - firsts[photo]), np.int64(firsts[photo])
        head = np.int64((window[at >> 3] >> np.uint64(10)) & np.uint64(0xFFFFFF))
        at += 34
        things = head & 255
        for i in range(things):
            thing[i] = np.int64((window[at >> 3] >> np.uint64(at & 7)) & eight)
            at += 8

        bits = np.int64(lengths[max(things - 1, 0)])
        mask = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
        for i in range(first, first + regions):
            kind = np.int64((window[at >> 3] >> np.uint64(at & 7)) & mask)
            at += bits
            if kind >= things:
                return -1
            small[0, i] = thing[kind]
        for axis in range(2):  # sections take at most SPARE bytes, so what is beyond the end may be looked at
            side = ((head >> (8 + 8 * axis)) & 255) + 1
            bits = np.int64(lengths[side - 1])
            mask = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
            for i in range(regions):
                begin[i] = np.int64((window[at >> 3] >> np.uint64(at & 7)) & mask)
                at += bits
            for i in range(regions):
                stop = begin[i] + np.int64((window[at >> 3] >> np.uint64(at & 7)) & mask) + 1
                at += bits
                if stop > side:
                    return -1
                wide[1 + axis, first + i] = begin[i] * units // side
                wide[3 + axis, first + i] = stop * units // side
            if at > end:
                return -1
        for i in range(first, first + regions):
            across = np.int64(wide[3, i]) - np.int64(wide[1, i])
            down = np.int64(wide[4, i]) - np.int64(wide[2, i])
            bits = np.int64(lengths[(across + 1) * (down + 1) // units])
            mask = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
            area = np.int64((window[at >> 3] >> np.uint64(at & 7)) & mask)
            at += bits
            if area < least_area or area > units:
                return -1
            wide[0, i] = area
        for axis in range(2):
            for i in range(first, first + regions):
                low, high = np.int64(wide[1 + axis, i]), np.int64(wide[3 + axis, i])
                bits = np.int64(lengths[high - low])
                mask = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
                centre = low + np.int64((window[at >> 3] >> np.uint64(at & 7)) & mask)
                at += bits
                if centre > high:
                    return -1
                wide[5 + axis, i] = centre
        if at > end:
            return -1

        for axis in range(2):
            lows, highs = wide[1 + axis, first : first + regions], wide[3 + axis, first : first + regions]
            shares = small[1 + 6 * axis : 7 + 6 * axis, first : first + regions]
            for i in range(regions):
                share = whole * np.int64(highs[i] <= half)
                if lows[i] < half and highs[i] > half:
                    share = np.int64((window[at >> 3] >> np.uint64(at & 7)) & eight)
                    at += 8
                if share > whole:
                    return -1
                shares[0, i] = share
            for i in range(regions):
                share = whole - np.int64(shares[0, i])
                if lows[i] < half and highs[i] > half:
                    share -= np.int64((window[at >> 3] >> np.uint64(at & 7)) & np.uint64(1))
                    at += 1
                if share < 0:
                    return -1
                shares[1, i] = share
            for i in range(regions):
                share = whole * np.int64(highs[i] <= third)
                if lows[i] < third and highs[i] > third:
                    share = np.int64((window[at >> 3] >> np.uint64(at & 7)) & eight)
                    at += 8
                if share > whole:
                    return -1
                shares[2, i] = share
            for i in range(regions):
                share = whole * np.int64(lows[i] >= last)
                if lows[i] < last and highs[i] > last:
                    share = np.int64((window[at >> 3] >> np.uint64(at & 7)) & eight)
                    at += 8
                if share > whole:
                    return -1
                shares[4, i] = share
            for i in range(regions):
                share = whole - np.int64(shares[2, i]) - np.int64(shares[4, i])
                if (lows[i] < third and highs[i] > third) or (lows[i] < last and highs[i] > last):
                    share -= np.int64((window[at >> 3] >> np.uint64(at & 7)) & np.uint64(3))
                    at += 2
                if share < 0:
                    return -1
                shares[3, i] = share
            for i in range(regions):
                low, high = np.int64(lows[i]), np.int64(highs[i])
                share = whole * np.int64(low >= quarter and high <= 3 * quarter)
                if (low < quarter and high > quarter) or (low < 3 * quarter and high > 3 * quarter):
                    share = np.int64((window[at >> 3] >> np.uint64(at & 7)) & eight)
                    at += 8
                if share > whole:
                    return -1
                shares[5, i] = share
        if at + things * regions > end:
            return -1

        of_photo = count
        for i in range(first, first + regions):
            before, there = np.int64(-1), count
            for k in range(things):
                if (window[(at + k) >> 3] >> np.uint64((at + k) & 7)) & np.uint64(1):
                    if thing[k] <= before:
                        return -1
                    before = thing[k]
                    contacts[0, count] = before
                    count += 1
            at += things
            touching[i] = count - there
        if at + 9 * (count - of_photo) > end:
            return -1
        under = at + count - of_photo
        for i in range(of_photo, count):
            contacts[1, i] = 0
            if (window[at >> 3] >> np.uint64(at & 7)) & np.uint64(1):
                share = np.int64((window[under >> 3] >> np.uint64(under & 7)) & eight)
                under += 8
                if share > whole:
                    return -1
                contacts[1, i] = share
            at += 1
        at = under
        if at + 8 * (count - of_photo) > end:
            return -1
        for i in range(of_photo, count):
            share = np.int64((window[at >> 3] >> np.uint64(at & 7)) & eight)
            at += 8
            if share > whole or (share == 0 and contacts[1, i] == 0):
                return -1
            contacts[2, i] = share
        if at + 7 < end:
            return -1
    return int(count)
