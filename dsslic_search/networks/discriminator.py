"""The multi-scale discriminator that trains FineNet's perceptual side (DSSLIC, section 2.3; pix2pixHD, Wang et al. 2018).

Two PatchGANs of the same shape judge the photo at full and at half size, each seeing the labels beside the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsslic_search.networks.compnet import LABEL_SCALE


@dataclass(frozen=True)
class DiscriminatorConfig:
    """``classes``: labels 0..classes-1; ``embedding``: numbers a label turns into; ``width`` of the first layer."""

    classes: int = 51
    embedding: int = 4
    width: int = 32
    scales: int = 2


class PatchJudge(nn.Module):
    """One scale: returns the features of every layer, the last being the score map (1 channel, 1 = real)."""

    def __init__(self, cin: int, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(cin, width, 4, 2, 1),
                nn.Conv2d(width, 2 * width, 4, 2, 1),
                nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
                nn.Conv2d(4 * width, 1, 3, 1, 1),
            ]
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        kept = []
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if 0 < i < len(self.layers) - 1:
                x = F.instance_norm(x)
            if i < len(self.layers) - 1:
                x = F.leaky_relu(x, 0.2)
            kept.append(x)
        return kept


class Discriminator(nn.Module):
    """photo float32 [N, 3, H, W] RGB 0..1 and labels int64 [N, H/4, W/4] → per scale, the list of layer outputs."""

    def __init__(self, config: DiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config or DiscriminatorConfig()
        c = self.config
        self.embed = nn.Embedding(c.classes, c.embedding)
        self.judges = nn.ModuleList(PatchJudge(3 + c.embedding, c.width) for _ in range(c.scales))

    def forward(self, photo: Tensor, labels: Tensor) -> list[list[Tensor]]:
        marks = F.interpolate(self.embed(labels).permute(0, 3, 1, 2), scale_factor=LABEL_SCALE)
        x = torch.cat([photo * 2 - 1, marks], 1)
        out = []
        for i, judge in enumerate(self.judges):
            out.append(judge(F.avg_pool2d(x, 2**i) if i else x))
        return out
