"""Originals of mode reference that are away, as a check finds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dsslic_search.archive.check import check
from dsslic_search.archive.findings import Finding, Kind, Problem
from dsslic_search.archive.repair import repair


@pytest.fixture
def filled(world: Any) -> Any:
    """By reference: three photos in a folder, one of them at a second path, and one elsewhere."""
    for name in ("in/a.jpg", "in/b.jpg", "in/c.jpg", "z.jpg"):
        world.photo(name)
    world.photo("copy.jpg", "in/a.jpg")
    world.ingest(keep="reference")
    return world


def found(world: Any, **more: Any) -> list[Finding]:
    return check(world.archive, **more)


def test_originals_that_are_where_they_should_be(filled: Any) -> None:
    assert found(filled) == found(filled, read_data=True) == []


def test_an_original_that_is_at_none_of_its_paths(filled: Any) -> None:
    path = filled.photos / "z.jpg"
    path.rename(filled.photos / "moved.jpg")
    (each,) = found(filled)
    assert (each.what, each.kind) == (Problem.ORIGINAL_AWAY, Kind.ORIGINAL)
    assert (each.where, each.photo_path) == (str(path), str(path))
    assert repair(filled.archive, [each]) == []
    filled.ingest(keep="reference")
    assert found(filled) == []


def test_one_that_is_still_at_another_path_is_no_problem(filled: Any) -> None:
    (filled.photos / "in" / "a.jpg").unlink()
    assert found(filled) == []
    (filled.photos / "copy.jpg").unlink()
    assert [each.what for each in found(filled)] == [Problem.ORIGINAL_AWAY]


def test_what_was_lost_is_told_until_it_is_back(filled: Any) -> None:
    path = filled.photos / "z.jpg"
    content = path.read_bytes()
    path.unlink()
    filled.ingest(keep="reference")
    assert [each.what for each in found(filled)] == [Problem.ORIGINAL_AWAY]
    path.write_bytes(b"PHOTO of another kind")
    filled.ingest(keep="reference")
    assert [each.what for each in found(filled)] == [Problem.ORIGINAL_AWAY]  # a photo of its own
    path.write_bytes(content)
    filled.ingest(keep="reference")
    assert found(filled) == []


def test_a_folder_that_is_not_there_is_told_once(filled: Any) -> None:
    folder = filled.photos / "in"
    folder.rename(filled.photos / "away")
    (each,) = found(filled)
    assert (each.what, each.where, each.photos) == (Problem.ORIGINALS_AWAY, str(folder), 2)
    assert each.photo_id is None


def test_one_that_changed_is_told_by_its_size_or_by_its_bytes(filled: Any) -> None:
    path = filled.photos / "z.jpg"
    was = path.read_bytes()
    path.write_bytes(was[:-1] + b"?")
    assert found(filled) == []
    (each,) = found(filled, read_data=True)
    assert (each.what, each.where) == (Problem.ORIGINAL_CHANGED, str(path))
    path.write_bytes(was + b"longer")
    assert [each.what for each in found(filled)] == [Problem.ORIGINAL_CHANGED]
    filled.ingest(keep="reference")
    assert found(filled) == []


def test_photos_of_other_modes_need_no_original(world: Any) -> None:
    path: Path = world.photo("a.jpg")
    world.ingest(keep="exact")
    path.unlink()
    assert found(world) == []
