from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec.bpg.colour import COLOURS, rescale, to_pixels, to_planes

WEIGHTS = {"ycbcr": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
DEPTHS = (8, 9, 10, 11, 12)


def extremes(bit_depth: int) -> np.ndarray:
    """Every combination of dark, middle and bright values, and random ones: [N,7,3]."""
    largest = (1 << bit_depth) - 1
    levels = np.array([0, 1, largest // 2, largest // 2 + 1, largest - 1, largest])
    cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 3)
    noise = np.random.default_rng(bit_depth).integers(0, largest + 1, (7 * 3000 - len(cube), 3))
    return np.concatenate([cube, noise]).reshape(-1, 7, 3).astype(np.uint8 if bit_depth == 8 else np.uint16)


def planes_by_floats(pixels: np.ndarray, bit_depth: int, colour: str) -> np.ndarray:
    """The textbook formulas in floating point, unrounded: [3,H,W]."""
    red, green, blue = np.moveaxis(pixels.astype(float), -1, 0)
    centre = 2.0 ** (bit_depth - 1)
    if colour == "rgb":
        return np.stack([green, blue, red])
    if colour == "ycgco":
        return np.stack(
            [(red + 2 * green + blue) / 4, (2 * green - red - blue) / 4 + centre, (red - blue) / 2 + centre]
        )
    of_red, of_blue = WEIGHTS[colour]
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    return np.stack(
        [luma, (blue - luma) / 2 / (1 - of_blue) + centre, (red - luma) / 2 / (1 - of_red) + centre]
    )


def pixels_by_floats(planes: np.ndarray, bit_depth: int, colour: str, limited: bool) -> np.ndarray:
    """The inverse formulas in floating point, 0..1, unclipped: [H,W,3]."""
    scale = 2.0 ** (bit_depth - 8)
    black, luma_range, chroma_range = (
        (16 * scale, 219 * scale, 224 * scale) if limited else (0.0, *[2.0**bit_depth - 1] * 2)
    )
    first = (planes[0].astype(float) - black) / luma_range
    if colour == "rgb":
        others = [(plane.astype(float) - black) / luma_range for plane in planes[1:]]
        return np.stack([others[1], first, others[0]], -1)
    second, third = ((plane.astype(float) - 128 * scale) / chroma_range for plane in planes[1:])
    if colour == "ycgco":
        return np.stack([first - second + third, first + second, first - second - third], -1)
    of_red, of_blue = WEIGHTS[colour]
    red, blue = first + 2 * (1 - of_red) * third, first + 2 * (1 - of_blue) * second
    return np.stack([red, (first - of_red * red - of_blue * blue) / (1 - of_red - of_blue), blue], -1)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("bit_depth", DEPTHS)
def test_planes_are_the_rounded_formulas(colour: str, bit_depth: int) -> None:
    pixels = extremes(bit_depth)
    planes = np.stack(to_planes(pixels, bit_depth=bit_depth, colour=colour))
    exact = np.clip(planes_by_floats(pixels, bit_depth, colour), 0, 2**bit_depth - 1)
    assert planes.dtype == pixels.dtype
    assert np.abs(planes - exact).max() <= 0.51


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize(
    ("bit_depth", "out_depth"), [(8, 8), (9, 8), (10, 8), (12, 8), (10, 10), (12, 12), (8, 12)]
)
def test_pixels_are_the_rounded_formulas(colour: str, limited: bool, bit_depth: int, out_depth: int) -> None:
    planes = np.moveaxis(extremes(bit_depth), -1, 0)
    pixels = to_pixels(list(planes), bit_depth=bit_depth, out_depth=out_depth, colour=colour, limited=limited)
    largest = 2**out_depth - 1
    exact = np.clip(pixels_by_floats(planes, bit_depth, colour, limited) * largest, 0, largest)
    assert pixels.dtype == (np.uint8 if out_depth == 8 else np.uint16)
    assert np.abs(pixels - exact).max() <= (0.52 if out_depth <= 10 else 0.6)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("bit_depth", DEPTHS)
def test_greys_have_no_chroma_and_come_back(colour: str, bit_depth: int) -> None:
    ramp = np.arange(2**bit_depth).astype(np.uint8 if bit_depth == 8 else np.uint16)
    pixels = np.repeat(ramp[:, None, None], 3, axis=2)
    luma, *chroma = to_planes(pixels, bit_depth=bit_depth, colour=colour)
    assert np.array_equal(luma[:, 0], ramp)
    if colour != "rgb":
        assert all(np.all(plane == 2 ** (bit_depth - 1)) for plane in chroma)
    assert np.array_equal(to_pixels([luma, *chroma], bit_depth=bit_depth, colour=colour), pixels)


@pytest.mark.parametrize("colour", ["ycbcr", "bt709", "bt2020", "ycgco"])
def test_colours_come_back_within_rounding(colour: str) -> None:
    pixels = extremes(8)
    back = to_pixels(to_planes(pixels, bit_depth=8, colour=colour), bit_depth=8, colour=colour)
    assert np.abs(back.astype(int) - pixels).max() <= 2


def test_a_single_plane_is_grey() -> None:
    plane = np.arange(6, dtype=np.uint16).reshape(2, 3) * 200
    pixels = to_pixels([plane], bit_depth=10, out_depth=8)
    assert pixels.shape == (2, 3, 3)
    assert np.array_equal(pixels[..., 0], np.rint(plane.astype(float) * 255 / 1023))
    assert np.array_equal(pixels[..., 0], pixels[..., 2])


def test_bands_do_not_show() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (300, 401, 3), np.uint8)
    whole = to_planes(pixels, bit_depth=8)
    for rows in (slice(0, 81), slice(81, 82), slice(82, 300)):
        part = to_planes(pixels[rows], bit_depth=8)
        assert all(np.array_equal(a[rows], b) for a, b in zip(whole, part, strict=True))


@given(st.sampled_from(DEPTHS), st.sampled_from(DEPTHS))
def test_rescale_is_the_nearest_and_reversible_upwards(bit_depth: int, out_depth: int) -> None:
    samples = np.arange(2**bit_depth).astype(np.uint8 if bit_depth == 8 else np.uint16)
    scaled = rescale(samples, bit_depth=bit_depth, out_depth=out_depth)
    assert scaled.dtype == (np.uint8 if out_depth == 8 else np.uint16)
    assert np.abs(scaled - samples * ((2**out_depth - 1) / (2**bit_depth - 1))).max() <= 0.5
    if out_depth >= bit_depth:
        assert np.array_equal(rescale(scaled, bit_depth=out_depth, out_depth=bit_depth), samples)
