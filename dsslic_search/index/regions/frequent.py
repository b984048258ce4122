"""Answers to the commonest questions of how two things lie to each other, found when the index of regions is
built.

In large archives these are asked of hundreds of thousands of photos, whose regions it would take too long to
compare while a person waits. Kept for each question: the rows of the photos that pass, and the measure of the
best region of each, plus 1, as the loops of `index.kernels` give them. "A right of B" passes where "B left of
A" does, by the same measure, and so on: one of both is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.cache import Arrays
from dsslic_search.index.regions.relate import Related, Test

FROM = 200_000  # photos; of fewer, an answer is found soon enough
ONE_IN = 100  # photos has both things
MOST = 256  # classes, as their ids are bytes

Groups = NDArray[np.signedinteger[Any]]
Answers = tuple[NDArray[np.uint32], NDArray[np.uint16]]

_REVERSED = {"right of": "left of", "below": "above", "behind": "in front of"}
_KEPT = ("left of", "above", "in front of", "next to")


class Regions(Protocol):
    """What of `index.regions.table.Regions` is asked here, where its answers are still to be found."""

    def __len__(self) -> int: ...

    @property
    def classes(self) -> int: ...

    def rows(self, classes: Sequence[int]) -> NDArray[np.uint32]: ...

    def groups(self, classes: Sequence[int], photos: NDArray[np.uint32]) -> Groups: ...

    def compared(
        self, test: Test, groups: Groups, others: Groups
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]: ...


NONE: Arrays = {
    "asked": np.empty(0, np.int64),
    "answers": np.zeros(1, np.int64),
    "answer_rows": np.empty(0, np.uint32),
    "answer_best": np.empty(0, np.uint16),
}


def known(arrays: Arrays, classes: tuple[int, ...], test: Test) -> Answers | None:
    """The rows, ascending, that have a region of ``classes`` that passes, and the best measures; None where
    this is not kept."""
    question = _question(classes, test)
    if question is None:
        return None
    place = int(np.searchsorted(arrays["asked"], question))
    if place == arrays["asked"].size or arrays["asked"][place] != question:
        return None
    start, stop = arrays["answers"][place : place + 2].tolist()
    return arrays["answer_rows"][start:stop], arrays["answer_best"][start:stop]


def answered(regions: Regions) -> Arrays:
    """``asked``: the questions as numbers, ascending; ``answers``: where the answer to each begins, one more
    at the end; ``answer_rows`` and ``answer_best``: the answers."""
    if len(regions) < FROM:
        return NONE
    found = dict(_found(regions))
    asked = sorted(found)
    return {
        "asked": np.array(asked, np.int64),
        "answers": np.cumsum([0, *(found[question][0].size for question in asked)]),
        "answer_rows": np.concatenate([NONE["answer_rows"], *(found[question][0] for question in asked)]),
        "answer_best": np.concatenate([NONE["answer_best"], *(found[question][1] for question in asked)]),
    }


def _found(regions: Regions) -> Iterator[tuple[int, Answers]]:
    """The questions, as numbers, with their answers."""
    enough = len(regions) / ONE_IN
    common = [class_id for class_id in range(regions.classes) if regions.rows((class_id,)).size >= enough]
    for pair in combinations_with_replacement(common, 2):
        photos = _having_both(regions, *pair)
        if photos.size < enough:
            continue
        groups = {class_id: regions.groups((class_id,), photos) for class_id in pair}
        for relation in _KEPT:
            for one, other in {pair, pair[::-1]} if relation != "next to" else {pair}:
                test = Related(relation, (other,))
                _, best = regions.compared(test, groups[one], groups[other])
                passing = np.flatnonzero(best)
                yield _number(one, relation, other), (photos[passing], best[passing])


def _having_both(regions: Regions, one: int, other: int) -> NDArray[np.uint32]:
    there = np.zeros(len(regions), bool)
    there[regions.rows((one,))] = True
    rows = regions.rows((other,))
    return rows[there[rows]]


def _question(classes: tuple[int, ...], test: Test) -> int | None:
    """The number of a question that may be kept."""
    match classes, test:
        case (one,), Related("right of" | "below" | "behind" as relation, (other,)):
            return _number(other, _REVERSED[relation], one)
        case (one,), Related("next to", (other,)):
            return _number(min(one, other), "next to", max(one, other))
        case (one,), Related("left of" | "above" | "in front of" as relation, (other,)):
            return _number(one, relation, other)
    return None


def _number(one: int, relation: str, other: int) -> int:
    return (_KEPT.index(relation) * MOST + one) * MOST + other
