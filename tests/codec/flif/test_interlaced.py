from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.codec.flif.interlaced import best_predictor, fill_level, level_count, level_order

SIZES = [(1, 1), (1, 9), (9, 1), (2, 2), (5, 7), (16, 33), (40, 17)]


def added(height: int, width: int, level: int) -> list[tuple[int, int]]:
    """Row and column of each sample that a level adds, as the format says."""
    down, right = 1 << (level + 1) // 2, 1 << level // 2
    rows, columns = range(0, height, down), range(0, width, right)
    if level % 2:
        return [(row, column) for row in rows for column in columns[1::2]]
    return [(row, column) for row in rows[1::2] for column in columns]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_levels_hold_every_sample_once(height: int, width: int) -> None:
    first = level_count(width, height)
    samples = [(0, 0)] + [each for level in range(first, -1, -1) for each in added(height, width, level)]
    assert len(samples) == len(set(samples)) == height * width


@pytest.mark.parametrize("planes", [1, 3, 4])
@pytest.mark.parametrize(("first", "last"), [(11, 4), (3, 0), (0, 0)])
def test_each_plane_has_all_levels_in_turn_and_none_lags_too_far(planes: int, first: int, last: int) -> None:
    order = list(level_order(planes, first, last, is_palette=False))
    for plane in range(planes):
        assert [level for p, level in order if p == plane] == list(range(first, last - 1, -1))
    reached = planes * [first + 1]
    leading = 3 if planes == 4 else 0
    for plane, level in order:
        reached[plane] = level
        for other, lag in enumerate((0, 2, 4, 0)[:planes]):
            assert reached[other] - reached[leading] <= lag + 1
    assert order[0][0] == leading
    if planes == 3 and first > last + 3:
        assert order[-1][0] != 0  # luma is whole before chroma is


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("copies", [False, True])
def test_missing_samples_are_means_of_those_on_both_sides(height: int, width: int, copies: bool) -> None:
    for level in range(level_count(width, height) + 1):
        for start in (None, 0 if level % 2 else 1, 2 if level % 2 else 3):
            plane = np.random.default_rng(level).integers(-50, 50, (height, width)).astype(np.int32)
            wanted = plane.copy()
            down, right = 1 << (level + 1) // 2, 1 << level // 2
            for row, column in added(height, width, level):
                if start is not None and row // down < start:
                    continue
                step, line, length = (right, column, width) if level % 2 else (down, row, height)
                before = plane[row, column - step] if level % 2 else plane[row - step, column]
                after = before
                if line + step < length and not copies:
                    after = plane[row, column + step] if level % 2 else plane[row + step, column]
                wanted[row, column] = (int(before) + int(after)) // 2
            fill_level(plane, level, start, copies=copies)
            assert np.array_equal(plane, wanted)


def cost(plane: list[list[int]], predictor: int) -> int:
    """Bits, roughly, of the samples of rows between even ones, with neighbours on all sides."""
    total = 0
    for y in range(1, len(plane) - 1, 2):
        for x in range(1, len(plane[0])):
            above, below, before = plane[y - 1][x], plane[y + 1][x], plane[y][x - 1]
            average = (above + below) // 2
            slopes = before + above - plane[y - 1][x - 1], before + below - plane[y + 1][x - 1]
            guess = (average, sorted((average, *slopes))[1], sorted((above, below, before))[1])[predictor]
            total += abs(plane[y][x] - guess).bit_length()
    return total


@pytest.mark.parametrize("seed", range(12))
def test_the_predictor_is_the_one_that_comes_nearest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = np.kron(rng.integers(0, 200, (5, 6)), np.ones((3, 4), int)) + rng.integers(0, 1 + seed, (15, 24))
    plane = (blocks if seed % 2 else blocks.cumsum(0) // 2 + blocks.cumsum(1)).astype(np.int32)
    finest = [cost(plane.tolist(), predictor) for predictor in range(3)]
    coarser = [cost(plane[::2].T.tolist(), predictor) for predictor in range(3)]
    best = {finest.index(min(finest)), coarser.index(min(coarser))}
    assert best_predictor(plane) == (best.pop() if len(best) == 1 else 0)
    assert best_predictor(plane[:2]) == 0
