"""Pictures coded row by row: what a sample is guessed to be, and what its leaf is chosen by."""

from __future__ import annotations

from dsslic_search.codec.flif.machine import (
    DECODING,
    ENDED,
    HEIGHT,
    HIGHS,
    LOWS,
    MODE,
    PLANE,
    PLANE_COUNT,
    PROPERTIES,
    PROPERTY_COUNT,
    PROPERTY_HIGHS,
    PROPERTY_LOWS,
    SKIPS_INVISIBLE,
    WIDTH,
    Cells,
)
from dsslic_search.codec.flif.ranges import snap
from dsslic_search.codec.flif.tree import code_sample

WHOLE = -1  # what a walk returns that was not stopped


def median(a: int, b: int, c: int) -> int:
    return max(min(a, b), min(max(a, b), c))


def middle(cells: Cells, plane: int) -> int:
    """Half way between a plane's least and greatest, rounded towards 0."""
    total = int(cells[LOWS + plane]) + int(cells[HIGHS + plane])
    return total // 2 if total >= 0 else -(-total // 2)


def add_property(cells: Cells, low: int, high: int) -> None:
    """One more property, of low..high."""
    count = int(cells[PROPERTY_COUNT])
    cells[PROPERTY_LOWS + count], cells[PROPERTY_HIGHS + count] = low, high
    cells[PROPERTY_COUNT] = count + 1


def add_other_planes(cells: Cells) -> None:
    """The properties that samples of the planes before are."""
    plane = int(cells[PLANE])
    cells[PROPERTY_COUNT] = 0
    if plane < 3:
        for before in range(plane):
            add_property(cells, int(cells[LOWS + before]), int(cells[HIGHS + before]))
        if cells[PLANE_COUNT] > 3:
            add_property(cells, int(cells[LOWS + 3]), int(cells[HIGHS + 3]))


def set_other_planes(planes: Cells, cells: Cells, at: int) -> int:
    """Fill these in for the sample at a place in its plane; returns how many there are."""
    plane, size = int(cells[PLANE]), int(cells[WIDTH]) * int(cells[HEIGHT])
    count = 0
    if plane < 3:
        for before in range(plane):
            cells[PROPERTIES + count] = planes[before * size + at]
            count += 1
        if cells[PLANE_COUNT] > 3:
            cells[PROPERTIES + count] = planes[3 * size + at]
            count += 1
    return count


def set_row_properties(cells: Cells) -> None:
    """What the properties of the plane's samples can be, when it is coded row by row."""
    low, high = int(cells[LOWS + cells[PLANE]]), int(cells[HIGHS + cells[PLANE]])
    add_other_planes(cells)
    add_property(cells, low, high)  # the guess
    add_property(cells, 0, 2)  # how it was made
    for _ in range(5):  # differences of neighbours
        add_property(cells, low - high, high - low)


def code_rows(
    data: Cells, planes: Cells, nodes: Cells, chances: Cells, stats: Cells, buckets: Cells, cells: Cells
) -> int:
    """Code a plane; returns the row before which a decoder was out of data, or WHOLE."""
    width, height, plane = int(cells[WIDTH]), int(cells[HEIGHT]), int(cells[PLANE])
    size = width * height
    start = plane * size
    for y in range(height):
        if cells[MODE] == DECODING and cells[ENDED]:
            return y
        for x in range(width):
            at = y * width + x
            here = start + at
            left = int(planes[here - 1]) if x else 0
            above = int(planes[here - width]) if y else left
            corner = above
            if x == 0:
                left = above
            elif y:
                corner = int(planes[here - width - 1])
            if x == 0 and y == 0:
                left = above = corner = int(cells[LOWS + plane])
            if plane < 3 and cells[SKIPS_INVISIBLE] and planes[3 * size + at] == 0:
                planes[here] = median(left + above - corner, left, above) if at else middle(cells, plane)
                continue
            count = set_other_planes(planes, cells, at)
            gradient = left + above - corner
            guess = median(gradient, left, above)
            first, second = 0, 0
            if plane > 0:
                first = int(planes[at])
            if plane > 1:
                second = int(planes[size + at])
            guess = snap(buckets, cells, plane, first, second, guess)
            way = 2 if guess == above else 0
            if guess == left:
                way = 1
            if guess == gradient:
                way = 0
            prop = PROPERTIES + count
            cells[prop], cells[prop + 1] = guess, way
            inside = x > 0 and y > 0
            cells[prop + 2] = left - corner if inside else 0
            cells[prop + 3] = corner - above if inside else 0
            cells[prop + 4] = above - planes[here - width + 1] if y and x + 1 < width else 0
            cells[prop + 5] = planes[here - 2 * width] - above if y > 1 else 0
            cells[prop + 6] = planes[here - 2] - left if x > 1 else 0
            planes[here] = code_sample(data, nodes, chances, stats, cells, guess, int(planes[here]))
    return WHOLE
