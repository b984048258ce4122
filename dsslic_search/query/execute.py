"""Queries answered: which photos match, exactly, and in which order.

Every predicate gives a degree of satisfaction 0..1 (query.rank); "and" takes the least of its parts' degrees, "or" the greatest.
Where parts of an "and" are ranked by likeness, the others only filter. Ties: newest first, then by id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.columns import Columns
from dsslic_search.index.quanta import TICKS
from dsslic_search.index.vectors import Vectors
from dsslic_search.query.explain import explanation
from dsslic_search.query.parse import parse
from dsslic_search.query.plan import Either, Every, Resemble, Step, Within, operands, plan, resembles
from dsslic_search.query.rank import best, degree
from dsslic_search.query.tree import Like, Node, leaves
from dsslic_search.vocabulary import Vocabulary

Locate = Callable[[str], NDArray[np.float32]]


@dataclass(frozen=True)
class Answer:
    """What a query found. ``total``: how many photos match, exactly. ``ids``: int64, best first, and ``scores``: float64 0..1,
    of all matches or of the first ``limit``. ``classes``: the class ids that the query speaks of, groups as their members."""

    text: str
    total: int
    ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    classes: tuple[int, ...]
    tree: Node
    plan: Step
    photos: int
    counts: dict[Within, int]
    vocabulary: Vocabulary

    def explain(self) -> str:
        """The query's tree, words and plan for people, with the number of photos that each predicate matches."""
        return explanation(self.text, self.tree, self.plan, self.counts, self.photos, self.total, self.vocabulary)


def answer(
    text: str,
    *,
    columns: Columns,
    vectors: Vectors | Callable[[], Vectors],
    vocabulary: Vocabulary,
    presence: float,
    locate: Locate,
    limit: int | None = None,
) -> Answer:
    """Find the photos that match a query.

    ``presence``: the coverage, 0..1, from which a thing counts as present. ``vectors``: the embeddings, or a function that opens
    them, called only for a query with "like". ``locate`` turns the operand of "like", a path or "#" and an id, into an embedding
    and may raise DSSError. ``limit``: rank only that many of the matches. Raises QueryError for a text that is no query."""
    tree = parse(text, vocabulary)
    step = plan(tree, max(1, round(presence * TICKS)))
    search = _Search(columns, vectors, locate)
    rows = search.rows(step)
    ids, scores = search.ranked(step, rows, rows.size if limit is None else max(limit, 0))
    classes = {class_id for leaf in leaves(tree) if not isinstance(leaf, Like) for class_id in leaf.thing.classes}
    return Answer(text, rows.size, ids, scores, tuple(sorted(classes)), tree, step, len(columns), search.counts, vocabulary)


class _Search:
    """One query's work on the columns; sums and counts are kept for the predicates that need them again."""

    def __init__(self, columns: Columns, vectors: Vectors | Callable[[], Vectors], locate: Locate) -> None:
        self.columns = columns
        self._vectors = vectors
        self._locate = locate
        self._totals: dict[tuple[int, ...], NDArray[np.uint16]] = {}
        self._operands: dict[str, NDArray[np.float32]] = {}
        self.counts: dict[Within, int] = {}

    def rows(self, step: Step) -> NDArray[np.intp]:
        """The rows that match, ascending."""
        mask = self._mask(step)
        return np.arange(len(self.columns)) if mask is None else np.flatnonzero(mask)

    def ranked(self, step: Step, rows: NDArray[np.intp], limit: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Ids and scores of the best ``limit`` of ``rows``, best first, equal ones in the order of rows."""
        for operand in operands(step):
            self._vector(operand)  # a photo that cannot be found is an error even where nothing matches
        if isinstance(step, Resemble) and limit < rows.size and self._opened().generation == self.columns.generation:
            ids, likeness = self._opened().nearest(self._vector(step.operand), limit)
            return ids, np.clip(likeness, 0, 1).astype(np.float64)
        degrees = self._degrees(step, rows)
        chosen = best(degrees, limit)
        return self.columns.ids[rows[chosen]], degrees[chosen].astype(np.float64)

    def _mask(self, step: Step) -> NDArray[np.bool_] | None:
        """Which rows match, in an array of the caller's own; None for all of them."""
        match step:
            case Within():
                return self._within(step)
            case Every(parts):
                every: NDArray[np.bool_] | None = None
                for part in parts:
                    if (mask := self._mask(part)) is not None:
                        every = mask if every is None else np.logical_and(every, mask, out=every)
                return every
            case Either(parts):
                masks = map(self._mask, parts)
                either = next(masks)
                for mask in masks:
                    either = None if either is None or mask is None else np.logical_or(either, mask, out=either)
                return either
        return None

    def _within(self, step: Within) -> NDArray[np.bool_]:
        total = self._total(step.classes)
        mask = self.columns.at_least(step.classes, step.low, total) if step.low > 0 else None
        if step.high < TICKS:
            below = self.columns.at_least(step.classes, step.high + 1, total)
            np.logical_not(below, out=below)
            mask = below if mask is None else np.logical_and(mask, below, out=mask)
        if mask is None:
            mask = np.ones(len(self.columns), bool)
        self.counts[step] = int(np.count_nonzero(mask))
        return mask

    def _total(self, classes: tuple[int, ...]) -> NDArray[np.uint16]:
        if classes not in self._totals:
            self._totals[classes] = self.columns.total(classes)
        return self._totals[classes]

    def _degrees(self, step: Step, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """How well each row satisfies the step: float32, 0..1."""
        match step:
            case Within():
                return degree(self._total(step.classes)[rows], step)
            case Resemble(operand):
                return np.clip(self._opened().scores(self._vector(operand), self.columns.ids[rows]), 0, 1)
            case Every(parts):
                return self._folded(np.minimum, [part for part in parts if resembles(part)] or parts, rows)
            case Either(parts):
                return self._folded(np.maximum, parts, rows)

    def _folded(self, fold: np.ufunc, parts: Sequence[Step], rows: NDArray[np.intp]) -> NDArray[np.float32]:
        folded = self._degrees(parts[0], rows)
        for part in parts[1:]:
            fold(folded, self._degrees(part, rows), out=folded)
        return folded

    def _vector(self, operand: str) -> NDArray[np.float32]:
        if operand not in self._operands:
            self._operands[operand] = self._locate(operand)
        return self._operands[operand]

    def _opened(self) -> Vectors:
        if not isinstance(self._vectors, Vectors):
            self._vectors = self._vectors()
        return self._vectors
