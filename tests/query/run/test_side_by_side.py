"""Work for each segment: results in order, whatever thread does it; troubles are told."""

from __future__ import annotations

import threading
from unittest import mock

import numpy as np
import pytest

from dsslic_search.query.run import side_by_side
from dsslic_search.query.run.execute import Answer, answer
from dsslic_search.query.run.side_by_side import SHARED_FROM, of_each
from tests.query.made import NOON, MadeArchive, V
from tests.query.test_exactness import made_photo


def test_results_come_in_order_though_the_last_is_ready_first() -> None:
    last = threading.Event()

    def work(part: int) -> tuple[int, str]:
        if part == 0:
            assert last.wait(60)
        else:
            last.set()
        return part, threading.current_thread().name

    found = of_each(work, (0, 1), SHARED_FROM)
    assert [part for part, _ in found] == [0, 1]
    assert all(name.startswith("segments") for _, name in found)


def test_few_photos_are_no_work_for_threads() -> None:
    here = threading.current_thread().name
    assert of_each(lambda _: threading.current_thread().name, (0, 1), SHARED_FROM - 1) == [here] * 2


def test_the_first_part_that_fails_is_told_of() -> None:
    def work(part: int) -> int:
        if part:
            raise ValueError(part)
        return part

    with pytest.raises(ValueError, match="1"):
        of_each(work, (0, 1, 2), SHARED_FROM)


@pytest.mark.parametrize(
    "text", ["sky", "sky > 20% or sea", "car left of sea", "sort:path", "like #3 and sky"]
)
def test_answers_are_the_same_on_one_thread_and_on_several(text: str) -> None:
    rng = np.random.default_rng(3)
    photos = [made_photo(rng, number + 1) for number in range(60)]
    archive = MadeArchive(photos)
    indexes = archive.indexes(4)

    def embeddings_of(operand: str, _mirrored: bool) -> np.ndarray:
        return np.frombuffer(photos[int(operand[1:]) - 1].features.embedding, "<f4")[None]

    def found() -> Answer:
        return answer(
            text, indexes=indexes, vocabulary=V, presence=None, embeddings_of=embeddings_of,
            now=NOON, limit=20,
        )  # fmt: skip

    alone = found()
    with mock.patch.object(side_by_side, "SHARED_FROM", 0):
        shared = found()
    assert alone.total == shared.total and alone.cursor == shared.cursor
    assert alone.ids.tolist() == shared.ids.tolist() and alone.scores.tolist() == shared.scores.tolist()
