from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from dsslic_search.archive import known_paths, paths
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import MapFeatures
from dsslic_search.archive.known_paths import touch, under
from dsslic_search.archive.paths import FileThere
from dsslic_search.archive.schema import KnownPath, Photo
from dsslic_search.core.files import path_to_text

START = datetime(2021, 1, 1)

Row = Callable[..., Photo]
Features = Callable[[int], MapFeatures]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog.sqlite", create=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def one_catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with Catalog.open(tmp_path_factory.mktemp("paths") / "catalog.sqlite", create=True) as opened:
        yield opened


names = st.binary(min_size=1, max_size=3).map(lambda b: b.replace(b"/", b"u").replace(b"\0", b"d"))
native = (
    st.lists(names | st.sampled_from([b"a", b"A", b"a\xff", b"\xff", b"ab"]), min_size=1, max_size=3)
    .map(lambda parts: Path("/" + b"/".join(parts).decode("utf-8", "surrogateescape")))
    .filter(lambda path: not {".", ".."} & set(path.parts))
)


@settings(max_examples=60)
@given(
    files=st.lists(native, max_size=6, unique=True), asked=st.lists(native | st.just(Path("/")), max_size=3)
)
def test_what_lies_under_folders(
    one_catalog: Catalog, lying_nowhere: Callable[..., None], files: list[Path], asked: list[Path]
) -> None:
    """Against the paths themselves, whatever bytes they have."""
    catalog = one_catalog
    lying_nowhere(catalog, (1, 2, 3))
    with catalog.changing() as session:
        for number, path in enumerate(files):  # all of one photo, but for one that ended in two ways
            paths.seen(session, 1, FileThere(path, 1, number), START)
        paths.seen(session, 2, FileThere(Path("/ended here/x"), 1, 1), START)
        paths.seen(session, 2, FileThere(Path("/ended here/y"), 1, 1), START)
        paths.seen(session, 3, FileThere(Path("/ended/z"), 1, 1), START)
        rows = {row.path: row.id for row in session.scalars(select(KnownPath))}
        paths.gone(session, [rows["/ended here/x"], rows["/ended/z"]], START)
    found = under(catalog, asked)
    expected = {
        path_to_text(path)
        for path in (*files, Path("/ended here/y"), Path("/ended/z"))
        if any(path == place or place in path.parents for place in asked)
    }
    assert set(found) == expected
    assert all(
        [known.path for known in rows] == [path] and rows[0].live == (path != "/ended/z")
        for path, rows in found.items()
    )


def test_a_folder_is_found_in_the_index(catalog: Catalog, photo_row: Row, features: Features) -> None:
    catalog.add(photo_row("a"), features(1))
    asked: list[str] = []
    event.listen(
        catalog.engine,
        "before_cursor_execute",
        lambda _c, _cursor, text, values, *_: asked.append((text, values)),
    )
    under(catalog, [Path("/photos")])
    with catalog.engine.connect() as connection:
        text, values = next((text, values) for text, values in asked if "FROM path" in text)
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()
    assert any("SEARCH path USING INDEX sqlite_autoindex_path_1" in row[-1] for row in plan), plan


def test_touched_rows_tell_when_they_were_seen_last(
    catalog: Catalog, photo_row: Row, features: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_paths, "ROWS_TOUCHED_AT_ONCE", 2)
    for digit in "abcd":
        catalog.add(photo_row(digit), features(1))
    generation = catalog.generation()
    touch(catalog, [1, 2, 4], START + timedelta(days=9))
    with catalog.session() as session:
        seen = session.scalars(select(KnownPath.last_seen).order_by(KnownPath.id)).all()
    assert [date.day for date in seen] == [10, 10, 1, 10]
    assert catalog.generation() == generation
