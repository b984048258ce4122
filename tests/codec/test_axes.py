"""Colour axes: any photo's planes come back to its pixels, on every machine the same, whatever the nine bytes say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dsslic_search.codec import axes
from dsslic_search.codec.axes import Axes
from dsslic_search.errors import FormatError

QUARTERS = 2  # half a grey level
CORNERS = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)], np.uint8)
photos = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))
seeds = st.integers(0, 2**32 - 1)


def colours(seed: int) -> np.ndarray:
    """Pixels [64, 64, 3]: all corners of the colour cube, greys, and 4 000 others."""
    found = np.random.default_rng(seed).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    found[0, :8] = CORNERS
    found[1:5] = np.arange(256, dtype=np.uint8).reshape(4, 64, 1)
    return found


def turned(seed: int) -> Axes:
    """Axes in a random direction, as those of a photo are rounded."""
    found, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return Axes(tuple(tuple(int(v) for v in row) for row in np.round(found * 127)))


def worst(wanted: np.ndarray, quarters: np.ndarray) -> int:
    return int(np.abs(quarters.astype(int) - 4 * wanted.astype(int)).max())


@given(photos, seeds)
@settings(max_examples=60)
def test_planes_of_any_photo_come_back_within_half_a_grey_level(photo, seed):
    found = axes.principal(photo)
    pixels = colours(seed)
    planes = found.planes(pixels)
    assert all(plane.dtype == np.uint16 and plane.max() < 1024 for plane in planes)
    assert worst(pixels, found.pixels(planes)) <= QUARTERS
    assert axes.from_bytes(found.to_bytes()) == found


@given(seeds)
@settings(max_examples=60)
def test_and_along_axes_in_any_direction(seed):
    found, pixels = turned(seed), colours(seed)
    assert worst(pixels, found.pixels(found.planes(pixels))) <= QUARTERS


@given(seeds)
@settings(max_examples=60)
def test_differences_come_back_within_a_grey_level(seed):
    found = turned(seed)
    difference = colours(seed).astype(np.int16) - colours(seed + 1)
    planes = found.difference_planes(difference)
    back = found.differences(planes).astype(int)
    # Only differences near the ends of the colour cube leave the planes, and are cut there.
    inside = np.all([(plane > 0) & (plane < 1023) for plane in planes], 0)
    assert inside.mean() > 0.8
    assert np.abs(back - 4 * difference)[inside].max() <= 4
    assert not found.differences(found.difference_planes(np.zeros((1, 1, 3), np.int16))).any()


def test_the_way_back_is_the_inverse_of_the_matrix():
    for seed in range(20):
        found = turned(seed)
        planes = tuple(np.random.default_rng(seed).integers(0, 1024, (30, 30)).astype(np.uint16) for _ in range(3))
        rows = np.array(found.rows, float)
        least = np.minimum(rows, 0).sum(1) * 255
        exact = np.linalg.inv(rows) @ (np.stack(planes, -1)[..., None] * 55.0 + least[:, None])
        inside = (exact > -300) & (exact < 600)
        assert np.abs(found.pixels(planes) - 4 * exact[..., 0])[inside[..., 0]].max() < 0.52


def test_axes_of_a_photo_take_its_direction():
    ramp = np.linspace(0, 200, 50).astype(np.uint8)
    reddish = np.zeros((20, 50, 3), np.uint8)
    reddish[..., 0], reddish[..., 1] = ramp, ramp // 4
    first = np.array(axes.principal(reddish).rows[0], float)
    assert first @ [1, 0.25, 0] > 0.98 * np.linalg.norm(first) * np.hypot(1, 0.25)
    found = axes.principal(colours(0))
    assert all(sum(row) >= 0 for row in found.rows)
    assert axes.principal(colours(0)) == found


@pytest.mark.parametrize("photo", [np.zeros((1, 1, 3)), np.full((4, 4, 3), 255), np.tile(np.arange(16)[:, None, None], (1, 5, 3))])
def test_photos_without_colour_have_axes_too(photo):
    found = axes.principal(photo.astype(np.uint8))
    rows = np.array(found.rows)
    assert np.abs(rows[0] - rows[0].mean()).max() <= 1  # greys come first
    assert worst(photo.astype(np.uint8), found.pixels(found.planes(photo.astype(np.uint8)))) <= QUARTERS


@given(st.binary(max_size=12))
@settings(max_examples=300)
def test_hostile_matrices_are_refused_or_harmless(data):
    try:
        found = axes.from_bytes(data)
    except FormatError:
        return
    ends = tuple(np.array([[0, 1023]], np.uint16) for _ in range(3))
    for way in (found.pixels, found.differences):
        assert way(ends).shape == (1, 2, 3)


@given(seeds)
@settings(max_examples=100)
def test_matrices_that_pass_stay_within_32_bits(seed):
    """Matrices at the edge of what is taken, and planes at the edge of what can be coded: as in unlimited whole numbers."""
    rng = np.random.default_rng(seed)
    rows = np.array(turned(seed).rows) + rng.integers(-40, 41, (3, 3))
    try:
        found = axes.from_bytes(rows.clip(-128, 127).astype(np.int8).tobytes())
    except FormatError:
        return
    corners = np.stack(np.meshgrid([0, 1023], [0, 1023], [0, 1023]), -1).reshape(1, 8, 3).astype(np.uint16)
    planes = tuple(corners[..., k] for k in range(3))
    exact = np.linalg.inv(np.array(found.rows, float)) @ (corners[0].T * 55.0 + np.minimum(found.rows, 0).sum(1, keepdims=True) * 255)
    quarters = 4 * exact.T
    fits = np.abs(quarters) < 2**14
    assert np.abs(found.pixels(planes)[0] - quarters)[fits].max(initial=0) < 1


@pytest.mark.parametrize("rows", [np.zeros((3, 3)), np.ones((3, 3)) * 70, [[127, 0, 0], [127, 0, 0], [0, 0, 127]], np.full((3, 3), -128)])
def test_what_is_no_three_axes_is_refused(rows):
    with pytest.raises(FormatError, match="not three axes"):
        axes.from_bytes(np.array(rows).astype(np.int8).tobytes())
    with pytest.raises(FormatError, match="truncated"):
        axes.from_bytes(np.array(rows).astype(np.int8).tobytes()[:8])
