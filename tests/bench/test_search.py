"""The search benchmarks on made-up maps whose right answers are known."""

from __future__ import annotations

import mmap
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.bench import grown, search, speed
from dsslic_search.codec import encoder
from dsslic_search.core import vocabulary
from dsslic_search.core.dialect import shipped
from dsslic_search.core.errors import QueryError, UsageError
from dsslic_search.index import segments
from dsslic_search.labels.formats import writer
from dsslic_search.labels.scene import LabelledImage, Legend
from dsslic_search.query.language.parse import parse
from dsslic_search.query.run.execute import answer
from dsslic_search.training import dataset

SKY, TREE, ROAD, CAR = (vocabulary.default().id_of(name) for name in ("sky", "tree", "road", "car"))


def test_an_archive_is_judged_by_what_people_said_there(tmp_path: Path) -> None:
    class Roads:
        identity, dialect = "00112233aabbccdd", shipped()

        def segment(self, pixels, map_size):
            guess = street(8)
            guess[guess == CAR] = ROAD
            return guess

    Image.fromarray(np.full((64, 96, 3), 80, np.uint8)).save(tmp_path / "0.png")
    with Archive(tmp_path / "a") as archive:
        archive.ingest([tmp_path / "0.png"], segmenter=Roads())
        with pytest.raises(UsageError, match="no photo here has a label map by people"):
            search.run_archive(archive)
        made = writer("png", Legend.of(vocabulary.default()))
        for name, data in made.image(LabelledImage("0", "0.png", street(8))) + made.end():
            (tmp_path / "maps" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "maps" / name).write_bytes(data)
        archive.import_labels(tmp_path / "maps")
        np.testing.assert_array_equal(archive.label_map(1), street(8))
        assert CAR not in archive.label_map(1, by_people=False)
        found = search.run_archive(archive)
    assert found["photos"] == 1
    by_class = found["by_class"]
    assert by_class["sky"]["presence"]["f1"] == 1
    assert by_class["car"]["presence"]["recall"] == 0


EMBEDDING = np.zeros((1, 1), np.float32)


def street(car_at: int) -> np.ndarray:
    label_map = np.full((64, 96), SKY, np.uint8)
    label_map[24:44] = TREE
    label_map[44:] = ROAD
    label_map[40:52, car_at : car_at + 16] = CAR
    return label_map


@pytest.fixture
def data(tmp_path: Path, monkeypatch) -> Path:
    """Four photos of streets; SegNet is replaced by one that sees the truth, but never the car of the last
    photo."""
    folder = tmp_path / "scenes" / "msrc_v2"
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    monkeypatch.setattr(dataset, "in_validation", lambda _dataset, _stem: True)
    seen = []
    for number in range(4):
        truth = street(8 + 20 * number)
        guess = truth.copy()
        if number == 3:
            guess[guess == CAR] = ROAD
        seen.append(guess)
        if number == 0:
            truth[:10] = 255  # nobody labelled it
        Image.fromarray(np.full((64, 96, 3), 40 * number, np.uint8)).save(
            folder / "images" / f"{number}.jpg", quality=98
        )
        Image.fromarray(truth).save(folder / "labels" / f"{number}.png")
    monkeypatch.setattr(
        encoder, "segment_photo", lambda photo: (seen[round(int(photo.pixels[0, 0, 0]) / 40)], 1)
    )
    return tmp_path


def test_answers_are_judged_by_what_people_labelled(data: Path):
    found = search.run(data)
    assert found["photos"] == 4
    kinds = found["by_kind"]
    assert set(kinds) == {"presence", "absence", "coverage", "count", "relation", "position", "combination"}
    assert found["by_query"]["car"] == {
        "kind": "presence",
        "precision": 1.0,
        "recall": 0.75,
        "f1": pytest.approx(6 / 7, abs=1e-4),
        "wanted": 4,
    }
    assert found["by_query"]["sky above tree"]["f1"] == 1
    assert found["by_query"]["car on road"]["recall"] == 0.75
    assert found["by_query"]["no car on road"]["precision"] == 0  # the photo whose car was not seen
    assert {kind: row["f1"] for kind, row in found["by_class"]["sky"].items()} == {
        "presence": 1,
        "coverage": 1,
    }
    assert found["by_class"]["car"]["presence"] == {
        "precision": 1,
        "recall": 0.75,
        "f1": pytest.approx(6 / 7, abs=1e-4),
        "wanted": 4,
    }
    assert kinds["presence"]["everything"] == 1  # all four photos show all that is asked for
    assert kinds["absence"]["everything"] < 1
    streets = found["by_photo_kind"]["street"]
    assert streets["photos"] == 4
    assert streets["by_kind"] == found["by_kind"]
    assert set(found["by_photo_kind"]) == {"street"}
    assert any("relation" in line for line in search.table(found))


@pytest.mark.parametrize(
    ("shares", "kind"),
    [
        ({"road": 30, "sky": 20, "person": 5}, "street"),
        ({"road": 30, "sky": 20, "person": 6}, "people"),
        ({"bed": 20, "wall": 40}, "room"),
        ({"grass": 20, "horse": 20, "building": 5}, "nature"),
        ({"wall": 40}, None),
        ({}, None),
    ],
)
def test_kinds_of_photos(shares: dict[str, int], kind: str | None):
    classes = vocabulary.default()
    truth = np.repeat([0, *map(classes.id_of, shares)], [7, *shares.values()]).astype(np.uint8)
    assert search.photo_kind(truth[None]) == kind


def test_every_fixed_query_is_understood():
    classes = vocabulary.default()
    texts = [text for _kind, text, _class in search.queries([c.name for c in classes.classes[1:]])]
    assert len(texts) == len(set(texts)) > 300
    for text in texts:
        parse(text, classes)
    with pytest.raises(QueryError):
        parse("car frobs road", classes)


@pytest.mark.skipif(not speed.memory(), reason="the system does not tell")
def test_a_file_that_is_not_on_the_disk_yet_is_no_memory_of_the_process(tmp_path: Path) -> None:
    path = tmp_path / "new"
    path.write_bytes(bytes(64 << 20))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        before = speed.memory()
        assert not any(mapped[:: mmap.PAGESIZE])
        after = speed.memory()
    assert after["mapped"] - before["mapped"] > 60 << 20
    assert after["private"] - before["private"] < 8 << 20


def test_speed_is_measured_for_every_kind(tmp_path: Path):
    for number in range(6):
        Image.fromarray(street(10 * number)).save(tmp_path / f"{number}.png")
    found = speed.run([tmp_path], 60, 3, segments=2)
    assert (found["photos"], found["segments"]) == (60, 2)
    assert found["maps"] == 6
    kinds = set(found["milliseconds"])
    assert set(speed.THREE_PREDICATES) | {"three predicates", "layout", "relation alone"} <= kinds
    for row in found["milliseconds"].values():
        assert 0 < row["p50"] <= row["p95"] <= row["most"]
    assert sum(found["bytes_a_photo"].values()) > 100
    shares = found["likeness with a filter"]
    assert [row["recall"] for row in shares.values()] == [1] * 5  # so few are all looked at
    passing = [row["passing"] for row in shares.values()]
    assert passing == sorted(passing, reverse=True) and passing[0] == 1
    assert found["memory"]["mapped"] > found["memory"]["private"] > 0
    with pytest.raises(UsageError, match="no label maps here"):
        speed.run([tmp_path / "nothing"], 10, 1)
    with pytest.raises(UsageError, match="regions"):
        speed.run([tmp_path], 10, 1, ["coverage", "files"], ahead=True)
    with pytest.raises(UsageError, match="there is no index called colour; there are: coverage, files"):
        speed.run([tmp_path], 10, 1, ["coverage", "files", "colour"])
    with pytest.raises(UsageError, match="name these too"):
        speed.run([tmp_path], 10, 1, ["coverage"])


def test_photos_that_fill_several_segments(tmp_path: Path):
    for number in range(6):
        Image.fromarray(street(10 * number)).save(tmp_path / f"{number}.png")
    features = speed.described([tmp_path])
    with mock.patch.object(segments, "MAX_PHOTOS", 40):
        told = grown.grow(tmp_path / "index", features, 100, ("coverage", "files"))
    assert (told["photos"], told["segments"]) == (120, 3)
    found = [
        answer(
            "road",
            indexes=part,
            vocabulary=vocabulary.default(),
            presence=0.01,
            embeddings_of=lambda *_: EMBEDDING,
        )
        for part in (grown.opened(tmp_path / "index"), grown.opened(tmp_path / "index")[:1])
    ]
    assert found[0].total == 3 * found[1].total > 0
    assert len(set(found[0].ids.tolist())) == found[0].total
