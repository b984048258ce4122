"""What is told while a catalog is brought up to date, and of a file that could not be made smaller then."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import MetaData, insert

from dsslic_search.archive import database, updating
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.database import for_writing, make_engine, upgrade, url_of

PHOTOS = 30
PHOTO = {
    "modified_at": datetime(2020, 1, 2), "added_at": datetime(2021, 1, 1), "path": "/a.jpg", "file_size": 1,
    "format": "JPEG", "width": 4, "height": 3, "keep": "layers", "quality": 75, "stored_bytes": 9,
    "map_bytes": 3, "vocabulary": "ab", "segmenter": "cd", "embedding": b"",
}  # fmt: skip


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A catalog of before, with pages as SQLite chooses them."""
    path = tmp_path / "catalog.sqlite"
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA page_size = 4096")
        made.execute("CREATE TABLE alembic_version (version_num)")
    engine = make_engine(url_of(path), foreign_keys=False)
    upgrade(engine, "0009")
    tables = MetaData()
    tables.reflect(engine)
    photos = [PHOTO | {"id": i, "content_hash": f"{i:064x}"} for i in range(1, PHOTOS + 1)]
    with for_writing(engine).begin() as connection:
        connection.execute(insert(tables.tables["photo"]), photos)
    engine.dispose()
    return path


@pytest.fixture
def sentences() -> Iterator[list[str]]:
    told: list[str] = []
    with updating.watched(updating.Watcher(say=told.append)):
        yield told


def page_bytes(path: Path) -> int:
    with closing(sqlite3.connect(path)) as found:
        return int(found.execute("PRAGMA page_size").fetchone()[0])


def test_rows_are_counted_as_they_are_converted(old: Path) -> None:
    counts: list[list[tuple[int, int]]] = []

    @contextmanager
    def begun() -> Iterator[updating.Progress]:
        counts.append([])
        yield lambda done, total: counts[-1].append((done, total))

    with updating.watched(updating.Watcher(begun)):
        Catalog.open(old).close()
        Catalog.open(old).close()  # nothing is left to be done
    packed, fewer, summed = counts
    assert packed == [(PHOTOS, PHOTOS)]
    assert [done for done, _ in fewer] == [PHOTOS, 2 * PHOTOS, 3 * PHOTOS]  # regions, dates, hashes
    assert {total for _, total in fewer} == {3 * PHOTOS}
    assert summed == [(PHOTOS, PHOTOS)]


def test_nobody_needs_to_watch(old: Path) -> None:
    with Catalog.open(old) as catalog:
        assert catalog.count() == PHOTOS


def test_much_work_is_told_first(old: Path, monkeypatch: pytest.MonkeyPatch, sentences: list[str]) -> None:
    Catalog.open(old).close()
    assert sentences == []
    monkeypatch.setattr(updating, "MANY_ROWS", 7)
    with updating.counting(6), updating.counting(7):
        pass
    assert len(sentences) == 1
    assert "7 rows" in sentences[0]


def test_a_file_that_others_have_open_is_made_smaller_later(old: Path, sentences: list[str]) -> None:
    with closing(sqlite3.connect(old, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN")
        other.execute("SELECT * FROM photo").fetchall()
        for _ in range(2):  # told once
            Catalog.open(old).close()
            assert page_bytes(old) == 4096
            assert len(sentences) == 1
        assert "could not be made smaller" in sentences[0]
    Catalog.open(old, change=False).close()
    assert page_bytes(old) == 4096
    Catalog.open(old).close()
    assert page_bytes(old) == database.PAGE_BYTES
    with Catalog.open(old) as catalog:
        assert catalog.count() == PHOTOS
    assert len(sentences) == 1


def test_a_disk_that_is_nearly_full_is_not_filled(
    old: Path, monkeypatch: pytest.MonkeyPatch, sentences: list[str]
) -> None:
    full = shutil.disk_usage(old.parent)._replace(free=old.stat().st_size)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _path: full)
        Catalog.open(old).close()
        Catalog.open(old).close()
    assert page_bytes(old) == 4096
    assert len(sentences) == 1
    assert f"{full.free} bytes are free" in sentences[0]
    Catalog.open(old).close()
    assert page_bytes(old) == database.PAGE_BYTES
