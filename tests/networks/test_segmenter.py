"""Segmenters by name: the shipped one, what models say of their labels, and what is wrong with what users
name."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.core import dialect, vocabulary
from dsslic_search.core.errors import UsageError, WeightsError
from dsslic_search.networks import runtime
from dsslic_search.networks.hub import find_model
from dsslic_search.networks.labels import own_dialect, read_labels
from dsslic_search.networks.look import Look
from dsslic_search.networks.segmenter import SegNetSegmenter, chosen, open_segmenter

OURS = vocabulary.default()


def described(folder: Path, config: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return folder


def named(folder: Path, *labels: str) -> Path:
    return described(folder, {"id2label": {str(i): label for i, label in enumerate(labels)}})


def test_segnet_is_what_the_package_ships():
    segmenter = open_segmenter("segnet")
    assert isinstance(segmenter, SegNetSegmenter)
    assert (segmenter.identity, segmenter.dialect) == (runtime.identity("segnet"), dialect.shipped())
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    assert np.array_equal(segmenter.segment(pixels, (20, 30)), runtime.segment(pixels, (20, 30))[0])
    with pytest.raises(UsageError, match="for other segmenters"):
        open_segmenter("segnet", own_classes=True)


def test_a_second_look_at_the_mirror_image_sees_a_photo_and_its_mirror_image_alike():
    rng = np.random.default_rng(2)
    pixels = np.kron(rng.integers(0, 256, (4, 6, 3), dtype=np.uint8), np.ones((16, 16, 1), np.uint8))
    once, twice = SegNetSegmenter(), SegNetSegmenter(Look(64 * 96, mirrored_too=True))
    assert twice.identity == once.identity
    assert twice.working_size(64, 96) == (64, 96)
    labels = twice.segment(pixels, (32, 48))
    assert np.array_equal(labels, twice.segment(np.ascontiguousarray(pixels[:, ::-1]), (32, 48))[:, ::-1])


def test_a_segmenter_is_itself_and_none_stays_none():
    segmenter = SegNetSegmenter()
    assert chosen(segmenter) is segmenter
    assert chosen(None) is None
    assert isinstance(chosen("segnet"), SegNetSegmenter)


def test_labels_are_read_from_the_description_and_mapped(tmp_path: Path):
    labels = read_labels(
        named(tmp_path, "sky", "building, edifice", "kangaroo", "traffic light", "people"), "m"
    )
    assert [(x.id, OURS.classes[x.class_id].name, x.how) for x in labels] == [
        (0, "sky", "name"),
        (1, "building", "name"),
        (2, "other", "unknown"),
        (3, "other", "table"),
        (4, "person", "synonym"),
    ]


def test_a_users_file_overrules(tmp_path: Path):
    file = tmp_path / "classes.json"
    file.write_text(json.dumps({"Kangaroo": "sheep", "sky": "ocean"}))
    labels = read_labels(named(tmp_path / "m", "sky", "kangaroo", "grass"), "m", file)
    assert [(OURS.classes[x.class_id].name, x.how) for x in labels] == [
        ("sea", "file"),
        ("sheep", "file"),
        ("grass", "name"),
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[", "not a file of classes"),
        ("[]", "not a file of classes"),
        ('{"sky": "skye"}', 'no class "skye"; did you mean "sky"'),
        ('{"skye": "sky"}', 'no label "skye"; did you mean "sky"'),
        ('{"sky": "vegetation"}', 'no class "vegetation"'),
    ],
)
def test_a_users_file_that_does_not_fit_is_explained(text: str, wanted: str, tmp_path: Path):
    file = tmp_path / "classes.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=wanted):
        read_labels(named(tmp_path / "m", "sky"), "m", file)
    with pytest.raises(UsageError, match=r"missing\.json: cannot be read"):
        read_labels(tmp_path / "m", "m", tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({}, "does not name its classes"),
        ({"num_labels": 3}, "does not name its classes"),
        ({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, "does not name its classes"),
        ({"id2label": {"zero": "sky"}}, "not the description of a model"),
        ({"id2label": {"-1": "sky"}}, "not numbered from 0"),
        ({"id2label": {"99999": "sky"}}, "not numbered from 0"),
        ({"id2label": [1, 2]}, "not the description of a model"),
        ({"num_labels": "many", "id2label": {"0": "sky"}}, "not the description of a model"),
        ({"num_labels": 0}, "not numbered from 0"),
        ({"num_labels": 3, "id2label": {"0": "sky"}}, "num_labels says 3 classes and id2label names 1"),
        ({"num_labels": 1, "id2label": {"0": "sky", "1": "sea"}}, "says 1 classes and id2label names 2"),
        ({"id2label": {"0": "sky", "2": "sea"}}, "names 2 classes and goes up to 2, without 1"),
        ({"id2label": {"1": "sky", "2": "sea"}}, "names 2 classes and goes up to 2, without 0"),
        ({"id2label": {"1": "sky", "01": "sea", "0": "road"}}, "id2label names 1 twice"),
        ("{", "not the description of a model"),
        ("[]", "not the description of a model"),
    ],
)
def test_models_that_do_not_say_what_they_see(config: object, wanted: str, tmp_path: Path):
    with pytest.raises(WeightsError, match=wanted):
        read_labels(described(tmp_path / "m", config), "m")


@pytest.mark.parametrize("said", [{}, {"num_labels": 2}, {"num_labels": "2"}, {"num_labels": None}])
def test_descriptions_that_agree_with_themselves(said: dict[str, object], tmp_path: Path):
    labels = read_labels(described(tmp_path, {"id2label": {"1": "sea", "0": "sky"}, **said}), "m")
    assert [(x.id, x.name) for x in labels] == [(0, "sky"), (1, "sea")]


def test_unnamed_labels_can_be_named_by_a_file(tmp_path: Path):
    file = tmp_path / "classes.json"
    file.write_text(json.dumps({"LABEL_1": "sky"}))
    labels = read_labels(described(tmp_path / "m", {"num_labels": 2}), "m", file)
    assert [OURS.classes[x.class_id].name for x in labels] == ["other", "sky"]


def test_labels_as_a_vocabulary_of_their_own(tmp_path: Path):
    labels = read_labels(
        named(tmp_path, "screen door, screen", "screen", "ocean", "screen", "", "gra\nss"), "m"
    )
    found = own_dialect(labels, "owner/beach-model")
    assert [c.name for c in found.vocabulary.classes] == [
        "screen door",
        "screen",
        "ocean",
        "screen 2",
        "class 4",
        "gra ss",
    ]
    assert found.vocabulary.name == "beach-model"
    assert OURS.classes[found.meanings[2]].name == "sea"
    many = own_dialect(read_labels(named(tmp_path, *map(str, range(255))), "m"), "m").vocabulary
    assert len({c.colour for c in many.classes}) == 255
    with pytest.raises(UsageError, match="more than the 255"):
        own_dialect(read_labels(named(tmp_path, *map(str, range(256))), "m"), "m")


def test_a_model_with_our_very_classes_speaks_our_language(tmp_path: Path):
    labels = read_labels(named(tmp_path, *(c.name for c in OURS.classes)), "m")
    assert own_dialect(labels, "m").native


def test_folders_are_taken_as_they_are(tmp_path: Path):
    assert find_model(str(tmp_path)) == tmp_path
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match="not a folder"):
        find_model(str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="no such folder; give"):
        find_model(str(tmp_path / "missing"))
    with pytest.raises(WeightsError, match=r"no config\.json"):
        open_segmenter(str(tmp_path))


class _NoSuchModel(BaseHTTPRequestHandler):
    """A model hub that has nothing."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A hub of this machine; its cache is in ``tmp_path``."""
    constants = pytest.importorskip(
        "huggingface_hub.constants", reason="needs the extra: pip install 'dsslic-search[transformers]'"
    )
    server = HTTPServer(("127.0.0.1", 0), _NoSuchModel)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    yield constants.ENDPOINT
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_hub_has_no_such_model(hub: str):
    with pytest.raises(
        WeightsError, match="owner/nothing: no such folder here, and no such model on the hub"
    ):
        find_model("owner/nothing")


def test_the_hub_cannot_be_reached(hub: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"owner/nothing: .*hub cannot be reached \(.+\).*give its folder"):
        find_model("owner/nothing")


def test_the_extra_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(
        Exception, match=r"no such folder here, and .*pip install 'dsslic-search\[transformers\]'"
    ) as raised:
        find_model("owner/nothing")
    assert type(raised.value).__name__ == "MissingExtraError"
