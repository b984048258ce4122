"""Pictures coded from coarse to fine, in zoom levels that each double the samples.

At level z the samples coded so far lie 2^⌈z/2⌉ rows and 2^⌊z/2⌋ columns apart. An even level adds the rows
between those known, an odd one the columns between. What was cut off a file's end is filled in from there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.flif.machine import (
    DECODING,
    ENDED,
    HEIGHT,
    HIGHS,
    INVISIBLE_PREDICTOR,
    LOWS,
    MODE,
    PLANE,
    PREDICTOR,
    PROPERTIES,
    SKIPS_INVISIBLE,
    WIDTH,
    ZOOM,
    Cells,
)
from dsslic_search.codec.flif.ranges import snap
from dsslic_search.codec.flif.scanlines import (
    WHOLE,
    add_other_planes,
    add_property,
    median,
    set_other_planes,
)
from dsslic_search.codec.flif.tree import code_sample

AVERAGE, GRADIENTS, NEIGHBOURS = range(3)  # how a sample is guessed
LAGS = (0, 2, 4, 0)  # levels that a plane may be behind the first
LAGS_OF_PALETTE = (0, 0, 1, 0)  # where all of the first plane is the same


def level_count(width: int, height: int) -> int:
    """The level at which one sample stands for the whole picture."""
    zoom = 0
    while 1 << (zoom + 1) // 2 < height or 1 << zoom // 2 < width:
        zoom += 1
    return zoom


def level_order(planes: int, first: int, last: int, *, is_palette: bool) -> Iterator[tuple[int, int]]:
    """(plane, level) in the order in which files hold them, from level ``first`` down to ``last``."""
    lags = LAGS_OF_PALETTE if is_palette else LAGS
    leading = 3 if planes > 3 else 0
    levels = [first + 1] * planes
    plane = leading
    for _ in range(planes * (first - last + 1)):
        levels[plane] -= 1
        yield plane, levels[plane]
        plane = leading
        for other in range(planes):
            if levels[other] > levels[leading] + lags[other]:
                plane = other
        if max(levels) > last:
            while levels[plane] <= last:
                plane = (plane + 1) % planes


def set_level_properties(cells: Cells) -> None:
    """What the properties of the plane's samples can be, when it is coded in levels."""
    plane = int(cells[PLANE])
    low, high = int(cells[LOWS + plane]), int(cells[HIGHS + plane])
    add_other_planes(cells)
    add_property(cells, 0, 2)  # which guess is the median
    if 0 < plane < 3:
        luma = int(cells[HIGHS]) - int(cells[LOWS])
        add_property(cells, -luma, luma)  # how far the first plane was from what is around it
    for _ in range(4):  # differences of neighbours
        add_property(cells, low - high, high - low)
    add_property(cells, low, high)  # the guess
    if plane != 2:
        for _ in range(2):
            add_property(cells, low - high, high - low)


def code_level(
    data: Cells, planes: Cells, nodes: Cells, chances: Cells, stats: Cells, buckets: Cells, cells: Cells
) -> int:
    """Code what a level adds to a plane; returns the row before which a decoder was out of data, or WHOLE."""
    zoom, stride = int(cells[ZOOM]), int(cells[WIDTH])
    down, right = stride << (zoom + 1) // 2, 1 << zoom // 2
    rows = 1 + ((int(cells[HEIGHT]) - 1) >> (zoom + 1) // 2)
    columns = 1 + ((stride - 1) >> zoom // 2)
    across = zoom % 2  # whether columns are added
    for row in range(1 - across, rows, 2 - across):
        if cells[MODE] == DECODING and cells[ENDED]:
            return row
        for column in range(across, columns, 1 + across):
            at = row * down + column * right
            if across:
                code_between(
                    data, planes, nodes, chances, stats, buckets, cells,
                    at, right, down, column, row, columns, rows,
                )  # fmt: skip
            else:
                code_between(
                    data, planes, nodes, chances, stats, buckets, cells,
                    at, down, right, row, column, rows, columns,
                )  # fmt: skip
    return WHOLE


def code_between(
    data: Cells, planes: Cells, nodes: Cells, chances: Cells, stats: Cells, buckets: Cells, cells: Cells,
    at: int, ahead: int, aside: int, line: int, place: int, lines: int, places: int,
) -> None:  # fmt: skip
    """Code the sample at ``at`` of its plane, on a line between two that are known.

    ``ahead`` leads from a line to the next, ``aside`` from one sample of a line to the next; it is sample
    ``place`` of ``places`` on line ``line`` of ``lines``. Known are the lines on both sides, as far as there
    is a second, and on its own line the samples before.
    """
    plane, size = int(cells[PLANE]), int(cells[WIDTH]) * int(cells[HEIGHT])
    here = plane * size + at
    has_next, has_before, has_after = line + 1 < lines, place > 0, place + 1 < places
    before_line = int(planes[here - ahead])
    before, corner = before_line, before_line  # on its own line, and on the line before
    if has_before:
        before, corner = int(planes[here - aside]), int(planes[here - aside - ahead])
    next_corner = int(planes[here + ahead - aside]) if has_next and has_before else before
    if plane < 3 and cells[SKIPS_INVISIBLE] and planes[3 * size + at] == 0:
        next_line = int(planes[here + ahead]) if has_next else before_line
        planes[here] = guess_by(
            int(cells[INVISIBLE_PREDICTOR]), before_line, next_line, before, corner, next_corner
        )
        return
    after_corner = int(planes[here - ahead + aside]) if has_after else before_line
    next_line = int(planes[here + ahead]) if has_next else before
    next_after = int(planes[here + ahead + aside]) if has_next and has_after else next_line
    average = (before_line + next_line) >> 1
    gradient = before + before_line - corner
    middle_one = median(average, gradient, before + next_line - next_corner)
    prop = PROPERTIES + set_other_planes(planes, cells, at)
    cells[prop] = 0 if middle_one == average else 1 if middle_one == gradient else 2
    prop += 1
    first, second = 0, 0
    if plane > 0:
        first = int(planes[at])
    if plane > 1:
        second = int(planes[size + at])
    if 0 < plane < 3:
        on_next = int(planes[at + ahead]) if has_next else int(planes[at - ahead])
        cells[prop] = first - ((int(planes[at - ahead]) + on_next) >> 1)
        prop += 1
    guess = average
    if cells[PREDICTOR] == GRADIENTS:
        guess = middle_one
    elif cells[PREDICTOR] == NEIGHBOURS:
        guess = median(before_line, next_line, before)
    guess = snap(buckets, cells, plane, first, second, guess)
    cells[prop] = before_line - next_line
    cells[prop + 1] = before_line - ((corner + after_corner) >> 1)
    cells[prop + 2] = before - ((next_corner + corner) >> 1)
    cells[prop + 3] = next_line - ((next_corner + next_after) >> 1)
    cells[prop + 4] = guess
    if plane != 2:
        two_lines = planes[here - 2 * ahead] - before_line if line > 1 else 0
        two_places = planes[here - 2 * aside] - before if place > 1 else 0
        if cells[ZOOM] % 2:
            two_lines, two_places = two_places, two_lines
        cells[prop + 5], cells[prop + 6] = two_lines, two_places
    planes[here] = code_sample(data, nodes, chances, stats, cells, guess, int(planes[here]))


def guess_by(
    predictor: int, before_line: int, next_line: int, before: int, corner: int, next_corner: int
) -> int:
    """What an invisible sample is taken for."""
    if predictor == NEIGHBOURS:
        return median(before_line, next_line, before)
    average = (before_line + next_line) >> 1
    if predictor == AVERAGE:
        return average
    return median(average, before + before_line - corner, before + next_line - next_corner)


def fill_level(plane: NDArray[np.int32], level: int, row: int | None = None, *, copies: bool = False) -> None:
    """Fill in what a level would add to a plane, int32 [h, w], or of it the rows from ``row`` on: the means
    of the samples on both sides, or copies of those before."""
    view = plane[:: 1 << (level + 1) // 2, :: 1 << level // 2]
    if level % 2:
        view = view[row or 0 :].T
        row = 1
    known = view[(row or 1) - 1 :: 2]
    filled = view[row or 1 :: 2]
    before, after = known[: len(filled)], known[1 : len(filled) + 1]
    filled[:] = before
    if not copies:
        filled[: len(after)] = (before[: len(after)] + after) >> 1


def best_predictor(plane: NDArray[np.int32]) -> int:
    """The predictor that comes nearest to a plane's samples, int32 [h, w], at the two finest levels; the
    average where these differ."""
    if min(plane.shape) < 3:
        return AVERAGE
    best = {_nearest_predictor(plane), _nearest_predictor(plane[::2].T)}
    return best.pop() if len(best) == 1 else AVERAGE


def _nearest_predictor(plane: NDArray[np.int32]) -> int:
    """The same for the rows between the even ones."""
    above, wanted = plane[:-2:2], plane[1:-1:2]
    below = plane[2::2]
    average = (above + below)[:, 1:] >> 1
    before = wanted[:, :-1]
    gradients = before + above[:, 1:] - above[:, :-1], before + below[:, 1:] - below[:, :-1]
    guesses = average, _median(average, *gradients), _median(above[:, 1:], below[:, 1:], before)
    costs = []
    for guess in guesses:
        off = np.abs(wanted[:, 1:] - guess)
        costs.append(int(np.where(off, 1 + np.log2(np.maximum(off, 1)).astype(np.int64), 0).sum()))
    return costs.index(min(costs))


def _median(a: NDArray[np.int32], b: NDArray[np.int32], c: NDArray[np.int32]) -> NDArray[np.int32]:
    middle: NDArray[np.int32] = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    return middle
