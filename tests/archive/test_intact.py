"""Whatever value of a catalog changes behind SQLite's back is found by a check, in any table and column, and
so is what changes in the definitions of its tables and triggers."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import numpy as np
import pytest

from dsslic_search import Archive
from dsslic_search.archive import bin
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.check import check
from dsslic_search.archive.findings import Problem
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.journaling import JOURNAL_SETTING
from dsslic_search.archive.rebuild import rebuild
from dsslic_search.archive.repair import repair
from dsslic_search.archive.schema import Base
from dsslic_search.archive.sums import COLUMNS, SUM
from dsslic_search.core.errors import ArchiveError, DSSError, Remedy
from tests.archive.conftest import World
from tests.archive.test_rebuild import NOW, answers, facts

pytestmark = pytest.mark.usefixtures("readable_maps")

TABLES = (*Base.metadata.tables, "alembic_version")
HARMLESS = {("journal", "begun"), ("journal", "why")}
"""Of what the catalog says of its journal: when that is begun anew, which keeps all of it."""


@pytest.fixture
def lived(tagged: World) -> World:
    """Rows in every table: a copy, a photo that replaced another, one in the bin, one deleted for good."""
    tagged.photo("copy.jpg", "a.jpg")
    tagged.photo("b.jpg", "edited")
    tagged.photo("d.jpg")
    tagged.ingest()
    with tagged.archive.open_catalog() as catalog:
        (gone,) = [photo.id for photo in catalog.photos(range(9)) if photo.path.endswith("d.jpg")]
        bin.remove(catalog, np.array([gone]), NOW)
        bin.empty(tagged.archive, now=NOW, only_copies=True)
        bin.remove(catalog, np.array([3]), NOW)
    with closing(sqlite3.connect(tagged.archive.root / "catalog.sqlite")) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return tagged


@pytest.mark.parametrize("table", TABLES)
def test_a_value_that_changes_is_found(lived: World, table: str) -> None:
    """Of the last row of each table, of each setting; NULL becomes a value, too."""
    assert check(lived.archive, read_data=True) == []
    whole = (lived.archive.root / "catalog.sqlite").read_bytes()
    with closing(sqlite3.connect(lived.archive.root / "catalog.sqlite")) as plain:
        columns = [row[1] for row in plain.execute(f"PRAGMA table_info({table})")]
        rows = plain.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid DESC").fetchall()
    wrong = []
    for row_id, *values in rows if table == "setting" else rows[:1]:
        for column, value in zip(columns, values, strict=True):
            words = table == "setting" and column == "value" and values[0] == JOURNAL_SETTING
            for what, changed in each_word(value) if words else [(column, other(value))]:
                put(lived.archive, whole, table, row_id, column, changed)
                if is_found(lived.archive) == ((values[0], what) in HARMLESS):
                    wrong.append((values[0], what, value))
    assert rows
    assert wrong == []


def each_word(value: str) -> Iterator[tuple[str, str]]:
    """What a catalog says of its journal, with another word in it, after the name of that."""
    words = value.split()
    for at, what in enumerate(("name", "lines", "length", "begun", "why")):
        yield what, " ".join([*words[:at], other(words[at]), *words[at + 1 :]])


def put(archive: ArchiveFolder, whole: bytes, table: str, row_id: int, column: str, value: Any) -> None:
    """A value into the table, not into the indexes that it has a say of, as a bit that flips there."""
    path = archive.root / "catalog.sqlite"
    for each in archive.root.glob("catalog.sqlite*"):
        each.unlink()
    path.write_bytes(whole)
    of_table = "FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL"
    with closing(sqlite3.connect(path)) as plain:
        hidden = plain.execute(f"SELECT rowid, * {of_table}", (table,)).fetchall()
    change(archive, *(f"DELETE FROM sqlite_master WHERE rowid = {row}" for row, *_ in hidden))
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("PRAGMA synchronous = OFF")
        plain.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row_id))
        plain.execute("PRAGMA writable_schema = ON")
        columns = "(rowid, type, name, tbl_name, rootpage, sql)"
        plain.executemany(f"INSERT INTO sqlite_master {columns} VALUES (?, ?, ?, ?, ?, ?)", hidden)
        plain.commit()


def other(value: Any) -> Any:
    """One bit of it changed, or something where nothing was."""
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "a"
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1]) if value else b"a"
    return 1 if value is None else value + 2 if isinstance(value, float) else value ^ 64


def change(archive: ArchiveFolder, *statements: str) -> None:
    with closing(sqlite3.connect(archive.root / "catalog.sqlite")) as plain:
        plain.executescript("PRAGMA synchronous = OFF; PRAGMA writable_schema = ON")
        for statement in statements:
            plain.execute(statement)
        plain.commit()


def is_found(archive: ArchiveFolder) -> bool:
    try:
        return bool(check(archive, read_data=True))
    except DSSError as error:
        return bool(str(error))


@pytest.mark.parametrize("column", [COLUMNS[0], SUM])
def test_what_is_said_of_label_maps_is_found_at_once_and_mended(tagged: World, column: str) -> None:
    before, said = facts(tagged.archive), answers(tagged.archive)
    with closing(sqlite3.connect(tagged.archive.root / "catalog.sqlite")) as plain:
        (value,) = plain.execute(f"SELECT {column} FROM photo WHERE id = 2").fetchone()
        plain.execute(f"UPDATE photo SET {column} = ? WHERE id = 2", (other(value),))
        plain.commit()
    (found,) = check(tagged.archive)
    assert (found.what, found.photo_id) == (Problem.DESCRIBED_OTHERWISE, 2)
    assert repair(tagged.archive, [found]) == [found]
    assert check(tagged.archive, read_data=True) == []
    assert (facts(tagged.archive), answers(tagged.archive)) == (before, said)


def test_what_is_said_of_a_lost_photo_comes_back_from_the_journal(tagged: World) -> None:
    """It has no file to be described anew from."""
    with tagged.archive.open_catalog() as catalog:
        (photo,) = catalog.photos([2])
    tagged.archive.store.path_of(photo.content_hash).unlink()
    assert repair(tagged.archive, check(tagged.archive))
    before = facts(tagged.archive)
    change(tagged.archive, "UPDATE photo SET coverages = x'00' WHERE id = 2")
    (found,) = check(tagged.archive)
    assert found.what is Problem.DATABASE
    assert "photo 2" in found.detail
    assert repair(tagged.archive, [found]) == []
    rebuild(tagged.archive)
    assert facts(tagged.archive) == before
    assert check(tagged.archive, read_data=True) == []


OF_TRIGGERS = "UPDATE sqlite_master SET sql = replace(sql, '{}', '{}') WHERE type = 'trigger'"


@pytest.mark.parametrize(
    "statement",
    [
        OF_TRIGGERS.format("= ''generation''", "= ''feneration''"),
        OF_TRIGGERS.format("UPDATE OF photo_id", "UPDATE OF id"),
        "UPDATE sqlite_master SET name = 'qhoto_added', sql = replace(sql, 'photo_added', 'qhoto_added') "
        "WHERE name = 'photo_added'",
        "UPDATE sqlite_master SET sql = replace(sql, 'VARCHAR(16)', 'VARCHAR(17)') WHERE name = 'photo'",
        "UPDATE sqlite_master SET sql = replace(sql, 'CASCADE', 'RESTRICT') WHERE name = 'tag'",
        "UPDATE setting SET value = 'x' WHERE name = 'generation'",
        "DELETE FROM setting WHERE name = 'journal'",
        "UPDATE alembic_version SET version_num = '0012'",
    ],
)
def test_tables_and_triggers_that_are_not_as_written_are_found_and_made_anew(
    tagged: World, statement: str
) -> None:
    before = facts(tagged.archive)
    change(tagged.archive, statement)
    assert is_found(tagged.archive)
    rebuild(tagged.archive, journal=tagged.archive.journal if "journal" in statement else None)
    assert facts(tagged.archive) == before
    assert check(tagged.archive, read_data=True) == []


def test_what_others_added_is_no_fault(tagged: World) -> None:
    change(
        tagged.archive,
        "CREATE TABLE mine (photo_id INTEGER)",
        "CREATE INDEX mine_too ON photo (camera)",
        "CREATE VIEW more AS SELECT id FROM photo",
        "ALTER TABLE photo ADD COLUMN own TEXT",
    )
    assert check(tagged.archive, read_data=True) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE tag SET photo_id = '' WHERE photo_id = 3", "UPDATE photo SET words = ''"]
)
def test_values_of_another_kind_are_told(tagged: World, statement: str) -> None:
    change(tagged.archive, statement)
    with Archive(tagged.archive.root) as archive, suppress(ArchiveError):
        archive.query("everything")
        archive.query("tag:best")
    assert is_found(tagged.archive)


def test_a_count_of_changes_that_is_none_is_told(tagged: World) -> None:
    change(tagged.archive, "UPDATE setting SET value = '1x' WHERE name = 'generation'")
    with (
        Archive(tagged.archive.root) as archive,
        pytest.raises(ArchiveError, match=re.escape(Remedy.REBUILD)),
    ):
        archive.query("everything")
    with Catalog.open(tagged.archive.root / "catalog.sqlite") as catalog, pytest.raises(ArchiveError):
        catalog.state()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("photo", "taken_at", 2**62),
        ("photo", "taken_at", "'today'"),
        ("photo", "added_at", -(2**62)),
        ("path", "last_seen", 2**62),
    ],
)
def test_dates_that_are_none_are_told_and_come_back(
    tagged: World, table: str, column: str, value: object
) -> None:
    before = facts(tagged.archive)
    change(tagged.archive, f"UPDATE {table} SET {column} = {value} WHERE id = 2")
    with Archive(tagged.archive.root) as archive:
        for ask in archive.statistics, lambda: archive.query("everything").hits, lambda: archive.photo(2):
            with suppress(ArchiveError):
                ask()
    assert is_found(tagged.archive)
    rebuild(tagged.archive)
    assert facts(tagged.archive) == before
