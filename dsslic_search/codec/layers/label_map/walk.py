"""The walk of the label-map coder over a map: quiet stretches at once, everything else pixel by pixel.

A pixel is quiet when every label around it that is already known is the same. Most pixels are, so a stretch
of them costs one flag, "nothing new begins here", and the time of copying it.
"""

from __future__ import annotations

from dsslic_search.codec.layers.label_map.machine import (
    CANDIDATES,
    DECODING,
    END,
    FLAG_DISTANCE,
    FLAG_SEGMENT,
    MARGIN_LEFT,
    MARGIN_RIGHT,
    MARGIN_TOP,
    MAX_CANDIDATES,
    NEXT,
    SEEN_WEIGHT,
    TRACE,
    Cells,
    code_bit,
    code_flag,
    code_in_tree,
    code_named,
    weigh,
)
from dsslic_search.codec.layers.label_map.model import (
    bucket,
    code_choice,
    neighbour_pattern,
    set_contexts,
    trace_boundary,
)

# labels ahead that must be unchanged in the row above, and in the one above that
QUIET_ABOVE, QUIET_ABOVE_TWO = 10, 4
NO_CHANGE_AHEAD = 64  # added to the width: the next change of a row that has none
NO_CHANGE_BEHIND = -8  # the last change of a row that had none
DONE, OUT_OF_DATA, IMPOSSIBLE = range(3)
READ_AHEAD_BYTES = 4  # bytes that a decoder has read past the last one written when all is decoded


def code_quiet(plane: Cells, data: Cells, cells: Cells, row: int, x: int, end: int, width: int) -> int:
    """Code a stretch of quiet pixels, columns x to end; returns where in it something new begins, or its
    end."""
    west, length = int(plane[row + x - 1]), end - x
    at = end
    if not cells[DECODING]:
        at = x
        while at < end and plane[row + at] == west:
            at += 1
    size = 0
    while (length >> size) > 1:
        size += 1
    edge = 1 if end == width else 0
    if code_flag(data, cells, 1 if at < end else 0, FLAG_SEGMENT + 2 * size + edge):
        distance, digits = end - at, 0
        while (2 << digits) <= length and code_flag(
            data, cells, 1 if (distance >> digits) > 1 else 0, FLAG_DISTANCE + 32 * edge + digits
        ):
            digits += 1
        value = 1
        for digit in range(digits - 1, -1, -1):
            value = 2 * value + code_bit(data, cells, (distance >> digit) & 1, 32768)
        at = end - min(value, length)
    else:
        at = end
    if cells[DECODING]:
        for i in range(row + x, row + at):
            plane[i] = west
    return at


def gather_candidates(plane: Cells, cells: Cells, at: int, stride: int, ahead: int) -> int:
    """Fill CANDIDATES with the distinct labels near by, likeliest first; returns how many."""
    up, count = at - stride, 1
    cells[CANDIDATES] = plane[at - 1]
    for cell in (up, up + 1, up - 1, up - stride, ahead, at - 2):
        label, known = int(plane[cell]), False
        for k in range(count):
            known = known or cells[CANDIDATES + k] == label
        if not known and count < MAX_CANDIDATES:
            cells[CANDIDATES + count] = label
            count += 1
    return count


def code_pixel(
    plane: Cells,
    data: Cells,
    slots: Cells,
    cells: Cells,
    at: int,
    stride: int,
    count: int,
    set_a: int,
    set_b: int,
) -> int:
    """Code the label at a cell of the plane: one of the candidates, or by name. -1 when no label is left for
    it."""
    label = int(plane[at])
    for k in range(count):
        candidate = int(cells[CANDIDATES + k])
        if code_choice(
            data,
            slots,
            cells,
            1 if candidate == label else 0,
            k,
            min(k, 3) * 16 + set_a,
            min(k, 3) * 16 + set_b,
        ):
            return candidate
    return code_named(data, cells, label, count)


def next_change(plane: Cells, row: int, x: int, width: int) -> int:
    """The first column after ``x`` whose label differs from the one before it."""
    x += 1
    while x < width and plane[row + x] == plane[row + x - 1]:
        x += 1
    return x if x < width else width + NO_CHANGE_AHEAD


def code_row(plane: Cells, data: Cells, slots: Cells, cells: Cells, y: int, width: int, stride: int) -> int:
    """Code row y, the rows above being in the plane; returns DONE, OUT_OF_DATA or IMPOSSIBLE."""
    row = (y + MARGIN_TOP) * stride + MARGIN_LEFT
    above, above_two = row - stride, row - 2 * stride
    last = last_above = last_two = NO_CHANGE_BEHIND
    next_above = next_two = 0
    cells[TRACE] = 0
    x = 0
    while x < width:
        while next_above <= x:
            last_above, next_above = next_above, next_change(plane, above, next_above, width)
        while next_two <= x:
            last_two, next_two = next_two, next_change(plane, above_two, next_two, width)
        since_above = last_above if last_above > 0 else NO_CHANGE_BEHIND
        since_two = last_two if last_two > 0 else NO_CHANGE_BEHIND
        at = row + x
        west, north = int(plane[at - 1]), int(plane[at - stride])
        if (
            x - last >= 2
            and since_above <= x - 2
            and since_two <= x - 1
            and next_above > x + QUIET_ABOVE
            and next_two > x + QUIET_ABOVE_TWO
            and north == west
            and plane[at - 2 * stride] == west
        ):
            end = min(next_above - QUIET_ABOVE, next_two - QUIET_ABOVE_TWO, width)
            x = code_quiet(plane, data, cells, row, x, end, width)
            if x == end:
                continue
            cells[CANDIDATES] = west
            label = code_named(data, cells, int(plane[row + x]), 1)
        else:
            ahead = above + next_above if next_above < width else above + x + 1
            count = gather_candidates(plane, cells, at, stride, ahead)
            boundary = last_above if west != north else next_above
            if not 0 < boundary < width:
                boundary = 0
            if boundary != cells[TRACE] or boundary == 0:
                trace_boundary(plane, cells, row, y, stride, width, boundary)
            run = bucket(x - last)
            distances = (
                run
                | (bucket(next_above - x) << 5)
                | (bucket(x - since_above) << 10)
                | (bucket(next_two - x) << 15)
            )
            pattern = neighbour_pattern(plane, cells, at, stride, count)
            set_contexts(cells, pattern, x, distances, int(plane[ahead]), count)
            northwest, northeast = int(plane[above + x - 1]), int(plane[above + x + 1])
            set_a = (west != north) | ((northwest != north) << 1) | ((northeast != north) << 2)
            set_a |= (int(plane[above_two + x]) != north) << 3
            ahead_of = x - boundary if boundary > 0 else 20
            set_b = min(int(cells[TRACE + 4]), 3) | (min(max(ahead_of + 2, 0), 3) << 2)
            label = code_pixel(plane, data, slots, cells, at, stride, count, set_a, set_b)
        if label < 0:
            return IMPOSSIBLE
        if cells[NEXT] > cells[END] + READ_AHEAD_BYTES:
            return OUT_OF_DATA
        plane[row + x] = label
        if label != west:
            last = x
        x += 1
    return DONE


def scan(plane: Cells, data: Cells, slots: Cells, cells: Cells, height: int, width: int) -> int:
    """Code the whole plane; returns DONE, OUT_OF_DATA (past cells[END]: too little data, or no room left
    for it) or IMPOSSIBLE."""
    stride = MARGIN_LEFT + width + MARGIN_RIGHT
    first = code_in_tree(data, cells, int(plane[MARGIN_TOP * stride + MARGIN_LEFT]))
    weigh(cells, first, SEEN_WEIGHT)
    for i in range(MARGIN_TOP * stride):
        plane[i] = first
    for y in range(height):
        row = (y + MARGIN_TOP) * stride + MARGIN_LEFT
        for i in range(1, MARGIN_LEFT + 1):
            plane[row - i] = plane[row - stride]
        outcome = code_row(plane, data, slots, cells, y, width, stride)
        if outcome == DONE and cells[NEXT] > cells[END] + READ_AHEAD_BYTES:
            outcome = OUT_OF_DATA
        if outcome != DONE:
            return outcome
        for i in range(1, MARGIN_LEFT + 1):
            plane[row - i] = plane[row]
        for i in range(width, width + MARGIN_RIGHT):
            plane[row + i] = plane[row + width - 1]
    return DONE
