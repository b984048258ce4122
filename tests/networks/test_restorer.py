"""The restoration network in tiles: no seams, any size, grey too, and none of it where it has learnt
nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dsslic_search.networks import grid, runtime
from dsslic_search.networks.grid import LABEL_SCALE
from dsslic_search.networks.restorer import Restorer, RestorerConfig


def restorer(std: float) -> Restorer:
    torch.manual_seed(2)
    net = Restorer(RestorerConfig(classes=5, width=8, deep=16, blocks=2))
    torch.nn.init.normal_(net.head.weight, std=std)
    for tune in (net.tune_fine, net.tune_deep):
        torch.nn.init.normal_(tune.weight, std=0.2)
    return net.eval()


def decoded(height: int, width: int, grey: bool) -> tuple[np.ndarray, np.ndarray]:
    """Quarters of a grey level, and labels as the networks take them."""
    rng = np.random.default_rng(height)
    y, x = np.mgrid[:height, :width]
    base = np.stack(
        [500 + 400 * np.sin(x / 9 + y / 15), 4.0 * (x % 255), 500 + 300 * np.cos(y / 5)], -1
    ) + rng.normal(0, 30, (height, width, 3))
    cells = 2 * -(-height // 8), 2 * -(-width // 8)
    return (base[..., 0] if grey else base).clip(0, 1020).astype(np.int16), rng.integers(0, 5, cells).astype(
        np.int64
    )


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (3, 70), (64, 64), (65, 130), (203, 117)])
def test_tiles_leave_no_seam(size, grey, monkeypatch):
    monkeypatch.setattr(runtime, "network", lambda *_: restorer(0.03))
    quarters, labels = decoded(*size, grey)
    whole = runtime.restore(quarters, labels, 33, 1.0)
    monkeypatch.setattr(grid, "RESTORED_TILE", 32)
    tiled = runtime.restore(quarters, labels, 33, 1.0)
    assert whole.shape == quarters.shape
    difference = np.abs(tiled.astype(int) - whole)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01
    assert np.abs(whole - quarters / 4).mean() > 0.3  # there is something to see seams in


def test_tiles_cover_a_photo_once_and_margins_suffice():
    net = restorer(0.03)
    seen = np.zeros((2100, 1030), int)
    for rows, columns in grid.squares(*seen.shape):
        seen[rows, columns] += 1
        for part in (rows, columns):
            assert part.start % (2 * LABEL_SCALE) == 0
    assert seen.min() == seen.max() == 1
    assert net.margin % 8 == 0
    # What is a margin away from a change does not notice it.
    quarters, labels = decoded(128, 128 + 8 * (net.margin // 8), grey=False)
    x = torch.from_numpy(quarters).permute(2, 0, 1)[None].float() / 1020
    changed = x.clone()
    changed[..., -8:] = 1 - changed[..., -8:]
    with torch.inference_mode():
        first, second = (
            net.correction(each, torch.from_numpy(labels)[None], torch.tensor([30.0]))
            for each in (x, changed)
        )
    assert torch.equal(first[..., : -8 - net.margin], second[..., : -8 - net.margin])
    assert not torch.equal(first[..., -24:-8], second[..., -24:-8])


@pytest.mark.parametrize("strength", [0.25, 1.0, 3.0])
def test_strength_scales_the_correction(strength, monkeypatch):
    monkeypatch.setattr(runtime, "network", lambda *_: restorer(0.01))
    quarters, labels = decoded(40, 56, grey=False)
    wanted = quarters / 4.0
    for rows, columns, correction in runtime.corrections(quarters, labels, 30):
        wanted[rows, columns] += strength * correction
    assert np.abs(runtime.restore(quarters, labels, 30, strength) - wanted.clip(0, 255)).max() <= 0.51


def test_corrections_grow_with_the_quantiser(monkeypatch):
    net = restorer(0.02)
    monkeypatch.setattr(runtime, "network", lambda *_: net)
    quarters, labels = decoded(64, 64, grey=False)
    sizes = [
        np.abs(np.concatenate([c.ravel() for *_, c in runtime.corrections(quarters, labels, qp)])).mean()
        for qp in (20, 32, 44)
    ]
    assert sizes == sorted(sizes)


def test_an_untrained_network_changes_nothing(monkeypatch):
    monkeypatch.setattr(runtime, "network", lambda *_: Restorer(RestorerConfig(classes=5)).eval())
    quarters, labels = decoded(50, 50, grey=False)
    assert np.array_equal(runtime.restore(quarters, labels, 32, 1.0), np.rint(quarters / 4).astype(np.uint8))
