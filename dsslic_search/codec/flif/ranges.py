"""What samples can be: the limits of each plane, some of which depend on the planes before it.

Transforms narrow the limits down, and a decoder knows them. They are kept as plain values (`Ranges`) and put
into the cells for the loops.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dsslic_search.codec.flif.machine import (
    BUCKET,
    BUCKET_COLUMNS,
    BUCKET_ROWS,
    HAS_BUCKETS,
    HIGHS,
    IS_BOUNDED,
    LARGEST,
    LOWS,
    QUARTER,
    RANGE_KIND,
    SMALLEST,
    SOURCE_HIGHS,
    SOURCE_LOWS,
    Cells,
)

FIXED, YCOCG, DIFFERENCES = range(3)
CO_STEP = 4  # values of the second plane that share a bucket of the third


def co_limit(quarter: int, y: int) -> int:
    """The greatest Co at a Y, of samples 0..4 · quarter - 1; the least is its negative."""
    if y < quarter - 1:
        return 3 + 4 * y
    if y >= 3 * quarter:
        return 4 * (4 * quarter - 1 - y)
    return 4 * quarter - 1


def cg_least(quarter: int, y: int, co: int) -> int:
    """The least Cg at a Y and Co; more than any sample where there is no such pair."""
    if abs(co) > co_limit(quarter, y):
        return 8 * quarter
    odd = (1 + abs(co)) // 2 * 2
    if y < quarter - 1:
        return -(2 * y + 1)
    if y >= 3 * quarter:
        return odd - 2 * (4 * quarter - 1 - y)
    return -min(2 * y + 1, 2 * quarter + 2 * (3 * quarter - 1 - y) - odd)


def cg_greatest(quarter: int, y: int, co: int) -> int:
    """The greatest Cg at a Y and Co; less than any sample where there is no such pair."""
    if abs(co) > co_limit(quarter, y):
        return -8 * quarter
    even = abs(co) // 2 * 2
    if y < quarter - 1:
        return 1 + 2 * y - even
    if y >= 3 * quarter:
        return 2 * (4 * quarter - 1 - y)
    return min(2 * (4 * quarter - 1 - y), 1 + 2 * y - even)


def set_own_limits(cells: Cells, plane: int, first: int, second: int) -> None:
    """Put into SMALLEST and LARGEST what a sample of a plane can be by its kind, given those of the planes 0
    and 1; the former is the greater where none is possible."""
    kind = int(cells[RANGE_KIND])
    low, high = int(cells[LOWS + plane]), int(cells[HIGHS + plane])
    if 0 < plane < 3 and kind != FIXED:
        if kind == DIFFERENCES:
            low, high = int(cells[SOURCE_LOWS + plane]) - first, int(cells[SOURCE_HIGHS + plane]) - first
        elif plane == 1:
            high = co_limit(int(cells[QUARTER]), first)
            low = -high
        else:
            low = cg_least(int(cells[QUARTER]), first, second)
            high = cg_greatest(int(cells[QUARTER]), first, second)
    cells[SMALLEST], cells[LARGEST] = low, high


def close_in(cells: Cells, plane: int) -> None:
    """Bring SMALLEST and LARGEST within the plane's bounds; the bounds themselves where nothing is left."""
    if cells[IS_BOUNDED]:
        low = max(int(cells[SMALLEST]), int(cells[LOWS + plane]))
        high = min(int(cells[LARGEST]), int(cells[HIGHS + plane]))
        if low > high:
            low, high = int(cells[LOWS + plane]), int(cells[HIGHS + plane])
        cells[SMALLEST], cells[LARGEST] = low, high


def snap(buckets: Cells, cells: Cells, plane: int, first: int, second: int, guess: int) -> int:
    """The possible sample nearest to a guess; what is possible is in SMALLEST and LARGEST then."""
    if cells[HAS_BUCKETS]:
        return snap_to_bucket(buckets, cells, plane, first, second, guess)
    set_own_limits(cells, plane, first, second)
    cells[LARGEST] = max(int(cells[SMALLEST]), int(cells[LARGEST]))
    guess = min(max(guess, int(cells[SMALLEST])), int(cells[LARGEST]))
    close_in(cells, plane)
    return max(min(guess, int(cells[LARGEST])), int(cells[SMALLEST]))


def snap_to_bucket(buckets: Cells, cells: Cells, plane: int, first: int, second: int, guess: int) -> int:
    """The same where only some colours exist."""
    rows, columns = int(cells[BUCKET_ROWS]), int(cells[BUCKET_COLUMNS])
    row, column = first - int(cells[LOWS]), (second - int(cells[LOWS + 1])) // CO_STEP
    at = -1
    if plane == 0:
        at = 0
    elif plane == 3:
        at = 1
    elif 0 <= row < rows:
        if plane == 1:
            at = 2 + row
        elif 0 <= column < columns:
            at = 2 + rows + row * columns + column
    low, high, near = 1, 0, -1
    if at >= 0:
        low, high, near = (
            int(buckets[BUCKET * at]),
            int(buckets[BUCKET * at + 1]),
            int(buckets[BUCKET * at + 2]),
        )
    if low > high:
        cells[SMALLEST], cells[LARGEST] = cells[LOWS + plane], cells[HIGHS + plane]
        return int(cells[LOWS + plane])
    cells[SMALLEST], cells[LARGEST] = low, high
    if guess <= low:
        return low
    if guess >= high:
        return high
    return guess if near < 0 else int(buckets[near + guess - low])


@dataclass(frozen=True)
class Ranges:
    """What samples can be: of each plane, and how the planes 1 and 2 depend on those before them.

    ``sources``: limits of planes that are kept as differences from the first. ``is_bounded``: whether lows
    and highs hold beside what the kind says.
    """

    lows: tuple[int, ...]
    highs: tuple[int, ...]
    kind: int = FIXED
    quarter: int = 0
    sources: tuple[tuple[int, int], ...] = ()
    is_bounded: bool = False

    @property
    def count(self) -> int:
        """How many planes there are."""
        return len(self.lows)

    def is_constant(self, plane: int) -> bool:
        """Whether all samples of a plane are the same."""
        return self.lows[plane] >= self.highs[plane]

    def with_planes(self, limits: dict[int, tuple[int, int]]) -> Ranges:
        """Fixed limits for some planes, others as they are."""
        pairs = [limits.get(p, (self.lows[p], self.highs[p])) for p in range(self.count)]
        return Ranges(tuple(low for low, _ in pairs), tuple(high for _, high in pairs))

    def bounded(self, limits: list[tuple[int, int]]) -> Ranges:
        """The same within closer limits, one pair a plane."""
        lows, highs = tuple(low for low, _ in limits), tuple(high for _, high in limits)
        return replace(self, lows=lows, highs=highs, is_bounded=True)

    def fill(self, cells: Cells) -> None:
        """Put them into the cells, where the loops look."""
        for plane in range(self.count):
            cells[LOWS + plane], cells[HIGHS + plane] = self.lows[plane], self.highs[plane]
            if self.sources:
                cells[SOURCE_LOWS + plane], cells[SOURCE_HIGHS + plane] = self.sources[plane]
        cells[RANGE_KIND], cells[QUARTER] = self.kind, self.quarter
        cells[IS_BOUNDED], cells[HAS_BUCKETS] = int(self.is_bounded), 0

    def limits(self, cells: Cells, plane: int, first: int = 0, second: int = 0) -> tuple[int, int]:
        """What a sample of a plane can be, given those of the planes 0 and 1. The cells must hold these
        ranges."""
        set_own_limits(cells, plane, first, second)
        close_in(cells, plane)
        return int(cells[SMALLEST]), int(cells[LARGEST])
