"""Answers of archives whose catalog or indexes were copied, exchanged or lost are those without any index."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from dsslic_search.api import Archive
from dsslic_search.archive.folder import ArchiveFolder
from tests.archive.conftest import World

QUERIES = ("all photos", "sky", "sort:path", "most sky", "no sky", "sort:-name")


def told(root: Path) -> list[Any]:
    with Archive(root) as archive:
        results = [archive.query(text, limit=None) for text in QUERIES]
        return [(each.total, [(hit.id, hit.score, hit.path) for hit in each]) for each in results]


def assert_right(root: Path, apart: Path) -> None:
    """``apart``: a folder that is not there."""
    asked = told(root)
    shutil.copytree(root, apart, ignore=shutil.ignore_patterns("index"))
    assert asked == told(apart)
    shutil.rmtree(apart)


@pytest.fixture
def filled(world: World) -> World:
    for number in range(5):
        world.photo(f"{number}.jpg")
    world.ingest()
    return world


def without_catalog(root: Path) -> None:
    for path in root.glob("catalog.sqlite*"):
        path.unlink()


def test_restored_then_changed_another_way_and_an_older_folder_put_back(
    filled: World, tmp_path: Path
) -> None:
    root, aside, apart = filled.archive.root, tmp_path / "aside", tmp_path / "apart"
    assert_right(root, apart)
    shutil.copytree(root, aside)
    filled.photo("one.jpg")
    filled.ingest()
    assert_right(root, apart)
    without_catalog(root)
    for path in aside.glob("catalog.sqlite*"):
        shutil.copy(path, root)
    assert_right(root, apart)
    (filled.photos / "one.jpg").unlink()
    for name in ("other.jpg", "more.jpg"):
        filled.photo(name)
        filled.ingest()
        assert_right(root, apart)
    shutil.rmtree(root / "index")
    shutil.copytree(aside / "index", root / "index")
    assert_right(root, apart)


def test_exchanged_and_made_again(filled: World, tmp_path: Path) -> None:
    (tmp_path / "others").mkdir()
    other = World(tmp_path / "others", ArchiveFolder(tmp_path / "other"))
    for number in range(7):
        other.photo(f"x{number}.jpg")
    other.ingest()
    roots, apart = (filled.archive.root, other.archive.root), tmp_path / "apart"
    for root in roots:
        assert_right(root, apart)
    (roots[0] / "index").rename(tmp_path / "index")
    (roots[1] / "index").rename(roots[0] / "index")
    (tmp_path / "index").rename(roots[1] / "index")
    for root in roots:
        assert_right(root, apart)
    without_catalog(roots[0])
    filled.archive.journal.unlink()
    shutil.rmtree(roots[0] / "objects")  # else it is lost, and not begun anew
    filled.ingest()
    assert_right(roots[0], apart)


def test_a_file_where_the_folder_should_be(filled: World, tmp_path: Path) -> None:
    (filled.archive.root / "index").write_text("a file")
    assert_right(filled.archive.root, tmp_path / "apart")


def test_asked_while_photos_come(filled: World) -> None:
    """Each answer is of one committed state."""
    totals: list[int] = []
    trouble: list[BaseException] = []
    ended = threading.Event()

    def ask() -> None:
        try:
            with Archive(filled.archive.root) as archive:
                while not ended.is_set():
                    result = archive.query("all photos", limit=None)
                    assert result.total == len({hit.id for hit in result})
                    totals.append(result.total)
        except BaseException as error:
            trouble.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    for number in range(4):
        filled.photo(f"new {number}.jpg")
        filled.ingest()
    ended.set()
    asking.join()
    assert not trouble
    assert totals == sorted(totals)
    assert set(totals) <= set(range(5, 10))
