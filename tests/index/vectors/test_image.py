"""Image embeddings of all photos against a slow reading of the same rule."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.core.vocabulary import default
from dsslic_search.features.image_words import ImageWords
from dsslic_search.index.cache import Arrays
from dsslic_search.index.vectors import candidates, image
from dsslic_search.index.vectors.image import ImageVectors, arrays_of, open_image_vectors
from tests.query.made import NOWHERE, MadeArchive, MadePhoto
from tests.segments import apart, whole

V = default()
ONE, OTHER = "11" * 8, "22" * 8
GREY = np.zeros((1, 1), np.uint8)


def seen(seed: int, maker: str = ONE, numbers: int = 48) -> ImageWords:
    rng = np.random.default_rng(seed)
    return ImageWords(maker, tuple(rng.integers(-127, 128, numbers).tolist()), ())


def cosine(one: ImageWords, other: ImageWords | None) -> float:
    """NaN where there is nothing to compare with."""
    if other is None or one.maker != other.maker:
        return math.nan
    product = sum(a * b for a, b in zip(one.embedding, other.embedding, strict=True))
    return product / (math.hypot(*one.embedding) * math.hypot(*other.embedding) or 1)


def archive(photos: list[ImageWords | None]) -> MadeArchive:
    return MadeArchive(
        [
            MadePhoto(i + 1, GREY, words=())
            if each is None
            else MadePhoto(i + 1, GREY, words=(), image=each.embedding, maker=each.maker)
            for i, each in enumerate(photos)
        ]
    )


def opened(photos: list[ImageWords | None]) -> ImageVectors:
    makers = list(dict.fromkeys(each.maker for each in photos if each))
    made_by = [makers.index(each.maker) if each else image.NO_MAKER for each in photos]
    sizes = np.array([len(each.embedding) if each else 0 for each in photos], np.intp)
    numbers = np.array([n for each in photos if each for n in each.embedding], np.int8)
    arrays = Arrays(arrays_of(makers, np.array(made_by, np.uint8), sizes, numbers))
    return ImageVectors(apart(len(photos)), arrays)


PHOTOS = [
    seen(1),
    None,
    seen(2, OTHER, 33),
    seen(3),
    seen(4, OTHER, 33),
    None,
    ImageWords(ONE, (0,) * 48, ()),
]


@pytest.mark.parametrize("asked", [seen(1), seen(9), seen(9, OTHER, 33), seen(5, "33" * 8, 64)])
def test_scores_are_cosines_with_those_of_the_same_maker(asked: ImageWords) -> None:
    vectors = opened(PHOTOS)
    expected = [cosine(asked, each) for each in PHOTOS]
    assert vectors.scores(asked) == pytest.approx(expected, abs=1e-4, nan_ok=True)
    rows = np.array([5, 0, 3], np.intp)
    assert vectors.scores(asked, rows) == pytest.approx([expected[r] for r in rows], abs=1e-4, nan_ok=True)
    assert vectors.comparable(asked).tolist() == [not math.isnan(e) for e in expected]


def test_no_photo_or_none_with_an_embedding() -> None:
    assert opened([]).scores(seen(1)).tolist() == []
    assert np.isnan(opened([None, None]).scores(seen(1))).all()
    assert not opened([None]).comparable(seen(1)).any()
    nothing = ImageWords(ONE, (0,) * 48, ())
    assert opened([seen(1)]).scores(nothing).tolist() == [0]


def test_the_catalog_is_read() -> None:
    made = archive([each for each in PHOTOS if each is not None])
    made.photos.append(MadePhoto(100, GREY, words=None))
    found = open_image_vectors(whole(made, NOWHERE, V))
    photos = made.in_order
    assert found.ids.tolist() == [p.id for p in photos]
    for asked in (seen(1), seen(2, OTHER, 33)):
        expected = [
            cosine(asked, None if p.words is None else ImageWords(p.maker, p.image, ())) for p in photos
        ]
        assert found.scores(asked) == pytest.approx(expected, abs=1e-4, nan_ok=True)


def test_more_makers_than_can_be_told_apart_are_not_compared_with() -> None:
    photos: list[ImageWords | None] = [seen(i, f"{i:016x}", 32) for i in range(300)]
    found = open_image_vectors(whole(archive(photos), NOWHERE, V))
    known = [found.comparable(each).sum() for each in photos if each]
    assert known.count(1) == image.NO_MAKER
    assert known.count(0) == 300 - image.NO_MAKER


def test_the_index_is_stored_and_read_again(tmp_path: Path, monkeypatch: Any) -> None:
    made = archive(PHOTOS)
    first = open_image_vectors(whole(made, tmp_path, V))
    monkeypatch.setattr(image, "_build", None)
    again = open_image_vectors(whole(made, tmp_path, V))
    assert {k: v.tolist() for k, v in again.arrays.items()} == {
        k: v.tolist() for k, v in first.arrays.items()
    }


def test_candidates_of_many_hold_nearly_all_of_the_nearest(monkeypatch: Any) -> None:
    monkeypatch.setattr(candidates, "CHOSEN_FROM", 1000)
    photos: list[ImageWords | None] = [seen(i % 700) if i % 10 else None for i in range(1500)]
    vectors = opened(photos)
    assert vectors.chooses and not opened(photos[:999]).chooses
    found = wanted = 0
    for number in range(1, 200, 20):
        asked = seen(number)
        scores = np.nan_to_num(vectors.scores(asked), nan=-1)
        nearest = np.argsort(-scores, kind="stable")[:5]
        rows = vectors.candidates(asked, 200)
        assert np.unique(rows).size == rows.size <= 200
        found += np.isin(nearest, rows).sum()
        wanted += nearest.size
    assert found >= 0.9 * wanted
