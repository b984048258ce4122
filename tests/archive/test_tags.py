from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.archive import bulk, lookup, notes
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.notes import NAME_CHARACTERS, name_key
from dsslic_search.core.errors import ArchiveError, UsageError


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory, photo_row, features) -> Path:
    """A catalog of photos 1 to 6, for copies."""
    path = tmp_path_factory.mktemp("six") / "c.sqlite"
    with Catalog.open(path, create=True) as opened:
        for digit in "abcdef":
            opened.add(photo_row(digit), features(1))
    return path


@pytest.fixture
def catalog(tmp_path: Path, six: Path) -> Iterator[Catalog]:
    """Photos 1 to 6."""
    shutil.copyfile(six, tmp_path / "c.sqlite")
    with Catalog.open(tmp_path / "c.sqlite") as opened:
        yield opened


def ids(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def tagged(catalog: Catalog, name: str | None) -> list[int]:
    with catalog.snapshot() as snapshot:
        return sorted(snapshot.tagged(name).tolist())


def test_tags_are_given_counted_and_taken(catalog: Catalog):
    assert notes.add_tags(catalog, ["best", "sea"], ids(1, 2, 5)) == {"best": 3, "sea": 3}
    assert notes.add_tags(catalog, ["best"], ids(2, 3)) == {"best": 1}
    assert catalog.tag_counts() == {"best": 4, "sea": 3}
    assert notes.tag_counts(catalog, ids(3, 4, 5)) == {"best": 2, "sea": 1}
    assert notes.tag_counts(catalog, ids(4)) == {}
    assert tagged(catalog, "best") == tagged(catalog, None) == [1, 2, 3, 5]
    assert notes.tags_of(catalog, 5) == ["best", "sea"]
    assert notes.remove_tags(catalog, ["best"], ids(5, 6)) == {"best": 1}
    assert tagged(catalog, "best") == [1, 2, 3]
    with pytest.raises(UsageError, match="nothing"):
        notes.remove_tags(catalog, ["best", "nothing"], None)
    assert notes.remove_tags(catalog, ["best", "best"], None) == {"best": 3}
    assert catalog.tag_counts() == {"sea": 3}


def test_the_generation_stays(catalog: Catalog):
    before = catalog.generation()
    notes.add_tags(catalog, ["best"], ids(1))
    notes.remove_tags(catalog, ["best"], None)
    assert catalog.generation() == before


def test_capitals_and_forms_of_letters_do_not_matter(catalog: Catalog):
    assert notes.add_tags(catalog, ["Été", "ÉTÉ", "été"], ids(1)) == {"été": 1}
    assert notes.add_tags(catalog, ["ｅ́té"], ids(1)) == {"été": 0}
    assert tagged(catalog, "été") == [1]


@pytest.mark.parametrize("change", [notes.add_tags, notes.remove_tags])
def test_an_unknown_photo_is_an_error_that_changes_nothing(catalog: Catalog, change):
    notes.add_tags(catalog, ["best"], ids(1))
    with pytest.raises(ArchiveError, match="photo 99"):
        change(catalog, ["best", "other"], ids(1, 2, 99))
    assert catalog.tag_counts() == {"best": 1}


def test_tags_go_with_their_photo(catalog: Catalog):
    notes.add_tags(catalog, ["best"], ids(1, 2))
    catalog.remove([1])
    assert catalog.tag_counts() == {"best": 1}


def test_as_many_photos_as_there_are(catalog: Catalog, monkeypatch: pytest.MonkeyPatch):
    """The ways that large sets of photos go give the same."""
    monkeypatch.setattr(notes, "IDS_LOOKED_UP", 2)
    monkeypatch.setattr(lookup, "IDS_IN_A_STATEMENT", 2)
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 2)
    assert notes.add_tags(catalog, ["best"], ids(1, 2, 3, 4, 6)) == {"best": 5}
    with pytest.raises(ArchiveError, match="photo 7"):
        notes.add_tags(catalog, ["best"], ids(1, 2, 7))
    assert notes.remove_tags(catalog, ["best"], ids(1, 3, 4)) == {"best": 3}
    assert tagged(catalog, "best") == [2, 6]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-x",
        ".x",
        "_x",
        "a b",
        "a,b",
        "a:b",
        "a/b",
        "a\n",
        "x" * (NAME_CHARACTERS + 1),
        "#1",
        "a\u200bb",
        "ﷺ",
    ],
)
def test_impossible_names(catalog: Catalog, name: str):
    with pytest.raises(UsageError, match="tag"):
        notes.add_tags(catalog, ["fine", name], ids(1))
    assert catalog.tag_counts() == {}


@pytest.mark.parametrize(
    "name", ["a", "2023", "holiday-2023", "x.y_z", "été", "休暇", "छुट्टी", "x" * NAME_CHARACTERS]
)
def test_possible_names(name: str):
    assert name_key(name, "tag") == name


@given(st.text())
def test_a_key_is_a_name_with_itself_as_key(name: str):
    try:
        key = name_key(name, "tag")
    except UsageError:
        return
    assert name_key(key, "tag") == key
