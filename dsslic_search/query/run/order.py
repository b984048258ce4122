"""The orders that photos can come in: by degree, by likeness, by a column; and the pages of an order.

An order gives each row a number, greater for better ones; rows of equal numbers come in their own order,
newest first. What a cursor keeps of it is a function of the photo and the query alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.moments import NEVER
from dsslic_search.index.file_columns import path_key
from dsslic_search.query.ast import Sort
from dsslic_search.query.joined import Every
from dsslic_search.query.run.cursor import Value
from dsslic_search.query.run.evaluate import Evaluation
from dsslic_search.query.run.rank import Mask, Ranked, Rows, Values, best, reaching, top
from dsslic_search.query.steps import Resemble, Step

UNSURE_ONE_IN = 16
"""Where more than one photo in so many may reach a degree, those that are not sure enough are left out first,
which takes a pass over all for each thing."""

After = tuple[Any, int]  # a number, and the first row that may share it


class Order(ABC):
    """An order of rows, and how a cursor keeps it."""

    @abstractmethod
    def at(self, rows: Rows) -> Values:
        """The numbers of some rows, ascending."""

    def degrees(self, _numbers: Values) -> Values | None:
        """How well rows of these numbers satisfy the plan; None where the numbers do not tell."""
        return None

    def across(self, found: Ranked) -> Values:
        """What :func:`ranked` makes numbers of that compare with those of other segments. The numbers
        themselves, where they are a function of photo and query alone."""
        return found.numbers

    def kept(self, found: Ranked) -> list[Value]:
        """What a cursor keeps of rows."""
        values: list[Value] = found.numbers.tolist()
        return values

    def number(self, value: Value) -> Any:
        """The number, among those of the rows there are now, for what a cursor kept."""
        return value

    def page(self, mask: Mask, limit: int | None, after: After | None) -> tuple[Ranked, bool]:
        """The ``limit`` best rows of ``mask`` (None: all) that come after ``after``, best first, and whether
        more follow."""
        rows = np.flatnonzero(mask)
        numbers = self.at(rows)
        following = _follows(rows, numbers, after)
        rows, numbers = rows[following], numbers[following]
        limit = rows.size if limit is None else limit
        return top(rows, numbers, limit), limit < rows.size


class Pruned(Order):
    """An order that can tell which rows alone may reach a number, without a look at each."""

    def most(self, rows: Rows) -> Values:
        """What the numbers of some rows, ascending, are at most."""
        return self.at(rows)

    @abstractmethod
    def may_reach(self, value: Any, among: Mask, *, above: bool = False) -> Mask | None:
        """Rows of ``among``, which match the query, of which are all that have at least ``value``, or with
        ``above`` more, in an array of the caller's own; None for all of them."""

    def page(self, mask: Mask, limit: int | None, after: After | None) -> tuple[Ranked, bool]:
        if after is not None:
            mask = self._following(mask, *after)
        total = int(np.count_nonzero(mask))
        limit = total if limit is None else limit
        return best(self, mask, total, limit), limit < total

    def _following(self, mask: Mask, number: Any, start: int) -> Mask:
        rows, numbers = reaching(self, mask, number)
        mask = mask.copy()
        mask[rows[(numbers > number) | (rows < start)]] = False
        return mask


class ByDegree(Pruned):
    """By how well a plan without likeness is satisfied; ``reverse``: how badly."""

    def __init__(self, evaluation: Evaluation, step: Step, reverse: bool) -> None:
        self._evaluation = evaluation
        self._step = step
        self._reverse = reverse

    def at(self, rows: Rows) -> Values:
        degrees = self._step.degrees(self._evaluation, rows)
        return -degrees if self._reverse else degrees

    def degrees(self, numbers: Values) -> Values:
        return -numbers if self._reverse else numbers

    def most(self, rows: Rows) -> Values:
        return self.at(rows) if self._reverse else self._step.most(self._evaluation, rows)

    def may_reach(self, value: Any, among: Mask, *, above: bool = False) -> Mask | None:
        """Of the worst none can be left out: how certain photos are is looked at one by one."""
        if self._reverse:
            return None
        held = self._step.may_reach(self._evaluation, value, above, among)
        if held is not None and value <= 1 and UNSURE_ONE_IN * np.count_nonzero(held) > held.size:
            self._step.leave_out_unsure(self._evaluation, value, above, held)
        return held


class ByLikeness(Order):
    """By a plan that compares photos with others. Where one photo or sketch alone ranks, the vectors find the
    best of all."""

    def __init__(self, evaluation: Evaluation, step: Step, reverse: bool) -> None:
        self._evaluation = evaluation
        self._step = step
        self._sign = -1 if reverse else 1
        self._single = None if reverse else _single(step)

    def at(self, rows: Rows) -> Values:
        return self._sign * self._step.degrees(self._evaluation, rows)

    def degrees(self, numbers: Values) -> Values:
        return self._sign * numbers

    def page(self, mask: Mask, limit: int | None, after: After | None) -> tuple[Ranked, bool]:
        if limit is not None and after is None and self._single is not None:
            found = self._nearest(self._single, mask, limit)
            if found is not None:
                return found, True
        return super().page(mask, limit, after)

    def _nearest(self, step: Resemble, mask: Mask, limit: int) -> Ranked | None:
        """The first page, with more to follow, if it is worth while to choose candidates for it."""
        found = self._evaluation.nearest(step.operand, step.mirrored, mask, limit + 1)
        if found is None:
            return None
        rows, likeness = found
        if rows.size <= limit or not 0 < likeness[-1] < 1:
            return None  # degrees end at 0 and 1, so there may be equals that are not among these
        numbers = np.clip(likeness, 0, 1)
        order = np.lexsort((rows, -numbers))[:limit]
        return Ranked(rows[order], numbers[order])


class ByColumn(Pruned):
    """By a whole number of the columns or of the files, increasing or ``descending``; rows without one
    (NEVER) last in both.

    For an increasing order numbers stand the other way round, n as ~n, which is -1 - n."""

    def __init__(self, numbers: NDArray[np.integer[Any]], descending: bool) -> None:
        self._numbers = numbers
        self._descending = descending

    def at(self, rows: Rows) -> Values:
        numbers = self._numbers[rows].astype(np.int64)
        return numbers if self._descending else np.where(numbers == NEVER, NEVER, ~numbers)

    def may_reach(self, value: Any, among: Mask, *, above: bool = False) -> Mask | None:
        """Those alone that do."""
        if value == NEVER:
            return (self._numbers != NEVER) & among if above else None
        held: Mask
        if self._descending:
            held = self._numbers > value if above else self._numbers >= value
        else:
            held = self._numbers < ~value if above else self._numbers <= ~value
            held &= self._numbers != NEVER
        held &= among
        return held


class ByPath(ByColumn):
    """By path or name. Numbers are twice the rank among all there are now, so that one which is gone has its
    number too."""

    def __init__(self, evaluation: Evaluation, column: Literal["path", "name"], descending: bool) -> None:
        super().__init__(2 * evaluation.files.values(column), descending)
        self._evaluation = evaluation
        self._column = column

    def across(self, found: Ranked) -> Values:
        paths = self._evaluation.files.paths(found.rows)
        return np.array([path_key(self._column, path) for path in paths], object)

    def kept(self, found: Ranked) -> list[Value]:
        return list(self._evaluation.files.paths(found.rows))

    def number(self, value: Value) -> Any:
        rank, there = self._evaluation.files.rank_of(self._column, str(value))
        number = 2 * rank if there else 2 * rank - 1
        return number if self._descending else ~number


def order_of(asked: Sort | None, step: Step, evaluation: Evaluation) -> Order:
    """The order that a query asks for."""
    if asked is None or asked.key == "relevance":
        reverse = asked is not None and not asked.descending
        return (
            ByLikeness(evaluation, step, reverse) if step.resembles else ByDegree(evaluation, step, reverse)
        )
    if asked.thing is not None:
        return ByColumn(evaluation.columns.quanta(asked.thing.classes), asked.descending)
    match asked.key:
        case "path" | "name" as column:
            return ByPath(evaluation, column, asked.descending)
    return ByColumn(evaluation.files.values(asked.key), asked.descending)


def ranked(asked: Sort | None, across: Values) -> Values:
    """What `Order.across` gave for rows of several segments, as numbers: greater for better ones."""
    if asked is None or asked.thing is not None or asked.key not in ("path", "name"):
        return across
    ranks = np.unique(across, return_inverse=True)[1]
    return ranks if asked.descending else -ranks


def order_key(asked: Sort | None) -> object:
    """What tells one order from another."""
    return asked and (asked.key, asked.thing and asked.thing.classes, asked.descending)


def _single(step: Step) -> Resemble | None:
    """The one photo or sketch that likeness to ranks what the step finds, if it is one alone."""
    match step:
        case Resemble(away=False):
            return step
        case Every(parts):
            ranking = [part for part in parts if part.resembles]
            return _single(ranking[0]) if len(ranking) == 1 else None
    return None


def _follows(rows: Rows, numbers: Values, after: After | None) -> Mask:
    if after is None:
        return np.ones(rows.size, bool)
    number, start = after
    held: Mask = (numbers < number) | ((numbers == number) & (rows >= start))
    return held
