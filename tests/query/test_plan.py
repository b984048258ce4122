"""Plans of trees, step by step: bounds to a tick, what a negation makes of them, what comes first."""

from __future__ import annotations

import pytest

from dsslic_search.index.quanta import TICKS
from dsslic_search.index.regions import relate
from dsslic_search.query.ast import (
    Amid,
    And,
    Anywhere,
    Compare,
    Like,
    Node,
    Not,
    Or,
    Presence,
    Regional,
    Relation,
    Text,
    Thing,
    Where,
    Zone,
)
from dsslic_search.query.joined import Either, Every
from dsslic_search.query.plan import plan
from dsslic_search.query.steps import CoverageRange, Filter, RegionCount, Resemble, Step

PRESENCE = TICKS // 1000
SKY, CAR, TREE = (Thing(name, name, (i,), 0) for i, name in enumerate(("sky", "car", "tree")))
TAG = Text("tag", "summer", "tag:summer")


def sky(low: int, high: int = TICKS) -> CoverageRange:
    return CoverageRange("sky", (0,), low, high)


def cars(low: int, high: int | None = None) -> RegionCount:
    return RegionCount("car", (1,), relate.Anywhere(), low, high)


@pytest.mark.parametrize(
    ("node", "expected", "negated"),
    [
        (Presence(SKY), sky(PRESENCE), sky(0, PRESENCE - 1)),
        (
            Presence(SKY, below=TICKS // 10),
            sky(PRESENCE, TICKS // 10 - 1),
            Either((sky(0, PRESENCE - 1), sky(TICKS // 10))),
        ),
        (Compare(SKY, 5, 9, ""), sky(5, 9), Either((sky(0, 4), sky(10)))),
        (Compare(SKY, 5, TICKS, ""), sky(5), sky(0, 4)),
        (Compare(SKY, 0, 9, ""), sky(0, 9), sky(10)),
        (Compare(SKY, 0, TICKS, ""), sky(0), sky(0, -1)),
        (Regional(CAR, Anywhere(), 1, None, ""), cars(1), cars(0, 0)),
        (Regional(CAR, Anywhere(), 2, 4, ""), cars(2, 4), Either((cars(0, 1), cars(5)))),
        (TAG, Filter(TAG, False), Filter(TAG, True)),
        (Like("#1", 0, True), Resemble("#1", True), Resemble("#1", True, away=True)),
    ],
)
def test_a_predicate_and_its_negation(node: Node, expected: Step, negated: Step) -> None:
    assert plan(node, PRESENCE) == plan(Not(Not(node)), PRESENCE) == expected
    assert plan(Not(node), PRESENCE) == negated


def test_nothing_asked_is_every_photo() -> None:
    assert plan(None, PRESENCE) == Every(())


def test_negations_go_down_to_the_predicates() -> None:
    both, either = And((Presence(SKY), TAG)), Or((Presence(SKY), TAG))
    assert plan(Not(both), PRESENCE) == Either((sky(0, PRESENCE - 1), Filter(TAG, True)))
    assert plan(Not(either), PRESENCE) == Every((sky(0, PRESENCE - 1), Filter(TAG, True)))


def test_nested_parts_are_made_one_and_the_cheap_come_first() -> None:
    asked = And((Like("#1", 0), Regional(CAR, Anywhere(), 1, None, ""), And((TAG, Presence(SKY)))))
    steps = [sky(PRESENCE), Filter(TAG, False), cars(1), Resemble("#1")]
    assert plan(asked, PRESENCE) == Every(tuple(sorted(steps, key=lambda step: step.cost)))
    assert plan(Or((TAG, Or((Presence(SKY), TAG)))), PRESENCE) == Either(
        (Filter(TAG, False), sky(PRESENCE), Filter(TAG, False))
    )
    assert plan(And((Presence(SKY),)), PRESENCE) == plan(Or((Presence(SKY),)), PRESENCE) == sky(PRESENCE)


@pytest.mark.parametrize(
    ("where", "name", "classes", "test"),
    [
        (Zone("top left"), "car in top left", (1,), relate.InZone("top left")),
        (Relation("left of", TREE), "car left of tree", (1,), relate.Related("left of", (2,))),
        (Relation("around", TREE), "tree surrounded by car", (2,), relate.Related("surrounded by", (1,))),
        (Amid(TREE, SKY), "car between tree and sky", (1,), relate.Between((2,), (0,))),
    ],
)
def test_regions_by_where_they_are(
    where: Where, name: str, classes: tuple[int, ...], test: relate.RegionTest
) -> None:
    assert plan(Regional(CAR, where, 2, 3, ""), PRESENCE) == RegionCount(name, classes, test, 2, 3)
