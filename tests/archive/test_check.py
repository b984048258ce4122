from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dsslic_search.archive.check import check, repair
from dsslic_search.errors import ArchiveError


@pytest.fixture
def filled(world: Any) -> Any:
    for i in range(4):
        world.photo(f"{i}.jpg")
    world.ingest()
    return world


def first_file(world: Any) -> Path:
    with world.archive.open_catalog() as catalog:
        return world.archive.store.path_of(catalog.photo(1).content_hash)


def test_a_sound_archive(filled: Any) -> None:
    assert check(filled.archive) == []
    assert check(filled.archive, read_data=True) == []


def test_a_missing_file_is_found_and_forgotten_when_asked(filled: Any) -> None:
    path = first_file(filled)
    path.unlink()
    (problem,) = check(filled.archive)
    assert (problem.kind, problem.subject, problem.photo_id) == ("missing", path.stem, 1)
    assert "photo 1 (" in problem.message
    assert "check --repair" in problem.message
    assert repair(filled.archive, [problem]) == [problem]
    assert check(filled.archive) == []
    filled.assert_whole(3)
    assert filled.ingest().added == 1
    filled.assert_whole(4)


def test_a_file_that_came_back_is_not_forgotten(filled: Any) -> None:
    path = first_file(filled)
    data = path.read_bytes()
    path.unlink()
    problems = check(filled.archive)
    path.write_bytes(data)
    assert repair(filled.archive, problems) == []
    filled.assert_whole(4)


def test_a_file_without_a_photo_is_found_and_kept(filled: Any) -> None:
    filled.archive.store.write("ab" * 32, b"something")
    problems = check(filled.archive)
    assert [(p.kind, p.subject) for p in problems] == [("orphan", "ab" * 32)]
    assert repair(filled.archive, problems) == []
    assert filled.archive.store.read("ab" * 32) == b"something"


def test_leftovers_are_found_and_removed_when_asked(filled: Any) -> None:
    path = first_file(filled).with_name(".x.dsslic.0123.tmp")
    path.write_bytes(b"half")
    problems = check(filled.archive)
    assert [(p.kind, p.subject) for p in problems] == [("leftover", str(path))]
    assert path.exists()
    assert repair(filled.archive, problems) == problems
    assert not path.exists()


def test_a_changed_byte_is_found_wherever_it_is(filled: Any) -> None:
    path = first_file(filled)
    sound = path.read_bytes()
    for position in range(0, len(sound), 3):
        path.write_bytes(sound[:position] + bytes([sound[position] ^ 1]) + sound[position + 1 :])
        (problem,) = check(filled.archive, read_data=True)
        assert (problem.kind, problem.photo_id) == ("damaged", 1)
        header = position < len(sound) - 48  # the label map is 6×8 plain bytes here
        assert bool(check(filled.archive)) == header
    assert repair(filled.archive, [problem]) == []


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + b"\0", lambda d: b""])
def test_every_changed_length_is_found(filled: Any, change: Any) -> None:
    path = first_file(filled)
    path.write_bytes(change(path.read_bytes()))
    (problem,) = check(filled.archive)
    assert problem.kind == "damaged"
    assert "bytes instead of" in problem.message


def test_a_file_of_another_photo_is_found(filled: Any) -> None:
    with filled.archive.open_catalog() as catalog, catalog.changing() as session:
        session.execute(text("UPDATE photo SET map_bytes = map_bytes - 1 WHERE id = 1"))
    (problem,) = check(filled.archive)
    assert "does not fit the catalog" in problem.message


def test_rows_of_no_photo_are_found(filled: Any) -> None:
    with filled.archive.open_catalog() as catalog:
        raw = catalog.engine.raw_connection()
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("DELETE FROM photo WHERE id = 1")
        raw.close()
        catalog.close()
    (problem,) = check(filled.archive)
    assert problem.kind == "catalog"
    assert "photos that are not there" in problem.message


def test_structural_check_reads_headers_alone(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dsslic_search.archive.store import Store

    monkeypatch.setattr(Store, "read", lambda *_: pytest.fail("read a whole file"))
    asked: list[int] = []
    real = Store.read_prefix
    monkeypatch.setattr(Store, "read_prefix", lambda s, h, n, **more: (asked.append(n), real(s, h, n, **more))[1])
    assert check(filled.archive) == []
    assert len(asked) == 8
    assert max(asked) < 100


def test_repair_waits_for_no_ingest(filled: Any) -> None:
    with filled.archive.writing(), pytest.raises(ArchiveError, match="another ingest is running"):
        repair(filled.archive, [])


def test_no_archive(world: Any) -> None:
    with pytest.raises(ArchiveError, match="no archive there"):
        check(world.archive)
