"""The best of many rows against a plain sort, and how few of them are ranked for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dsslic_search.index.quanta import QUANTA, TICKS
from dsslic_search.query.run.rank import best, degrees, span, top

COUNT = 40_960


class MadeRanking:
    """Numbers as they are given, by row; counts the rows that were asked for."""

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers = numbers
        self.rows_asked = 0

    def at(self, rows: np.ndarray) -> np.ndarray:
        self.rows_asked += rows.size
        return self.numbers[rows]

    def most(self, rows: np.ndarray) -> np.ndarray:
        """Some more than they are, every seventh."""
        return self.numbers[rows] + (rows % 7 == 0)

    def may_reach(self, value: Any, among: np.ndarray, *, above: bool = False) -> np.ndarray | None:
        """Some others too, every hundredth."""
        reached = self.numbers > value if above else self.numbers >= value
        return None if reached.all() else among & (reached | (np.arange(self.numbers.size) % 100 == 0))


def sorted_plainly(numbers: np.ndarray, mask: np.ndarray, limit: int) -> list[int]:
    return sorted(np.flatnonzero(mask).tolist(), key=lambda row: (-numbers[row], row))[:limit]


RNG = np.random.default_rng(5)
SPREAD = RNG.permutation(COUNT)
MASKS = {
    "all": np.ones(COUNT, bool),
    "two of three": np.arange(COUNT) % 3 > 0,
    "none of the best": SPREAD < COUNT - 4000,
    "few": np.arange(COUNT) % 70 == 3,
}


@pytest.mark.parametrize("limit", [1, 20, 100])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(SPREAD, id="whole numbers"),
        pytest.param(SPREAD / COUNT, id="fractions"),
        pytest.param(np.where(SPREAD % 3, 7, SPREAD % 7), id="many share the greatest"),
        pytest.param(
            np.where(SPREAD % 4000, SPREAD % 4000 > 3000, 9 + SPREAD), id="few above many equal ones"
        ),
    ],
)
def test_the_best_are_those_of_a_plain_sort_and_few_are_ranked(
    numbers: np.ndarray, mask: str, limit: int
) -> None:
    ranking = MadeRanking(numbers)
    total = int(MASKS[mask].sum())
    found = best(ranking, MASKS[mask], total, limit)
    assert found.rows.tolist() == sorted_plainly(numbers, MASKS[mask], limit)
    assert found.numbers.tolist() == numbers[found.rows].tolist()
    assert ranking.rows_asked < 8_000 + total // 8


def test_where_the_greatest_lie_between_the_sampled_rows_all_are_found() -> None:
    numbers = np.where(np.arange(COUNT) % 20 == 7, np.arange(COUNT) + COUNT, 0)
    mask = np.ones(COUNT, bool)
    assert best(MadeRanking(numbers), mask, COUNT, 30).rows.tolist() == sorted_plainly(numbers, mask, 30)


@pytest.mark.parametrize("limit", [0, 1, 3, 12, 50, 60])
@pytest.mark.parametrize("kind", [np.int64, np.float32])
def test_the_top_keeps_the_order_of_equal_ones(limit: int, kind: type) -> None:
    rows = np.arange(5, 105, 2)
    numbers = RNG.integers(-3, 4, rows.size).astype(kind)
    numbers[7] = np.iinfo(np.int64).min if kind is np.int64 else -np.inf
    order = sorted(range(rows.size), key=lambda i: (-int(numbers[i]) if kind is np.int64 else -numbers[i], i))
    found = top(rows, numbers, limit)
    assert found.rows.tolist() == rows[order][:limit].tolist()
    assert found.numbers.tolist() == numbers[order][:limit].tolist()


def test_a_span_is_where_a_table_reaches_a_value() -> None:
    table = np.array([0, 0.25, 0.5, 1, 0.5, 0], np.float32)
    assert span(table, 0.5, above=False) == (2, 4)
    assert span(table, 0.5, above=True) == (3, 3)
    assert span(table, 0, above=False) == (0, 5)
    assert span(table, 1, above=True) == (1, 0)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, TICKS, {0: 1, QUANTA // 2: 1, QUANTA: 1}),
        (TICKS // 5, TICKS, {0: 0, QUANTA // 5: 0, QUANTA * 3 // 5: 0.5, QUANTA: 1}),
        (0, TICKS // 5, {0: 1, QUANTA // 10: 0.5, QUANTA // 5: 0, QUANTA: 0}),
        (TICKS // 5, TICKS * 3 // 5, {QUANTA // 5: 0, QUANTA * 3 // 10: 0.5, QUANTA * 2 // 5: 1, QUANTA: 0}),
        (TICKS, TICKS, {0: 0, QUANTA - 3: 0, QUANTA: 1, QUANTA + 1: 1}),
        (0, 0, {0: 1, 3: 0, QUANTA: 0}),
        (TICKS // 5, TICKS // 5, {0: 0, QUANTA // 5: 1, QUANTA // 5 + 3: 0}),
    ],
)
def test_degrees_rise_from_the_bounds_to_where_a_range_is_satisfied_best(
    low: int, high: int, expected: dict[int, float]
) -> None:
    table = degrees(low, high)
    assert table.shape == (QUANTA + 2,)
    assert {quantum: float(table[quantum]) for quantum in expected} == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("low", "high"), [(TICKS, TICKS // 10), (TICKS // 10, TICKS // 10 - 1), (1, 0)])
def test_no_coverage_satisfies_bounds_that_leave_none(low: int, high: int) -> None:
    """As of a small thing, where a tenth or more is presence: beside "or" it must not count."""
    assert not degrees(low, high).any()
