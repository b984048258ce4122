"""Many rows at once, in SQLite and by PostgreSQL's COPY."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from dsslic_search.archive import bulk, notes
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.schema import Photo, SavedQuery
from dsslic_search.core.errors import ArchiveError

ODD = [("a\tb", "\\N"), ("", "\\"), ("c\nd\r", "x\" ; 'y"), ("é\u2028", "\x01")]


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    where: Any = tmp_path / "c.sqlite"
    if request.param == "postgresql":
        where = request.getfixturevalue("new_catalog_url")
    with Catalog.open(where, create=True) as opened:
        yield opened


def test_texts_of_any_letters_come_in_as_they_are(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 3)
    with catalog.noting() as session:
        bulk.put(session.connection(), SavedQuery.__table__, ("name", "text"), ODD)
        bulk.put(session.connection(), SavedQuery.__table__, ("name", "text"), [])
    assert catalog.saved_queries() == dict(ODD)


def test_what_cannot_be_put_leaves_nothing(catalog: Catalog) -> None:
    with pytest.raises(ArchiveError, match="the catalog's database reports"), catalog.noting() as session:
        bulk.put(
            session.connection(), SavedQuery.__table__, ("name", "text"), [("a", "1"), ("b", "2"), ("a", "3")]
        )
    assert catalog.saved_queries() == {}


def test_tags_and_chosen_photos_are_put_in_together(
    catalog: Catalog, photo_row: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    with catalog.changing() as session:
        for number in range(1, 13):
            row = photo_row("0", id=number, embedding=b"", added_at=datetime(2020, 1, number))
            row.content_hash = f"{number:064x}"
            session.add(row)
    statements: list[str] = []
    event.listen(
        catalog.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_more: statements.append(statement),
    )
    assert notes.add_tags(catalog, ["best"], np.array([2, 3, 5])) == {"best": 3}
    with catalog.snapshot() as snapshot:
        with snapshot.of(np.array([5, 2])) as own:
            assert [pair for part in own.coverages() for pair in part.pairs()] == [(5, b""), (2, b"")]
        assert sorted(snapshot.tagged("best").tolist()) == [2, 3, 5]
    inserted = [statement for statement in statements if statement.startswith("INSERT")]
    assert len(inserted) == (2 if catalog.engine.dialect.name == "sqlite" else 0)
