"""Orders by likeness against a plain sort: degrees end at 0 and 1, and equal ones come newest first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import numpy as np
import pytest

from dsslic_search.index.vectors.candidates import Chosen
from dsslic_search.query.joined import Every
from dsslic_search.query.run import evaluate
from dsslic_search.query.run.evaluate import Evaluation, Operands
from dsslic_search.query.run.order import order_of
from dsslic_search.query.steps import Resemble, Step
from tests.query.made import NOON, MadeArchive, MadePhoto

COUNT = 6000
SCORED_ROWS = 100  # here, so that candidates are chosen of as few photos
CANDIDATES_EACH = 4  # to a photo that is asked for
PHOTOS = [
    MadePhoto(i + 1, np.zeros((1, 1), np.uint8), added=NOON + timedelta(seconds=i % 50)) for i in range(COUNT)
]
(INDEXES,) = MadeArchive(PHOTOS).indexes()


class MadeVectors:
    """Likenesses as they are given, by row, float32."""

    def __init__(self, likeness: np.ndarray) -> None:
        self.likeness = likeness.astype(np.float32)
        self.asked: list[int] = []

    def scores(self, _asked: object, rows: np.ndarray | None) -> np.ndarray:
        return self.likeness if rows is None else self.likeness[rows]

    def candidates(self, _asked: object, k: int, among: np.ndarray | None = None) -> Chosen | None:
        rows = np.arange(COUNT) if among is None else np.flatnonzero(among)
        if CANDIDATES_EACH * k > rows.size:
            return None
        self.asked.append(k)
        nearest = rows[np.argsort(-self.likeness[rows], kind="stable")[: CANDIDATES_EACH * k]]
        return Chosen(nearest, self.likeness[nearest])


@pytest.fixture(autouse=True)
def few_are_many() -> Iterator[None]:
    with mock.patch.object(evaluate, "SCORED_ROWS", SCORED_ROWS):
        yield


def page(vectors: Any, limit: int, step: Step | None = None, mask: np.ndarray | None = None) -> list[int]:
    """The rows of the first page, of all that match or of those in ``mask``."""
    indexes = dataclasses.replace(INDEXES, vectors=lambda: vectors)
    operands = Operands(lambda _operand, _mirrored: np.zeros((1, 1), np.float32), {})
    evaluation = Evaluation(indexes, operands)
    step = step or Resemble("#1")
    order = order_of(None, step, evaluation)
    found, more = order.page(step.mask(evaluation, mask), limit, None)
    assert more
    return [int(row) for row in found.rows]


def sorted_plainly(likeness: np.ndarray, limit: int, mask: np.ndarray | None = None) -> list[int]:
    degrees = np.clip(likeness.astype(np.float32), 0, 1)
    rows = range(COUNT) if mask is None else np.flatnonzero(mask).tolist()
    return sorted(rows, key=lambda row: (-degrees[row], row))[:limit]


def spread(low: float, high: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, COUNT)


@pytest.mark.parametrize("limit", [1, 3, 4])
@pytest.mark.parametrize(
    "likeness",
    [
        pytest.param(spread(0.1, 0.9), id="all between 0 and 1"),
        pytest.param(spread(-0.5, -0.1), id="all below 0"),
        pytest.param(
            np.where(np.arange(COUNT) % 1999 == 0, spread(0.2, 0.8), spread(-1, 0)), id="few above 0"
        ),
        pytest.param(spread(1, 1.0001), id="all above 1"),
        pytest.param(np.where(np.arange(COUNT) > 5000, spread(1, 1.0001), spread(0, 0.9)), id="many above 1"),
        pytest.param(
            np.where(np.arange(COUNT) % 1999 == 7, 1 + np.arange(COUNT), spread(0, 0.9)), id="few above 1"
        ),
        pytest.param(np.round(spread(-1, 2)), id="steps"),
    ],
)
def test_degrees_below_0_are_equal_and_so_are_those_above_1(likeness: np.ndarray, limit: int) -> None:
    vectors = MadeVectors(likeness)
    assert page(vectors, limit) == sorted_plainly(likeness, limit)
    assert vectors.asked, "the nearest alone were asked for"
    assert page(MadeVectors(likeness), limit, Every((Resemble("#1"),))) == sorted_plainly(likeness, limit)


@pytest.mark.parametrize("limit", [2, 3, 5])
def test_equals_at_the_ends_that_are_not_among_the_nearest_count(limit: int) -> None:
    """The last of those asked for has a likeness of exactly 1 or 0, as others have by rounding."""
    asked = limit + 1
    ones = np.concatenate([np.ones(50), np.full(COUNT - 50 - (asked - 1), 0.5), np.full(asked - 1, 1.5)])
    assert page(MadeVectors(ones), limit) == sorted_plainly(ones, limit) == list(range(limit))
    zeros = np.concatenate([np.full(COUNT - 2 * asked - 1, -0.5), np.zeros(2 * asked), [0.5]])
    assert page(MadeVectors(zeros), limit) == [COUNT - 1, *range(limit - 1)]


@pytest.mark.parametrize("one_in", [2, 10, 50, 100])
@pytest.mark.parametrize("clustered", [False, True])
def test_photos_that_pass_a_filter(one_in: int, clustered: bool) -> None:
    """Be they spread among the nearest, or none of these at all."""
    likeness = spread(0.1, 0.9)
    order = np.argsort(-likeness, kind="stable") if clustered else np.arange(COUNT)
    mask = np.zeros(COUNT, bool)
    mask[order[::one_in] if not clustered else order[-COUNT // one_in :]] = True
    vectors = MadeVectors(likeness)
    assert page(vectors, 5, mask=mask) == sorted_plainly(likeness, 5, mask)
    assert bool(vectors.asked) == (np.count_nonzero(mask) > SCORED_ROWS)


def test_where_many_are_asked_for_all_are_ranked() -> None:
    likeness = spread(-1, 2)
    vectors = MadeVectors(likeness)
    assert page(vectors, COUNT - 1) == sorted_plainly(likeness, COUNT - 1)
    assert not vectors.asked
