"""Losses of the codec networks (DSSLIC, section 2.3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def gaussian_window(size: int = 11, sigma: float = 1.5) -> Tensor:
    """float32 [size], summing to 1."""
    at = torch.arange(size, dtype=torch.float32) - size // 2
    window = torch.exp(-(at**2) / (2 * sigma**2))
    return window / window.sum()


def _windows(size: int, every: int, like: Tensor) -> Tensor:
    """The window at every ``every``-th place of a row of ``size``, as a matrix [places, size]: faster than
    thin convolutions."""
    window = gaussian_window().to(like)
    return torch.stack(
        [F.pad(window, (at, size - len(window) - at)) for at in range(0, size - len(window) + 1, every)]
    )


def ssim(a: Tensor, b: Tensor, every: int = 1) -> Tensor:
    """Mean structural similarity (Wang et al. 2004) of float [N, C, H, W] in 0..1; a scalar, 1 when equal.

    ``every``: look only at each n-th place down and across, which costs less and says nearly the same.
    """
    down, across = (_windows(n, every, a) for n in a.shape[-2:])

    def blur(x: Tensor) -> Tensor:
        return down @ (x @ across.T)

    mean_a, mean_b = blur(a), blur(b)
    var_a = blur(a * a) - mean_a**2
    var_b = blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    score = (
        (2 * mean_a * mean_b + c1)
        * (2 * covariance + c2)
        / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    )
    return score.mean()


def judged_real(judgement: list[list[Tensor]], real: bool) -> Tensor:
    """Least-squares GAN loss (Mao et al. 2017): how far the score maps are from 1 (real) or 0."""
    return torch.stack([(scale[-1].float() - float(real)).square().mean() for scale in judgement]).mean()


def feature_distance(made: list[list[Tensor]], real: list[list[Tensor]]) -> Tensor:
    """Mean L1 between the discriminator's inner features of a made and of the real photo (pix2pixHD's feature
    matching)."""
    pairs = [
        F.l1_loss(m.float(), r.detach().float())
        for a, b in zip(made, real, strict=True)
        for m, r in zip(a[:-1], b[:-1], strict=True)
    ]
    return torch.stack(pairs).mean()
