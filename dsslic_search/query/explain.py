"""What a query was taken to mean, in words, and what each part of it matches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from dsslic_search.core.colour_terms import CHROMATIC, COLOURFUL, COLOURFUL_TERMS, TERMS
from dsslic_search.core.text import counted, listed
from dsslic_search.core.trust import Trust, in_words, of_class
from dsslic_search.core.vocabulary import Vocabulary, default
from dsslic_search.features.colours import FAIR_SHARES
from dsslic_search.features.regions import MIN_REGION_PER_MILLE
from dsslic_search.features.resemblance import mixture
from dsslic_search.index.regions.relate import AROUND_RULE, BETWEEN_RULE, RELATIONS, zone_rule
from dsslic_search.query.ast import (
    Amid,
    And,
    Coloured,
    Leaf,
    Like,
    Node,
    Not,
    Or,
    Presence,
    Query,
    Regional,
    Relation,
    Shows,
    Sort,
    Text,
    Thing,
    Zone,
    leaves,
    things,
    whole,
    written,
)
from dsslic_search.query.contradiction import impossible
from dsslic_search.query.joined import Joined
from dsslic_search.query.run.evaluate import Evaluation
from dsslic_search.query.steps import Step

HUES = tuple(term for term in TERMS if term in CHROMATIC)


def explanation(
    text: str,
    query: Query,
    step: Step,
    evaluations: Sequence[Evaluation],
    total: int,
    vocabulary: Vocabulary,
) -> str:
    """Lines of text: the query, how it is grouped, what its words were taken for, the plan in the order in
    which it is carried out with the number of photos that each predicate matches alone, the order if one is
    asked for, the total, and a warning when nothing can ever match. ``evaluations``: of each segment."""
    understood = reading(query) or outermost(whole(query))
    lines = [f"query:  {' '.join(text.split())}", f"read as: {understood}"]
    if words := list(
        dict.fromkeys([*query.notes, *_words(query, vocabulary), *_operands(query, evaluations)])
    ):
        lines += ["words:", *(f"  {line}" for line in words)]
    lines += ["plan:", *(f"  {line}" for line in _steps(step, evaluations))]
    if query.sort is not None:
        lines.append(f"order: {_order(query.sort)}")
    lines.append(f"{total} of {sum(each.photos for each in evaluations)} photos match")
    if impossible(step):
        lines.append("warning: no photo can match this, as it asks for what cannot be together")
    return "\n".join(lines)


def reading(query: Query) -> str | None:
    """How a query is grouped, in one line, where it joins by "and", "or" and "not" so that it could be read
    in more than one way; else None."""
    tree = query.tree
    if tree is None or not _mixes(tree):
        return None
    text = outermost(whole(query))
    if not isinstance(tree, And) or not _denies_first(tree.parts):
        return text
    own = outermost(written(tree))
    apart = (f"({written(part)})" if isinstance(part, Not) else written(part) for part in tree.parts)
    return text.replace(own, " and ".join(apart), 1)


def _mixes(node: Node) -> bool:
    match node:
        case Not(part):
            return isinstance(part, And | Or) or _mixes(part)
        case Or(parts):
            return any(isinstance(part, Not | And) or _mixes(part) for part in parts) or _stands_beside(parts)
        case And(parts):  # of "no dogs, cats" the negation could be of both
            return any(isinstance(part, Or) or _mixes(part) for part in parts) or _denies_first(parts)
    return False


def _stands_beside(parts: Sequence[Node]) -> bool:
    """Whether a thing is listed behind one in a relation, and could be read as the relation's other thing."""
    placed = [isinstance(part, Regional) and isinstance(part.where, Relation) for part in parts]
    alone = [isinstance(part, Presence) for part in parts]
    return any(placed) and any(alone[placed.index(True) :])


def _denies_first(parts: Sequence[Node]) -> bool:
    """Whether a part that is denied stands before one that is not."""
    denied = [isinstance(part, Not) for part in parts]
    return denied != sorted(denied)


def outermost(text: str) -> str:
    """Without a pair of parentheses around everything."""
    depth = 0
    for index, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return text[1:index] if 0 < index == len(text) - 1 else text
    return text


def _words(query: Query, vocabulary: Vocabulary) -> Iterator[str]:
    for leaf in leaves(query.tree) if query.tree is not None else ():
        yield from (_meaning(thing, vocabulary) for thing in things(leaf))
        yield from _rules(leaf)
    if query.sort is not None and query.sort.thing is not None:
        yield _meaning(query.sort.thing, vocabulary)


def _meaning(thing: Thing, vocabulary: Vocabulary) -> str:
    names = [vocabulary.classes[class_id].name for class_id in thing.classes]
    line = f"{thing.written or thing.name}: {thing.name}"  # a thing that is meant again was not written
    if names == [thing.name]:
        told = in_words(of_class(thing.name)) if vocabulary.identity == default().identity else "not measured"
        return f"{line}, an area of the label map; {told}"
    return f"{line} = {' + '.join(names)}, areas of the label map"


def _rules(leaf: Leaf) -> Iterator[str]:
    match leaf:
        case Coloured(_, colour):
            share = f"{FAIR_SHARES[colour]:.0%}"
            yield f"{colour}: at least {share} of the thing is, or no other colour takes up more of it"
        case Text("colour", "colourful"):
            yield (
                f"{COLOURFUL}: the photo has at least {COLOURFUL_TERMS} of {listed(HUES, 'and')}: each "
                f"at least {FAIR_SHARES['red']:.0%} of it or more than any other colour"
            )
        case Shows(word, shown):
            yield f"{word}: {counted(len(shown), 'image word')}, of the whole photo; {in_words(_trust(word))}"
        case Regional(_, where, _, _, says):
            if says:
                least = f"{MIN_REGION_PER_MILLE / 10:g}% of the photo"
                yield f"{says}: so many regions, which are connected and at least {least}"
            match where:
                case Zone(name):
                    yield f"{name}: {zone_rule(name)}"
                case Relation("around", _):
                    yield f"around: {AROUND_RULE}"
                case Relation(name, _):
                    yield f"{name}: {RELATIONS[name].rule}"
                case Amid():
                    yield f"between: {BETWEEN_RULE}"


def _trust(word: str) -> Trust | None:
    from dsslic_search.core import wordnet

    return wordnet.trust_of(word)


def _operands(query: Query, evaluations: Sequence[Evaluation]) -> Iterator[str]:
    for leaf in leaves(query.tree) if query.tree is not None else ():
        if isinstance(leaf, Like):
            yield f"{leaf.operand}: the photo to compare with, {_compared(leaf.operand, evaluations)}"


def _compared(operand: str, evaluations: Sequence[Evaluation]) -> str:
    """What of a photo is compared, and with how many only a part of it."""
    image = evaluations[0].operands.image(operand)
    if image is None:
        return "by layout alone, as it has no image words"
    share = mixture().share
    told = f"{share:.0%} by what it shows as a whole and {1 - share:.0%} by layout"
    count = sum(
        int(np.count_nonzero(each.of_shown(each.columns.seen_alone(~each.images.comparable(image)))))
        for each in evaluations
    )
    return f"{told}; {counted(count, 'photo')} by layout alone" if count else told


def _steps(step: Step, evaluations: Sequence[Evaluation]) -> Iterator[str]:
    if isinstance(step, Joined) and step.parts:
        yield step.words()
        for part in step.parts:
            yield from (f"  {line}" for line in _steps(part, evaluations))
    else:
        count = sum(int(np.count_nonzero(each.of_shown(step.mask(each)))) for each in evaluations)
        yield f"{step.words()}: {counted(count, 'photo')}"


def _order(sort: Sort) -> str:
    key = sort.thing.name if sort.thing else sort.key
    return f"{key}, {'descending' if sort.descending else 'ascending'}, equal ones newest first"
