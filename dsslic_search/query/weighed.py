"""The step of a plan that weighs the coverages of things against one another, or adds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.quanta import QUANTA, TICKS
from dsslic_search.query.bounds import percent
from dsslic_search.query.run.evaluate import Evaluation
from dsslic_search.query.run.rank import Mask, Rows
from dsslic_search.query.steps import PROBABILITIES, Cost, Step, within_mask


@dataclass(frozen=True)
class WeighedSum(Step):
    """Photos in which the coverages of things, each by its name and classes and taken so many times, come to
    ``bound`` ticks at least, or to more if ``above``."""

    terms: tuple[tuple[str, tuple[int, ...], int], ...]
    bound: int
    above: bool

    @property
    def cost(self) -> Cost:
        return Cost.COVERAGE

    @property
    def empty(self) -> bool:
        return sum(max(times, 0) for _, _, times in self.terms) * TICKS < self.bound

    def words(self) -> str:
        added, taken = ([term for term in self.terms if (term[2] > 0) is more] for more in (True, False))
        sign = ">" if self.above else ">="
        if taken and not self.bound:
            return f"{_weighed(added)} {sign} {_weighed(taken)}"
        if not added:
            return f"{_weighed(taken)} {sign.replace('>', '<')} {percent(-self.bound)}"
        return f"{_weighed(added)} {sign} {percent(self.bound)}"

    def mask(self, evaluation: Evaluation, among: Mask | None = None) -> Mask:
        terms = [(classes, times) for _, classes, times in self.terms]
        held = evaluation.columns.balanced(terms, self.bound, self.above)
        evaluation.mask_of[id(self)] = held.copy()
        return within_mask(held, among)

    def degrees(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        """How much more it is than is asked for, as a share of the most that it can be; times the greatest
        certainty of the things added, where one of them must be there."""
        margin = np.full(rows.size, -self.bound / TICKS)
        sure = np.zeros(rows.size, np.uint8)
        for _, classes, times in self.terms:
            margin += times * np.minimum(evaluation.columns.at(classes, rows) / QUANTA, 1)
            if times > 0:
                np.maximum(sure, evaluation.columns.certainty_at(classes, rows), out=sure)
        room = max(0, *(times for _, _, times in self.terms)) - self.bound / TICKS
        # where nothing can be more than what is asked for, a photo is as asked or not
        held = np.clip(margin / room, 0, 1) if room > 0 else self.mask(evaluation)[rows]
        clear: NDArray[np.float32] = np.asarray(held, np.float32)
        must = self.bound > 0 or (self.above and self.bound == 0)
        return clear * PROBABILITIES[sure] if must else clear

    def _may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask:
        return evaluation.mask_of[id(self)] & among


def _weighed(terms: Sequence[tuple[str, tuple[int, ...], int]]) -> str:
    return " + ".join(name if abs(times) == 1 else f"{abs(times)} {name}" for name, _, times in terms)
