"""The predicates of a plan in words."""

from __future__ import annotations

from decimal import Decimal

from dsslic_search.index.quanta import TICKS
from dsslic_search.query.plan import Filter, Located, Resemble, Step, Within
from dsslic_search.query.tree import written


def worded(step: Step) -> str:
    """What a predicate of a plan asks for; "every photo" for a plan without any."""
    match step:
        case Within():
            return f"{step.name} {_range(step)}"
        case Located(says, _, _, low, high):
            return f"{_regions(low, high)} of {says}"
        case Filter(fact, negated):
            return f"not {written(fact)}" if negated else written(fact)
        case Resemble(operand, mirrored):
            return f"ranked by likeness to {operand}{' or its mirror image' if mirrored else ''}"
    return "every photo"


def _regions(low: int, high: int | None) -> str:
    if high is None:
        return f"{low} region{'' if low == 1 else 's'} or more"
    if high < low:
        return "a number of regions that cannot be"
    if low == high:
        return "no region" if low == 0 else f"exactly {low} region{'' if low == 1 else 's'}"
    return f"at most {high} region{'' if high == 1 else 's'}" if low == 0 else f"{low} to {high} regions"


def _range(step: Within) -> str:
    if step.empty:
        return "in a range that is empty"
    if step.low <= 0 and step.high >= TICKS:
        return "of any coverage"
    if step.high >= TICKS:
        return _above(step.low)
    if step.low <= 0:
        return _below(step.high)
    return f"{_above(step.low)} and {_below(step.high)}"


def _above(low: int) -> str:
    """A lower bound; one tick more than a round number is "more than" that number."""
    return f"> {_percent(low - 1)}" if _digits(low - 1) < _digits(low) else f">= {_percent(low)}"


def _below(high: int) -> str:
    return f"< {_percent(high + 1)}" if _digits(high + 1) < _digits(high) else f"<= {_percent(high)}"


def _digits(ticks: int) -> int:
    return len(str(ticks).rstrip("0"))


def _percent(ticks: int) -> str:
    return f"{(Decimal(ticks) / (TICKS // 100)).normalize():f}%"
