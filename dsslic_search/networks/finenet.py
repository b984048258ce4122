"""FineNet: labels and the decoded compact image → the coarse image (DSSLIC, section 2.2).

::

    labels (1/4) ─ embedding ─ space-to-depth 2 ─┐
    compact (1/8) ───────────────────────────────┴─ conv ─ residual blocks ─ conv ─ pixel-shuffle 8 ─┐
    compact ─ bicubic ×8 ────────────────────────────────────────────────────────────────────────────┴─ + ─ coarse

Everything but the shuffle runs at 1/8: under 10 000 multiply-adds a photo pixel (:meth:`FineNet.multiply_adds`), where
the published network needs over a million. No layer looks further than :attr:`FineNet.margin` compact pixels and none
normalises over the picture, so a photo can be made in tiles without seams.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsslic_search.networks.compnet import LABEL_SCALE, SCALE, centre, initialise


@dataclass(frozen=True)
class FineNetConfig:
    """``classes``: labels 0..classes-1; ``embedding``: numbers a label turns into; ``width`` channels, ``blocks`` deep."""

    classes: int = 51
    embedding: int = 8
    width: int = 80
    blocks: int = 4


class Block(nn.Module):
    """Two 3×3 convolutions around a skip (He et al. 2016), without normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x)))


class FineNet(nn.Module):
    """compact float32 [N, 3, h, w] RGB 0..1 and labels int64 [N, 2h, 2w] → coarse float32 [N, 3, 8h, 8w], not clamped."""

    def __init__(self, config: FineNetConfig | None = None) -> None:
        super().__init__()
        self.config = config or FineNetConfig()
        c = self.config
        self.embed = nn.Embedding(c.classes, c.embedding)
        per_cell = c.embedding * (SCALE // LABEL_SCALE) ** 2
        self.stem = nn.Conv2d(3 + per_cell, c.width, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(c.width) for _ in range(c.blocks)))
        self.head = nn.Conv2d(c.width, 3 * SCALE**2, 3, padding=1)
        initialise(self, self.head)
        for block in self.blocks:
            assert isinstance(block, Block)
            block.conv2.weight.data.mul_(0.3)  # so that the skip leads at first

    @property
    def margin(self) -> int:
        """Compact pixels around a tile that can change what is inside it."""
        return 2 + 2 * self.config.blocks

    def multiply_adds(self) -> float:
        """Multiply-adds per photo pixel."""
        weights = [m.weight.numel() for m in self.modules() if isinstance(m, nn.Conv2d)]
        return sum(weights) / SCALE**2

    def forward(self, compact: Tensor, labels: Tensor) -> Tensor:
        marks = F.pixel_unshuffle(self.embed(labels).permute(0, 3, 1, 2), SCALE // LABEL_SCALE)
        x = self.blocks(F.relu(self.stem(torch.cat([centre(compact), marks], 1))))
        fine = F.pixel_shuffle(self.head(x), SCALE)
        return F.interpolate(compact, scale_factor=SCALE, mode="bicubic", align_corners=False) + fine
