"""How often questions about coverage are answered as people's labels would answer them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.settings import DEFAULT_PRESENCE
from dsslic_search.features.coverage import coverage

BOUNDS = {"presence": DEFAULT_PRESENCE, "over 10%": 0.1, "over 30%": 0.3, "over 50%": 0.5}


@dataclass
class PredicateScore:
    """Counts over photos and classes for each kind of question; feed it with :meth:`add`, read it with
    :meth:`summary`.

    Only pixels that people labelled count, in both maps, and only classes that they labelled anywhere are
    asked about.
    """

    classes: int
    truths: list[NDArray[np.float64]] = field(default_factory=list)
    guesses: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, truth: NDArray[np.uint8], guess: NDArray[np.uint8]) -> None:
        """Two label maps of one photo, uint8 [H, W]; ids of ``classes`` and above in ``truth`` are unknown.
        Photos that nobody labelled at all are left out."""
        known = truth < self.classes
        if known.any():
            self.truths.append(coverage(truth[known][None], self.classes))
            self.guesses.append(coverage(guess[known][None], self.classes))

    def summary(self) -> dict[str, dict[str, float]]:
        """Per kind precision, recall and F1 (0..1, over all photos and classes together), and the mean
        coverage error."""
        truth, guess = np.array(self.truths), np.array(self.guesses)
        asked = truth.max(0) > 0
        truth, guess = truth[:, asked], guess[:, asked]
        found: dict[str, dict[str, float]] = {}
        for kind, bound in BOUNDS.items():
            wanted, got = truth >= bound, guess >= bound
            right = float((wanted & got).sum())
            precision, recall = right / max(1, got.sum()), right / max(1, wanted.sum())
            f1 = 2 * right / max(1, wanted.sum() + got.sum())
            found[kind] = {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}
        found["coverage"] = {"mean_absolute_error": round(float(np.abs(truth - guess).sum(1).mean() / 2), 5)}
        return found
