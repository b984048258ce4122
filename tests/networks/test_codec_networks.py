"""CompNet, FineNet and the discriminator: shapes, cost, what they start from, and that FineNet's margin is true."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from dsslic_search.networks.compnet import CompNet
from dsslic_search.networks.discriminator import Discriminator
from dsslic_search.networks.finenet import FineNet


def test_untrained_compnet_is_the_box_average():
    photo, labels = torch.rand(1, 3, 48, 64), torch.randint(0, 51, (1, 12, 16))
    torch.testing.assert_close(CompNet()(photo, labels), F.avg_pool2d(photo, 8))


def test_untrained_finenet_is_bicubic_and_costs_little():
    net = FineNet()
    compact, labels = torch.rand(1, 3, 6, 9), torch.randint(0, 51, (1, 12, 18))
    torch.testing.assert_close(net(compact, labels), F.interpolate(compact, scale_factor=8, mode="bicubic"))
    assert net.multiply_adds() <= 10_000


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


def test_discriminator_judges_at_two_scales_and_sees_labels():
    torch.manual_seed(3)
    judge = Discriminator()
    photo, labels = torch.rand(2, 3, 64, 64), torch.zeros(2, 16, 16, dtype=torch.int64)
    out = judge(photo, labels)
    assert [scale[-1].shape for scale in out] == [(2, 1, 8, 8), (2, 1, 4, 4)]
    assert not torch.allclose(out[0][-1], judge(photo, labels + 1)[0][-1])
