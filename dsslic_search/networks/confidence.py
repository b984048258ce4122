"""From class scores to labels that mean it: what is not believed is not said.

Scores become probabilities by a softmax at a temperature that makes them honest (Guo et al. 2017). A class of
which the pixels that look most like it are sure of it by less than ``of_class`` on the average is struck out
of this photo: its pixels go to the likeliest class that remains. Classes may be ``spared`` that: of a pole,
which is hardly wider than a pixel, nobody is ever sure. A pixel that is then sure by less than
``of_pixel`` becomes ``other``. At last, where patches of different animals touch, all of them become the one
for which most probability speaks, added up over the pixels: one animal is seen as several more often than
several animals touch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core import vocabulary
from dsslic_search.core.components import components

if TYPE_CHECKING:
    import torch

    from dsslic_search.networks.segnet import SegNetConfig

_PIXELS_AT_A_TIME = 8192
"""Whose probabilities are made in memory that stays near the processor."""


@dataclass(frozen=True)
class Confidence:
    """``temperature`` > 0 divides scores; ``of_class`` and ``of_pixel`` are probabilities, 0..1, 0 for no
    such rule; ``vote``: whether touching animals become one; ``spared``: the ids of classes that are never
    struck out, ascending."""

    temperature: float = 1.0
    of_class: float = 0.0
    of_pixel: float = 0.0
    vote: bool = False
    spared: tuple[int, ...] = ()

    @classmethod
    def of(cls, config: SegNetConfig, alone: bool = False) -> Confidence:
        """What a network was calibrated to, or the one of several that is asked ``alone``."""
        temperature = (alone and config.quick) or config.temperature
        return cls(temperature, config.of_class, config.of_pixel, config.vote, config.spared)


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
    _relabel((held < rule.of_pixel).nonzero()[:, 0], vocabulary.OTHER, scores, best, labels, held, scale)
    if rule.vote:
        for pixels, animal in _votes(labels.view(height, width).numpy(), held.numpy()):
            _relabel(torch.from_numpy(pixels), animal, scores, best, labels, held, scale)
    return labels.to(torch.uint8).view(height, width), held.view(height, width)


def _relabel(
    pixels: torch.Tensor,
    class_id: int,
    scores: torch.Tensor,
    best: torch.Tensor,
    labels: torch.Tensor,
    held: torch.Tensor,
    scale: float,
) -> None:
    """Give some pixels another class, with its probability: changes ``labels`` and ``held``."""
    if not pixels.numel():
        return
    of_best = held[pixels] * ((best[pixels] - scores[pixels, labels[pixels]]) * scale).exp_()
    held[pixels] = of_best * ((scores[pixels, class_id] - best[pixels]) * scale).exp_()
    labels[pixels] = class_id


@cache
def _animals() -> NDArray[np.intp]:
    """The class ids of animals, ascending."""
    group = next(group for group in vocabulary.built_in().groups if group.name == "animal")
    return np.array(sorted(group.members))


def _votes(labels: NDArray[np.int64], held: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.intp], int]]:
    """For each connected patch of several animals of a label map [H, W]: those of its pixels, as numbers into
    the flat map, that are another animal than the one it is, and that one. ``held``: [H * W]."""
    animals = _animals()
    shown = np.isin(labels, animals)
    if np.unique(labels[shown]).size < 2:
        return
    runs = components(shown.astype(np.uint8))
    places = np.flatnonzero(shown)
    part = runs.part[runs.of_pixel].ravel()[places]
    own = np.searchsorted(animals, labels.ravel()[places])
    votes = np.zeros((int(part.max()) + 1, animals.size))
    np.add.at(votes, (part, own), held[places])
    winner = votes.argmax(1)
    lost = winner[part] != own
    for which in np.unique(part[lost]):
        yield places[lost & (part == which)], int(animals[winner[which]])


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
    struck[list(rule.spared)] = False
    # where everything is in doubt, striking out would only promote worse guesses
    if struck.any() and not struck[pixels > 0].all():
        open_again = struck[labels].nonzero()[:, 0]
        remaining, second = scores[open_again].masked_fill(struck, -torch.inf).max(1)
        labels[open_again] = second
        held[open_again] *= ((remaining - best[open_again]) / rule.temperature).exp_()
