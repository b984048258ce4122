"""MOSAIC with a second decoder: photo → class scores per pixel, at a quarter of the working resolution.

::

    photo ─ stem ─ blocks ─┬─ 64 @ 1/4 ────────────────────────────┬───────────┐
                           └ blocks ─┬─ 192 @ 1/8 ──────┬──────────┼─────┐     │
                                     └ blocks, pyramid 832 @ 1/16 ─┼─────┤     │
                                          MOSAIC's decoder: fuse ──┴ add ┼─────┼─ its classes ─┐
                                          ours:                  lateral ┴ fuse┴ fuse ─────────┴ scores @ 1/4

MOSAIC (Weijun Wang and Andrew Howard 2021, arXiv 2112.11623) is the segmenter of MLPerf Mobile: an encoder of
inverted residuals without squeeze-and-excitation, context of three scales by depthwise kernels of two sizes,
and a light decoder that ends in a sum of two non-negative scores for each class. Its weights have no batch
norms left. The second decoder is that of :class:`dsslic_search.networks.segnet.SegNet`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsslic_search.networks.segnet import ConvNorm, SegNetConfig

# (channels inside, output channels, kernel, stride, dilation) of its inverted residuals
BLOCKS = (
    (96, 32, 3, 2, 1),
    (64, 32, 3, 1, 1),
    (160, 64, 5, 2, 1),
    (192, 64, 3, 1, 1),
    (128, 64, 3, 1, 1),
    (192, 64, 3, 1, 1),
    (384, 128, 5, 2, 1),
    (384, 128, 3, 1, 1),
    (384, 128, 3, 1, 1),
    (384, 128, 3, 1, 1),
    (768, 160, 3, 1, 1),
    (640, 160, 3, 1, 1),
    (960, 192, 3, 1, 1),
    (384, 96, 5, 1, 2),
    (384, 96, 5, 1, 2),
    (384, 96, 5, 1, 2),
)
FINE, MIDDLE = 1, 5  # blocks whose inner channels the decoders take, at 1/4 and at 1/8
POOLS = (8, 4, 2)
CLASSES = 32  # that MOSAIC tells apart


class Conv(nn.Module):
    """Convolution with TensorFlow's "same" padding, a bias and an optional ReLU."""

    def __init__(
        self,
        cin: int,
        cout: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        act: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, 0, dilation, groups)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride, dilation = self.conv.kernel_size[0], self.conv.stride[0], self.conv.dilation[0]
        padding = dilation * (kernel // 2)
        if stride > 1:
            pads = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[2:]]
            top, left = pads[0] // 2, pads[1] // 2
            x, padding = F.pad(x, (left, pads[1] - left, top, pads[0] - top)), 0
        x = F.conv2d(x, self.conv.weight, self.conv.bias, stride, padding, dilation, self.conv.groups)
        return F.relu(x, inplace=True) if self.act else x


class Block(nn.Module):
    """MobileNetV2's block (Sandler et al. 2018)."""

    def __init__(self, cin: int, mid: int, cout: int, kernel: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.expand = Conv(cin, mid)
        self.depthwise = Conv(mid, mid, kernel, stride, mid, dilation)
        self.project = Conv(mid, cout, act=False)
        self.skip = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What comes out, and the inner channels."""
        inner = self.depthwise(self.expand(x))
        y = self.project(inner)
        return (x + y if self.skip else y), inner


def enlarged(x: Tensor, times: int, height: int, width: int) -> Tensor:
    """Bilinear, ``times`` each side, cut to a size; the first pixels of both lie on each other, as TensorFlow
    1 had it and MOSAIC learnt it."""
    x = F.pad(x, (0, 1, 0, 1), mode="replicate")
    size = [times * (n - 1) + 1 for n in x.shape[2:]]
    return F.interpolate(x, size, mode="bilinear", align_corners=True)[:, :, :height, :width]


class Pyramid(nn.Module):
    """Context of three scales: means of 8, 4 and 2 pixels a side, of which one half of the channels is seen
    by kernels of 3 and one by kernels of 5. 448 channels → 832: 128 a scale, and they themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.ModuleList(Conv(224, 224, k, groups=224) for _ in POOLS for k in (3, 5))
        self.pointwise = nn.ModuleList(Conv(224, 64) for _ in POOLS for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        parts = []
        for i, size in enumerate(POOLS):
            pooled = F.avg_pool2d(x, size, size, ceil_mode=True, count_include_pad=False)
            halves = [
                self.pointwise[2 * i + k](self.depthwise[2 * i + k](half))
                for k, half in enumerate(pooled.chunk(2, 1))
            ]
            parts.append(enlarged(torch.cat(halves, 1), size, *x.shape[2:]))
        return torch.cat([*parts, x], 1)


class Mosaic(nn.Module):
    """float32 [N, 3, H, W], RGB in 0..1, H and W multiples of 32 → MOSAIC's scores, and its features at 1/4,
    1/8 and 1/16. Modules stand in the order in which it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, 32, 3, 2)
        blocks, cin = [], 32
        for mid, cout, kernel, stride, dilation in BLOCKS:
            blocks.append(Block(cin, mid, cout, kernel, stride, dilation))
            cin = cout
        self.blocks = nn.ModuleList(blocks)
        self.last = Conv(96, 448)
        self.pyramid = Pyramid()
        self.joined = Conv(832, 128)
        self.fuse = Conv(320, 64)
        self.separable = Conv(64, 64, 3, groups=64)
        self.classes = Conv(64, CLASSES)
        self.fine_classes = Conv(64, CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        x = self.stem(x * 2 - 1)
        kept = {}
        for i, block in enumerate(self.blocks):
            x, kept[i] = block(x)
        fine, middle = kept[FINE], kept[MIDDLE]
        coarse = self.pyramid(self.last(x))
        y = enlarged(self.joined(coarse), 2, *middle.shape[2:])
        y = self.classes(self.separable(self.fuse(torch.cat([y, middle], 1))))
        return self.fine_classes(fine) + enlarged(y, 2, *fine.shape[2:]), (fine, middle, coarse)


class MosaicSegNet(nn.Module):
    """float32 [N, 3, H, W], RGB in 0..1, H and W multiples of 32 → scores float32 [N, classes, H/4, W/4].

    MOSAIC's own scores go to the classes by ``carried``; what the second decoder finds is added."""

    def __init__(self, config: SegNetConfig, folded: bool = True) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.mosaic = Mosaic()
        self.carried = nn.Conv2d(CLASSES, config.classes, 1)
        self.lateral = nn.ModuleList(ConvNorm(c, w, 1, act=False, folded=folded) for c in (64, 192, 832))
        self.merge = nn.ModuleList(ConvNorm(w, w, 3, folded=folded) for _ in range(2))
        self.classifier = nn.Conv2d(w, config.classes, 1)

    @property
    def quick(self) -> nn.Module:
        """What is asked where time is short."""
        return self

    @property
    def encoder(self) -> list[nn.Module]:
        """MOSAIC's, from the first layer on."""
        return [self.mosaic.stem, *self.mosaic.blocks, self.mosaic.last]

    @property
    def settled(self) -> list[nn.Module]:
        """What training leaves as it begins: the first layers, which are much of a step's time."""
        return [self.mosaic.stem, *self.mosaic.blocks[:2]]

    @property
    def between(self) -> list[nn.Module]:
        """What else is of MOSAIC."""
        return [self.mosaic]

    def forward(self, x: Tensor) -> Tensor:
        scores, features = self.mosaic(x)
        y = F.relu6(self.lateral[2](features[2]))
        for i in (1, 0):
            y = F.interpolate(y, features[i].shape[2:], mode="bilinear") + self.lateral[i](features[i])
            y = self.merge[i](y)
        return self.carried(scores) + self.classifier(y)
