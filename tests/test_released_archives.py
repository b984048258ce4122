"""Archives that released versions made, opened by this one: nothing of them is lost, and a newer one is left
alone (`tests/data/archives`)."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command

from dsslic_search import Archive
from dsslic_search.archive import database
from dsslic_search.archive.revisions import head_revision, revisions
from dsslic_search.core.errors import ArchiveError

KEPT = Path(__file__).parent / "data" / "archives"
RELEASED = {"0.1.0": "0003", "0.2.0": "0004"}
"""The catalog's revision of each."""
PICOS, SUNSET = "/photos/picos.jpg", "/photos/sunset.jpg"
BYTES = 300_000  # of all that is kept here


@pytest.fixture(params=sorted(RELEASED))
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An archive as the version of that name left it."""
    with zipfile.ZipFile(KEPT / f"{request.param}.zip") as kept:
        kept.extractall(tmp_path / request.param)
    return tmp_path / request.param


def rows(archive: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(archive / "catalog.sqlite")) as catalog:
        return catalog.execute(statement).fetchall()


def objects(archive: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in archive.rglob("*.dsslic")}


def test_each_released_version_has_an_archive() -> None:
    changes = (Path(__file__).parents[1] / "CHANGELOG.md").read_text()
    assert all(f"| [{version}](#" in changes for version in RELEASED)
    assert sorted(path.stem for path in KEPT.glob("*.zip")) == sorted(RELEASED)
    assert sum(path.stat().st_size for path in KEPT.iterdir()) < BYTES


def test_it_is_as_it_was_left(released: Path) -> None:
    assert rows(released, "SELECT version_num FROM alembic_version") == [(RELEASED[released.name],)]


def test_nothing_is_lost(released: Path) -> None:
    before = objects(released)
    dates = rows(released, "SELECT taken_at FROM photo ORDER BY id")
    with Archive(released) as archive:
        archive.reindex()
        assert [hit.path for hit in archive.query("sort:path").hits] == [PICOS, SUNSET]
        assert [hit.path for hit in archive.query("tag:best").hits] == [PICOS]
        assert archive.saved_queries() == {"wide": "sky"}
        assert {hit.path for hit in archive.query("@wide").hits} == {PICOS, SUNSET}
        assert archive.query("camera:acme").total == 2
        assert [str(archive.photo(number).taken_at) for number in (1, 2)] == [
            str(date)[:19] for (date,) in dates
        ]
        assert archive.preview(1, "full").image.mode == "RGB"
        assert archive.check(read_data=True) == []
    assert rows(released, "SELECT version_num FROM alembic_version") == [(head_revision(),)]
    assert objects(released) == before


def test_up_and_down_and_up_again(released: Path) -> None:
    """Through every revision, one after the other; tags and saved queries stay."""
    engine = database.make_engine(database.url_of(released / "catalog.sqlite"), foreign_keys=False)
    known = revisions()
    from_here = known[known.index(RELEASED[released.name]) :]
    steps = [*from_here[1:], *from_here[-2::-1], *from_here[1:]]
    for step, before in zip(steps, (from_here[0], *steps), strict=False):
        with database.for_writing(engine).begin() as connection:
            move = command.upgrade if step > before else command.downgrade
            move(database.alembic_config(connection), step)
        assert rows(released, "SELECT version_num FROM alembic_version") == [(step,)]
        assert rows(released, "SELECT count(*) FROM photo") == [(2,)]
        assert rows(released, "SELECT name, text FROM saved_query") == [("wide", "sky")]
        assert rows(released, "SELECT name FROM tag") == [("best",)]
    engine.dispose()
    with Archive(released) as archive:
        archive.reindex()
        assert archive.query("tag:best and sky").total == 1
        assert archive.check(read_data=True) == []


@pytest.mark.parametrize("newer", ["catalog", "archive"])
def test_a_newer_one_is_refused_and_left_as_it_is(released: Path, newer: str) -> None:
    if newer == "catalog":
        with closing(sqlite3.connect(released / "catalog.sqlite")) as catalog:
            catalog.execute("UPDATE alembic_version SET version_num = '9999'")
            catalog.commit()
    else:
        (released / "archive.json").write_text('{"format": "dsslic-search archive", "version": 99}')
    shutil.copytree(released, released.with_name("before"))
    for ask in (lambda archive: archive.query("sky"), lambda archive: archive.reindex()):
        with (
            Archive(released) as archive,
            pytest.raises(
                ArchiveError, match=r"newer dsslic-search.*update dsslic-search; nothing was changed"
            ),
        ):
            ask(archive)
    left = {path.relative_to(released) for path in released.rglob("*")}
    assert {path.name for path in left} - {"lock", "lock.next", "writer.json"} == {
        path.name for path in released.with_name("before").rglob("*")
    }
    for path in released.with_name("before").rglob("*"):
        if path.is_file():
            assert (
                released / path.relative_to(released.with_name("before"))
            ).read_bytes() == path.read_bytes()
