"""The outline of land: simplified no farther than it says, and the one that ships has land where it is."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.web import land

SHIPPED = Path(land.__file__).parent / "page" / "land.json"
DEGREES = st.floats(-90, 90, allow_nan=False)


def distance_from(point: tuple[float, float], line: list[tuple[float, float]]) -> float:
    """Of a point from a line, by looking at very many points of it."""
    steps = [i / 400 for i in range(401)]
    return min(
        ((a[0] + t * (b[0] - a[0]) - point[0]) ** 2 + (a[1] + t * (b[1] - a[1]) - point[1]) ** 2) ** 0.5
        for a, b in pairwise(line)
        for t in steps
    )


@given(st.lists(st.tuples(DEGREES, DEGREES), min_size=2, max_size=12), st.floats(0.01, 40))
def test_no_point_that_is_left_out_lies_far_off(line: list[tuple[float, float]], tolerance: float):
    kept = land.simplified(line, tolerance)
    assert (kept[0], kept[-1]) == (line[0], line[-1])
    assert set(kept) <= set(line)
    longest = max(abs(a - b) for one, other in pairwise(line) for a, b in zip(one, other, strict=True))
    for point in line:
        assert distance_from(point, kept) <= tolerance + longest / 200 + 1e-9


def test_a_ring_across_the_date_line_has_no_jumps_and_is_there_at_both_edges():
    ring = [(170.0, 60.0), (179.0, 60.0), (-179.0, 61.0), (-170.0, 62.0), (175.0, 65.0), (170.0, 60.0)]
    one, other = land.unrolled(ring)
    assert [lon for lon, _ in one] == [170, 179, 181, 190, 175, 170]
    assert [lon for lon, _ in other] == [lon - 360 for lon, _ in one]
    assert land.unrolled([(0.0, 0.0), (10.0, 0.0), (5.0, 9.0), (0.0, 0.0)]) == [
        [(0.0, 0.0), (10.0, 0.0), (5.0, 9.0), (0.0, 0.0)]
    ]


def test_a_ring_round_a_pole_is_led_along_it():
    ring = [(-180.0, -70.0), (-60.0, -75.0), (60.0, -70.0), (180.0, -70.0)]
    (found,) = land.unrolled(ring)
    assert found[-3:] == [(180.0, -90.0), (-180.0, -90.0), (-180.0, -70.0)]


def test_islands_too_small_to_be_seen_are_left_out():
    square = [[0, 0], [100, 0], [0, 100], [-100, 0], [0, -100]]
    speck = [[900, 900], [1, 0], [0, 1], [-1, 0], [0, -1]]
    topology = {
        "transform": {"scale": [0.1, 0.1], "translate": [0, 0]},
        "arcs": [square, speck],
        "objects": {"land": {"geometries": [{"type": "MultiPolygon", "arcs": [[[0]], [[1]]]}]}},
    }
    found = land.outline(topology)
    assert found["rings"] == [[0, 0, 500, 0, 0, 500, -500, 0]]


def is_land(lat: float, lon: float) -> bool:
    """By how often a line to the west crosses the outline that ships."""
    shipped = json.loads(SHIPPED.read_text())
    crossings = 0
    for steps in shipped["rings"]:
        x = y = 0
        ring = []
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            ring.append((x / shipped["steps"], y / shipped["steps"]))
        for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True):
            if (y0 > lat) != (y1 > lat) and x0 + (lat - y0) * (x1 - x0) / (y1 - y0) < lon:
                crossings += 1
    return crossings % 2 == 1


@pytest.mark.parametrize(
    ("lat", "lon", "expected"),
    [
        (40.4, -3.7, True),
        (52.5, 13.4, True),
        (39.0, -98.0, True),
        (-25.0, 134.0, True),
        (-80.0, 20.0, True),
        (67.0, 178.5, True),
        (67.0, -175.0, True),
        (-41.3, 175.3, True),
        (30.0, -40.0, False),
        (-40.0, -120.0, False),
        (35.5, 18.0, False),
        (72.0, -30.0, True),
        (75.0, 179.0, False),
    ],
)
def test_the_outline_that_ships_has_land_where_it_is(lat: float, lon: float, expected: bool):
    assert is_land(lat, lon) is expected


def test_the_outline_that_ships_is_small_and_says_where_it_is_from():
    assert SHIPPED.stat().st_size < 100_000
    assert json.loads(SHIPPED.read_text())["source"] == land.SOURCE
