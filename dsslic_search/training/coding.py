"""A stand-in for the coding of the compact image that gradients pass through.

It does in parallel what HEVC's intra coder does block after block: predict from the row above and the column
to the left, transform what is left, quantise with a dead zone. Every block is predicted from its neighbours
as they were, not as they were coded; the error that stays is the quantiser's in both cases. Of several block
sizes each place takes the one that costs least by HEVC's own yardstick. How close its error comes to the real
coder's is in docs/training.md.
"""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

MIN_QP, MAX_QP = 26, 46  # drawn from in training; the encoder uses 28..44
TRANSFORM_SIDES = (4, 8, 16)
# a level of luma or chroma is rounded up from 1 - this on; fitted to the real coder, which weighs bits too
ROUNDING = (0.36, 0.16, 0.16)
BITS_PER_DOUBLING = 1.6  # that a coefficient costs, for each log2(1 + |coefficient| / step)

_TO_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


@cache
def _cosines(size: int) -> Tensor:
    """The orthonormal DCT-II, float32 [frequency, place]."""
    k, n = torch.arange(size)[:, None], torch.arange(size)[None]
    rows = torch.cos(math.pi * (2 * n + 1) * k / (2 * size)) * math.sqrt(2 / size)
    rows[0] /= math.sqrt(2)
    return rows


def to_ycbcr(rgb: Tensor) -> Tensor:
    """[N, 3, H, W] RGB → luma and the two chroma differences of BT.601, in the same units."""
    return torch.einsum("ij,njhw->nihw", rgb.new_tensor(_TO_YCBCR), rgb)


def to_rgb(ycbcr: Tensor) -> Tensor:
    """The inverse of :func:`to_ycbcr`."""
    return torch.einsum("ij,njhw->nihw", torch.linalg.inv(ycbcr.new_tensor(_TO_YCBCR)), ycbcr)


def step_of(qp: Tensor) -> Tensor:
    """The quantiser's step in grey levels of an orthonormal transform (H.265, 8.6)."""
    return torch.exp2((qp - 4) / 6)


def _blocks(x: Tensor, size: int) -> Tensor:
    """[N, C, H, W] → [N, C, H/size, W/size, size, size]."""
    n, c, h, w = x.shape
    return x.view(n, c, h // size, size, w // size, size).permute(0, 1, 2, 4, 3, 5)


def _picture(blocks: Tensor) -> Tensor:
    n, c, h, w, size, _ = blocks.shape
    return blocks.permute(0, 1, 2, 4, 3, 5).reshape(n, c, h * size, w * size)


def _predictions(x: Tensor, size: int) -> Tensor:
    """Of every block, from the pixels around it: mean, down, across and planar (H.265, 8.4.4.2): [4, N, C, h,
    w, size, size]."""
    n, c, h, w = x.shape
    around = F.pad(x, (1, 0, 1, 0), mode="replicate")
    above = around[:, :, 0:h:size, 1:].reshape(n, c, h // size, w // size, 1, size)
    left = around[:, :, 1:, 0:w:size].reshape(n, c, h // size, size, w // size).transpose(3, 4)[..., None]
    mean = (above.mean((-1, -2), keepdim=True) + left.mean((-1, -2), keepdim=True)) / 2
    shape = (n, c, h // size, w // size, size, size)
    towards = torch.arange(1, size + 1, dtype=x.dtype, device=x.device) / (size + 1)
    planar = (
        left + (above[..., -1:] - left) * towards + above + (left[..., -1:, :] - above) * towards[:, None]
    ) / 2
    return torch.stack([mean.expand(shape), above.expand(shape), left.expand(shape), planar])


def _transformed(x: Tensor, size: int) -> Tensor:
    basis = _cosines(size).to(x)
    return basis @ x @ basis.T


def _as_one(x: Tensor, size: int, step: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Code every block of one size: (decoded [N, 3, H, W], bits and cost [N, h, w] by block)."""
    wanted, predicted = _blocks(x, size), _predictions(x, size)
    with torch.no_grad():
        best = (wanted - predicted).abs().sum((2, -1, -2)).argmin(0)  # one mode for the three planes
    prediction = predicted.gather(0, best[None, :, None, :, :, None, None].expand(1, *wanted.shape))[0]
    coefficients = _transformed(wanted - prediction, size)
    levels = coefficients.abs() / step
    bits = BITS_PER_DOUBLING * torch.log2(1 + levels).sum((1, -1, -2))
    with torch.no_grad():
        up = x.new_tensor(ROUNDING)[:, None, None, None, None]
        kept = torch.floor(levels + up) * step * coefficients.sign()
        basis = _cosines(size).to(x)
        decoded = prediction + basis.T @ kept @ basis
        error = (decoded - wanted).square().sum((1, -1, -2))
        cost = error + 0.15 * step[:, 0, :, :, 0, 0] ** 2 * (
            BITS_PER_DOUBLING * torch.log2(1 + (kept / step).abs()).sum((1, -1, -2)) + 3
        )
    return _picture(decoded), bits, cost


def coded(compact: Tensor, qp: Tensor) -> tuple[Tensor, Tensor]:
    """``compact`` float32 [N, 3, h, w] RGB 0..1, sides multiples of 16, and the QP of each, float32 [N] → as
    the decoder would see it, on whole grey levels, its gradient passed straight through; and about how many
    bits a compact pixel it takes, float32 [N]."""
    step = step_of(qp)[:, None, None, None, None, None]
    x = to_ycbcr(compact * 255)
    largest = max(TRANSFORM_SIDES)
    shown, bits, cost = torch.zeros_like(x), x.new_zeros(()), None
    for size in TRANSFORM_SIDES:
        decoded, spent, price = _as_one(x, size, step)
        per = largest // size
        spent, price = (_blocks(v[:, None], per).sum((-1, -2))[:, 0] for v in (spent, price))
        if cost is None:
            shown, bits, cost = decoded, spent, price
            continue
        better = price < cost
        mask = better.repeat_interleave(largest, 1).repeat_interleave(largest, 2)[:, None]
        shown, bits, cost = (
            torch.where(mask, decoded, shown),
            torch.where(better, spent, bits),
            torch.where(better, price, cost),
        )
    seen = to_rgb(shown).round().clamp(0, 255) / 255
    return compact + (seen - compact).detach(), bits.sum((1, 2)) / (compact.shape[2] * compact.shape[3])
