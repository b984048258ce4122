"""Whether a query asks for what cannot be together. It sees what a reader would, not every contradiction
there is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime

from dsslic_search.core.fields import NAMED
from dsslic_search.features.regions import LEAST_PER_MILLE
from dsslic_search.index.quanta import TICKS
from dsslic_search.index.regions import relate
from dsslic_search.query.ast import Near, Number, Period, Shape, Text, Unknown
from dsslic_search.query.plan import Either, Every, Fact, Filter, Located, Step, Within

Classes = tuple[int, ...]

LEAST = LEAST_PER_MILLE * TICKS // 1000  # ticks of a region
OUTLINES = {  # widths and heights of every kind
    "portrait": {(3, 4), (1, 2)},
    "landscape": {(4, 3), (2, 1)},
    "square": {(1, 1)},
    "panorama": {(1, 2), (2, 1)},
}


def impossible(step: Step) -> bool:
    """True only if no photo whatever can match: an empty range, or conditions that cannot hold together, such
    as ">60% sky and >50% sea", "no animals but >10% dogs" or "portrait and landscape"."""
    match step:
        case Within():
            return step.empty
        case Located(_, _, _, low, high):
            return high is not None and high < low
        case Either(parts):
            return all(map(impossible, parts))
        case Every(parts):
            return any(map(impossible, parts)) or _clash([*_conjuncts(step)])
    return False


def _conjuncts(step: Step) -> Iterator[Step]:
    if isinstance(step, Every):
        for part in step.parts:
            yield from _conjuncts(part)
    else:
        yield step


def _clash(steps: list[Step]) -> bool:
    within = [step for step in steps if isinstance(step, Within)]
    located = [step for step in steps if isinstance(step, Located)]
    return (
        _coverages_clash(within, located)
        or _numbers_clash(located)
        or _facts_clash([s for s in steps if isinstance(s, Filter)])
    )


def _coverages_clash(within: list[Within], located: list[Located]) -> bool:
    """Whether things together must cover more than they may."""
    needs: dict[Classes, int] = {}
    limits: dict[Classes, int] = {}
    for step in within:
        needs[step.classes] = max(needs.get(step.classes, 0), step.low)
        limits[step.classes] = min(limits.get(step.classes, TICKS), step.high)
    if any(needs[classes] > limits[classes] for classes in limits):
        return True
    for classes, low in _region_needs(located):
        needs[classes] = max(needs.get(classes, 0), low - len(classes))
    everything = tuple(sorted({class_id for classes in needs for class_id in classes}))
    # ticks are rounded; a contradiction by a rounding error is none
    return any(
        _packed(whole, needs) > limit + len(whole) for whole, limit in [*limits.items(), (everything, TICKS)]
    )


def _region_needs(located: list[Located]) -> Iterator[tuple[Classes, int]]:
    """What regions that must be there cover at least."""
    for step in located:
        if step.low < 1:
            continue
        yield step.classes, step.low * LEAST
        match step.test:
            case relate.Related(relation, classes):
                # a contact is to any pixel of the thing, be it of a region or not
                yield classes, 1 if isinstance(relate.RELATIONS[relation], relate.Contact) else LEAST
            case relate.Between(first, second):
                yield first, LEAST
                yield second, LEAST


def _numbers_clash(located: list[Located]) -> bool:
    """Whether there must be more regions of some kind than there may be."""
    for limit in located:
        if limit.high is None:
            continue
        needs: dict[Classes, int] = {}
        for step in located:
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


def _facts_clash(filters: list[Filter]) -> bool:
    facts = [step.fact for step in filters if not step.negated]
    denied = [step.fact for step in filters if step.negated]
    if any(fact in denied for fact in facts):
        return True
    missing = {fact.field for fact in facts if isinstance(fact, Unknown)}
    for fact in facts:
        match fact:
            case Period(name) | Text(name) if name in missing:
                return True
            case Near() if "place" in missing:
                return True
            case Text(name, pattern) if NAMED[name].kind == "word":
                if any(isinstance(f, Text) and f.field == name and f.pattern != pattern for f in facts):
                    return True
    return _outlines_clash(filters) or _ranges_clash(facts, denied)


def _outlines_clash(filters: list[Filter]) -> bool:
    possible = set().union(*OUTLINES.values())
    for step in filters:
        if isinstance(step.fact, Shape):
            own = OUTLINES[step.fact.name]
            possible = possible - own if step.negated else possible & own
    return not possible


def _ranges_clash(facts: list[Fact], denied: list[Fact]) -> bool:
    """Whether a date or number has no value that is in all ranges asked for and in none of those denied."""
    for name in {fact.field for fact in facts if isinstance(fact, Period | Number)}:
        ranges = [_range(fact) for fact in facts if isinstance(fact, Period | Number) and fact.field == name]
        start, end = max(low for low, _ in ranges), min(high for _, high in ranges)
        if start > end or (start == end and NAMED[name].kind == "date"):
            return True
        others = [_range(fact) for fact in denied if isinstance(fact, Period | Number) and fact.field == name]
        if any(low <= start and end <= high for low, high in others):
            return True
    return False


def _range(fact: Period | Number) -> tuple[float, float]:
    """Bounds, the upper one included for a figure and not for a date."""
    if isinstance(fact, Number):
        return -math.inf if fact.low is None else fact.low, math.inf if fact.high is None else fact.high
    return _seconds(fact.start, -math.inf), _seconds(fact.end, math.inf)


def _seconds(date: datetime | None, unbounded: float) -> float:
    return unbounded if date is None else (date - datetime(1970, 1, 1)).total_seconds()
