"""From which coverage on a class counts as present: chosen for each class on photos that people labelled and
no network was trained on.

A photo truly shows a class where people gave it at least `TRUE_SHARE` of the pixels that they labelled. What
SegNet says counts on those pixels alone. A class keeps the common threshold unless another one is better by
`MIN_GAIN` in F1, and by `MIN_RIGHTED` photos more for which the answer is right, over at least `MIN_PHOTOS`
that show it: few photos choose anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dsslic_search.core import vocabulary
from dsslic_search.core.output import Outputs
from dsslic_search.core.settings import DEFAULT_PRESENCE
from dsslic_search.networks import weights
from dsslic_search.networks.confidence import Confidence, decide
from dsslic_search.training.calibrate import opened, scored
from dsslic_search.training.dataset import LATER_SCENES, SCENES, scene_samples

TRUE_SHARE = 0.001  # that of the least region
TRIED = (0.0005, 0.001, 0.002, 0.003, DEFAULT_PRESENCE, 0.0075, 0.01, 0.015, 0.02, 0.03)
MIN_GAIN = 0.02
MIN_RIGHTED = 3  # of a dozen photos that show a class one alone is more than MIN_GAIN
MIN_PHOTOS = 10

Shares = NDArray[np.float64]


def shares_of(photos: Iterable[tuple[Tensor, Tensor]], rule: Confidence) -> tuple[Shares, Shares]:
    """Of each photo the shares of classes as ``rule`` has them and as people do, float64 [photos, classes],
    over the pixels that people know; photos without any are left out."""
    said: list[Shares] = []
    there: list[Shares] = []
    for scores, truth in photos:
        classes = scores.shape[0]
        known = truth < classes
        if known.any():
            for shares, labels in ((said, decide(scores, rule)[known].long()), (there, truth[known])):
                shares.append(np.bincount(labels.numpy(), minlength=classes) / labels.numel())
    return np.array(said), np.array(there)


def f1(said: NDArray[np.bool_], there: NDArray[np.bool_]) -> float:
    """0..1; 0 where nothing is right."""
    return 2 * float((said & there).sum()) / max(1.0, float(said.sum() + there.sum()))


def choose(said: Shares, there: Shares) -> dict[int, float]:
    """The threshold of each class, by id, that has one of its own."""
    chosen: dict[int, float] = {}
    for class_id in range(1, said.shape[1]):
        shown = there[:, class_id] >= TRUE_SHARE
        if shown.sum() < MIN_PHOTOS:
            continue
        reached = {least: f1(said[:, class_id] >= least, shown) for least in TRIED}
        # of equally good ones the one nearest to the common threshold
        best = max(TRIED, key=lambda least: (reached[least], -abs(np.log(least / DEFAULT_PRESENCE))))
        usual, own = (
            int(((said[:, class_id] >= least) == shown).sum()) for least in (DEFAULT_PRESENCE, best)
        )
        if reached[best] >= reached[DEFAULT_PRESENCE] + MIN_GAIN and own >= usual + MIN_RIGHTED:
            chosen[class_id] = best
    return chosen


def measure(said: Shares, there: Shares, chosen: dict[int, float]) -> dict[str, tuple[float, float]]:
    """F1 of presence with the common threshold and with those chosen: of all classes together, and of each
    that has one of its own, by name."""
    names = [c.name for c in vocabulary.default().classes]
    shown = there[:, 1:] >= TRUE_SHARE
    least = np.array([chosen.get(c, DEFAULT_PRESENCE) for c in range(1, said.shape[1])])
    found = {"all": (f1(said[:, 1:] >= DEFAULT_PRESENCE, shown), f1(said[:, 1:] >= least, shown))}
    for c, own in chosen.items():
        true = there[:, c] >= TRUE_SHARE
        found[names[c]] = f1(said[:, c] >= DEFAULT_PRESENCE, true), f1(said[:, c] >= own, true)
    return found


def fit(data: Path, path: Path, out: Path, outputs: Outputs) -> dict[str, float]:
    """Choose on the calibration part of ``data`` for the SegNet in the weight file at ``path``, print what it
    gains there and on the validation part, and write the choice to ``out`` as `core.vocabulary` reads it;
    returns it."""
    net = opened(path)
    rule = Confidence.of(net.config)
    sets = (*SCENES, *LATER_SCENES)
    calibration = shares_of(scored(net, scene_samples(data, False, True, sets)), rule)
    chosen = choose(*calibration)
    validation = shares_of(scored(net, scene_samples(data, True, sets=sets)), rule)
    for name, shares in (("calibration", calibration), ("validation", validation)):
        for thing, (before, after) in measure(*shares, chosen).items():
            print(f"{name}, {thing}: presence F1 {before:.4f} → {after:.4f}", flush=True)
    names = [c.name for c in vocabulary.default().classes]
    kept = {names[c]: least for c, least in chosen.items()}
    whole = {"segmenter": weights.identity(path), "presence": kept}
    outputs.write(out, (json.dumps(whole, indent=1) + "\n").encode(), text=True)
    return kept
