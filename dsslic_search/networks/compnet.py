"""CompNet: photo and labels → the compact image, an eighth of each side (DSSLIC, section 2.2).

::

    photo ─ space-to-depth 4 ─┐
    labels (1/4) ─ embedding ─┴─ conv ─ conv /2 ─ conv ─ conv ─┐
    photo ─ box average 8 ─────────────────────────────────────┴─ + ─ compact

At the larger scales that were tried beside it nothing is halved on the way, and at 1/2 the last layer ends in
a pixel-shuffle.

The published network multiplies one-hot labels at full size; here labels are looked up (an embedding) at 1/4
and the convolutions start at 1/4, for about a hundredth of the cost. The last layer starts at zero: an
untrained CompNet is the box average. Space-to-depth is the pixel-shuffle of ESPCN (Shi et al. 2016) the other
way round: pixels become channels and nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsslic_search.networks.grid import LABEL_SCALE, SCALE


def centre(picture: Tensor) -> Tensor:
    """RGB 0..1 → about -2..2: as strong as the labels beside it, which otherwise drown it and stop the
    training."""
    return (picture - 0.5) * 4


def initialise(net: nn.Module, last: nn.Conv2d) -> None:
    """Kaiming weights, faint label embeddings, and zeros in the ``last`` layer: training starts from the
    plain resampling."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # all of them have one
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.1)
    nn.init.zeros_(last.weight)


@dataclass(frozen=True)
class CompNetConfig:
    """``classes``: labels 0..classes-1; ``embedding``: numbers a label turns into; ``width``: channels
    inside; ``scale``: of SCALES."""

    classes: int = 51
    embedding: int = 8
    width: int = 48
    scale: int = SCALE


class CompNet(nn.Module):
    """photo float32 [N, 3, H, W] RGB 0..1, sides multiples of 8, and labels int64 [N, H/4, W/4] → compact
    float32 [N, 3, H/scale, W/scale] in 0..1."""

    def __init__(self, config: CompNetConfig | None = None) -> None:
        super().__init__()
        self.config = config or CompNetConfig()
        c = self.config
        self.embed = nn.Embedding(c.classes, c.embedding)
        self.conv1 = nn.Conv2d(3 * LABEL_SCALE**2 + c.embedding, c.width, 3, padding=1)
        self.conv2 = nn.Conv2d(c.width, c.width, 3, stride=max(1, c.scale // LABEL_SCALE), padding=1)
        self.conv3 = nn.Conv2d(c.width, c.width, 3, padding=1)
        self.finer = max(1, LABEL_SCALE // c.scale)
        self.conv4 = nn.Conv2d(c.width, 3 * self.finer**2, 3, padding=1)
        initialise(self, self.conv4)

    def forward(self, photo: Tensor, labels: Tensor) -> Tensor:
        x = torch.cat(
            [F.pixel_unshuffle(centre(photo), LABEL_SCALE), self.embed(labels).permute(0, 3, 1, 2)], 1
        )
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.relu(self.conv3(x))
        return (F.avg_pool2d(photo, self.config.scale) + F.pixel_shuffle(self.conv4(x), self.finer)).clamp(
            0, 1
        )
