"""The restoration network: a decoded photo, its labels and its quantiser → the photo with coding artefacts
taken back.

::

    decoded ─ to-depth 2 ─ conv ─ block ┬──────────────────────────── + ─ block ─ conv ─ shuffle 2 ┐
                                        └ to-depth 2 ─ conv ─ + ─ blocks ─ conv ─ shuffle 2 ┘      │
    labels (1/4) ─ embedding ─────────────────────────────────┘                                    × step
    decoded ────────────────────────────────────────────────────────────────────────────────────── + ─ result

The inner convolutions are 1×1; to-depth and shuffle are space-to-depth and pixel-shuffle by 2.

The network sees the photo's detail in units of the quantiser's step, softly limited, beside the photo itself,
and its correction is in those units too: then what coding did looks alike at every quality. The QP also
shifts and scales the features at both resolutions. No layer looks further than :attr:`Restorer.margin` pixels
and none normalises over the picture, so a photo can be made in tiles without seams. The last layer starts at
zero: an untrained network changes nothing.

Its ancestors: a network that predicts the error instead of the picture (DnCNN, Zhang et al. 2017); working on
pixels rearranged by 2 and being told how much noise there is (FFDNet, Zhang et al. 2018; here the QP, which
scales and shifts features as in FiLM, Perez et al. 2018); a coarser scale inside a finer one with a skip
around it (U-Net, Ronneberger et al. 2015); residual blocks without normalisation (EDSR, Lim et al. 2017). The
in-loop CNN filters studied for HEVC and VVC do the same work and are told the QP too; this one is behind the
loop.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsslic_search.networks.compnet import centre, initialise
from dsslic_search.networks.finenet import Block
from dsslic_search.networks.grid import LABEL_SCALE

MIDDLE_QP = 32.0
MIDDLE_STEP = 25.4  # of HEVC's quantiser at that QP, grey levels
DETAIL_WINDOW = 9  # pixels a side; a pixel's detail is what it has more than the mean of those around it


@dataclass(frozen=True)
class RestorerConfig:
    """``classes``: labels 0..classes-1; ``width`` channels at 1/2, ``deep`` channels at 1/4, where ``blocks``
    blocks are."""

    classes: int = 51
    width: int = 32
    deep: int = 64
    blocks: int = 3


class Restorer(nn.Module):
    """decoded float32 [N, 3, 4h, 4w] RGB 0..1, labels int64 [N, h, w], QP float32 [N] → restored float32 [N,
    3, 4h, 4w], not clamped."""

    def __init__(self, config: RestorerConfig | None = None) -> None:
        super().__init__()
        self.config = config or RestorerConfig()
        c = self.config
        self.stem = nn.Conv2d(24, c.width, 3, padding=1)
        self.before = Block(c.width)
        self.down = nn.Conv2d(4 * c.width, c.deep, 1)
        self.embed = nn.Embedding(c.classes, c.deep)
        self.blocks = nn.Sequential(*(Block(c.deep) for _ in range(c.blocks)))
        self.up = nn.Conv2d(c.deep, 4 * c.width, 1)
        self.after = Block(c.width)
        self.head = nn.Conv2d(c.width, 12, 3, padding=1)
        self.tune_fine = nn.Linear(3, 2 * c.width)
        self.tune_deep = nn.Linear(3, 2 * c.deep)
        initialise(self, self.head)
        for block in (self.before, *self.blocks, self.after):
            assert isinstance(block, Block)
            block.conv2.weight.data.mul_(0.3)  # so that the skip leads at first
        for tune in (self.tune_fine, self.tune_deep):
            nn.init.normal_(tune.weight, std=0.05)
            nn.init.zeros_(tune.bias)

    @property
    def margin(self) -> int:
        """Pixels around a tile that can change what is inside it; a multiple of 8."""
        reach = DETAIL_WINDOW // 2 + 2 * (1 + 2 + 2 + 1) + LABEL_SCALE * 2 * self.config.blocks + LABEL_SCALE
        return -(-reach // 8) * 8

    def multiply_adds(self) -> float:
        """Multiply-adds per photo pixel."""
        deep = _weights(self.down, self.up, self.blocks)
        return (_weights(self) - deep) / 4 + deep / 16

    def forward(self, decoded: Tensor, labels: Tensor, qp: Tensor) -> Tensor:
        return decoded + self.correction(decoded, labels, qp)

    def correction(self, decoded: Tensor, labels: Tensor, qp: Tensor) -> Tensor:
        """What to add to ``decoded``."""
        t = (qp[:, None] - MIDDLE_QP) / 10
        at = torch.cat([t, t * t, torch.sigmoid(4 * t)], 1)
        step = torch.exp2((qp - MIDDLE_QP) / 6)[:, None, None, None] * (MIDDLE_STEP / 255)
        around = F.avg_pool2d(
            decoded, (DETAIL_WINDOW, 1), 1, (DETAIL_WINDOW // 2, 0), count_include_pad=False
        )
        around = F.avg_pool2d(around, (1, DETAIL_WINDOW), 1, (0, DETAIL_WINDOW // 2), count_include_pad=False)
        detail = (decoded - around) * (4 / step)
        detail = detail / (1 + detail.abs() / 8)
        fine = _tuned(
            F.relu(self.stem(F.pixel_unshuffle(torch.cat([detail, centre(decoded)], 1), 2))),
            self.tune_fine(at),
        )
        fine = self.before(fine)
        deep = self.down(F.pixel_unshuffle(fine, 2)) + self.embed(labels).permute(0, 3, 1, 2)
        deep = self.blocks(_tuned(deep, self.tune_deep(at)))
        fine = self.after(fine + F.pixel_shuffle(self.up(deep), 2))
        return F.pixel_shuffle(self.head(fine), 2) * (step / 4)


def _weights(*modules: nn.Module) -> int:
    return sum(m.weight.numel() for module in modules for m in module.modules() if isinstance(m, nn.Conv2d))


def _tuned(x: Tensor, how: Tensor) -> Tensor:
    """``how`` [N, 2C]: per channel, how much more and what to add."""
    more, plus = how[:, :, None, None].chunk(2, 1)
    return x * (1 + more) + plus
