from __future__ import annotations

from dataclasses import asdict, make_dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import WeightsError
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.segmenter import open_segmenter
from dsslic_search.networks.segnet import ConvNorm, SegNet, SegNetConfig
from dsslic_search.networks.segnets import fold, made


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("size", [(20, 14), (21, 14), (20, 15)])
def test_strides_are_padded_as_tensorflow_does(kernel: int, size: tuple[int, int]):
    torch.manual_seed(2)
    layer = ConvNorm(8, 8, kernel, stride=2, groups=8).eval()
    x = torch.randn(1, 8, *size).contiguous(memory_format=torch.channels_last)
    pads = [kernel - 2 + side % 2 for side in size]
    around = (pads[1] // 2, pads[1] - pads[1] // 2, pads[0] // 2, pads[0] - pads[0] // 2)
    with torch.inference_mode():
        wanted = F.relu6(F.conv2d(F.pad(x, around), layer.conv.weight, layer.conv.bias, 2, 0, 1, 8))
        assert torch.equal(layer(x), wanted)


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


@pytest.mark.parametrize(
    "told",
    [
        {"temperature": 0.0},
        {"temperature": float("inf")},
        {"temperature": "warm"},
        {"temperature": 1e-45},
        {"temperature": 10**400},
        {"quick": -1.0},
        {"quick": 1e-320},
        {"area": float("nan")},
        {"area": float("inf")},
        {"area": 10**12},
        {"area": "448"},
        {"vote": "no"},
        {"of_class": 2.0},
        {"of_pixel": -0.5},
        {"spared": [-1]},
        {"spared": [5]},
        {"spared": [1.0]},
        {"spared": "pole"},
        {"spared": 3},
    ],
    ids=lambda told: str(told)[:30],
)
def test_weight_files_whose_settings_cannot_be_are_refused(tmp_path: Path, told: dict[str, Any]):
    """In one sentence, before anything is looked at with them."""
    config = SegNetConfig(classes=5, width=16)
    fields = asdict(config) | told
    path = tmp_path / "segnet.safetensors"
    weights.save(path, made(config), "segnet", make_dataclass("Told", fields)(**fields))
    with pytest.raises(WeightsError, match="name another file, or make it anew"):
        runtime.load("segnet", path)
    fields |= {name: asdict(config)[name] for name in told}
    weights.save(path, made(config), "segnet", make_dataclass("Told", fields)(**fields))
    assert runtime.load("segnet", path).config == config


@pytest.mark.parametrize("listed", [2, 3])
def test_a_class_list_shorter_than_what_the_network_tells_apart_is_refused(tmp_path: Path, listed: int):
    """Label maps would have ids that no class has."""
    mine = Vocabulary("mine", vocabulary.built_in().classes[:listed], ())
    config = SegNetConfig(classes=3, width=16, vocabulary=vocabulary.written(mine))
    path = tmp_path / "mine.safetensors"
    weights.save(path, made(config), "segnet", config)
    if listed == 3:
        assert open_segmenter(str(path)).dialect.vocabulary == mine
    else:
        with pytest.raises(WeightsError, match="it names 2 classes, and the network tells 3 apart"):
            open_segmenter(str(path))
