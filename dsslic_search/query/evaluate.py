"""The steps of a plan on the indexes: which rows match, exactly, and how well.

Only what a query needs is opened. Everything opened must be of the generation of the columns, so that rows mean the same photos
everywhere; otherwise Stale is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.columns import MOST, Columns
from dsslic_search.index.files import Files
from dsslic_search.index.regions import Regions
from dsslic_search.index.relate import Between, Found, Related, Test
from dsslic_search.index.source import Stale
from dsslic_search.index.vectors import Vectors
from dsslic_search.query.plan import Either, Every, Fact, Filter, Located, Resemble, Step, Within, operands, resembles
from dsslic_search.query.rank import Mask, Rows, degrees, span
from dsslic_search.query.tree import Near, Number, Period, Shape, Text, Unknown

Locate = Callable[[str, bool], NDArray[np.float32]]


@dataclass(frozen=True)
class Indexes:
    """Where answers come from, all of one generation of the catalog. All but the columns are opened when a query needs them.

    ``found`` keeps what was found of regions for the next queries, or next pages, that ask the same."""

    columns: Columns
    vectors: Callable[[], Vectors]
    regions: Callable[[], Regions]
    files: Callable[[], Files]
    found: dict[tuple[tuple[int, ...], Test], Found] = field(default_factory=dict, repr=False, compare=False)


FEW = 8  # an eighth of all photos that have the things asked for
MANY = 64  # finding the vectors of more than one photo of so many is slower than scoring all
REMEMBERED = 4_000_000  # photos of which findings are kept

Index = TypeVar("Index", Vectors, Regions, Files)


class Evaluation:
    """One query's work. Regions and files that were looked at are remembered by the step of the plan that asked for them."""

    def __init__(self, indexes: Indexes, locate: Locate, located: Mapping[Resemble, NDArray[np.float32]]) -> None:
        """``locate`` turns what "like" names, and whether mirrored, into embeddings, float32[m, DIMENSION], the best of which
        counts; ``located`` has some already."""
        self.columns = indexes.columns
        self._indexes = indexes
        self._locate = locate
        self._embeddings = dict(located)
        self._found: dict[int, Found] = {}
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
                held = self._numbered(step, found)
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
        """How well rows, ascending, satisfy the step: float32, 0..1. Rows must be of those that `mask` was asked for."""
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
        """The rows whose degree is at least ``value``, or with ``above`` more, in an array of the caller's own; None for all.
        For plans without likeness."""
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
                    return self._numbered(step, found)
                held = np.zeros(len(self.columns), bool)
                clear = found.degrees > value if above else found.degrees >= value
                held[found.rows] = clear & _counted(step, found)
                return held
            case Every(parts):
                return self._joined(np.logical_and, parts, value, above)
            case Either(parts):
                return self._joined(np.logical_or, parts, value, above)
        raise TypeError(step)

    def _fact(self, fact: Fact) -> Mask:
        match fact:
            case Period(column, start, end):
                return self.files.period(column, start, end)
            case Text(column, pattern):
                return self.files.text(column, pattern)
            case Number(column, low, high):
                return self.files.figure(column, low, high)
            case Shape(name):
                return self.files.shape(name)
            case Near(latitude, longitude, metres):
                return self.files.near(latitude, longitude, metres)
            case Unknown(column):
                return self.files.unknown(column)

    def _likeness(self, step: Resemble, rows: Rows) -> NDArray[np.float32]:
        if MANY * rows.size > len(self.columns) and step not in self._alike:
            self._alike[step] = self.vectors.scores(self.embeddings(step), self.vectors.ids)
        if step in self._alike:
            return self._alike[step][rows]
        return self.vectors.scores(self.embeddings(step), self.columns.ids[rows])

    def _looked_up(self, step: Located, among: Mask | None) -> Found:
        """The regions that pass, in photos of ``among`` at least."""
        kept, key = self._indexes.found, (step.classes, step.test)
        regions = self.regions
        if (known := kept.get(key)) is not None:
            return known
        if among is not None and (rows := self._candidates(step, among)) is not None:
            return regions.where(step.classes, step.test, rows)
        if sum(found.rows.size for found in list(kept.values())) > REMEMBERED:
            kept.clear()
        kept[key] = found = regions.where(step.classes, step.test)
        return found

    def _candidates(self, step: Located, among: Mask) -> Rows | None:
        """The rows of a mask that have all things that the step speaks of, as others have no region that passes; None when they
        are a good part of all rows that do, so that it is better to look at these once and for all."""
        things = self.columns.between(step.classes, 1, MOST)
        for classes in _others(step.test):
            things &= self.columns.between(classes, 1, MOST)
        candidates = things & among
        few = FEW * np.count_nonzero(candidates) < np.count_nonzero(things)
        return np.flatnonzero(candidates) if few else None

    def _numbered(self, step: Located, found: Found) -> Mask:
        """Rows whose number of regions is as the step asks. Rows that were not looked at count as having none."""
        held = np.full(len(self.columns), step.low <= 0 and (step.high is None or step.high >= 0))
        held[found.rows] = _counted(step, found)
        return held

    def _clearness(self, step: Located, rows: Rows) -> NDArray[np.float32]:
        if step.low == 0:
            return self._numbered(step, self._found[id(step)])[rows].astype(np.float32)
        found = self._found[id(step)]
        clear = np.zeros(rows.size, np.float32)
        if found.rows.size:
            place = np.minimum(np.searchsorted(found.rows, rows), found.rows.size - 1)
            there = (found.rows[place] == rows) & _counted(step, found)[place]
            clear[there] = found.degrees[place[there]]
        return clear

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


def _counted(step: Located, found: Found) -> Mask:
    held: Mask = found.counts >= step.low
    return held if step.high is None else held & (found.counts <= step.high)


def _others(test: Test) -> tuple[tuple[int, ...], ...]:
    match test:
        case Related(_, classes):
            return (classes,)
        case Between(first, second):
            return first, second
    return ()
