"""What SQL alone finds in real catalogs, in SQLite and in PostgreSQL, is what the indexes find: the same
photos, in the same order, page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, text, update

from dsslic_search import Archive
from dsslic_search.archive import in_sql as expressions
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.manifest import Manifest
from dsslic_search.archive.schema import Photo, Tag
from dsslic_search.archive.terms import TERMS_SETTING, our_terms
from dsslic_search.core.errors import UsageError
from dsslic_search.core.fields import INDEXED, SORTED_BY
from dsslic_search.core.kinds import PhotoState
from dsslic_search.core.vocabulary import default
from dsslic_search.features.coverage import Shown, pack_shown, unpack_shown
from dsslic_search.index.quanta import TICKS, quanta, ticks
from dsslic_search.index.segments import open_segments
from dsslic_search.query.ast import And, Balance, Compare, Node, Not, Or, Regional, Sort, Thing, Within
from dsslic_search.query.language.parse import parse
from dsslic_search.query.plan import plan
from dsslic_search.query.run import in_sql
from dsslic_search.query.run.cursor import Cursor
from dsslic_search.query.run.evaluate import Indexes
from dsslic_search.query.run.scatter import Asked, Finding, find
from tests.archive import postgres
from tests.archive.conftest import World
from tests.query.made import NOON, NOWHERE, MadeArchive, MadePhoto
from tests.query.test_exactness import PLACES, THINGS, Random, kinds, made_leaf, made_photo, one

V = default()
PHOTOS, TREES, PAGE = 40, 8, 15
DATES = [datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(1900, 2, 28, 5), datetime(2024, 2, 29)]
ORDERS = [key for key in SORTED_BY if key not in ("path", "name")]
# what only indexes know, and what is asked of texts
INDEXES_ALONE = re.compile(r"Shows|Text (keyword|people|title|text|path|name)|Unknown word")
QUERIES = (
    "building",
    "> 15% building sort:-building",
    "tag:best",
    "not tag:best",
    "everything count:all",
    "sofa",
)
KINDS = {
    *("Presence", "Compare", "Balance", "Coloured", "Orientation", "Near", "Within"),
    *(
        "Period taken",
        "Period added",
        "Recurring month",
        "Recurring weekday",
        "Recurring hour",
        "Recurring day",
    ),
    *("Text camera", "Text lens", "Text format", "Text keep", "Text tag", "Text colour"),
    *("Number width", "Number megapixels", "Number exposure", "Number brightness"),
    *("Unknown place", "Unknown taken", "Unknown lens", "Unknown keyword"),
}


@pytest.fixture(scope="module")
def photos() -> list[MadePhoto]:
    """Of all states, with odd dates, some without a label map."""
    rng = np.random.default_rng(20)
    made = []
    for photo_id in (rng.permutation(PHOTOS) + 1).tolist():
        photo = replace(made_photo(rng, photo_id), state=one(rng, [*map(str, PhotoState), *["here"] * 8]))
        if rng.random() < 0.2:
            photo = replace(photo, taken=one(rng, DATES), exposure=1 / int(rng.integers(2, 9)))
        if rng.random() < 0.1:
            photo = replace(photo, width=0, height=0)
        if rng.random() < 0.1:
            photo.__dict__["shown"] = b""
        made.append(photo)
    return made


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def catalog(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, photos: list[MadePhoto]
) -> Iterator[Catalog]:
    where: Path | str = tmp_path_factory.mktemp("sql") / "c.sqlite"
    if request.param == "postgresql":
        made = map(request.getfixturevalue, ("postgres_server", "empty_catalog"))
        where = postgres.new_database(*made)
    with Catalog.open(where, create=True) as opened:
        with opened.changing() as session:
            session.add_all(map(row_of, photos))
            session.flush()
            session.add_all(Tag(name=tag, photo_id=photo.id) for photo in photos for tag in photo.tags)
        yield opened


def row_of(photo: MadePhoto) -> Photo:
    row = Photo(content_hash=f"{photo.id:064x}", modified_at=NOON, quality=75, stored_bytes=5, map_bytes=3)
    for column, value in zip(INDEXED, photo.file, strict=True):
        setattr(row, column.name, value)
    row.taken_at, row.added_at, row.path = photo.taken, photo.added, photo.path
    row.vocabulary = row.segmenter = "0" * 16
    row.embedding, row.regions = photo.features.embedding, photo.features.regions
    row.stored_coverages = photo.shown
    return row


def tree_of(rng: Random, archive: MadeArchive, depth: int = 2) -> Node:
    kind = rng.random()
    if depth and kind < 0.6:
        parts = tuple(tree_of(rng, archive, depth - 1) for _ in range(2))
        return Not(parts[0]) if kind < 0.2 else And(parts) if kind < 0.4 else Or(parts)
    if kind > 0.97:
        (south, west), (north, east) = one(rng, PLACES), one(rng, PLACES)
        return Within(min(south, north), west, max(south, north), east)
    while True:
        leaf = made_leaf(rng, archive)
        if not isinstance(leaf, Regional) and not any(map(INDEXES_ALONE.match, kinds(leaf))):
            return leaf


def order_of(rng: Random) -> Sort | None:
    down = bool(rng.integers(2))
    return one(
        rng,
        [None, Sort("relevance", None, down), Sort("thing", one(rng, THINGS), down)]
        + [Sort(one(rng, ORDERS), None, down)] * 2,
    )


def told(found: Finding) -> tuple[Any, ...]:
    page = found.best.page
    return found.total, found.photos, page.ids.tolist(), page.scores.tolist(), page.more, page.last


@pytest.fixture(scope="module")
def predicates(photos: list[MadePhoto]) -> dict[str, Node]:
    """One of each kind."""
    archive, rng = MadeArchive(photos), np.random.default_rng(21)
    found: dict[str, Node] = {"more": Balance(((THINGS[0], 1), (THINGS[1], -1)), 0, True, "")}
    while not set(found) >= KINDS:
        leaf = tree_of(rng, archive, depth=0)
        if (name := " ".join(kinds(leaf))) in KINDS:
            found.setdefault(name, leaf)
    return found


def test_each_predicate_finds_what_it_does_in_the_indexes(
    catalog: Catalog, photos: list[MadePhoto], predicates: dict[str, Node]
) -> None:
    indexes = [Indexes.of(part) for part in open_segments(catalog, NOWHERE, V).parts]
    assert any(not photo.shown and photo.state == "here" for photo in photos)
    with catalog.snapshot() as snapshot:
        for name, leaf in predicates.items():
            asked = Asked(plan(leaf, 10**10), {}, 0, Sort("id", None, True), None, None)
            assert told(in_sql.find(asked, snapshot, V)) == told(find(asked, indexes)), (name, leaf)
            asked = replace(asked, step=plan(Not(leaf), 10**10), limit=0)
            assert told(in_sql.find(asked, snapshot, V)) == told(find(asked, indexes)), ("not", name, leaf)


def test_bounds_are_met_to_the_tick(catalog: Catalog, photos: list[MadePhoto]) -> None:
    indexes = [Indexes.of(part) for part in open_segments(catalog, NOWHERE, V).parts]
    seen = [photo for photo in photos if photo.shown and photo.state == "here"][:6]
    totals = set()
    with catalog.snapshot() as snapshot:
        for number, photo in enumerate(seen):
            each = max(photo.features.coverages, key=lambda pair: pair[1])
            share, thing = int(ticks(np.array(each[1]))), Thing("it", "it", (each[0],), 0)
            for low, high in (share, TICKS), (share + 1, TICKS), (0, share), (0, share - 1):
                asked = Asked(plan(Compare(thing, low, high, ""), 1), {}, 0, None, 0, None)
                found = in_sql.find(asked, snapshot, V)
                assert told(found) == told(find(asked, indexes)), (photo.id, low, high)
                totals.add((number, high == TICKS, found.total))
    assert len(totals) == 4 * len(seen)  # each tick makes a difference


def test_all_pages_of_what_it_finds_are_those_of_the_indexes(
    catalog: Catalog, photos: list[MadePhoto]
) -> None:
    archive, rng = MadeArchive(photos), np.random.default_rng(20)
    indexes = [Indexes.of(part) for part in open_segments(catalog, NOWHERE, V).parts]
    with catalog.snapshot() as snapshot:
        for number in range(TREES):
            tree, sort, lifted = tree_of(rng, archive), order_of(rng), int(rng.integers(8))
            asked = Asked(plan(tree, 10**10), {}, lifted, sort, one(rng, [PAGE, PAGE, None, 0]), None)
            while True:
                found = in_sql.find(asked, snapshot, V)
                assert told(found) == told(find(asked, indexes)), (number, tree, sort)
                if (last := found.best.page.last) is None:
                    break
                asked = replace(asked, previous=Cursor(bytes(8), *last, NOON))


def test_every_order_is_that_of_the_indexes(catalog: Catalog) -> None:
    indexes = [Indexes.of(part) for part in open_segments(catalog, NOWHERE, V).parts]
    with catalog.snapshot() as snapshot:
        for key in ORDERS:
            asked = Asked(plan(None, 1), {}, 0, Sort(key, None, len(key) % 2 == 0), None, None)
            assert told(in_sql.find(asked, snapshot, V)) == told(find(asked, indexes)), key


def test_fractions_are_put_together_from_their_bytes_without_loss(catalog: Catalog) -> None:
    """All that pixel counts divide to, with those in the middle between two ticks."""
    rng = np.random.default_rng(3)
    pixels = rng.integers(1, 1 << 28, 400)
    fractions = [
        *(rng.integers(1, pixels + 1) / pixels),
        *(np.arange(1, 8193, 34) / 8192),
        1.0,
        2.0**-40,
        5e-13,
    ]
    stored = [
        pack_shown([Shown(2, float(one(rng, fractions)), 200), Shown(5, f), Shown(9, 0.1, 3, 4)])
        for f in fractions
    ]
    asked = [expressions.ticks_of(own) for own in ((5,), (2, 5, 9), (3,))]
    asked += [expressions.quantum_of((5,)), expressions.shows_colour((9,), "black")]
    with catalog.session() as session:  # which is rolled back
        ids = session.scalars(select(Photo.id).order_by(Photo.id)).all()
        for start in range(0, len(stored), len(ids)):
            part = dict(zip(ids, stored[start : start + len(ids)], strict=False))
            session.execute(
                update(Photo), [{"id": i, "stored_coverages": packed} for i, packed in part.items()]
            )
            rows = session.execute(select(Photo.id, *asked).where(Photo.id.in_(part))).all()
            for photo_id, alone, all_of_them, none, quantum, coloured in rows:
                own = np.array([each.fraction for each in unpack_shown(part[photo_id])])
                assert alone == ticks(own[1:2])[0]
                assert all_of_them == ticks(np.array([own[0] + own[1] + own[2]]))[0]
                assert none == 0
                assert quantum == quanta(own[1:2])[0]
                assert not coloured
        session.rollback()


def test_the_view_for_other_programs_says_what_the_documents_say(
    catalog: Catalog, photos: list[MadePhoto]
) -> None:
    if catalog.engine.dialect.name == "sqlite":
        return  # it has none
    page = (Path(__file__).parents[2] / "docs" / "deployment.md").read_text()
    example, _of_layouts = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    question, _alike = re.findall(r'query "(.*)" --engine sql', page)
    indexes = [Indexes.of(part) for part in open_segments(catalog, NOWHERE, V).parts]
    found = 0
    with catalog.session() as session:
        for percent in 30, 5, 0:
            query = parse(question.replace("30%", f"{percent}%"), V)
            asked = Asked(plan(query.tree, 1), {}, 0, query.sort, None, None)
            rows = session.execute(text(example.replace("0.3 ", f"{percent / 100} "))).all()
            assert [row.id for row in rows] == find(asked, indexes).best.ids.tolist()
            found += len(rows)
        viewed = session.execute(text("SELECT * FROM coverage ORDER BY photo_id, class_id")).all()
    assert found >= 5
    assert [tuple(row) for row in viewed] == [
        (photo.id, each.class_id, each.fraction, None if each.certainty is None else each.certainty / 255)
        for photo in sorted(photos, key=lambda photo: photo.id)
        for each in unpack_shown(photo.shown)
    ]


def test_who_may_but_read_the_database_needs_nothing_else(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if catalog.engine.dialect.name == "sqlite":
        return  # which is a file of the archive
    with catalog.engine.begin() as connection:
        connection.execute(text("CREATE ROLE reader LOGIN"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"))
    catalog.remember(TERMS_SETTING, our_terms())
    reader = catalog.engine.url.set(username="reader").render_as_string()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # where nobody is
    Manifest(objects="s3://photos/archive", catalog=reader).write(tmp_path)
    with Archive(tmp_path) as archive:
        answers = [archive.query("sky or tree", limit=3, engine=engine) for engine in ("sql", "index")]
    assert answers[0].hits == answers[1].hits
    assert answers[0].total == answers[1].total > 3


def test_what_it_cannot_tell_is_refused_in_a_sentence(world: World) -> None:
    world.photo("a.jpg")
    world.ingest()
    sentences = {
        "sky above sea": "where things are or how many",
        "like #1": "whether photos are like others: like #1",
        "name:a": "what names and texts say: name:a",
        "everything sort:path": "how names are in order: sort:path",
        "word:pizza": "what photos show as a whole",
        "everything count:year": "how many photos there are of each year",
    }
    with Archive(world.archive.root) as archive:
        for query, sentence in sentences.items():
            with pytest.raises(UsageError, match=re.escape(sentence)) as refused:
                archive.query(query, engine="sql")
            assert str(refused.value).endswith('; ask the indexes, with engine="index"')
        with pytest.raises(UsageError, match="what each part of a query matches"):
            archive.query("everything", engine="sql", explain=True)
        with pytest.raises(UsageError, match='engine "bash" is not one of: index, sql'):
            archive.query("everything", engine="bash")


def test_it_opens_no_index(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "a.jpg", "b.jpg", "c.jpg":
        world.photo(name)
    world.ingest()
    pages = []
    with Archive(world.archive.root) as archive:
        archive.tag(["best"], [2])
        with monkeypatch.context() as patched:
            patched.delattr("dsslic_search.api.indexes.OpenIndexes.ask")
            for query in QUERIES:
                first = archive.query(query, engine="sql", limit=2)
                after = first.cursor
                pages += [
                    (query, None, first),
                    (query, after, archive.query(query, limit=2, after=after, engine="sql")),
                ]
        for query, after, page in pages:
            same = archive.query(query, limit=2, after=after)
            for name in "hits", "total", "classes", "unseen", "reading", "tally", "start", "listed":
                assert getattr(page, name) == getattr(same, name), (query, name)
            assert (page.cursor is None) == (same.cursor is None)
