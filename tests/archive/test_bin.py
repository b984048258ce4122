from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event, select

from dsslic_search.archive import bin
from dsslic_search.archive.check import check
from dsslic_search.archive.findings import Kind
from dsslic_search.archive.notes import add_tags, tags_of
from dsslic_search.archive.repair import repair
from dsslic_search.archive.schema import Photo, Purged
from dsslic_search.archive.store import Store
from dsslic_search.core.errors import ArchiveError

NOW = datetime(2024, 5, 1, 12)
ALL = np.array([1, 2, 3, 4])


@pytest.fixture
def filled(world: Any) -> Any:
    for i in range(4):
        world.photo(f"{i}.jpg")
        world.ingest(world.photos / f"{i}.jpg")
    return world


def states(world: Any) -> dict[int, str]:
    with world.archive.open_catalog() as catalog, catalog.session() as session:
        return dict(session.execute(select(Photo.id, Photo.state)).all())


def test_removed_photos_keep_all_they_have_and_come_back(filled: Any) -> None:
    with filled.archive.open_catalog() as catalog:
        add_tags(catalog, ["best"], np.array([2]))
        generation = catalog.generation()
        assert bin.remove(catalog, np.array([2, 4]), NOW, dry_run=True) == bin.Moved((2, 4), ())
        assert (bin.binned(catalog), catalog.generation()) == ([], generation)
        assert bin.remove(catalog, np.array([2, 4]), NOW) == bin.Moved((2, 4), ())
        assert bin.remove(catalog, np.array([1, 2]), NOW + timedelta(1)) == bin.Moved((1,), (2,))
        assert [(each.id, each.removed_at) for each in bin.binned(catalog)] == [
            (1, NOW + timedelta(1)),
            (2, NOW),
            (4, NOW),
        ]
        assert catalog.generation() == generation + 2
        assert tags_of(catalog, 2) == ["best"]
    assert states(filled) == {1: "removed", 2: "removed", 3: "here", 4: "removed"}
    filled.assert_whole(4)
    assert check(filled.archive, read_data=True) == []
    with filled.archive.open_catalog() as catalog:
        assert bin.restore(catalog, np.array([2, 3])) == bin.Moved((2,), (3,))
        assert bin.restore(catalog, None) == bin.Moved((1, 4), ())
        assert bin.restore(catalog, None) == bin.Moved((), ())
        assert tags_of(catalog, 2) == ["best"]
    assert states(filled) == dict.fromkeys((1, 2, 3, 4), "here")


def test_an_unknown_id_changes_nothing(filled: Any) -> None:
    with filled.archive.open_catalog() as catalog:
        generation = catalog.generation()
        for move in (lambda ids: bin.remove(catalog, ids, NOW), lambda ids: bin.restore(catalog, ids)):
            with pytest.raises(ArchiveError, match="photo 9: no such id"):
                move(np.array([1, 9]))
        assert catalog.generation() == generation
    assert states(filled) == dict.fromkeys((1, 2, 3, 4), "here")


def test_many_photos_are_moved_in_as_many_statements_as_few(filled: Any) -> None:
    with filled.archive.open_catalog() as catalog:
        said: list[str] = []
        event.listen(
            catalog.engine, "before_cursor_execute", lambda _c, _u, statement, *_: said.append(statement)
        )
        told = []
        for ids in ([1], [1, 2, 3, 4]):
            bin.remove(catalog, np.array(ids), NOW)
            bin.restore(catalog, None)
            told.append(len(said))
            said.clear()
        assert told[1] <= told[0]


def test_a_bin_is_used_while_another_writes(filled: Any) -> None:
    """Rows alone change; to empty it is for the one who writes."""
    with filled.archive.writing():
        with filled.archive.open_catalog() as catalog:
            bin.remove(catalog, ALL, NOW)
            bin.restore(catalog, np.array([1]))
        with pytest.raises(ArchiveError, match="is writing to"):
            bin.empty(filled.archive, now=NOW)
    assert states(filled) == {1: "here", 2: "removed", 3: "removed", 4: "removed"}


def bytes_of(world: Any, *ids: int) -> int:
    with world.archive.open_catalog() as catalog:
        return sum(catalog.photo(i).stored_bytes for i in ids)


def test_emptying_deletes_what_is_old_enough(filled: Any) -> None:
    with filled.archive.open_catalog() as catalog:
        bin.remove(catalog, np.array([1]), NOW - timedelta(days=30))
        bin.remove(catalog, np.array([2]), NOW - timedelta(days=29, hours=23))
        content_hash = catalog.photo(1).content_hash
    size = bytes_of(filled, 1)
    for dry_run in (True, False):
        told = bin.empty(filled.archive, now=NOW, older_than=timedelta(days=30), dry_run=dry_run)
        assert told == bin.Emptied((1,), size, (), dry_run)
    filled.assert_whole(3)
    with filled.archive.open_catalog() as catalog, catalog.session() as session:
        assert bin.is_purged(catalog, content_hash)
        assert not bin.is_purged(catalog, "f" * 64)
        assert session.get(Purged, content_hash).purged_at == NOW
    with filled.archive.open_catalog() as catalog, catalog.changing() as session:
        bin.unpurge(session, content_hash)
    with filled.archive.open_catalog() as catalog:
        assert not bin.is_purged(catalog, content_hash)
    assert check(filled.archive) == []


@pytest.mark.parametrize(
    ("what", "stays"),
    [
        ("nothing", False),
        ("gone", True),
        ("shorter", True),
        ("another time", True),
        ("a folder", True),
        ("a hard link", False),
        ("moved, as is known", False),
        ("moved, as nobody knows", True),
    ],
)
def test_the_only_copy_of_an_original_stays_unless_asked(filled: Any, what: str, stays: bool) -> None:
    with filled.archive.open_catalog() as catalog:
        original = Path(catalog.photo(1).path)
        (row,) = catalog.photo(1).paths
        with catalog.changing() as session:  # as one who has looked knows it
            session.merge(row).modified_ns = original.stat().st_mtime_ns
        bin.remove(catalog, np.array([1]), NOW)
    other = original.with_name("moved.jpg")
    match what:
        case "gone":
            original.unlink()
        case "shorter":
            original.write_bytes(b"PHOTO")
        case "another time":
            os.utime(original, ns=(1, 1))
        case "a folder":
            original.unlink()
            original.mkdir()
        case "a hard link":
            os.link(original, other)
            original.unlink()
            other.rename(original)
        case "moved, as is known":
            original.rename(other)
            with filled.archive.open_catalog() as catalog, catalog.changing() as session:
                session.merge(row).path = str(other)
        case "moved, as nobody knows":
            original.rename(other)
    told = bin.empty(filled.archive, now=NOW)
    assert (told.deleted, told.kept) == (((), (1,)) if stays else ((1,), ()))
    filled.assert_whole(4 if stays else 3)
    told = bin.empty(filled.archive, now=NOW, only_copies=True)
    assert (told.deleted, told.kept) == ((1,) if stays else (), ())
    filled.assert_whole(3)


@pytest.mark.parametrize("mends", ["emptying", "repair"])
def test_what_an_interrupted_emptying_leaves_is_deleted_later(
    filled: Any, monkeypatch: pytest.MonkeyPatch, mends: str
) -> None:
    class Killed(BaseException):
        pass

    def killed(store: Store, content_hash: str) -> int:
        raise Killed

    with filled.archive.open_catalog() as catalog:
        bin.remove(catalog, np.array([1, 2]), NOW)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Store, "remove", killed)
        bin.empty(filled.archive, now=NOW)
    assert states(filled) == {2: "removed", 3: "here", 4: "here"}
    assert len(list(filled.archive.store.hashes())) == 4
    (found,) = check(filled.archive)
    assert found.kind == Kind.LEFTOVER
    if mends == "repair":
        assert repair(filled.archive, [found]) == [found]
        assert len(list(filled.archive.store.hashes())) == 3
    assert bin.empty(filled.archive, now=NOW).deleted == (2,)
    assert check(filled.archive) == []
    filled.assert_whole(2)
