"""The benchmarks on a few small photos: that their figures are those of the files they speak of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import ingest, map_scale, record, segmentation

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("images")
    for name in ("sunset.jpg", "picos.jpg"):
        with Image.open(SAMPLES / name) as photo:
            photo.resize((240, 192)).save(place / f"{name[:-4]}.png")
    return place


def test_ingest_benchmark_adds_up(folder: Path):
    found = ingest.run(folder, 50)
    assert found["photos"] == found["added"] == 2
    assert sum(found["mean_bytes_by_layer"].values()) * 2 == pytest.approx(found["bytes_stored"], abs=1)
    assert found["mean_bytes_to_read_by_stage"]["full"] * 2 == pytest.approx(found["bytes_stored"], abs=1)
    assert set(found["decode_milliseconds_median"]) == {"map", "compact", "coarse", "full"}


def test_a_record_says_where_it_comes_from(tmp_path: Path):
    record.write(tmp_path / "x.json", {"figure": 1})
    written = json.loads((tmp_path / "x.json").read_text())
    assert written["figure"] == 1
    assert {"date", "command", "machine", "versions", "weights"} <= set(written)


def test_a_table_has_its_names_at_the_left_and_its_figures_at_the_right():
    assert record.table(("codec", "bpp"), [("a", "1.25"), ("longer one", "0.5")]) == [
        "codec        bpp",
        "a           1.25",
        "longer one   0.5",
    ]


def test_confusion_and_scores_against_counting_by_hand():
    truth = np.array([[0, 0, 1], [1, 255, 2]], np.uint8)
    guess = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    table = segmentation.confusion(truth, guess, 4)
    assert table.sum() == 5
    assert table[0].tolist() == [1, 1, 0, 0]
    scores = segmentation.scores(table)
    assert scores["pixel_accuracy"] == pytest.approx(3 / 5)
    assert scores["mean_iou"] == pytest.approx((1 / 3 + 2 / 3 + 0) / 3)
    assert list(scores["iou"].values()) == [0.3333, 0.6667, 0.0]


def test_predicate_scores_against_counting_by_hand():
    score = map_scale.PredicateScore(3)
    score.add(np.array([[0, 0, 0, 1]], np.uint8), np.array([[0, 0, 1, 1]], np.uint8))
    score.add(np.array([[2, 2, 255, 255]], np.uint8), np.array([[2, 1, 0, 0]], np.uint8))
    score.add(np.array([[255]], np.uint8), np.array([[0]], np.uint8))
    found = score.summary()
    # wanted: photo 1 {0, 1}, photo 2 {2}; got: photo 1 {0, 1}, photo 2 {1, 2}
    assert found["presence"] == {"precision": 0.75, "recall": 1.0, "f1": pytest.approx(6 / 7, abs=1e-4)}
    # over 50 %: wanted photo 1 {0}, photo 2 {2}; got (at least half) photo 1 {0, 1}, photo 2 {1, 2}
    assert found["over 50%"]["precision"] == 0.5
    assert found["coverage"]["mean_absolute_error"] == pytest.approx((0.25 + 0.5) / 2)
