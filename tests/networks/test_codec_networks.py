"""CompNet, FineNet and the discriminator: shapes, cost, what they start from, and that FineNet's margin is
true."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dsslic_search.networks import grid, runtime
from dsslic_search.networks.compnet import CompNet, CompNetConfig
from dsslic_search.networks.discriminator import Discriminator, DiscriminatorConfig
from dsslic_search.networks.finenet import FineNet, FineNetConfig
from dsslic_search.networks.grid import SCALES


@pytest.mark.parametrize("scale", SCALES)
def test_untrained_compnet_is_the_box_average(scale: int):
    photo, labels = torch.rand(1, 3, 48, 64), torch.randint(0, 51, (1, 12, 16))
    torch.testing.assert_close(CompNet(CompNetConfig(scale=scale))(photo, labels), F.avg_pool2d(photo, scale))


@pytest.mark.parametrize("scale", SCALES)
def test_untrained_finenet_is_bicubic_and_costs_little(scale: int):
    net = FineNet(FineNetConfig(scale=scale))
    compact, labels = torch.rand(1, 3, 48 // scale, 72 // scale), torch.randint(0, 51, (1, 12, 18))
    torch.testing.assert_close(
        net(compact, labels), F.interpolate(compact, scale_factor=scale, mode="bicubic")
    )
    assert net.multiply_adds() <= 11_000
    assert FineNet().multiply_adds() <= 10_000


def test_nothing_beyond_the_margin_changes_a_pixel():
    torch.manual_seed(2)
    net = FineNet()
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.1)
    compact, labels = torch.rand(1, 3, 40, 40), torch.randint(0, 51, (1, 80, 80))
    changed = compact.clone()
    changed[..., 20 + net.margin + 3 :] = 0
    with torch.inference_mode():
        a, b = net(compact, labels), net(changed, labels)
    assert torch.equal(a[..., : 20 * 8], b[..., : 20 * 8])
    assert not torch.equal(a, b)


def test_noise_makes_places_differ_and_tiles_agree(monkeypatch):
    torch.manual_seed(4)
    net = FineNet(FineNetConfig(noise=2)).eval()
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.1)
    monkeypatch.setattr(runtime, "network", lambda name, wanted=None: net)
    compact, labels = np.full((64, 40, 3), 120, np.uint8), np.zeros((128, 80), np.int64)
    compact[46:, :20] = 60
    monkeypatch.setattr(grid, "TILE", 32)
    tiled = runtime.make_coarse(compact, labels, 512, 320)
    monkeypatch.setattr(grid, "TILE", 64)
    whole = runtime.make_coarse(compact, labels, 512, 320)
    assert np.abs(tiled.astype(int) - whole).max() <= 1
    cells = whole[:256, :256].reshape(32, 8, 32, 8, 3).transpose(0, 2, 1, 3, 4).reshape(32 * 32, -1)
    assert len(np.unique(cells[:16], axis=0)) > 8


def test_discriminator_judges_at_two_scales_and_sees_labels():
    torch.manual_seed(3)
    judge = Discriminator(DiscriminatorConfig(channels=(6, 9)))
    for scale in judge.judges:
        torch.nn.init.normal_(scale.layers[-1].weight)
    features, labels = (
        [torch.rand(2, 6, 32, 32), torch.rand(2, 9, 16, 16)],
        torch.zeros(2, 16, 16, dtype=torch.int64),
    )
    out = judge(features, labels)
    assert [scale[-1].shape for scale in out] == [(2, 1, 16, 16), (2, 1, 8, 8)]
    assert not torch.allclose(out[0][-1], judge(features, labels + 1)[0][-1])


def test_an_untrained_discriminator_is_undecided():
    out = Discriminator()(
        [torch.rand(1, 128, 8, 8), torch.rand(1, 256, 4, 4)], torch.zeros(1, 4, 4, dtype=torch.int64)
    )
    assert all((scale[-1] == 0.5).all() for scale in out)
