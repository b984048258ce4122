"""One page of an answer, from what was found in each segment: the best of each, and of these the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.cached import cached_property
from dsslic_search.index.columns import Columns
from dsslic_search.query.ast import Sort
from dsslic_search.query.run.cursor import Cursor, Value
from dsslic_search.query.run.evaluate import Evaluation
from dsslic_search.query.run.order import Order, order_of, ranked
from dsslic_search.query.run.rank import Mask, Ranked, Values
from dsslic_search.query.run.side_by_side import of_each
from dsslic_search.query.steps import Step


@dataclass(frozen=True)
class Part:
    """What a query found in one segment. ``mask``: bool, which of its rows match."""

    evaluation: Evaluation
    mask: Mask = field(repr=False)

    @cached_property
    def total(self) -> int:
        """How many photos match."""
        return int(np.count_nonzero(self.mask))

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """The rows of all photos that match, ascending."""
        return np.flatnonzero(self.mask)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Their ids, newest first."""
        return self.evaluation.columns.ids[self.rows]


@dataclass(frozen=True)
class Page:
    """``ids``: int64, best first, and ``scores``, float64 0..1. ``more``: whether others follow. ``last``:
    what a cursor keeps of the last: value, date and id."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    more: bool
    last: tuple[Value, int, int] | None


def page_of(
    parts: Sequence[Part], step: Step, sort: Sort | None, limit: int | None, previous: Cursor | None
) -> Page:
    """The ``limit`` best photos (None: all) after those of the page that a cursor is of."""
    if limit == 0:
        return Page(np.empty(0, np.int64), np.empty(0), True, None)
    photos = sum(part.mask.size for part in parts)
    found = of_each(lambda part: _found(part, step, sort, limit, previous), parts, photos)
    best = _merged(found, sort)[:limit]
    sizes = [each.ranked.rows.size for each in found]
    ends = np.cumsum(sizes)
    ids, scores = np.empty(best.size, np.int64), np.empty(best.size)
    for each, end, size in zip(found, ends.tolist(), sizes, strict=True):
        own = np.flatnonzero((best >= end - size) & (best < end))
        chosen = each.of(best[own] - (end - size))
        ids[own] = each.columns.ids[chosen.rows]
        scores[own] = _scores(each, step, chosen)
    last = None
    if best.size:
        number = int(np.searchsorted(ends, best[-1], "right"))
        each = found[number]
        lowest = each.of(best[-1:] - (ends[number] - sizes[number]))
        last = each.order.kept(lowest)[0], int(each.columns.moments[lowest.rows[0]]), int(ids[-1])
    held = sum(sizes)
    return Page(ids, scores, best.size < held or any(each.more for each in found), last)


@dataclass(frozen=True)
class _Found:
    """The best of one segment, and whether ``more`` follow."""

    evaluation: Evaluation
    order: Order
    ranked: Ranked
    more: bool

    @property
    def columns(self) -> Columns:
        return self.evaluation.columns

    def of(self, places: NDArray[np.intp]) -> Ranked:
        """Some of them."""
        return Ranked(self.ranked.rows[places], self.ranked.numbers[places])


def _found(part: Part, step: Step, sort: Sort | None, limit: int | None, previous: Cursor | None) -> _Found:
    columns, order = part.evaluation.columns, order_of(sort, step, part.evaluation)
    start = None
    if previous is not None:
        start = order.number(previous.value), columns.row_after(previous.moment, previous.photo_id)
    return _Found(part.evaluation, order, *order.page(part.mask, limit, start))


@dataclass(frozen=True)
class Best:
    """The best photos of some segments, best first, with what they are merged by with those of others, which
    another process may have found. ``numbers``: what `Order.across` gives; ``values``: what a cursor keeps of
    each. Else as `Page`."""

    ids: NDArray[np.int64]
    moments: NDArray[np.int64]
    numbers: Values
    scores: NDArray[np.float64]
    values: tuple[Value, ...]
    more: bool

    @property
    def page(self) -> Page:
        """As the page of all that there is."""
        last = (self.values[-1], int(self.moments[-1]), int(self.ids[-1])) if self.values else None
        return Page(self.ids, self.scores, self.more, last)


def best_of(
    parts: Sequence[Part], step: Step, sort: Sort | None, limit: int | None, previous: Cursor | None
) -> Best:
    """What `page_of` finds in some segments of several."""
    if limit == 0:
        nothing = np.empty(0, np.int64)
        return Best(nothing, nothing, np.empty(0), np.empty(0), (), True)

    def best_in(part: Part) -> Best:
        found = _found(part, step, sort, limit, previous)
        return Best(
            found.columns.ids[found.ranked.rows],
            found.columns.moments[found.ranked.rows],
            found.order.across(found.ranked),
            _scores(found, step, found.ranked),
            tuple(found.order.kept(found.ranked)),
            found.more,
        )

    photos = sum(part.mask.size for part in parts)
    return joined(of_each(best_in, parts, photos), sort, limit)


def joined(found: Sequence[Best], sort: Sort | None, limit: int | None) -> Best:
    """The best of all."""
    if len(found) == 1:
        return found[0]
    ids, moments, numbers, scores = (
        np.concatenate([getattr(each, name) for each in found])
        for name in ("ids", "moments", "numbers", "scores")
    )
    values = [value for each in found for value in each.values]
    best = _in_order(sort, numbers, moments, ids)[:limit]
    return Best(
        ids[best],
        moments[best],
        numbers[best],
        scores[best],
        tuple(values[place] for place in best.tolist()),
        best.size < ids.size or any(each.more for each in found),
    )


def _merged(found: Sequence[_Found], sort: Sort | None) -> NDArray[np.intp]:
    """The places of all rows, those of one segment after those of another, best first."""
    if len(found) == 1:
        return np.arange(found[0].ranked.rows.size)
    numbers = np.concatenate([each.order.across(each.ranked) for each in found])
    moments = np.concatenate([each.columns.moments[each.ranked.rows] for each in found])
    ids = np.concatenate([each.columns.ids[each.ranked.rows] for each in found])
    return _in_order(sort, numbers, moments, ids)


def _in_order(
    sort: Sort | None, numbers: Values, moments: NDArray[np.int64], ids: NDArray[np.int64]
) -> NDArray[np.intp]:
    numbers = ranked(sort, numbers)
    falling = ~numbers if numbers.dtype.kind == "i" else -numbers  # minus the least whole number is itself
    return np.lexsort((ids, -moments, falling))


def _scores(found: _Found, step: Step, ranked: Ranked) -> NDArray[np.float64]:
    """The degrees of rows that were found."""
    if (told := found.order.degrees(ranked.numbers)) is not None:
        return told.astype(np.float64)
    if not ranked.rows.size:
        return np.empty(0)
    ascending = np.argsort(ranked.rows)
    scores = np.empty(ranked.rows.size)
    scores[ascending] = step.degrees(found.evaluation, ranked.rows[ascending])
    return scores
