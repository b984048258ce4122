from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from dsslic_search.archive import database, schema, unwritable
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import MapFeatures
from dsslic_search.archive.paths import FileThere
from dsslic_search.archive.revisions import head_revision
from dsslic_search.archive.schema import KnownPath, Photo, Setting
from dsslic_search.archive.snapshot import are_among
from dsslic_search.archive.stored import ObjectRecord
from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.files import path_to_text
from dsslic_search.core.vocabulary import default
from dsslic_search.features.coverage import unpack_shown
from dsslic_search.features.embedding import to_stored
from dsslic_search.index.columns import open_columns
from dsslic_search.index.regions.table import open_regions
from dsslic_search.index.vectors.table import open_vectors
from tests.segments import whole

pytestmark = pytest.mark.usefixtures("each_time")

Row = Callable[..., Photo]
Features = Callable[[int], MapFeatures]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, each_time: None) -> Path:
    """A catalog that all migrations made, for copies."""
    path = tmp_path_factory.mktemp("empty") / "catalog.sqlite"
    Catalog.open(path, create=True).close()
    return path


@pytest.fixture
def catalog(tmp_path: Path, empty: Path):
    shutil.copyfile(empty, tmp_path / "catalog.sqlite")
    with Catalog.open(tmp_path / "catalog.sqlite", create=True) as opened:
        yield opened


def test_a_photo_comes_back_as_it_went_in(catalog: Catalog, photo_row: Row, features: Features) -> None:
    wanted = features(1)
    number = catalog.add(photo_row("a", camera="Été 猫", latitude=-1.5), wanted)
    for photo in (catalog.photo(number), catalog.find("a" * 64)):
        assert photo is not None
        assert (photo.camera, photo.latitude, photo.taken_at) == ("Été 猫", -1.5, None)
        assert photo.embedding == wanted.embedding
        assert tuple((c.class_id, c.fraction) for c in photo.coverages) == wanted.coverages
        assert photo.regions == wanted.regions
    assert catalog.photo(number + 1) is None
    assert catalog.find("b" * 64) is None
    assert catalog.has("a" * 64)
    assert not catalog.has("b" * 64)


def test_look_ups_by_path_and_in_order(catalog: Catalog, photo_row: Row, features: Features) -> None:
    path = "/photos/\udcff.jpg"
    first = catalog.add(photo_row("a", path=path_to_text(path)), features(1))
    second = catalog.add(photo_row("b", path=path_to_text(path)), features(2))
    assert [p.id for p in catalog.at_path(path)] == [second, first]
    assert catalog.at_path("/photos/other.jpg") == []
    assert [p.id for p in catalog.photos([second, 99, first, second])] == [second, first, second]
    assert [p.id for p in catalog.photos(list(range(2000)))] == [first, second]


def test_generation_increases_with_every_change_and_only_then(
    catalog: Catalog, photo_row: Row, features: Features
) -> None:
    assert catalog.generation() == 0
    number = catalog.add(photo_row("a"), features(1))
    assert catalog.generation() == 1
    with pytest.raises(ArchiveError, match="UNIQUE"):
        catalog.add(photo_row("a"), features(2))
    assert (catalog.generation(), catalog.count()) == (1, 1)
    with pytest.raises(KeyboardInterrupt), catalog.changing() as session:
        session.execute(text("DELETE FROM photo"))
        raise KeyboardInterrupt
    assert (catalog.generation(), catalog.count()) == (1, 1)
    assert catalog.remove([number, 77]) == 1
    assert (catalog.generation(), catalog.count()) == (2, 0)


def test_a_photo_whose_features_cannot_be_stored_is_not_stored(
    catalog: Catalog, photo_row: Row, features: Features
) -> None:
    unlike: Any = None  # which the row must have
    with pytest.raises(ArchiveError, match="NOT NULL"):
        catalog.add(photo_row("a"), replace(features(1), embedding=unlike))
    assert (catalog.generation(), catalog.count()) == (0, 0)


def test_removing_removes_features(catalog: Catalog, photo_row: Row, features: Features) -> None:
    first = catalog.add(photo_row("a"), features(1))
    second = catalog.add(photo_row("b"), features(2))
    catalog.remove([first])
    with catalog.session() as session:
        assert set(session.scalars(select(KnownPath.photo_id))) == {second}
        assert set(session.scalars(select(Photo.id))) == {second}


@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
def test_a_snapshot_gives_rows_in_chunks(
    catalog: Catalog, photo_row: Row, features: Features, chunk: int
) -> None:
    made = [catalog.add(photo_row(d), features(i)) for i, d in enumerate("0123456")]
    with catalog.snapshot() as snapshot:
        assert snapshot.generation == 7
        chunks = list(snapshot.rows(select(schema.Photo.id).order_by(schema.Photo.id), chunk))
    assert max(len(c) for c in chunks) <= chunk
    assert [i for c in chunks for (i,) in c] == made


def test_a_snapshot_does_not_see_later_changes(catalog: Catalog, photo_row: Row, features: Features) -> None:
    catalog.add(photo_row("a"), features(1))
    with catalog.snapshot() as snapshot:
        catalog.add(photo_row("b"), features(2))
        assert list(snapshot.rows(select(schema.Photo.id))) == [[(1,)]]
        assert snapshot.generation == 1
    assert catalog.generation() == 2


def test_writers_in_threads_never_lose_a_generation(
    catalog: Catalog, photo_row: Row, features: Features
) -> None:
    wanted = features(1)

    def add(digits: str) -> None:
        for digit in digits:
            catalog.add(photo_row(digit), wanted)

    threads = [threading.Thread(target=add, args=(d,)) for d in ("0123", "4567", "89ab")]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert (catalog.generation(), catalog.count()) == (12, 12)


def test_an_interrupt_in_the_middle_of_an_answer_leaves_no_lock(catalog: Catalog) -> None:
    """What is interrupted knows of the answer's cursor for as long as the error is being seen to."""
    asked = text("SELECT 1 UNION ALL SELECT 2")

    def interrupted(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement == asked.text:
            raise KeyboardInterrupt

    event.listen(catalog.engine, "after_cursor_execute", interrupted)
    try:
        with catalog.changing() as session:
            session.merge(Setting(name="lost", value="1"))
            session.flush()
            session.execute(asked)
    except KeyboardInterrupt:
        catalog.remember("kept", "1")
    assert {"lost", "kept"} & set(catalog.settings()) == {"kept"}


def test_pragmas(catalog: Catalog) -> None:
    with catalog.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == database.BUSY_SECONDS * 1000


def test_opening_an_up_to_date_catalog_imports_no_alembic(catalog: Catalog, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from dsslic_search.archive.catalog import Catalog;"
        "c = Catalog.open(Path(sys.argv[1])); c.count(); c.close();"
        "print(*(m for m in ('alembic', 'mako', 'torch', 'faiss') if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "catalog.sqlite"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


def test_a_missing_catalog_is_not_made_by_looking(tmp_path: Path) -> None:
    for where in (tmp_path / "catalog.sqlite", f"sqlite:///{tmp_path / 'catalog.sqlite'}"):
        with pytest.raises(ArchiveError, match="missing"):
            Catalog.open(where)
    assert not any(tmp_path.iterdir())


def test_a_folder_whose_name_is_no_text_may_hold_one(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff #?%")
    folder.mkdir()
    with Catalog.open(folder / "catalog.sqlite", create=True) as catalog:
        assert catalog.count() == 0
        catalog.name.encode()
    (folder / "catalog.sqlite").write_bytes(b"something else" * 999)
    with pytest.raises(ArchiveError, match="damaged") as refused:
        Catalog.open(folder / "catalog.sqlite")
    str(refused.value).encode()


@pytest.mark.parametrize("made", ["touched", "unmigrated"])
def test_an_empty_catalog_is_not_an_archive_without_photos(tmp_path: Path, made: str) -> None:
    path = tmp_path / "catalog.sqlite"
    path.touch()
    if made == "unmigrated":
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("CREATE TABLE alembic_version (version_num TEXT)")
    before = path.read_bytes()
    for more in ({}, {"change": False}):
        with pytest.raises(ArchiveError, match=r"catalog\.sqlite: the catalog is empty"):
            Catalog.open(path, **more)
    assert path.read_bytes() == before
    with Catalog.open(path, create=True) as catalog:
        assert catalog.count() == 0


def test_a_newer_catalog_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE alembic_version (version_num TEXT)")
        db.execute("INSERT INTO alembic_version VALUES ('9999')")
        db.execute("CREATE TABLE photo (id INTEGER, whatever TEXT)")
    before = path.read_bytes()
    for more in ({}, {"create": True}, {"change": False}):
        with pytest.raises(
            ArchiveError,
            match=r"newer dsslic-search \(catalog revision 9999.*update dsslic-search; nothing was changed",
        ):
            Catalog.open(path, **more)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["catalog.sqlite"]


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE recipes (id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match="something else"):
        Catalog.open(path, create=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database at all, " * 100, b"SQLite format 3\0" + bytes(2000)])
def test_a_damaged_catalog_is_an_archive_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"catalog\.sqlite: the catalog is damaged"):
        Catalog.open(path)


@pytest.mark.parametrize(("url", "said"), [("nonsense", "not a database URL"), ("clay://x/y", "no driver")])
def test_impossible_urls(url: str, said: str) -> None:
    with pytest.raises(ArchiveError, match=said):
        Catalog.open(url)


@pytest.mark.parametrize("url", ["clay://user:secret@host/name", "clay-tablet://user:secret@host/name"])
def test_a_password_is_not_in_messages(url: str) -> None:
    with pytest.raises(ArchiveError) as caught:
        Catalog.open(url)
    assert "secret" not in str(caught.value)


def test_a_full_disk_is_told_and_changes_nothing(
    catalog: Catalog, photo_row: Row, features: Features
) -> None:
    catalog.add(photo_row("a"), features(1))
    with catalog.engine.connect() as connection:  # the pool gives the same connection again
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ArchiveError, match="no space left"):
        catalog.add(photo_row("b", camera="x" * 100_000), features(2))
    assert (catalog.count(), catalog.generation()) == (1, 1)


def test_two_processes_opening_an_old_catalog_migrate_it_once(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    failures: list[BaseException] = []

    def opened() -> None:
        try:
            Catalog.open(path, create=True).close()
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=opened) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failures == []
    with Catalog.open(path) as catalog, catalog.engine.connect() as connection:
        assert database.stored_revision(connection) == head_revision()


def read_only(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """As on a disk that cannot be written: SQLite cannot make the files of its write-ahead log."""
    real, can = database.make_engine, unwritable._can_be_written

    def make_engine(url, *, connect=None, **more):
        engine = real(url, connect=connect, **more)
        if connect is None:

            @event.listens_for(engine, "begin")
            def refuse(connection) -> None:
                error = sqlite3.OperationalError("unable to open database file")
                error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
                raise OperationalError("BEGIN", None, error)

        return engine

    monkeypatch.setattr(database, "make_engine", make_engine)
    monkeypatch.setattr(unwritable, "_can_be_written", lambda p: p != path and can(p))


def test_a_catalog_on_a_disk_that_cannot_be_written(
    tmp_path: Path, photo_row: Row, features: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a b?%.sqlite"
    with Catalog.open(path, create=True) as made:
        made.add(photo_row("a"), features(1))
    read_only(monkeypatch, path)
    before = sorted(tmp_path.iterdir())
    with Catalog.open(path) as catalog:
        assert (catalog.count(), catalog.generation()) == (1, 1)
        assert catalog.find("a" * 64) is not None
        with catalog.snapshot() as snapshot:
            assert snapshot.photo_ids().tolist() == [1]
        threads = [threading.Thread(target=catalog.count) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        with pytest.raises(ArchiveError, match="cannot be opened or written"):
            catalog.add(photo_row("b"), features(2))
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("why", ["the log changes", "it can be written", "to create"])
def test_a_catalog_is_not_taken_for_one_that_nobody_changes(
    tmp_path: Path, photo_row: Row, features: Features, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    path = tmp_path / "archive" / "catalog.sqlite"
    path.parent.mkdir()
    with Catalog.open(path, create=True) as other:
        other.add(photo_row("a"), features(1))
        if why == "the log changes":
            changing_while_copied(monkeypatch, lambda: other.add(photo_row("b"), features(2)))
        else:
            other.close()
        read_only(monkeypatch, tmp_path / "else" / "where" if why == "it can be written" else path)
        with pytest.raises(ArchiveError, match="check the path, its permissions"):
            Catalog.open(path, create=why == "to create")


def test_a_catalog_is_read_from_copies_while_another_process_has_it_open(
    tmp_path: Path, photo_row: Row, features: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "archive" / "catalog.sqlite"
    path.parent.mkdir()
    with Catalog.open(path, create=True) as other:
        other.add(photo_row("a"), features(1))
        assert path.with_name("catalog.sqlite-wal").stat().st_size > 0
        with monkeypatch.context() as patch:
            # Pages that go from the log to the file meanwhile change nothing.
            changing_while_copied(patch, lambda: checkpoint(path))
            read_only(patch, path)
            with Catalog.open(path) as catalog:
                assert (catalog.count(), catalog.generation()) == (1, 1)
        other.add(photo_row("b"), features(2))
        assert other.count() == 2


@pytest.mark.parametrize("logged", [False, True])
def test_a_connection_that_cannot_be_reset_is_logged_where_somebody_logs(
    tmp_path: Path, logged: bool
) -> None:
    """Python without any logging would print a traceback beside the sentence about a damaged catalog."""
    program = (
        "import logging, sqlite3, sys\n"
        "from pathlib import Path\n"
        "from dsslic_search.archive import database\n"
        "class Damaged(sqlite3.Connection):\n"
        "    found = False\n"
        "    def rollback(self):\n"
        "        if self.found: raise sqlite3.DatabaseError('database disk image is malformed')\n"
        "def connect():\n"
        "    return sqlite3.connect(sys.argv[1], factory=Damaged)\n"
        f"{'logging.basicConfig()' if logged else ''}\n"
        "engine = database.make_engine(database.url_of(Path(sys.argv[1])), connect=connect)\n"
        "connection = engine.raw_connection()\n"
        "Damaged.found = True\n"
        "connection.close()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a.sqlite")]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ("malformed" in ran.stderr) == logged
    assert (ran.stderr == "") != logged


def checkpoint(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[0] == 0


def changing_while_copied(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Something changes a catalog after its log was copied, before it is."""
    copyfile = shutil.copyfile

    def slow(source: Path, target: Path) -> None:
        if not source.name.endswith("-wal"):
            change()
        copyfile(source, target)

    monkeypatch.setattr(unwritable.shutil, "copyfile", slow)


def test_damage_that_shows_while_reading_is_an_archive_error(
    tmp_path: Path, photo_row: Row, features: Features
) -> None:
    path = tmp_path / "catalog.sqlite"
    with Catalog.open(path, create=True) as made:
        for number, digit in enumerate("0123456789abcdef"):
            made.add(photo_row(digit), features(number))
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        roots = [r for (r,) in db.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'photo'")]
    data = bytearray(path.read_bytes())
    for root in roots:
        data[(root - 1) * size : root * size] = b"\xa5" * size
    path.write_bytes(data)
    with Catalog.open(path) as catalog:
        with pytest.raises(ArchiveError, match="damaged"), catalog.session() as session:
            session.scalars(select(Photo)).all()
        for opened in (open_columns, open_vectors, open_regions):
            with pytest.raises(ArchiveError, match="damaged"):
                opened(whole(catalog, tmp_path / "index", default()))


def test_known_tells_what_the_row_says_of_the_file(
    catalog: Catalog, photo_row: Row, features: Features
) -> None:
    number = catalog.add(photo_row("a", keep="exact"), features(1))
    assert catalog.known("a" * 64) == (number, ObjectRecord(8, 6, "exact", 75, 5, 3, "v", "s"))
    assert catalog.known("b" * 64) is None


def test_an_update_replaces_values_and_features_of_one_photo(
    catalog: Catalog, photo_row: Row, features: Features
) -> None:
    first, second = catalog.add(photo_row("a"), features(1)), catalog.add(photo_row("b"), features(2))
    catalog.update(first, {"quality": 90}, features(3), FileThere(Path("/new.jpg"), 10, 5))
    changed, other = catalog.photo(first), catalog.photo(second)
    assert changed is not None
    assert other is not None
    assert (changed.quality, changed.keep, changed.embedding) == (90, "layers", features(3).embedding)
    assert [(row.path, row.modified_ns) for row in changed.paths] == [
        ("/photos/a.jpg", None),
        ("/new.jpg", 5),
    ]
    assert tuple((c.class_id, c.fraction) for c in changed.coverages) == features(3).coverages
    assert changed.regions == features(3).regions
    assert (other.quality, other.embedding) == (75, features(2).embedding)
    catalog.update(99, {"quality": 1}, features(3))
    catalog.replace_features({99: features(3)})
    assert [p.quality for p in catalog.photos([first, second])] == [90, 75]
    assert other.coverages == catalog.photo(second).coverages != ()


def test_a_snapshot_gives_what_indexes_are_made_of(
    catalog: Catalog, photo_row: Row, features: Features
) -> None:
    # the second was added in 2021
    dates = [datetime(2020, 1, 1), None, datetime(2023, 1, 1), datetime(2020, 1, 1)]
    made = [features(i) for i in range(4)]
    for digit, date, wanted in zip("0123", dates, made, strict=True):
        catalog.add(photo_row(digit, taken_at=date), wanted)
    with catalog.snapshot() as snapshot:
        assert snapshot.photo_ids().tolist() == [3, 2, 1, 4]
        assert {pair for part in snapshot.embeddings() for pair in part.pairs()} == {
            (i, to_stored(made[i - 1].embedding)) for i in (3, 2, 1, 4)
        }
        stored = [pair for part in snapshot.coverages() for pair in part.pairs()]
        assert [i for i, _ in stored] == [3, 2, 1, 4]
        for photo_id, each in stored:
            assert tuple((c, f) for c, f, *_ in unpack_shown(each)) == made[photo_id - 1].coverages
        asked = np.array([4, *range(100, 1300), 1, 2])
        sums = {i: sum(f for c, f in made[i - 1].coverages if c in (1, 2)) for i in (1, 2, 4)}
        assert snapshot.covered(asked, (2, 1)).tolist() == [sums.get(i, 0) for i in asked.tolist()]


@pytest.mark.parametrize("ascending", [[], [4], [1, 4, 9]])
def test_which_ids_are_among_others(ascending: list[int]) -> None:
    ids = [9, 0, 4, 4, 100, 1]
    found = are_among(np.array(ascending, np.int64), np.array(ids))
    assert found.tolist() == [each in ascending for each in ids]
