from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dsslic_search.archive import saved
from dsslic_search.archive.catalog import Catalog
from dsslic_search.errors import ArchiveError, UsageError


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "c.sqlite", create=True) as opened:
        yield opened


def test_a_text_is_kept_replaced_and_forgotten(catalog: Catalog):
    saved.save(catalog, "Sea", "sea and no people")
    saved.save(catalog, "@land", "no sea")
    assert saved.listed(catalog) == {"land": "no sea", "sea": "sea and no people"}
    assert saved.text_of(catalog, "@SEA") == saved.text_of(catalog, "sea") == "sea and no people"
    saved.save(catalog, "SEA", "sea", replace=True)
    assert saved.text_of(catalog, "sea") == "sea"
    saved.forget(catalog, "Sea")
    assert saved.text_of(catalog, "sea") is None
    assert saved.listed(catalog) == {"land": "no sea"}


def test_nothing_is_replaced_unasked(catalog: Catalog):
    saved.save(catalog, "sea", "sea")
    with pytest.raises(ArchiveError, match='"sea" already: sea; replace it with --force'):
        saved.save(catalog, "SEA", "lake")
    assert saved.text_of(catalog, "sea") == "sea"


def test_what_is_not_there(catalog: Catalog):
    assert saved.text_of(catalog, "nothing") is None
    assert saved.text_of(catalog, "no name at all") is None
    with pytest.raises(ArchiveError, match=r'"nothing".*save --list'):
        saved.forget(catalog, "nothing")
    with pytest.raises(UsageError, match='saved query "a b"'):
        saved.save(catalog, "a b", "sea")


def test_the_generation_stays(catalog: Catalog):
    before = catalog.generation()
    saved.save(catalog, "sea", "sea")
    saved.forget(catalog, "sea")
    assert catalog.generation() == before
