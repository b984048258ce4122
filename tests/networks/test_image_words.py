"""The network of the image words."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsslic_search.networks import runtime
from dsslic_search.networks.image_words import FEATURES, WORDS, ImageWordsConfig, ImageWordsNet
from dsslic_search.networks.segnet import MBCONV_STAGES


def convolved(x: Tensor, conv: nn.Conv2d, stride: int, act: bool) -> Tensor:
    """TensorFlow's "same" padding, said in PyTorch's own words."""
    kernel = conv.kernel_size[0]
    need = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[2:]]
    x = F.pad(x, (need[1] // 2, need[1] - need[1] // 2, need[0] // 2, need[0] - need[0] // 2))
    x = F.conv2d(x, conv.weight, conv.bias, stride, groups=conv.groups)
    return x.clamp(0, 6) if act else x


def slowly(net: ImageWordsNet, x: Tensor) -> Tensor:
    """EfficientNet-Lite0 (Tan & Le 2019) spelt out."""
    x = convolved(x * 255 / 128 - 127 / 128, net.stem.conv, 2, True)
    for stage, (expansion, cout, _, stride, _) in zip(net.stages, MBCONV_STAGES, strict=True):
        for number, block in enumerate(stage):
            convs = [layer.conv for layer in block.layers]
            assert len(convs) == (3 if expansion > 1 else 2)
            y = convolved(x, convs[0], 1, True) if expansion > 1 else x
            y = convolved(y, convs[-2], stride if number == 0 else 1, True)
            y = convolved(y, convs[-1], 1, False)
            x = x + y if number else y
        assert x.shape[1] == cout
    return convolved(x, net.head.conv, 1, True).mean((2, 3))


def test_the_shipped_network_is_efficientnet_lite0() -> None:
    net = runtime.network(runtime.IMAGE_WORDS)
    x = torch.rand((1, 3, 64, 64), generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        found, wanted = net.features(x), slowly(net, x)
    assert found.shape == (1, FEATURES)
    assert torch.allclose(found, wanted, atol=1e-4)


def test_scores_and_vectors_have_the_sizes_that_the_config_says() -> None:
    net = ImageWordsNet(ImageWordsConfig(embedding=32)).eval()
    with torch.inference_mode():
        scores, vector = net(torch.zeros(2, 3, 32, 32))
    assert scores.shape == (2, WORDS)
    assert vector.shape == (2, 32)


def test_probabilities_sum_to_one_and_vectors_are_bytes() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    probabilities, vector = runtime.image_words(pixels)
    assert probabilities.shape == (WORDS,)
    assert abs(float(probabilities.sum()) - 1) < 1e-4
    assert vector.dtype == np.int8
    assert vector.size == runtime.network(runtime.IMAGE_WORDS).config.embedding
