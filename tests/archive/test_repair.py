"""Photos that are set apart while their file is missing or damaged, and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.archive import bin
from dsslic_search.archive.catalog import utc_now
from dsslic_search.archive.check import check
from dsslic_search.archive.findings import Kind, Problem
from dsslic_search.archive.notes import add_tags, tags_of
from dsslic_search.archive.repair import repair, take_back
from tests.archive.conftest import dsslic_of


@pytest.fixture
def lost(world: Any) -> Any:
    """Four photos, of which the first, which has a tag, is set apart, since its file was away."""
    for i in range(4):
        world.photo(f"{i}.jpg")
        world.ingest(world.photos / f"{i}.jpg")
    with world.archive.open_catalog() as catalog:
        add_tags(catalog, ["best"], np.array([1]))
    file_of(world).rename(away(world))
    assert repair(world.archive, check(world.archive))
    assert state(world) == ("lost", ["best"])
    return world


def file_of(world: Any) -> Path:
    with world.archive.open_catalog() as catalog:
        return world.archive.store.path_of(catalog.photo(1).content_hash)


def away(world: Any) -> Path:
    return world.photos.parent / "away.dsslic"


def state(world: Any) -> tuple[str, list[str]]:
    with world.archive.open_catalog() as catalog:
        return catalog.photo(1).state, tags_of(catalog, 1)


def test_a_file_that_is_back_is_found_and_taken_up(lost: Any) -> None:
    assert check(lost.archive, read_data=True) == []
    away(lost).rename(file_of(lost))
    (found,) = check(lost.archive)
    assert (found.what, found.kind, found.photo_id) == (Problem.RETURNED, Kind.RETURNED, 1)
    assert (found.where, found.photo_path) == (str(file_of(lost)), str(lost.photos / "0.jpg"))
    assert state(lost)[0] == "lost"
    assert repair(lost.archive, [found]) == [found]
    assert state(lost) == ("here", ["best"])
    assert check(lost.archive, read_data=True) == []
    lost.assert_whole(4)


def test_a_file_that_went_again_is_not_taken_up(lost: Any) -> None:
    away(lost).rename(file_of(lost))
    found = check(lost.archive)
    file_of(lost).rename(away(lost))
    assert repair(lost.archive, found) == []
    assert state(lost) == ("lost", ["best"])


def test_its_original_brings_a_photo_back_with_its_tags(lost: Any) -> None:
    assert lost.ingest().updated == 1
    assert state(lost) == ("here", ["best"])
    assert check(lost.archive, read_data=True) == []
    lost.assert_whole(4)


@pytest.mark.parametrize("what", ["damaged", "of another photo"])
def test_a_file_that_comes_back_wrong_stays_apart(lost: Any, what: str) -> None:
    data = away(lost).read_bytes()
    if what == "damaged":
        file_of(lost).write_bytes(data[:-3])
    else:
        file_of(lost).write_bytes(dsslic_of(b"PHOTOof another size")[:-1])
    assert check(lost.archive) == []
    with lost.archive.writing() as catalog:
        assert take_back(catalog, lost.archive.store) == []
    assert state(lost) == ("lost", ["best"])
    file_of(lost).write_bytes(data)
    with lost.archive.writing() as catalog:
        assert take_back(catalog, lost.archive.store) == [1]
        assert take_back(catalog, lost.archive.store) == []
    assert state(lost) == ("here", ["best"])


def test_a_damaged_file_that_was_set_aside_stays_beside(lost: Any) -> None:
    data = away(lost).read_bytes()
    beside = file_of(lost).with_name(file_of(lost).name + ".damaged")
    beside.write_bytes(b"damaged")
    file_of(lost).write_bytes(data)
    assert len(repair(lost.archive, check(lost.archive))) == 1
    assert beside.read_bytes() == b"damaged"


def test_a_lost_photo_in_the_bin_is_removed_until_it_is_restored(lost: Any) -> None:
    with lost.archive.open_catalog() as catalog:
        bin.remove(catalog, np.array([1]), utc_now())
        assert catalog.photo(1).state == "removed"
        bin.restore(catalog, None)
    assert state(lost) == ("lost", ["best"])
    with lost.archive.open_catalog() as catalog:
        bin.remove(catalog, np.array([1]), utc_now())
    assert bin.empty(lost.archive, now=utc_now(), only_copies=True).deleted == (1,)
    assert check(lost.archive) == []
    lost.assert_whole(3)
