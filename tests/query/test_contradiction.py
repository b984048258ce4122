"""What can never match, to a tick and to a region; and what only looks so."""

from __future__ import annotations

import pytest

from dsslic_search.index.quanta import TICKS
from dsslic_search.index.regions import relate
from dsslic_search.query.contradiction import LEAST_REGION_TICKS, impossible
from dsslic_search.query.joined import Either, Every
from dsslic_search.query.steps import CoverageRange, RegionCount, Step

HALF = TICKS // 2
SKY, SEA, CAR, VEHICLE = (0,), (1,), (2,), (2, 3)


def covers(classes: tuple[int, ...], low: int, high: int = TICKS) -> CoverageRange:
    return CoverageRange("thing", classes, low, high)


def regions(
    classes: tuple[int, ...], low: int, high: int | None = None, test: relate.RegionTest | None = None
) -> RegionCount:
    return RegionCount("thing", classes, test or relate.Anywhere(), low, high)


@pytest.mark.parametrize(
    ("parts", "never"),
    [
        # a thing's own bounds are exact
        ([covers(SKY, 5), covers(SKY, 0, 5)], False),
        ([covers(SKY, 6), covers(SKY, 0, 5)], True),
        ([covers(SKY, 0, 9), covers(SKY, 6), covers(SKY, 0, 5), covers(SKY, 1)], True),
        # sums are of rounded ticks: one for each class is allowed for
        ([covers(SKY, HALF), covers(SEA, HALF)], False),
        ([covers(SKY, HALF + 2), covers(SEA, HALF)], False),
        ([covers(SKY, HALF + 3), covers(SEA, HALF)], True),
        ([covers(CAR, 9), covers(VEHICLE, 0, 7)], False),
        ([covers(CAR, 10), covers(VEHICLE, 0, 7)], True),
        ([covers(VEHICLE, 10), covers(CAR, 0, 7)], False),
        # and so are regions, each of which has a least size
        ([regions(CAR, 3), covers(CAR, 0, 3 * LEAST_REGION_TICKS - 2)], False),
        ([regions(CAR, 3), covers(CAR, 0, 3 * LEAST_REGION_TICKS - 3)], True),
        ([regions(VEHICLE, 1), covers(VEHICLE, 0, LEAST_REGION_TICKS - 4)], False),
        ([regions(VEHICLE, 1), covers(VEHICLE, 0, LEAST_REGION_TICKS - 5)], True),
        ([regions(CAR, 0, 4), covers(CAR, 0, 0)], False),
        # what a region is related to has to be there: touched by a pixel, or as a region
        ([regions(CAR, 1, test=relate.Related("on", SKY)), covers(SKY, 0, 0)], False),
        ([regions(CAR, 1, test=relate.Related("left of", SKY)), covers(SKY, 0, 0)], True),
        ([regions(CAR, 1, test=relate.Between(SEA, SKY)), covers(SKY, 0, 0)], True),
        ([regions(CAR, 1, test=relate.Between(SEA, SKY)), covers(SEA, 0, 0)], True),
        ([regions(CAR, 0, 0, test=relate.Between(SEA, SKY)), covers(SEA, 0, 0)], False),
        # numbers of regions
        ([regions(CAR, 2), regions(CAR, 0, 2)], False),
        ([regions(CAR, 3), regions(CAR, 0, 2)], True),
        ([regions(CAR, 3), regions(VEHICLE, 0, 2)], True),
        ([regions(VEHICLE, 3), regions(CAR, 0, 2)], False),
        ([regions(CAR, 2), regions((3,), 1), regions(VEHICLE, 0, 2)], True),
        ([regions(CAR, 3, test=relate.InZone("left")), regions(CAR, 0, 2)], True),
        ([regions(CAR, 3), regions(CAR, 0, 2, test=relate.InZone("left"))], False),
        (
            [
                regions(CAR, 3, test=relate.InZone("left")),
                regions(CAR, 0, 2, test=relate.InZone("left")),
            ],
            True,
        ),
    ],
)
def test_what_cannot_be_together(parts: list[Step], never: bool) -> None:
    assert impossible(Every(tuple(parts))) == impossible(Every((Every(tuple(parts)),))) == never
    assert impossible(Every((Either(tuple(parts)),))) is False


def test_either_is_impossible_if_all_its_parts_are() -> None:
    never, perhaps = covers(SKY, 2, 1), covers(SKY, 1, 1)
    assert impossible(Either((never, never)))
    assert not impossible(Either((never, perhaps)))
    assert impossible(Every((perhaps, never)))
