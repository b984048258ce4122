"""Counts of what photos show against a slow count of the same."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from datetime import datetime
from statistics import median_low

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import MapFeatures, features_of
from dsslic_search.archive.schema import Photo
from dsslic_search.core import vocabulary
from dsslic_search.index.columns import Columns, open_columns
from dsslic_search.index.files import Files, open_files
from dsslic_search.query.facets import (
    FIELDS,
    HISTOGRAM_BINS,
    count_classes,
    count_files,
    count_folders,
    count_places,
)
from tests.segments import whole

CLASSES = vocabulary.default()
CAMERAS = (None, "Box Brownie", "Leica")
FORMATS = ("JPEG", "PNG")


def photo(number: int, rng: np.random.Generator) -> Photo:
    taken = (
        None if rng.random() < 0.3 else datetime(1969 + int(rng.integers(0, 3)), int(rng.integers(1, 13)), 28)
    )
    return Photo(
        content_hash=f"{number:064x}", path=f"/{number}.jpg", file_size=1, modified_at=datetime(2020, 1, 1),
        added_at=datetime(2021, 1, 1),
        format=FORMATS[rng.integers(2)], width=int(rng.integers(0, 4)), height=1,
        taken_at=taken, camera=CAMERAS[rng.integers(3)],
        keep="layers", quality=75,
        stored_bytes=1, map_bytes=1, vocabulary="v", segmenter="s",
        iso=(None, 99, 100, 101, 6400)[rng.integers(5)],
        exposure=(None, 1 / 8000, 1 / 125, 90.0)[rng.integers(4)],
        turn=(None, 1, 6)[rng.integers(3)], latitude=(None, 48.9)[rng.integers(2)], longitude=2.4,
        rating=(None, 3.0, 4.5)[rng.integers(3)], keywords=(None, "sea", "sea\nsun")[rng.integers(3)],
    )  # fmt: skip


def some_map(rng: np.random.Generator) -> np.ndarray:
    labels = rng.integers(0, 40, (16, 25)).astype(np.uint8) // 8 * 3
    labels[: rng.integers(0, 17)] = 2
    return labels


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Photo], list[MapFeatures], Columns, Files]:
    """60 photos in the order of rows."""
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("facets")
    with Catalog.open(folder / "c.sqlite", create=True) as catalog:
        features = {
            catalog.add(photo(number, rng), made): made
            for number, made in enumerate(features_of(some_map(rng), CLASSES) for _ in range(60))
        }
        columns, files = (
            open_columns(whole(catalog, folder, CLASSES)),
            open_files(whole(catalog, folder, CLASSES)),
        )
        photos = catalog.photos(columns.ids.tolist())
    return photos, [features[p.id] for p in photos], columns, files


@settings(max_examples=30)
@given(
    rows=st.none() | st.lists(st.integers(0, 59), unique=True),
    presence=st.sampled_from([0.0, 0.005, 0.0025, 0.1, 0.5]),
)
def test_classes_are_counted_as_a_slow_count_does(made, rows: list[int] | None, presence: float):
    _, features, columns, _ = made
    chosen = range(60) if rows is None else sorted(rows)
    found = count_classes([(columns, None if rows is None else np.array(chosen, np.intp))], CLASSES, presence)
    assert [c.photos for c in found] == sorted((c.photos for c in found), reverse=True)
    assert {c.name for c in found} == {c.name for c in CLASSES.classes}
    for count in found:
        class_id = next(c.id for c in CLASSES.classes if c.name == count.name)
        fractions = [f for i in chosen for c, f in features[i].coverages if c == class_id and f >= presence]
        assert count.photos == len(fractions) == sum(count.histogram)
        assert count.mean_coverage == pytest.approx(np.mean(fractions) if fractions else 0, abs=2e-5)
        bins = Counter(min(HISTOGRAM_BINS - 1, int(f * HISTOGRAM_BINS)) for f in fractions)
        assert count.histogram == tuple(bins[i] for i in range(HISTOGRAM_BINS))


@settings(max_examples=30)
@given(rows=st.none() | st.lists(st.integers(0, 59), unique=True))
def test_files_are_counted_as_a_slow_count_does(made, rows: list[int] | None):
    photos, _, _, files = made
    chosen = range(60) if rows is None else sorted(rows)
    found = count_files([(files, None if rows is None else np.array(chosen, np.intp))])
    some = [photos[i] for i in chosen]
    assert found.counts["formats"] == Counter(p.format for p in some)
    assert found.counts["cameras"] == Counter(p.camera for p in some if p.camera)
    assert list(found.counts["cameras"].values()) == sorted(found.counts["cameras"].values(), reverse=True)
    assert found.counts["ratings"] == Counter(f"{p.rating:g}" for p in some if p.rating)
    assert found.counts["turns"] == Counter(str(p.turn) for p in some if p.turn)
    sides = Counter(
        name
        for p in some
        for name, holds in (
            ("landscape", p.width > 1),
            ("square", p.width == 1),
            ("panorama", p.width > 1),
        )
        if holds and p.width
    )
    assert found.counts["orientations"] == sides
    assert found.placed == sum(p.latitude is not None for p in some)
    words = Counter(word for p in some for word in (p.keywords or "").split("\n") if word)
    assert found.counts["keywords"] == words
    assert found.months == Counter(f"{p.taken_at:%Y-%m}" for p in some if p.taken_at)
    assert list(found.months) == sorted(found.months)
    assert found.undated == sum(p.taken_at is None for p in some)


@settings(max_examples=30)
@given(rows=st.none() | st.lists(st.integers(0, 59), unique=True))
def test_numbers_are_spread_as_a_slow_count_does(made, rows: list[int] | None):
    photos, _, _, files = made
    chosen = range(60) if rows is None else sorted(rows)
    found = count_files([(files, None if rows is None else np.array(chosen, np.intp))]).spreads
    assert found["focal_length"] is None
    for name in ("iso", "exposure"):
        values = [value for i in chosen if (value := getattr(photos[i], name)) is not None]
        spread = found[name]
        if spread is None:
            assert not values
            continue
        assert (spread.photos, spread.least, spread.greatest) == (len(values), min(values), max(values))
        assert spread.median == median_low(values)
        assert sum(stop.photos for stop in spread.stops) == len(values)
        assert spread.stops[0].photos
        assert spread.stops[-1].photos
        assert all(one.end == other.start for one, other in itertools.pairwise(spread.stops))
        for stop in spread.stops:
            start = -math.inf if stop.start is None else stop.start
            end = math.inf if stop.end is None else stop.end
            assert stop.photos == sum(start <= value < end for value in values)


def test_numbers_out_of_every_stop_are_counted(made):
    *_, files = made
    exposure = count_files([(files, None)]).spreads["exposure"]
    assert exposure is not None
    assert (exposure.stops[0].start, exposure.stops[-1].start, exposure.stops[-1].end) == (1 / 8000, 60, None)


def test_without_an_archive_all_is_nothing():
    found = count_classes((), CLASSES, 0.005)
    assert {c.photos for c in found} == {0}
    assert {c.histogram for c in found} == {(0,) * HISTOGRAM_BINS}
    assert len(found) == len(CLASSES)


@settings(max_examples=30)
@given(rows=st.none() | st.lists(st.integers(0, 59), unique=True))
def test_folders_and_places_are_counted_as_a_slow_count_does(made, rows: list[int] | None):
    photos, _, _, files = made
    chosen = range(60) if rows is None else sorted(rows)
    parts = [(files, None if rows is None else np.array(chosen, np.intp))]
    assert count_folders(parts) == ({"/": len(chosen)} if chosen else {})
    placed = [photos[i] for i in chosen if photos[i].latitude is not None]
    [*spots] = count_places(parts)
    assert sum(spot.photos for spot in spots) == len(placed)
    for spot in spots:  # all were taken at one place
        assert (spot.latitude, spot.longitude) == (48.9, 2.4)
        assert spot.id == (placed[0].id if len(placed) == 1 else None)
        assert spot.box == (48.9, 2.4, 48.9, 2.4)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(["/", "/a/", "/a/b/", "/ab/"])),
        max_size=40,
    ),
    st.integers(1, 12),
)
def test_many_places_become_as_many_spots_as_are_allowed(taken, most: int):
    files = FilesTold(taken)
    spots = count_places([(files, None)], most)
    assert sum(spot.photos for spot in spots) == len(taken)
    coarsest = len({(math.floor(a / FIELDS[-1]), math.floor(b / FIELDS[-1])) for a, b, _ in taken})
    assert len(spots) <= max(most, coarsest)
    for spot in spots:
        near = [
            each
            for each in taken
            if abs(each[0] - spot.latitude) <= FIELDS[-1] and abs(each[1] - spot.longitude) <= FIELDS[-1]
        ]
        assert near
        if spot.photos == 1:
            assert spot.id is not None
            assert spot.latitude == pytest.approx(taken[spot.id][0], abs=1e-4)
    counted = Counter(folder for _, _, own in taken for folder in FOLDERS if own.startswith(folder))
    assert count_folders([(files, None)]) == counted


FOLDERS = ("/", "/a/", "/a/b/", "/ab/")


class FilesTold:
    """The arrays of an index that counts need, of photos by latitude, longitude and folder."""

    def __init__(self, taken) -> None:
        self.ids = np.arange(len(taken))
        self.arrays = {
            "latitude": np.array([each[0] for each in taken], np.float64),
            "longitude": np.array([each[1] for each in taken], np.float64),
            "placed": np.arange(len(taken)),
            "folder": np.array([FOLDERS.index(each[2]) for each in taken], np.intp),
        }

    def table(self, column: str) -> tuple[str, ...]:
        return FOLDERS
