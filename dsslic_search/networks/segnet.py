"""SegNet: photo → class scores per pixel, at a quarter of the working resolution.

::

    photo ─ stem ─ 2 stages ── 24 @ 1/4 ────────────────────────┐
                  └ stage ──── 40 @ 1/8 ──────────────┐         │
                     └ 2 stages 112 @ 1/16 ─┐         │         │
                        └ 2 stages 320 @ 1/32 ─ +ctx ─┴─ fuse ──┴─ fuse ─ scores @ 1/4

Encoder: EfficientNet-Lite0 (Tan & Le 2019; the "lite" variant has ReLU6 and no squeeze-and-excitation).
Decoder: a light feature pyramid (Lin et al. 2017) with a global context vector.
Batch norms are folded into the convolutions before weights are saved (`networks.segnets`, which has the other
architecture too).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# (expansion, output channels, blocks, stride, kernel) of EfficientNet-B0/Lite0's seven stages
MBCONV_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
BN_EPS = 1e-3
COLDEST, HOTTEST = 1e-3, 1e3  # temperatures: beyond these probabilities are no numbers, or all alike
MOST_AREA = 1 << 24  # pixels: some GB of memory


@dataclass(frozen=True)
class SegNetConfig:
    """``classes``: outputs; ``width``: channels of the decoder; ``area``: pixels a photo is resized to before
    parsing; ``vocabulary``: the text of its class list where that is not the package's (`core.vocabulary`);
    ``encoder``: see `networks.segnets`; ``quick``: the temperature of the one of several networks that is
    asked alone where time is short, 0 where there is one; the rest are the fields of
    :class:`dsslic_search.networks.confidence.Confidence`. ValueError for what none of them can be; a list in
    a file becomes a tuple."""

    classes: int = 51
    width: int = 96
    area: int = 448 * 352
    temperature: float = 1.0
    of_class: float = 0.0
    of_pixel: float = 0.0
    vote: bool = False
    vocabulary: str = ""
    encoder: str = "efficientnet-lite0"
    quick: float = 0.0
    spared: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "spared", tuple(self.spared))
        if any(not COLDEST <= each <= HOTTEST for each in (self.temperature, self.quick or COLDEST)):
            raise ValueError("a temperature that there is not")
        if type(self.area) is not int or not 0 < self.area <= MOST_AREA:
            raise ValueError("a size that photos are not resized to")
        if type(self.vote) is not bool:
            raise ValueError("neither yes nor no")
        if not (0 <= self.of_class <= 1 and 0 <= self.of_pixel <= 1):
            raise ValueError("a probability that is none")
        if any(type(each) is not int or not 0 <= each < self.classes for each in self.spared):
            raise ValueError("spared classes that there are not")


class ConvNorm(nn.Module):
    """Convolution with TensorFlow's "same" padding, batch norm (until folded) and an optional ReLU6."""

    def __init__(
        self,
        cin: int,
        cout: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
        folded: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, 0, groups=groups, bias=folded)
        self.norm = nn.Identity() if folded else nn.BatchNorm2d(cout, eps=BN_EPS)
        self.act = act
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        weight, bias, norm = self.conv.weight, self.conv.bias, self.norm
        settled = isinstance(norm, nn.BatchNorm2d) and not norm.training
        if settled:
            weight, bias = folded(weight, cast(nn.BatchNorm2d, norm))
        padding = self.kernel // 2
        even = not (x.shape[2] % 2 or x.shape[3] % 2)
        if self.stride == 2 and even and self.conv.groups > 1 and not self.training:
            # One row more is padded below than above, and so to the right: equal rows and a kernel that
            # begins with zeros do the same, to the bit, without a copy of the picture.
            weight = F.pad(weight, (1, 0, 1, 0))
        elif self.stride > 1:
            pads = [max((-(-n // self.stride) - 1) * self.stride + self.kernel - n, 0) for n in x.shape[2:]]
            top, left = pads[0] // 2, pads[1] // 2
            x, padding = F.pad(x, (left, pads[1] - left, top, pads[0] - top)), 0
        x = F.conv2d(x, weight, bias, self.stride, padding, 1, self.conv.groups)
        if not settled:
            x = norm(x)
        return F.relu6(x, inplace=True) if self.act else x


class InvertedResidual(nn.Module):
    """MobileNetV2's block (Sandler et al. 2018): expand 1×1, depthwise k×k, project 1×1, add when shapes
    agree."""

    def __init__(self, cin: int, cout: int, expansion: int, kernel: int, stride: int, folded: bool) -> None:
        super().__init__()
        mid = cin * expansion
        layers = [ConvNorm(cin, mid, 1, folded=folded)] if expansion != 1 else []
        layers += [
            ConvNorm(mid, mid, kernel, stride, groups=mid, folded=folded),
            ConvNorm(mid, cout, 1, act=False, folded=folded),
        ]
        self.layers = nn.Sequential(*layers)
        self.skip = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        return x + y if self.skip else y


def encoder_stages(folded: bool) -> nn.ModuleList:
    """EfficientNet-Lite0's seven stages, for the 32 channels of its stem: 320 channels at 1/16 of their
    sides."""
    stages, cin = [], 32
    for expansion, cout, blocks, stride, kernel in MBCONV_STAGES:
        inputs = [cin, *[cout] * (blocks - 1)]
        strides = [stride, *[1] * (blocks - 1)]
        stages.append(
            nn.Sequential(
                *(
                    InvertedResidual(c, cout, expansion, kernel, s, folded)
                    for c, s in zip(inputs, strides, strict=True)
                )
            )
        )
        cin = cout
    return nn.ModuleList(stages)


class SegNet(nn.Module):
    """float32 [N, 3, H, W], RGB in 0..1, H and W multiples of 32 → scores float32 [N, classes, H/4, W/4]."""

    def __init__(self, config: SegNetConfig | None = None, folded: bool = True) -> None:
        super().__init__()
        self.config = config or SegNetConfig()
        w = self.config.width
        self.stem = ConvNorm(3, 32, 3, 2, folded=folded)
        self.stages = encoder_stages(folded)
        self.lateral = nn.ModuleList(ConvNorm(c, w, 1, act=False, folded=folded) for c in (24, 40, 112, 320))
        self.context = nn.Conv2d(320, w, 1)
        self.fuse = nn.ModuleList(ConvNorm(w, w, 3, folded=folded) for _ in range(4))
        self.classifier = nn.Conv2d(w, self.config.classes, 1)

    @property
    def quick(self) -> nn.Module:
        """What is asked where time is short."""
        return self

    @property
    def encoder(self) -> list[nn.Module]:
        """What begins with ImageNet's weights, from the first layer on."""
        return [self.stem, *self.stages]

    @property
    def settled(self) -> list[nn.Module]:
        """What training leaves as it begins: the first layers, which are much of a step's time."""
        return [self.stem, *self.stages[:2]]

    @property
    def between(self) -> list[nn.Module]:
        """What begins with weights besides the encoder."""
        return []

    def encode(self, x: Tensor) -> list[Tensor]:
        """Features at 1/4 (24 channels), 1/8 (40), 1/16 (112) and 1/32 (320)."""
        x = self.stem((x * 255 - 127) / 128)
        kept = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in (1, 2, 4, 6):
                kept.append(x)
        return kept

    def forward(self, x: Tensor) -> Tensor:
        features = self.encode(x)
        context = self.context(features[3].mean((2, 3), keepdim=True))
        y = self.fuse[3](F.relu6(self.lateral[3](features[3]) + context))
        for i in (2, 1, 0):
            y = F.interpolate(y, features[i].shape[2:], mode="bilinear") + self.lateral[i](features[i])
            y = self.fuse[i](y)
        return self.classifier(y)


def folded(weight: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias of the convolution that does what one of ``weight`` and the settled batch norm after it
    do."""
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale
