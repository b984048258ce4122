"""Looking things up without SQLAlchemy: the same answers as with it, and nothing out of the ordinary."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import selectinload

from dsslic_search.archive import lookup, notes, paths
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import MapFeatures
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.lookup import LookedUp, Lookup, SQLiteLookup, Totals, open_lookup
from dsslic_search.archive.paths import FileThere
from dsslic_search.archive.revisions import head_revision, revisions
from dsslic_search.archive.schema import KnownPath, Photo, Setting
from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.fields import NAMED
from tests.forks import ended

Row = Callable[..., Photo]
Features = Callable[[int], MapFeatures]


def nobody() -> Lookup:
    raise AssertionError("this had to be read without SQLAlchemy")


def make(path: Path, photo_row: Row, features: Features, seed: int, count: int) -> None:
    """A catalog of photos with all kinds of facts, some of which are gone again, with tags and settings."""
    random = np.random.default_rng(seed)
    with Catalog.open(path, create=True) as catalog:
        for digit in "0123456789abcdef"[:count]:
            facts = {
                "path": f"/photos/é {digit} ☃.jpg",
                "lens": random.choice([None, "", "Σ 18-35 ''", "50mm; --"]),
                "taken_at": random.choice(
                    [None, datetime(2020, 5, 17, 1, 2, 3), datetime(1999, 1, 1, 0, 0, 0, 7)]
                ),
                "title": random.choice([None, "Été"]),
                "description": random.choice([None, None, "海"]),
                "latitude": random.choice([None, -0.5, 90.0]),
                "width": int(random.integers(1, 60_000)),
                "height": int(random.integers(1, 60_000)),
                "file_size": int(random.integers(1, 2**40)),
            }
            catalog.add(photo_row(digit, **facts), features(int(random.integers(1000))))
        for name in ("sea", "best", "old"):
            notes.add_tags(catalog, [name], np.arange(1, int(random.integers(0, count + 1)) + 1))
        catalog.remove([int(i) for i in random.integers(1, 20, 2)])
        with catalog.noting() as session:
            session.execute(insert(Setting).values(name="facts read", value="lens 'quoted' :name %s"))


@pytest.fixture(scope="module", params=[(0, 0), (1, 1), (2, 7), (3, 16)], ids=str)
def path(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    photo_row: Row,
    features: Features,
) -> Path:
    """A catalog that tests only read."""
    made = tmp_path_factory.mktemp("catalog") / "a b?%#é.sqlite"
    make(made, photo_row, features, *request.param)
    return made


@pytest.fixture(scope="module")
def catalog(path: Path) -> Iterator[Catalog]:
    with Catalog.open(path) as opened:
        yield opened


@pytest.fixture(params=["sqlite3", "SQLAlchemy"])
def reader(request: pytest.FixtureRequest, catalog: Catalog, path: Path) -> Iterator[Lookup]:
    """Both ways to run the same SQL; what the tests expect is asked of SQLAlchemy's own tables."""
    where = path if request.param == "sqlite3" else f"sqlite:///{path}"
    opened = open_lookup(path, nobody) if where is path else open_lookup(where, lambda: catalog)
    assert isinstance(opened, SQLiteLookup if where is path else Catalog)
    yield opened
    opened.close()


def test_settings_and_counts(reader: Lookup, catalog: Catalog) -> None:
    with catalog.session() as session:
        photos = session.scalars(select(Photo)).all()
        settings = {each.name: each.value for each in session.scalars(select(Setting))}
    assert reader.settings() == settings
    assert settings["facts read"] == "lens 'quoted' :name %s"
    assert str(reader.generation()) == settings["generation"]
    assert reader.count() == len(photos)
    assert reader.totals() == Totals(
        sum(p.file_size for p in photos),
        sum(p.stored_bytes for p in photos),
        sum(p.map_bytes for p in photos),
        sum(p.width * p.height for p in photos),
        {name: sum(getattr(p, name) is not None for p in photos) for name in ("title", "description")},
    )
    with catalog.snapshot() as snapshot:
        assert snapshot.totals(snapshot.photo_ids()) == reader.totals()
        assert snapshot.generation == reader.generation()
    counts = Counter(tag for p in photos for tag in notes.tags_of(catalog, p.id))
    assert list(reader.tag_counts().items()) == sorted(counts.items(), key=lambda each: (-each[1], each[0]))


@pytest.mark.parametrize("exported", [("lens",), ("taken", "lens", "width", "path"), ()])
@pytest.mark.parametrize("classes", [(), (3,), (0, 1, 4, 40)])
def test_photos_with_the_facts_and_classes_that_are_shown(
    reader: Lookup,
    catalog: Catalog,
    exported: tuple[str, ...],
    classes: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lookup, "EXPORTED", {name: NAMED[name].columns[0] for name in exported})
    asked = [5, 1, 99, 2, 16, *range(1000, 1400)]
    with catalog.session() as session:
        photos = session.scalars(select(Photo)).all()
    there = [p for p in photos if p.id in asked]
    assert reader.look_up(asked, classes) == LookedUp(
        {p.id: (p.path, {n: getattr(p, NAMED[n].columns[0].name) for n in exported}) for p in there},
        {(p.id, c.class_id): c for p in there for c in p.coverages if c.class_id in classes},
        {p.id: (p.path,) for p in there},
        {p.id: p.stored_words for p in there if p.stored_words is not None},
    )
    assert reader.look_up([], classes) == LookedUp({}, {}, {}, {})


def test_all_paths_at_which_photos_lie_come_with_them(reader: Lookup, catalog: Catalog) -> None:
    with catalog.session() as session:
        chosen = session.scalars(select(Photo).options(selectinload(Photo.paths)).limit(3)).all()
    seen_at = datetime(2022, 1, 1)
    with catalog.changing() as session:
        for photo in chosen:
            for name in ("z", "b", "gone"):
                there = FileThere(Path(f"/copies/{name}{photo.id}.jpg"), 1, 1)
                paths.seen(session, photo.id, there, seen_at)
        ended = select(KnownPath.id).where(KnownPath.path.startswith("/copies/gone"))
        paths.gone(session, list(session.scalars(ended)), seen_at)
    found = reader.look_up([photo.id for photo in chosen], ()).paths
    with catalog.changing() as session:
        session.execute(delete(KnownPath).where(KnownPath.path.startswith("/copies/")))
    assert found == {
        photo.id: (photo.path, f"/copies/z{photo.id}.jpg", f"/copies/b{photo.id}.jpg") for photo in chosen
    }


@pytest.mark.parametrize("count", [0, 1, 500, 501, 1234])
def test_ids_come_in_batches_that_one_statement_can_take(count: int) -> None:
    parts = list(lookup.batches(np.arange(count)))
    assert [i for part in parts for i in part] == list(range(count))
    assert all(0 < len(part) <= lookup.IDS_IN_A_STATEMENT for part in parts)
    assert len(parts) == -(-count // lookup.IDS_IN_A_STATEMENT)
    assert list(lookup.batches(list(range(count)))) == parts


# One catalog of three photos.


@pytest.fixture
def three(tmp_path: Path, photo_row: Row, features: Features) -> ArchiveFolder:
    folder = ArchiveFolder(tmp_path / "archive")
    with folder.writing(create=True) as made:
        for number, digit in enumerate("abc"):
            made.add(photo_row(digit), features(number))
    return folder


def sqlite_of(folder: ArchiveFolder) -> Path:
    assert isinstance(folder.catalog, Path)
    return folder.catalog


def test_the_rows_of_several_statements_are_of_one_moment(three: ArchiveFolder) -> None:
    count = "SELECT count(*) FROM photo"
    with Catalog.open(three.catalog) as other:
        connection = lookup.ready(sqlite_of(three))
        assert connection is not None
        connection.create_function("meanwhile", 0, lambda: other.remove([2]))
        with closing(SQLiteLookup(connection, nobody)) as reader:
            assert reader.rows(count, "SELECT meanwhile()", count) == [[(3,)], [(1,)], [(3,)]]
            assert reader.rows(count) == [[(2,)]]
            assert reader.generation() == other.generation() == 4


def test_threads_read_while_another_program_writes(
    three: ArchiveFolder, photo_row: Row, features: Features
) -> None:
    seen: list[list[int]] = []
    with closing(three.open_lookup(nobody)) as reader, Catalog.open(three.catalog) as writer:

        def read() -> None:
            asked = reader.rows(
                "SELECT count(*) FROM photo", "SELECT value FROM setting WHERE name = 'generation'"
            )
            seen.append([int(rows[0][0]) for rows in asked])

        threads = [threading.Thread(target=lambda: [read() for _ in range(50)]) for _ in range(3)]
        for thread in threads:
            thread.start()
        for digit in "0123456789":
            writer.add(photo_row(digit), features(1))
        for thread in threads:
            thread.join()
        read()
    assert len(seen) == 151
    assert all(count == generation for count, generation in seen)
    assert seen[-1] == [13, 13]


def test_nothing_is_left_beside_the_catalog_and_a_closed_one_leaves_it_to_the_other(
    three: ArchiveFolder,
) -> None:
    before = sorted(three.root.iterdir())
    with Catalog.open(three.catalog) as whole:
        reader = three.open_lookup(lambda: whole)
        reader.close()
        reader.close()
        assert reader.count() == 3
    assert sorted(three.root.iterdir()) == before


def test_bulk_is_for_the_other(three: ArchiveFolder) -> None:
    with (
        Catalog.open(three.catalog) as whole,
        closing(three.open_lookup(lambda: whole)) as reader,
        reader.snapshot() as snapshot,
    ):
        assert snapshot.photo_ids().tolist() == [1, 2, 3]
        assert snapshot.generation == reader.generation()


def test_sqlalchemy_is_not_loaded(three: ArchiveFolder) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from dsslic_search.archive.folder import ArchiveFolder\n"
        "from dsslic_search.archive.terms import require_current\n"
        "reader = ArchiveFolder(Path(sys.argv[1])).open_lookup(None)\n"
        "require_current(reader)\n"
        "print(reader.count(), 'sqlalchemy' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, three.root], capture_output=True, text=True, check=True, timeout=100
    )
    assert done.stdout.split() == ["3", "False"]


# What is out of the ordinary.


def altered(*statements: str) -> Callable[[Path], None]:
    def alter(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            for statement in statements:
                database.execute(statement)

    return alter


def overwritten(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def a_letter_of_its_schema(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = path.read_bytes()
    assert b"CREATE TABLE " in data
    path.write_bytes(data.replace(b"CREATE TABLE ", b"CR\xe9ATE TABLE ", 1))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_log_that_cannot_be_made(path: Path) -> None:
    path.with_name(path.name + "-wal").mkdir()


REFUSED = {
    "missing": Path.unlink,
    "a folder": a_folder,
    "empty": overwritten(b""),
    "nonsense": overwritten(b"not a database at all, " * 100),
    "damaged": overwritten(b"SQLite format 3\0" + bytes(2000)),
    "a letter": a_letter_of_its_schema,
    "never migrated": altered("DELETE FROM alembic_version"),
    "newer": altered("UPDATE alembic_version SET version_num = '9999'"),
    "of something else": altered("DROP TABLE alembic_version"),
    "no log": a_log_that_cannot_be_made,
}
"""What the catalog does not open: it says why."""


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_the_catalog_says_what_is_wrong(three: ArchiveFolder, change: Callable[[Path], None]) -> None:
    path = sqlite_of(three)
    change(path)
    before = {p.name: p.read_bytes() if p.is_file() else None for p in three.root.iterdir()}
    assert lookup.ready(path) is None
    with pytest.raises(ArchiveError) as told:
        three.open_catalog()
    with pytest.raises(ArchiveError) as said:
        three.open_lookup(three.open_catalog)
    assert str(said.value) == str(told.value)
    after = {p.name: p.read_bytes() if p.is_file() else None for p in three.root.iterdir()}
    assert after == before


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_an_older_catalog_is_brought_up_to_date_first(three: ArchiveFolder, revision: str) -> None:
    """That a catalog says so is enough: it must not be read as one of today."""
    altered(f"UPDATE alembic_version SET version_num = '{revision}'")(sqlite_of(three))
    assert lookup.ready(sqlite_of(three)) is None
    asked: list[str] = []

    def whole() -> Catalog:
        asked.append(revision)
        altered(f"UPDATE alembic_version SET version_num = '{head_revision()}'")(sqlite_of(three))
        return three.open_catalog()

    with closing(three.open_lookup(whole)) as reader:
        assert isinstance(reader, Catalog)
        assert reader.count() == 3
    assert asked == [revision]


def test_a_catalog_without_a_write_ahead_log_gets_one_first(three: ArchiveFolder) -> None:
    altered("PRAGMA journal_mode = DELETE")(sqlite_of(three))
    assert lookup.ready(sqlite_of(three)) is None
    with closing(three.open_lookup(three.open_catalog)) as reader:
        assert isinstance(reader, Catalog)
    with closing(three.open_lookup(nobody)) as reader:
        assert reader.count() == 3


def test_two_revisions_are_none_that_is_known(three: ArchiveFolder) -> None:
    altered("INSERT INTO alembic_version VALUES ('0001')")(sqlite_of(three))
    assert lookup.ready(sqlite_of(three)) is None


def test_nobody_is_waited_for(three: ArchiveFolder) -> None:
    """Who holds the whole file is for the catalog to wait for, and to complain of."""
    path = sqlite_of(three)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("UPDATE setting SET value = value")
        other.commit()
        assert lookup.ready(path) is None
    connection = lookup.ready(path)
    assert connection is not None
    with closing(connection):
        assert connection.execute("PRAGMA busy_timeout").fetchall() == [(0,)]


def test_after_trouble_the_catalog_answers(three: ArchiveFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with Catalog.open(three.catalog) as whole, closing(three.open_lookup(lambda: whole)) as reader:
        with pytest.raises(ArchiveError) as told:
            whole.rows("SELECT 1", "SELECT * FROM nonsense")
        with pytest.raises(ArchiveError) as said:
            reader.rows("SELECT 1", "SELECT * FROM nonsense")
        assert str(said.value) == str(told.value)
        monkeypatch.setattr(whole, "rows", lambda *_statements: [[(77,)]])
        assert reader.count() == 77


def test_damage_that_shows_while_reading_is_told_by_the_catalog(
    three: ArchiveFolder, photo_row: Row, features: Features
) -> None:
    path = sqlite_of(three)
    with closing(sqlite3.connect(path)) as database:
        (size,) = database.execute("PRAGMA page_size").fetchone()
        roots = database.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'photo'").fetchall()
    content = bytearray(path.read_bytes())
    for (root,) in roots:
        content[(root - 1) * size : root * size] = b"\xa5" * size
    path.write_bytes(content)
    with Catalog.open(path) as whole, closing(three.open_lookup(lambda: whole)) as reader:
        assert isinstance(reader, SQLiteLookup)
        assert reader.generation() == 3
        with pytest.raises(ArchiveError) as told:
            whole.count()
        with pytest.raises(ArchiveError) as said:
            reader.count()
        assert str(said.value) == str(told.value)
        assert "the catalog is damaged (database disk image is malformed); make it anew" in str(said.value)


def test_a_text_that_is_none_is_damage(three: ArchiveFolder) -> None:
    path = sqlite_of(three)
    altered("UPDATE photo SET content_hash = CAST(x'61ff' AS TEXT) WHERE id = 1")(path)
    with Catalog.open(path) as whole, closing(three.open_lookup(lambda: whole)) as reader:
        for asked in (whole, reader):
            with pytest.raises(ArchiveError, match=r"damaged \(a text in it is not UTF-8\); make it anew"):
                asked.rows("SELECT content_hash FROM photo")


def test_a_log_that_waits_is_read_too(three: ArchiveFolder, tmp_path: Path) -> None:
    """As after a program that was killed: what it committed lies in the log alone."""

    def killed() -> None:
        Catalog.open(three.catalog).remove([1])
        os._exit(0)

    assert ended(killed, three.root) == 0
    assert Path(f"{three.catalog}-wal").stat().st_size
    with closing(three.open_lookup(nobody)) as reader:
        assert (reader.count(), reader.generation()) == (2, 4)
