"""A question asked of segments that several processes have open: what each is asked, what it finds, and one
answer out of all.

What is to be found is worked out once, by who asks, down to numbers: the plan, the embeddings that photos are
compared with, the order, and where the page begins. So the others need no text of a query and no file of a
photo, and what they find is what one process would have found in these segments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from dsslic_search.query.ast import Sort
from dsslic_search.query.run.cursor import Cursor
from dsslic_search.query.run.evaluate import Evaluation, Indexes, Operand, Operands, Resembled
from dsslic_search.query.run.page import Best, Part, best_of, joined
from dsslic_search.query.run.side_by_side import of_each
from dsslic_search.query.steps import Step


@dataclass(frozen=True)
class Asked:
    """``operands``: all that the plan compares photos with. ``lifted``: see `Evaluation`. ``limit``: photos
    of the page, None for all. ``previous``: the cursor of the page before."""

    step: Step
    operands: Mapping[Operand, Resembled]
    lifted: int
    sort: Sort | None
    limit: int | None
    previous: Cursor | None


@dataclass(frozen=True)
class Finding:
    """What is found in some segments: ``total`` photos match of the ``photos`` that are not left out, and the
    best of them for one page."""

    total: int
    photos: int
    best: Best


def find(asked: Asked, indexes: Sequence[Indexes]) -> Finding:
    """In segments, at least one, of this process. Raises Stale as `query.run.execute.answer` does."""
    operands = Operands(unforeseen, asked.operands)
    parts = matching(asked.step, indexes, operands, asked.lifted)
    return Finding(
        sum(part.total for part in parts),
        sum(part.evaluation.photos for part in parts),
        best_of(parts, asked.step, asked.sort, asked.limit, asked.previous),
    )


def together(asked: Asked, findings: Sequence[Finding]) -> Finding:
    """What is found in all the segments, of which each was in one of the findings."""
    return Finding(
        sum(each.total for each in findings),
        sum(each.photos for each in findings),
        joined([each.best for each in findings], asked.sort, asked.limit),
    )


def matching(step: Step, indexes: Sequence[Indexes], operands: Operands, lifted: int) -> list[Part]:
    """The photos of each segment that a plan asks for."""

    def found_in(segment: Indexes) -> Part:
        evaluation = Evaluation(segment, operands, lifted)
        return Part(evaluation, evaluation.of_shown(step.mask(evaluation)))

    return of_each(found_in, indexes, sum(len(each.columns) for each in indexes))


def unforeseen(operand: str, _mirrored: bool) -> NoReturn:
    """For what is not among the operands of what is asked."""
    raise ValueError(f"not told what to compare with for {operand}")
