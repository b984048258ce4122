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


@dataclass(frozen=True)
class Confidence:
    """``temperature`` > 0 divides scores; ``of_class`` and ``of_pixel`` are probabilities, 0..1, 0 for no
    such rule."""

    temperature: float = 1.0
    of_class: float = 0.0
    of_pixel: float = 0.0


def decide(scores: torch.Tensor, rule: Confidence) -> torch.Tensor:
    """Scores float32 [classes, H, W] → class ids uint8 [H, W]."""
    import torch

    best, labels = scores.max(0)
    if rule.of_class <= 0 and rule.of_pixel <= 0:
        return labels.to(torch.uint8)
    scale = 1 / rule.temperature
    # so that the probability of label c is exp((score - best) * scale) / total
    total = ((scores - best) * scale).exp_().sum(0)
    classes = scores.shape[0]
    pixels = torch.bincount(labels.ravel(), minlength=classes)
    sure = torch.bincount(labels.ravel(), (1 / total).ravel(), minlength=classes) / pixels.clamp(min=1)
    struck = (pixels > 0) & (sure < rule.of_class)
    held = 1 / total
    # where everything is in doubt, striking out would only promote worse guesses
    if struck.any() and not struck[pixels > 0].all():
        open_again = struck[labels]
        remaining, second = scores[~struck][:, open_again].max(0)
        labels[open_again] = torch.nonzero(~struck)[:, 0][second]
        held[open_again] = ((remaining - best[open_again]) * scale).exp() / total[open_again]
    return torch.where(held < rule.of_pixel, OTHER, labels).to(torch.uint8)
