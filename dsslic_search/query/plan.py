"""A query's tree as a plan: negations pushed down to the predicates, and the parts of "and" in the order in
which they are cheap.

"not (a and b)" is "not a or not b"; the negation of a range of coverage or of a number of regions is what
lies below or above it, and a filter is true or false: so each step can say for a photo how well it is
satisfied.
"""

from __future__ import annotations

from collections.abc import Callable

from dsslic_search.index.quanta import TICKS
from dsslic_search.index.regions import relate
from dsslic_search.query.ast import (
    Amid,
    And,
    Anywhere,
    Balance,
    Coloured,
    Compare,
    Like,
    Node,
    Not,
    Or,
    Presence,
    Regional,
    Relation,
    Shows,
    Thing,
    Unknown,
    Where,
    Zone,
)
from dsslic_search.query.joined import Either, Every
from dsslic_search.query.steps import (
    CoverageRange,
    Filter,
    RegionCount,
    Resemble,
    ShowsColour,
    Step,
    WordShown,
    WordsUnknown,
)
from dsslic_search.query.weighed import WeighedSum

PresenceOf = Callable[[tuple[int, ...]], int]
MakeRange = Callable[[int, int | None], Step]
"""Makes the step for the numbers from one to another, both included (None: or more)."""


def plan(node: Node | None, presence: int | PresenceOf) -> Step:
    """The plan of a tree, of every photo for None; ``presence`` is the coverage in ticks, at least 1, from
    which a thing counts as present, or gives it by the thing's classes."""
    if node is None:
        return Every(())
    least = presence
    return _planned(node, least if callable(least) else lambda classes: least, negated=False)


def together(*steps: Step) -> Step:
    """The photos that all steps find: nested "and"s made one, the cheap parts first."""
    parts = [part for step in steps for part in (step.parts if isinstance(step, Every) else (step,))]
    return parts[0] if len(parts) == 1 else Every(tuple(sorted(parts, key=lambda part: part.cost)))


def _planned(node: Node, presence: PresenceOf, negated: bool) -> Step:
    match node:
        case Not(part):
            return _planned(part, presence, not negated)
        case And(parts) | Or(parts):
            steps = [_planned(part, presence, negated) for part in parts]
            return _any(*steps) if isinstance(node, Or) != negated else together(*steps)
        case Coloured(thing, colour):
            present = _planned(Presence(thing), presence, negated)
            shown = ShowsColour(thing.name, thing.classes, colour, negated)
            return _any(present, shown) if negated else together(present, shown)
        case Like(operand, _, mirrored):
            return Resemble(operand, mirrored, negated)
        case Presence(thing, below):
            least = presence(thing.classes)
            return _range(_coverage_of(thing), least, None if below is None else below - 1, negated)
        case Balance():
            return _balance(node, negated)
        case Compare(thing, low, high, _):
            return _range(_coverage_of(thing), low, None if high >= TICKS else high, negated)
        case Regional(thing, where, low, high, _):
            return _range(_regions_of(thing, where), low, high, negated)
        case Shows(word, leaves, parts):
            return WordShown(word, leaves, parts, negated)
        case Unknown("word"):
            return WordsUnknown(negated)
        case _:
            return Filter(node, negated)


def _balance(node: Balance, negated: bool) -> Step:
    sign = -1 if negated else 1
    terms = tuple((thing.name, thing.classes, sign * times) for thing, times in node.terms)
    weighed = WeighedSum(terms, sign * node.bound, node.above != negated)
    if node.needs_something:
        return weighed
    there = _range(_coverage_of(node.terms[0][0]), 1, None, negated)
    return _any(there, weighed) if negated else together(there, weighed)


def _any(*steps: Step) -> Step:
    """The photos that some step finds: nested "or"s made one."""
    parts = [part for step in steps for part in (step.parts if isinstance(step, Either) else (step,))]
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def _range(make: MakeRange, low: int, high: int | None, negated: bool) -> Step:
    """The step for the numbers from ``low`` to ``high`` (None: no bound), or for all others from 0."""
    if not negated:
        return make(low, high)
    above = [] if high is None else [make(high + 1, None)]
    below = [make(0, low - 1)] if low > 0 or not above else []
    return _any(*below, *above)


def _coverage_of(thing: Thing) -> MakeRange:
    return lambda low, high: CoverageRange(thing.name, thing.classes, low, TICKS if high is None else high)


def _regions_of(thing: Thing, where: Where) -> MakeRange:
    test: relate.RegionTest
    match where:
        case Anywhere():
            name, test = thing.name, relate.Anywhere()
        case Zone(zone):
            name, test = f"{thing.name} in {zone}", relate.InZone(zone)
        case Relation("around", inner):
            return _regions_of(inner, Relation("surrounded by", thing))
        case Relation(relation, other):
            name, test = f"{thing.name} {relation} {other.name}", relate.Related(relation, other.classes)
        case Amid(first, second):
            name = f"{thing.name} between {first.name} and {second.name}"
            test = relate.Between(first.classes, second.classes)
    return lambda low, high: RegionCount(name, thing.classes, test, low, high)
