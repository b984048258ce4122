"""A query's tree as a plan: negations pushed down to the predicates, predicates as ranges of coverage.

"not (a and b)" is "not a or not b", and the negation of a range is what lies below or above it; so a plan has no negation, and
each of its steps can say for a photo how well it is satisfied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dsslic_search.index.quanta import TICKS
from dsslic_search.query.tree import And, Compare, Like, Node, Not, Or, Presence, Thing


@dataclass(frozen=True)
class Within:
    """Photos of which the classes of ``thing`` together cover ``low`` to ``high`` ticks, both included."""

    thing: Thing
    low: int
    high: int

    @property
    def classes(self) -> tuple[int, ...]:
        return self.thing.classes

    @property
    def empty(self) -> bool:
        """No coverage at all is in the range."""
        return max(self.low, 0) > min(self.high, TICKS)


@dataclass(frozen=True)
class Resemble:
    """All photos, ranked by how like ``operand`` they are."""

    operand: str


@dataclass(frozen=True)
class Every:
    parts: tuple[Step, ...]


@dataclass(frozen=True)
class Either:
    parts: tuple[Step, ...]


Step = Within | Resemble | Every | Either


def plan(node: Node, presence: int, negated: bool = False) -> Step:
    """The plan of a tree; ``presence`` is the coverage in ticks, at least 1, from which a thing counts as present."""
    match node:
        case Not(part):
            return plan(part, presence, not negated)
        case And(parts) | Or(parts):
            steps = tuple(plan(part, presence, negated) for part in parts)
            return Either(steps) if isinstance(node, Or) != negated else Every(steps)
        case Like(operand, _):
            return Resemble(operand)
        case Presence(thing, below):
            return _range(thing, presence, TICKS if below is None else below - 1, negated)
        case Compare(thing, low, high, _):
            return _range(thing, low, high, negated)


def _range(thing: Thing, low: int, high: int, negated: bool) -> Step:
    if not negated:
        return Within(thing, low, high)
    if low <= 0:
        return Within(thing, high + 1, TICKS)
    if high >= TICKS:
        return Within(thing, 0, low - 1)
    return Either((Within(thing, 0, low - 1), Within(thing, high + 1, TICKS)))


def operands(step: Step) -> Iterator[str]:
    """All photos that the plan compares with, in order."""
    match step:
        case Every(parts) | Either(parts):
            for part in parts:
                yield from operands(part)
        case Resemble(operand):
            yield operand


def resembles(step: Step) -> bool:
    """Whether similarity ranks what this step finds."""
    return next(operands(step), None) is not None


def impossible(step: Step) -> bool:
    """True only if no photo whatever can match: an empty range, or ranges that together ask for more than there can be.

    It sees what a reader would (">60% sky and >50% sea", "no animals but >10% dogs"), not every contradiction there is."""
    match step:
        case Within():
            return step.empty
        case Either(parts):
            return all(map(impossible, parts))
        case Every(parts):
            return any(map(impossible, parts)) or _clash(list(_conjuncts(step)))
    return False


def _conjuncts(step: Step) -> Iterator[Within]:
    match step:
        case Within():
            yield step
        case Every(parts):
            for part in parts:
                yield from _conjuncts(part)


def _clash(conjuncts: list[Within]) -> bool:
    """Whether separate parts of some set of classes need more of a photo than that set may have."""
    needs: dict[tuple[int, ...], int] = {}
    limits: dict[tuple[int, ...], int] = {}
    for each in conjuncts:
        needs[each.classes] = max(needs.get(each.classes, 0), each.low)
        limits[each.classes] = min(limits.get(each.classes, TICKS), each.high)
    largest_first = sorted(needs.items(), key=lambda need: -need[1])
    everything = tuple(sorted({class_id for classes in needs for class_id in classes}))
    for whole, limit in [*limits.items(), (everything, TICKS)]:
        free, needed = set(whole), 0
        for classes, low in largest_first:
            if free.issuperset(classes):
                free.difference_update(classes)
                needed += low
        if needed > limit + len(whole):  # ticks are rounded; a contradiction by a rounding error is none
            return True
    return False
