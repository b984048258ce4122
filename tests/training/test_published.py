"""The training of the paper's networks: each step's two halves, overfitting eight photos, resuming."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from dsslic_search.cli.main import main
from dsslic_search.core.errors import MissingExtraError, UsageError, WeightsError
from dsslic_search.networks import weights
from dsslic_search.networks.published import PublishedConfig
from dsslic_search.training import codec, losses, published
from dsslic_search.training.checkpoint import Budget
from dsslic_search.training.vgg import PARTS, VGGLoss

SAMPLES = Path(__file__).parents[2] / "samples"
NARROW = PublishedConfig(classes=6, width=8, blocks=1, judge_width=8)
SMALL = published.PublishedTraining(batch=4, crop=32, rate=2e-3)
LEARNING = replace(SMALL, rate=1e-3, l1=100.0, falls=0.3, dropped=0.2)
STEPS = 240
ADVERSARIAL = ("adversarial", "features", "looks")
CPU = torch.device("cpu")
SIDE = 32
PIECES_OF = 512  # pixels of a photo's sides; whole photos of 32 pixels are all edges, and take long to learn


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file named as torchvision names VGG19's layers, these narrow ones and drawn at random."""
    generator, state, channels = torch.Generator().manual_seed(3), {}, 3
    for part, width in zip(PARTS, (4, 6, 8, 8, 8), strict=True):
        for i in part:
            spread = (2 / (9 * channels)) ** 0.5
            state[f"features.{i}.weight"] = torch.randn(width, channels, 3, 3, generator=generator) * spread
            state[f"features.{i}.bias"] = torch.zeros(width)
            channels = width
    path = tmp_path_factory.mktemp("vgg") / "vgg19.safetensors"
    save_file(state, path)
    return path


@pytest.fixture(scope="module")
def photos() -> list[codec.Crop]:
    """Eight photos, with labels by their brightness."""
    found = []
    for path in sorted(SAMPLES.glob("*.jpg"))[:8]:
        with Image.open(path) as opened:
            pixels = np.asarray(opened.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))
        found.append(codec.Crop(pixels, (pixels.mean(2) // 52).astype(np.uint8)))
    assert len(found) == 8
    return found


def pieces() -> list[codec.Crop]:
    """The middle of each of eight photos, with labels by their brightness."""
    found, first = [], (PIECES_OF - SIDE) // 2
    for path in sorted(SAMPLES.glob("*.jpg"))[:8]:
        with Image.open(path) as opened:
            opened.draft("RGB", (PIECES_OF, PIECES_OF))
            whole = opened.convert("RGB").resize((PIECES_OF, PIECES_OF), Image.Resampling.BOX)
        pixels = np.asarray(whole.crop((first, first, first + SIDE, first + SIDE)))
        found.append(codec.Crop(pixels, (pixels.mean(2) // 52).astype(np.uint8)))
    return found


def together(photos: list[codec.Crop]) -> tuple[torch.Tensor, torch.Tensor]:
    """float32 [N, 3, h, w] in 0..1 and labels int64 [N, h, w]."""
    pixels = np.stack([photo.pixels for photo in photos]).transpose(0, 3, 1, 2)
    labels = np.stack([photo.labels for photo in photos]).astype(np.int64)
    return torch.from_numpy(pixels.astype(np.float32) / 255), torch.from_numpy(labels)


@pytest.fixture
def data(photos: list[codec.Crop], tmp_path: Path) -> Path:
    """The same as a data folder, twice as large."""
    for kind in ("images", "teacher", "confidence"):
        (tmp_path / "data" / "codec" / "cid22_train" / kind).mkdir(parents=True)
    for i, photo in enumerate(photos * 2):
        place = tmp_path / "data" / "codec" / "cid22_train"
        Image.fromarray(photo.pixels).resize((96, 96)).save(place / "images" / f"{i}.jpg")
        Image.fromarray(photo.labels).resize((96, 96), 0).save(place / "teacher" / f"{i}.png")
        Image.fromarray(np.full((12, 12), 224, np.uint8)).save(place / "confidence" / f"{i}.png")
    return tmp_path / "data"


def test_eight_photos_are_learnt_by_heart_against_the_discriminator(vgg: Path) -> None:
    photos = pieces()
    photo, labels = together(photos)
    training = published.Training(LEARNING, replace(NARROW, judge_width=4), VGGLoss(vgg), CPU)
    lost = [training.step(photo, labels, step / STEPS) for step in range(STEPS)]
    names = {"l1", "structure", "judge", "adversarial", "features", "looks"}
    told = round(STEPS * LEARNING.dropped)
    assert [set(each) == names for each in lost] == [step < told for step in range(STEPS)]
    assert set(lost[-1]) == {"l1", "structure"}
    assert all(np.isfinite(value) for each in lost for value in each.values())
    assert lost[told - 1]["judge"] < 0.8 * lost[0]["judge"]  # it learns to tell made from real
    assert lost[-1]["l1"] < 0.1 * lost[0]["l1"]
    means = F.interpolate(F.avg_pool2d(photo, 8), scale_factor=8, mode="bilinear")
    enlarged = -10 * (means - photo).square().mean((1, 2, 3)).log10().mean()
    assert training.reached(photos) > 30
    assert training.reached(photos) > enlarged + 2  # more than a small picture says: the rest is known


@pytest.mark.parametrize("part", ["l1", "structure", "adversarial", "features", "looks"])
def test_each_part_of_the_loss_alone_grows_smaller_by_steps(part: str, vgg: Path) -> None:
    weighted = {name: float(name == part) for name in ("l1", "structure", *ADVERSARIAL)}
    training = published.Training(replace(SMALL, rate=3e-4, **weighted), NARROW, VGGLoss(vgg), CPU)
    photo, labels = together(pieces()[:4])
    moved = 0.0
    for _ in range(5):  # by the discriminator as it is in each step
        told = training.step(photo, labels)
        moved += float(parts_of(training, photo, labels)[part]) - told[part]
    assert moved < 0


def test_steps_of_the_discriminator_tell_photos_from_what_was_made_of_them(vgg: Path) -> None:
    training = published.Training(SMALL, NARROW, VGGLoss(vgg), CPU)
    photo, labels = together(pieces()[:4])
    marks = published.one_hot(labels, NARROW.classes)
    with torch.no_grad():
        shown = photo * 2 - 1, training.coarse(photo, labels)

    def apart() -> float:
        """How much higher its scores of the photos are than those of what was made of them at first."""
        with torch.no_grad():
            real, made = (torch.stack([maps[-1].mean() for maps in training.judge(marks, x)]) for x in shown)
        return float((real - made).sum())

    before = apart()
    for _ in range(5):
        training.step(photo, labels)
    assert apart() > before + 0.03


def parts_of(
    training: published.Training, photo: torch.Tensor, labels: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The parts of the loss as the networks are now, by the discriminator as it is now."""
    marks = published.one_hot(labels, NARROW.classes)
    with torch.no_grad():
        coarse = training.coarse(photo, labels)
        made, judged = (coarse + 1) / 2, training.judge(marks, coarse)
        return {
            "l1": (made - photo).abs().mean(),
            "structure": -losses.ssim(made, photo),
            "adversarial": torch.stack([(scale[-1] - 1).square().mean() for scale in judged]).mean(),
            "features": losses.feature_distance(judged, training.judge(marks, photo * 2 - 1)),
            "looks": training.looks(made, photo),
        }


def test_each_half_of_a_step_moves_its_own_networks(photos: list[codec.Crop], vgg: Path) -> None:
    def flat(net: nn.Module) -> torch.Tensor:
        return torch.cat([p.detach().flatten() for p in net.parameters()])

    training = published.Training(SMALL, NARROW, VGGLoss(vgg), CPU)
    nets = training.compnet, training.finenet, training.judge
    photo, labels, _ = codec.batch(photos, SIDE, 2, "a", 1)
    before = [flat(net) for net in nets]
    training.step(photo, labels)
    after = [flat(net) for net in nets]
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    training.step(photo, labels, spent=0.9)  # without the discriminator
    assert [torch.equal(a, flat(net)) for a, net in zip(after, nets, strict=True)] == [False, False, True]
    assert [group["lr"] for group in training.optimiser.param_groups] == [pytest.approx(SMALL.rate / 5)]


def test_a_step_at_the_papers_size(vgg: Path) -> None:
    training = published.Training(replace(SMALL, crop=32), PublishedConfig(), VGGLoss(vgg), CPU)
    lost = training.step(torch.rand(1, 3, 32, 32), torch.randint(0, 51, (1, 32, 32)))
    assert all(np.isfinite(value) for value in lost.values())


def test_a_compact_image_is_in_whole_levels_and_passes_gradients() -> None:
    c = torch.linspace(-1, 1, 1000).requires_grad_()
    shown = published.rounded(c)
    assert len(torch.unique((shown.detach() * 127.5 + 127.5).round())) == 256
    torch.testing.assert_close((shown + 1) * 127.5, ((shown + 1) * 127.5).round(), atol=1e-4, rtol=0)
    assert (shown - c).abs().max() <= 0.5 / 127.5 + 1e-6
    (gradient,) = torch.autograd.grad(shown.sum(), c)
    assert torch.equal(gradient, torch.ones_like(gradient))


def test_a_run_stops_goes_on_and_takes_more(
    data: Path, vgg: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    def go(name: str, steps: int, **more: object) -> tuple[str, str]:
        settings = replace(SMALL, batch=2, **more)  # type: ignore[arg-type]
        return published.train(
            data, tmp_path / name, tmp_path / f"{name}-out", Budget(steps=steps), vgg=vgg, settings=settings,
            config=NARROW,
        )  # fmt: skip

    whole = go("whole", 6)
    assert "unseen photos" in capsys.readouterr().out
    config, state = weights.load(tmp_path / "whole-out" / "paper_finenet.safetensors", "paper_finenet")
    assert PublishedConfig(**config) == NARROW
    assert set(state) == set(published.PublishedFineNet(NARROW).state_dict())
    real = published.batch
    monkeypatch.setattr(published, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(
        published,
        "batch",
        lambda *a: real(*a) if not a[3].endswith("/4") else (_ for _ in ()).throw(KeyboardInterrupt),
    )
    with pytest.raises(KeyboardInterrupt):
        go("cut", 6)
    monkeypatch.setattr(published, "batch", real)
    assert go("cut", 6) == whole
    assert go("cut", 8) != whole
    with pytest.raises(UsageError, match=r"other settings \(rate\)"):
        go("cut", 8, rate=1e-3)


def test_crops_that_the_networks_cannot_take_are_refused(vgg: Path) -> None:
    for crop in (24, 52):
        with pytest.raises(UsageError, match="multiple of 8 from 32"):
            published.Training(replace(SMALL, crop=crop), NARROW, VGGLoss(vgg), CPU)


def test_vgg_is_nothing_for_equals_grows_with_blur_and_moves_the_made_picture_only(vgg: Path) -> None:
    look, real = VGGLoss(vgg), torch.rand(1, 3, 32, 32, requires_grad=True)
    blurred = F.avg_pool2d(real.detach(), 3, 1, 1)
    worse = F.avg_pool2d(blurred, 5, 1, 2).requires_grad_()
    assert look(real, real) == 0
    assert look(worse, real) > look(blurred, real) > 0
    look(worse, real).backward()
    assert worse.grad is not None
    assert real.grad is None
    assert [f.shape[1:] for f in look.features(real)] == [
        (4, 32, 32),
        (6, 16, 16),
        (8, 8, 8),
        (8, 4, 4),
        (8, 2, 2),
    ]


def test_vgg_weights_come_from_either_kind_of_file_and_others_are_refused(vgg: Path, tmp_path: Path) -> None:
    state = {name: value for name, value in VGGLoss(vgg).state_dict().items() if name.startswith("kernel")}
    from safetensors.torch import load_file

    names = load_file(vgg)
    torch.save(names, tmp_path / "vgg19.pth")
    again = VGGLoss(tmp_path / "vgg19.pth").state_dict()
    assert all(torch.equal(again[name], value) for name, value in state.items())
    del names["features.21.bias"]
    torch.save(names, tmp_path / "short.pth")
    torch.save([1], tmp_path / "list.pth")
    (tmp_path / "noise.safetensors").write_bytes(b"noise" * 30)
    (tmp_path / "noise.pth").write_bytes(b"noise" * 30)
    for name, told in {
        "short.pth": "features.21 is not",
        "list.pth": "no weights by name",
        "noise.safetensors": "cannot|can be read",
        "noise.pth": "can be read",
        "absent.pth": "No such file",
    }.items():
        with pytest.raises(WeightsError, match=told):
            VGGLoss(tmp_path / name)


def test_vgg_that_is_not_there_is_told_with_both_ways_to_get_one(monkeypatch) -> None:
    def missing() -> Path:
        raise MissingExtraError("no package")

    monkeypatch.setattr(published, "package_folder", missing)
    with pytest.raises(MissingExtraError, match="--vgg FILE, or install"):
        published.looks_of(None)


def test_the_command(data: Path, vgg: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(published, "PublishedConfig", lambda: NARROW)
    monkeypatch.setattr(published, "PublishedTraining", lambda: replace(SMALL, batch=1))
    words = [
        "train",
        "codec",
        "--paper",
        "--data",
        data,
        "--run",
        tmp_path / "run",
        "--out",
        tmp_path / "out",
    ]

    def said(*more: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dss-search", *map(str, (*words, *more))])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    assert said("--steps", 2, "--vgg", vgg)[0] == 0
    assert (tmp_path / "out" / "paper_compnet.safetensors").exists()
    status, _, told = said("--steps", 2, "--vgg", vgg)
    assert status != 0
    assert "--force" in told
    whole = Budget.spent
    monkeypatch.setattr(Budget, "spent", lambda self, step, seconds: whole(self, step, 10 * seconds))
    status, out, _ = said("--minutes", 0.1, "--vgg", vgg, "--force")
    assert status == 0
    assert "resuming at step 2" in out
    for wrong, told in (
        (("--vgg", vgg), "either --minutes"),
        (("--steps", 1, "--perceptual"), "--perceptual"),
    ):
        status, _, error = said(*wrong)
        assert status == 2
        assert told in error
