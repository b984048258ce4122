from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text

from dsslic_search.archive import migrate, models, paths
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import MapFeatures
from dsslic_search.archive.models import Coverage, Photo, Region
from dsslic_search.errors import ArchiveError

Row = Callable[..., Photo]
Features = Callable[[int], MapFeatures]


@pytest.fixture
def catalog(tmp_path: Path):
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
        assert [(r.class_id, r.area, r.left, r.top, r.right, r.bottom, r.x, r.y) for r in photo.regions] == [
            (r.class_id, r.area, r.left, r.top, r.right, r.bottom, r.x, r.y) for r in wanted.regions
        ]
    assert catalog.photo(number + 1) is None
    assert catalog.find("b" * 64) is None
    assert catalog.has("a" * 64)
    assert not catalog.has("b" * 64)


def test_look_ups_by_path_and_in_order(catalog: Catalog, photo_row: Row, features: Features) -> None:
    path = "/photos/\udcff.jpg"
    first = catalog.add(photo_row("a", path=paths.to_text(path)), features(1))
    second = catalog.add(photo_row("b", path=paths.to_text(path)), features(2))
    assert [p.id for p in catalog.at_path(path)] == [second, first]
    assert catalog.at_path("/photos/other.jpg") == []
    assert [p.id for p in catalog.photos([second, 99, first, second])] == [second, first, second]
    assert [p.id for p in catalog.photos(list(range(2000)))] == [first, second]


def test_generation_increases_with_every_change_and_only_then(catalog: Catalog, photo_row: Row, features: Features) -> None:
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


def test_a_photo_whose_features_cannot_be_stored_is_not_stored(catalog: Catalog, photo_row: Row, features: Features) -> None:
    twice = features(1)
    with pytest.raises(ArchiveError):
        catalog.add(photo_row("a"), MapFeatures(twice.coverages * 2, twice.regions, twice.embedding))
    assert (catalog.generation(), catalog.count()) == (0, 0)


def test_removing_removes_features(catalog: Catalog, photo_row: Row, features: Features) -> None:
    first = catalog.add(photo_row("a"), features(1))
    second = catalog.add(photo_row("b"), features(2))
    catalog.remove([first])
    with catalog.session() as session:
        for table in (Coverage, Region):
            assert set(session.scalars(select(table.photo_id))) == {second}


@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
def test_a_snapshot_gives_rows_in_chunks(catalog: Catalog, photo_row: Row, features: Features, chunk: int) -> None:
    made = [catalog.add(photo_row(d), features(i)) for i, d in enumerate("0123456")]
    with catalog.snapshot() as snapshot:
        assert snapshot.generation == 7
        chunks = list(snapshot.rows(select(models.Photo.id).order_by(models.Photo.id), chunk))
    assert max(len(c) for c in chunks) <= chunk
    assert [i for c in chunks for (i,) in c] == made


def test_a_snapshot_does_not_see_later_changes(catalog: Catalog, photo_row: Row, features: Features) -> None:
    catalog.add(photo_row("a"), features(1))
    with catalog.snapshot() as snapshot:
        catalog.add(photo_row("b"), features(2))
        assert list(snapshot.rows(select(models.Photo.id))) == [[(1,)]]
        assert snapshot.generation == 1
    assert catalog.generation() == 2


def test_writers_in_threads_never_lose_a_generation(catalog: Catalog, photo_row: Row, features: Features) -> None:
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


def test_pragmas(catalog: Catalog) -> None:
    with catalog.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() >= 1000


def test_opening_an_up_to_date_catalog_imports_no_alembic(catalog: Catalog, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from dsslic_search.archive.catalog import Catalog;"
        "c = Catalog.open(Path(sys.argv[1])); c.count(); c.close();"
        "print(*(m for m in ('alembic', 'mako', 'torch', 'faiss') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "catalog.sqlite"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_missing_catalog_is_not_made_by_looking(tmp_path: Path) -> None:
    for where in (tmp_path / "catalog.sqlite", f"sqlite:///{tmp_path / 'catalog.sqlite'}"):
        with pytest.raises(ArchiveError, match="missing"):
            Catalog.open(where)
    assert not any(tmp_path.iterdir())


def test_a_newer_catalog_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE alembic_version (version_num TEXT)")
        db.execute("INSERT INTO alembic_version VALUES ('9999')")
        db.execute("CREATE TABLE photo (id INTEGER, whatever TEXT)")
    before = path.read_bytes()
    for more in ({}, {"create": True}, {"change": False}):
        with pytest.raises(ArchiveError, match=r"newer dsslic-search \(catalog revision 9999.*update dsslic-search; nothing was changed"):
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


def test_a_full_disk_is_told_and_changes_nothing(catalog: Catalog, photo_row: Row, features: Features) -> None:
    catalog.add(photo_row("a"), features(1))
    with catalog.engine.connect() as connection:  # the pool gives the same connection again
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ArchiveError, match="no space left"):
        catalog.add(photo_row("b", camera="x" * 100_000), features(2))
    assert (catalog.count(), catalog.generation()) == (1, 1)


def test_two_processes_opening_an_old_catalog_migrate_it_once(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    path.touch()
    failures: list[BaseException] = []

    def opened() -> None:
        try:
            Catalog.open(path).close()
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=opened) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failures == []
    with Catalog.open(path) as catalog, catalog.engine.connect() as connection:
        assert migrate.stored_revision(connection) == migrate.head_revision()
