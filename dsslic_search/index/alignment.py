"""Many pictures laid over others at once: what `features.likeness` does by numpy, compiled.

Sums over cells are kept column by column in float32 and joined in float64, so that they come out the same
whatever the width of the processor's registers; they differ from numpy's in the last places only.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.likeness import PLAIN, Alignments, Arithmetic, Cells, Look
from dsslic_search.index.compiling import Loop, compiled

COMPILED_FROM = 20_000
"""Pairs to compare, from which loading numba pays, and soon compiling too."""
REGISTER = 8  # cells; rows that are no multiple of it would be done in part one by one
MIDDLE = 128  # of luma: sums of what lies around 0 lose less


def arithmetic(pairs: int) -> Arithmetic:
    """That of numpy, or the compiled one where it pays for so many pairs."""
    return COMPILED if pairs >= COMPILED_FROM and compiled(_softening) is not _softening else PLAIN


def sizes(light: NDArray[np.uint8]) -> tuple[Cells, Cells]:
    """As `Arithmetic.sizes`."""
    count, side = light.shape[:2]
    fine = np.empty((count, side, side), np.float32)
    coarse = np.empty((count, side // 2, side // 2), np.float32)
    _run(_softening, np.ascontiguousarray(light), fine, coarse)
    return fine, coarse


def looked(still: Cells, moving: Cells, alignments: Alignments) -> Look:
    """As `features.likeness.looked`."""
    return _looked(still, moving, alignments, False)


def detailed(still: Cells, moving: Cells, alignments: Alignments) -> NDArray[np.float64]:
    """As `features.likeness.detailed`."""
    return _looked(still, moving, alignments, True)[0]


COMPILED = Arithmetic(sizes, looked, detailed)


def _looked(still: Cells, moving: Cells, alignments: Alignments, details: bool) -> Look:
    level, share, change = np.empty(len(still)), np.empty(len(still)), np.empty((len(still), 4))
    _run(_looking(still.shape[1], details), still, moving, alignments, level, share, change)
    return level, share, change


def _run(loop: Loop, *arrays: NDArray[Any]) -> None:
    compiled(loop)(*arrays)


def _softening(light: Any, fine: Any, coarse: Any) -> None:
    side = light.shape[1]
    rows, wide = np.empty((side, side), np.float32), np.empty(side + 2, np.float32)
    quarter = np.float32(0.25)
    for picture in range(light.shape[0]):
        for i in range(side):
            up, down = max(i - 1, 0), min(i + 1, side - 1)
            for j in range(side):
                around = np.float32(light[picture, up, j]) + np.float32(light[picture, down, j])
                here = np.float32(light[picture, i, j])
                wide[j + 1] = (around + (here + here)) * quarter
            wide[0], wide[side + 1] = wide[1], wide[side]
            for j in range(side):
                rows[i, j] = (wide[j] + wide[j + 2] + (wide[j + 1] + wide[j + 1])) * quarter
                fine[picture, i, j] = rows[i, j]
        for i in range(side // 2):
            for j in range(side // 2):
                upper = rows[2 * i, 2 * j] + rows[2 * i, 2 * j + 1]
                coarse[picture, i, j] = (
                    upper + rows[2 * i + 1, 2 * j] + rows[2 * i + 1, 2 * j + 1]
                ) * quarter


@cache
def _looking(side: int, details: bool) -> Loop:
    """The loop for cells [n, side, side], or for their ``details`` alone; to know these when it is compiled
    makes it several times as fast."""
    lanes = -(-side // REGISTER) * REGISTER
    middle, half, ninth = np.float32(MIDDLE), np.float32(side / 2), np.float32(1 / 9)
    # sums over products, column by column: s and m are the cells that lie still and that are moved, x and y
    # the slopes of m across and down; doubled letters of y are times the row's place
    S, M, SS, SM, MM, X, Y, YY, XX, XY, XYY, Y_Y, Y_YY, YY_YY, SX, SY, SYY, MX, MY, MYY = range(20)

    def look(still: Any, moving: Any, alignments: Any, level: Any, share: Any, change: Any) -> None:
        fixed = np.zeros((side + 2, lanes + 2), np.float32)  # both with a border
        moved = np.zeros((side + 2, lanes + 2), np.float32)
        loose, row = np.zeros((side, lanes), np.float32), np.zeros(lanes, np.float32)
        places, parts = np.zeros(lanes, np.int32), np.zeros(lanes, np.float32)
        sums, total = np.zeros((20, lanes), np.float32), np.zeros(20)
        own, seen = np.zeros((4, 4)), np.zeros((2, 4))  # of the columns of the Jacobian; with s and m
        for pair in range(still.shape[0]):
            for i in range(side):
                for j in range(side):
                    fixed[i + 1, j + 1] = still[pair, i, j] - middle
                    loose[i, j] = moving[pair, i, j] - middle

            # what is seen at the alignment, in the rows from top to bottom, the columns from left to right
            left, right, top, bottom = side, 0, side, 0
            for j in range(side):
                at = (alignments[pair, 0] * ((j + 0.5) / side - 0.5) + alignments[pair, 1] + 0.5) * side - 0.5
                if -0.5 - 1e-9 <= at <= side - 0.5 + 1e-9:
                    left, right = min(left, j), max(right, j + 1)
                at = min(max(at, 0.0), side - 1.0)
                places[j] = min(int(at), side - 2)
                parts[j] = np.float32(at - places[j])
            for i in range(side):
                at = (alignments[pair, 2] * ((i + 0.5) / side - 0.5) + alignments[pair, 3] + 0.5) * side - 0.5
                if -0.5 - 1e-9 <= at <= side - 0.5 + 1e-9:
                    top, bottom = min(top, i), max(bottom, i + 1)
                at = min(max(at, 0.0), side - 1.0)
                upper = min(int(at), side - 2)
                low = np.float32(at - upper)
                for j in range(lanes):
                    row[j] = loose[upper, j] + low * (loose[upper + 1, j] - loose[upper, j])
                for j in range(lanes):
                    value = row[places[j]]
                    moved[i + 1, j + 1] = value + parts[j] * (row[places[j] + 1] - value)
            for k in range(20):
                for j in range(lanes):
                    sums[k, j] = 0
            if details:
                # less what surrounds each cell; cells at the edge go on
                for i in range(1, side + 1):
                    fixed[i, 0], fixed[i, side + 1] = fixed[i, 1], fixed[i, side]
                    moved[i, 0], moved[i, side + 1] = moved[i, 1], moved[i, side]
                for j in range(side + 2):
                    fixed[0, j], fixed[side + 1, j] = fixed[1, j], fixed[side, j]
                    moved[0, j], moved[side + 1, j] = moved[1, j], moved[side, j]
                for i in range(top, bottom):
                    for j in range(lanes):
                        around = fixed[i, j] + fixed[i, j + 1] + fixed[i, j + 2]
                        around += fixed[i + 1, j] + fixed[i + 1, j + 1] + fixed[i + 1, j + 2]
                        around += fixed[i + 2, j] + fixed[i + 2, j + 1] + fixed[i + 2, j + 2]
                        row[j] = fixed[i + 1, j + 1] - around * ninth
                    for j in range(lanes):
                        around = moved[i, j] + moved[i, j + 1] + moved[i, j + 2]
                        around += moved[i + 1, j] + moved[i + 1, j + 1] + moved[i + 1, j + 2]
                        around += moved[i + 2, j] + moved[i + 2, j + 1] + moved[i + 2, j + 2]
                        s, m = row[j], moved[i + 1, j + 1] - around * ninth
                        sums[S, j] += s
                        sums[M, j] += m
                        sums[SS, j] += s * s
                        sums[SM, j] += s * m
                        sums[MM, j] += m * m
                for k in range(5):
                    total[k] = 0
                    for j in range(left, right):
                        total[k] += sums[k, j]
                count = max(max(right - left, 0) * max(bottom - top, 0), 1)
                still_still = max(total[SS] - total[S] * total[S] / count, 0.0)
                moved_moved = max(total[MM] - total[M] * total[M] / count, 0.0)
                still_moved = total[SM] - total[S] * total[M] / count
                level[pair] = still_moved / np.sqrt(still_still * moved_moved + 1e-6)
                continue

            # a border by which slopes at the edge are those to the next cell
            for i in range(1, side + 1):
                moved[i, 0] = moved[i, 1] + (moved[i, 1] - moved[i, 2])
                moved[i, side + 1] = moved[i, side] + (moved[i, side] - moved[i, side - 1])
            for j in range(1, lanes + 1):
                moved[0, j] = moved[1, j] + (moved[1, j] - moved[2, j])
                moved[side + 1, j] = moved[side, j] + (moved[side, j] - moved[side - 1, j])
            wider, higher = half / np.float32(alignments[pair, 0]), half / np.float32(alignments[pair, 2])
            for i in range(top, bottom):
                place = np.float32((i + 0.5) / side - 0.5)
                for j in range(lanes):
                    s, m = fixed[i + 1, j + 1], moved[i + 1, j + 1]
                    sums[S, j] += s
                    sums[M, j] += m
                    sums[SS, j] += s * s
                    sums[SM, j] += s * m
                    sums[MM, j] += m * m
                for j in range(lanes):
                    s, m = fixed[i + 1, j + 1], moved[i + 1, j + 1]
                    x = (moved[i + 1, j + 2] - moved[i + 1, j]) * wider
                    y = (moved[i + 2, j + 1] - moved[i, j + 1]) * higher
                    yy = y * place
                    sums[X, j] += x
                    sums[Y, j] += y
                    sums[YY, j] += yy
                    sums[XX, j] += x * x
                    sums[XY, j] += x * y
                    sums[XYY, j] += x * yy
                    sums[Y_Y, j] += y * y
                    sums[Y_YY, j] += y * yy
                    sums[YY_YY, j] += yy * yy
                    sums[SX, j] += s * x
                    sums[SY, j] += s * y
                    sums[SYY, j] += s * yy
                    sums[MX, j] += m * x
                    sums[MY, j] += m * y
                    sums[MYY, j] += m * yy

            # columns of the Jacobian: x times the column's place, x, y times the row's, y
            for k in range(20):
                total[k] = 0
                for j in range(left, right):
                    total[k] += sums[k, j]
            x_far = xx_far = xx_farther = xyy_far = xy_far = sx_far = mx_far = 0.0
            for j in range(left, right):
                place_ = (j + 0.5) / side - 0.5
                x_far += sums[X, j] * place_
                xx_far += sums[XX, j] * place_
                xx_farther += sums[XX, j] * place_ * place_
                xyy_far += sums[XYY, j] * place_
                xy_far += sums[XY, j] * place_
                sx_far += sums[SX, j] * place_
                mx_far += sums[MX, j] * place_
            shown = max(right - left, 0) * max(bottom - top, 0)
            share[pair] = shown / (side * side)
            count = max(shown, 1)
            mean_s, mean_m = total[S] / count, total[M] / count
            still_still = max(total[SS] - total[S] * mean_s, 0.0)
            still_moved = total[SM] - total[S] * mean_m
            moved_moved = max(total[MM] - total[M] * mean_m, 0.0)
            level[pair] = still_moved / np.sqrt(still_still * moved_moved + 1e-6)
            column = (x_far, total[X], total[YY], total[Y])
            own[0, 0], own[1, 0], own[1, 1] = xx_farther, xx_far, total[XX]
            own[2, 0], own[2, 1], own[2, 2] = xyy_far, total[XYY], total[YY_YY]
            own[3, 0], own[3, 1], own[3, 2], own[3, 3] = xy_far, total[XY], total[Y_YY], total[Y_Y]
            seen[0, 0], seen[0, 1], seen[0, 2], seen[0, 3] = sx_far, total[SX], total[SYY], total[SY]
            seen[1, 0], seen[1, 1], seen[1, 2], seen[1, 3] = mx_far, total[MX], total[MYY], total[MY]
            trace = 0.0
            for k in range(4):
                seen[0, k] -= column[k] * mean_s
                seen[1, k] -= column[k] * mean_m
                for before in range(k + 1):
                    own[k, before] -= column[k] * column[before] / count
                trace += own[k, k]

            # Cholesky's factor in its own place; then one half of each solution: products of halves will do
            for k in range(4):
                own[k, k] += 1e-3 * trace / 4 + 1e-6
            for k in range(4):
                for before in range(k):
                    own[k, k] -= own[k, before] * own[k, before]
                own[k, k] = np.sqrt(max(own[k, k], 1e-12))
                for below in range(k + 1, 4):
                    for before in range(k):
                        own[below, k] -= own[below, before] * own[k, before]
                    own[below, k] /= own[k, k]
            for which in range(2):
                for k in range(4):
                    for before in range(k):
                        seen[which, k] -= own[k, before] * seen[which, before]
                    seen[which, k] /= own[k, k]
            rest_own, rest_common = moved_moved, still_moved
            for k in range(4):
                rest_own -= seen[1, k] * seen[1, k]
                rest_common -= seen[0, k] * seen[1, k]
            gain = rest_own / rest_common if rest_common > 1e-6 else 1.0
            for back in range(4):
                k = 3 - back
                value = gain * seen[0, k] - seen[1, k]
                for after in range(k + 1, 4):
                    value -= own[after, k] * change[pair, after]
                change[pair, k] = value / own[k, k]

    return look
