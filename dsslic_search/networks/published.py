"""CompNet, FineNet and the discriminator at the size of the paper (DSSLIC, sections 2.2 and 2.3).

::

    one-hot labels ─┬─ conv 7 ─ three convs /2 ─ conv 7 ─ tanh ───────────────────────────────► compact
    photo ──────────┘   64       128, 256, 512     3
    one-hot labels ─┬─ conv 7 ─ three convs /2 ─ residual blocks ─ three convs ×2 ─ conv 7 ─ tanh ┐
    compact ×8 ─────┤   64       128, 256, 512     9 of 512          256, 128, 64     3           + ─ coarse
                    └──────────────────────────────────────────────────────────────────────────────┘

Where these are trained and what for: :mod:`dsslic_search.training.published`. No file depends on them: what
runs here are :mod:`dsslic_search.networks.finenet` and the box average, at a hundredth of the cost. The
shapes follow Johnson et al. 2016 and pix2pixHD (Wang et al. 2018), on which the paper builds: reflected
borders, instance normalisation without weights, ReLU. Pictures are RGB in −1..1 here, as tanh gives them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INITIAL_SPREAD = 0.02  # of the first weights, as in DCGAN (Radford et al. 2016)
MIN_SIDE = 32  # pixels: the last convolutions reflect three places of an eighth of it


@dataclass(frozen=True)
class PublishedConfig:
    """``classes``: labels 0..classes-1 (the paper's ADE20K networks have 151); ``width``: channels of the
    first layer, doubled by each of the ``halvings``; ``blocks``: residual blocks of FineNet; ``judge_width``:
    channels of the discriminator's first layer; ``judges``: at how many scales it looks."""

    classes: int = 51
    width: int = 64
    halvings: int = 3
    blocks: int = 9
    judge_width: int = 64
    judges: int = 2

    @property
    def scale(self) -> int:
        """Photo pixels per compact pixel, each way."""
        return int(2**self.halvings)


def _initialise(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=INITIAL_SPREAD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _normal(layer: nn.Module, channels: int) -> list[nn.Module]:
    return [layer, nn.InstanceNorm2d(channels), nn.ReLU(inplace=True)]


def _wide(cin: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(cin, out, 7, padding=3, padding_mode="reflect")


def _way_down(c: PublishedConfig) -> list[nn.Module]:
    layers = _normal(_wide(c.classes + 3, c.width), c.width)
    for step in range(c.halvings):
        cin = c.width << step
        layers += _normal(nn.Conv2d(cin, 2 * cin, 3, stride=2, padding=1), 2 * cin)
    return layers


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """int64 [N, H, W] → float32 [N, classes, H, W]."""
    return F.one_hot(labels, classes).permute(0, 3, 1, 2).to(torch.float32)


class PublishedCompNet(nn.Module):
    """one-hot labels float32 [N, classes, H, W] and photo [N, 3, H, W], sides multiples of the scale and of
    32 or more → compact [N, 3, H/scale, W/scale]."""

    def __init__(self, config: PublishedConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or PublishedConfig()
        self.layers = nn.Sequential(*_way_down(c), _wide(c.width << c.halvings, 3), nn.Tanh())
        _initialise(self)

    def forward(self, marks: Tensor, photo: Tensor) -> Tensor:
        made: Tensor = self.layers(torch.cat([marks, photo], 1))
        return made


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with instance normalisation around a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = (nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect") for _ in range(2))
        self.layers = nn.Sequential(*_normal(first, width), second, nn.InstanceNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        more: Tensor = self.layers(x)
        return x + more


class PublishedFineNet(nn.Module):
    """one-hot labels float32 [N, classes, H, W] and compact [N, 3, H/scale, W/scale] → coarse [N, 3, H, W],
    within −2..2."""

    def __init__(self, config: PublishedConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or PublishedConfig()
        deep = c.width << c.halvings
        layers = [*_way_down(c), *(ResidualBlock(deep) for _ in range(c.blocks))]
        for step in range(c.halvings):
            cin = deep >> step
            finer = nn.ConvTranspose2d(cin, cin // 2, 3, stride=2, padding=1, output_padding=1)
            layers += _normal(finer, cin // 2)
        self.layers = nn.Sequential(*layers, _wide(c.width, 3), nn.Tanh())
        _initialise(self)

    def enlarged(self, compact: Tensor) -> Tensor:
        """What is corrected: the compact image at the photo's size, bilinear."""
        return F.interpolate(compact, scale_factor=self.config.scale, mode="bilinear", align_corners=False)

    def forward(self, marks: Tensor, compact: Tensor) -> Tensor:
        enlarged = self.enlarged(compact)
        fine: Tensor = self.layers(torch.cat([marks, enlarged], 1))
        return enlarged + fine


class PatchJudge(nn.Module):
    """PatchGAN (Isola et al. 2017): what each layer makes of labels and picture, the last being the score map
    (1 channel, 1 = real)."""

    def __init__(self, cin: int, width: int) -> None:
        super().__init__()
        widths = [cin, width, 2 * width, 4 * width, 8 * width, 1]
        self.layers = nn.ModuleList()
        for place, stride in enumerate((2, 2, 2, 1, 1)):
            layer: list[nn.Module] = [nn.Conv2d(widths[place], widths[place + 1], 4, stride, padding=2)]
            if 0 < place < 4:
                layer.append(nn.InstanceNorm2d(widths[place + 1]))
            if place < 4:
                layer.append(nn.LeakyReLU(0.2))
            self.layers.append(nn.Sequential(*layer))

    def forward(self, x: Tensor) -> list[Tensor]:
        kept: list[Tensor] = []
        for layer in self.layers:
            x = layer(x)
            kept.append(x)
        return kept


class PublishedDiscriminator(nn.Module):
    """one-hot labels float32 [N, classes, H, W] and picture [N, 3, H, W] → by scale, each half as fine as the
    one before, the outputs of the judge's layers."""

    def __init__(self, config: PublishedConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or PublishedConfig()
        self.judges = nn.ModuleList(PatchJudge(c.classes + 3, c.judge_width) for _ in range(c.judges))
        _initialise(self)

    def forward(self, marks: Tensor, picture: Tensor) -> list[list[Tensor]]:
        x = torch.cat([marks, picture], 1)
        found: list[list[Tensor]] = []
        for judge in self.judges:
            x = F.avg_pool2d(x, 3, 2, padding=1, count_include_pad=False) if found else x
            found.append(judge(x))
        return found


def parameters(net: nn.Module) -> int:
    """How many numbers are learnt."""
    return sum(p.numel() for p in net.parameters())


def multiply_adds(net: nn.Module, *given: Tensor) -> int:
    """Of the convolutions, for the tensors ``given``, which may be on the meta device as the network may."""
    total = 0

    def count(layer: nn.Module, taken: tuple[Tensor, ...], made: Tensor) -> None:
        nonlocal total
        assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
        places = made if isinstance(layer, nn.Conv2d) else taken[0]
        total += layer.weight.numel() * places.shape[0] * places.shape[-2] * places.shape[-1]

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        net(*given)
    finally:
        for hook in hooks:
            hook.remove()
    return total
