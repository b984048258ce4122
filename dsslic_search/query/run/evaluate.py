"""The steps of a plan on the indexes: which rows match, exactly, and how well.

Only what a query needs is opened. Everything opened must be of the generation of the columns, so that rows
mean the same photos everywhere; otherwise Stale is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.columns import Columns
from dsslic_search.index.files import Files
from dsslic_search.index.regions.relate import RegionMatches, RegionTest, needs_counts
from dsslic_search.index.regions.table import Regions
from dsslic_search.index.source import Stale
from dsslic_search.index.vectors.table import Vectors
from dsslic_search.query.ast import Near, Number, Period, Shape, Text, Unknown
from dsslic_search.query.plan import (
    Either,
    Every,
    Fact,
    Filter,
    Located,
    Resemble,
    Step,
    Within,
    operands,
    resembles,
)
from dsslic_search.query.run.rank import Mask, Rows, degrees, span

Locate = Callable[[str, bool], NDArray[np.float32]]


@dataclass(frozen=True)
class Indexes:
    """Where answers come from, all of one generation of the catalog. All but the columns are opened when a
    query needs them.

    ``found`` keeps what took long to find of regions for the next queries, or next pages, that ask the
    same."""

    columns: Columns
    vectors: Callable[[], Vectors]
    regions: Callable[[], Regions]
    files: Callable[[], Files]
    found: dict[tuple[tuple[int, ...], RegionTest, bool], RegionMatches] = field(
        default_factory=dict, repr=False, compare=False
    )


FEW = 2  # half of the photos to look at: more are all looked at, once for this query and the next page
MANY = 64  # finding the vectors of more than one photo of so many is slower than scoring all
REMEMBERED = 64_000_000  # bytes of findings that are kept

Index = TypeVar("Index", Vectors, Regions, Files)


class Evaluation:
    """One query's work. Regions and files that were looked at are remembered by the step of the plan that
    asked for them."""

    def __init__(
        self, indexes: Indexes, locate: Locate, located: Mapping[Resemble, NDArray[np.float32]]
    ) -> None:
        """``locate`` turns what "like" names, and whether mirrored, into embeddings, float32[m, DIMENSION],
        the best of which counts; ``located`` has some already."""
        self.columns = indexes.columns
        self._indexes = indexes
        self._locate = locate
        self._embeddings = dict(located)
        self._found: dict[int, RegionMatches] = {}
        self._filtered: dict[int, Mask] = {}
        self._alike: dict[Resemble, NDArray[np.float32]] = {}

    @cached_property
    def vectors(self) -> Vectors:
        return self._current(self._indexes.vectors())

    @cached_property
    def regions(self) -> Regions:
        return self._current(self._indexes.regions())

    @cached_property
    def files(self) -> Files:
        return self._current(self._indexes.files())

    def _current(self, index: Index) -> Index:
        if index.generation != self.columns.generation:
            raise Stale
        return index

    def locate(self, step: Step) -> None:
        """Find all photos to compare with, so that one that is not there is an error whatever matches."""
        for operand in operands(step):
            self.embeddings(operand)

    def embeddings(self, step: Resemble) -> NDArray[np.float32]:
        if step not in self._embeddings:
            self._embeddings[step] = self._locate(step.operand, step.mirrored)
        return self._embeddings[step]

    @property
    def located(self) -> tuple[tuple[Resemble, bytes], ...]:
        """The embeddings used so far, as plain values."""
        return tuple((step, embeddings.tobytes()) for step, embeddings in self._embeddings.items())

    def mask(self, step: Step, among: Mask | None = None) -> Mask:
        """Which rows match, of those in ``among`` if that is given, in an array of the caller's own."""
        match step:
            case Within():
                held = self.columns.within(step.classes, step.low, step.high)
            case Filter(fact, negated):
                held = self._fact(fact)
                if negated:
                    np.logical_not(held, out=held)
                self._filtered[id(step)] = held.copy()
            case Located():
                self._found[id(step)] = found = self._looked_up(step, among)
                held = found.within(step.low, step.high)
            case Every(parts) if parts:
                for part in parts:
                    among = self.mask(part, among)
                assert among is not None
                return among
            case Either(parts):
                held = self.mask(parts[0], among)
                for part in parts[1:]:
                    np.logical_or(held, self.mask(part, among), out=held)
                return held
            case _:
                held = np.ones(len(self.columns), bool)
        return held if among is None else held & among

    def degrees(self, step: Step, rows: Rows) -> NDArray[np.float32]:
        """How well rows, ascending, satisfy the step: float32, 0..1. Rows must be of those that `mask` was
        asked for."""
        match step:
            case Within():
                return degrees(step.low, step.high)[self.columns.at(step.classes, rows)]
            case Filter():
                return self._filtered[id(step)][rows].astype(np.float32)
            case Located():
                return self._clearness(step, rows)
            case Resemble():
                return np.clip(self._likeness(step, rows), 0, 1)
            case Every(parts):
                return self._folded(np.minimum, [part for part in parts if resembles(part)] or parts, rows)
            case Either(parts):
                return self._folded(np.maximum, parts, rows)

    def reaching(self, step: Step, value: float, *, above: bool = False) -> Mask | None:
        """The rows whose degree is at least ``value``, or with ``above`` more, in an array of the caller's
        own; None for all. For plans without likeness."""
        if value < 0 or (value == 0 and not above):
            return None
        if value > 1 or (above and value == 1):
            return np.zeros(len(self.columns), bool)
        match step:
            case Within():
                first, last = span(degrees(step.low, step.high), value, above=above)
                return self.columns.between(step.classes, first, last)
            case Filter():
                return self._filtered[id(step)].copy()
            case Located():
                found = self._found[id(step)]
                if step.low == 0:
                    return found.within(step.low, step.high)
                held = found.reaching(value, above=above)
                return (
                    held
                    if not needs_counts(step.low, step.high)
                    else np.logical_and(held, found.within(step.low, step.high), out=held)
                )
            case Every(parts):
                return self._joined(np.logical_and, parts, value, above)
            case Either(parts):
                return self._joined(np.logical_or, parts, value, above)
        raise TypeError(step)

    def _fact(self, fact: Fact) -> Mask:
        match fact:
            case Period(name, start, end):
                return self.files.period(name, start, end)
            case Text(name, pattern):
                return self.files.text(name, pattern)
            case Number(name, low, high):
                return self.files.figure(name, low, high)
            case Shape(name):
                return self.files.shape(name)
            case Near(latitude, longitude, metres):
                return self.files.near(latitude, longitude, metres)
            case Unknown(name):
                return self.files.unknown(name)

    def _likeness(self, step: Resemble, rows: Rows) -> NDArray[np.float32]:
        if MANY * rows.size > len(self.columns) and step not in self._alike:
            self._alike[step] = self.vectors.scores(self.embeddings(step), self.vectors.ids)
        if step in self._alike:
            return self._alike[step][rows]
        return self.vectors.scores(self.embeddings(step), self.columns.ids[rows])

    def _looked_up(self, step: Located, among: Mask | None) -> RegionMatches:
        """The regions that pass, in photos of ``among`` at least."""
        regions, kept, count = self.regions, self._indexes.found, needs_counts(step.low, step.high)
        if not regions.compares(step.classes, step.test, count=count):
            return regions.passing(step.classes, step.test, count=count)
        if (found := kept.get((step.classes, step.test, count))) is not None:
            return found
        if among is not None:
            rows = regions.concerned(step.classes, step.test)
            wanted = among[rows]
            if FEW * np.count_nonzero(wanted) < rows.size:
                return regions.passing(step.classes, step.test, rows[wanted], count=count)
        if sum(found.nbytes for found in list(kept.values())) > REMEMBERED:
            kept.clear()
        kept[step.classes, step.test, count] = found = regions.passing(step.classes, step.test, count=count)
        return found

    def _clearness(self, step: Located, rows: Rows) -> NDArray[np.float32]:
        found = self._found[id(step)]
        held = found.within(step.low, step.high, rows)
        if step.low == 0:
            return held.astype(np.float32)
        return found.degrees(rows) * held

    def _folded(self, fold: np.ufunc, parts: Sequence[Step], rows: Rows) -> NDArray[np.float32]:
        if not parts:
            return np.ones(rows.size, np.float32)
        folded = self.degrees(parts[0], rows)
        for part in parts[1:]:
            fold(folded, self.degrees(part, rows), out=folded)
        return folded

    def _joined(self, join: np.ufunc, parts: Sequence[Step], value: float, above: bool) -> Mask | None:
        """None, which is all rows, ends an "or" and makes no difference to an "and"."""
        joined: Mask | None = None
        for part in parts:
            mask = self.reaching(part, value, above=above)
            if mask is None and join is np.logical_or:
                return None
            if mask is not None:
                joined = mask if joined is None else join(joined, mask, out=joined)
        return joined
