"""Other segmenters on the command line: their labels, and photos parsed by them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsslic_search.core import vocabulary
from tests import tiny_models
from tests.tiny_models import LABELS

SAMPLES = Path(__file__).parents[2] / "samples"
OURS = vocabulary.default()
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It sees kangaroos wherever it looks, which are no class of ours."""
    return tiny_models.segformer(tmp_path_factory.mktemp("models") / "tiny", sees=LABELS.index("kangaroo"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    with Image.open(SAMPLES / "dogs.jpg") as picture:
        picture.thumbnail((160, 160))
        picture.save(tmp_path / "dogs.png")
    return tmp_path / "dogs.png"


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    path = tmp_path / "classes.json"
    path.write_text(json.dumps({"kangaroo": "sheep"}))
    return path


def test_the_mapping_is_shown(run: Run, model: Path, classes: Path):
    shown = run("segmenter", model)
    assert shown.code == 0
    rows = [line.split() for line in shown.out.splitlines()[2:]]
    assert ["1", "building,", "edifice", "building", "name"] in rows
    assert ["4", "kangaroo", "other", "unknown"] in rows
    assert "1 labels are not known" in shown.err
    answer = run("segmenter", model, "--classes", classes, "--json")
    assert answer.err == ""
    assert len(answer.json["identity"]) == 16
    assert answer.json["labels"][4] == {"id": 4, "label": "kangaroo", "class": "sheep", "by": "file"}
    assert answer.json["labels"][3] == {"id": 3, "label": "grass-merged", "class": "grass", "by": "name"}


def test_segnets_classes_are_the_archives(run: Run):
    assert [row["class"] for row in run("segmenter", "segnet", "--json").json["labels"]] == [
        c.name for c in OURS.classes
    ]


def test_photos_are_ingested_by_the_model_named_and_found_by_what_it_saw(
    run: Run, model: Path, photo: Path, classes: Path, tmp_path: Path
):
    there = ["--archive", tmp_path / "archive"]

    def found(text: str) -> int:
        return int(run("query", text, "--json", *there).json["total"])

    assert "1 added" in run("ingest", photo, "--segmenter", model, "--own-classes", *there).err
    assert (found(">95% other"), found("sheep")) == (1, 0)
    shown = run("show", 1, *there)
    assert "label map in vocabulary tiny" in shown.out
    assert "class list" in shown.out
    assert "1 stored anew" in run("ingest", photo, "--segmenter", model, "--classes", classes, *there).err
    assert (found(">95% other"), found(">95% sheep")) == (0, 1)
    assert "vocabulary scene-51" in run("show", 1, *there).out
    assert "1 already there" in run("ingest", photo, *there).err
    assert "1 stored anew" in run("ingest", photo, "--segmenter", "segnet", *there).err
    assert found(">95% sheep") == 0


def test_a_file_in_the_models_own_classes(run: Run, model: Path, photo: Path, tmp_path: Path):
    coded, shown = tmp_path / "dogs.dsslic", tmp_path / "map.png"
    assert run("encode", photo, coded, "--segmenter", model, "--own-classes").code == 0
    described = run("info", coded, "--json").json
    assert described["vocabulary_name"] == "tiny"
    assert described["vocabulary"] != OURS.identity
    assert [layer["kind"] for layer in described["layers"]][:3] == ["", "voca", "SMAP"]
    assert "(tiny), segmenter" in run("info", coded).out
    assert run("decode", coded, shown, "--stage", "map").code == 0
    parsed = tmp_path / "parsed"
    assert run("segment", photo, "--out", parsed, "--segmenter", model, "--own-classes").code == 0
    for path in (shown, parsed / "dogs.png"):
        with Image.open(path) as picture:
            assert picture.getextrema() == (LABELS.index("kangaroo"),) * 2
            red, green, blue = picture.convert("RGB").getpixel((0, 0))
    assert (red, green, blue) != OURS.classes[LABELS.index("kangaroo")].colour


@pytest.mark.parametrize("command", ["ingest", "encode", "segment"])
def test_what_is_wrong_is_said_in_one_line(
    run: Run, command: str, photo: Path, classes: Path, tmp_path: Path
):
    rest = {
        "ingest": ["--archive", tmp_path / "a"],
        "encode": [tmp_path / "x.dsslic"],
        "segment": ["--out", tmp_path / "out"],
    }[command]
    missing = run(command, photo, *rest, "--segmenter", tmp_path / "nothing")
    assert (missing.code, "no such folder" in missing.message) == (1, True)
    alone = run(command, photo, *rest, "--classes", classes)
    assert (alone.code, "name it with --segmenter" in alone.message) == (2, True)
    ours = run(command, photo, *rest, "--segmenter", "segnet", "--own-classes")
    assert (ours.code, "for other segmenters" in ours.message) == (2, True)
    assert not (tmp_path / "a").exists()


def test_a_model_that_cannot_be_loaded_stops_at_the_first_photo(
    run: Run, model: Path, photo: Path, tmp_path: Path
):
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in ("config.json", "preprocessor_config.json"):
        (broken / name).write_bytes((model / name).read_bytes())
    (broken / "model.safetensors").write_bytes(b"nonsense")
    for ran in (
        run("ingest", photo, "--segmenter", broken, "--archive", tmp_path / "a"),
        run("segment", photo, "--out", tmp_path / "maps", "--segmenter", broken),
    ):
        assert (ran.code, "cannot be loaded" in ran.message) == (1, True)
