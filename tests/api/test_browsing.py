"""What faces with pictures ask of an archive."""

from __future__ import annotations

import pickle
import shutil
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.core.errors import NotThereError, UsageError
from dsslic_search.core.settings import Settings
from dsslic_search.features.image_words import ImageWords

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "somewhere"
    folder.mkdir()
    for name in ("picos.jpg", "sunset.jpg", "bridge.jpg", "dogs.jpg"):
        picture = Image.open(SAMPLES / name)
        picture.thumbnail((160, 160))
        picture.save(folder / name)
    root = tmp_path_factory.mktemp("archives") / "a"
    with Archive(root) as opened:
        opened.ingest([folder], keep="exact")
    return root


@pytest.fixture
def archive(made: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(made, tmp_path / "a")
    with Archive(tmp_path / "a") as opened:
        yield opened


def test_cards_tell_where_stages_end_and_when_a_file_is_another(archive: Archive) -> None:
    cards = archive.cards([1, 2, 99], maps=True)
    assert set(cards) == {1, 2}
    for photo_id, card in cards.items():
        contents = archive.contents(photo_id)
        assert card.stages == {stage: contents.stage_bytes(stage) for stage in card.stages}
        assert set(card.stages) == {"map", "compact", "coarse", "full"}
        assert card.map_prefix == archive.stored_path(photo_id).read_bytes()[: card.stages["map"]]
    archive.ingest([Path(archive.photo(1).path)], keep="coarse", even_removed=True)
    before = cards[1].version
    archive.ingest([Path(archive.photo(1).path)], keep="exact", segmenter=None)
    assert archive.cards([1])[1].version == before  # the very same file
    archive.stored_path(2).write_bytes(b"damaged")
    damaged = archive.cards(2, maps=True)[2]
    assert (damaged.version, damaged.map_prefix) == (None, b"")
    plain = archive.cards(1)[1]
    assert plain.map_prefix == b""  # not asked for
    plain.stages.clear()  # whoever asked may do with it as they like
    assert pickle.loads(pickle.dumps(archive.cards(1, maps=True)[1])) == cards[1]


def test_any_window_is_a_part_of_the_whole(archive: Archive) -> None:
    for text in ("everything", "sky", "everything sort:path", "like #1"):
        whole = [hit.id for hit in archive.find(text, limit=None)]
        for start in range(6):
            for limit in (0, 1, 3, None):
                part = archive.find(text, limit=limit, start=start)
                own = whole[start:] if limit is None else whole[start : start + limit]
                assert [hit.id for hit in part] == own
                assert [hit.rank for hit in part] == list(range(start + 1, start + 1 + len(own)))


def test_likeness_by_look_is_the_cosine_of_what_photos_show(archive: Archive) -> None:
    words = {n: ImageWords.from_bytes(archive.photo(n).stored_words) for n in (1, 2, 3, 4)}  # type: ignore[attr-defined]
    vectors = {n: np.asarray(each.embedding, np.float64) for n, each in words.items()}
    for asked in words:
        found = archive.find("", limit=None, resemble=archive.resembled(asked, "look"))
        own = {
            n: float(vectors[asked] @ v / np.linalg.norm(vectors[asked]) / np.linalg.norm(v))
            for n, v in vectors.items()
        }
        for hit in found:
            assert hit.score == pytest.approx(np.clip(own[hit.id], 0, 1), abs=0.02)
    for by in ("layout", "both"):
        like = [hit.id for hit in archive.find("", resemble=archive.resembled(1, by))]
        assert like[0] == 1
    with pytest.raises(UsageError, match="layout, look, both"):
        archive.resembled(1, "colour")  # type: ignore[arg-type]


def test_nothing_outside_is_compared_with_where_that_is_not_allowed(archive: Archive) -> None:
    outside = str(SAMPLES / "wine.jpg")
    assert archive.find(f'like "{outside}"').total
    with (
        Archive(archive.folder.root, Settings(outside=False)) as closed,
        pytest.raises(UsageError, match="no such file"),
    ):
        closed.find(f'like "{outside}"')


def test_cells_are_a_canvas(archive: Archive) -> None:
    canvas = archive.canvas([["sky", None], [17, "mountain"]])
    assert canvas.known.tolist() == [[True, False], [True, True]]
    assert canvas.label_map[1].tolist() == [17, 17]
    for wrong in ([], [[]], [["sky"], []], [["nowhere"]], [[51_000]], [[-1]], [[True]], [[1.5]], [[None]], 5):
        with pytest.raises(UsageError, match="the sketch: "):
            archive.canvas(wrong)  # type: ignore[arg-type]


def test_a_rating_stays_when_a_photo_is_stored_anew(archive: Archive) -> None:
    archive.rate(3.5, [1, 2])
    assert sorted(hit.id for hit in archive.query("rating:3.5")) == [1, 2]
    photo = archive.photo(1)
    report = archive.ingest([Path(photo.path)], keep="exact")
    assert report.present == 1
    archive.stored_path(1).unlink()
    assert archive.ingest([Path(photo.path)], keep="exact").updated == 1
    assert archive.query("rating:3.5").total == 2
    archive.rate(0, 1)
    assert archive.query("rating:3.5").total == 1
    for wrong in (-1, 5.1, 0.3):
        with pytest.raises(UsageError):
            archive.rate(wrong, [1])
    with pytest.raises(NotThereError):
        archive.rate(1, [1, 99])


def test_originals_in_a_zip_file(archive: Archive, tmp_path: Path) -> None:
    archive.stored_path(3).unlink()
    report = archive.zip_originals([1, 2, 3], tmp_path / "o.zip")
    assert [photo_id for photo_id, _ in report.written] == [1, 2]
    assert [photo_id for photo_id, _ in report.failed] == [3]
    with zipfile.ZipFile(tmp_path / "o.zip") as packed:
        names = packed.namelist()
        assert names[-1] == "not-included.txt"
        assert [packed.read(name) for name in names[:2]] == [archive.original(n) for n in (1, 2)]
        assert "photo 3" in packed.read(names[-1]).decode()
    with pytest.raises(UsageError):
        archive.zip_originals([1], tmp_path / "o.zip")


def test_questions_from_many_threads_have_the_answers_of_one(archive: Archive) -> None:
    texts = ("sky", "no people", "everything sort:-size", "like #1", "tree or grass", "name:sun*")
    expected = {text: [hit.id for hit in archive.query(text)] for text in texts}
    wrong: list[object] = []

    def ask() -> None:
        for text in texts * 3:
            if (found := [hit.id for hit in archive.query(text)]) != expected[text]:
                wrong.append((text, found))
            archive.facets(text)
            archive.read(text)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for number in range(3):  # the catalog changes meanwhile
        archive.rate(number + 1, [1])
    for thread in threads:
        thread.join()
    assert not wrong
