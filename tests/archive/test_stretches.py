"""What SQLite puts together of many photos is what their rows say."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from dsslic_search.archive import stretches
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.schema import Photo
from dsslic_search.core.blobs import NONE
from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.fields import INDEXED
from dsslic_search.core.moments import microseconds
from dsslic_search.index.file_columns import facts
from dsslic_search.index.known_files import NOTHING, KnownFiles

BYTES = [b"", b"\0", b"a\0b,c", b"\xff\xfe", b"\xc3", "é".encode(), bytes(range(256))]
PHOTOS = 30


@pytest.fixture
def catalog(
    tmp_path: Path, photo_row: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Catalog]:
    """Of photos with gaps between their ids, whose columns of bytes have any; every third has no words."""
    monkeypatch.setattr(stretches, "PHOTOS_AT_ONCE", 4)
    rng = random.Random(2)
    with Catalog.open(tmp_path / "c.sqlite", create=True) as opened:
        with opened.changing() as session:
            for number in range(PHOTOS):
                words = None if number % 3 == 0 else rng.choice(BYTES)
                added = datetime(2020, 1, 1) + timedelta(days=rng.randrange(9))
                row = photo_row(
                    "0", id=2 * number + 1, embedding=b"", added_at=added, stored_words=words,
                    stored_coverages=rng.choice(BYTES), regions=rng.choice([None, *BYTES]),
                )  # fmt: skip
                row.content_hash = f"{number:064x}"
                session.add(row)
        yield opened


def by_rows(catalog: Catalog, column: Any) -> dict[int, bytes | None]:
    with catalog.session() as session:
        return {row.id: getattr(row, column.key) for row in session.query(Photo)}


COLUMNS = [Photo.stored_coverages, Photo.regions, Photo.stored_words]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("known", [False, True])
def test_bytes_of_any_kind_are_those_of_the_rows(catalog: Catalog, column: Any, known: bool) -> None:
    rising = np.arange(1, 2 * PHOTOS, 2)
    with catalog.reading() as connection:
        parts = list(stretches.blobs(connection, column, rising, known))
    found = [pair for ids, blobs in parts for pair in zip(ids.tolist(), blobs.each(), strict=True)]
    rows = by_rows(catalog, column).items()
    assert sorted(found) == [(i, value) for i, value in rows if not known or value is not None]
    assert len(parts) == -(-PHOTOS // 4)


def test_a_text_in_their_place_is_read_row_by_row(catalog: Catalog) -> None:
    with catalog.changing() as session:
        session.connection().exec_driver_sql("UPDATE photo SET coverages = 'é' WHERE id = 7")
    asked: list[str] = []
    event.listen(
        catalog.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_more: asked.append(statement),
    )
    rising = np.arange(1, 20, 2)
    with catalog.reading() as connection, pytest.raises(TypeError):  # as of any reader: a text is no bytes
        list(stretches.blobs(connection, Photo.stored_coverages, rising, False))
    assert [each.startswith("SELECT group_concat") for each in asked[-2:]] == [True, False]


@pytest.mark.parametrize("chosen", [3, 20])
def test_a_snapshot_of_some_photos_has_theirs_alone_in_their_order(catalog: Catalog, chosen: int) -> None:
    ids = np.array(random.Random(3).sample(range(1, 2 * PHOTOS), chosen))
    with catalog.snapshot() as snapshot, snapshot.of(ids) as own:
        coverages, words = (
            [pair for part in parts for pair in part.pairs()]
            for parts in (own.coverages(), own.image_words())
        )
        without = [int(i) for part in own.embeddings() for i in part.ids[part.blobs.sizes != 0]]
        there = sorted(int(i) for part in own.embeddings() for i in part.ids)
    rows = by_rows(catalog, Photo.stored_coverages)
    assert coverages == [(i, rows.get(i, b"")) for i in ids.tolist()]
    rows = by_rows(catalog, Photo.stored_words)
    assert words == [(i, rows.get(i)) for i in ids.tolist()]
    assert (without, there) == ([], sorted(rows.keys() & set(ids.tolist())))


def test_more_than_sqlite_takes_at_once_is_read_row_by_row(catalog: Catalog) -> None:
    with catalog.changing() as session:
        session.get_one(Photo, 5).stored_coverages = bytes(900)
        session.get_one(Photo, 7).stored_coverages = b"\1" * 900
        session.get_one(Photo, 5).path, session.get_one(Photo, 7).path = "/" + 900 * "a", "/" + 900 * "b"
    rising = np.arange(1, 2 * PHOTOS, 2)

    def read(connection: Any) -> tuple[dict[int, bytes | None], dict[int, Any]]:
        parts = list(stretches.blobs(connection, Photo.stored_coverages, rising, False))
        pairs = (zip(ids.tolist(), blobs.each(), strict=True) for ids, blobs in parts)
        files = [pair for part in stretches.files(connection, rising) for pair in told(part).items()]
        return {i: value for some in pairs for i, value in some}, dict(files)

    with catalog.reading() as connection:
        wanted = read(connection)
        driver: Any = connection.connection.driver_connection
        before = driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1700)
        try:
            assert read(connection) == wanted
        finally:
            driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)
    assert wanted[0] == by_rows(catalog, Photo.stored_coverages)
    assert wanted[1].keys() == wanted[0].keys()


def told(part: KnownFiles) -> dict[int, tuple[Any, ...]]:
    """By id, the values of files, "" and NaN as None, and the path."""
    columns = [[None] * part.ids.size if known is None else list(known) for known in part.columns]
    rows = zip(part.ids.tolist(), *columns, part.paths, strict=True)
    return {i: tuple(None if v in ("", NOTHING) or v != v else v for v in values) for i, *values in rows}


def values_of(rng: random.Random, number: int) -> dict[str, Any]:
    """Some of the facts, none of them in the first photos."""
    facts: dict[str, Any] = {
        "taken_at": datetime(2010 + rng.randrange(9), 1, 1, microsecond=rng.randrange(10**6)),
        "camera": rng.choice(["", "Canon, Inc.", "a\tb\n", "ł'\"", "1,2"]),
        "keywords": "sea\nsand",
        "iso": rng.choice([50, 2**40, -3]),
        "focal_length": rng.choice([0.1, 1 / 3, 5e-324, 1e300, 12]),
        "latitude": rng.uniform(-90, 90),
        "longitude": rng.uniform(-180, 180),
        "colours": rng.randrange(1 << 16),
        "brightness": rng.randrange(100),
    }
    known = {name: value for name, value in facts.items() if number > 5 and rng.random() < 0.6}
    return known | {"path": f"/é{rng.randrange(5)}/{number},.jpg", "width": rng.randrange(1, 9)}


@pytest.mark.parametrize("odd", [False, True])
def test_facts_of_files_are_those_of_the_rows(catalog: Catalog, odd: bool) -> None:
    rng = random.Random(4)
    with catalog.changing() as session:
        for number in range(PHOTOS):
            photo = session.get_one(Photo, 2 * number + 1)
            for name, value in values_of(rng, number).items():
                setattr(photo, name, value)
        if odd:
            session.get_one(Photo, 21).lens = "a\0b"  # as what stands between two
            session.connection().exec_driver_sql("UPDATE photo SET iso = 2.5 WHERE id = 41")
    names = [column.name for column in INDEXED]
    with catalog.session() as session:
        rows = [
            ([getattr(photo, name) for name in names], photo.path)
            for photo in session.query(Photo).order_by(Photo.id)
        ]
    numbered = [[microseconds(v) if isinstance(v, datetime) else v for v in values] for values, _ in rows]
    wanted = told(KnownFiles.of(numbered, [path for _, path in rows]))
    with catalog.reading() as connection:
        parts = list(stretches.files(connection, np.arange(1, 2 * PHOTOS, 2)))
    assert {i: values for part in parts for i, values in told(part).items()} == wanted
    assert len(wanted) == PHOTOS
    some = np.array([45, 7, 21, 41, 100])
    with catalog.snapshot() as snapshot, snapshot.of(some) as own:
        few = {i: values for part in own.files() for i, values in told(part).items()}
    with catalog.snapshot() as snapshot, snapshot.of(np.arange(1, 50, 4)) as own:
        many = {i: values for part in own.files() for i, values in told(part).items()}
    assert few == {i: wanted[i] for i in (7, 21, 41, 45)}
    assert many == {i: wanted[i] for i in range(1, 50, 4)}


@pytest.mark.parametrize(
    ("column", "value"), [("iso", "'fast'"), ("latitude", "'north'"), ("file_size", "'1-2'"), ("width", "-1")]
)
def test_a_value_of_another_kind_is_told(catalog: Catalog, column: str, value: str) -> None:
    with catalog.changing() as session:
        session.connection().exec_driver_sql(f"UPDATE photo SET {column} = {value} WHERE id = 11")
    with catalog.snapshot() as snapshot, pytest.raises(ArchiveError, match="of another kind"):
        facts(snapshot)


def test_no_photo_has_nothing(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "c.sqlite", create=True) as empty, empty.reading() as connection:
        assert list(stretches.blobs(connection, Photo.regions, np.empty(0, np.int64), False)) == []
        assert list(stretches.files(connection, np.empty(0, np.int64))) == []
        ((ids, blobs),) = stretches.blobs(connection, Photo.regions, np.array([5]), False)
    assert (ids.size, len(blobs), NONE) == (0, 0, -1)


def test_photos_are_put_in_order_by_their_dates(catalog: Catalog) -> None:
    with catalog.changing() as session:
        session.get_one(Photo, 9).taken_at = datetime(2031, 1, 1)
    with catalog.session() as session:
        dated = {photo.id: microseconds(photo.taken_at or photo.added_at) for photo in session.query(Photo)}
    wanted = sorted(dated, key=lambda i: (-dated[i], i))
    with catalog.snapshot() as snapshot:
        found = snapshot.newest_first()
        some = snapshot.newest_first(np.arange(1, 50, 2))
    assert found.ids.tolist() == wanted
    assert found.moments.tolist() == [dated[i] for i in wanted]
    assert some.ids.tolist() == [i for i in wanted if i < 50]
    assert wanted[0] == 9


@pytest.mark.parametrize("date", ["'1-2'", "'never'", "x'00'"])
def test_a_date_that_is_none_is_told(catalog: Catalog, date: str) -> None:
    with catalog.changing() as session:
        session.connection().exec_driver_sql(f"UPDATE photo SET added_at = {date} WHERE id = 11")
    with catalog.snapshot() as snapshot, pytest.raises(ArchiveError, match="a date in it is none"):
        snapshot.newest_first()
