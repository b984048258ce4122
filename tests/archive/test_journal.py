"""The journal: what is written, when, and what becomes of it where something stops in between."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from dsslic_search.archive import bin, journaling, notes, rating
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.journal import Journal, Place, Stand
from dsslic_search.archive.schema import Tag
from dsslic_search.core.errors import ArchiveError
from tests.archive.conftest import World
from tests.forks import ended, forked

NOW = datetime(2024, 1, 1)
ONE = np.array([1])


def said(path: Path) -> list[dict[str, Any]]:
    """All lines, read without the module's reader: each is its checksum, a space and JSON."""
    found = []
    for line in path.read_bytes().splitlines():
        checksum, _, text = line.partition(b" ")
        assert int(checksum, 16) == zlib.crc32(text)
        found.append(json.loads(text))
    assert [each["n"] for each in found] == list(range(len(found)))
    return found


def known(path: Path) -> dict[tuple[str, str], Any]:
    """What a journal says by now, of each kind and name; a date of paths that were seen goes to their
    rows."""
    facts: dict[tuple[str, str], Any] = {}
    for content in said(path):
        for kind, name, value in content.get("set", ()):
            if kind == "seen":
                for first, last in journaling.bounds(name):
                    for rows in (rows for (k, _), rows in facts.items() if k == "paths"):
                        for row in rows:
                            if first <= row["id"] <= last:
                                row["last_seen"] = value
            elif kind == "photo" and value is None:
                for each in "photo", "paths", "tags":
                    facts.pop((each, name), None)
            elif value is None or value == []:
                facts.pop((kind, name), None)
            else:
                facts[kind, name] = value
    return facts


def in_catalog(archive: Any) -> dict[tuple[str, str], Any]:
    """The same of the catalog, as a journal that is begun anew would say it."""
    with archive.open_catalog() as catalog, catalog.session() as session:
        every = [list(change) for some in journaling.everything(session.connection()) for change in some]
    return {(kind, name): value for kind, name, value in json.loads(json.dumps(every)) if value != []}


def assert_says_all(world: World) -> None:
    assert known(world.archive.journal) == in_catalog(world.archive)
    assert second(world).read_bytes() == world.archive.journal.read_bytes()


def second(world: World) -> Path:
    return world.archive.root / "objects" / "journal.jsonl"


@pytest.fixture
def catalog(three: World) -> Iterator[Catalog]:
    with three.archive.open_catalog() as opened:
        yield opened


def test_each_change_is_a_line_that_says_what_is_known_now(three: World, catalog: Catalog) -> None:
    before = len(said(three.archive.journal))
    notes.add_tags(catalog, ["best", "zoo"], np.array([1, 2]))
    notes.save_query(catalog, "mine", "sky > 0.2")
    rating.rate(catalog, 4, ONE)
    bin.remove(catalog, ONE, NOW)
    notes.remove_tags(catalog, ["best"], ONE)
    notes.forget_query(catalog, "mine")
    lines = said(three.archive.journal)[before:]
    assert len(lines) == 6
    photo = catalog.photo(1)
    assert photo is not None
    assert tuple(lines[0]["set"][0]) == ("tags", photo.content_hash, ["best", "zoo"])
    assert lines[1]["set"] == [["saved", "mine", "sky > 0.2"]]
    assert lines[2]["set"][0][2]["rating"] == 4
    assert lines[3]["set"][0][2]["removed_at"] == NOW.isoformat()
    assert lines[4]["set"] == [["tags", photo.content_hash, ["zoo"]]]
    assert lines[5]["set"] == [["saved", "mine", None]]
    assert_says_all(three)


def test_what_follows_from_the_files_is_not_written(three: World, catalog: Catalog) -> None:
    before = three.archive.journal.read_bytes()
    photo = catalog.photo(1)
    assert photo is not None
    from dsslic_search.archive.reindex import nothing_known

    catalog.replace_features({1: nothing_known()})
    assert three.archive.journal.read_bytes() == before


def test_a_life_of_an_archive_is_in_its_journal(world: World) -> None:
    for name in "a.jpg", "sub/b.jpg", "c.jpg":
        world.photo(name)
    world.photo("a copy.jpg", "a.jpg")
    world.ingest()
    (world.photos / "sub" / "b.jpg").rename(world.photos / "b moved.jpg")
    world.photo("c.jpg", "another")
    world.ingest()
    assert_says_all(world)
    (world.photos / "a.jpg").unlink()
    (world.photos / "a copy.jpg").unlink()
    world.ingest()
    assert_says_all(world)
    with world.archive.open_catalog() as catalog:
        bin.remove(catalog, np.array([1, 2]), NOW)
    assert_says_all(world)
    bin.empty(world.archive, now=NOW, only_copies=True)
    assert_says_all(world)
    assert [line for line in said(world.archive.journal) if line.get("whole")] != []


def test_a_photo_that_replaced_several_can_be_deleted(three: World) -> None:
    """All that its row is named by is noted, each once, though the database does it by itself."""
    from dsslic_search.archive.schema import KnownPath

    three.photo("a copy.jpg", "a.jpg")
    three.ingest()
    with three.archive.open_catalog() as catalog:
        (copied,) = catalog.at_path(three.photos / "a copy.jpg")
        other = next(i for i in (1, 2, 3) if i != copied.id)
        with catalog.changing() as session:
            own = journaling.select(KnownPath).where(KnownPath.photo_id == copied.id)
            rows = list(session.scalars(own))
            assert len(rows) == 2
            for row in rows:
                row.replaced_by = other
        assert_says_all(three)
        bin.remove(catalog, np.array([other]), NOW)
    bin.empty(three.archive, now=NOW, only_copies=True)
    assert_says_all(three)


def test_deleted_photos_are_forgotten(three: World) -> None:
    """Their paths and dates stand in no line any more."""
    with three.archive.open_catalog() as catalog:
        photo = catalog.photo(1)
        assert photo is not None
        bin.remove(catalog, ONE, NOW)
    path = photo.path.encode()
    assert path in three.archive.journal.read_bytes()
    bin.empty(three.archive, now=NOW, only_copies=True)
    assert path not in three.archive.journal.read_bytes()
    assert_says_all(three)


def test_a_photo_without_a_file_is_described_in_it(three: World, catalog: Catalog) -> None:
    from dsslic_search.archive.check import check
    from dsslic_search.archive.repair import repair

    photo = catalog.photo(1)
    assert photo is not None
    three.archive.store.remove(photo.content_hash)
    repair(three.archive, check(three.archive))
    value = known(three.archive.journal)["photo", photo.content_hash]
    assert value["lost_at"]
    assert {"embedding", "regions", "coverages"} <= set(value)
    assert_says_all(three)


def test_an_archive_without_a_journal_gets_one(three: World) -> None:
    three.archive.journal.unlink()
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["best"], ONE)
    assert_says_all(three)
    three.archive.journal.unlink()
    with sqlite3.connect(three.archive.root / "catalog.sqlite") as plain:
        plain.execute("DELETE FROM setting WHERE name = 'journal'")
    plain.close()
    with three.archive.writing():
        pass
    assert_says_all(three)
    assert not list(three.archive.root.glob("journal.*.jsonl"))


def test_a_change_that_fails_leaves_it_as_it_was(three: World, catalog: Catalog) -> None:
    before = three.archive.journal.read_bytes()
    with pytest.raises(RuntimeError), catalog.noting() as session:
        session.execute(delete(Tag))
        session.execute(insert(Tag).values(name="x", photo_id=1))
        raise RuntimeError
    assert three.archive.journal.read_bytes() == before
    notes.add_tags(catalog, ["later"], ONE)
    assert_says_all(three)


def test_a_journal_that_cannot_be_written_takes_the_change_back(
    three: World, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = three.archive.journal.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArchiveError, match=r"journal\.jsonl: cannot be written \(No space left .*free some"):
        notes.add_tags(catalog, ["best"], ONE)
    monkeypatch.undo()
    assert three.archive.journal.read_bytes() == before
    assert catalog.tag_counts() == {}


def kill_in(archive: ArchiveFolder, name: str, opened: Callable[[], Any]) -> None:
    """A process that tags a photo is killed after it called a function of its journal."""
    plain = getattr(Journal, name)

    def killed(self: Journal, *more: Any) -> None:
        plain(self, *more)
        os.kill(os.getpid(), signal.SIGKILL)

    def tag() -> None:
        setattr(Journal, name, killed)
        with opened() as catalog:
            notes.add_tags(catalog, ["never"], ONE)

    assert ended(tag, archive.root) == -signal.SIGKILL


def test_a_kill_between_journal_and_commit_is_cut_off_by_the_next_change(three: World) -> None:
    kill_in(three.archive, "append", three.archive.open_catalog)
    assert "never" in str(known(three.archive.journal))
    with three.archive.open_catalog() as catalog:
        assert catalog.tag_counts() == {}
        notes.add_tags(catalog, ["best"], ONE)
    assert "never" not in str(known(three.archive.journal))
    assert_says_all(three)


def test_a_kill_after_it_was_begun_anew_leaves_nothing_aside(three: World) -> None:
    with three.archive.open_catalog() as catalog:
        photo = catalog.photo(1)
        assert photo is not None
    with sqlite3.connect(three.archive.root / "catalog.sqlite") as plain:
        plain.execute("UPDATE setting SET value = replace(value, ' 0', ' 1') WHERE name = 'journal'")
    plain.close()
    kill_in(three.archive, "begin", three.archive.writing)
    with three.archive.writing():
        pass
    assert_says_all(three)
    assert not list(three.archive.root.glob("journal.*.jsonl"))


def test_a_second_one_that_cannot_be_written_takes_the_change_back(three: World, catalog: Catalog) -> None:
    before = three.archive.journal.read_bytes()
    second(three).unlink()
    second(three).mkdir()
    with pytest.raises(ArchiveError, match=r"objects/journal\.jsonl: cannot be .*; check the disk"):
        notes.add_tags(catalog, ["best"], ONE)
    assert three.archive.journal.read_bytes() == before
    assert catalog.tag_counts() == {}
    second(three).rmdir()
    notes.add_tags(catalog, ["best"], ONE)
    assert_says_all(three)


@pytest.mark.parametrize("how", ["missing", "cut", "another's", "more"])
def test_a_second_one_that_does_not_go_on_becomes_a_copy_again(three: World, how: str) -> None:
    """And is kept aside where it may say something that the first does not."""
    whole = second(three).read_bytes()
    others = {
        "cut": whole[: len(whole) // 2],
        "another's": whole.replace(b'"journal":"', b'"journal":"x'),
        "more": whole + whole.splitlines(keepends=True)[-1] * 2,
    }
    if how == "missing":
        second(three).unlink()
    else:
        second(three).write_bytes(others[how])
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["best"], ONE)
    assert_says_all(three)
    aside = [each.read_bytes() for each in second(three).parent.glob("journal.*.jsonl")]
    assert aside == ([others[how]] if how in ("another's", "more") else [])


@pytest.mark.parametrize("torn", [1, 5, 20])
def test_a_torn_line_is_left_out_and_cut_off(three: World, torn: int) -> None:
    with three.archive.open_catalog() as catalog, catalog.session() as session:
        place = journaling.stated(session.connection())
    path = three.archive.journal
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines(keepends=True)[-1][:torn])
    assert place is not None
    assert Journal(path).stand(place) is Stand.UNFINISHED
    assert [line.end for line in Journal(path).lines()][-1] == len(whole)
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["best"], ONE)
    assert path.read_bytes().startswith(whole)
    assert_says_all(three)


@pytest.mark.parametrize("what", ["cut", "other", "no header", "more", "exchanged end"])
def test_a_journal_that_is_not_the_catalogs_is_kept_aside(three: World, what: str, tmp_path: Path) -> None:
    path = three.archive.journal
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    others = {
        "cut": whole[: len(whole) // 2],
        "other": lines[0].replace(lines[0][-18:-2], b"0" * 16) + b"".join(lines[1:]),
        "no header": b"\n" + whole,
        "more": whole + lines[-1] * 2,
        "exchanged end": whole[:-1] + b"x" + b"\n",
    }
    path.write_bytes(others[what])
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["best"], ONE)
    assert_says_all(three)
    (aside,) = three.archive.root.glob("journal.*.jsonl")
    assert aside.read_bytes() == others[what]


def test_a_restored_catalog_keeps_the_later_journal_aside(three: World) -> None:
    file = three.archive.root / "catalog.sqlite"
    with closing(sqlite3.connect(file)) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    earlier = file.read_bytes()
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["one"], ONE)
        notes.add_tags(catalog, ["two"], ONE)
    later = three.archive.journal.read_bytes()
    file.write_bytes(earlier)
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["three"], ONE)
    assert_says_all(three)
    assert [each.read_bytes() for each in three.archive.root.glob("journal.*.jsonl")] == [later]


def test_a_journal_of_a_newer_version_is_left_alone(three: World) -> None:
    path = three.archive.journal
    lines = path.read_bytes().splitlines(keepends=True)
    text = lines[0][9:-1].replace(b'"version":1', b'"version":2')
    path.write_bytes(b"%08x %s\n" % (zlib.crc32(text), text) + b"".join(lines[1:]))
    before = path.read_bytes()
    with three.archive.open_catalog() as catalog:
        with pytest.raises(ArchiveError, match=r"journal\.jsonl: made by a newer dsslic-search"):
            notes.add_tags(catalog, ["best"], ONE)
        assert catalog.tag_counts() == {}
    assert path.read_bytes() == before


def test_a_long_journal_is_begun_anew(three: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsslic_search.archive.journal.SHED_BYTES", 0)
    with three.archive.open_catalog() as catalog:
        for number in range(60):
            notes.save_query(catalog, "mine", f"sky > 0.{number:02} " + "and tree " * 20, replace=True)
    long = three.archive.journal.stat().st_size
    with three.archive.writing():
        pass
    assert three.archive.journal.stat().st_size < long / 4
    assert_says_all(three)


def add_tags(archive: ArchiveFolder, name: str, many: int, _say: object) -> None:
    with archive.open_catalog() as catalog:
        for number in range(many):
            notes.add_tags(catalog, [f"{name}{number}"], np.array([1 + number % 3]))


def test_several_writers_at_once(three: World) -> None:
    with ExitStack() as running:
        works = [partial(add_tags, three.archive, name, 15) for name in "abc"]
        others = [running.enter_context(forked(work, three.archive.root)) for work in works]
        three.photo("d.jpg")
        three.ingest()
        assert [each.wait() for each in others] == [0, 0, 0]
    assert_says_all(three)
    assert sum(len(v) for (kind, _), v in known(three.archive.journal).items() if kind == "tags") == 45
    assert not list(three.archive.root.glob("journal.*.jsonl"))


def test_its_permissions_are_those_that_the_user_asks_for(world: World) -> None:
    world.photo("a.jpg")
    before = os.umask(0o027)
    try:
        world.ingest()
    finally:
        os.umask(before)
    assert world.archive.journal.stat().st_mode & 0o777 == 0o640


def test_another_database_has_none(world: World, tmp_path: Path) -> None:
    """Of any file that is opened as a catalog by itself, no journal is kept."""
    with Catalog.open(tmp_path / "plain.sqlite", create=True) as catalog:
        notes.save_query(catalog, "mine", "sky")
        catalog.tend_journal()
    assert [path.name for path in tmp_path.glob("*.jsonl")] == []


@given(st.sets(st.integers(0, 300)))
def test_ranges(numbers: set[int]) -> None:
    if numbers:
        text = journaling.ranges(numbers)
        assert {n for first, last in journaling.bounds(text) for n in range(first, last + 1)} == numbers


def test_what_a_catalog_says_of_it() -> None:
    for shed, older in product([False, True], repeat=2):
        place = Place("0123456789abcdef", 12, 3456, 78, shed, older)
        assert Place.read(str(place)) == place
        assert place.is_long == (shed or older)
    for wrong in (None, "", "a b", "a 1 2 3 4 5", "a 1 2 x 0", "a 1 -2 3 0"):
        assert Place.read(wrong) is None


def test_no_journal_is_ours_without_a_place(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.stand(None) is Stand.BEHIND
    place = journal.begin(None, [])
    assert journal.stand(None) is Stand.OTHER
    assert journal.stand(place) is Stand.IN_STEP
    shutil.copy(journal.path, tmp_path / "kept")
    more = journal.append(place, [("saved", "a", "sky")])
    assert journal.stand(more) is Stand.IN_STEP
    assert journal.stand(place) is Stand.UNFINISHED
    assert [line.content for line in journal.lines()][-1] == {"n": 2, "set": [["saved", "a", "sky"]]}


@pytest.mark.parametrize(
    ("how", "said", "read_data"),
    [
        ("sound", "", True),
        ("unfinished", "", True),
        ("missing", "missing, or shorter than the catalog says", False),
        ("cut", "missing, or shorter than the catalog says", False),
        ("another's", "not the journal of this catalog, or of another past", False),
        ("flipped", "", False),
        ("flipped", "a line is damaged or missing", True),
    ],
)
@pytest.mark.parametrize("which", ["first", "second"])
def test_check_tells_of_a_journal_and_repair_begins_it_anew(
    three: World, how: str, said: str, read_data: bool, which: str
) -> None:
    from dsslic_search.archive.check import check
    from dsslic_search.archive.findings import Problem
    from dsslic_search.archive.repair import repair

    path = three.archive.journal if which == "first" else second(three)
    whole = path.read_bytes()
    others = {
        "unfinished": whole + b"0123",
        "cut": whole[:-9],
        "another's": whole.replace(b'"journal":"', b'"journal":"x'),
        "flipped": whole.replace(b'"camera"', b'"camerb"', 1),
    }
    if how == "missing":
        path.unlink()
    elif how in others:
        path.write_bytes(others[how])
    found = check(three.archive, read_data)
    assert [(each.what, each.where, each.detail) for each in found] == (
        [(Problem.JOURNAL, str(path), said)] if said else []
    )
    if found:
        assert repair(three.archive, found) == found
    assert check(three.archive, read_data) == []
    if said or how == "sound":
        assert_says_all(three)


def test_check_beside_a_writer_finds_nothing_in_it(three: World) -> None:
    from dsslic_search.archive.check import check

    with forked(partial(add_tags, three.archive, "t", 40), three.archive.root) as running:
        while running.poll() is None:
            assert check(three.archive, read_data=True) == []
        assert running.wait() == 0


def test_the_lines_of_one_begun_anew_are_its_own(tmp_path: Path) -> None:
    """A kill between the new journal and the commit that names it: the catalog still says the place that it
    had in the old one, which was longer."""
    journal = Journal(tmp_path / "journal.jsonl")
    place = journal.begin(None, [[("photo", str(number), None)] for number in range(9)])
    journal.begin(place, [[("photo", "0", None)]])
    assert journal.stand(place) is Stand.ANEW
    assert journal.damaged_lines(place) == 0
    data = bytearray(journal.path.read_bytes())
    data[data.index(b'"photo"') + 1] ^= 1
    journal.path.write_bytes(data)
    assert journal.damaged_lines(place) == 1


@pytest.mark.parametrize("table", ["photo", "path", "tag", "saved_query", "setting", "purged"])
def test_many_rows_of_one_transaction_are_noted_in_steps_that_rise_with_them(
    table: str, tmp_path: Path
) -> None:
    """Ten times as many rows take about ten times as many steps of SQLite's machine."""

    def steps(rows: int) -> int:
        counted = 0

        def count() -> int:
            nonlocal counted
            counted += 1
            return 0

        where = tmp_path / f"{rows}.sqlite"
        Catalog.open(where, create=True).close()
        with closing(sqlite3.connect(where, isolation_level=None)) as connection:
            for statement in journaling._FOLLOW:
                connection.execute(statement)
            told = connection.execute(f"PRAGMA table_info({table})").fetchall()
            names = [name for _, name, _, due, default, key in told if (due and default is None) or key]
            connection.execute("BEGIN")
            connection.set_progress_handler(count, 10)
            given = ", ".join("?" * len(names))
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({given})",
                [[number] * len(names) for number in range(1, rows + 1)],
            )
            # every column that is noted, so that each row is
            changed = ", ".join(f"{name} = {name}" for _, name, *_ in told)
            connection.execute(f"UPDATE {table} SET {changed}")
            connection.execute(f"DELETE FROM {table}")
            noted = connection.execute("SELECT count(*) FROM touched").fetchone()[0]
            connection.execute("ROLLBACK")
        assert noted >= rows
        return counted

    assert steps(1000) < 15 * steps(100)
