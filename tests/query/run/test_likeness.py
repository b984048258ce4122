"""Likeness by layout and by what photos show as a whole, against a plain reckoning."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from dsslic_search.core.vocabulary import default
from dsslic_search.features.embedding import embed
from dsslic_search.features.image_words import ImageWords
from dsslic_search.features.resemblance import mixture
from dsslic_search.index.vectors import candidates
from dsslic_search.query.run.execute import Answer, answer
from tests.query.made import NOON, MadeArchive, MadePhoto

V = default()
ONE, OTHER = "11" * 8, "22" * 8
CLASSES = [V.id_of(name) for name in ("sky", "road", "car", "sea", "tree")]


def photos(count: int, seed: int = 1) -> list[MadePhoto]:
    """With embeddings around four centres, some by another maker, some with none."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(-90, 91, (4, 40))
    maps = rng.choice(np.array(CLASSES, np.uint8), (30, 3, 4))
    return [
        MadePhoto(
            number,
            maps[rng.integers(30)],
            added=NOON + timedelta(seconds=int(rng.integers(count))),
            words=None if number % 7 == 0 else (),
            image=tuple((centres[rng.integers(4)] + rng.integers(-30, 31, 40)).clip(-127, 127).tolist()),
            maker=OTHER if number % 5 == 0 else ONE,
        )
        for number in range(1, count + 1)
    ]


def image_of(photo: MadePhoto) -> ImageWords | None:
    return None if photo.words is None else ImageWords(photo.maker, photo.image, photo.words)


def likeness(one: MadePhoto, other: MadePhoto, mirrored: bool = False) -> float:
    """Of the second to the first, by the rule in docs/layout.md."""
    maps = [one.label_map, *([np.ascontiguousarray(one.label_map[:, ::-1])] if mirrored else [])]
    layout = max(float(embed(each, V) @ embed(other.label_map, V)) for each in maps)
    asked, image = image_of(one), image_of(other)
    if asked is None:
        return min(max(layout, 0), 1)
    mixed = mixture()
    cosine = layout
    if image is not None and image.maker == asked.maker:
        product = sum(a * b for a, b in zip(asked.embedding, image.embedding, strict=True))
        cosine = product / math.hypot(*asked.embedding) / math.hypot(*image.embedding)
        cosine = min(cosine / mixed.enough, 1)
    return min(max((1 - mixed.share) * layout + mixed.share * cosine, 0), 1)


PHOTOS = photos(60)
BY_ID = {photo.id: photo for photo in PHOTOS}


def asking(made: list[MadePhoto]) -> Callable[..., Answer]:
    indexes = MadeArchive(made).indexes()
    by_id = {photo.id: photo for photo in made}

    def embeddings_of(operand: str, mirrored: bool) -> np.ndarray:
        own = by_id[int(operand[1:])].label_map
        maps = [own, np.ascontiguousarray(own[:, ::-1])] if mirrored else [own]
        return np.stack([embed(each, V) for each in maps])

    def asked(text: str, limit: int | None = None, **others: Any) -> Answer:
        return answer(
            text,
            indexes=indexes,
            vocabulary=V,
            presence=0.005,
            embeddings_of=embeddings_of,
            image_of=lambda operand: image_of(by_id[int(operand[1:])]),
            limit=limit,
            **others,
        )

    return asked


@pytest.fixture(scope="module")
def ask() -> Callable[..., Answer]:
    return asking(PHOTOS)


def scores(found: Answer) -> dict[int, float]:
    return dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))


@pytest.mark.parametrize("number", [1, 5, 7, 34])  # of each maker, and one without
@pytest.mark.parametrize("mirrored", [False, True])
def test_every_photo_has_the_likeness_of_the_rule(
    ask: Callable[..., Answer], number: int, mirrored: bool
) -> None:
    found = ask(f"like #{number}{' mirrored' if mirrored else ''}")
    assert scores(found) == pytest.approx(
        {i: likeness(BY_ID[number], photo, mirrored) for i, photo in BY_ID.items()}, abs=2e-4
    )
    assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)
    assert ask(f"like #{number}{' mirrored' if mirrored else ''}", 5).ids.tolist() == found.ids.tolist()[:5]


def test_several_examples_and_what_is_not_to_be_alike(ask: Callable[..., Answer]) -> None:
    one, other, third = (scores(ask(f"like #{i}")) for i in (1, 2, 3))
    assert scores(ask("like #1 and #2")) == {i: min(one[i], other[i]) for i in one}
    assert scores(ask("like #1 or #2")) == {i: max(one[i], other[i]) for i in one}
    away = {i: max(one[i] - third[i] / 2, 0) for i in one}
    assert scores(ask("like #1, not like #3")) == pytest.approx(away, abs=1e-6)
    with_cars = ask("like #1 and car")
    assert scores(with_cars) == {i: one[i] for i in with_cars.ids.tolist()}
    assert {i for i, p in BY_ID.items() if V.id_of("car") in p.label_map} == set(with_cars.ids.tolist())


def test_pages_go_on_where_they_ended(ask: Callable[..., Answer]) -> None:
    every, after, seen = ask("like #1").ids.tolist(), None, []
    while True:
        page = ask("like #1", 7, after=after)
        seen += page.ids.tolist()
        if (after := page.cursor) is None:
            break
    assert seen == every


def test_the_explanation_tells_what_is_compared(ask: Callable[..., Answer]) -> None:
    share = mixture().share
    mixed = f"by what it shows as a whole and {1 - share:.0%} by layout"
    without = sum(image_of(p) is None or p.maker != ONE for p in PHOTOS)
    told = ask("like #1").explain()
    assert f"#1: the photo to compare with, {share:.0%} {mixed}; {without} photos by layout alone" in told
    assert (
        "#7: the photo to compare with, by layout alone, as it has no image words" in ask("like #7").explain()
    )


def test_among_very_many_nearly_all_of_the_most_alike_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "CHOSEN_FROM", 1000)
    monkeypatch.setattr(candidates, "MIN_CANDIDATES", 150)
    made = photos(2100, 2)
    asked = asking(made)
    found = wanted = 0
    for number in (1, 2, 3, 5, 6, 8):
        exact = asked(f"like #{number}")
        first = asked(f"like #{number}", 1)
        found += int(first.scores[0] == exact.scores[0])
        wanted += 1
        assert first.scores[0] == exact.scores[exact.ids.tolist().index(first.ids[0])]
    assert found >= wanted - 1
