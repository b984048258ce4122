"""What bare words name in an archive."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dsslic_search.core.errors import QueryError, UsageError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import Leaf
from dsslic_search.query.names import LEAST_LETTERS, names_of
from dsslic_search.query.run.execute import Answer, answer
from tests.query.made import MadeArchive, MadePhoto

SKY = np.full((4, 4), default().id_of("sky"), np.uint8)
SEA = np.full((4, 4), default().id_of("sea"), np.uint8)
SAVED = {"blue-hour": "sky taken:2021", "sunny": "sky"}
ARCHIVE = MadeArchive(
    [
        MadePhoto(
            1, SKY, people="Anna Lee\nBen", camera="Canon EOS R5", path="/Trips/Norway 2021/IMG_0001.jpg"
        ),
        MadePhoto(
            2, SEA, keywords="Midsummer\nfika\ngarden party", lens="SIGMA 35mm f/1.4", path="/x/fjordview.jpg"
        ),
        MadePhoto(3, SEA, path="/x/oslo-harbour.png", tags=("best-of",), camera="NIKON D90"),
    ]
)


def saved(name: str) -> str:
    if " " in name:
        raise UsageError("no name")
    return SAVED[name]


def tag_trouble(name: str) -> tuple[str, tuple[str, ...]] | None:
    return None if name == "best-of" else ("no such tag", ())


def named(word: str) -> Leaf | str | None:
    return names_of(lambda: [each.files() for each in ARCHIVE.indexes(2)], saved, tag_trouble)(word)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("anna", "people:anna"),
        ("anna lee", 'people:"anna lee"'),
        ("fika", "keyword:fika"),
        ("eos", "camera:eos"),
        ("d90", "camera:d90"),
        ("sigma", "lens:sigma"),
        ("norway", "path:norway"),
        ("img", "path:img"),
        ("oslo", "path:oslo"),
        ("fjordview", "path:fjordview"),
        ("best-of", "tag:best-of"),
    ],
)
def test_what_a_word_names(word: str, says: str) -> None:
    found = named(word)
    assert found is not None
    assert getattr(found, "says", found) == says


def test_a_saved_query_is_told_by_its_name() -> None:
    assert named("blue-hour") == "blue-hour"


@pytest.mark.parametrize("word", ["ann", "os", "fjord", "canoe", "nothing here", "x" * (LEAST_LETTERS - 1)])
def test_a_part_of_a_word_names_nothing(word: str) -> None:
    assert named(word) is None


def test_the_index_of_files_is_not_opened_for_tags() -> None:
    def opened() -> Any:
        raise AssertionError("opened")

    tagged = names_of(opened, None, tag_trouble)("best-of")
    assert getattr(tagged, "says", "") == "tag:best-of"


def asked(text: str) -> Answer:
    return answer(
        text,
        indexes=ARCHIVE.indexes(),
        vocabulary=default(),
        presence=None,
        embeddings_of=lambda operand, mirrored: np.empty((0, 0)),
        saved=saved,
        tag_trouble=tag_trouble,
    )


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Anna", [1]),
        ("photos of Anna Lee", [1]),
        ("sea without fika", [3]),
        ("oslo or Norway", [1, 3]),
        ("best-of", [3]),
        ("untagged", [1, 2]),
        ("photos without tags", [1, 2]),
        ("-anna", [2, 3]),
        ("blue-hour", []),
        ("Eos sky", [1]),
        ("garden party", [2]),  # and no garden
        ("sunny", [1]),  # what could not be asked by itself
    ],
)
def test_names_are_asked_for_like_other_words(text: str, ids: list[int]) -> None:
    assert sorted(asked(text).ids.tolist()) == ids


def test_how_a_name_was_read_is_told() -> None:
    assert asked("oslo").query.notes == ("oslo: read as path:oslo",)
    assert asked("blue-hour").query.notes == ("blue-hour: read as @blue-hour",)
    assert asked("photos of Anna Lee").query.notes == ('anna lee: read as people:"anna lee"',)


def test_what_is_a_word_of_the_language_is_no_name() -> None:
    trees = MadeArchive([replace(ARCHIVE.photos[0], path="/tree/sky.jpg")])
    found = answer(
        "tree",
        indexes=trees.indexes(),
        vocabulary=default(),
        presence=None,
        embeddings_of=lambda operand, mirrored: np.empty((0, 0)),
    )
    assert found.total == 0


def test_what_names_nothing_is_an_error() -> None:
    with pytest.raises(QueryError, match='unknown word "tromso"'):
        asked("tromso")
