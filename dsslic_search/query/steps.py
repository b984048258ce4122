"""The steps of a plan. Each is at home here with all that it means: what it asks for in words, which photos
match it, how well a photo satisfies it, and which photos alone may satisfy it so well.

A photo's degree of satisfaction is 0..1 (`query.run.rank` for ranges of coverage, `index.regions` for
regions; 1 for a filter that is passed, the likeness itself for a photo to compare with). Where something must
be there, how clearly it is is multiplied by how sure it is: by the certainty of the thing in the photo, of
regions that stand in a relation by the least certainty of all things concerned. Of steps joined by
"and" the least degree counts, of those joined by "or" the greatest; where one compares photos, those that do
alone, and what photos shall not be like takes a share of its likeness from that.

Masks are bool[n] over all rows of the columns, rows are ascending indexes into them. ``degrees`` and
``may_reach`` answer for photos among those that ``mask`` was asked for before, with the same `Evaluation`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.certainty import CERTAIN
from dsslic_search.core.colour_terms import bit_of
from dsslic_search.core.fact import Kind
from dsslic_search.core.fields import NAMED
from dsslic_search.core.text import counted
from dsslic_search.features.image_words import PARTS
from dsslic_search.index.quanta import TICKS
from dsslic_search.index.regions import relate
from dsslic_search.index.regions.relate import RegionTest, needs_counts
from dsslic_search.query.ast import FilePredicate, Text, Unknown, written
from dsslic_search.query.bounds import at_least, at_most
from dsslic_search.query.filtered import filtered
from dsslic_search.query.run.evaluate import Evaluation
from dsslic_search.query.run.rank import Mask, Rows, degrees, span

_ASKED_OF_THE_CATALOG: frozenset[Kind] = frozenset({"path", "tag", "prose", "texts"})

AWAY = np.float32(0.5)  # of the likeness to a photo that is not to be like, taken from a degree


class Cost(IntEnum):
    """What a step has to look at; of several parts of an "and" the cheapest comes first."""

    COVERAGE = 0
    FILES = 1
    WORDS = 2
    CATALOG = 3
    REGIONS = 4
    VECTORS = 5


class Step(ABC):
    """A part of a plan."""

    @property
    @abstractmethod
    def cost(self) -> Cost:
        """What it has to look at."""

    @abstractmethod
    def words(self) -> str:
        """What it asks for."""

    @abstractmethod
    def mask(self, evaluation: Evaluation, among: Mask | None = None) -> Mask:
        """Which photos match, of those in ``among`` if that is given, in an array of the caller's own."""

    @abstractmethod
    def degrees(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        """How well some photos satisfy it: float32, 0..1."""

    def most(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        """What the degrees of some photos are at most: as they would be if all were certain."""
        return self.degrees(evaluation, rows)

    def may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask | None:
        """Photos of ``among``, in an array of the caller's own, of which are all that match with a degree of
        at least ``degree``, or with ``above`` more; None for all of those. It is found without a look at
        certainties, so others may be there too. TypeError for steps that compare photos."""
        if degree < 0 or (degree == 0 and not above):
            return None
        if degree > 1 or (above and degree == 1):
            return np.zeros(len(evaluation.columns), bool)
        return self._may_reach(evaluation, degree, above, among)

    @abstractmethod
    def _may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask | None:
        """The same for 0 < ``degree`` <= 1, or 0 <= ``degree`` < 1 with ``above``."""

    @property
    def sure_of(self) -> tuple[tuple[int, ...], ...]:
        """The things than whose certainty in a photo its degree is never greater; of a predicate, those by
        whose least certainty its degrees are multiplied."""
        return ()

    def leave_out_unsure(self, evaluation: Evaluation, degree: float, above: bool, held: Mask) -> None:
        """Change ``held``: where it has many photos, those go in which a thing is not so certain that they
        could have such a degree."""
        least = int(np.searchsorted(PROBABILITIES, np.float32(degree), "right" if above else "left"))
        for classes in self.sure_of:
            evaluation.columns.leave_out_unsure(classes, least, held)

    @property
    def empty(self) -> bool:
        """Whether its own bounds leave nothing that could match."""
        return False

    def predicates(self) -> Iterator[Step]:
        """What it joins, in order; itself where it joins nothing."""
        yield self

    def operands(self) -> Iterator[Resemble]:
        """What photos are compared with, in order."""
        return (step for step in self.predicates() if isinstance(step, Resemble))

    @property
    def resembles(self) -> bool:
        """Whether likeness ranks what it finds."""
        return next(self.operands(), None) is not None


# Predicates


@dataclass(frozen=True)
class CoverageRange(Step):
    """Photos of which the ``classes`` of a thing, called ``name``, together cover ``low`` to ``high`` ticks,
    both included."""

    name: str
    classes: tuple[int, ...]
    low: int
    high: int

    @property
    def cost(self) -> Cost:
        return Cost.COVERAGE

    @property
    def sure_of(self) -> tuple[tuple[int, ...], ...]:
        return (self.classes,) if self.low > 0 else ()

    @property
    def empty(self) -> bool:
        return max(self.low, 0) > min(self.high, TICKS)

    def words(self) -> str:
        if self.empty:
            return f"{self.name} in a range that is empty"
        bounds = [at_least(self.low)] if self.low > 0 else []
        bounds += [at_most(self.high)] if self.high < TICKS else []
        return f"{self.name} {' and '.join(bounds) or 'of any coverage'}"

    def mask(self, evaluation: Evaluation, among: Mask | None = None) -> Mask:
        return evaluation.columns.within(self.classes, self.low, self.high, among)

    def degrees(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        return self.most(evaluation, rows) * _certainty(evaluation, self.sure_of, rows)

    def most(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        return degrees(self.low, self.high)[evaluation.columns.at(self.classes, rows)]

    def _may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask:
        first, last = span(degrees(self.low, self.high), degree, above=above)
        return evaluation.columns.between(self.classes, first, last, among)


@dataclass(frozen=True)
class RegionCount(Step):
    """Photos with ``low`` to ``high`` regions (None: or more) of ``classes`` that pass ``test``; ``name``
    says which regions these are, as "car left of tree"."""

    name: str
    classes: tuple[int, ...]
    test: RegionTest
    low: int
    high: int | None

    @property
    def cost(self) -> Cost:
        return Cost.REGIONS

    @property
    def sure_of(self) -> tuple[tuple[int, ...], ...]:
        return (self.classes, *relate.things_of(self.test)) if self.low > 0 else ()

    @property
    def empty(self) -> bool:
        return self.high is not None and self.high < self.low

    def words(self) -> str:
        return f"{self._number()} of {self.name}"

    def _number(self) -> str:
        low, high = self.low, self.high
        if high is None:
            return f"{counted(low, 'region')} or more"
        if self.empty:
            return "a number of regions that cannot be"
        if low == high:
            return f"exactly {counted(low, 'region')}" if low else "no region"
        return f"{low} to {counted(high, 'region')}" if low else f"at most {counted(high, 'region')}"

    def mask(self, evaluation: Evaluation, among: Mask | None = None) -> Mask:
        count = needs_counts(self.low, self.high)
        found = evaluation.region_matches(self.classes, self.test, among, count=count)
        evaluation.matches_of[id(self)] = found
        return within_mask(evaluation.columns.seen_alone(found.within(self.low, self.high)), among)

    def degrees(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        """The clearest region counts; where there may be none, no region is asked for clearly."""
        return self.most(evaluation, rows) * _certainty(evaluation, self.sure_of, rows)

    def most(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        found = evaluation.matches_of[id(self)]
        held = found.within(self.low, self.high, rows)
        return held.astype(np.float32) if self.low == 0 else found.degrees(rows) * held

    def _may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask:
        found = evaluation.matches_of[id(self)]
        held = found.within(0, self.high) if self.low == 0 else found.reaching(degree, above=above)
        return np.logical_and(held, among, out=held)


@dataclass(frozen=True)
class ShowsColour(Step):
    """Photos in which one of the ``classes`` of a thing, called ``name``, shows a colour, or none does."""

    name: str
    classes: tuple[int, ...]
    colour: str
    negated: bool

    @property
    def cost(self) -> Cost:
        return Cost.COVERAGE

    def words(self) -> str:
        return f"{self.name} that is {'not ' if self.negated else ''}{self.colour}"

    def mask(self, evaluation: Evaluation, among: Mask | None = None) -> Mask:
        held = evaluation.columns.coloured(self.classes, bit_of(self.colour))
        if self.negated:
            held = evaluation.columns.seen_alone(np.logical_not(held, out=held))
        evaluation.mask_of[id(self)] = held.copy()
        return within_mask(held, among)

    def degrees(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        return evaluation.mask_of[id(self)][rows].astype(np.float32)

    def _may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask:
        return evaluation.mask_of[id(self)] & among


@dataclass(frozen=True)
class Filter(Step):
    """Photos whose files are as ``predicate`` says, or are not."""

    predicate: FilePredicate
    negated: bool

    @property
    def cost(self) -> Cost:
        """Some facts may have to be asked of the catalog."""
        match self.predicate:
            case Text(name) | Unknown(name) if NAMED[name].kind in _ASKED_OF_THE_CATALOG:
                return Cost.CATALOG
        return Cost.FILES

    def words(self) -> str:
        return f"not {written(self.predicate)}" if self.negated else written(self.predicate)

    def mask(self, evaluation: Evaluation, among: Mask | None = None) -> Mask:
        held = filtered(evaluation.files, self.predicate)
        if self.negated:
            np.logical_not(held, out=held)
        evaluation.mask_of[id(self)] = held.copy()
        return within_mask(held, among)

    def degrees(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        return evaluation.mask_of[id(self)][rows].astype(np.float32)

    def _may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask:
        return evaluation.mask_of[id(self)] & among


@dataclass(frozen=True)
class WordShown(Step):
    """Photos that show, or do not show, something that any of ``leaves`` is, with a probability of at least
    ``parts`` (in 1/PARTS); ``word`` says what that is. A photo without words shows nothing."""

    word: str
    leaves: tuple[int, ...]
    parts: int
    negated: bool

    @property
    def cost(self) -> Cost:
        return Cost.WORDS

    def words(self) -> str:
        bound = f"{'<' if self.negated else '>='} {self.parts / PARTS:.0%}"
        return f"the whole photo shows {self.word} with a probability {bound}"

    def mask(self, evaluation: Evaluation, among: Mask | None = None) -> Mask:
        parts = evaluation.words.parts(self.leaves)
        evaluation.parts_of[id(self)] = parts
        return within_mask(parts < self.parts if self.negated else parts >= self.parts, among)

    def degrees(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        """The probability itself, or what it leaves to 1."""
        return self._degrees[evaluation.parts_of[id(self)][rows]]

    def _may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask:
        reached = self._degrees > degree if above else self._degrees >= degree
        return reached[evaluation.parts_of[id(self)]] & among

    @property
    def _degrees(self) -> NDArray[np.float32]:
        """By probability in 1/PARTS; 0 where it is not as asked."""
        rising, held = np.arange(PARTS + 1, dtype=np.float32) / np.float32(PARTS), np.arange(PARTS + 1)
        return rising[::-1] * (held < self.parts) if self.negated else rising * (held >= self.parts)


@dataclass(frozen=True)
class WordsUnknown(Step):
    """Photos of which no words are known, or those of which some are, if only that nothing is likely."""

    negated: bool

    @property
    def cost(self) -> Cost:
        return Cost.WORDS

    def words(self) -> str:
        return "not word:unknown" if self.negated else "word:unknown"

    def mask(self, evaluation: Evaluation, among: Mask | None = None) -> Mask:
        return within_mask(self._held(evaluation), among)

    def degrees(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        return self._held(evaluation)[rows].astype(np.float32)

    def _may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask:
        return self._held(evaluation) & among

    def _held(self, evaluation: Evaluation) -> Mask:
        without = evaluation.words.without()
        return ~without if self.negated else without


@dataclass(frozen=True)
class Resemble(Step):
    """All photos that have a label map, ranked by how like ``operand``, or its mirror image if that is nearer
    and ``mirrored``, they are; with ``away`` by how little. Beside others, the photo that is not to be like
    takes the share AWAY of its likeness from the likeness to those."""

    operand: str
    mirrored: bool = False
    away: bool = False

    @property
    def cost(self) -> Cost:
        return Cost.VECTORS

    def words(self) -> str:
        compared = f"{self.operand}{' or its mirror image' if self.mirrored else ''}"
        return f"ranked {'down ' if self.away else ''}by likeness to {compared}"

    def mask(self, evaluation: Evaluation, among: Mask | None = None) -> Mask:
        every = np.ones(len(evaluation.columns), bool)
        return within_mask(evaluation.columns.seen_alone(every), among)

    def degrees(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        likeness = self.likeness(evaluation, rows)
        return 1 - AWAY * likeness if self.away else likeness

    def likeness(self, evaluation: Evaluation, rows: Rows) -> NDArray[np.float32]:
        """Of some photos: float32, 0..1."""
        return np.clip(evaluation.likeness(self.operand, self.mirrored, rows), 0, 1)

    def _may_reach(self, evaluation: Evaluation, degree: float, above: bool, among: Mask) -> Mask:
        raise TypeError(self)


PROBABILITIES = np.arange(CERTAIN + 1, dtype=np.float32) / np.float32(CERTAIN)
"""By certainty: float32, 0..1."""


def _certainty(
    evaluation: Evaluation, things: Sequence[tuple[int, ...]], rows: Rows
) -> NDArray[np.float32] | np.float32:
    """The least certainty of some things in some photos: float32, 0..1; 1 for no things."""
    if not things:
        return np.float32(1)
    least = evaluation.columns.certainty_at(things[0], rows)
    for classes in things[1:]:
        least = np.minimum(least, evaluation.columns.certainty_at(classes, rows))
    return PROBABILITIES[least]


def within_mask(held: Mask, among: Mask | None) -> Mask:
    """``held`` of those photos alone that are asked about."""
    return held if among is None else held & among
