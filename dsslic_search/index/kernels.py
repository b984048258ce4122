"""The loops over regions, in the part of Python that numba compiles: each is self-contained, and runs uncompiled just the same.

A *group* is the regions of one class in one photo: ``first[g]`` to ``first[g + 1]``. Every loop takes ``groups``, [photos, classes]:
the group of a class in a photo, or -1. For each photo with a region that passes it writes its number into ``places``, how many
regions pass into ``counts``, and into ``best`` the measure of the best of them, plus 1: what a degree is made from. It returns the
number of these photos.

There are few regions to a group and whether one passes is anyone's guess, so conditions are multiplied rather than branched on.
Numbers are taken as int64, since those that are stored are unsigned.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = Any  # what is indexed: a numpy array

AREA, LEFT, TOP, RIGHT, BOTTOM, X, Y = range(7)  # rows of boxes
CLASS, UNDER, BORDER = range(3)  # rows of contacts


def counting(groups: Numbers, first: Numbers, area: Numbers, places: Numbers, counts: Numbers, best: Numbers) -> int:
    """All regions pass. The measure is the area of the largest, the first of its group."""
    m = np.int64(0)
    for i in range(groups.shape[0]):
        number, top = np.int64(0), np.int64(0)
        for j in range(groups.shape[1]):
            group = groups[i, j]
            if group >= 0:
                number += np.int64(first[group + 1]) - np.int64(first[group])
                top = max(top, np.int64(area[first[group]]) + 1)
        places[m], counts[m], best[m] = i, number, top
        m += number > 0
    return int(m)


def lying(groups: Numbers, first: Numbers, one: Numbers, other: Numbers, half: int, places: Numbers, counts: Numbers, best: Numbers) -> int:
    """Regions whose shares ``one`` and ``other`` are both at least ``half``. The measure is the lesser."""
    m = np.int64(0)
    for i in range(groups.shape[0]):
        number, top = np.int64(0), np.int64(0)
        for j in range(groups.shape[1]):
            group = groups[i, j]
            if group >= 0:
                for a in range(first[group], first[group + 1]):
                    share = min(np.int64(one[a]), np.int64(other[a]))
                    passes = share >= half
                    number += passes
                    top = max(top, (share + 1) * passes)
        places[m], counts[m], best[m] = i, number, top
        m += number > 0
    return int(m)


def touching(
    groups: Numbers, first: Numbers, contact: Numbers, contacts: Numbers, classes: Numbers,
    by_foot: bool, by_border: bool, least: int, whole: int, places: Numbers, counts: Numbers, best: Numbers,
) -> int:  # fmt: skip
    """Regions that stand on, or have around them, at least ``least`` of the classes whose flags are set in ``classes``. The measure
    is the share that counts, the greater where both do. ``contact[a]`` to ``contact[a + 1]`` are the contacts of region a."""
    m = np.int64(0)
    for i in range(groups.shape[0]):
        number, top = np.int64(0), np.int64(0)
        for j in range(groups.shape[1]):
            group = groups[i, j]
            if group >= 0:
                for a in range(first[group], first[group + 1]):
                    under, border = np.int64(0), np.int64(0)
                    for k in range(contact[a], contact[a + 1]):
                        wanted = classes[contacts[CLASS, k]]
                        under += np.int64(contacts[UNDER, k]) * wanted
                        border += np.int64(contacts[BORDER, k]) * wanted
                    share = max(min(under, np.int64(whole)) * by_foot, border * by_border)
                    passes = share >= least
                    number += passes
                    top = max(top, (share + 1) * passes)
        places[m], counts[m], best[m] = i, number, top
        m += number > 0
    return int(m)


def beside(
    groups: Numbers, others: Numbers, first: Numbers, low: Numbers, middle: Numbers, high: Numbers, sign: int,
    places: Numbers, counts: Numbers, best: Numbers,
) -> int:  # fmt: skip
    """Regions of ``groups`` that lie before another one, of ``others``, along the axis of which ``low``, ``middle``, ``high`` are
    edges and centroid; with ``sign`` -1 and the edges exchanged: after it. The measure is the distance of the centroids."""
    m = np.int64(0)
    for i in range(groups.shape[0]):
        number, top = np.int64(0), np.int64(0)
        for j in range(groups.shape[1]):
            group = groups[i, j]
            if group < 0:
                continue
            for a in range(first[group], first[group + 1]):
                edge, centre, clearest = np.int64(high[a]) * sign, np.int64(middle[a]) * sign, np.int64(0)
                for k in range(others.shape[1]):
                    other = others[i, k]
                    if other < 0:
                        continue
                    for b in range(first[other], first[other + 1]):
                        far = np.int64(middle[b]) * sign
                        passes = (edge <= far) & (centre <= np.int64(low[b]) * sign) & (a != b)
                        clearest = max(clearest, (far - centre + 1) * passes)
                number += clearest > 0
                top = max(top, clearest)
        places[m], counts[m], best[m] = i, number, top
        m += number > 0
    return int(m)


def meeting(
    groups: Numbers, others: Numbers, first: Numbers, boxes: Numbers, way: int, near: int, places: Numbers, counts: Numbers, best: Numbers
) -> int:
    """Regions of ``groups`` that share rows with another one, of ``others``, and, by ``way``, are at most ``near`` columns apart (0), or
    share columns too and end lower (1) or higher (-1). The measure: 2 near - gap, or the distance of the lower edges."""
    m = np.int64(0)
    for i in range(groups.shape[0]):
        number, top = np.int64(0), np.int64(0)
        for j in range(groups.shape[1]):
            group = groups[i, j]
            if group < 0:
                continue
            for a in range(first[group], first[group + 1]):
                left, right, clearest = np.int64(boxes[LEFT, a]), np.int64(boxes[RIGHT, a]), np.int64(0)
                upper, lower = np.int64(boxes[TOP, a]), np.int64(boxes[BOTTOM, a])
                for k in range(others.shape[1]):
                    other = others[i, k]
                    if other < 0:
                        continue
                    for b in range(first[other], first[other + 1]):
                        end = np.int64(boxes[BOTTOM, b])
                        meets = (upper < end) & (np.int64(boxes[TOP, b]) < lower) & (a != b)
                        gap = max(np.int64(boxes[LEFT, b]) - right, left - np.int64(boxes[RIGHT, b]))
                        if way == 0:
                            clear = (2 * near - max(gap, np.int64(0)) + 1) * (gap <= near)
                        else:
                            clear = ((lower - end) * way + 1) * ((gap < 0) & ((lower - end) * way > 0))
                        clearest = max(clearest, clear * meets)
                number += clearest > 0
                top = max(top, clearest)
        places[m], counts[m], best[m] = i, number, top
        m += number > 0
    return int(m)


def amid(
    groups: Numbers, others: Numbers, split: int, first: Numbers, boxes: Numbers, places: Numbers, counts: Numbers, best: Numbers
) -> int:
    """Regions that have one of ``others[:, :split]`` on one side and one of ``others[:, split:]`` on the opposite side. The measure
    is the lesser of the two distances of centroids."""
    sides = np.zeros((2, 4), np.int64)  # how far left of, right of, above, below a region one of either kind is, plus 1
    m = np.int64(0)
    for i in range(groups.shape[0]):
        number, top = np.int64(0), np.int64(0)
        for j in range(groups.shape[1]):
            group = groups[i, j]
            if group < 0:
                continue
            for a in range(first[group], first[group + 1]):
                sides[:] = 0
                x, y = np.int64(boxes[X, a]), np.int64(boxes[Y, a])
                for k in range(others.shape[1]):
                    other = others[i, k]
                    if other < 0:
                        continue
                    s = 0 if k < split else 1
                    for b in range(first[other], first[other + 1]):
                        u, v, apart = np.int64(boxes[X, b]), np.int64(boxes[Y, b]), a != b
                        is_left = (boxes[RIGHT, b] <= x) & (u <= boxes[LEFT, a]) & apart
                        is_right = (boxes[RIGHT, a] <= u) & (x <= boxes[LEFT, b]) & apart
                        is_above = (boxes[BOTTOM, b] <= y) & (v <= boxes[TOP, a]) & apart
                        is_below = (boxes[BOTTOM, a] <= v) & (y <= boxes[TOP, b]) & apart
                        sides[s, 0] = max(sides[s, 0], (x - u + 1) * is_left)
                        sides[s, 1] = max(sides[s, 1], (u - x + 1) * is_right)
                        sides[s, 2] = max(sides[s, 2], (y - v + 1) * is_above)
                        sides[s, 3] = max(sides[s, 3], (v - y + 1) * is_below)
                clearest = np.int64(0)
                for side in range(4):
                    clearest = max(clearest, min(sides[0, side], sides[1, side ^ 1]))
                number += clearest > 0
                top = max(top, clearest)
        places[m], counts[m], best[m] = i, number, top
        m += number > 0
    return int(m)
