"""The loops over regions, in the part of Python that numba compiles: each is self-contained, and runs
uncompiled just the same.

A *group* is the regions of one class in one photo. What is asked about are photos, by their rows ascending:
``photos``, and for each class and photo the first region of its group and how many it has, [classes, photos]
each: ``firsts`` and ``sizes``, of the regions asked about, ``others`` and ``numbers`` of those that they are
compared with.

Boxes are put together where they are looked at, from what is stored. Along an axis ``low`` and ``high`` are
how many cells of the photo's grid they are from its beginning and from its end, ``sides`` how many cells it
has, by photo; ``borders[offsets[side] + cell]``: where a cell of a grid of so many begins, in 1/UNITS.
``centre``: how far the centroid is from the middle of both edges.

Each loop writes, by row, how many regions pass into ``counts``, if ``counted``, and into ``best`` the measure
of the best of them, plus 1: what a degree is made from.

There are few regions to a group and whether one passes is anyone's guess, so conditions are multiplied rather
than branched on. Numbers are taken as int64, since those that are stored are unsigned.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = Any  # what is indexed: a numpy array


def counting(rows: Numbers, sizes: Numbers, areas: Numbers, counts: Numbers, best: Numbers) -> None:
    """All regions pass, of groups of ``sizes`` regions in the photos ``rows``. The measure is the area of the
    largest, of ``areas``. Adds to what is there."""
    for group in range(rows.size):
        row = rows[group]
        counts[row] += sizes[group]
        best[row] = max(np.int64(best[row]), np.int64(areas[group]) + 1)


def mark(rows: Numbers, values: Numbers, low: int, high: int, held: Numbers) -> None:
    """Which rows have a value from ``low`` to ``high``, into ``held``."""
    for i in range(rows.size):
        value = np.int64(values[i])
        held[rows[i]] = (value >= low) & (value <= high)


def chosen(rows: Numbers, among: Numbers, found: Numbers) -> int:
    """The rows that are ``among`` those wanted, bool, into ``found``; how many."""
    count = 0
    for i in range(rows.size):
        found[count] = rows[i]
        count += int(among[rows[i]])
    return count


def numbered(photos: Numbers, row: int, places: Numbers) -> None:
    """The place of each photo among those asked about, by row from ``row`` on; ``places`` has their number
    for all others."""
    for i in range(photos.size):
        places[np.int64(photos[i]) - row] = i


def placed(
    rows: Numbers, sizes: Numbers, first: int, row: int, places: Numbers, firsts: Numbers, found: Numbers
) -> int:
    """The first region of each photo's group, and how many it has, of a class that has groups of ``sizes``
    regions in ``rows``; ``first``: the first region there. The first region behind them. ``places``: as
    :func:`numbered` gives them from ``row`` on. What other photos have is written behind what those asked
    about have, so that the processor has nothing to guess; ``found`` has zeros."""
    for group in range(rows.size):
        place = places[np.int64(rows[group]) - row]
        firsts[place] = first
        found[place] = sizes[group]
        first += int(sizes[group])
    return first


def touching(
    rows: Numbers, sizes: Numbers, toucher: Numbers, under: Numbers, border: Numbers, by_foot: bool,
    by_border: bool, least: int, counted: bool, counts: Numbers, best: Numbers,
) -> None:  # fmt: skip
    """Regions pass whose share ``under`` or at their ``border``, whichever counts, or the greater where both
    do, is ``least`` or more. ``toucher``: those that have any, ascending, as numbers among the regions of
    groups of ``sizes`` in ``rows``. The measure is the share. Adds to what is there."""
    group, end = -1, 0
    for i in range(toucher.size):
        while toucher[i] >= end:
            group += 1
            end += int(sizes[group])
        row = rows[group]
        share = max(np.int64(under[i]) * by_foot, np.int64(border[i]) * by_border)
        passes = share >= least
        best[row] = max(np.int64(best[row]), (share + 1) * passes)
        if counted:
            counts[row] += passes


def zoned(
    rows: Numbers, sizes: Numbers, codes: Numbers, more_codes: Numbers, shares: Numbers,
    more_shares: Numbers, both: bool, least: int, logarithms: Numbers, counted: bool, counts: Numbers,
    best: Numbers,
) -> None:  # fmt: skip
    """Regions pass of which ``least`` or more lies in a stretch, and with ``both`` in one ``more``.
    ``codes``: the numbers of `index.regions.stretches` of all regions of groups of ``sizes`` in ``rows``;
    ``shares``: the share by such a number. The measure is the lesser share. Adds to what is there.

    How many regions the next group has is anyone's guess. So the greatest share of a group is told from two
    stretches that overlap, of 2**k regions each, and these are of all regions found before, one k after the
    other. ``logarithms``: the k of a size."""
    begin = 0
    for first in range(0, rows.size, 1024):  # what is found of so many stays near the processor
        last = min(first + 1024, rows.size)
        count = 0
        for group in range(first, last):
            count += int(sizes[group])
        levels = np.empty((5, count), np.uint8)
        each, own = levels[0], codes[begin : begin + count]
        if both:
            more = more_codes[begin : begin + count]
            for i in range(count):
                each[i] = min(shares[own[i]], more_shares[more[i]])
        else:
            for i in range(count):
                each[i] = shares[own[i]]
        for k in range(4):
            step = 1 << k
            lower, upper = levels[k], levels[k + 1]
            for i in range(count - step):
                upper[i] = max(lower[i], lower[i + step])
        place = 0
        for group in range(first, last):
            row, size = rows[group], int(sizes[group])
            if size < logarithms.size:
                k = int(logarithms[size])
                top = max(np.int64(levels[k, place]), np.int64(levels[k, place + size - (1 << k)]))
            else:
                top = np.int64(0)
                for i in range(place, place + size):
                    top = max(top, np.int64(each[i]))
            best[row] = max(np.int64(best[row]), (top + 1) * (top >= least))
            if counted:
                for i in range(place, place + size):
                    counts[row] += each[i] >= least
            place += size
        begin += count


def beside(
    photos: Numbers, firsts: Numbers, sizes: Numbers, others: Numbers, numbers: Numbers, low: Numbers,
    high: Numbers, centre: Numbers, sides: Numbers, borders: Numbers, offsets: Numbers, sign: int,
    counted: bool, counts: Numbers, best: Numbers,
) -> None:  # fmt: skip
    """Regions that lie before another one along an axis; with ``sign`` -1: after it. The measure is the
    distance of the centroids. None lies before itself, since it ends behind where it begins.

    The others of a photo are put together once, along the axis or against it, by ``sign``."""
    room = 0
    for i in range(photos.size):
        count = 0
        for k in range(others.shape[0]):
            count += int(numbers[k, i])
        room = max(room, count)
    nears, fars = np.empty(room, np.int64), np.empty(room, np.int64)
    for i in range(photos.size):
        row = photos[i]
        number, top = np.int64(0), np.int64(0)
        side = np.int64(sides[row])
        start = np.int64(offsets[side])
        count = 0
        for k in range(others.shape[0]):
            for b in range(others[k, i], others[k, i] + np.int64(numbers[k, i])):
                first = np.int64(borders[start + np.int64(low[b])])
                last = np.int64(borders[start + side - np.int64(high[b])])
                nears[count] = first if sign > 0 else -last
                fars[count] = (((first + last) >> 1) + np.int64(centre[b])) * sign
                count += 1
        for j in range(firsts.shape[0]):
            for a in range(firsts[j, i], firsts[j, i] + np.int64(sizes[j, i])):
                begin = np.int64(borders[start + np.int64(low[a])])
                end = np.int64(borders[start + side - np.int64(high[a])])
                middle = (((begin + end) >> 1) + np.int64(centre[a])) * sign
                edge = end if sign > 0 else -begin
                farthest = middle - 1
                for b in range(count):
                    passes = (edge <= fars[b]) & (middle <= nears[b])
                    farthest = max(farthest, fars[b] if passes else farthest)
                number += farthest >= middle
                top = max(top, farthest - middle + 1)
        best[row] = top
        if counted:
            counts[row] = number


def adjacent(
    photos: Numbers, firsts: Numbers, sizes: Numbers, others: Numbers, numbers: Numbers, left: Numbers,
    right: Numbers, width: Numbers, top: Numbers, bottom: Numbers, height: Numbers, borders: Numbers,
    offsets: Numbers, near: int, counted: bool, counts: Numbers, best: Numbers,
) -> None:  # fmt: skip
    """Regions that share rows with another one and are at most ``near`` columns apart. The measure: 2 near -
    gap.

    Both lie on one grid, so cells tell what overlaps. Nothing is nearer than what overlaps or touches: after
    that no more is looked at than is counted."""
    nearest = np.int64(2 * near + 1)
    for i in range(photos.size):
        row = photos[i]
        number, most = np.int64(0), np.int64(0)
        wide, high = np.int64(width[row]), np.int64(height[row])
        start = np.int64(offsets[wide])
        for j in range(firsts.shape[0]):
            for a in range(firsts[j, i], firsts[j, i] + np.int64(sizes[j, i])):
                begin, end = np.int64(left[a]), wide - np.int64(right[a])
                upper, lower = np.int64(top[a]), high - np.int64(bottom[a])
                clearest = np.int64(0)
                for k in range(others.shape[0]):
                    for b in range(others[k, i], others[k, i] + np.int64(numbers[k, i])):
                        if (upper < high - np.int64(bottom[b])) & (np.int64(top[b]) < lower) & (a != b):
                            first, last = np.int64(left[b]), wide - np.int64(right[b])
                            if (first <= end) & (begin <= last):
                                clearest = nearest
                                break
                            gap = max(
                                np.int64(borders[start + first]) - np.int64(borders[start + end]),
                                np.int64(borders[start + begin]) - np.int64(borders[start + last]),
                            )
                            clearest = max(clearest, (nearest - gap) * (gap <= near))
                    if clearest == nearest:
                        break
                number += clearest > 0
                most = max(most, clearest)
                if most == nearest and not counted:
                    break
            if most == nearest and not counted:
                break
        best[row] = most
        if counted:
            counts[row] = number


def overlapping(
    photos: Numbers, firsts: Numbers, sizes: Numbers, others: Numbers, numbers: Numbers, left: Numbers,
    right: Numbers, width: Numbers, top: Numbers, bottom: Numbers, height: Numbers, borders: Numbers,
    offsets: Numbers, way: int, counted: bool, counts: Numbers, best: Numbers,
) -> None:  # fmt: skip
    """Regions that share rows and columns with another one and by ``way`` end lower (1) or higher (-1). The
    measure is the distance of the lower edges. Both lie on one grid, so cells tell what overlaps."""
    for i in range(photos.size):
        row = photos[i]
        number, most = np.int64(0), np.int64(0)
        wide, high = np.int64(width[row]), np.int64(height[row])
        start = np.int64(offsets[high])
        for j in range(firsts.shape[0]):
            for a in range(firsts[j, i], firsts[j, i] + np.int64(sizes[j, i])):
                begin, end = np.int64(left[a]), wide - np.int64(right[a])
                upper, lower = np.int64(top[a]), high - np.int64(bottom[a])
                farthest = lower * way
                for k in range(others.shape[0]):
                    for b in range(others[k, i], others[k, i] + np.int64(numbers[k, i])):
                        foot = high - np.int64(bottom[b])
                        meets = (upper < foot) & (np.int64(top[b]) < lower)
                        overlaps = meets & (np.int64(left[b]) < end) & (begin < wide - np.int64(right[b]))
                        farthest = min(farthest, foot * way if overlaps else farthest)
                far = np.int64(borders[start + lower]) - np.int64(borders[start + farthest * way])
                number += far != 0
                most = max(most, far * way + (far != 0))
        best[row] = most
        if counted:
            counts[row] = number


def amid(
    photos: Numbers, firsts: Numbers, sizes: Numbers, others: Numbers, numbers: Numbers, left: Numbers,
    right: Numbers, x: Numbers, width: Numbers, top: Numbers, bottom: Numbers, y: Numbers, height: Numbers,
    borders: Numbers, offsets: Numbers, split: int, counted: bool, counts: Numbers, best: Numbers,
) -> None:  # fmt: skip
    """Regions that have one of ``others[:split]`` on one side and one of ``others[split:]`` on the opposite
    side. The measure is the lesser of the two distances of centroids."""
    # how far left of, right of, above, below a region one of either kind is, plus 1
    apart = np.zeros((2, 4), np.int64)
    own, other = np.zeros(6, np.int64), np.zeros(6, np.int64)  # left, top, right, bottom, centroid
    for i in range(photos.size):
        row = photos[i]
        number, most = np.int64(0), np.int64(0)
        wide, high = np.int64(width[row]), np.int64(height[row])
        column, line = np.int64(offsets[wide]), np.int64(offsets[high])
        for j in range(firsts.shape[0]):
            for a in range(firsts[j, i], firsts[j, i] + np.int64(sizes[j, i])):
                apart[:] = 0
                own[0] = borders[column + np.int64(left[a])]
                own[1] = borders[line + np.int64(top[a])]
                own[2] = borders[column + wide - np.int64(right[a])]
                own[3] = borders[line + high - np.int64(bottom[a])]
                own[4] = ((own[0] + own[2]) >> 1) + np.int64(x[a])
                own[5] = ((own[1] + own[3]) >> 1) + np.int64(y[a])
                for k in range(others.shape[0]):
                    s = 0 if k < split else 1
                    for b in range(others[k, i], others[k, i] + np.int64(numbers[k, i])):
                        other[0] = borders[column + np.int64(left[b])]
                        other[1] = borders[line + np.int64(top[b])]
                        other[2] = borders[column + wide - np.int64(right[b])]
                        other[3] = borders[line + high - np.int64(bottom[b])]
                        other[4] = ((other[0] + other[2]) >> 1) + np.int64(x[b])
                        other[5] = ((other[1] + other[3]) >> 1) + np.int64(y[b])
                        for axis in range(2):
                            before = (other[axis + 2] <= own[axis + 4]) & (other[axis + 4] <= own[axis])
                            behind = (own[axis + 2] <= other[axis + 4]) & (own[axis + 4] <= other[axis])
                            far = own[axis + 4] - other[axis + 4]
                            apart[s, 2 * axis] = max(apart[s, 2 * axis], (far + 1) * (before & (a != b)))
                            apart[s, 2 * axis + 1] = max(
                                apart[s, 2 * axis + 1], (1 - far) * (behind & (a != b))
                            )
                clearest = np.int64(0)
                for side in range(4):
                    clearest = max(clearest, min(apart[0, side], apart[1, side ^ 1]))
                number += clearest > 0
                most = max(most, clearest)
        best[row] = most
        if counted:
            counts[row] = number
