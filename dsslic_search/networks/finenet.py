"""FineNet: labels and the decoded compact image → the coarse image (DSSLIC, section 2.2).

::

    labels (1/4) ─ embedding ─ space-to-depth 2 ─┐
    compact (1/8) ───────────────────────────────┴─ conv ─ residual blocks ─ conv ─ shuffle 8 ┐
    compact ─ bicubic ×8 ─────────────────────────────────────────────────────────────────────┴ + ─ coarse

A compact image at one of the larger scales that were tried beside 1/8 is first turned space-to-depth to 1/8.
Everything but the shuffle runs there: under 10 000 multiply-adds a photo pixel
(:meth:`FineNet.multiply_adds`), where the published network needs over a million. No layer looks further than
:attr:`FineNet.margin` compact pixels and none normalises over the picture, so a photo can be made in tiles
without seams.

The parts: residual blocks (He et al. 2016) without normalisation, as super-resolution found best (EDSR, Lim
et al. 2017); the way up by rearranging channels, at the end only (pixel-shuffle: ESPCN, Shi et al. 2016); and
the bicubic enlargement that all of this corrects (VDSR, Kim et al. 2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsslic_search.networks.compnet import centre, initialise
from dsslic_search.networks.grid import LABEL_SCALE, SCALE

INNER_SCALE = 8  # photo pixels per place inside, each way
BICUBIC_REACH = 2  # compact pixels that the enlargement looks at beside a tile, on top of the margin
# places after which the noise repeats; the tiles that a photo is made in begin at multiples of it
NOISE_PERIOD = 16
MAX_NOISE = 64  # channels


@dataclass(frozen=True)
class FineNetConfig:
    """``classes``: labels 0..classes-1; ``embedding``: numbers a label turns into; ``width`` channels,
    ``blocks`` deep; ``scale``: of CompNet's; ``noise``: channels of noise that texture can be made of (a flat
    compact image has nothing in it that tells one place from the next)."""

    classes: int = 51
    embedding: int = 8
    width: int = 80
    blocks: int = 4
    scale: int = SCALE
    noise: int = 0


class Block(nn.Module):
    """Two 3×3 convolutions around a skip (He et al. 2016), without normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x)))


class FineNet(nn.Module):
    """compact float32 [N, 3, H/scale, W/scale] RGB 0..1 and labels int64 [N, H/4, W/4] → coarse float32 [N,
    3, H, W], not clamped; H and W multiples of 8."""

    def __init__(self, config: FineNetConfig | None = None) -> None:
        super().__init__()
        self.config = config or FineNetConfig()
        c = self.config
        self.embed = nn.Embedding(c.classes, c.embedding)
        per_cell = (
            3 * (INNER_SCALE // c.scale) ** 2 + c.embedding * (INNER_SCALE // LABEL_SCALE) ** 2 + c.noise
        )
        self.stem = nn.Conv2d(per_cell, c.width, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(c.width) for _ in range(c.blocks)))
        self.head = nn.Conv2d(c.width, 3 * INNER_SCALE**2, 3, padding=1)
        if c.noise > MAX_NOISE:
            raise ValueError(f"{c.noise} channels of noise are more than {MAX_NOISE}")
        if c.noise:
            seeded = torch.Generator().manual_seed(0)
            drawn = torch.randn(1, c.noise, NOISE_PERIOD, NOISE_PERIOD, generator=seeded, device="cpu")
            self.register_buffer("noise", drawn)
        initialise(self, self.head)
        for block in self.blocks:
            assert isinstance(block, Block)
            block.conv2.weight.data.mul_(0.3)  # so that the skip leads at first

    @property
    def margin(self) -> int:
        """Compact pixels around a tile to look at: those that can change what is inside it, or with noise so
        many more that a tile begins where the noise does."""
        reach = 2 + 2 * self.config.blocks
        if self.config.noise:
            reach += -(reach + BICUBIC_REACH) % NOISE_PERIOD
        return reach * INNER_SCALE // self.config.scale

    def multiply_adds(self) -> float:
        """Multiply-adds per photo pixel."""
        weights = [m.weight.numel() for m in self.modules() if isinstance(m, nn.Conv2d)]
        return sum(weights) / INNER_SCALE**2

    def forward(self, compact: Tensor, labels: Tensor) -> Tensor:
        scale = self.config.scale
        marks = F.pixel_unshuffle(self.embed(labels).permute(0, 3, 1, 2), INNER_SCALE // LABEL_SCALE)
        seen = F.pixel_unshuffle(centre(compact), INNER_SCALE // scale)
        given = [seen, marks]
        if self.config.noise:
            n, _, rows, columns = seen.shape
            noise = self.get_buffer("noise").repeat(
                n, 1, -(-rows // NOISE_PERIOD), -(-columns // NOISE_PERIOD)
            )
            given.append(noise[..., :rows, :columns].to(seen.dtype))
        x = self.blocks(F.relu(self.stem(torch.cat(given, 1))))
        fine = F.pixel_shuffle(self.head(x), INNER_SCALE)
        return F.interpolate(compact, scale_factor=scale, mode="bicubic", align_corners=False) + fine
