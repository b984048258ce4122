"""The networks of the paper's size: shapes, how many numbers they learn, and what a pixel costs."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from dsslic_search.networks.finenet import FineNet
from dsslic_search.networks.published import (
    PublishedCompNet,
    PublishedConfig,
    PublishedDiscriminator,
    PublishedFineNet,
    multiply_adds,
    one_hot,
    parameters,
)

ADE20K = 151  # 150 classes and none


def convolution(side: int, cin: int, out: int) -> int:
    return side * side * cin * out + out


@pytest.mark.parametrize("classes", [51, ADE20K])
def test_learnt_numbers_are_those_of_the_papers_layers(classes: int) -> None:
    config = PublishedConfig(classes)
    with torch.device("meta"):
        nets = PublishedCompNet(config), PublishedFineNet(config), PublishedDiscriminator(config)
    down = convolution(7, classes + 3, 64) + sum(convolution(3, n, 2 * n) for n in (64, 128, 256))
    blocks = 9 * 2 * convolution(3, 512, 512)
    up = sum(convolution(3, n, n // 2) for n in (512, 256, 128)) + convolution(7, 64, 3)
    widths = (classes + 3, 64, 128, 256, 512, 1)
    judge = sum(convolution(4, a, b) for a, b in pairwise(widths))
    wanted = down + convolution(7, 512, 3), down + blocks + up, 2 * judge
    assert tuple(map(parameters, nets)) == wanted
    if classes == ADE20K:
        assert wanted == (2_107_459, 46_066_883, 5_838_722)


def test_what_a_pixel_costs_on_the_meta_device() -> None:
    config, side = PublishedConfig(ADE20K), 256
    with torch.device("meta"):
        marks, photo = torch.empty(1, ADE20K, side, side), torch.empty(1, 3, side, side)
        compact = torch.empty(1, 3, side // 8, side // 8)
        of_finenet = multiply_adds(PublishedFineNet(config), marks, compact) / side**2
        of_compnet = multiply_adds(PublishedCompNet(config), marks, photo) / side**2
    assert of_finenet == 1_266_496  # 1.27 million
    assert of_compnet == 539_416
    assert of_finenet > 100 * FineNet().multiply_adds()


def test_shapes_and_ranges_of_narrow_ones() -> None:
    torch.manual_seed(1)
    config = PublishedConfig(classes=5, width=4, blocks=2, judge_width=4)
    marks = one_hot(torch.randint(0, 5, (2, 40, 64)), 5)
    assert marks.shape == (2, 5, 40, 64)
    assert torch.equal(marks.sum(1), torch.ones(2, 40, 64))
    compact = PublishedCompNet(config)(marks, torch.rand(2, 3, 40, 64) * 2 - 1)
    assert compact.shape == (2, 3, 5, 8)
    assert compact.abs().max() <= 1
    finenet = PublishedFineNet(config)
    coarse = finenet(marks, compact)
    assert coarse.shape == (2, 3, 40, 64)
    assert (coarse - finenet.enlarged(compact)).abs().max() <= 1
    judged = PublishedDiscriminator(config)(marks, coarse)
    assert [[layer.shape[1] for layer in scale] for scale in judged] == [[4, 8, 16, 32, 1]] * 2
    assert judged[0][0].shape[-2:] == (21, 33)
    assert judged[1][0].shape[-2:] == (11, 17)  # the second looks at half the size


def test_labels_change_what_is_made_and_what_is_judged() -> None:
    torch.manual_seed(2)
    config = PublishedConfig(classes=3, width=4, blocks=1, judge_width=4)
    one, other = (one_hot(torch.full((1, 32, 32), n), 3) for n in (0, 2))
    other[..., 16:] = one[..., 16:]  # a whole picture of one label is taken out by the normalisation
    photo, compact = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 4, 4)
    for net, seen in (
        (PublishedCompNet(config), photo),
        (PublishedFineNet(config), compact),
        (lambda marks, x: PublishedDiscriminator(config)(marks, x)[0][-1], photo),
    ):
        torch.manual_seed(3)
        first = net(one, seen)
        torch.manual_seed(3)
        assert not torch.equal(first, net(other, seen))
