"""Training of the restoration network on a small made-up data folder: pairs, what a step sees, that a run
learns and resumes."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dsslic_search.core.errors import UsageError
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.restorer import Restorer, RestorerConfig
from dsslic_search.training import restoration
from dsslic_search.training.checkpoint import Budget
from dsslic_search.training.restoration import QP_PARTS, RestorationTraining

SETTINGS = RestorationTraining(batch=4, crop=64, rate=4e-3, average=0.9)
SMALL = RestorerConfig(width=8, deep=8, blocks=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stripes: what coding takes off them is much alike from photo to photo."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(1)
    for kind in ("images", "teacher", "confidence"):
        (folder / "codec" / "cid22_train" / kind).mkdir(parents=True)
    x = np.arange(96)
    for number, name in enumerate((*range(6), 20)):  # the last is held out
        stripes = np.where((x // 5 + number) % 3 == 0, 190, 60 + 4 * number)[None, :, None] + rng.normal(
            0, 2, (72, 96, 3)
        )
        Image.fromarray(stripes.clip(0, 255).astype(np.uint8)).save(
            folder / "codec" / "cid22_train" / "images" / f"{name}[a].jpg", quality=98
        )
        Image.fromarray(np.full((72, 96), 3, np.uint8)).save(
            folder / "codec" / "cid22_train" / "teacher" / f"{name}[a].png"
        )
        Image.fromarray(np.full((9, 12), 224, np.uint8)).save(
            folder / "codec" / "cid22_train" / "confidence" / f"{name}[a].png"
        )
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


def test_pairs_are_one_for_every_part_of_the_range_and_made_once(data, run):
    photo = next((data / "codec" / "cid22_train" / "images").glob("*.jpg"))
    (run / "pairs").mkdir(exist_ok=True)
    restoration.make_pairs(photo, run / "pairs")
    [file] = (run / "pairs").iterdir()
    made = file.stat().st_mtime_ns
    pairs = restoration.load_pairs([file])
    assert [low <= pair.qp <= high for pair, (low, high) in zip(pairs, QP_PARTS, strict=True)] == [
        True
    ] * len(QP_PARTS)
    errors = [pair.error for pair in pairs]
    assert errors == sorted(errors)
    assert all(
        max(0.05, np.mean((p.decoded / 4 - p.photo) ** 2)) == pytest.approx(p.error, rel=1e-3) for p in pairs
    )
    restoration.make_pairs(photo, run / "pairs")
    assert file.stat().st_mtime_ns == made


def test_a_crop_of_the_decoded_photo_lies_on_that_of_the_photo():
    photo = np.random.default_rng(0).integers(0, 256, (80, 96, 3)).astype(np.uint8)
    labels = np.arange(20 * 24).reshape(20, 24).astype(np.uint8)
    pair = restoration.Pair(photo, photo.astype(np.int16) * 4, labels, 30, 1.0)
    for step in range(5):
        x, decoded, marks, qp, error = restoration.batch([pair], SETTINGS, step)
        assert torch.allclose(x, decoded)
        assert (marks.shape, qp.tolist(), error.tolist()) == ((4, 16, 16), [30.0] * 4, [1.0] * 4)
        again = restoration.batch([pair], SETTINGS, step)
        assert all(torch.equal(a, b) for a, b in zip((x, decoded, marks), again[:3], strict=True))


def test_an_untrained_network_changes_nothing():
    decoded = torch.rand(1, 3, 32, 48)
    made = Restorer(SMALL)(decoded, torch.zeros(1, 8, 12, dtype=torch.long), torch.tensor([30.0]))
    assert torch.equal(made, decoded)


def gains(printed: str) -> list[float]:
    """Of the last line that tells them."""
    return [float(part.split(":")[1].strip(" }\n")) for part in printed.rsplit("photos {", 1)[1].split(",")]


def test_training_learns_and_resumes(data, run, capsys):
    first = restoration.train(data, run, run / "out", Budget(steps=50), SETTINGS, SMALL)
    learnt = gains(capsys.readouterr().out)
    assert np.mean(learnt) > 0.03
    assert weights.identity(run / "out" / "restorer.safetensors") == first
    restoration.train(data, run, run / "out", Budget(steps=52), SETTINGS, SMALL)
    assert "resuming at step 50" in capsys.readouterr().out
    with pytest.raises(UsageError, match="with other settings"):
        restoration.train(data, run, run / "out", Budget(steps=54), replace(SETTINGS, rate=1e-3), SMALL)


def test_training_goes_on_from_weights(data, run, capsys):
    start = run / "out" / "restorer.safetensors"
    before = runtime.load("restorer", start)
    (run / "more").mkdir()
    (run / "more" / "pairs").symlink_to(run / "pairs")
    budget = Budget(steps=1)
    restoration.train(data, run / "more", run / "more", budget, replace(SETTINGS, rate=0.0), start=start)
    begun = gains(capsys.readouterr().out)
    assert np.mean(begun) > 0.03
    after = runtime.load("restorer", run / "more" / "restorer.safetensors")
    assert after.config == before.config == SMALL
    assert all(torch.equal(after.state_dict()[name], was) for name, was in before.state_dict().items())
    with pytest.raises(UsageError, match=r"with other settings \(start\)"):
        restoration.train(data, run / "more", run / "more", budget, replace(SETTINGS, rate=0.0), SMALL)


def test_a_training_of_minutes_ends_with_them(data, run, monkeypatch, capsys):
    """The clock is one that goes on by a second a look."""
    (run / "timed").mkdir()
    (run / "timed" / "pairs").symlink_to(run / "pairs")
    seconds = count()
    monkeypatch.setattr(restoration.time, "monotonic", lambda: next(seconds))
    restoration.train(data, run / "timed", run / "timed", Budget(minutes=0.2), SETTINGS, SMALL)
    step, minutes = re.findall(r"step (\d+), ([\d.]+) minutes: dB", capsys.readouterr().out)[-1]
    assert 4 <= int(step) <= 12
    assert 0.2 <= float(minutes) <= 0.3


def test_without_photos_it_says_so(tmp_path):
    with pytest.raises(UsageError, match="no photos to train"):
        restoration.train(tmp_path, tmp_path / "run", tmp_path)
