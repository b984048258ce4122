from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dsslic_search.core.errors import WeightsError
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.mosaic import POOLS, Conv, Mosaic, MosaicSegNet, enlarged
from dsslic_search.networks.segnet import SegNet, SegNetConfig
from dsslic_search.networks.segnets import fold, made

SMALL = SegNetConfig(classes=5, width=16, encoder="mosaic")


@pytest.mark.parametrize(
    ("times", "shape", "cut"), [(2, (3, 4), (6, 8)), (4, (2, 3), (7, 9)), (8, (1, 1), (6, 2))]
)
def test_the_first_pixels_lie_on_each_other(times: int, shape: tuple[int, int], cut: tuple[int, int]):
    torch.manual_seed(3)
    x = torch.rand(1, 2, *shape)
    wanted = torch.zeros(1, 2, *cut)
    for row in range(cut[0]):
        for column in range(cut[1]):
            (y, fy), (z, fz) = divmod(row, times), divmod(column, times)
            under, right = min(y + 1, shape[0] - 1), min(z + 1, shape[1] - 1)
            upper = x[..., y, z] * (times - fz) + x[..., y, right] * fz
            lower = x[..., under, z] * (times - fz) + x[..., under, right] * fz
            wanted[..., row, column] = (upper * (times - fy) + lower * fy) / times**2
    torch.testing.assert_close(enlarged(x, times, *cut), wanted)


@pytest.mark.parametrize(("kernel", "dilation", "stride"), [(3, 1, 1), (5, 2, 1), (5, 1, 2), (3, 1, 2)])
@pytest.mark.parametrize("side", [12, 13])
def test_sides_are_padded_as_tensorflow_does(kernel: int, dilation: int, stride: int, side: int):
    torch.manual_seed(4)
    layer = Conv(2, 3, kernel, stride, dilation=dilation)
    x = torch.randn(1, 2, side, side)
    reach = dilation * (kernel - 1) + 1
    begin = max((-(-side // stride) - 1) * stride + reach - side, 0) // 2
    out = layer(x)
    assert out.shape[2:] == (-(-side // stride),) * 2
    for row, column in ((0, 0), (out.shape[2] - 1, 1), (2, out.shape[3] - 1)):
        total = layer.conv.bias.clone()
        for i in range(kernel):
            for j in range(kernel):
                y, z = row * stride - begin + i * dilation, column * stride - begin + j * dilation
                if 0 <= y < side and 0 <= z < side:
                    total += layer.conv.weight[:, :, i, j] @ x[0, :, y, z]
        torch.testing.assert_close(out[0, :, row, column], total.relu())


def test_its_context_is_whole_where_pools_do_not_divide_a_side():
    torch.manual_seed(5)
    net = Mosaic().eval()
    with torch.inference_mode():
        scores, (fine, middle, coarse) = net(torch.rand(1, 3, 96, 160))
    assert coarse.shape == (1, 448 + 128 * len(POOLS), 6, 10)
    assert scores.shape[2:] == fine.shape[2:] == (24, 40)
    assert middle.shape == (1, 192, 12, 20)
    assert (scores >= 0).all()


def test_folding_its_batch_norms_changes_nothing():
    torch.manual_seed(1)
    net = made(SMALL, folded=False)
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


def test_weights_tell_of_which_architecture_they_are(tmp_path: Path):
    torch.manual_seed(6)
    for config in (SMALL, SegNetConfig(classes=5, width=16)):
        path = tmp_path / f"{config.encoder}.safetensors"
        net = made(config).eval()
        weights.save(path, net, "segnet", config)
        loaded = runtime.load("segnet", path)
        assert isinstance(loaded, MosaicSegNet if config is SMALL else SegNet)
        assert loaded.config == config
        x = torch.rand(1, 3, 64, 64)
        with torch.inference_mode():
            np.testing.assert_allclose(loaded(x), net.half().float()(x), atol=1e-3)
    for encoder in ("resnet", ["mosaic"], 3, None):
        weights.save(path, net, "segnet", SegNetConfig(classes=5, width=16, encoder=encoder))
        with pytest.raises(WeightsError, match="its tensors are not those of the network that it tells of"):
            runtime.load("segnet", path)
