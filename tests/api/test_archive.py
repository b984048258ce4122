"""`Archive` as a program uses it, on a catalog of made-up label maps."""

from __future__ import annotations

import copy
import csv
import pickle
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from alembic import command

from dsslic_search import Archive
from dsslic_search.archive.database import alembic_config, for_writing, make_engine, url_of
from dsslic_search.archive.features import features_of
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.schema import Photo
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, QueryError, Remedy, UsageError
from dsslic_search.core.settings import Settings

CLASSES = vocabulary.default()
SKY, TREE = (next(c.id for c in CLASSES.classes if c.name == name) for name in ("sky", "tree"))
PHOTOS = 30


def photo(number: int) -> Photo:
    return Photo(
        content_hash=f"{number:064x}", path=f"/photos/{number}.jpg", file_size=100,
        modified_at=datetime(2020, 1, 1),
        added_at=datetime(2021, 1, 1), format="PNG", width=10, height=10, taken_at=datetime(2023,
        1 + number % 3, 1),
        camera="Leica" if number % 2 else None, keep="layers", quality=75, stored_bytes=10 + number,
        map_bytes=number, vocabulary="v",
        segmenter="s",
    )  # fmt: skip


def label_map(number: int) -> np.ndarray:
    """The first ``number`` of 32 rows are sky, and one photo has twice as much as another; the rest is
    tree."""
    labels = np.full((32, 8), TREE, np.uint8)
    labels[:number] = SKY
    return labels


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photo n has n / 32 of sky, n from 1."""
    folder = ArchiveFolder(tmp_path_factory.mktemp("filled") / "a")
    with folder.writing(create=True) as catalog:
        for number in range(1, PHOTOS + 1):
            assert catalog.add(photo(number), features_of(label_map(number), CLASSES)) == number
    return folder.root


@pytest.fixture
def archive(filled: Path, tmp_path: Path) -> Iterator[Archive]:
    """A copy of the one above."""
    with Archive(shutil.copytree(filled, tmp_path / "a")) as opened:
        yield opened


def test_pages_make_the_whole(archive: Archive):
    whole = archive.query("sky", limit=None)
    assert [hit.id for hit in whole.hits] == list(range(PHOTOS, 0, -1))
    assert whole.cursor is None
    hits, after = [], None
    for page in range(4):
        result = archive.query("sky", limit=8, after=after)
        assert result.total == PHOTOS
        hits += result.hits
        after = result.cursor
        assert (after is None) == (page == 3)
    assert hits == list(whole.hits)
    assert [hit.rank for hit in hits] == list(range(1, PHOTOS + 1))


def test_a_page_is_right_while_photos_come_and_go(archive: Archive):
    first = archive.query("sky", limit=10)
    seen = [hit.id for hit in first.hits]
    archive.catalog.remove([seen[-1], 15])
    new = archive.catalog.add(photo(99), features_of(label_map(31), CLASSES))
    second = archive.query("sky", limit=None, after=first.cursor)
    assert [hit.id for hit in second.hits] == [i for i in range(20, 0, -1) if i != 15]
    assert new not in {hit.id for hit in second.hits}
    assert second.hits[0].rank == 11


@pytest.mark.parametrize("cursor", ["", ".", "x", "x.5", "5", "AAAA.99999999999999999999", "é.1", " "])
def test_what_is_no_cursor(archive: Archive, cursor: str):
    with pytest.raises(UsageError, match="cursor"):
        archive.query("sky", after=cursor)


def test_a_cursor_of_another_query_is_refused(archive: Archive):
    cursor = archive.query("sky", limit=3).cursor
    with pytest.raises(UsageError, match="another query"):
        archive.query("tree", after=cursor)


def test_matching_gives_all_ids(archive: Archive):
    assert sorted(archive.matching("sky > 50%").tolist()) == list(range(17, PHOTOS + 1))
    assert archive.matching("sky < 0.1%").size == 0


def test_hits_are_looked_up_as_they_are_taken(archive: Archive):
    found = archive.find("sky", limit=None)
    assert next(iter(found)).path == f"/photos/{PHOTOS}.jpg"
    assert found.total == PHOTOS
    assert found.classes == ("sky",)
    assert found.explanation == ""
    assert "sky" in archive.find("sky", explain=True).explanation


def test_a_result_is_gone_through_more_than_once_or_had_whole(archive: Archive):
    found = archive.find("sky", limit=7)
    assert [hit.id for hit in found] == [hit.id for hit in found] == list(range(PHOTOS, PHOTOS - 7, -1))
    assert found.hits == tuple(found) == archive.query("sky", limit=7).hits
    assert found.hits is found.hits


def test_what_a_query_gave_stays_when_photos_go_and_the_archive_is_closed(archive: Archive):
    asked, found = archive.query("sky", limit=3), archive.find("sky", limit=3)
    archive.catalog.remove([PHOTOS])
    assert [hit.id for hit in found] == [PHOTOS - 1, PHOTOS - 2]
    archive.close()
    assert [hit.id for hit in asked] == [hit.id for hit in asked.hits] == [PHOTOS, PHOTOS - 1, PHOTOS - 2]


def test_like_its_mirror_image(archive: Archive):
    halves = np.full((8, 8), TREE, np.uint8)
    halves[:, :4] = SKY
    one = archive.catalog.add(photo(70), features_of(halves, CLASSES))
    other = archive.catalog.add(photo(71), features_of(halves[:, ::-1], CLASSES))
    alone, both = archive.embeddings_of(f"#{one}"), archive.embeddings_of(f"#{one}", mirrored=True)
    assert np.array_equal(alone[0], both[0])
    assert np.allclose(both[1:], archive.embeddings_of(f"#{other}"), atol=1e-2)
    scores = {hit.id: hit.score for hit in archive.query(f"like #{one} mirrored", limit=2).hits}
    assert scores == {one: pytest.approx(1, abs=1e-2), other: pytest.approx(1, abs=1e-2)}
    found = archive.query(f"like #{one}", limit=None).hits
    assert found[0].id == one
    assert {hit.id: hit.score for hit in found}[other] < 0.9


def test_an_embedding_of_another_version_asks_for_a_reindex(archive: Archive):
    from sqlalchemy import update

    with archive.catalog.changing() as session:
        session.execute(update(Photo).where(Photo.id == 3).values(embedding=bytes(12)))
    with pytest.raises(ArchiveError, match=re.escape(Remedy.REINDEX)):
        archive.query("like #3 mirrored")


@pytest.mark.parametrize(
    "use",
    [
        lambda a, tag: a.query(f"sky, tag:{tag}"),
        lambda a, tag: a.query(f"not tag:{tag}"),
        lambda a, tag: a.matching(f"tag:{tag}"),
        lambda a, tag: a.statistics(f"tag:{tag}"),
        lambda a, tag: a.save("kept", f"tag:{tag}"),
        lambda a, tag: a.untag(tag, [1]),
        lambda a, tag: a.untag(tag, None),
        lambda a, tag: a.untag([tag, "beach"], None),
    ],
    ids=["query", "not", "matching", "statistics", "save", "untag one", "untag all", "untag two"],
)
def test_a_tag_that_no_photo_has_is_an_error(archive: Archive, use):
    with pytest.raises(UsageError, match=r'^no photo has the tag "bech": there are no tags yet; give one'):
        use(archive, "bech")
    archive.tag(["beach", "x.1"], [1, 2])
    with pytest.raises(UsageError, match=r'^no photo has the tag "bech": did you mean beach\?'):
        use(archive, "Bech")
    with pytest.raises(UsageError, match=r'^no photo has the tag "q": see them all with: Archive.tags'):
        use(archive, "q")
    assert archive.tags() == {"beach": 2, "x.1": 2}
    archive.remove([1, 2])  # tags of what is in the bin are tags
    assert archive.tags() == {}
    use(archive, "beach")


def test_the_error_of_a_tag_is_at_its_place(archive: Archive):
    archive.tag("beach", 1)
    with pytest.raises(QueryError) as error:
        archive.query("sky and tag:bech")
    assert (error.value.position, error.value.suggestions) == (8, ("beach",))
    archive.save("kept", "tag:beach")
    archive.untag("beach", None)
    with pytest.raises(QueryError, match='the saved query "@kept" is not understood: no photo has the tag'):
        archive.query("sky, @kept")


def test_a_saved_query_that_is_not_there_has_neighbours(archive: Archive):
    archive.save("beach", "sea")
    with pytest.raises(ArchiveError, match=r'^no saved query "bech"; did you mean beach\?$'):
        archive.forget("bech")
    with pytest.raises(ArchiveError, match=re.escape(Remedy.SAVED_QUERIES)):
        archive.forget("q")


def test_tags_are_asked_live_and_rebuild_nothing(archive: Archive):
    archive.tag("other", 1)
    generation = archive.catalog.generation()
    assert archive.tag(["Best"], [3, 5]) == {"best": 2}
    assert [hit.id for hit in archive.query("tag:BEST", limit=None).hits] in ([3, 5], [5, 3])
    assert archive.query("sky and not tag:best").total == PHOTOS - 2
    assert archive.untag(["best"], [3]) == {"best": 1}
    assert archive.matching("tag:best").tolist() == [5]
    assert archive.tags() == {"best": 1, "other": 1}
    assert archive.tags_of(5) == ["best"]
    assert archive.catalog.generation() == generation


def test_saved_queries_are_parts_of_others(archive: Archive):
    archive.save("Much", "sky > 50%")
    archive.save("less", "@much and sky < 75%")
    assert archive.saved_queries() == {"less": "@much and sky < 75%", "much": "sky > 50%"}
    assert sorted(archive.matching("@less")) == list(range(17, 24))
    assert sorted(archive.matching("not @less and @MUCH")) == list(range(24, PHOTOS + 1))
    archive.save("much", "sky > 70%", replace=True)
    assert sorted(archive.matching("@less")) == [23]
    archive.forget("much")
    with pytest.raises(QueryError, match="much"):
        archive.query("@less")


def test_only_queries_can_be_saved(archive: Archive):
    with pytest.raises(QueryError, match="skyy"):
        archive.save("wrong", "skyy and")
    with pytest.raises(QueryError):
        archive.save("itself", "sky or @itself")
    archive.save("one", "sky")
    archive.save("two", "@one")
    with pytest.raises(QueryError):
        archive.save("one", "tree or @two", replace=True)
    with pytest.raises(ArchiveError, match="already"):
        archive.save("one", "tree")
    assert archive.saved_queries() == {"one": "sky", "two": "@one"}


@pytest.mark.parametrize("text", [None, "sky > 50%", "camera:leica", "sky > 99%"])
def test_statistics_are_those_of_the_photos(archive: Archive, text: str | None):
    archive.tag(["best"], [1, 30])
    chosen = list(range(1, PHOTOS + 1)) if text is None else sorted(archive.matching(text).tolist())
    found = archive.statistics(text)
    assert found.photos == len(chosen)
    assert found.original_bytes == 100 * len(chosen)
    assert found.stored_bytes == sum(10 + i for i in chosen)
    assert found.map_bytes == sum(chosen)
    assert found.pixels == 100 * len(chosen)
    assert found.formats == ({"PNG": len(chosen)} if chosen else {})
    assert sum(found.cameras.values()) == sum(i % 2 for i in chosen)
    assert sum(found.months.values()) == len(chosen)
    assert found.undated == 0
    assert sum(found.tags.values()) == len({1, 30} & set(chosen))
    sky = next(c for c in found.classes if c.name == "sky")
    assert sky.photos == len(chosen)
    assert sum(sky.histogram) == len(chosen)


def test_statistics_of_many_photos_are_summed_in_one_go(archive: Archive, monkeypatch: pytest.MonkeyPatch):
    few = archive.statistics("sky > 50%")
    monkeypatch.setattr("dsslic_search.archive.snapshot.LOOKED_UP", 3)
    assert archive.statistics("sky > 50%") == few


def test_classes_and_statistics_agree(archive: Archive, tmp_path: Path):
    assert archive.classes() == archive.statistics().classes
    with Archive(tmp_path / "nowhere") as nothing:
        assert {c.photos for c in nothing.classes()} == {0}
        with pytest.raises(ArchiveError, match=re.escape(Remedy.INGEST)):
            nothing.statistics()


def test_impossible_requests(archive: Archive):
    with pytest.raises(UsageError, match="limit -1"):
        archive.query("sky", limit=-1)
    with pytest.raises(UsageError, match="threshold"):
        archive.duplicates(threshold=2)
    with pytest.raises(ArchiveError, match="photo 99"):
        archive.tag(["best"], [1, 99])


def test_a_closed_archive_opens_again(archive: Archive):
    before = archive.query("sky")
    archive.close()
    assert archive.query("sky").hits == before.hits


def test_an_answer_is_exported_whole(archive: Archive, tmp_path: Path):
    lines = [f"/photos/{number}.jpg" for number in range(PHOTOS, 16, -1)]
    assert archive.export("sky > 50%", tmp_path / "found.txt") == len(lines)
    assert (tmp_path / "found.txt").read_text().splitlines() == lines
    assert archive.export("sky > 50%", str(tmp_path / "found"), "csv") == len(lines)
    rows = list(csv.DictReader((tmp_path / "found").read_text().splitlines()))
    assert [row["path"] for row in rows] == lines
    for name, form in (("x.doc", None), ("x", None), ("x.csv", "xml")):
        with pytest.raises(UsageError, match="is not one of: paths, json"):
            archive.export("sky", tmp_path / name, form)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "found", "found.txt"]


def test_the_palette_has_every_class(archive: Archive):
    palette = archive.palette()
    assert list(palette) == [c.name for c in CLASSES.classes]
    assert palette["sky"] == "#{:02x}{:02x}{:02x}".format(*CLASSES.classes[SKY].colour)


def test_an_archive_of_an_older_version_is_brought_up_to_date_by_a_query(archive: Archive):
    wanted = archive.query("sky", limit=5)
    archive.close()
    engine = make_engine(url_of(archive.folder.root / "catalog.sqlite"), foreign_keys=False)
    with for_writing(engine).begin() as connection:
        command.downgrade(alembic_config(connection), "0003")
    engine.dispose()
    assert archive.query("sky", limit=5).hits == wanted.hits
    with closing(sqlite3.connect(archive.folder.root / "catalog.sqlite")) as database:
        assert "lens" in [column[1] for column in database.execute("PRAGMA table_info(photo)")]


def test_the_facts_of_all_photos_are_those_of_some_photos_together(archive: Archive):
    archive.tag(["best"], [1, 2, 30])
    archive.tag(["sea"], [1, 9])
    archive.tag(["coast"], [2, 9])
    whole = archive.statistics()
    parts = [archive.statistics(text) for text in ("id:..9", "id:10..")]
    assert list(whole.tags.items()) == [("best", 3), ("coast", 2), ("sea", 2)] == list(archive.tags().items())
    assert [list(part.tags) for part in parts] == [["best", "coast", "sea"], ["best"]]
    for name in ("photos", "original_bytes", "stored_bytes", "map_bytes", "pixels"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts) > 0


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda archive: pickle.loads(pickle.dumps(archive))]
)
def test_a_copy_opens_the_same_archive_for_itself(filled: Path, copied: Callable[[Archive], Archive]):
    with Archive(filled, Settings(presence=0.5)) as archive:
        unopened = copied(archive)
        found = archive.query("sky").total
        with unopened, copied(archive) as again:
            assert unopened.query("sky").total == again.query("sky").total == found == PHOTOS // 2
            assert again.folder.root == filled
            assert len({id(each.catalog) for each in (archive, unopened, again)}) == 3
        assert archive.query("tree").total
