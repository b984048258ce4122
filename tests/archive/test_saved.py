from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dsslic_search.archive import notes
from dsslic_search.archive.catalog import Catalog
from dsslic_search.core.errors import ArchiveError, UsageError


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "c.sqlite", create=True) as opened:
        yield opened


def test_a_text_is_kept_replaced_and_forgotten(catalog: Catalog):
    notes.save_query(catalog, "Sea", "sea and no people")
    notes.save_query(catalog, "@land", "no sea")
    assert catalog.saved_queries() == {"land": "no sea", "sea": "sea and no people"}
    notes.save_query(catalog, "SEA", "sea", replace=True)
    assert catalog.saved_queries().get("sea") == "sea"
    notes.forget_query(catalog, "Sea")
    assert catalog.saved_queries().get("sea") is None
    assert catalog.saved_queries() == {"land": "no sea"}


def test_nothing_is_replaced_unasked(catalog: Catalog):
    notes.save_query(catalog, "sea", "sea")
    with pytest.raises(ArchiveError, match='"sea" already: sea; replace it with replace=True'):
        notes.save_query(catalog, "SEA", "lake")
    assert catalog.saved_queries().get("sea") == "sea"


def test_what_is_not_there(catalog: Catalog):
    with pytest.raises(ArchiveError, match=r'"nothing".*Archive.saved_queries'):
        notes.forget_query(catalog, "nothing")
    with pytest.raises(UsageError, match='saved query "a b"'):
        notes.save_query(catalog, "a b", "sea")


def test_the_generation_stays(catalog: Catalog):
    before = catalog.generation()
    notes.save_query(catalog, "sea", "sea")
    notes.forget_query(catalog, "sea")
    assert catalog.generation() == before
