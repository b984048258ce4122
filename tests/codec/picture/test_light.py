"""Colour spaces by numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec.picture import light
from dsslic_search.codec.picture.raster import Coded, Measured

COLOURS = st.tuples(*[st.floats(0, 1)] * 3).map(lambda c: np.array([c]))


def shown(values: object, space: Coded | Measured) -> np.ndarray:
    return np.round(light.to_srgb(np.asarray(values, float) / 255, space)[0] * 255)


def test_a_colour_of_display_p3() -> None:
    """(230, 30, 40) lies outside sRGB; by the matrix of CSS Color 4."""
    samples, outside = light.to_srgb(np.array([[230, 30, 40]]) / 255, Coded(12, 13))
    assert np.round(samples * 255).tolist() == [[251, 0, 19]]
    assert outside


@pytest.mark.parametrize(
    "space", [Coded(1, 13), Coded(2, 2), Coded(1, 1), Coded(1, 6), Measured(gamma=1 / 2.2)]
)
def test_what_is_srgb_is_known(space: Coded | Measured) -> None:
    assert light.is_srgb(space)


@given(COLOURS)
def test_srgb_goes_through_unchanged(colour: np.ndarray) -> None:
    assert np.allclose(light.srgb_samples(light.srgb_light(colour)), colour, atol=1e-9)
    assert np.allclose(light.to_srgb(colour, Coded(1, 13))[0], colour, atol=1e-6)


@given(COLOURS, st.sampled_from([4, 5, 8, 9, 11, 12, 22]))
def test_white_stays_white_and_greys_stay_grey(colour: np.ndarray, primaries: int) -> None:
    grey = np.repeat(colour[:, :1], 3, axis=1)
    made, _ = light.to_srgb(grey, Coded(primaries, 13))
    assert np.allclose(made, grey, atol=2e-3)


def test_linear_light() -> None:
    assert shown([[128, 0, 255]], Coded(1, 8)).tolist() == [[188, 0, 255]]


def test_a_gamma_is_undone() -> None:
    made = shown([[128] * 3], Measured(gamma=1 / 1.8))
    assert made.tolist() == [[float(round(light.srgb_samples(np.array((128 / 255) ** 1.8)) * 255))] * 3]


@pytest.mark.parametrize(
    ("samples", "nits"),
    [(0.0, 0.0), (0.508078, 100.0), (0.580689, 203.0), (0.751827, 1000.0), (1.0, 10_000.0)],
)
def test_perceptual_quantiser(samples: float, nits: float) -> None:
    """Points of SMPTE ST 2084."""
    assert light.pq_light(np.array(samples)) * 203 == pytest.approx(nits, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize(("samples", "scene"), [(0.0, 0.0), (0.5, 1 / 12), (0.75, 0.2650), (1.0, 1.0)])
def test_hybrid_log_gamma(samples: float, scene: float) -> None:
    """Points of BT.2100, table 5; 75 % is its reference white."""
    assert light.hlg_scene(np.array(samples)) == pytest.approx(scene, rel=2e-3, abs=1e-9)


@pytest.mark.parametrize("transfer", [light.PQ, light.HLG])
def test_tones_rise_and_dark_ones_stay(transfer: int) -> None:
    levels = np.repeat(np.linspace(0, 1, 400)[:, None], 3, axis=1)
    made = light.to_srgb(levels, Coded(9, transfer))[0]
    assert (np.diff(made[:, 0]) >= -1e-6).all()
    assert (made[0] == 0).all()
    assert np.allclose(made[-1], 1, atol=1e-3)
    if transfer == light.PQ:
        dark = light.pq_light(levels[:, 0]) < 0.1
        expected = light.srgb_samples(light.pq_light(levels[dark, 0]))
        assert np.allclose(made[dark, 0], expected, atol=2e-3)


@given(st.tuples(*[st.floats(0, 0.25)] * 3), st.tuples(*[st.floats(0.25, 1)] * 2))
def test_measured_primaries_are_those_of_code_points(colour: tuple[float, ...], _: object) -> None:
    p3 = Measured((0.3127, 0.3290), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
    one, other = (light.to_srgb(np.array([colour]), space)[0] for space in (p3, Coded(12, 13)))
    assert np.allclose(one, other, atol=1e-6)


def test_primaries_that_are_none_change_nothing() -> None:
    line = Measured((0.3127, 0.3290), (0.3, 0.3), (0.3, 0.3), (0.3, 0.3))
    assert light.is_srgb(line)


@pytest.mark.parametrize(
    ("lab", "white", "srgb"),
    [
        ((100, 0, 0), None, (255, 255, 255)),
        ((100, 0, 0), (0.3127, 0.3290), (255, 255, 255)),
        ((0, 0, 0), None, (0, 0, 0)),
        ((53.585, 0, 0), None, (128, 128, 128)),
        ((54.29, 80.81, 69.89), None, (255, 0, 0)),  # red relative to D50, of CSS Color 4
        ((53.24, 80.09, 67.20), (0.3127, 0.3290), (255, 0, 0)),  # and to D65
    ],
)
def test_lab(lab: tuple[float, ...], white: tuple[float, float] | None, srgb: tuple[int, ...]) -> None:
    made = light.lab_to_srgb(np.array([lab], float), white)[0] * 255
    assert np.abs(made - srgb).max() <= 1.5
