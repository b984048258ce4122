from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dsslic_search.bench import metrics
from dsslic_search.bench.metrics import PerceptualDistance, bd_rate, bpp, ms_ssim, psnr
from dsslic_search.core.errors import WeightsError


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def scene(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 9) + np.cos(y / 7), np.sin((x + y) / 5), np.cos(x / 23) * np.sin(y / 3)], -1)
    return np.rint((waves - waves.min()) / np.ptp(waves) * 255).astype(np.uint8)


def spoiled(picture: np.ndarray, amount: float, seed: int = 1) -> np.ndarray:
    wobble = np.random.default_rng(seed).normal(0, amount, picture.shape)
    return np.clip(np.rint(picture + wobble), 0, 255).astype(np.uint8)


def slow_ms_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Five scales, written out window by window."""
    offsets = np.arange(11) - 5
    line = np.exp(-(offsets**2) / 4.5)
    window = np.outer(line, line) / line.sum() ** 2

    def blur(plane: np.ndarray) -> np.ndarray:
        views = np.lib.stride_tricks.sliding_window_view(plane, (11, 11))
        return np.einsum("yxij,ij->yx", views, window)

    values = []
    for channel in range(3):
        p, q, value = a[..., channel].astype(float), b[..., channel].astype(float), 1.0
        for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
            if scale:
                p, q = (m[: len(m) // 2 * 2, : m.shape[1] // 2 * 2] for m in (p, q))
                p, q = (m.reshape(m.shape[0] // 2, 2, m.shape[1] // 2, 2).mean((1, 3)) for m in (p, q))
            mp, mq = blur(p), blur(q)
            term = (2 * (blur(p * q) - mp * mq) + 58.5225) / (
                blur(p * p) - mp**2 + blur(q * q) - mq**2 + 58.5225
            )
            if scale == 4:
                term = term * (2 * mp * mq + 6.5025) / (mp**2 + mq**2 + 6.5025)
            value *= max(term.mean(), 0) ** weight
        values.append(value)
    return float(np.mean(values))


def test_bpp_counts_pixels_not_samples():
    assert bpp(1000, 20, 40) == 10


def test_psnr_of_known_errors():
    black = np.zeros((10, 10, 3), np.uint8)
    assert psnr(black, black) == float("inf")
    assert psnr(black, np.full_like(black, 255)) == 0
    assert psnr(black, np.ones_like(black)) == pytest.approx(48.1308, abs=1e-4)  # 20 log10 255
    one = black.copy()
    one[0, 0, 0] = 255
    assert psnr(black, one) == pytest.approx(10 * np.log10(300))


@pytest.mark.parametrize("shape", [(176, 176), (177, 240), (201, 183)])
@pytest.mark.parametrize("amount", [3, 40])
def test_ms_ssim_is_the_slow_one(shape, amount):
    a = scene(*shape)
    b = spoiled(a, amount)
    assert ms_ssim(a, b) == pytest.approx(slow_ms_ssim(a, b), abs=1e-9)


@settings(max_examples=40)
@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))),
    st.integers(0, 9),
)
def test_ms_ssim_of_any_size_is_one_for_equals_and_symmetric(a, seed):
    b = spoiled(a, 30, seed)
    assert ms_ssim(a, a) == pytest.approx(1)
    assert 0 <= ms_ssim(a, b) <= 1 + 1e-12
    assert ms_ssim(a, b) == pytest.approx(ms_ssim(b, a))


def test_ms_ssim_falls_as_noise_grows():
    a = scene(200, 300)
    values = [ms_ssim(a, spoiled(a, amount)) for amount in (0, 2, 8, 30, 90)]
    assert values[0] == 1
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.7


@pytest.mark.parametrize("side", [1, 2, 10, 11, 21, 22, 43, 44, 87, 88, 175, 176])
def test_ms_ssim_of_small_pictures_uses_the_scales_that_fit(side):
    a = noise(side, side + 3)
    assert ms_ssim(a, a) == pytest.approx(1)
    assert 0 <= ms_ssim(a, 255 - a) < 0.9


def test_ms_ssim_takes_grey_pictures():
    a = scene(190, 200)
    b = spoiled(a, 10)
    assert ms_ssim(a[..., 0], b[..., 0]) == pytest.approx(ms_ssim(a[..., :1], b[..., :1]))
    assert ms_ssim(a, b) == pytest.approx(np.mean([ms_ssim(a[..., c], b[..., c]) for c in range(3)]))


@pytest.mark.parametrize("measure", [psnr, ms_ssim])
def test_pictures_that_cannot_be_compared_are_refused(measure):
    a = noise(8, 8)
    for other in (a[:4], a.astype(float), a[..., :1]):
        with pytest.raises(ValueError, match="one size"):
            measure(a, other)


RATES, QUALITIES = [0.1, 0.25, 0.6, 1.3, 2.7], [28.0, 31.5, 35.2, 39.0, 42.9]


@pytest.mark.parametrize("factor", [0.5, 0.93, 1.0, 1.2, 3.0])
def test_a_constant_factor_of_rate_is_the_bd_rate(factor):
    assert bd_rate(RATES, QUALITIES, [factor * r for r in RATES], QUALITIES) == pytest.approx(
        (factor - 1) * 100, abs=1e-9
    )


def test_lines_in_the_logarithm_have_a_closed_form():
    quality = np.linspace(30, 40, 5)
    anchor, steeper = np.exp(0.2 * quality), np.exp(0.25 * quality - 1)
    low, high = 32.0, 37.0
    mean = 0.05 * (low + high) / 2 - 1
    measured = bd_rate(list(anchor), list(quality), list(steeper), list(quality), (low, high))
    assert measured == pytest.approx((np.exp(mean) - 1) * 100)


def test_only_the_common_interval_counts():
    other_rates, other_qualities = [0.2, 0.5, 1.0, 2.0], [31.0, 35.0, 38.0, 41.0]
    common = bd_rate(RATES, QUALITIES, other_rates, other_qualities)
    assert bd_rate(RATES, QUALITIES, other_rates, other_qualities, (31.0, 41.0)) == pytest.approx(common)
    assert bd_rate(RATES, QUALITIES, other_rates, other_qualities, (33.0, 36.0)) != pytest.approx(common)


def test_swapping_the_curves_inverts_the_ratio():
    other_rates, other_qualities = [0.2, 0.5, 1.0, 2.0], [31.0, 35.0, 38.0, 41.0]
    there = bd_rate(RATES, QUALITIES, other_rates, other_qualities)
    back = bd_rate(other_rates, other_qualities, RATES, QUALITIES)
    assert (1 + there / 100) * (1 + back / 100) == pytest.approx(1)


def test_the_order_of_points_does_not_matter():
    turned = bd_rate(RATES[::-1], QUALITIES[::-1], [2 * r for r in RATES], QUALITIES)
    assert turned == pytest.approx(100)


increasing = st.lists(st.floats(0.05, 3), min_size=2, max_size=8)


@given(increasing, st.data())
def test_interpolation_is_that_of_scipy(steps, data):
    interpolate = pytest.importorskip("scipy.interpolate")
    climbs = data.draw(st.lists(st.floats(0.02, 2), min_size=len(steps), max_size=len(steps)))
    quality, log_rate = 30 + np.cumsum(steps), np.cumsum(climbs)
    flat_quality = np.array([quality[0], quality[-1]])
    low, high = quality[0] + 0.1 * np.ptp(quality), quality[-1] - 0.2 * np.ptp(quality)
    reference = interpolate.PchipInterpolator(quality, log_rate).integrate(low, high) / (high - low)
    line = interpolate.PchipInterpolator(flat_quality, [0.0, 1.0]).integrate(low, high) / (high - low)
    measured = bd_rate([1.0, np.e], list(flat_quality), list(np.exp(log_rate)), list(quality), (low, high))
    assert np.log1p(measured / 100) == pytest.approx(reference - line, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("rates", "qualities", "interval", "why"),
    [
        ([1.0], [30.0], None, "two points"),
        ([1.0, 0.0], [30.0, 40.0], None, "above 0"),
        ([1.0, 2.0], [40.0, 30.0], None, "more rate"),
        ([1.0, 2.0], [30.0, 30.0], None, "more rate"),
        ([1.0, 2.0], [30.0, float("nan")], None, "finite"),
        ([1.0, 2.0], [50.0, 60.0], None, "in common"),
        (RATES, QUALITIES, (20.0, 30.0), "not all of"),
    ],
)
def test_curves_that_cannot_be_compared_are_refused(rates, qualities, interval, why):
    with pytest.raises(ValueError, match=why):
        bd_rate(RATES, QUALITIES, rates, qualities, interval)


def test_an_installed_package_says_what_lpips_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from dsslic_search.networks import weights

    monkeypatch.setattr(weights, "folder", lambda: tmp_path)
    metrics._shipped.cache_clear()
    with pytest.raises(WeightsError, match=f"of the source tree to {tmp_path}"):
        PerceptualDistance(noise(40, 40))
