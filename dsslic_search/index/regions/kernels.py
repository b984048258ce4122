"""The loops over regions, in the part of Python that numba compiles: each is self-contained, and runs
uncompiled just the same.

A *group* is the regions of one class in one photo: ``first[g]`` to ``first[g + 1]``. Loops that compare
regions with others take ``groups``, [photos, classes]: the group of a class in a photo, or -1. Each loop
writes, by photo, how many regions pass into ``counts``, and into ``best`` the measure of the best of them,
plus 1: what a degree is made from.

There are few regions to a group and whether one passes is anyone's guess, so conditions are multiplied rather
than branched on. Numbers are taken as int64, since those that are stored are unsigned.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = Any  # what is indexed: a numpy array

LEFT, TOP, RIGHT, BOTTOM, X, Y = range(6)  # columns of boxes, so that a region's numbers lie together


def counting(rows: Numbers, sizes: Numbers, areas: Numbers, counts: Numbers, best: Numbers) -> None:
    """All regions pass, of groups of ``sizes`` regions in the photos ``rows``. The measure is the area of the
    largest, of ``areas``. Adds to what is there."""
    for group in range(rows.size):
        row = rows[group]
        counts[row] += sizes[group]
        best[row] = max(np.int64(best[row]), np.int64(areas[group]) + 1)


def marking(
    rows: Numbers, shares: Numbers, least: int, counted: bool, counts: Numbers, best: Numbers
) -> None:
    """Regions pass, of the photos ``rows``, whose ``shares`` are ``least`` or more. The measure is the share.
    Adds to what is there; to ``counts`` only if ``counted``."""
    for region in range(rows.size):
        row, share = rows[region], np.int64(shares[region])
        passes = share >= least
        best[row] = max(np.int64(best[row]), (share + 1) * passes)
        if counted:
            counts[row] += passes


def beside(
    groups: Numbers, others: Numbers, first: Numbers, boxes: Numbers, low: int, middle: int, high: int,
    sign: int, counts: Numbers, best: Numbers,
) -> None:  # fmt: skip
    """Regions of ``groups`` that lie before another one, of ``others``, along the axis of which the
    columns ``low``, ``middle``, ``high`` are edges and centroid; with ``sign`` -1 and the edges exchanged:
    after it. The measure is the distance of the centroids."""
    for i in range(groups.shape[0]):
        number, top = np.int64(0), np.int64(0)
        for j in range(groups.shape[1]):
            group = groups[i, j]
            if group < 0:
                continue
            for a in range(first[group], first[group + 1]):
                edge, centre, clearest = (
                    np.int64(boxes[a, high]) * sign,
                    np.int64(boxes[a, middle]) * sign,
                    np.int64(0),
                )
                for k in range(others.shape[1]):
                    other = others[i, k]
                    if other < 0:
                        continue
                    for b in range(first[other], first[other + 1]):
                        far = np.int64(boxes[b, middle]) * sign
                        passes = (edge <= far) & (centre <= np.int64(boxes[b, low]) * sign) & (a != b)
                        clearest = max(clearest, (far - centre + 1) * passes)
                number += clearest > 0
                top = max(top, clearest)
        counts[i], best[i] = number, top


def meeting(
    groups: Numbers,
    others: Numbers,
    first: Numbers,
    boxes: Numbers,
    way: int,
    near: int,
    counts: Numbers,
    best: Numbers,
) -> None:
    """Regions of ``groups`` that share rows with another one, of ``others``, and, by ``way``, are at most
    ``near`` columns apart (0), or share columns too and end lower (1) or higher (-1). The measure: 2 near -
    gap, or the distance of the lower edges."""
    for i in range(groups.shape[0]):
        number, top = np.int64(0), np.int64(0)
        for j in range(groups.shape[1]):
            group = groups[i, j]
            if group < 0:
                continue
            for a in range(first[group], first[group + 1]):
                left, right, clearest = np.int64(boxes[a, LEFT]), np.int64(boxes[a, RIGHT]), np.int64(0)
                upper, lower = np.int64(boxes[a, TOP]), np.int64(boxes[a, BOTTOM])
                for k in range(others.shape[1]):
                    other = others[i, k]
                    if other < 0:
                        continue
                    for b in range(first[other], first[other + 1]):
                        end = np.int64(boxes[b, BOTTOM])
                        meets = (upper < end) & (np.int64(boxes[b, TOP]) < lower) & (a != b)
                        gap = max(np.int64(boxes[b, LEFT]) - right, left - np.int64(boxes[b, RIGHT]))
                        if way == 0:
                            clear = (2 * near - max(gap, np.int64(0)) + 1) * (gap <= near)
                        else:
                            clear = ((lower - end) * way + 1) * ((gap < 0) & ((lower - end) * way > 0))
                        clearest = max(clearest, clear * meets)
                number += clearest > 0
                top = max(top, clearest)
        counts[i], best[i] = number, top


def amid(
    groups: Numbers,
    others: Numbers,
    split: int,
    first: Numbers,
    boxes: Numbers,
    counts: Numbers,
    best: Numbers,
) -> None:
    """Regions that have one of ``others[:, :split]`` on one side and one of ``others[:, split:]`` on the
    opposite side. The measure is the lesser of the two distances of centroids."""
    # how far left of, right of, above, below a region one of either kind is, plus 1
    sides = np.zeros((2, 4), np.int64)
    for i in range(groups.shape[0]):
        number, top = np.int64(0), np.int64(0)
        for j in range(groups.shape[1]):
            group = groups[i, j]
            if group < 0:
                continue
            for a in range(first[group], first[group + 1]):
                sides[:] = 0
                x, y = np.int64(boxes[a, X]), np.int64(boxes[a, Y])
                for k in range(others.shape[1]):
                    other = others[i, k]
                    if other < 0:
                        continue
                    s = 0 if k < split else 1
                    for b in range(first[other], first[other + 1]):
                        u, v, apart = np.int64(boxes[b, X]), np.int64(boxes[b, Y]), a != b
                        is_left = (boxes[b, RIGHT] <= x) & (u <= boxes[a, LEFT]) & apart
                        is_right = (boxes[a, RIGHT] <= u) & (x <= boxes[b, LEFT]) & apart
                        is_above = (boxes[b, BOTTOM] <= y) & (v <= boxes[a, TOP]) & apart
                        is_below = (boxes[a, BOTTOM] <= v) & (y <= boxes[b, TOP]) & apart
                        sides[s, 0] = max(sides[s, 0], (x - u + 1) * is_left)
                        sides[s, 1] = max(sides[s, 1], (u - x + 1) * is_right)
                        sides[s, 2] = max(sides[s, 2], (y - v + 1) * is_above)
                        sides[s, 3] = max(sides[s, 3], (v - y + 1) * is_below)
                clearest = np.int64(0)
                for side in range(4):
                    clearest = max(clearest, min(sides[0, side], sides[1, side ^ 1]))
                number += clearest > 0
                top = max(top, clearest)
        counts[i], best[i] = number, top
