"""Answers do not depend on how the photos are dealt out among segments, nor on what is gone of them."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from dsslic_search.index import compiling
from dsslic_search.index.columns import Columns
from dsslic_search.query.run.execute import Answer, Indexes, answer
from tests.query.made import NOON, MadeArchive, MadePhoto, V
from tests.query.test_exactness import made_photo

QUERIES = [
    "sky",
    "no sky",
    "sky > 20% or sea",
    "sky and not road",
    "2 cars",
    "car left of sea",
    "most sky",
    "sort:-taken",
    "sort:taken",
    "sort:path",
    "sort:-name sky",
    "sort:-iso",
    "sort:width sea",
    "least sky",
    "camera:canon and sky",
    "path:trip/**",
    "tag:best or sea",
    "like #3",
    "like #3 and sky",
    "sky like #1 mirrored",
    "is:removed",
    "all photos",
]


@cache
def archive(seed: int, count: int = 40) -> MadeArchive:
    rng = np.random.default_rng(seed)
    return MadeArchive([made_photo(rng, i + 1) for i in rng.permutation(count).tolist()])


@cache
def indexes(seed: int, segments: int) -> tuple[Indexes, ...]:
    """Nothing changes between the pages of all queries, so they ask the same ones, as in an open archive."""
    return archive(seed).indexes(segments)


def ask_of(there: tuple[Indexes, ...], text: str, limit: int | None, after: str | None = None) -> Answer:
    """What a query without likeness finds."""
    return answer(
        text, indexes=there, vocabulary=V, presence=0.005, embeddings_of=lambda *_: np.empty((0, 0)),
        now=NOON + timedelta(days=1), limit=limit, after=after,
    )  # fmt: skip


def ask(seed: int, text: str, segments: int, limit: int | None, after: str | None = None) -> Answer:
    by_id = {photo.id: photo for photo in archive(seed).photos}
    return answer(
        text,
        indexes=indexes(seed, segments),
        vocabulary=V,
        presence=0.005,
        embeddings_of=lambda operand, _mirrored: np.frombuffer(
            by_id[int(operand[1:])].features.embedding, "<f4"
        )[None],
        now=NOON + timedelta(days=1),
        limit=limit,
        after=after,
    )


@pytest.mark.parametrize("compiled", [False, True])
def test_pages_of_many_photos_are_those_of_all(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    """Of so many that those which are not sure enough are left out before degrees are told."""
    monkeypatch.setattr(compiling.PATIENCE, "values", 0 if compiled else 10**9)
    monkeypatch.setattr(compiling.PATIENCE, "photos", 0 if compiled else 10**9)
    there = archive(7, 500).indexes()
    left_out, real = 0, Columns.leave_out_unsure

    def counted(columns: Columns, classes: tuple[int, ...], least: int, held: np.ndarray) -> None:
        nonlocal left_out
        before = np.count_nonzero(held)
        real(columns, classes, least, held)
        left_out += before - np.count_nonzero(held)

    monkeypatch.setattr(Columns, "leave_out_unsure", counted)
    for text in (
        "sky", "sky > 10% and tree", "2 cars or sea", "car left of sea", "most sky", "sea in the top",
        "sky between 5% and 60%", "no boat and road > 5%",
    ):  # fmt: skip
        whole, listed, scores, after = ask_of(there, text, None), [], [], None
        for _ in range(4):
            page = ask_of(there, text, 2, after)
            listed += page.ids.tolist()
            scores += page.scores.tolist()
            after = page.cursor
        assert listed == whole.ids.tolist()[:8]
        assert scores == whole.scores.tolist()[:8]
    assert left_out


@pytest.mark.parametrize("text", QUERIES)
def test_segments_change_nothing(text: str) -> None:
    for seed in range(3):
        whole = ask(seed, text, 1, None)
        for segments in (2, 5):
            parts = ask(seed, text, segments, None)
            assert (parts.total, parts.photos) == (whole.total, whole.photos)
            assert parts.ids.tolist() == whole.ids.tolist()
            assert parts.scores.tolist() == whole.scores.tolist()
            assert parts.all_ids.tolist() == whole.all_ids.tolist()
            assert parts.explain() == whole.explain()
            assert parts.unseen() == whole.unseen()
            listed: list[int] = []
            page = ask(seed, text, segments, 3)
            while True:
                listed += page.ids.tolist()
                if page.cursor is None:
                    break
                page = ask(seed, text, segments, 3, page.cursor)
            assert listed == whole.ids.tolist()


def test_most_of_the_queries_find_some_and_not_all() -> None:
    found = [ask(0, text, 1, None) for text in QUERIES]
    assert sum(0 < each.total < each.photos for each in found) > len(QUERIES) / 2


def test_what_is_gone_from_all_segments_names_nothing() -> None:
    photos = [MadePhoto(i, np.zeros((1, 1), np.uint8), camera=f"Maker {i}") for i in (1, 2)]
    (first, second) = MadeArchive(photos).indexes(2)
    there = [each.files().there("camera") for each in (first, second)]
    assert sorted(name for names in there for name in names) == ["Maker 1", "Maker 2"]
    assert all(
        set(each.files().there("camera")) <= set(each.files().table("camera")) for each in (first, second)
    )
