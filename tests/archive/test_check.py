from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dsslic_search.api.archive import Archive
from dsslic_search.archive.check import check
from dsslic_search.archive.findings import Kind, Problem
from dsslic_search.archive.lock import locked
from dsslic_search.archive.repair import repair
from dsslic_search.archive.schema import Photo
from dsslic_search.archive.stored import Fault
from dsslic_search.archive.sums import COLUMNS, SUM, sum_of_stored
from dsslic_search.codec import container
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.files import TEMPORARY
from dsslic_search.features.scene import WITHOUT_GROUPS, plain
from tests.archive.conftest import dsslic_of


@pytest.fixture
def filled(world: Any) -> Any:
    for i in range(4):
        world.photo(f"{i}.jpg")
    world.ingest()
    return world


def first_file(world: Any) -> Path:
    with world.archive.open_catalog() as catalog:
        return world.archive.store.path_of(catalog.photo(1).content_hash)


def first_original(world: Any) -> Path:
    """Which of the photos was encoded first differs from run to run."""
    with world.archive.open_catalog() as catalog:
        return Path(catalog.photo(1).path)


def lost(world: Any) -> list[int]:
    """The photos that are set apart."""
    with world.archive.open_catalog() as catalog, catalog.session() as session:
        return list(session.scalars(select(Photo.id).where(Photo.state == "lost")))


def test_a_sound_archive(filled: Any) -> None:
    assert check(filled.archive) == []
    assert check(filled.archive, read_data=True) == []


def test_a_photo_whose_file_is_missing_is_set_apart_when_asked(filled: Any) -> None:
    path, original = first_file(filled), str(first_original(filled))
    path.unlink()
    (found,) = check(filled.archive)
    assert (found.what, found.kind) == (Fault.MISSING, Kind.MISSING)
    assert (found.where, found.content_hash, found.photo_id) == (str(path), path.stem, 1)
    assert found.photo_path == original
    assert repair(filled.archive, [found]) == [found]
    assert check(filled.archive) == []
    assert lost(filled) == [1]
    assert filled.ingest().updated == 1
    assert lost(filled) == []
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
    assert [(p.what, p.kind, p.content_hash) for p in problems] == [
        (Problem.NO_PHOTO, Kind.ORPHAN, "ab" * 32)
    ]
    assert repair(filled.archive, problems) == []
    assert filled.archive.store.read("ab" * 32) == b"something"


def test_leftovers_are_found_and_removed_when_asked(filled: Any) -> None:
    path = first_file(filled).with_name(".x.dsslic.0123.tmp")
    path.write_bytes(b"half")
    problems = check(filled.archive)
    assert [(p.what, p.kind, p.where) for p in problems] == [(Problem.LEFTOVER, Kind.LEFTOVER, str(path))]
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
    path.write_bytes(sound)
    assert repair(filled.archive, [problem]) == []  # looked at again
    filled.assert_whole(4)


@pytest.mark.parametrize("where", [60, -1])
def test_a_damaged_file_and_its_photo_are_set_apart_when_asked(filled: Any, where: int) -> None:
    path = first_file(filled)
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)
    (problem,) = check(filled.archive, read_data=True)
    assert (problem.what, problem.only_copy) == (Fault.INVALID, False)
    assert ("checksum" in problem.detail) or ("header" in problem.detail)
    assert repair(filled.archive, [problem]) == [problem]
    assert not path.exists()
    assert path.with_name(path.name + ".damaged").read_bytes() == data
    assert lost(filled) == [1]
    assert filled.ingest().updated == 1
    assert lost(filled) == []
    assert check(filled.archive, read_data=True) == []


@pytest.mark.parametrize("where", [60, -1])
def test_a_damaged_file_that_may_hold_the_only_original_is_kept(filled: Any, where: int) -> None:
    assert filled.ingest(keep="exact").updated == 4
    path = first_file(filled)
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)
    (problem,) = check(filled.archive, read_data=True)
    assert problem.only_copy
    assert repair(filled.archive, [problem]) == []
    assert path.read_bytes() == data
    path.unlink()  # as the command line advises
    assert filled.ingest(keep="exact").updated == 1
    assert check(filled.archive, read_data=True) == []


@pytest.mark.parametrize("says_exact", ["row", "file"])
def test_a_file_that_row_or_header_call_exact_is_kept(filled: Any, says_exact: str) -> None:
    """An ingest that stopped between file and row leaves either of them behind, and either may be right."""
    path = first_file(filled)
    original = first_original(filled).read_bytes()
    if says_exact == "file":
        data = bytearray(dsslic_of(original, EncodeOptions(quality=60, keep="exact")))
    else:
        data = bytearray(path.read_bytes())
        with filled.archive.open_catalog() as catalog, catalog.changing() as session:
            session.execute(text("UPDATE photo SET keep = 'exact' WHERE id = 1"))
    data[-1] ^= 1
    path.write_bytes(data)
    (problem,) = check(filled.archive, read_data=True)
    assert (problem.what, problem.photo_id, problem.only_copy) == (Fault.INVALID, 1, True)
    assert repair(filled.archive, [problem]) == []
    assert path.read_bytes() == data
    filled.assert_whole(4)


def test_a_file_that_was_kept_otherwise_when_it_was_checked_is_looked_at_again(filled: Any) -> None:
    path = first_file(filled)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    (problem,) = check(filled.archive, read_data=True)
    assert not problem.only_copy
    assert filled.ingest(keep="exact").updated == 4
    kept = bytearray(path.read_bytes())
    kept[-1] ^= 1
    path.write_bytes(kept)
    assert repair(filled.archive, [problem]) == []
    assert path.read_bytes() == kept


def test_what_a_newer_version_may_have_written_is_kept(filled: Any) -> None:
    path = first_file(filled)
    data = bytearray(path.read_bytes())
    data[8] = container.VERSION + 1
    path.write_bytes(data)
    (problem,) = check(filled.archive)
    assert (problem.what, problem.kind) == (Fault.UNREADABLE, Kind.DAMAGED)
    assert "upgrade dsslic-search" in problem.detail
    assert repair(filled.archive, [problem]) == []
    report = filled.ingest()
    assert (report.present, len(report.failed)) == (3, 1)
    assert path.read_bytes() == data


def test_what_the_disk_does_not_give_is_kept(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = first_file(filled)
    real = os.open

    def failing(name: Any, *more: Any, **others: Any) -> int:
        if str(name) == str(path):
            raise OSError(5, "Input/output error")
        return real(name, *more, **others)

    with monkeypatch.context() as m:
        m.setattr(os, "open", failing)
        (problem,) = check(filled.archive)
        assert repair(filled.archive, [problem]) == []
    assert problem.what is Fault.UNREADABLE
    assert "Input/output error" in problem.detail
    filled.assert_whole(4)


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + b"\0", lambda d: b""])
def test_every_changed_length_is_found(filled: Any, change: Any) -> None:
    path = first_file(filled)
    sound = path.read_bytes()
    path.write_bytes(change(sound))
    (problem,) = check(filled.archive)
    assert (problem.what, problem.kind) == (Fault.WRONG_LENGTH, Kind.DAMAGED)
    assert (problem.actual_bytes, problem.expected_bytes) == (len(change(sound)), len(sound))


def test_a_file_of_another_photo_is_found(filled: Any) -> None:
    assert filled.ingest(keep="reference").updated == 4
    path = first_file(filled)
    with filled.archive.open_catalog() as catalog:
        other = catalog.photo(2)
    with filled.archive.open_catalog() as catalog, catalog.changing() as session:
        session.execute(text("UPDATE photo SET map_bytes = map_bytes - 1 WHERE id = 1"))
    path.write_bytes(filled.archive.store.read(other.content_hash))
    (problem,) = check(filled.archive)
    assert (problem.what, problem.kind, problem.photo_id) == (Fault.OTHER_PHOTO, Kind.DAMAGED, 1)


@pytest.mark.usefixtures("readable_maps")
@pytest.mark.parametrize("read_data", [False, True])
def test_a_row_that_an_interrupted_ingest_left_behind_is_mended(filled: Any, read_data: bool) -> None:
    wanted = rows(filled)
    with filled.archive.open_catalog() as catalog, catalog.changing() as session:
        session.execute(
            text(
                "UPDATE photo SET stored_bytes = 1, map_bytes = 1, keep = 'reference', quality = 3 WHERE id "
                "= 2"
            )
        )
        session.execute(
            text(
                "UPDATE photo SET vocabulary = 'v', segmenter = 's', embedding = x'65', coverages = x'' "
                "WHERE id = 2"
            )
        )
        sum_anew(session)
    (problem,) = check(filled.archive, read_data)
    assert (problem.what, problem.kind) == (Fault.OUTDATED_ROW, Kind.OUTDATED)
    assert problem.photo_id == 2
    assert repair(filled.archive, [problem]) == [problem]
    assert check(filled.archive, read_data) == []
    assert rows(filled) == wanted


def test_a_row_whose_file_cannot_be_described_stays(filled: Any) -> None:
    with filled.archive.open_catalog() as catalog, catalog.changing() as session:
        session.execute(text("UPDATE photo SET quality = 3 WHERE id = 2"))
    problems = check(filled.archive)
    assert repair(filled.archive, problems) == []  # the label map is none that the real codec reads
    assert check(filled.archive) == problems


def test_what_an_ingest_changes_meanwhile_is_no_problem(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import dsslic_search.archive.check as module

    real, calls = module.examine, iter(range(100))

    def examine(*args: Any) -> Any:
        if next(calls) == 1:
            assert filled.ingest(quality=80).updated == 4
            with filled.archive.open_catalog() as catalog:
                catalog.remove([3])
            filled.archive.store.path_of(gone).unlink()
        return real(*args)

    with filled.archive.open_catalog() as catalog:
        gone = catalog.photo(3).content_hash
    monkeypatch.setattr(module, "examine", examine)
    assert check(filled.archive) == []


def test_a_file_whose_row_is_about_to_be_written_is_no_problem(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dsslic_search.archive.check as module

    store, slept = filled.archive.store, []
    content_hash = "ab" * 32
    began = store.path_of(content_hash).with_name(f"x{TEMPORARY}")

    def written(_seconds: float) -> None:
        slept.append(began.exists())
        if len(slept) == 2:
            store.remove(content_hash)
        elif len(slept) == 4:
            began.unlink()

    monkeypatch.setattr(module.time, "sleep", written)
    store.write(content_hash, b"a photo")
    began.write_bytes(b"a ph")
    with locked(filled.archive.root):
        assert check(filled.archive) == []
    assert slept == [True] * 4
    store.write(content_hash, b"a photo")
    del slept[:]
    (problem,) = check(filled.archive)  # nobody is at work
    assert (problem.what, slept) == (Problem.NO_PHOTO, [])


def rows(world: Any) -> list[Any]:
    with world.archive.open_catalog() as catalog:
        found = [catalog.photo(i) for i in (1, 2, 3, 4)]
    names = [c.key for c in found[0].__table__.columns]
    return [
        ([getattr(p, n) for n in names], sorted((c.class_id, c.fraction) for c in p.coverages)) for p in found
    ]


def test_rows_of_no_photo_are_found(filled: Any) -> None:
    with filled.archive.open_catalog() as catalog:
        raw = catalog.engine.raw_connection()
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("DELETE FROM photo WHERE id = 1")
        raw.close()
        catalog.close()
    (problem,) = check(filled.archive)
    assert (problem.what, problem.kind) == (Problem.ROWS_OF_NO_PHOTO, Kind.CATALOG)


def sum_anew(session: Session) -> None:
    """Give rows the checksums of what they say, as the migration does."""
    for photo_id, *values in session.execute(text(f"SELECT id, {', '.join(COLUMNS)} FROM photo")).all():
        made = {"id": photo_id, "sum": sum_of_stored(*values)}
        session.execute(text(f"UPDATE photo SET {SUM} = :sum WHERE id = :id"), made)


def test_photos_of_an_older_version_are_to_be_described_anew(filled: Any) -> None:
    with filled.archive.writing() as catalog, catalog.changing() as session:
        session.execute(text("UPDATE photo SET regions = NULL WHERE id < 4"))
        sum_anew(session)
    (problem,) = check(filled.archive)
    assert (problem.what, problem.kind) == (Problem.EARLIER_DESCRIPTIONS, Kind.CATALOG)
    assert (problem.photo_id, problem.photos) == (None, 3)
    assert repair(filled.archive, [problem]) == []


def test_photos_whose_regions_are_of_an_older_format_are_to_be_described_anew(filled: Any) -> None:
    with filled.archive.writing() as catalog, catalog.changing() as session:
        for photo_id, stored in session.execute(text("SELECT id, regions FROM photo WHERE id < 3")).all():
            older = {"id": photo_id, "regions": bytes([WITHOUT_GROUPS]) + plain([stored])[0][1:]}
            session.execute(text("UPDATE photo SET regions = :regions WHERE id = :id"), older)
        sum_anew(session)
    (problem,) = check(filled.archive)
    assert (problem.what, problem.photos) == (Problem.EARLIER_DESCRIPTIONS, 2)


def test_structural_check_reads_headers_alone(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dsslic_search.archive.store import Store

    monkeypatch.setattr(Store, "read", lambda *_: pytest.fail("read a whole file"))
    asked: list[int] = []
    real = Store.read_prefix
    monkeypatch.setattr(
        Store, "read_prefix", lambda s, h, n, **more: (asked.append(n), real(s, h, n, **more))[1]
    )
    assert check(filled.archive) == []
    assert len(asked) == 8
    assert max(asked) < 100


def test_repair_waits_for_no_ingest(filled: Any) -> None:
    with filled.archive.writing(), pytest.raises(ArchiveError, match="is writing to it since"):
        repair(filled.archive, [])


def test_no_archive(world: Any) -> None:
    with pytest.raises(ArchiveError, match="no archive there"):
        check(world.archive)


def test_damaged_files_of_indexes_are_found_when_all_is_read(filled: Any) -> None:
    with Archive(filled.archive.root) as archive:
        before = [hit.id for hit in archive.find("sky or no sky").hits]
    assert check(filled.archive, read_data=True) == []
    files = sorted(filled.archive.index.iterdir())
    assert len(files) > 2
    for path in files:
        stored = bytearray(path.read_bytes())
        stored[len(stored) // 2] ^= 1
        path.write_bytes(stored)
    assert check(filled.archive) == []  # caches: not looked into unless all is read
    found = check(filled.archive, read_data=True)
    assert [each.what for each in found] == [Problem.INDEX_DAMAGED] * len(files)
    assert [Path(each.where) for each in found] == files
    assert repair(filled.archive, found) == found
    assert not any(filled.archive.index.iterdir())
    assert check(filled.archive, read_data=True) == []
    with Archive(filled.archive.root) as archive:
        assert [hit.id for hit in archive.find("sky or no sky").hits] == before


@pytest.mark.parametrize("kept", [0, 5, 100], ids="{} bytes".format)
def test_files_of_indexes_that_are_cut_short_are_damaged(filled: Any, kept: int) -> None:
    with Archive(filled.archive.root) as archive:
        archive.find("sky")
    path = next(filled.archive.index.glob("*.coverage"))
    path.write_bytes(path.read_bytes()[:kept])
    assert [Path(each.where) for each in check(filled.archive, read_data=True)] == [path]


def test_a_sample_is_another_each_time(filled: Any) -> None:
    for path in filled.archive.root.glob("objects/*/*.dsslic"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert check(filled.archive, read_data=True, sample=0) == []
    met: set[str] = set()
    tries = 0
    while len(met) < 4 and tries < 300:
        tries += 1
        found = check(filled.archive, read_data=True, sample=40)
        assert {each.what for each in found} <= {Fault.INVALID}
        met |= {each.where for each in found}
    assert len(met) == 4
    assert len(check(filled.archive, read_data=True)) == 4
