"""What a query was taken to mean, in words, and what each part of it matches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dsslic_search.features.regions import LEAST_PER_MILLE
from dsslic_search.index.relate import ZONES
from dsslic_search.query.contradiction import impossible
from dsslic_search.query.evaluate import Evaluation
from dsslic_search.query.plan import Either, Every, Step
from dsslic_search.query.tree import Amid, Leaf, Like, Query, Regional, Relation, Sort, Thing, Zone, leaves, things, whole
from dsslic_search.query.wording import worded
from dsslic_search.vocabulary import Vocabulary

_RULES = {
    "left of": "its right edge is left of the other's centre, its centre left of the other's left edge",
    "right of": "its left edge is right of the other's centre, its centre right of the other's right edge",
    "above": "its bottom edge is above the other's centre, its centre above the other's top edge",
    "below": "its top edge is below the other's centre, its centre below the other's bottom edge",
    "on": "the other is right under half of its foot or more",
    "in": "the other is right under half of its foot or more, or at half of its outline or more",
    "surrounded by": "the other is at three quarters of its outline or more",
    "around": "it is at three quarters of the other's outline or more",
    "next to": "they share rows, with at most 5% of the width between them",
    "in front of": "their boxes overlap, and its bottom edge is lower",
    "behind": "their boxes overlap, and its bottom edge is higher",
    "between": "one is left of it and the other right of it, or one above it and the other below",
}
_COLUMNS = {"first": "left", "second": "right", "last": "right", "middle": "middle"}
_ROWS = {"first": "top", "second": "bottom", "last": "bottom", "middle": "middle"}


def explanation(text: str, query: Query, step: Step, evaluation: Evaluation, total: int, vocabulary: Vocabulary) -> str:
    """Lines of text: the query, how it is grouped, what its words were taken for, the plan in the order in which it is carried out
    with the number of photos that each predicate matches alone, the order if one is asked for, the total, and a warning when
    nothing can ever match."""
    lines = [f"query:  {' '.join(text.split())}", f"read as: {_outermost(whole(query))}"]
    if words := list(dict.fromkeys(_words(query, vocabulary))):
        lines += ["words:", *(f"  {line}" for line in words)]
    lines += ["plan:", *(f"  {line}" for line in _steps(step, evaluation))]
    if query.sort is not None:
        lines.append(f"order: {_order(query.sort)}")
    lines.append(f"{total} of {len(evaluation.columns)} photos match")
    if impossible(step):
        lines.append("warning: no photo can match this, as it asks for what cannot be together")
    return "\n".join(lines)


def _outermost(text: str) -> str:
    """Without a pair of parentheses around everything."""
    depth = 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return text[1:place] if 0 < place == len(text) - 1 else text
    return text


def _words(query: Query, vocabulary: Vocabulary) -> Iterator[str]:
    for leaf in leaves(query.tree) if query.tree is not None else ():
        yield from (_meaning(thing, vocabulary) for thing in things(leaf))
        yield from _rules(leaf)
    if query.sort is not None and query.sort.thing is not None:
        yield _meaning(query.sort.thing, vocabulary)


def _meaning(thing: Thing, vocabulary: Vocabulary) -> str:
    names = [vocabulary.classes[class_id].name for class_id in thing.classes]
    line = f"{thing.written}: {thing.name}"
    return line if names == [thing.name] else f"{line} = {' + '.join(names)}"


def _rules(leaf: Leaf) -> Iterator[str]:
    match leaf:
        case Like(operand):
            yield f"{operand}: the photo to compare with"
        case Regional(_, place, _, _, says):
            if says:
                yield f"{says}: so many regions, which are connected and at least {LEAST_PER_MILLE / 10:g}% of the photo"
            match place:
                case Zone(name):
                    yield f"{name}: half of a region or more is in the {_zone(name)}"
                case Relation(name, _):
                    yield f"{name}: {_RULES[name]}"
                case Amid():
                    yield f"between: {_RULES['between']}"


def _zone(name: str) -> str:
    columns, rows = ZONES[name]
    parts = []
    for line, words, side in ((columns, _COLUMNS, "width"), (rows, _ROWS, "height")):
        if line is not None:
            which, part = line.split()
            parts.append(f"{words[which]} {part}" + (f" of the {side}" if which == "middle" else ""))
    return ", and half or more in the ".join(parts)


def _steps(step: Step, evaluation: Evaluation) -> Iterator[str]:
    match step:
        case Every(parts) | Either(parts) if parts:
            yield "all of" if isinstance(step, Every) else "any of"
            for part in parts:
                yield from (f"  {line}" for line in _steps(part, evaluation))
        case _:
            count = int(np.count_nonzero(evaluation.mask(step)))
            yield f"{worded(step)}: {count} photo{'' if count == 1 else 's'}"


def _order(sort: Sort) -> str:
    key = sort.thing.name if sort.thing else sort.key
    return f"{key}, {'descending' if sort.descending else 'ascending'}, equal ones newest first"
