from __future__ import annotations

import torch
from torch import nn

from dsslic_search.networks.segnet import SegNet, SegNetConfig, fold


def test_folding_batch_norms_changes_nothing():
    torch.manual_seed(1)
    net = SegNet(SegNetConfig(classes=5, width=16), folded=False)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    net.eval()
    x = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        wanted, got = net(x), fold(net)(x)
    assert wanted.shape == (1, 5, 16, 24)
    assert wanted.std() > 0.01
    torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-4)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in fold(net).modules())


def test_size_is_within_the_promise():
    assert sum(p.numel() for p in SegNet().parameters()) < 10_000_000
