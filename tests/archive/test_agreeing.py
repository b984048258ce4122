"""What a flipped bit makes of a catalog that SQLite finds no fault with is found by its journal."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from alembic import command

from dsslic_search.archive import database
from dsslic_search.archive.check import check
from dsslic_search.archive.findings import Problem
from dsslic_search.archive.ingest.sync import sync
from dsslic_search.archive.journaling import stated
from dsslic_search.archive.rebuild import rebuild
from dsslic_search.archive.repair import repair
from dsslic_search.core.settings import Settings
from tests.archive.conftest import World
from tests.archive.test_rebuild import facts

pytestmark = pytest.mark.usefixtures("readable_maps")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE photo SET rating = 5 WHERE id = 2",
        "UPDATE photo SET camera = 'Bax Brownie' WHERE id = 1",
        "UPDATE path SET path = replace(path, 'a.jpg', 'e.jpg')",
        "UPDATE tag SET name = 'bext' WHERE photo_id = 3",
        "DELETE FROM tag WHERE photo_id = 3",
        "UPDATE saved_query SET text = 'tag:bext'",
        "UPDATE path SET last_seen = last_seen + 1 WHERE id = 2",
        "UPDATE path SET tags_given = x'' WHERE id = 2",
    ],
)
def test_what_it_says_otherwise_is_found_and_made_anew(tagged: World, change: str) -> None:
    before = facts(tagged.archive)
    with closing(sqlite3.connect(tagged.archive.root / "catalog.sqlite")) as plain:
        plain.execute(change)
        plain.commit()
    assert check(tagged.archive) == []
    found = check(tagged.archive, read_data=True)
    assert [(each.what, each.photos) for each in found] == [(Problem.OTHERWISE, 1)]
    assert repair(tagged.archive, found) == []  # which of the two is right, people say
    assert rebuild(tagged.archive).unread == 0
    assert facts(tagged.archive) == before
    assert check(tagged.archive, read_data=True) == []


def follow(world: World) -> None:
    sync(world.archive, settings=Settings(), prepare=world.prepare, workers=1)


@pytest.mark.parametrize("anew", [False, True])
def test_dates_of_looks_are_compared_file_by_file(tagged: World, anew: bool) -> None:
    """Told of one photo's paths, of many files at once, of a file that was gone and came back, and by a
    journal begun anew."""
    tagged.photo("copy of a.jpg", "a.jpg")
    tagged.ingest()
    (tagged.photos / "b.jpg").unlink()
    follow(tagged)
    tagged.photo("b.jpg")
    tagged.ingest()
    follow(tagged)
    if anew:
        with tagged.archive.writing() as catalog:
            catalog.tend_journal(anew=True)
    assert ('["seen"' in tagged.archive.journal.read_text()) != anew
    assert check(tagged.archive, read_data=True) == []
    with closing(sqlite3.connect(tagged.archive.root / "catalog.sqlite")) as plain:
        ids = [row[0] for row in plain.execute("SELECT id FROM path")]
    assert len(ids) == 4
    for changed in range(1, len(ids) + 1):
        with closing(sqlite3.connect(tagged.archive.root / "catalog.sqlite")) as plain:
            flipped = "(last_seen | 64) - (last_seen & 64)"
            plain.execute(f"UPDATE path SET last_seen = {flipped} WHERE id = ?", (ids[changed - 1],))
            plain.commit()
        (found,) = check(tagged.archive, read_data=True)
        assert (found.what, found.photos) == (Problem.OTHERWISE, changed)
    with closing(sqlite3.connect(tagged.archive.root / "catalog.sqlite")) as plain:
        plain.execute("UPDATE path SET last_seen = '2001-01-01 00:00:00.000000'")
        plain.commit()
    assert [each.what for each in check(tagged.archive, read_data=True)] == [Problem.DATABASE]


def test_journals_that_prove_nothing_are_passed_over(tagged: World) -> None:
    with closing(sqlite3.connect(tagged.archive.root / "catalog.sqlite")) as plain:
        plain.execute("UPDATE photo SET rating = 5 WHERE id = 2")
        plain.commit()
    journal = tagged.archive.journal
    journal.write_bytes(journal.read_bytes().replace(b'"best"', b'"bext"'))
    assert [each.what for each in check(tagged.archive, read_data=True)] == [Problem.JOURNAL]


def test_a_journal_of_before_the_catalog_was_brought_up_to_date_proves_nothing_until_it_is_begun_anew(
    tagged: World,
) -> None:
    """Going back forgets when files were changed and ratings, which are in the journal; coming back begins
    it anew, by who writes next, and keeps nothing aside."""
    catalog = tagged.archive.root / "catalog.sqlite"
    engine = database.make_engine(database.url_of(catalog), foreign_keys=False)
    with database.for_writing(engine).begin() as connection:
        command.downgrade(database.alembic_config(connection), "0004")
    engine.dispose()
    assert check(tagged.archive, read_data=True) == []
    with tagged.archive.open_catalog() as opened, opened.session() as session:
        assert (place := stated(session.connection())) is not None and place.older
        assert session.connection().exec_driver_sql("SELECT count(rating) FROM photo").scalar() == 0
    assert check(tagged.archive, read_data=True) == []
    with tagged.archive.writing() as opened, opened.session() as session:
        assert (begun := stated(session.connection())) is not None and not begun.older
        assert begun.name != place.name
    assert check(tagged.archive, read_data=True) == []
    assert not list(tagged.archive.root.rglob("journal.1.jsonl"))
    with closing(sqlite3.connect(catalog)) as plain:
        plain.execute("UPDATE photo SET camera = 'Bax Brownie' WHERE id = 1")
        plain.commit()
    assert [each.what for each in check(tagged.archive, read_data=True)] == [Problem.OTHERWISE]
