"""A query's tree as a plan: negations pushed down to the predicates, and the parts of "and" in the order in
which they are cheap.

"not (a and b)" is "not a or not b"; the negation of a range of coverage or of a number of regions is what
lies below or above it, and a filter is true or false: so each step can say for a photo how well it is
satisfied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dsslic_search.core.fields import NAMED
from dsslic_search.index.quanta import TICKS
from dsslic_search.index.regions import relate
from dsslic_search.query.ast import (
    Amid,
    And,
    Anywhere,
    Compare,
    Like,
    Near,
    Node,
    Not,
    Number,
    Or,
    Period,
    Place,
    Presence,
    Regional,
    Relation,
    Shape,
    Text,
    Thing,
    Unknown,
    Zone,
)

Fact = Period | Text | Number | Shape | Near | Unknown


@dataclass(frozen=True)
class Within:
    """Photos of which the ``classes`` of a thing together cover ``low`` to ``high`` ticks, both included."""

    name: str
    classes: tuple[int, ...]
    low: int
    high: int

    @property
    def empty(self) -> bool:
        """No coverage at all is in the range."""
        return max(self.low, 0) > min(self.high, TICKS)


@dataclass(frozen=True)
class Located:
    """Photos with ``low`` to ``high`` regions (None: or more) of ``classes`` that pass ``test``; ``says``
    names these regions."""

    says: str
    classes: tuple[int, ...]
    test: relate.RegionTest
    low: int
    high: int | None


@dataclass(frozen=True)
class Filter:
    """Photos whose files are as ``fact`` says, or are not."""

    fact: Fact
    negated: bool


@dataclass(frozen=True)
class Resemble:
    """All photos, ranked by how like ``operand``, or its mirror image if that is nearer and ``mirrored``,
    they are."""

    operand: str
    mirrored: bool = False


@dataclass(frozen=True)
class Every:
    """All photos that every part finds; without parts, all there are."""

    parts: tuple[Step, ...]


@dataclass(frozen=True)
class Either:
    parts: tuple[Step, ...]


Step = Within | Located | Filter | Resemble | Every | Either


def plan(node: Node | None, presence: int) -> Step:
    """The plan of a tree, of every photo for None; ``presence`` is the coverage in ticks, at least 1, from
    which a thing counts as present."""
    return Every(()) if node is None else _planned(node, presence, negated=False)


def together(*steps: Step) -> Step:
    """The photos that all steps find: nested "and"s made one, the cheap parts first."""
    parts = [part for step in steps for part in (step.parts if isinstance(step, Every) else (step,))]
    return parts[0] if len(parts) == 1 else Every(tuple(sorted(parts, key=_cost)))


def _planned(node: Node, presence: int, negated: bool) -> Step:
    match node:
        case Not(part):
            return _planned(part, presence, not negated)
        case And(parts) | Or(parts):
            steps = [_planned(part, presence, negated) for part in parts]
            return _any(*steps) if isinstance(node, Or) != negated else together(*steps)
        case Like(operand, _, mirrored):
            return Resemble(operand, mirrored)
        case Presence(thing, below):
            return _ranges(_within(thing), presence, None if below is None else below - 1, negated)
        case Compare(thing, low, high, _):
            return _ranges(_within(thing), low, None if high >= TICKS else high, negated)
        case Regional(thing, place, low, high, _):
            return _ranges(_located(thing, place), low, high, negated)
        case _:
            return Filter(node, negated)


def _any(*steps: Step) -> Step:
    parts = [part for step in steps for part in (step.parts if isinstance(step, Either) else (step,))]
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def _cost(step: Step) -> int:
    """Which of two steps had better come first: columns, then files, then what needs regions or vectors."""
    match step:
        case Every(parts) | Either(parts):
            return max(map(_cost, parts), default=0)
        case Filter(Text(field)) if NAMED[field].kind in ("path", "tag"):
            return 2  # may have to ask the catalog
        case _:
            return {Within: 0, Filter: 1, Located: 3, Resemble: 4}[type(step)]


def _within(thing: Thing) -> Callable[[int, int | None], Step]:
    return lambda low, high: Within(thing.name, thing.classes, low, TICKS if high is None else high)


def _located(thing: Thing, place: Place) -> Callable[[int, int | None], Step]:
    test: relate.RegionTest
    match place:
        case Anywhere():
            says, test = thing.name, relate.Anywhere()
        case Zone(name):
            says, test = f"{thing.name} in {name}", relate.InZone(name)
        case Relation("around", inner):
            return _located(inner, Relation("surrounded by", thing))
        case Relation(name, other):
            says, test = f"{thing.name} {name} {other.name}", relate.Related(name, other.classes)
        case Amid(first, second):
            says, test = (
                f"{thing.name} between {first.name} and {second.name}",
                relate.Between(first.classes, second.classes),
            )
    return lambda low, high: Located(says, thing.classes, test, low, high)


def _ranges(make: Callable[[int, int | None], Step], low: int, high: int | None, negated: bool) -> Step:
    """The step for the numbers from ``low`` to ``high`` (None: no bound), or for all others from 0."""
    if not negated:
        return make(low, high)
    above = [] if high is None else [make(high + 1, None)]
    below = [make(0, low - 1)] if low > 0 or not above else []
    return _any(*below, *above)


def parts_of(step: Step) -> Iterator[Step]:
    """The predicates of a plan, in order."""
    match step:
        case Every(parts) | Either(parts):
            for part in parts:
                yield from parts_of(part)
        case _:
            yield step


def operands(step: Step) -> Iterator[Resemble]:
    """All photos that the plan compares with, in order."""
    return (part for part in parts_of(step) if isinstance(part, Resemble))


def resembles(step: Step) -> bool:
    """Whether likeness ranks what this step finds."""
    return next(operands(step), None) is not None
