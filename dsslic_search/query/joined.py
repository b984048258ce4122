"""Steps that join others: what all of them find, or any of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.query.run.evaluate import Evaluation
from dsslic_search.query.run.rank import Mask, Rows
from dsslic_search.query.steps import AWAY, Cost, Resemble, Step


@dataclass(frozen=True)
class Joined(Step):
    """Several steps."""

    parts: tuple[Step, ...]

    @property
    def cost(self) -> Cost:
        return max((part.cost for part in self.parts), default=Cost.COVERAGE)

    def predicates(self) -> Iterator[Step]:
        for part in self.parts:
            yield from part.predicates()


@dataclass(frozen=True)
class Every(Joined):
    """All photos that every part finds; without parts, all there are."""

    def words(self) -> str:
        return "all of" if self.parts else "every photo"

    def mask(self, evaluation: Evaluation, among: Mask | None = None) -> Mask:
        if not self.parts:
            return np.ones(len(evaluation.columns), bool) if among is None else among.copy()
        held = self.parts[0].mask(evaluation, among)
        for part in self.parts[1:]:
            held = part.mask(evaluation, held)
        return held

    @property
    def sure_of(self) -> tuple[tuple[int, ...], ...]:
        return () if self.resembles else tuple(thing for part in self.parts for thing in part.sure_of)

    def degrees(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        if not self.parts:
            return np.ones(rows.size, np.float32)
        ranking = [part for part in self.parts if part.resembles] or self.parts
        away = [part for part in ranking if isinstance(part, Resemble) and part.away]
        near = [part for part in ranking if part not in away]
        told = (part.degrees(evaluation, rows) for part in near)
        degrees = _folded(np.minimum, told) if near else np.ones(rows.size, np.float32)
        if away:
            shunned = np.max([part.likeness(evaluation, rows) for part in away], axis=0)
            np.clip(degrees - AWAY * shunned, 0, 1, out=degrees)
        return degrees

    def most(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        if not self.parts or self.resembles:
            return self.degrees(evaluation, rows)
        return _folded(np.minimum, (part.most(evaluation, rows) for part in self.parts))

    def _may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask | None:
        held: Mask | None = None
        for part in self.parts:
            mask = part.may_reach(evaluation, degree, above, among if held is None else held)
            held = held if mask is None else mask
        return held


@dataclass(frozen=True)
class Either(Joined):
    """All photos that some part finds; it has at least one."""

    def words(self) -> str:
        return "any of"

    def mask(self, evaluation: Evaluation, among: Mask | None = None) -> Mask:
        held = self.parts[0].mask(evaluation, among)
        for part in self.parts[1:]:
            np.logical_or(held, part.mask(evaluation, among), out=held)
        return held

    def degrees(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        return _folded(np.maximum, (part.degrees(evaluation, rows) for part in self.parts))

    def most(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        return _folded(np.maximum, (part.most(evaluation, rows) for part in self.parts))

    def _may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask | None:
        held: Mask | None = None
        for part in self.parts:
            mask = part.may_reach(evaluation, degree, above, among)
            if mask is None:
                return None
            held = mask if held is None else np.logical_or(held, mask, out=held)
        return held


def _folded(fold: np.ufunc, told: Iterator[NDArray[np.float32]]) -> NDArray[np.float32]:
    folded = next(told)
    for each in told:
        fold(folded, each, out=folded)
    return folded
