"""The loop of `index.regions.build`, in the part of Python that numba compiles."""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = Any  # what is indexed: a numpy array


def of_half(
    contacts: Numbers, touched: Numbers, classes: int, groups_of: Numbers, groups: int, half: int, whole: int,
    found: Numbers, left: Numbers,
) -> int:  # fmt: skip
    """The contacts that are kept of those that are stored, [3, n]: thing, under, border, of which each region
    has ``touched``, into ``found``; how many of each region into ``left``, and of all.

    ``groups_of``: the groups of each class, -1 after the last; their own contacts have numbers from
    ``classes`` on. ``half`` and ``whole``: shares."""
    exact, told = np.zeros((groups, 2), np.int64), np.zeros((groups, 2), np.int64)
    own, given = np.zeros((groups, 2), np.int64), np.zeros(groups, np.int64)
    at = count = 0
    for region in range(touched.size):
        before = count
        exact[:] = 0
        told[:] = 0
        given[:] = 0
        for i in range(at, at + touched[region]):
            thing, under, border = (
                np.int64(contacts[0, i]),
                np.int64(contacts[1, i]),
                np.int64(contacts[2, i]),
            )
            if thing >= classes:
                given[thing - classes] = 1
                own[thing - classes, 0], own[thing - classes, 1] = under, border
                continue
            foot, outline = under * (under >= half), border * (border >= half)
            if foot > 0 or outline > 0:
                found[0, count], found[1, count], found[2, count] = thing, foot, outline
                count += 1
            for k in range(groups_of.shape[1]):
                group = groups_of[thing, k]
                if group < 0:
                    break
                exact[group, 0] += under
                exact[group, 1] += border
                told[group, 0] += foot
                told[group, 1] += outline
        at += touched[region]
        for group in range(groups):
            under = own[group, 0] if given[group] else min(exact[group, 0], np.int64(whole))
            border = own[group, 1] if given[group] else min(exact[group, 1], np.int64(whole))
            under, border = under * (under >= half), border * (border >= half)
            if under != min(told[group, 0], np.int64(whole)) or border != min(
                told[group, 1], np.int64(whole)
            ):
                found[0, count], found[1, count], found[2, count] = classes + group, under, border
                count += 1
        left[region] = count - before
    return count
