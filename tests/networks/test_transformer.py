"""Models of `transformers`: loaded by the real code from real files, tiny and with random weights."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.codec import container
from dsslic_search.codec.decoder import decode_stage, read_base, read_dialect
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import MissingExtraError, WeightsError
from dsslic_search.networks.segmenter import SureSegmenter, open_segmenter
from dsslic_search.networks.transformer import TransformersSegmenter
from tests import tiny_models
from tests.pictures import sample
from tests.tiny_models import LABELS

OURS = vocabulary.default()
Make = Callable[..., Path]
MAKERS = {
    "segformer": tiny_models.segformer,
    "mask2former": tiny_models.mask2former,
    "oneformer": tiny_models.oneformer,
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of each kind, which sees grass wherever it looks."""
    return {
        name: make(tmp_path_factory.mktemp(name), sees=LABELS.index("grass-merged"))
        for name, make in MAKERS.items()
    }


@pytest.fixture(scope="module")
def photo() -> SourcePhoto:
    return sample(side=160)


@pytest.mark.parametrize("kind", MAKERS)
def test_photos_of_any_size_are_parsed_into_the_mapped_class(kind: str, models: dict[str, Path]):
    segmenter = open_segmenter(str(models[kind]))
    rng = np.random.default_rng(1)
    for size, map_size in (
        ((1, 1), (1, 1)),
        ((3, 5), (3, 5)),
        ((1, 900), (1, 225)),
        ((70, 3), (35, 2)),
        ((120, 160), (60, 80)),
    ):
        pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        assert isinstance(segmenter, SureSegmenter)
        labels, held = segmenter.segment_with_certainty(pixels, map_size)
        assert (labels.shape, labels.dtype) == (map_size, np.uint8)
        assert np.unique(labels).tolist() == [OURS.id_of("grass")]
        assert (held.shape, held.dtype) == (map_size, np.float32)
        assert 1 / len(LABELS) < held.min() and held.max() <= 1  # the likeliest of all labels


def test_what_a_model_sees_depends_on_the_photo(tmp_path: Path, photo: SourcePhoto):
    """Random weights, but they do look: another photo, another map; and the same in every thread."""
    segmenter = open_segmenter(str(tiny_models.segformer(tmp_path)))
    first = segmenter.segment(photo.pixels, (60, 80))
    assert not np.array_equal(first, segmenter.segment(255 - photo.pixels, (60, 80)))
    with ThreadPoolExecutor(4) as pool:
        assert all(
            np.array_equal(first, other)
            for other in pool.map(lambda _: segmenter.segment(photo.pixels, (60, 80)), range(8))
        )


@pytest.mark.parametrize("kind", MAKERS)
def test_a_photo_is_encoded_with_it(kind: str, models: dict[str, Path], photo: SourcePhoto):
    segmenter = open_segmenter(str(models[kind]))
    data = encode_photo(photo, EncodeOptions(50, segmenter=segmenter)).data
    header = container.read(data).header
    assert (header.vocabulary, header.segmenter) == (OURS.identity, segmenter.identity)
    assert (read_base(data).label_map == OURS.id_of("grass")).all()
    assert np.abs(decode_stage(data).pixels.astype(int) - photo.pixels).mean() < 6


def test_with_its_own_classes_the_file_explains_itself(models: dict[str, Path], photo: SourcePhoto):
    segmenter = open_segmenter(str(models["segformer"]), own_classes=True)
    data = encode_photo(photo, EncodeOptions(50, segmenter=segmenter)).data
    assert container.read(data).header.vocabulary == segmenter.dialect.vocabulary.identity != OURS.identity
    found = read_dialect(data)
    assert [c.name for c in found.vocabulary.classes] == [
        "wall",
        "building",
        "sky-other-merged",
        "grass-merged",
        "kangaroo",
        "person",
    ]
    assert (decode_stage(data, "map").pixels == LABELS.index("grass-merged")).all()
    assert (read_base(data).label_map == OURS.id_of("grass")).all()
    mapped = encode_photo(photo, EncodeOptions(50, segmenter=open_segmenter(str(models["segformer"])))).data
    assert np.array_equal(decode_stage(data).pixels, decode_stage(mapped).pixels)


def test_it_goes_to_another_process_and_sees_the_same(models: dict[str, Path], photo: SourcePhoto):
    segmenter = open_segmenter(str(models["segformer"]))
    seen = segmenter.segment(photo.pixels, (6, 8))
    sent = pickle.dumps(segmenter)
    assert len(sent) < 20_000  # without the weights
    assert np.array_equal(pickle.loads(sent).segment(photo.pixels, (6, 8)), seen)


def test_the_identity_names_weights_and_mapping(models: dict[str, Path], tmp_path: Path):
    def identity(folder: Path, **more: object) -> str:
        return open_segmenter(str(folder), **more).identity  # type: ignore[arg-type]

    here = identity(models["segformer"])
    assert len(bytes.fromhex(here)) == 8
    copied = Path(shutil.copytree(models["segformer"], tmp_path / "copy"))
    assert identity(copied) == here
    (copied / "README.md").write_text("notes")
    assert identity(copied) == here
    assert identity(copied, own_classes=True) != here
    classes = tmp_path / "classes.json"
    classes.write_text('{"kangaroo": "sheep"}')
    assert identity(copied, classes=classes) != here
    weights = bytearray((copied / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copied / "model.safetensors").write_bytes(weights)
    assert identity(copied) != here


def test_the_library_is_loaded_when_the_first_photo_comes(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
):
    segmenter = open_segmenter(str(models["segformer"]))
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    assert len(segmenter.identity) == 16
    with pytest.raises(MissingExtraError, match=r"pip install 'dsslic-search\[transformers\]'"):
        segmenter.segment(np.zeros((8, 8, 3), np.uint8), (8, 8))


def test_loading_says_nothing(models: dict[str, Path], capfd: pytest.CaptureFixture[str]):
    open_segmenter(str(models["mask2former"])).segment(np.zeros((8, 8, 3), np.uint8), (8, 8))
    assert capfd.readouterr() == ("", "")


def changed(model: Path, target: Path, **more: object) -> Path:
    folder = Path(shutil.copytree(model, target))
    config = folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **more}))
    return folder


def refusal(folder: Path) -> str:
    segmenter = open_segmenter(str(folder))
    with pytest.raises(WeightsError) as raised:
        segmenter.segment(np.zeros((8, 8, 3), np.uint8), (8, 8))
    assert str(folder) in str(raised.value)
    return str(raised.value)


def test_models_that_do_not_segment_are_refused(models: dict[str, Path], tmp_path: Path):
    (tmp_path / "vit").mkdir()
    (tmp_path / "vit" / "config.json").write_text(
        '{"model_type": "vit", "id2label": {"0": "cat", "1": "dog"}}'
    )
    (tmp_path / "vit" / "model.safetensors").touch()
    assert 'models of type "vit" do not segment' in refusal(tmp_path / "vit")
    folder = changed(models["segformer"], tmp_path / "strange", model_type="parser9")
    assert "cannot be loaded" in refusal(folder)


def test_a_model_that_was_never_trained_to_segment_is_refused(tmp_path: Path):
    """Its encoder loads, its decoder would be random."""
    import transformers

    config = transformers.SegformerConfig.from_pretrained(tiny_models.segformer(tmp_path))
    transformers.SegformerForImageClassification(config).save_pretrained(tmp_path)
    assert "weights are missing" in refusal(tmp_path)


def test_incomplete_and_damaged_folders(models: dict[str, Path], tmp_path: Path):
    folder = Path(shutil.copytree(models["segformer"], tmp_path / "damaged"))
    (folder / "model.safetensors").write_bytes(b"nonsense")
    assert "cannot be loaded" in refusal(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match="no weights there"):
        open_segmenter(str(folder))
    folder = Path(shutil.copytree(models["segformer"], tmp_path / "unprepared"))
    (folder / "preprocessor_config.json").unlink()
    assert "cannot be loaded" in refusal(folder)


def naming_classes(model: Path, target: Path, names: int) -> Path:
    return changed(model, target, id2label={str(i): name for i, name in enumerate([*LABELS, "boat"][:names])})


@pytest.mark.parametrize("names", [5, 7])
@pytest.mark.parametrize("kind", MAKERS)
def test_other_names_than_outputs_are_refused_before_anything_is_loaded(
    kind: str, names: int, models: dict[str, Path], tmp_path: Path
):
    folder = naming_classes(models[kind], tmp_path / "m", names)
    with pytest.raises(WeightsError, match=rf"tell 6 classes apart \(.+\) and its config.json says {names} "):
        open_segmenter(str(folder))


def test_the_same_in_weights_of_the_older_kind(models: dict[str, Path], tmp_path: Path):
    """Only loading tells what is in those, and the library is not let make up what does not fit."""
    import torch
    from safetensors.torch import load_file

    folder = naming_classes(models["segformer"], tmp_path / "m", 7)
    weights = folder / "model.safetensors"
    torch.save(load_file(weights), folder / "pytorch_model.bin")
    weights.unlink()
    assert "tell 6 classes apart (decode_head.classifier.weight) and its config.json says 7 " in refusal(
        folder
    )


def test_weights_of_another_model_are_refused(models: dict[str, Path], tmp_path: Path):
    folder = changed(models["segformer"], tmp_path / "m", decoder_hidden_size=8)
    assert "of different models (decode_head.batch_norm.bias is [16] in the one and [8] in" in refusal(folder)


def test_labels_beyond_those_described_are_noticed(models: dict[str, Path]):
    segmenter = open_segmenter(str(models["segformer"]))
    assert isinstance(segmenter, TransformersSegmenter)
    segmenter.labels = segmenter.labels[:2]
    with pytest.raises(WeightsError, match="labels that its config"):
        segmenter.segment(np.zeros((8, 8, 3), np.uint8), (8, 8))


def test_a_model_of_the_hub_is_used_from_its_cache(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Downloaded before, and the hub cannot be reached now."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    stored = tmp_path / "models--owner--tiny"
    shutil.copytree(models["segformer"], stored / "snapshots" / ("a" * 40))
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text("a" * 40)
    segmenter = open_segmenter("owner/tiny")
    assert segmenter.identity == open_segmenter(str(models["segformer"])).identity
    assert (segmenter.segment(np.zeros((8, 8, 3), np.uint8), (4, 4)) == OURS.id_of("grass")).all()
