"""Indexes stay open between questions, and are never of another moment than the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.api.indexes import OpenIndexes
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import features_of
from dsslic_search.archive.schema import Photo
from dsslic_search.core import vocabulary
from dsslic_search.index import cache
from dsslic_search.index.source import State
from dsslic_search.query.run.evaluate import Indexes

CLASSES = vocabulary.default()


def add(catalog: Catalog, number: int) -> int:
    row = Photo(
        content_hash=f"{number:064x}", path=f"/{number}.jpg", file_size=1, modified_at=datetime(2020, 1, 1),
        added_at=datetime(2021, 1, 1),
        format="PNG", width=1, height=1, taken_at=None, camera=None, keep="layers", quality=75,
        stored_bytes=1, map_bytes=1, vocabulary="v",
        segmenter="s",
    )  # fmt: skip
    return catalog.add(row, features_of(np.full((2, 2), number % 5, np.uint8), CLASSES))


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "c.sqlite", create=True) as opened:
        add(opened, 1)
        yield opened


def everything(indexes: Sequence[Indexes]) -> tuple[list[int], set[State]]:
    """Number of photos in each segment that are not gone, by every index, and the states of all indexes."""
    counts, states = [], set()
    for each in indexes:
        every = [each.columns, each.vectors(), each.regions(), each.files(), each.words(), each.images()]
        (live,) = {index.segment.live for index in every}
        counts.append(live)
        states |= {index.segment.state for index in every}
    return counts, states


def test_they_are_read_once_for_many_questions(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []
    load = cache.load

    def watched(path: Path, *rest):
        opened.append(path.suffix)
        return load(path, *rest)

    monkeypatch.setattr(cache, "load", watched)
    indexes = OpenIndexes(catalog, tmp_path / "index", CLASSES)
    indexes.ask(lambda current: [len(each.columns) for each in current])
    assert set(opened) == {".manifest", ".rows", ".coverage"}
    indexes.ask(everything)
    opened.clear()
    for _ in range(5):
        indexes.ask(everything)
    assert opened == []


def test_they_follow_the_catalog(catalog: Catalog, tmp_path: Path):
    indexes = OpenIndexes(catalog, tmp_path / "index", CLASSES)
    assert indexes.ask(everything)[0] == [1]
    add(catalog, 2)
    assert indexes.ask(everything) == ([1, 1], {catalog.state()})


def test_a_change_between_two_openings_is_asked_again_at_one_moment(catalog: Catalog, tmp_path: Path):
    """As while an ingest goes on: every index that is opened finds a newer catalog."""
    indexes = OpenIndexes(catalog, tmp_path / "index", CLASSES)
    asked: list[State] = []

    def question(current: Sequence[Indexes]):
        asked.append(current[0].columns.segment.state)
        current[0].vectors()
        add(catalog, 2 + len(asked))
        return everything(current)

    counts, states = indexes.ask(question)
    assert len(asked) == 2
    assert len(states) == 1
    assert sum(counts) == 2  # of the moment at which it was asked again, not of what came meanwhile
    assert sum(indexes.ask(everything)[0]) == 3


def test_other_errors_pass(catalog: Catalog, tmp_path: Path):
    indexes = OpenIndexes(catalog, tmp_path / "index", CLASSES)

    def question(_current: Sequence[Indexes]):
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        indexes.ask(question)
