"""LPIPS: how different two pictures look (Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018), version 0.1 over
AlexNet.

::

    picture ─ scale ─ conv1 ─┬─ pool ─ conv2 ─┬─ pool ─ conv3 ─┬─ conv4 ─┬─ conv5 ─┐      (a ReLU after each)
                             └─ unit length ──┴── over the ────┴─────────┴─ channels ── features

    distance = sum over the five of: mean over the positions of:
               weighted sum over the channels of the squared difference of features

It measures and is never part of a .dsslic file.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MIN_SIDE = 31  # the second pooling has nothing to look at in a smaller picture
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of RGB in -1..1
_NO_LENGTH = 1e-10


@dataclass(frozen=True)
class LpipsConfig:
    """``version``: of the weights of the channels, by the numbers of the authors' own code."""

    version: str = "0.1"


class Lpips(nn.Module):
    """Two batches of pictures, float32 [N, 3, H, W] RGB 0..1 with sides of 31 or more → distances float32
    [N]; 0 for equal ones.

    :meth:`features` and :meth:`distance` are the two halves, for many comparisons with one picture.
    """

    def __init__(self, config: LpipsConfig | None = None) -> None:
        super().__init__()
        self.config = config or LpipsConfig()
        self.conv1 = nn.Conv2d(3, 64, 11, stride=4, padding=2)
        self.conv2 = nn.Conv2d(64, 192, 5, padding=2)
        self.conv3 = nn.Conv2d(192, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 256, 3, padding=1)
        self.conv5 = nn.Conv2d(256, 256, 3, padding=1)
        self.channels = nn.ModuleList(nn.Conv2d(n, 1, 1, bias=False) for n in (64, 192, 384, 256, 256))
        self.shift: Tensor
        self.scale: Tensor
        self.register_buffer("shift", torch.tensor(_SHIFT)[:, None, None], persistent=False)
        self.register_buffer("scale", torch.tensor(_SCALE)[:, None, None], persistent=False)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """Of five layers, [N, channels, h, w], each position of unit length."""
        x = (pictures * 2 - 1 - self.shift) / self.scale
        first = F.relu(self.conv1(x))
        second = F.relu(self.conv2(F.max_pool2d(first, 3, 2)))
        third = F.relu(self.conv3(F.max_pool2d(second, 3, 2)))
        fourth = F.relu(self.conv4(third))
        fifth = F.relu(self.conv5(fourth))
        return [
            x / (x.square().sum(1, keepdim=True).sqrt() + _NO_LENGTH)
            for x in (first, second, third, fourth, fifth)
        ]

    def distance(self, one: list[Tensor], other: list[Tensor]) -> Tensor:
        """Float32 [N], from the features of both."""
        parts = [
            weigh((a - b).square()).mean((1, 2, 3))
            for weigh, a, b in zip(self.channels, one, other, strict=True)
        ]
        return torch.stack(parts).sum(0)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        return self.distance(self.features(one), self.features(other))
