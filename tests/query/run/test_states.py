"""Photos that are left out of answers: as if the archive had none of them, unless a query names their
state."""

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from dsslic_search.core.kinds import HIDDEN, PhotoState
from dsslic_search.core.vocabulary import default
from dsslic_search.features.embedding import embed
from dsslic_search.query.facets import count_classes, count_files
from dsslic_search.query.run.execute import Answer, answer
from tests.query.made import MadeArchive, MadePhoto
from tests.query.run.test_execute import MAPS, NOW, PHOTOS

V = default()
STATES = ("here", "replaced", "missing", "removed", "here", "lost", "here")
STANDING = [dataclasses.replace(photo, state=STATES[photo.id % 7]) for photo in PHOTOS]

QUERIES = (
    "everything",
    "sky",
    "no sky",
    "sky > 10% and road > 10%",
    "sky or not road",
    "not (sky or road)",
    "at least 1 car",
    "no cars in the top half",
    "camera:canon",
    "not camera:canon",
    "path:trip/**",
    "not name:00*",
    "like #1",
    "like #3 mirrored and sky",
    "is:here",
    "is:missing",
    "not is:missing",
    "portrait",
)
ORDERS = (
    "",
    "sort:-sky",
    "sort:taken",
    "sort:-taken",
    "sort:size",
    "sort:path",
    "sort:-name",
    "sort:relevance",
)


def asker(photos: list[MadePhoto]) -> Callable[..., Answer]:
    indexes = MadeArchive(photos).indexes()

    def embeddings_of(operand: str, mirrored: bool) -> np.ndarray:
        own = MAPS[int(operand[1:]) - 1]
        turned = [own, np.ascontiguousarray(own[:, ::-1])] if mirrored else [own]
        return np.stack([embed(each, V) for each in turned])

    def asked(text: str, **others: Any) -> Answer:
        return answer(
            text,
            indexes=indexes,
            vocabulary=V,
            presence=0.005,
            embeddings_of=embeddings_of,
            now=NOW,
            **others,
        )

    return asked


def shown(lifted: str = "") -> list[MadePhoto]:
    return [
        photo for photo in STANDING if photo.state not in HIDDEN or photo.state in lifted or lifted == "any"
    ]


@cache
def of_all() -> Callable[..., Answer]:
    return asker(STANDING)


@cache
def of_those_shown() -> Callable[..., Answer]:
    return asker(shown())


def whole(text: str, **others: Any) -> Answer:
    return of_all()(text, **others)


def without(text: str) -> Answer:
    return of_those_shown()(text)


def told(found: Answer) -> tuple[object, ...]:
    return (
        found.total,
        found.ids.tolist(),
        found.scores.tolist(),
        found.photos,
        found.explain(),
        found.unseen(),
    )


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("text", QUERIES)
def test_answers_are_those_of_an_archive_without_them(text: str, order: str) -> None:
    text = f"{text} {order}"
    expected = without(text)
    assert told(whole(text)) == told(expected)
    assert 0 < expected.total < len(PHOTOS)
    pages, cursor = [], None
    while True:
        page = whole(text, limit=7, after=cursor)
        assert page.total == expected.total
        pages += page.ids.tolist()
        cursor = page.cursor
        if cursor is None:
            break
    assert pages == expected.ids.tolist()


@pytest.mark.parametrize("state", [*HIDDEN, "any"])
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "sky and {}",
        "sky or {}",
        "not {}",
        "sky and not {}",
        "not (sky or {})",
        "sky and ({} or path:trip/**)",
    ],
)
def test_a_query_that_names_a_state_is_about_photos_of_it_too(text: str, state: str) -> None:
    """Against an archive that has no others hidden, and shows them all."""
    asked = text.format(f"is:{state}")
    kept = shown(state)
    found = whole(asked)
    plain = asker([dataclasses.replace(photo, state="here") for photo in kept])
    of_state = {photo.id for photo in kept if state in ("any", photo.state)}
    everyone = {photo.id for photo in kept}
    sky, trip = (set(plain(each).ids.tolist()) for each in ("sky", "path:trip/**"))
    expected = {
        "{}": of_state,
        "sky and {}": sky & of_state,
        "sky or {}": sky | of_state,
        "not {}": everyone - of_state,
        "sky and not {}": sky - of_state,
        "not (sky or {})": everyone - sky - of_state,
        "sky and ({} or path:trip/**)": sky & (of_state | trip),
    }[text]
    assert set(found.ids.tolist()) == expected
    assert (found.total, found.photos) == (len(expected), len(kept))


def test_states_that_cannot_be_together_are_told() -> None:
    assert "no photo can match" in whole("is:lost is:removed").explain()
    assert "no photo can match" not in whole("is:any is:removed").explain()
    assert whole("is:any is:removed").total == sum(photo.state == PhotoState.REMOVED for photo in STANDING)


def test_counts_are_of_shown_photos() -> None:
    (indexes,), (others,) = MadeArchive(STANDING).indexes(), MadeArchive(shown()).indexes()
    rows = indexes.columns.shown_rows()
    assert count_classes([(indexes.columns, rows)], V, 0.005) == count_classes(
        [(others.columns, None)], V, 0.005
    )
    assert count_files([(indexes.files(), rows)]) == count_files([(others.files(), None)])
    assert others.columns.shown_rows() is None


def test_nothing_is_shown_of_what_only_hidden_photos_show() -> None:
    """The things that no photo shows are told where nothing matches."""
    sea = np.full((4, 4), V.id_of("sea"), np.uint8)
    only = asker([MadePhoto(1, sea, state="removed"), MadePhoto(2, MAPS[1])])
    assert only("sea").unseen() == ("sea",)
    assert only("sea is:removed").unseen() == ()
