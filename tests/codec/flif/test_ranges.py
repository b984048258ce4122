"""Limits of samples against all colours there are."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.codec.flif import machine, ranges
from dsslic_search.codec.flif.ranges import DIFFERENCES, YCOCG, Ranges
from dsslic_search.codec.flif.transforms import PermutePlanes, ToYCoCg


def every_colour(most: int) -> np.ndarray:
    """int32 [3, n, 1]: all triples of 0..most."""
    values = np.arange(most + 1, dtype=np.int32)
    return np.stack(np.meshgrid(values, values, values, indexing="ij")).reshape(3, -1, 1)


@pytest.mark.parametrize("quarter", [1, 2, 4])
def test_ycocg_limits_are_those_of_all_colours(quarter: int) -> None:
    most = 4 * quarter - 1
    y, co, cg = ToYCoCg((most, most, most)).apply(every_colour(most))[:, :, 0]
    for luma in range(most + 1):
        there = co[y == luma]
        assert ranges.co_limit(quarter, luma) == there.max() == -there.min()
        for orange in range(-most, most + 1):
            green = cg[(y == luma) & (co == orange)]
            limits = ranges.cg_least(quarter, luma, orange), ranges.cg_greatest(quarter, luma, orange)
            assert limits == ((green.min(), green.max()) if green.size else limits)
            assert green.size or limits[0] > limits[1]


def test_differences_have_the_limits_of_what_they_come_from() -> None:
    before = Ranges((0, 2, 0), (9, 7, 5))
    after = PermutePlanes((1, 0, 2), True, ((2, 7), (0, 9), (0, 5))).ranges(before)
    assert (after.kind, after.lows, after.highs) == (DIFFERENCES, (2, -7, -7), (7, 7, 3))
    cells = memoryview(np.zeros(machine.CELL_COUNT, np.int64))
    after.fill(cells)
    assert [after.limits(cells, p, 4) for p in range(3)] == [(2, 7), (-4, 5), (-4, 1)]
    closer = after.bounded([(3, 7), (-2, 7), (4, 4)])
    closer.fill(cells)
    assert [closer.limits(cells, p, 4) for p in range(3)] == [(3, 7), (-2, 5), (4, 4)]


def test_a_guess_is_brought_to_the_nearest_sample_within_what_is_possible() -> None:
    cells = memoryview(np.zeros(machine.CELL_COUNT, np.int64))
    whole = Ranges((0, -63, -63), (63, 63, 63), YCOCG, 16)
    for each in (whole, whole.bounded([(0, 63), (-20, 30), (-5, 50)])):
        each.fill(cells)
        for luma in range(0, 64, 7):
            for guess in range(-70, 71, 5):
                low, high = each.limits(cells, 1, luma)
                assert ranges.snap(None, cells, 1, luma, 0, guess) == min(max(guess, low), high)
                assert (cells[machine.SMALLEST], cells[machine.LARGEST]) == (low, high)


def test_where_no_sample_is_possible_one_is_taken_all_the_same() -> None:
    cells = memoryview(np.zeros(machine.CELL_COUNT, np.int64))
    whole = Ranges((0, -63, -63), (63, 63, 63), YCOCG, 16)
    whole.fill(cells)
    assert ranges.snap(None, cells, 2, 0, 60, 5) == 128  # darkest, most orange: there is none
    assert cells[machine.SMALLEST] == cells[machine.LARGEST] == 128
    whole.bounded([(0, 63), (-63, 63), (-7, 9)]).fill(cells)
    assert -7 <= ranges.snap(None, cells, 2, 0, 60, 5) <= 9
    assert (cells[machine.SMALLEST], cells[machine.LARGEST]) == (-7, 9)
