"""Indexes stay open between questions, and are never of another moment than the answer."""

from __future__ import annotations

from collections.abc import Iterator
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
from dsslic_search.index.source import Stale
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


def everything(indexes: Indexes) -> tuple[list[int], set[int]]:
    """Number of photos, and generations, of all indexes."""
    every = indexes.columns, indexes.vectors(), indexes.regions(), indexes.files()
    if len({index.generation for index in every}) > 1:
        raise Stale
    return [len(index.ids) for index in every], {index.generation for index in every}


def test_they_are_read_once_for_many_questions(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []
    load = cache.load

    def watched(path: Path, *rest):
        opened.append(path.name)
        return load(path, *rest)

    monkeypatch.setattr(cache, "load", watched)
    indexes = OpenIndexes(catalog, tmp_path / "index", CLASSES)
    indexes.ask(lambda current: len(current.columns))
    assert set(opened) == {"coverage.columns"}
    indexes.ask(everything)
    opened.clear()
    for _ in range(5):
        indexes.ask(everything)
    assert opened == []


def test_they_follow_the_catalog(catalog: Catalog, tmp_path: Path):
    indexes = OpenIndexes(catalog, tmp_path / "index", CLASSES)
    assert indexes.ask(everything)[0] == [1] * 4
    add(catalog, 2)
    assert indexes.ask(everything) == ([2] * 4, {catalog.generation()})


def test_a_change_between_two_openings_is_asked_again_at_one_moment(catalog: Catalog, tmp_path: Path):
    """As while an ingest goes on: every index that is opened finds a newer catalog."""
    indexes = OpenIndexes(catalog, tmp_path / "index", CLASSES)
    asked: list[int] = []

    def question(current: Indexes):
        asked.append(current.columns.generation)
        current.vectors()
        add(catalog, 2 + len(asked))
        return everything(current)

    counts, generations = indexes.ask(question)
    assert len(asked) == 2
    assert len(set(counts)) == len(generations) == 1
    assert counts[0] == 2  # of the moment at which it was asked again, not of what came meanwhile
    assert indexes.ask(everything)[0] == [3] * 4


def test_other_errors_pass(catalog: Catalog, tmp_path: Path):
    indexes = OpenIndexes(catalog, tmp_path / "index", CLASSES)

    def question(_current: Indexes):
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        indexes.ask(question)
