"""Catalogs in PostgreSQL, a real one: what they hold and answer is what those in SQLite do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, insert, select, text

from dsslic_search import Archive
from dsslic_search.archive import database, history, revisions
from dsslic_search.archive.backup import backup
from dsslic_search.archive.bin import empty, remove
from dsslic_search.archive.catalog import Catalog, utc_now
from dsslic_search.archive.check import check
from dsslic_search.archive.database import for_writing, make_engine, url_of
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest.sync import sync
from dsslic_search.archive.manifest import Manifest
from dsslic_search.archive.rebuild import rebuild
from dsslic_search.archive.schema import Base, Change, KnownPath, Photo
from dsslic_search.archive.sums import differing
from dsslic_search.archive.triggers import UNSETTLED
from dsslic_search.core.errors import ArchiveError, BusyError, QueryError, UsageError
from dsslic_search.core.files import path_to_text
from dsslic_search.core.settings import Settings
from tests.archive import postgres
from tests.archive.conftest import World, prepare
from tests.forks import forked
from tests.test_migrations import ROWS_0001

QUERIES = (
    "everything", "building", ">15% building", "no sky", "tree or >18% sky", "tag:best", "not tag:best",
    "year:2023", "camera:box", "name:b*", "path:in", "is:missing", "is:replaced", "is:any", "size:>0",
    "building sort:newest", "everything sort:path", "is:removed", "like #1",
)  # fmt: skip


def make_at(url: str | Path, revision: str) -> None:
    engine = make_engine(url_of(url), foreign_keys=False)
    database.upgrade(engine, revision)
    if revision == "0001":
        tables = MetaData()
        tables.reflect(engine)
        with for_writing(engine).begin() as connection:
            for name in "photo", "coverage", "region", "setting":
                connection.execute(insert(tables.tables[name]), ROWS_0001[name])
    engine.dispose()


def raw(url: str | Path) -> dict[str, list[dict[str, Any]]]:
    engine = make_engine(url_of(url))
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        rows = {
            name: [dict(row._mapping) for row in connection.execute(select(table))]
            for name, table in tables.tables.items()
        }
    engine.dispose()
    return rows


def all_of(catalog: Catalog) -> list[list[tuple[Any, ...]]]:
    """Rows of photos, paths and changes as values."""
    tables = [each.__table__ for each in (Photo, KnownPath, Change)]
    with catalog.session() as session:
        return [
            [tuple(row) for row in session.execute(select(*table.columns).order_by(*table.primary_key))]
            for table in tables
        ]


def test_migrated_schema_is_that_of_the_models(postgres_url: str, postgres_server: str) -> None:
    with Catalog.open(postgres_url, create=True) as catalog, catalog.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
        migrated = made_besides(connection)
    engine = make_engine(url_of(postgres.new_database(postgres_server)))
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        assert made_besides(connection) == migrated
        assert len(migrated) == 6 + 1
    engine.dispose()


def made_besides(connection: Connection) -> list[tuple[str, ...]]:
    """The triggers and the views of a catalog."""
    shown = "SELECT pg_get_triggerdef(oid), pg_get_functiondef(tgfoid) FROM pg_trigger WHERE NOT tgisinternal"
    viewed = "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'"
    rows = [row for asked in (shown, viewed) for row in connection.execute(text(asked))]
    return sorted(tuple(" ".join(each.split()) for each in row) for row in rows)


def test_the_oldest_catalog_comes_to_the_same_up_and_down(postgres_url: str, tmp_path: Path) -> None:
    places: tuple[str | Path, ...] = (postgres_url, tmp_path / "c.sqlite")
    for place in places:
        make_at(place, "0001")
    before = raw(postgres_url)
    for _ in range(2):
        contents = []
        for place in places:
            with Catalog.open(place) as catalog:
                assert catalog.generation() == 12
                contents.append(all_of(catalog))
        assert contents[0] == contents[1]
        assert contents[0][0]
        engine = make_engine(url_of(postgres_url))
        with engine.begin() as connection:
            command.downgrade(database.alembic_config(connection), "0001")
        engine.dispose()
        after = raw(postgres_url)
        after.pop("alembic_version")
        assert {name: rows for name, rows in before.items() if name in after and name != "region"} == {
            name: rows
            for name, rows in after.items()
            if name != "region"  # made anew by reindexing
        }
        places[1].unlink()  # type: ignore[union-attr]
        make_at(places[1], "0001")


@pytest.fixture
def worlds(tmp_path: Path, postgres_url: str) -> list[World]:
    """The same photos, with a catalog in SQLite and one in PostgreSQL."""
    photos = tmp_path / "photos"
    photos.mkdir()
    return [
        World(photos, ArchiveFolder(tmp_path / "sqlite")),
        World(photos, ArchiveFolder(tmp_path / "postgresql", Manifest(catalog=postgres_url))),
    ]


def asked(archive: Archive, query: str) -> Any:
    try:
        found = archive.query(query)
        hits = [
            replace(hit, facts={k: v for k, v in hit.facts.items() if k not in TIMES}) for hit in found.hits
        ]
        return found.total, hits
    except QueryError as error:
        return str(error)


def answers(world: World) -> dict[str, Any]:
    """What an archive says, but for when it was done."""
    with Archive(world.archive.root) as archive:
        found: dict[str, Any] = {query: asked(archive, query) for query in QUERIES}
        found["tags"], found["states"], found["saved"] = (
            archive.tags(),
            archive.states(),
            archive.saved_queries(),
        )
        found["statistics"] = archive.statistics()
        found["some"] = archive.statistics("building")
        found["facets"] = archive.facets("")
        for photo_id in archive.ids(100):
            info = archive.info(photo_id)
            found[f"#{photo_id}"] = {k: v for k, v in info.items() if k not in TIMES}
            for row in info["earlier_paths"]:
                del row["until"]
        found["cards"] = archive.cards(archive.ids(100))
    found["check"] = [(f.what, f.content_hash, f.photo_id) for f in check(world.archive)]
    return found


TIMES = {"added", "added_at", "paths", "removed_at", "path_history"}


def test_a_life_is_the_same_in_both(worlds: list[World], readable_maps: None) -> None:
    first = worlds[0]

    def both_the_same(step: str) -> None:
        one, other = (answers(world) for world in worlds)
        for name in one:
            assert one[name] == other[name], (step, name)

    for name in "a.jpg", "b.jpg", "in/c.jpg", "in/d.jpg", "é.jpg":
        first.photo(name)
    assert [world.ingest(workers=1).added for world in worlds] == [5, 5]
    both_the_same("ingested")
    for world in worlds:
        with Archive(world.archive.root) as archive:
            assert archive.tag(["best", "other"], [1, 3]) == {"best": 2, "other": 2}
            archive.untag("other", [3])
            archive.save("mine", "tag:best")
            archive.rate(4, [2])
    both_the_same("tagged")
    (first.photos / "a.jpg").rename(first.photos / "in" / "moved.jpg")
    first.photo("b.jpg", "another version")
    (first.photos / "in" / "d.jpg").unlink()
    first.photo("new.jpg")
    for world in worlds:
        report = sync(world.archive, [first.photos], None, settings=Settings(), prepare=prepare, workers=1)
        assert (report.added, len(report.moved)) == (2, 1)
    both_the_same("synchronised")
    for world in worlds:
        with world.archive.writing() as catalog:
            remove(catalog, np.array([3, 5]), utc_now())
        assert len(empty(world.archive, now=utc_now(), only_copies=True, dry_run=True).deleted) == 2
    both_the_same("removed")
    for world in worlds:
        assert len(empty(world.archive, now=utc_now()).deleted) == 1
    both_the_same("emptied")
    found = []
    for world in worlds:
        world.archive.store.remove(next(iter(world.archive.store.hashes())))
        found.append([(f.what, f.content_hash, f.photo_id) for f in check(world.archive)])
    assert found[0] == found[1] != []


def test_the_catalog_is_remembered_without_its_password(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = postgres_url.replace("tests@", "tests:secret@")
    with Archive(tmp_path / "a") as archive:
        archive.init(catalog=secret)
        assert archive.query("everything").total == 0
    told = (tmp_path / "a" / "archive.json").read_text()
    assert "secret" not in told
    assert json.loads(told)["version"] == 2
    assert not (tmp_path / "a" / "catalog.sqlite").exists()
    monkeypatch.setenv("DSS_CATALOG", secret)
    with Archive(tmp_path / "a") as archive:
        assert archive.folder.catalog == secret
    for refused in (lambda: backup(archive.folder, tmp_path / "b"), lambda: rebuild(archive.folder)):
        with pytest.raises(ArchiveError, match="database"):
            refused()


def test_machines_share_a_catalog_and_a_bucket(tmp_path: Path, postgres_url: str, bucket: str) -> None:
    one, other = (World(tmp_path, ArchiveFolder(tmp_path / name)) for name in ("one", "other"))
    with Archive(one.archive.root) as archive:
        archive.init(objects=bucket, catalog=postgres_url)
    with Archive(tmp_path / "third") as archive, pytest.raises(UsageError, match=f"catalog are in {bucket}"):
        archive.init(objects=bucket + "2", catalog=postgres_url)
    with Archive(other.archive.root) as archive:
        archive.init(catalog=postgres_url)
        assert archive.folder.manifest.objects == bucket
    photos = tmp_path / "photos"
    photos.mkdir()
    one.photos = other.photos = photos
    one.photo("a.jpg")
    assert one.ingest().added == 1
    with Archive(other.archive.root) as archive:
        assert [hit.id for hit in archive.query("everything").hits] == [1]
        one.photo("b.jpg")
        assert other.ingest().added == 1
        assert archive.query("everything").total == 2
    other.assert_whole(2)
    assert check(one.archive, read_data=True) == []
    with one.archive.writing(), pytest.raises(BusyError, match="is writing to it; wait for it"):
        other.ingest()


def test_paths_that_may_hold_letters_are_all_that_do(
    postgres_url: str, tmp_path: Path, photo_row: Any, features: Any
) -> None:
    """A capital, a sign that folds into a letter, an accent, and bytes that are no text."""
    names = [
        "/a/LAKE.jpg",
        "/a/la\u212ae.jpg",
        "/a/lakÉ.jpg",
        "/a/l\udce9ke.jpg",
        "/lake/b.jpg",
        "/a/lane.jpg",
    ]
    for place in (postgres_url, tmp_path / "c.sqlite"):
        with Catalog.open(place, create=True) as catalog:
            for number, name in enumerate(names):
                catalog.add(photo_row(str(number), path=path_to_text(name)), features(1))
            with catalog.snapshot() as snapshot:
                found = {path for part in snapshot.paths(letters="lake") for _, path in part}
                assert {path_to_text(name) for name in (names[0], names[1], names[4])} <= found
                assert names[5] not in found


def test_what_is_said_of_label_maps_has_the_same_checksums(
    postgres_url: str, tmp_path: Path, photo_row: Any, features: Any
) -> None:
    found = []
    for place in (postgres_url, tmp_path / "c.sqlite"):
        with Catalog.open(place, create=True) as catalog:
            for number in range(1, 4):
                catalog.add(photo_row(str(number)), features(number))
            catalog.replace_features({3: features(4)})
            with catalog.session() as session:
                found.append(session.execute(text("SELECT description_sum FROM photo ORDER BY id")).all())
                assert list(differing(session.connection())) == []
            with catalog.changing() as session:
                session.execute(text("UPDATE photo SET brightness = 7 WHERE id = 2"))
            with catalog.session() as session:
                assert list(differing(session.connection())) == [2]
    assert found[0] == found[1]


def test_readers_wait_for_nobody_and_miss_nothing(postgres_url: str, photo_row: Any, features: Any) -> None:
    """Of two that write at once, the one that began first ends last."""
    with Catalog.open(postgres_url, create=True) as catalog:
        catalog.add(photo_row("1"), features(1))
        with catalog.changing() as session:
            late = photo_row("2", **_stored(features(2)))
            session.add(late)
            session.flush()
            done = threading.Event()

            def write() -> None:
                catalog.add(photo_row("3"), features(3))
                done.set()

            threading.Thread(target=write).start()
            assert done.wait(300)
            assert catalog.count() == 2
            with catalog.snapshot() as snapshot:
                between = snapshot.state
                assert sorted(snapshot.photo_ids()) == sorted({1, 2, 3} - {late.id})
        with catalog.snapshot() as snapshot:
            assert snapshot.changed_since(between).tolist() == [late.id]
            assert snapshot.state.generation == 3
        with catalog.session() as session:
            assert session.query(Change).where(Change.generation == UNSETTLED).count() == 0


def test_what_one_machine_has_indexed_is_not_forgotten_for_the_others(
    postgres_url: str, photo_row: Any, features: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = []
    with Catalog.open(postgres_url, create=True) as catalog:
        for number in range(1, 5):
            catalog.add(photo_row(f"{number}"), features(number))
            states.append(catalog.state())
        for kept, left in (history.KEPT, [3, 2, 1, 0]), (2, [None, 2, 1, 0]), (0, [None, None, None, 0]):
            monkeypatch.setattr(history, "KEPT", kept)
            with catalog.noting() as session:
                history.forget(session, states[-1])
            with catalog.snapshot() as snapshot:
                changed = [snapshot.changed_since(each) for each in states]
            assert [None if each is None else each.size for each in changed] == left


def _stored(made: Any) -> dict[str, Any]:
    from dsslic_search.archive.catalog import of_photo

    return of_photo(made)


@pytest.fixture
def other_order(postgres_server: str) -> Iterator[str]:
    import psycopg

    name = "of_another_encoding"
    with psycopg.connect(
        host=postgres_server, user="tests", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        yield f"postgresql://tests@/{name}?host={postgres_server}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_database_that_does_not_do_is_said(tmp_path: Path, postgres_server: str, other_order: str) -> None:
    with pytest.raises(ArchiveError, match="has to be UTF8 in the order of C; make it with: CREATE DATABASE"):
        ArchiveFolder(tmp_path / "a", Manifest(catalog=other_order)).make()
    gone = f"postgresql://tests@/nothing_of_that_name?host={postgres_server}"
    with pytest.raises(ArchiveError, match=r"cannot be reached, .*does not exist") as caught:
        ArchiveFolder(tmp_path / "a", Manifest(catalog=gone)).make()
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "a" / "archive.json").exists()


def test_two_folders_cannot_keep_the_files_of_one_catalog(tmp_path: Path, postgres_url: str) -> None:
    one, other = (ArchiveFolder(tmp_path / name, Manifest(catalog=postgres_url)) for name in ("one", "other"))
    one.make()
    with pytest.raises(UsageError, match="are in the folder of another archive; choose another database"):
        other.make()
    assert not other.exists
    one.make()
    file = one.store.path_of("ab" * 32)
    file.parent.mkdir(parents=True)
    file.touch()
    (one.root / "archive.json").unlink()  # is written again where the files are
    one.make()


def test_every_revision_upgrades_to_the_head(postgres_url: str) -> None:
    for revision in revisions.revisions():
        make_at(postgres_url, revision)
    with Catalog.open(postgres_url) as catalog, catalog.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_machine_that_dies_keeps_nobody_out(tmp_path: Path, postgres_url: str) -> None:
    one, other = (ArchiveFolder(tmp_path / name, Manifest(catalog=postgres_url)) for name in ("one", "other"))
    one.make()
    (tmp_path / "other").mkdir()
    Manifest(catalog=postgres_url).write(other.root)

    def write_until_it_is_killed(say: Callable[[str], None]) -> None:
        with one.writing():
            say("writing")
            time.sleep(600)

    with forked(write_until_it_is_killed, one.root) as killed:
        assert killed.line() == "writing"
        with pytest.raises(BusyError, match=rf"process {killed.pid} on .* is writing to it"), other.writing():
            pass
    told: list[str] = []
    with replace(other, wait=60, waiting=told.append).writing() as catalog:
        assert catalog.count() == 0
