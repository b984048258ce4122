"""Whether a query asks for what cannot be together. It sees what a reader would, not every contradiction
there is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime

from dsslic_search.core.fields import NAMED
from dsslic_search.core.kinds import ANY_STATE
from dsslic_search.features.regions import MIN_REGION_PER_MILLE
from dsslic_search.index.quanta import TICKS
from dsslic_search.index.regions import relate
from dsslic_search.query.ast import FilePredicate, Near, Number, Orientation, Period, Text, Unknown, Within
from dsslic_search.query.joined import Either, Every
from dsslic_search.query.steps import CoverageRange, Filter, RegionCount, Step, WordShown

Classes = tuple[int, ...]

LEAST_REGION_TICKS = MIN_REGION_PER_MILLE * TICKS // 1000
SIDES_OF = {  # widths and heights of every kind that tells one orientation from another
    "portrait": {(3, 4), (1, 2)},
    "landscape": {(4, 3), (2, 1)},
    "square": {(1, 1)},
    "panorama": {(1, 2), (2, 1)},
}


def impossible(step: Step) -> bool:
    """True only if no photo whatever can match: an empty range, or conditions that cannot hold together, such
    as ">60% sky and >50% sea", "no animals but >10% dogs" or "portrait and landscape"."""
    match step:
        case Either(parts):
            return all(map(impossible, parts))
        case Every(parts):
            return any(map(impossible, parts)) or _clash([*_conjuncts(step)])
        case _:
            return step.empty


def _conjuncts(step: Step) -> Iterator[Step]:
    if isinstance(step, Every):
        for part in step.parts:
            yield from _conjuncts(part)
    else:
        yield step


def _clash(steps: list[Step]) -> bool:
    ranges = [step for step in steps if isinstance(step, CoverageRange)]
    counts = [step for step in steps if isinstance(step, RegionCount)]
    words = [step for step in steps if isinstance(step, WordShown)]
    return (
        _coverages_clash(ranges, counts)
        or _numbers_clash(counts)
        or _words_clash(words)
        or _files_clash([step for step in steps if isinstance(step, Filter)])
    )


def _coverages_clash(ranges: list[CoverageRange], counts: list[RegionCount]) -> bool:
    """Whether things together must cover more than they may."""
    needs: dict[Classes, int] = {}
    limits: dict[Classes, int] = {}
    for step in ranges:
        needs[step.classes] = max(needs.get(step.classes, 0), step.low)
        limits[step.classes] = min(limits.get(step.classes, TICKS), step.high)
    if any(needs[classes] > limits[classes] for classes in limits):
        return True
    for classes, low in _region_needs(counts):
        needs[classes] = max(needs.get(classes, 0), low - len(classes))
    everything = tuple(sorted({class_id for classes in needs for class_id in classes}))
    # ticks are rounded; a contradiction by a rounding error is none
    return any(
        _packed(whole, needs) > limit + len(whole) for whole, limit in [*limits.items(), (everything, TICKS)]
    )


def _region_needs(counts: list[RegionCount]) -> Iterator[tuple[Classes, int]]:
    """What regions that must be there cover at least."""
    for step in counts:
        if step.low < 1:
            continue
        yield step.classes, step.low * LEAST_REGION_TICKS
        match step.test:
            case relate.Related(relation, classes):
                # a contact is to any pixel of the thing, be it of a region or not
                yield (
                    classes,
                    1 if isinstance(relate.RELATIONS[relation], relate.Contact) else LEAST_REGION_TICKS,
                )
            case relate.Between(first, second):
                yield first, LEAST_REGION_TICKS
                yield second, LEAST_REGION_TICKS


def _numbers_clash(counts: list[RegionCount]) -> bool:
    """Whether there must be more regions of some kind than there may be."""
    for limit in counts:
        if limit.high is None:
            continue
        needs: dict[Classes, int] = {}
        for step in counts:
            if limit.test in (relate.Anywhere(), step.test):
                needs[step.classes] = max(needs.get(step.classes, 0), step.low)
        if _packed(limit.classes, needs) > limit.high:
            return True
    return False


def _packed(whole: Classes, needs: Mapping[Classes, int]) -> int:
    """What is needed of separate parts of ``whole`` together, the greatest first."""
    free, needed = set(whole), 0
    for classes, low in sorted(needs.items(), key=lambda need: -need[1]):
        if free.issuperset(classes):
            free.difference_update(classes)
            needed += low
    return needed


def _words_clash(words: list[WordShown]) -> bool:
    """Whether a word, or what it is a kind of, is both asked for and denied."""
    asked, denied = ([step for step in words if step.negated is negated] for negated in (False, True))
    return any(
        set(one.leaves) <= set(other.leaves) and one.parts >= other.parts for one in asked for other in denied
    )


def _files_clash(filters: list[Filter]) -> bool:
    """Whether no file can be as all filters say."""
    asked = [step.predicate for step in filters if not step.negated and not _is_of_any_state(step.predicate)]
    denied = [step.predicate for step in filters if step.negated]
    if any(predicate in denied for predicate in asked):
        return True
    missing = {predicate.field for predicate in asked if isinstance(predicate, Unknown)}
    for predicate in asked:
        match predicate:
            case Period(name) | Text(name) | Number(name) if name in missing:
                return True
            case Near() | Within() if "place" in missing:
                return True
            case Text(name, pattern) if NAMED[name].kind == "word":
                if any(
                    isinstance(other, Text) and other.field == name and other.pattern != pattern
                    for other in asked
                ):
                    return True
    return _orientations_clash(filters) or _ranges_clash(asked, denied)


def _is_of_any_state(predicate: FilePredicate) -> bool:
    return isinstance(predicate, Text) and (predicate.field, predicate.pattern) == ("is", ANY_STATE)


def _orientations_clash(filters: list[Filter]) -> bool:
    possible = set().union(*SIDES_OF.values())
    for step in filters:
        if isinstance(step.predicate, Orientation):
            own = SIDES_OF[step.predicate.name]
            possible = possible - own if step.negated else possible & own
    return not possible


def _ranges_clash(asked: list[FilePredicate], denied: list[FilePredicate]) -> bool:
    """Whether a date or number has no value that is in all ranges asked for and in none of those denied."""
    for name in {predicate.field for predicate in asked if isinstance(predicate, Period | Number)}:
        ranges, others = (
            [_range(each) for each in predicates if isinstance(each, Period | Number) and each.field == name]
            for predicates in (asked, denied)
        )
        start, end = max(low for low, _ in ranges), min(high for _, high in ranges)
        if start > end or (start == end and NAMED[name].kind == "date"):
            return True
        if any(low <= start and end <= high for low, high in others):
            return True
    return False


def _range(predicate: Period | Number) -> tuple[float, float]:
    """Bounds, the upper one included for a number and not for a date."""
    if isinstance(predicate, Period):
        return _seconds(predicate.start, -math.inf), _seconds(predicate.end, math.inf)
    low, high = predicate.low, predicate.high
    return -math.inf if low is None else low, math.inf if high is None else high


def _seconds(date: datetime | None, unbounded: float) -> float:
    return unbounded if date is None else (date - datetime(1970, 1, 1)).total_seconds()
