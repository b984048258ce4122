"""What is found among regions, compiled and not, is what the definitions say of the pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsslic_search.core.vocabulary import Group, default
from dsslic_search.features.regions import regions
from dsslic_search.features.scene import WITHOUT_GROUPS
from dsslic_search.index import compiling
from dsslic_search.index.regions import frequent
from dsslic_search.index.regions.relate import (
    RELATIONS,
    ZONES,
    Anywhere,
    Between,
    InZone,
    RegionMatches,
    RegionTest,
    Related,
    zone_rule,
)
from dsslic_search.index.regions.table import Regions, open_regions
from dsslic_search.index.source import InOrder, State, Stored
from tests import oracle
from tests.segments import stored_regions, whole

CLASSES = 4
SETS = [c for size in range(2, CLASSES + 1) for c in combinations(range(CLASSES), size)]
V = replace(default(), groups=tuple(Group(str(members), members, ()) for members in SETS))
"""Whatever classes are asked for together are a group."""


class Photos:
    """A source whose photos are nothing but label maps; their ids are their rows."""

    def __init__(self, label_maps: Sequence[np.ndarray]) -> None:
        self.stored = [(i, stored_regions(label_map, V)) for i, label_map in enumerate(label_maps)]

    def state(self) -> State:
        return State(1, "")

    @contextmanager
    def snapshot(self) -> Iterator[SimpleNamespace]:
        stored = self.stored
        ids = np.arange(len(stored))
        moment = SimpleNamespace(
            state=self.state(),
            newest_first=lambda _ids=None: InOrder(ids, -ids),
            photo_ids=lambda: ids,
            regions=lambda: (Stored.of(stored[i : i + 2]) for i in range(0, len(stored), 2)),
            of=lambda _ids: nullcontext(moment),
        )
        yield moment


def opened(label_maps: Sequence[np.ndarray]) -> Regions:
    return opened_of(Photos(label_maps))


def opened_of(photos: Photos) -> Regions:
    with TemporaryDirectory() as folder:
        return open_regions(whole(photos, Path(folder), V))  # type: ignore[arg-type]


def degrees_of(there: oracle.Scene, classes: tuple[int, ...], test: RegionTest) -> list[float]:
    """Of the regions that pass, according to the oracle."""
    match test:
        case Anywhere():
            return oracle.anywhere(there, classes)
        case InZone(zone):
            return oracle.in_zone(there, classes, zone)
        case Related(relation, others):
            return oracle.related(there, classes, relation, others)
        case Between(first, second):
            return oracle.between(there, classes, first, second)


def expected(
    scenes: Sequence[oracle.Scene], classes: tuple[int, ...], test: RegionTest
) -> dict[int, tuple[int, float]]:
    """By row: how many regions pass, and the best degree."""
    passing = {row: degrees_of(there, classes, test) for row, there in enumerate(scenes)}
    return {row: (len(degrees), max(degrees)) for row, degrees in passing.items() if degrees}


def by_row(found: RegionMatches) -> dict[int, tuple[int, float]]:
    assert found.counts is not None
    rows = np.flatnonzero(found.counts)
    degrees = found.degrees(rows)
    assert (found.counts.dtype, degrees.dtype) == (np.uint16, np.float32)
    assert np.array_equal(rows, np.flatnonzero(found.best))
    return dict(
        zip(rows.tolist(), zip(found.counts[rows].tolist(), degrees.tolist(), strict=True), strict=True)
    )


def best_by_row(found: RegionMatches) -> dict[int, float]:
    rows = np.flatnonzero(found.within(1, None))
    assert np.array_equal(found.within(0, 0), ~found.within(1, None))
    return dict(zip(rows.tolist(), found.degrees(rows).tolist(), strict=True))


NOISY_ROWS = 12
WAYS = ("uncompiled", "compiled", "kept")


@contextmanager
def going(way: str) -> Iterator[None]:
    """Loops compiled or not; and answers kept by the index, as in large archives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling.PATIENCE, "photos", 10**9 if way == "uncompiled" else 0)
        patch.setattr(frequent, "KEPT_FROM", 1 if way == "kept" else 10**9)  # none of no photos
        yield


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    with going(request.param):
        yield


@st.composite
def painted(draw: st.DrawFn) -> np.ndarray:
    """A map of a few rectangles over one another, or of noise as far down as loops over three regions each
    take uncompiled."""
    width, height = draw(st.integers(1, 12)), draw(st.sampled_from([*range(1, 13), 110]))
    number = st.integers(0, CLASSES - 1)
    label_map = np.full((height, width), draw(number), np.uint8)
    if draw(st.integers(0, 4)) == 0:
        noise = label_map[:NOISY_ROWS]
        noise.flat = draw(st.lists(number, min_size=noise.size, max_size=noise.size))
        return label_map
    for _ in range(draw(st.integers(0, 7))):
        x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        label_map[y : draw(st.integers(y + 1, height)), x : draw(st.integers(x + 1, width))] = draw(number)
    return label_map


THINGS = st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=CLASSES, unique=True).map(tuple)
TESTS = st.one_of(
    st.just(Anywhere()),
    st.builds(InZone, st.sampled_from(sorted(ZONES))),
    st.builds(Related, st.sampled_from(list(RELATIONS)), THINGS),
    st.builds(Between, THINGS, THINGS),
)


@settings(max_examples=60)
@given(st.data(), st.lists(painted(), max_size=6))
def test_answers_are_those_of_the_oracle(data: st.DataObject, label_maps: list[np.ndarray]) -> None:
    """Whichever way they are found."""
    photos, scenes = Photos(label_maps), [oracle.regions_of(label_map) for label_map in label_maps]
    indexes: dict[str, Regions] = {}
    for way in WAYS:
        with going(way):
            indexes[way] = opened_of(photos)
    some_rows = st.lists(st.integers(0, max(len(label_maps) - 1, 0)), max_size=len(label_maps), unique=True)
    for _ in range(10):
        classes, test = data.draw(THINGS), data.draw(TESTS)
        truth = expected(scenes, classes, test)
        rows = sorted(data.draw(some_rows))
        for way, index in indexes.items():
            with going(way):
                assert by_row(index.passing(classes, test)) == truth, way
                asked = by_row(index.passing(classes, test, np.array(rows, np.uint32)))
                assert {row: asked[row] for row in rows if row in asked} == {
                    row: truth[row] for row in rows if row in truth
                }, way
                assert best_by_row(index.passing(classes, test, count=False)) == {
                    row: degree for row, (_, degree) in truth.items()
                }, way


@pytest.fixture(scope="module")
def many_maps() -> list[np.ndarray]:
    """Of photos enough for lists that are galloped through, and some with many regions."""
    rng = np.random.default_rng(4)
    label_maps = [np.full((1, 1), 9, np.uint8)] * 400
    for row in rng.choice(400, 25, replace=False):
        label_maps[row] = rng.integers(0, 4, (int(rng.integers(3, 12)), int(rng.integers(3, 12)))).astype(
            np.uint8
        )
    for row in rng.choice(400, 40, replace=False):
        label_maps[row] = np.array([[0, int(row) % 5]], np.uint8)
    return label_maps


@pytest.fixture(scope="module")
def many_scenes(many_maps: list[np.ndarray]) -> list[oracle.Scene]:
    return [oracle.regions_of(label_map) for label_map in many_maps]


@pytest.mark.usefixtures("way")
def test_many_photos(many_maps: list[np.ndarray], many_scenes: list[oracle.Scene]) -> None:
    index = opened(many_maps)
    for test in (
        *(Related(r, (1, 2)) for r in RELATIONS),
        Between((1,), (2,)),
        InZone("left"),
        InZone("centre"),
        Anywhere(),
    ):
        assert by_row(index.passing((0, 3), test)) == expected(many_scenes, (0, 3), test), test


@pytest.mark.usefixtures("way")
def test_more_regions_of_a_class_than_are_told_from_two_stretches() -> None:
    board = (np.indices((8, 10)).sum(axis=0) % 2).astype(np.uint8)
    label_maps = [board, np.array([[0, 1, 1, 1]], np.uint8), 1 - board]
    index, scenes = opened(label_maps), [oracle.regions_of(label_map) for label_map in label_maps]
    for zone in ("left", "centre", "bottom right"):
        assert by_row(index.passing((0, 1), InZone(zone))) == expected(scenes, (0, 1), InZone(zone))
        assert by_row(index.passing((1,), InZone(zone))) == expected(scenes, (1,), InZone(zone))


def test_only_what_lies_clearly_so_counts() -> None:
    apart = np.array([[1, 0, 0, 2]], np.uint8)
    index = opened([apart, apart[:, ::-1], apart.T])
    assert by_row(index.passing((1,), Related("left of", (2,)))) == {0: (1, 1.0)}
    assert by_row(index.passing((1,), Related("right of", (2,)))) == {1: (1, 1.0)}
    assert by_row(index.passing((1,), Related("above", (2,)))) == {2: (1, 1.0)}
    assert by_row(index.passing((0,), Between((1,), (2,)))) == {0: (1, 0.75), 1: (1, 0.75), 2: (1, 0.75)}
    assert by_row(index.passing((1, 2), Related("next to", (1, 2)))) == {}


@pytest.mark.usefixtures("way")
def test_a_bound_that_is_just_reached_counts() -> None:
    """The region 0 has its centroid where 1 ends and 2 begins, and ends where the centroids of 1 and 2 are;
    then 1 and then 2 reaches further."""
    reached = [[1, 3], [1, 0], [2, 0], [2, 3]]
    beyond = [[1, 3], [1, 0], [1, 0], [2, 3]], [[1, 3], [2, 0], [2, 0], [2, 3]]
    label_maps = [np.array(rows, np.uint8) for rows in (reached, *beyond)]
    ways = ["above", "left of", "below", "right of"]
    for turns, before in enumerate(ways):
        index, after = opened([np.rot90(label_map, turns) for label_map in label_maps]), ways[turns - 2]
        assert by_row(index.passing((0,), Between((1,), (2,)))) == {0: (1, 0.5)}
        assert by_row(index.passing((0,), Between((2,), (1,)))) == {0: (1, 0.5)}
        assert by_row(index.passing((0,), Related(before, (2,)))).keys() == {0, 1}
        assert by_row(index.passing((0,), Related(after, (1,)))).keys() == {0, 2}


def test_a_region_has_no_relation_to_itself() -> None:
    index = opened([np.array([[1, 0, 1]], np.uint8), np.array([[1, 1, 0]], np.uint8)])
    for relation in RELATIONS:
        assert 1 not in by_row(index.passing((1,), Related(relation, (1,))))
    assert by_row(index.passing((1,), Related("left of", (1,)))) == {0: (1, 1.0)}


@pytest.mark.parametrize(
    ("zone", "where"),
    [
        ("left", "in the left half"),
        ("bottom third", "in the bottom third"),
        ("middle third", "in the middle third of the width"),
        ("top right", "in the right half, and half or more in the top half"),
        (
            "centre",
            "in the middle half of the width, and half or more in the middle half of the height",
        ),
    ],
)
def test_when_a_region_lies_in_a_zone_in_words(zone: str, where: str) -> None:
    assert zone_rule(zone) == f"half of a region or more is {where}"


def test_classes_that_are_no_group_are_not_touched_together() -> None:
    with TemporaryDirectory() as folder:
        photos: Any = Photos([np.array([[0], [1]], np.uint8)])
        index = open_regions(whole(photos, Path(folder), default()))
    assert by_row(index.passing((0,), Related("on", (1,)))) == {0: (1, 1.0)}
    assert by_row(index.passing((0,), Related("above", (1, 3)))) == {0: (1, 1.0)}
    with pytest.raises(ValueError, match=r"\(1, 3\) are no group"):
        index.passing((0,), Related("on", (1, 3)))


def test_groups_of_photos_that_an_earlier_version_described_take_what_their_classes_take() -> None:
    """Three classes, each rounded down, take half of the outline of 0, and 125/252 of it by their sum."""
    label_map = np.full((12, 12), 3, np.uint8)
    label_map[3:8, 3:8] = 0
    label_map[2, 3:8], label_map[3:6, 2], label_map[8, 3:5] = 1, 2, 1
    now, before = Photos([label_map]), Photos([label_map])
    scene = regions(label_map)
    before.stored = [(0, bytes([WITHOUT_GROUPS]) + scene.plain()[1:])]
    found = [by_row(opened_of(photos).passing((0,), Related("in", (1, 2)))) for photos in (now, before)]
    assert found == [{0: (1, 0.5)}, {}]


def test_unknown_zones_and_relations() -> None:
    index = opened([np.zeros((2, 2), np.uint8)])
    with pytest.raises(KeyError):
        index.passing((0,), InZone("upstairs"))
    with pytest.raises(KeyError):
        index.passing((0,), Related("owned by", (1,)))


def test_numba_is_loaded_only_after_much_work(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Callable[..., int]] = []
    monkeypatch.setattr(compiling, "PATIENCE", compiling.Patience(1000))
    monkeypatch.setattr(compiling, "_compiled", lambda loop: compiled.append(loop) or loop)
    index = opened([np.array([[0, 1]], np.uint8)] * 100)
    for _ in range(20):
        assert len(by_row(index.passing((0,), Related("left of", (1,))))) == 100
        if compiled:
            break
        before = compiling.PATIENCE.photos
    assert 0 < before <= 300
    assert compiling.PATIENCE.photos == 0


def test_what_large_archives_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of pairs that enough photos have, each question and its reverse once, if few of these photos pass; and
    nothing in small archives."""
    label_maps = [np.array([[0, 1, 2]], np.uint8)] * 20 + [np.array([[2, 1, 0]], np.uint8)] * 60
    label_maps += [np.array([[0, 1, 3]], np.uint8)] * 219 + [np.array([[4, 0]], np.uint8)]
    assert opened(label_maps).arrays["asked"].size == 0
    monkeypatch.setattr(frequent, "KEPT_FROM", 300)
    index = opened(label_maps)

    def kept(classes: tuple[int, ...], test: RegionTest) -> tuple[list[int], bool] | None:
        found = frequent.kept(index.arrays, classes, test)
        return None if found is None else (found[0].tolist(), found[1] is not None)

    few = [*range(20)], False
    assert kept((0,), Related("left of", (2,))) == kept((2,), Related("right of", (0,))) == few
    assert kept((2,), Related("left of", (0,))) == ([*range(20, 80)], True)
    assert kept((1,), Related("next to", (0,))) == ([*range(299)], True)
    assert kept((3,), Related("left of", (0,))) == ([], True)  # there is nothing to measure
    assert (
        kept((0,), Related("left of", (4,)))  # one photo has both
        is kept((2, 3), Related("left of", (1,)))
        is kept((0,), Related("in", (1,)))
        is None
    )
    assert index.concerned((0,), Related("left of", (2,))).tolist() == [*range(20)]
    assert index.looks((0,), Related("left of", (2,)), count=False)
    assert not index.looks((2,), Related("left of", (0,)), count=False)
    assert index.looks((2,), Related("left of", (0,)), count=True)
    assert not index.looks((2,), Related("on", (0,)), count=True)
    assert not index.looks((2,), InZone("left"), count=False)
    with pytest.raises(ValueError, match="not counted"):
        index.passing((2,), Related("left of", (0,)), count=False).within(2, None)


def test_degrees_that_reach_a_value() -> None:
    rng = np.random.default_rng(5)
    index = opened([rng.integers(0, 3, (4, 6)).astype(np.uint8) for _ in range(60)])
    for test in (Anywhere(), InZone("left"), Related("next to", (1,)), Related("on", (2,))):
        found = index.passing((0,), test)
        degrees = found.degrees(np.arange(60))
        for value in {*degrees.tolist(), 0.3, 1.0} - {0.0}:
            assert np.array_equal(found.reaching(value), degrees >= np.float32(value))
            assert np.array_equal(found.reaching(value, above=True), degrees > np.float32(value))
