"""bench segmentation on a small made-up data folder: what is counted, beside the teacher and other nets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import segmentation
from dsslic_search.core import vocabulary
from dsslic_search.networks import weights
from dsslic_search.training import dataset

OURS = vocabulary.default()
SIZE = (48, 64)


def stems(name: str, held: bool, ending: str = "") -> list[str]:
    """Names of two photos of a set that are in its validation part, or two of its calibration part."""
    found = (
        f"{i}{ending}"
        for i in range(1000)
        if (
            dataset.in_validation(name, f"{i}{ending}")
            if held
            else dataset.in_calibration(name, f"{i}{ending}")
            and not dataset.in_validation(name, f"{i}{ending}")
        )
    )
    return [next(found), next(found)]


def put(folder: Path, stem: str, teacher: np.ndarray, people: np.ndarray | None) -> None:
    """One photo of a set, grey above and green below."""
    for kind in ("images", "teacher", "confidence", "labels")[: 3 if people is None else 4]:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    pixels = np.full((*SIZE, 3), (120, 160, 230), np.uint8)
    pixels[24:] = (60, 140, 50)
    Image.fromarray(pixels).save(folder / "images" / f"{stem}.jpg")
    Image.fromarray(teacher).save(folder / "teacher" / f"{stem}.png")
    Image.fromarray(np.full((6, 8), 255, np.uint8)).save(folder / "confidence" / f"{stem}.png")
    if people is not None:
        Image.fromarray(people).save(folder / "labels" / f"{stem}.png")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two validation photos of each set that is measured, and two of the calibration part."""
    folder = tmp_path_factory.mktemp("data")
    teacher = np.full(SIZE, OURS.id_of("grass"), np.uint8)
    teacher[:24] = OURS.id_of("sky")
    people, horse = teacher.copy(), np.full(SIZE, 255, np.uint8)
    people[:4] = 255
    horse[10:40, 10:50] = OURS.id_of("horse")
    for name, labels in (("msrc_v2", people), ("weizmann_horse", horse), ("coco128", people)):
        for stem in stems(name, held=True):
            put(folder / "scenes" / name, stem, teacher, labels)
    for stem in stems("msrc_v2", held=False):
        put(folder / "scenes" / "msrc_v2", stem, teacher, people)
    for name, ending in (("houses", "_bedroom"), ("houses", "_frontal"), ("sea_intel", "sea")):
        for stem in stems(name, held=True, ending=ending):
            put(folder / "photos" / name, stem, teacher, None)
    return folder


def test_confusion_counts_known_pixels_alone():
    truth = np.array([[0, 1, 255], [1, 1, 2]], np.uint8)
    guess = np.array([[0, 1, 1], [2, 1, 2]], np.uint8)
    assert segmentation.confusion(truth, guess, 3).tolist() == [[1, 0, 0], [0, 2, 1], [0, 0, 1]]


def test_scores_are_of_what_people_saw():
    found = segmentation.scores(np.array([[1, 0, 0], [0, 2, 1], [0, 0, 0]]))
    assert found["pixel_accuracy"] == 0.75
    assert found["classes"] == 2
    assert list(found["iou"].values()) == [1.0, 0.6667]


def test_segnet_stands_beside_the_teacher_and_other_weights(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(segmentation, "_milliseconds", lambda samples: 1.0)  # no clock in a test
    same = weights.folder() / "segnet.safetensors"
    found = segmentation.run(data, same)
    assert found["photos"] == 2
    assert found["photos_with_class"] == {"sky": 2, "grass": 2}
    assert found["teacher"]["pixel_accuracy"] == 1
    assert found["beside"] == found["segnet"]
    assert set(found["segnet_by_set"]) == {"msrc_v2"}
    later = found["later_sets"]["segnet"]
    assert later == found["later_sets"]["beside"]
    assert [later[name]["photos"] for name in ("rooms", "house_fronts", "sea")] == [2, 2, 2]
    assert 0 <= later["horse_iou"] <= later["horse_recall"] <= 1
    assert found["confidence"]["with"]["pixel_accuracy"] >= 0


def test_other_settings_are_measured_on_the_calibration_part(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(segmentation, "AREA_FACTORS", (0.25,))
    monkeypatch.setattr(segmentation.time, "perf_counter", lambda: 0.0)
    found = segmentation.test_time(data)
    assert found["photos"] == 2
    ways = [(row["mirrored_too"], row["alone"]) for row in found["settings"]]
    assert ways == [(False, False), (False, True), (True, False), (True, True)]
    assert all(0 <= row["pixel_accuracy"] <= 1 for row in found["settings"])
