"""From class scores to labels that mean it: what is not believed is not said.

Scores become probabilities by a softmax at a temperature that makes them honest (Guo et al. 2017). A class of
which the pixels that look most like it are sure of it by less than ``of_class`` on the average is struck out
of this photo: its pixels go to the likeliest class that remains. A pixel that is then sure by less than
``of_pixel`` becomes ``other``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

OTHER = 0
_PIXELS_AT_A_TIME = 8192
"""Whose probabilities are made in memory that stays near the processor."""


@dataclass(frozen=True)
class Confidence:
    """``temperature`` > 0 divides scores; ``of_class`` and ``of_pixel`` are probabilities, 0..1, 0 for no
    such rule."""

    temperature: float = 1.0
    of_class: float = 0.0
    of_pixel: float = 0.0


def decide(scores: torch.Tensor, rule: Confidence) -> torch.Tensor:
    """Scores float32 [classes, H, W] → class ids uint8 [H, W]."""
    return decide_surely(scores, rule)[0]


def decide_surely(scores: torch.Tensor, rule: Confidence) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores float32 [classes, H, W] → class ids uint8 [H, W], and the probability of each pixel's label
    float32 [H, W]."""
    import torch

    classes, height, width = scores.shape
    scores = scores.permute(1, 2, 0).reshape(-1, classes)  # as they lie in memory: a pixel's side by side
    best, labels = scores.max(1)
    scale = 1 / rule.temperature
    # the probability of class c is exp((score - best) * scale) times that of the best one
    parts = zip(scores.split(_PIXELS_AT_A_TIME), best.split(_PIXELS_AT_A_TIME), strict=True)
    held = torch.cat([(part - most[:, None]).mul_(scale).exp_().sum(1).reciprocal_() for part, most in parts])
    if rule.of_class > 0:
        _strike_out(scores, best, labels, held, rule)
    doubted = (held < rule.of_pixel).nonzero()[:, 0]
    if doubted.numel():
        held_best = held[doubted] * ((scores[doubted, labels[doubted]] - best[doubted]) * -scale).exp_()
        held[doubted] = held_best * ((scores[doubted, OTHER] - best[doubted]) * scale).exp_()
        labels[doubted] = OTHER
    return labels.to(torch.uint8).view(height, width), held.view(height, width)


def _strike_out(
    scores: torch.Tensor, best: torch.Tensor, labels: torch.Tensor, held: torch.Tensor, rule: Confidence
) -> None:
    """Of scores [N, classes], the ``best`` of each pixel, its class and probability: changes the last two
    where a class is struck out."""
    import torch

    classes = scores.shape[1]
    pixels = torch.bincount(labels, minlength=classes)
    sure = torch.bincount(labels, held, minlength=classes) / pixels.clamp(min=1)
    struck = (pixels > 0) & (sure < rule.of_class)
    # where everything is in doubt, striking out would only promote worse guesses
    if struck.any() and not struck[pixels > 0].all():
        open_again = struck[labels].nonzero()[:, 0]
        remaining, second = scores[open_again].masked_fill(struck, -torch.inf).max(1)
        labels[open_again] = second
        held[open_again] *= ((remaining - best[open_again]) / rule.temperature).exp_()
