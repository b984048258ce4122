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


def inside(
    photos: Numbers, firsts: Numbers, sizes: Numbers, codes: Numbers, more_codes: Numbers, shares: Numbers,
    more_shares: Numbers, least: int, counted: bool, counts: Numbers, best: Numbers,
) -> None:  # fmt: skip
    """Regions pass of which ``least`` or more lies in a stretch, and in one ``more``, which may be the same.
    ``codes``: the numbers of `index.regions.stretches`; ``shares``: the share by such a number. The measure
    is the lesser share. Adds to what is there, zeros.

    A step is a region, so that where the next photo begins has not to be guessed."""
    for j in range(firsts.shape[0]):
        regions = 0
        for i in range(photos.size):
            regions += int(sizes[j, i])
        i, k, top = 0, 0, np.int64(0)
        for _ in range(regions):
            while sizes[j, i] == 0:
                i += 1
            row, region = photos[i], int(firsts[j, i]) + k
            share = min(np.int64(shares[codes[region]]), np.int64(more_shares[more_codes[region]]))
            passes = share >= least
            top = max(top, (share + 1) * passes)
            best[row] = top if j == 0 else max(np.int64(best[row]), top)
            if counted:
                counts[row] += passes
            k += 1
            stays = int(k != int(sizes[j, i]))
            i, k, top = i + 1 - stays, k * stays, top * stays


def beside(
    photos: Numbers, firsts: Numbers, sizes: Numbers, others: Numbers, numbers: Numbers, low: Numbers,
    high: Numbers, centre: Numbers, sides: Numbers, borders: Numbers, offsets: Numbers, sign: int,
    counted: bool, counts: Numbers, best: Numbers,
) -> None:  # fmt: skip
    """Regions that lie before another one along an axis; with ``sign`` -1: after it. The measure is the
    distance of the centroids."""
    for i in range(photos.size):
        row = photos[i]
        number, top = np.int64(0), np.int64(0)
        side = np.int64(sides[row])
        start = np.int64(offsets[side])
        for j in range(firsts.shape[0]):
            for a in range(firsts[j, i], firsts[j, i] + np.int64(sizes[j, i])):
                begin = np.int64(borders[start + np.int64(low[a])])
                end = np.int64(borders[start + side - np.int64(high[a])])
                middle = ((begin + end) >> 1) + np.int64(centre[a])
                edge = end if sign > 0 else begin
                clearest = np.int64(0)
                for k in range(others.shape[0]):
                    for b in range(others[k, i], others[k, i] + np.int64(numbers[k, i])):
                        first = np.int64(borders[start + np.int64(low[b])])
                        last = np.int64(borders[start + side - np.int64(high[b])])
                        far = ((first + last) >> 1) + np.int64(centre[b])
                        near = first if sign > 0 else last
                        passes = (edge * sign <= far * sign) & (middle * sign <= near * sign) & (a != b)
                        clearest = max(clearest, ((far - middle) * sign + 1) * passes)
                number += clearest > 0
                top = max(top, clearest)
        best[row] = top
        if counted:
            counts[row] = number


def meeting(
    photos: Numbers, firsts: Numbers, sizes: Numbers, others: Numbers, numbers: Numbers, left: Numbers,
    right: Numbers, width: Numbers, top: Numbers, bottom: Numbers, height: Numbers, borders: Numbers,
    offsets: Numbers, way: int, near: int, counted: bool, counts: Numbers, best: Numbers,
) -> None:  # fmt: skip
    """Regions that share rows with another one and, by ``way``, are at most ``near`` columns apart (0), or
    share columns too and end lower (1) or higher (-1). The measure: 2 near - gap, or the distance of the
    lower edges."""
    for i in range(photos.size):
        row = photos[i]
        number, most = np.int64(0), np.int64(0)
        wide, high = np.int64(width[row]), np.int64(height[row])
        x, y = np.int64(offsets[wide]), np.int64(offsets[high])
        for j in range(firsts.shape[0]):
            for a in range(firsts[j, i], firsts[j, i] + np.int64(sizes[j, i])):
                begin = np.int64(borders[x + np.int64(left[a])])
                end = np.int64(borders[x + wide - np.int64(right[a])])
                upper = np.int64(borders[y + np.int64(top[a])])
                lower = np.int64(borders[y + high - np.int64(bottom[a])])
                clearest = np.int64(0)
                for k in range(others.shape[0]):
                    for b in range(others[k, i], others[k, i] + np.int64(numbers[k, i])):
                        foot = np.int64(borders[y + high - np.int64(bottom[b])])
                        head = np.int64(borders[y + np.int64(top[b])])
                        meets = (upper < foot) & (head < lower) & (a != b)
                        gap = max(
                            np.int64(borders[x + np.int64(left[b])]) - end,
                            begin - np.int64(borders[x + wide - np.int64(right[b])]),
                        )
                        if way == 0:
                            clear = (2 * near - max(gap, np.int64(0)) + 1) * (gap <= near)
                        else:
                            clear = ((lower - foot) * way + 1) * ((gap < 0) & ((lower - foot) * way > 0))
                        clearest = max(clearest, clear * meets)
                number += clearest > 0
                most = max(most, clearest)
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
