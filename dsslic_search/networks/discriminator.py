"""The two-scale discriminator that trains FineNet's perceptual side (DSSLIC, section 2.3).

Where the paper's judges learn to see from nothing (pix2pixHD, Wang et al. 2018), these are shown what a
trained network sees of the picture, at a half and at a quarter of its size (Projected GANs, Sauer et al.
2021): they tell made from real after tens of steps instead of thousands. Both see the labels too.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# the features come with unit length; this makes a channel of them about as large as a weight expects
CONTRAST = 8.0


@dataclass(frozen=True)
class DiscriminatorConfig:
    """``classes``: labels 0..classes-1; ``embedding``: numbers a label turns into; ``channels``: of the
    features at each scale; ``width`` inside."""

    classes: int = 51
    embedding: int = 4
    channels: tuple[int, ...] = (128, 256)
    width: int = 64


class PatchJudge(nn.Module):
    """One scale: returns what every layer makes of the features, the last being the score map (1 channel, 1 =
    real)."""

    def __init__(self, cin: int, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Conv2d(cin, width, 3, 1, 1), nn.Conv2d(width, width, 4, 2, 1), nn.Conv2d(width, 1, 1)]
        )
        *inner, last = self.layers
        for layer in inner:
            assert isinstance(layer, nn.Conv2d)
            nn.init.kaiming_normal_(layer.weight, a=0.2)
        assert isinstance(last, nn.Conv2d)
        nn.init.zeros_(last.weight)  # it starts undecided
        nn.init.constant_(last.bias, 0.5)  # type: ignore[arg-type]  # it has one

    def forward(self, x: Tensor) -> list[Tensor]:
        kept: list[Tensor] = []
        for layer in self.layers:
            x = layer(F.leaky_relu(x, 0.2) if kept else x)
            kept.append(x)
        return kept


class Discriminator(nn.Module):
    """Features of a picture, [N, channels, h, w] a scale, each position of unit length, and labels int64 [N,
    H/4, W/4] → per scale, the list of layer outputs."""

    def __init__(self, config: DiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config or DiscriminatorConfig()
        c = self.config
        self.embed = nn.Embedding(c.classes, c.embedding)
        self.judges = nn.ModuleList(PatchJudge(n + c.embedding, c.width) for n in c.channels)

    def forward(self, features: list[Tensor], labels: Tensor) -> list[list[Tensor]]:
        marks = self.embed(labels).permute(0, 3, 1, 2)
        out = []
        for judge, seen in zip(self.judges, features, strict=True):
            out.append(
                judge(torch.cat([seen * CONTRAST, F.interpolate(marks, seen.shape[-2:]).to(seen.dtype)], 1))
            )
        return out
