"""Answers to the commonest questions of how two things lie to each other, found when the index of regions is
built.

In large archives these are asked of hundreds of thousands of photos. Kept for such a question are the rows of
the photos that pass, if few of those that would be looked at do; and where very many pass, the measure of the
best region of each too, plus 1, as the loops of `index.regions.kernels` give them. "A right of B" passes
where "B left of A" does, by the same measure, and so on: one of both is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.cache import Arrays, Made
from dsslic_search.index.regions.relate import RELATIONS, Beside, Matches, Meeting, RegionTest, Related

KEPT_FROM = 200_000  # photos in the archive; of fewer, the regions are compared soon enough
FREQUENT_ONE_IN = 10  # a question is frequent when at least one photo in so many has both things
KEPT_TIMES = 3  # rows are kept if so many times as many would have to be looked at otherwise
MEASURED_ONE_IN = 5  # measures are kept if at least one photo in so many passes
CLASS_IDS = 256  # a class id is a byte
RELATIONS_KEPT = ("left of", "above", "in front of", "next to")  # and their reverses; stored by number

Kept = tuple[NDArray[np.uint32], NDArray[np.uint16] | None]
"""The rows that pass, ascending, and the measure of the best region of each, plus 1, if that is kept."""


class Regions(Protocol):
    """What of `index.regions.table.Regions` is asked here, where its answers are still to be found."""

    def __len__(self) -> int: ...

    @property
    def classes(self) -> int: ...

    def rows(self, classes: Sequence[int]) -> NDArray[np.uint32]: ...

    def passing(
        self,
        classes: tuple[int, ...],
        test: RegionTest,
        rows: NDArray[np.uint32] | None = None,
        *,
        count: bool = True,
    ) -> Matches: ...


_NONE = np.empty(0, np.uint16)
NOTHING_KEPT: Made = {
    "asked": np.empty(0, np.int64),
    "answers": np.zeros(1, np.int64),
    "answer_rows": np.empty(0, np.uint32),
    "measures": np.zeros(1, np.int64),
    "answer_best": _NONE,
}


def kept(arrays: Arrays, classes: tuple[int, ...], test: RegionTest) -> Kept | None:
    """Where a region of ``classes`` passes; None where this is not kept."""
    question = _question(classes, test)
    if question is None:
        return None
    number = int(np.searchsorted(arrays["asked"], question))
    if number == arrays["asked"].size or arrays["asked"][number] != question:
        return None
    rows = arrays.part("answer_rows", *arrays["answers"][number : number + 2].tolist())
    start, stop = arrays["measures"][number : number + 2].tolist()
    return rows, arrays.part("answer_best", start, stop) if stop - start == rows.size else None


def found_beforehand(regions: Regions) -> Made:
    """``asked``: the questions as numbers, ascending; ``answers``: where the answer to each begins, one more
    at the end; ``answer_rows``: the answers; ``measures`` and ``answer_best``: the same of measures."""
    if len(regions) < KEPT_FROM:
        return NOTHING_KEPT
    found = dict(_frequent(regions))
    asked = sorted(found)
    rows = [found[question][0] for question in asked]
    best = [measured if (measured := found[question][1]) is not None else _NONE for question in asked]
    return {
        "asked": np.array(asked, np.int64),
        "answers": np.cumsum([0, *(each.size for each in rows)]),
        "answer_rows": np.concatenate([NOTHING_KEPT["answer_rows"], *rows]),
        "measures": np.cumsum([0, *(each.size for each in best)]),
        "answer_best": np.concatenate([_NONE, *best]),
    }


def _frequent(regions: Regions) -> Iterator[tuple[int, Kept]]:
    """The questions, as numbers, with their answers."""
    enough = len(regions) / FREQUENT_ONE_IN
    common = [class_id for class_id in range(regions.classes) if regions.rows((class_id,)).size >= enough]
    for pair in combinations_with_replacement(common, 2):
        photos = _having_both(regions, *pair)
        if photos.size < enough:
            continue
        fewest = min(regions.rows((class_id,)).size for class_id in pair)
        for relation in RELATIONS_KEPT:
            for one, other in {pair, pair[::-1]} if relation != _reverse(relation) else {pair}:
                best = regions.passing((one,), Related(relation, (other,)), photos, count=False).best[photos]
                passing = np.flatnonzero(best)
                many = MEASURED_ONE_IN * passing.size >= len(regions)
                if many or KEPT_TIMES * passing.size <= fewest:
                    yield (
                        _number(one, relation, other),
                        (photos[passing], best[passing].astype(np.uint16) if many else None),
                    )


def _having_both(regions: Regions, one: int, other: int) -> NDArray[np.uint32]:
    """The rows, ascending, of photos that have regions of both classes."""
    there = np.zeros(len(regions), bool)
    there[regions.rows((one,))] = True
    rows = regions.rows((other,))
    return rows[there[rows]]


def _reverse(relation: str) -> str | None:
    match RELATIONS[relation]:
        case Beside(reverse=reverse) | Meeting(reverse=reverse):
            return reverse
    return None


def _question(classes: tuple[int, ...], test: RegionTest) -> int | None:
    """The number of a question that may be kept, be it asked from the one side or the other."""
    match classes, test:
        case (one,), Related(relation, (other,)):
            reverse = _reverse(relation)
            if relation == reverse:
                one, other = sorted((one, other))
            if relation in RELATIONS_KEPT:
                return _number(one, relation, other)
            if reverse in RELATIONS_KEPT:
                return _number(other, reverse, one)
    return None


def _number(one: int, relation: str, other: int) -> int:
    return (RELATIONS_KEPT.index(relation) * CLASS_IDS + one) * CLASS_IDS + other
