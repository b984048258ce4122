from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config, main
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, insert, inspect, select, text

from dsslic_search.archive import database, revisions
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.database import for_writing, make_engine, url_of
from dsslic_search.archive.schema import Base
from dsslic_search.archive.sums import COLUMNS, differing, sum_of
from dsslic_search.core.errors import ArchiveError, Remedy
from dsslic_search.core.vocabulary import default
from dsslic_search.features.coverage import Shown, pack_shown
from dsslic_search.features.embedding import DIMENSION, embed, to_stored
from dsslic_search.features.regions import regions
from dsslic_search.features.scene import PLAIN, SceneRegions
from dsslic_search.index.regions.table import open_regions
from tests.forks import forked
from tests.segments import whole

pytestmark = pytest.mark.usefixtures("each_time")

TOP = Path(__file__).resolve().parent.parent

# What a catalog of the oldest revision may hold; every later revision must keep it, but for the regions,
# which reindexing makes anew.
ROWS_0001 = {
    "photo": [
        {
            "id": 7,
            "content_hash": "ab" * 32,
            "path": "/été/a.jpg",
            "file_size": 123,
            "modified_at": datetime(2020, 1, 2, 3, 4, 5),
            "added_at": datetime(2021, 1, 1),
            "format": "JPEG",
            "width": 40,
            "height": 30,
            "taken_at": None,
            "camera": "Box",
            "latitude": 1.5,
            "longitude": -2.5,
            "keep": "layers",
            "quality": 75,
            "stored_bytes": 99,
            "map_bytes": 44,
            "vocabulary": "0" * 16,
            "segmenter": "1" * 16,
            "embedding": b"\0\0\x80?",
        }
    ],
    "coverage": [
        {"photo_id": 7, "class_id": 3, "fraction": 0.25},
        {"photo_id": 7, "class_id": 5, "fraction": 0.75},
    ],
    "region": [
        {
            "id": 1,
            "photo_id": 7,
            "class_id": 3,
            "area": 0.25,
            "left": 0,
            "top": 0,
            "right": 0.5,
            "bottom": 0.5,
            "x": 0.25,
            "y": 0.25,
        }
    ],
    "setting": [{"name": "generation", "value": "12"}],
}


def reflected(path: Path) -> dict[str, list[dict[str, object]]]:
    engine = make_engine(url_of(path))
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        rows = {
            name: [dict(r._mapping) for r in connection.execute(select(t))]
            for name, t in tables.tables.items()
        }
    engine.dispose()
    return rows


def make_at(path: Path, revision: str) -> None:
    """A catalog of some revision, with rows if that is the first."""
    engine = make_engine(url_of(path), foreign_keys=False)
    database.upgrade(engine, revision)
    if revision == "0001":
        tables = MetaData()
        tables.reflect(engine)
        with for_writing(engine).begin() as connection:
            for name, rows in ROWS_0001.items():
                connection.execute(insert(tables.tables[name]), rows)
    engine.dispose()


def test_migrated_schema_is_that_of_the_models(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "c.sqlite", create=True) as catalog, catalog.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []
        migrated = _described(connection), _triggers(connection)
    other = make_engine(url_of(tmp_path / "models.sqlite"))
    Base.metadata.create_all(other)
    with other.connect() as connection:
        assert migrated == (_described(connection), _triggers(connection))
        assert len(migrated[1]) == 6
    other.dispose()


def _triggers(connection: Connection) -> dict[str, str]:
    found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    return {name: " ".join(sql.split()) for name, sql in found}


def _described(connection: object) -> dict[str, object]:
    """More than compare_metadata looks at: primary keys, foreign keys' actions, unique constraints."""
    found = inspect(connection)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"], c["primary_key"]) for c in found.get_columns(table)],
            found.get_pk_constraint(table)["constrained_columns"],
            sorted(  # a table that is made anew has them in any order
                (k["constrained_columns"], k["referred_table"], *k["options"].items())
                for k in found.get_foreign_keys(table)
            ),
            [u["column_names"] for u in found.get_unique_constraints(table)],
            sorted((i["name"], i["column_names"]) for i in found.get_indexes(table)),
        )
        for table in sorted(Base.metadata.tables)
    }


def test_file_names_tell_the_truth_about_revisions() -> None:
    config = Config()
    config.set_main_option("script_location", str(revisions.migrations_folder()))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [revisions.head_revision()]
    assert [s.revision for s in scripts.walk_revisions()][::-1] == list(revisions.revisions())
    assert all(Path(s.path).name.startswith(f"{s.revision}_") for s in scripts.walk_revisions())


@pytest.mark.parametrize("revision", revisions.revisions())
def test_every_revision_upgrades_to_the_head(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "c.sqlite"
    make_at(path, revision)
    with Catalog.open(path) as catalog, catalog.engine.connect() as connection:
        assert database.stored_revision(connection) == revisions.head_revision()
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_rows_of_the_oldest_catalog_survive(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    make_at(path, "0001")
    with Catalog.open(path) as catalog:
        assert catalog.generation() == 12
        photo = catalog.find("ab" * 32)
        assert photo is not None
        assert photo.coverages == (Shown(3, 0.25), Shown(5, 0.75))
        assert {name: getattr(photo, name) for name in ROWS_0001["photo"][0]} == ROWS_0001["photo"][0]
        assert photo.regions is None  # they cannot be made from what was known of them
        assert photo.lens is None
        with pytest.raises(ArchiveError, match=re.escape(Remedy.REINDEX)):
            open_regions(whole(catalog, tmp_path / "index", default()))
    kept = reflected(path)
    assert "region" not in kept
    assert [row for row in kept["setting"] if row["name"] != "token"] == ROWS_0001["setting"]


def test_photos_that_share_a_path_are_versions_of_it(tmp_path: Path) -> None:
    """0005 has a row a version, all with the same path; up, down and up again."""
    path, alone, shared = tmp_path / "c.sqlite", (3, 9), (2, 5, 7)
    make_at(path, "0005")
    engine = make_engine(url_of(path), foreign_keys=False)
    photos = [
        ROWS_0001["photo"][0]
        | {"id": i, "content_hash": f"{i:064}", "added_at": datetime(2021, 1, i)}
        | {"path": f"/p/{i}.jpg" if i in alone else "/p/edited.jpg"}
        for i in sorted((*alone, *shared))
    ]
    tables = MetaData()
    tables.reflect(engine)
    with for_writing(engine).begin() as connection:
        connection.execute(insert(tables.tables["photo"]), photos)
        connection.execute(insert(tables.tables["tag"]), [{"name": "best", "photo_id": 2}])
    before = reflected(path)
    for _ in range(2):
        database.upgrade(engine, "0010")
        after = reflected(path)
        assert {row["id"]: row["state"] for row in after["photo"]} == dict.fromkeys((3, 7, 9), "here") | {
            2: "replaced",
            5: "replaced",
        }
        assert sorted(
            (
                row["photo_id"],
                row["path"],
                row["ended"],
                row["replaced_by"],
                row["ended_at"],
                row["tags_given"],
            )
            for row in after["path"]
        ) == [
            (2, "/p/edited.jpg", "replaced", 5, datetime(2021, 1, 5), True),
            (3, "/p/3.jpg", None, None, None, False),
            (5, "/p/edited.jpg", "replaced", 7, datetime(2021, 1, 7), True),
            (7, "/p/edited.jpg", None, None, None, False),
            (9, "/p/9.jpg", None, None, None, False),
        ]
        assert all(
            row["first_seen"] == row["last_seen"] == datetime(2021, 1, row["photo_id"])
            and (row["file_size"], row["part"], row["modified_ns"]) == (123, "", None)
            for row in after["path"]
        )
        downgrade(engine, "0005")
        assert reflected(path) == before
    engine.dispose()


MADE = embed(np.arange(48, dtype=np.uint8).reshape(6, 8), default())
EMBEDDINGS = {
    1: MADE.astype("<f4").tobytes(),
    2: np.nextafter(MADE, np.float32(1)).astype("<f4").tobytes(),  # no whole numbers make it
    3: b"",
    4: np.ones(192, "<f4").tobytes(),  # as the first version had them
    5: np.full(DIMENSION, np.nan, "<f4").tobytes(),
}
COVERAGES = [
    {"photo_id": photo_id, "class_id": class_id, "fraction": 1 / number}
    | {"certainty": certainty, "colours": colours}
    for photo_id in (2, 4)
    for number, (class_id, certainty, colours) in enumerate(
        [(0, None, None), (7, 0, None), (9, 255, 0), (50, None, 4095), (255, 17, 1)], 3
    )
]


def test_coverages_and_embeddings_are_packed_without_loss(tmp_path: Path) -> None:
    """Up, down and up again; what indexes hold is the same, so no change is noted."""
    path = tmp_path / "c.sqlite"
    make_at(path, "0009")
    engine = make_engine(url_of(path), foreign_keys=False)
    put(engine, "photo", [photo_0009(i, embedding=embedding) for i, embedding in EMBEDDINGS.items()])
    put(engine, "coverage", COVERAGES)
    before, noted = reflected(path), len(EMBEDDINGS)
    assert len(before["change"]) == noted
    with engine.connect() as connection:
        triggers = _triggers(connection)
    for _ in range(2):
        database.upgrade(engine, "0010")
        after = reflected(path)
        assert "coverage" not in after
        assert after["change"] == before["change"]
        lengths = {row["id"]: len(row["embedding"]) for row in after["photo"]}
        assert lengths == {1: DIMENSION, 2: 4 * DIMENSION, 3: 0, 4: 768, 5: 4 * DIMENSION}
        stored = {row["id"]: row["coverages"] for row in after["photo"]}
        for photo_id in EMBEDDINGS:
            shown = [Shown(*list(row.values())[1:]) for row in COVERAGES if row["photo_id"] == photo_id]
            assert stored[photo_id] == pack_shown(shown)
        downgrade(engine, "0009")
        assert reflected(path) == before
        with engine.connect() as connection:
            assert _triggers(connection) == triggers
    engine.dispose()


@pytest.mark.parametrize("damage", [{"class_id": 256}, {"certainty": -1}, {"colours": 1 << 14}])
def test_coverages_that_cannot_be_are_not_packed(tmp_path: Path, damage: dict[str, int]) -> None:
    path = tmp_path / "c.sqlite"
    make_at(path, "0009")
    engine = make_engine(url_of(path), foreign_keys=False)
    put(engine, "photo", [photo_0009(2)])
    put(engine, "coverage", [COVERAGES[0] | damage])
    before = reflected(path)
    engine.dispose()
    with pytest.raises(ArchiveError, match=r"photo 2 .* cannot be"):
        Catalog.open(path)
    assert reflected(path) == before


LABEL_MAP = np.array([[2, 2, 2, 30], [7, 7, 30, 30], [7, 7, 7, 7]], np.uint8).repeat(9, 1)
REGIONS = regions(LABEL_MAP, default().classes_of_groups).plain()
STORED = {
    11: (None, None, "v" * 16),
    12: (REGIONS, datetime(1904, 1, 1, 0, 0, 0, 1), "0123456789abcdef"),
    13: (
        b"\1" + SceneRegions.none().plain()[1:],
        datetime(9999, 12, 31, 23, 59, 59, 999999),
        "0123456789ABCDEF",
    ),
    14: (REGIONS[:-1], datetime(1970, 1, 1), "v"),  # damaged, and stays as it is
    15: (b"", datetime(2024, 2, 29, 12), ""),
    16: (bytes([PLAIN]) + REGIONS[1:3] + bytes(len(REGIONS) - 3), None, "c033ba33710b21ce"),
}


def test_rows_take_fewer_bytes_without_loss(tmp_path: Path) -> None:
    """Up, down and up again; what indexes hold is the same, so no change is noted."""
    path = tmp_path / "c.sqlite"
    make_at(path, "0010")
    engine = make_engine(url_of(path), foreign_keys=False)
    dates = ("taken_at", "removed_at", "lost_at")
    put(
        engine,
        "photo",
        [
            photo_0009(i, regions=stored, vocabulary=name, segmenter=name) | dict.fromkeys(dates, date)
            for i, (stored, date, name) in STORED.items()
        ],
    )
    when = datetime(2020, 5, 6, 7, 8, 9, 10)
    path_row = {"path": "/été/a.jpg", "part": "", "file_size": 1, "first_seen": when, "tags_given": True}
    put(
        engine,
        "path",
        [
            path_row
            | {"id": i, "photo_id": i, "last_seen": date or when, "ended_at": date}
            | {"ended": None, "replaced_by": i + 1 if i < 16 else None, "modified_ns": 5}
            for i, (_, date, _) in STORED.items()
        ],
    )
    put(engine, "purged", [{"content_hash": "cd" * 32, "purged_at": when}])
    before = reflected(path)
    with engine.connect() as connection:
        triggers = _triggers(connection)
    for _ in range(2):
        database.upgrade(engine, "0011")
        after = reflected(path)
        assert after["change"] == before["change"]
        stored = {row["id"]: row for row in after["photo"]}
        assert {i: row["vocabulary"] for i, row in stored.items()} == {
            i: bytes.fromhex(name) if i in (12, 16) else name for i, (_, _, name) in STORED.items()
        }
        assert [i for i, row in stored.items() if row["regions"] != STORED[i][0]] == [12]
        assert len(stored[12]["regions"]) < 0.6 * len(REGIONS)
        again = SceneRegions.from_bytes(stored[12]["regions"])
        assert again.plain() == REGIONS
        assert after["purged"] == [{"content_hash": bytes.fromhex("cd" * 32), "purged_at": 1588748889000010}]
        with engine.connect() as connection:
            assert {n: " ".join(t.split()) for n, t in _triggers(connection).items()} == triggers
        downgrade(engine, "0010")
        assert reflected(path) == before
        with engine.connect() as connection:
            assert _triggers(connection) == triggers
    engine.dispose()
    with Catalog.open(path) as catalog:
        for i, (_, date, name) in STORED.items():
            photo = catalog.photo(i)
            assert photo is not None
            assert (photo.content_hash, photo.vocabulary, photo.segmenter) == (f"{i:064}", name, name)
            assert (photo.taken_at, photo.removed_at, photo.lost_at) == (date, date, date)
            assert photo.paths[0].first_seen == when


DESCRIBED = {
    21: (MADE.astype("<f4").tobytes(), REGIONS, 0, 4095, b"words", pack_shown([Shown(3, 1.0)])),
    22: (b"", None, None, None, None, b""),
    23: (EMBEDDINGS[2], b"", 255, 0, b"", b"damaged"),
}


def test_what_is_described_gets_checksums(tmp_path: Path) -> None:
    """Up, down and up again; what indexes hold is the same, so no change is noted."""
    path = tmp_path / "c.sqlite"
    make_at(path, "0012")
    engine = make_engine(url_of(path), foreign_keys=False)
    stored = {i: (to_stored(values[0]), *values[1:]) for i, values in DESCRIBED.items()}
    rows = [photo_0009(i, vocabulary=b"v", segmenter=b"s") for i in DESCRIBED]
    rows = [row | {"content_hash": bytes([row["id"]]) * 32, "modified_at": 5, "added_at": 6} for row in rows]
    put(engine, "photo", [row | dict(zip(COLUMNS, stored[row["id"]], strict=True)) for row in rows])
    before = reflected(path)
    with engine.connect() as connection:
        triggers = _triggers(connection)
    for _ in range(2):
        database.upgrade(engine, "0013")
        after = reflected(path)
        assert after["change"] == before["change"]
        found = {row["id"]: row["description_sum"] for row in after["photo"]}
        assert found == {i: sum_of(*values) for i, values in DESCRIBED.items()}
        with engine.connect() as connection:
            assert _triggers(connection) == triggers
            assert list(differing(connection)) == []
        downgrade(engine, "0012")
        assert reflected(path) == before
        with engine.connect() as connection:
            assert _triggers(connection) == triggers
    engine.dispose()


@pytest.mark.parametrize("date", ["yesterday", "2020-13-01 00:00:00.000000", 5])
def test_dates_that_are_none_are_told(tmp_path: Path, date: str | int) -> None:
    path = tmp_path / "c.sqlite"
    make_at(path, "0010")
    engine = make_engine(url_of(path), foreign_keys=False)
    put(engine, "photo", [photo_0009(7)])
    with for_writing(engine).begin() as connection:
        connection.execute(text("UPDATE photo SET taken_at = :date"), {"date": date})
    engine.dispose()
    with pytest.raises(ArchiveError, match="row 7 of its table photo has a date"):
        Catalog.open(path)


def put(engine: Engine, table: str, rows: list[dict[str, Any]]) -> None:
    tables = MetaData()
    tables.reflect(engine)
    with for_writing(engine).begin() as connection:
        connection.execute(insert(tables.tables[table]), rows)


def photo_0009(photo_id: int, **more: Any) -> dict[str, Any]:
    return ROWS_0001["photo"][0] | {"id": photo_id, "content_hash": f"{photo_id:064}"} | more


def test_an_old_file_gives_back_what_it_does_not_need(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA page_size = 4096")
        made.execute("CREATE TABLE alembic_version (version_num)")
    make_at(path, "0009")
    engine = make_engine(url_of(path), foreign_keys=False)
    put(engine, "photo", [photo_0009(i, embedding=EMBEDDINGS[1]) for i in range(1, 2000)])
    put(engine, "coverage", [COVERAGES[0] | {"photo_id": i} for i in range(1, 2000)])
    engine.dispose()
    before = path.stat().st_size
    Catalog.open(path).close()
    with closing(sqlite3.connect(path)) as found:
        asked = "PRAGMA page_size", "PRAGMA freelist_count", "PRAGMA journal_mode"
        assert [found.execute(each).fetchone()[0] for each in asked] == [database.PAGE_BYTES, 0, "wal"]
    assert path.stat().st_size < 0.6 * before


def test_a_file_that_others_have_open_is_brought_up_to_date_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    make_at(path, "0009")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN")
        other.execute("SELECT * FROM photo").fetchall()
        with Catalog.open(path) as catalog:
            assert catalog.count() == 0
    with closing(sqlite3.connect(path)) as found:
        assert found.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_migration_that_fails_leaves_the_catalog_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, broken = tmp_path / "migrations", f"{int(revisions.head_revision()) + 1:04}"
    shutil.copytree(revisions.migrations_folder(), copy)
    (copy / "versions" / f"{broken}_breaks.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\nrevision = '{broken}'\ndown_revision = "
        f"'{revisions.head_revision()}'\n"
        "def upgrade():\n    op.add_column('photo', sa.Column('extra', sa.Integer()))\n    "
        "op.execute('nonsense')\n"
    )
    path = tmp_path / "c.sqlite"
    make_at(path, "0001")
    before = reflected(path)
    for module in (database, revisions):
        monkeypatch.setattr(module, "migrations_folder", lambda: copy)
    revisions.revisions.cache_clear()
    try:
        assert revisions.head_revision() == broken
        with pytest.raises(ArchiveError, match="syntax error"):
            Catalog.open(path)
    finally:
        monkeypatch.undo()
        revisions.revisions.cache_clear()
    assert reflected(path) == before


def downgrade(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(revisions.migrations_folder()))
    config.set_main_option("path_separator", "os")
    with for_writing(engine).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def test_downgrade_undoes_everything(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    make_at(path, "0001")
    engine = make_engine(url_of(path), foreign_keys=False)
    downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    engine.dispose()


@pytest.mark.parametrize("by", ["x", "environment"])
def test_alembic_command_line(tmp_path: Path, by: str) -> None:
    path = tmp_path / "catalog.sqlite"
    x = ["-x", f"catalog={path}"] if by == "x" else []

    def commands(say: Callable[[str], None]) -> None:
        """In a process of its own, which takes with it what Alembic sets there."""
        os.environ["DSS_ARCHIVE"] = str(tmp_path) if by == "environment" else "/nowhere"
        os.chdir(tmp_path)
        Config.print_stdout = lambda _config, words, *given: say(words % given)  # it keeps pytest's stdout
        for words in (["upgrade", "head"], ["current"]):
            main(["-c", str(TOP / "alembic.ini"), *x, *words])

    with forked(commands, tmp_path) as fork:
        assert any(revisions.head_revision() in line for line in fork.rest())
        assert fork.wait() == 0
    with Catalog.open(path) as catalog:
        assert catalog.count() == 0


def test_an_installed_package_finds_its_own_migrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "dsslic_search"
    (package / "archive").mkdir(parents=True)
    monkeypatch.setattr(revisions, "__file__", str(package / "archive" / "revisions.py"))
    with pytest.raises(ArchiveError, match="reinstall"):
        revisions.migrations_folder()
    shutil.copytree(TOP / "migrations", package / "migrations")
    assert revisions.migrations_folder() == package / "migrations"
