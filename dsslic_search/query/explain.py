"""What a query was taken to mean, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from dsslic_search.index.quanta import TICKS
from dsslic_search.query.plan import Either, Every, Resemble, Step, Within, impossible
from dsslic_search.query.tree import Like, Node, leaves, written
from dsslic_search.vocabulary import Vocabulary


def explanation(text: str, tree: Node, step: Step, counts: Mapping[Within, int], photos: int, total: int, vocabulary: Vocabulary) -> str:
    """Lines of text: the query, how it is grouped, what its words were taken for, the plan with the number of photos that each
    predicate matches alone, the total, and a warning when nothing can ever match."""
    lines = [f"query:  {' '.join(text.split())}", f"read as: {_outermost(written(tree))}"]
    lines += ["words:", *(f"  {line}" for line in _words(tree, vocabulary))]
    lines += ["plan:", *(f"  {line}" for line in _steps(step, counts, photos))]
    lines.append(f"{total} of {photos} photos match")
    if impossible(step):
        lines.append("warning: no photo can match this, as it asks for what cannot be together")
    return "\n".join(lines)


def _outermost(text: str) -> str:
    return text[1:-1] if text.startswith("(") else text


def _words(tree: Node, vocabulary: Vocabulary) -> Iterator[str]:
    seen = set()
    for leaf in leaves(tree):
        if isinstance(leaf, Like):
            line = f"{leaf.operand}: the photo to compare with"
        else:
            names = [vocabulary.classes[class_id].name for class_id in leaf.thing.classes]
            line = f"{leaf.thing.written}: {leaf.thing.name}"
            if names != [leaf.thing.name]:
                line += f" = {' + '.join(names)}"
        if line not in seen:
            seen.add(line)
            yield line


def _steps(step: Step, counts: Mapping[Within, int], photos: int) -> Iterator[str]:
    match step:
        case Within():
            yield f"{_range(step)}: {counts[step]} photos"
        case Resemble(operand):
            yield f"ranked by likeness to {operand}: {photos} photos"
        case Every(parts) | Either(parts):
            yield "all of" if isinstance(step, Every) else "any of"
            for part in parts:
                yield from (f"  {line}" for line in _steps(part, counts, photos))


def _range(step: Within) -> str:
    name = step.thing.name
    if step.empty:
        return f"{name} in a range that is empty"
    if step.low <= 0 and step.high >= TICKS:
        return f"{name} of any coverage"
    if step.high >= TICKS:
        return f"{name} {_above(step.low)}"
    if step.low <= 0:
        return f"{name} {_below(step.high)}"
    return f"{name} {_above(step.low)} and {_below(step.high)}"


def _above(low: int) -> str:
    """A lower bound; one tick more than a round number is "more than" that number."""
    return f"> {_percent(low - 1)}" if _digits(low - 1) < _digits(low) else f">= {_percent(low)}"


def _below(high: int) -> str:
    return f"< {_percent(high + 1)}" if _digits(high + 1) < _digits(high) else f"<= {_percent(high)}"


def _digits(ticks: int) -> int:
    return len(str(ticks).rstrip("0"))


def _percent(ticks: int) -> str:
    return f"{(Decimal(ticks) / (TICKS // 100)).normalize():f}%"
