"""The loops of `index.regions.build`, in the part of Python that numba compiles."""

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


def arrange(
    firsts: Numbers, first_row: int, wide: Numbers, small: Numbers, touched: Numbers, contacts: Numbers,
    units: int, grids: Numbers, divisions: Numbers, half: int, steps: int, starts: Numbers,
    contact_starts: Numbers, rows: Numbers, left: Numbers, areas: Numbers, edges: Numbers, centres: Numbers,
    stretches: Numbers, sides: Numbers, found: Numbers,
) -> None:  # fmt: skip
    """Regions sorted by class, those of a class as they were, as they are kept.

    ``firsts``: the first region of each photo, and the number of all; ``first_row``: of the photos; ``wide``
    and ``small``: as `features.packed_loops.read` gives them; ``touched`` and ``contacts``: as `of_half`
    does; ``grids``: as `features.packed_scene.grids`; ``divisions``: the places of the stretches of each
    division among LINES, -1 after the last; ``half`` and ``steps``: as `stretches.codes` has them.

    ``starts`` and ``contact_starts``, zeros, to ``found``: what `build._Part` has under these names, ``left``
    as its touched and ``found`` as its contacts."""
    photos, regions = firsts.size - 1, small.shape[1]
    for i in range(regions):
        starts[small[0, i] + 1] += 1
        contact_starts[small[0, i] + 1] += touched[i]
    for c in range(starts.size - 1):
        starts[c + 1] += starts[c]
        contact_starts[c + 1] += contact_starts[c]
    place, contact_place = starts.copy(), contact_starts.copy()
    fits = np.empty(grids.shape[1], np.uint64)
    contact = np.int64(0)
    for photo in range(photos):
        for axis in range(2):
            fits[:] = ~np.uint64(0)
            for i in range(firsts[photo], firsts[photo + 1]):
                for word in range(fits.size):
                    fits[word] &= grids[wide[1 + axis, i], word] & grids[wide[3 + axis, i], word]
            side = np.int64(units)
            for word in range(fits.size):
                if fits[word] != 0:
                    side = np.int64(64 * word + 1)
                    bits = fits[word]
                    while bits & np.uint64(1) == 0:
                        bits >>= np.uint64(1)
                        side += 1
                    break
            sides[axis, photo] = side
        for i in range(firsts[photo], firsts[photo + 1]):
            kind = small[0, i]
            to = place[kind]
            place[kind] += 1
            rows[to] = first_row + photo
            left[to] = touched[i]
            areas[to] = wide[0, i]
            for axis in range(2):
                low, high, side = (
                    np.int64(wide[1 + axis, i]),
                    np.int64(wide[3 + axis, i]),
                    np.int64(sides[axis, photo]),
                )
                edges[axis, to] = (low * side + units - 1) // units
                edges[2 + axis, to] = side - (high * side + units - 1) // units
                centres[axis, to] = np.int64(wide[5 + axis, i]) - ((low + high) >> 1)
                for division in range(divisions.shape[0]):
                    code, several, pair = np.int64(0), np.int64(0), np.int64(0)
                    for k in range(divisions.shape[1]):
                        if divisions[division, k] < 0:
                            break
                        several += 1
                        share = np.int64(small[1 + 6 * axis + divisions[division, k], i])
                        if share >= half:
                            code = 1 + k * steps + share - half
                    for one in range(several):
                        for other in range(one + 1, several):
                            if (
                                small[1 + 6 * axis + divisions[division, one], i] == half
                                and small[1 + 6 * axis + divisions[division, other], i] == half
                            ):
                                code = 1 + several * steps + pair
                            pair += 1
                    stretches[divisions.shape[0] * axis + division, to] = code
            begin = contact_place[kind]
            contact_place[kind] += touched[i]
            for k in range(touched[i]):
                for field in range(3):
                    found[field, begin + k] = contacts[field, contact + k]
            contact += touched[i]


def by_thing(
    things: Numbers, under: Numbers, border: Numbers, touched: Numbers, place: Numbers,
    toucher: Numbers, found_under: Numbers, found_border: Numbers,
) -> None:  # fmt: skip
    """Contacts of the regions of a class, of which each has ``touched``, put in order by the thing that is
    touched, then as they were. ``place``: where those of each thing begin; it is written over."""
    contact = 0
    for region in range(touched.size):
        for _ in range(touched[region]):
            to = place[things[contact]]
            place[things[contact]] += 1
            toucher[to], found_under[to], found_border[to] = region, under[contact], border[contact]
            contact += 1
