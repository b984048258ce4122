"""Quality measures of decoded photos, and the mean rate difference of two codecs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Plane = NDArray[np.float64]

_WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
_WINDOW = 11
_SIGMA = 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_BLOCK = 32
_HALVINGS = 60


def bpp(size: int, height: int, width: int) -> float:
    """Bits per pixel of ``size`` bytes: bits / (H·W)."""
    return 8 * size / (height * width)


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB over all samples of two uint8 arrays of one shape; ``inf`` when they
    are equal."""
    _check(a, b)
    difference = a.astype(np.float32) - b.astype(np.float32)
    error = float(np.mean(np.square(difference), dtype=np.float64))
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def ms_ssim(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Multi-scale structural similarity (Wang, Simoncelli, Bovik 2003) of two uint8 pictures, [H, W] or [H,
    W, C]; 1 when equal.

    Five scales with the paper's weights, an 11×11 Gaussian window of sigma 1.5 at the positions where it
    fits, halving by the mean of 2×2 (an odd last row or column is dropped). Each of R, G and B gives a value
    of its own and the result is their mean; negative contrast terms count as 0. A picture too small for the
    window at all five scales (a side below 176) uses the scales it fits, their weights made to sum to 1; one
    smaller than the window uses one scale and the largest odd window that fits.
    """
    _check(a, b)
    planes_a, planes_b = _planes(a), _planes(b)
    side = min(planes_a.shape[1:])
    window = _gaussian(min(_WINDOW, side - (side + 1) % 2))
    scales = next((n for n in range(len(_WEIGHTS), 1, -1) if side >> (n - 1) >= _WINDOW), 1)
    weights = _WEIGHTS if scales == len(_WEIGHTS) else _WEIGHTS[:scales] / _WEIGHTS[:scales].sum()
    result = np.ones(len(planes_a))
    for scale, weight in enumerate(weights):
        if scale:
            planes_a, planes_b = _halved(planes_a), _halved(planes_b)
        similarity, contrast = _ssim(planes_a, planes_b, window)
        result *= np.maximum(similarity if scale == scales - 1 else contrast, 0) ** weight
    return float(result.mean())


def ms_ssim_db(value: float) -> float:
    """MS-SSIM in dB, −10·log10(1 − value), which spreads what is near 1; 100 from 1 − 1e-10 on."""
    return float(-10 * np.log10(max(1 - value, 1e-10)))


def bd_rate(
    anchor_rates: Sequence[float],
    anchor_qualities: Sequence[float],
    rates: Sequence[float],
    qualities: Sequence[float],
    interval: tuple[float, float] | None = None,
) -> float:
    """Mean difference of rate at the same quality against the anchor, in percent; negative is better
    (Bjøntegaard, VCEG-M33).

    The logarithm of the rate is interpolated over the quality (dB) by monotone piecewise cubics (Fritsch and
    Carlson 1980), and integrated exactly over ``interval``, which both curves must cover; by default over all
    they have in common. Points may come in any order. Raises ValueError for fewer than two points, rates not
    above 0, curves on which more rate does not give more quality, and curves that do not cover a common
    interval.
    """
    anchor, curve = _Curve(anchor_rates, anchor_qualities), _Curve(rates, qualities)
    low, high = max(anchor.low, curve.low), min(anchor.high, curve.high)
    if interval is not None:
        if interval[0] < low or interval[1] > high:
            raise ValueError(
                f"the curves cover {low:g}..{high:g} in common, not all of {interval[0]:g}..{interval[1]:g}"
            )
        low, high = interval
    if not low < high:
        raise ValueError("the curves have no interval of quality in common")
    mean = (curve.integral(low, high) - anchor.integral(low, high)) / (high - low)
    return float(np.expm1(mean) * 100)


def rate_at(rates: Sequence[float], qualities: Sequence[float], quality: float) -> float:
    """The rate at which a curve (as :func:`bd_rate` draws it) has ``quality``. ValueError where it ends
    before, or is none."""
    curve = _Curve(rates, qualities)
    if not curve.low <= quality <= curve.high:
        raise ValueError(f"the curve covers {curve.low:g}..{curve.high:g}, not {quality:g}")
    return float(np.exp(curve(np.array([quality])))[0])


def quality_at(rates: Sequence[float], qualities: Sequence[float], rate: float) -> float:
    """The quality that a curve (as :func:`bd_rate` draws it) has at ``rate``. ValueError where it ends
    before, or is none."""
    curve = _Curve(rates, qualities)
    wanted = np.log(rate)
    if not curve.y[0] <= wanted <= curve.y[-1]:
        raise ValueError(f"the curve covers rates of {min(rates):g}..{max(rates):g}, not {rate:g}")
    low, high = curve.low, curve.high
    for _ in range(_HALVINGS):  # the curve rises, so the place is found by halving
        middle = (low + high) / 2
        low, high = (middle, high) if curve(np.array([middle]))[0] < wanted else (low, middle)
    return (low + high) / 2


class _Curve:
    """Logarithm of the rate over the quality, as monotone cubics between the points."""

    def __init__(self, rates: Sequence[float], qualities: Sequence[float]) -> None:
        points = np.array(sorted(zip(qualities, rates, strict=True)), np.float64).reshape(-1, 2)
        if len(points) < 2 or not np.isfinite(points).all() or points[:, 1].min() <= 0:
            raise ValueError("a curve needs two points or more, all finite, with rates above 0")
        self.x, self.y = points[:, 0], np.log(points[:, 1])
        if (np.diff(self.x) <= 0).any() or (np.diff(self.y) <= 0).any():
            raise ValueError("more rate must give more quality at every point of a curve")
        self.low, self.high = float(self.x[0]), float(self.x[-1])
        self._slopes = _monotone_slopes(self.x, self.y)

    def __call__(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        piece = np.clip(np.searchsorted(self.x, at, "right") - 1, 0, len(self.x) - 2)
        width = self.x[piece + 1] - self.x[piece]
        t = (at - self.x[piece]) / width
        start, end = self._slopes[piece] * width, self._slopes[piece + 1] * width
        value: NDArray[np.float64] = (
            self.y[piece] * (1 + 2 * t) * (1 - t) ** 2
            + start * t * (1 - t) ** 2
            + self.y[piece + 1] * t**2 * (3 - 2 * t)
            + end * t**2 * (t - 1)
        )
        return value

    def integral(self, low: float, high: float) -> float:
        """By two-point Gauss quadrature on each piece, which is exact for cubics."""
        inner = self.x[(self.x > low) & (self.x < high)]
        edges = np.concatenate(([low], inner, [high]))
        middle, half = (edges[:-1] + edges[1:]) / 2, np.diff(edges) / 2
        return float(np.sum(half * (self(middle - half / np.sqrt(3)) + self(middle + half / np.sqrt(3)))))


def _monotone_slopes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slopes at the points of an increasing curve: weighted harmonic means inside, limited three-point
    formulas at the ends."""
    step = np.diff(x)
    rise = np.diff(y) / step
    if len(x) == 2:
        return np.repeat(rise, 2)
    left, right = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    inner = (left + right) / (left / rise[:-1] + right / rise[1:])
    return np.concatenate(
        (
            [_end_slope(step[0], step[1], rise[0], rise[1])],
            inner,
            [_end_slope(step[-1], step[-2], rise[-1], rise[-2])],
        )
    )


def _end_slope(step: float, next_step: float, rise: float, next_rise: float) -> float:
    slope = ((2 * step + next_step) * rise - step * next_rise) / (step + next_step)
    return float(np.clip(slope, 0, 3 * rise))


def _check(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> None:
    if a.shape != b.shape or a.dtype != np.uint8 or b.dtype != np.uint8 or a.size == 0:
        raise ValueError(
            f"two uint8 pictures of one size are compared, not {a.dtype} {list(a.shape)} and {b.dtype} "
            f"{list(b.shape)}"
        )


def _planes(picture: NDArray[np.uint8]) -> Plane:
    planes = picture[None] if picture.ndim == 2 else np.moveaxis(picture, -1, 0)
    return np.ascontiguousarray(planes, np.float64)


def _halved(planes: Plane) -> Plane:
    height, width = (n // 2 * 2 for n in planes.shape[1:])
    even = planes[:, :height, :width]
    mean: Plane = (even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 4
    return mean


def _gaussian(size: int) -> Plane:
    weights = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * _SIGMA**2))
    normal: Plane = weights / weights.sum()
    return normal


def _ssim(a: Plane, b: Plane, window: Plane) -> tuple[Any, Any]:
    """(mean SSIM, mean contrast-structure term) of each plane."""
    mean_a, mean_b = _blurred(a, window), _blurred(b, window)
    both, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    covariance = _blurred(a * b, window) - both
    variances = _blurred(a**2 + b**2, window) - squares
    contrast = (2 * covariance + _C2) / (variances + _C2)
    luminance = (2 * both + _C1) / (squares + _C1)
    return (luminance * contrast).mean((1, 2)), contrast.mean((1, 2))


def _blurred(planes: Plane, window: Plane) -> Plane:
    return _blurred_rows(_blurred_rows(planes, window).swapaxes(1, 2), window).swapaxes(1, 2)


def _blurred_rows(planes: Plane, window: Plane) -> Plane:
    """Correlate each row with ``window`` where it fits: products of blocks of the row with a band matrix,
    much faster than tap by tap."""
    taps, width = len(window), planes.shape[2]
    outputs = width - taps + 1
    band = np.zeros((_BLOCK + taps - 1, _BLOCK))
    for i in range(_BLOCK):
        band[i : i + taps, i] = window
    padded = np.pad(planes, ((0, 0), (0, 0), (0, -outputs % _BLOCK)))
    blocks = np.lib.stride_tricks.sliding_window_view(padded, len(band), axis=2)[:, :, ::_BLOCK]
    product: Plane = (blocks @ band).reshape(*planes.shape[:2], -1)
    return product[:, :, :outputs]


# LPIPS

_loading = threading.Lock()


@cache
def _shipped() -> Any:
    from dsslic_search.core.errors import WeightsError
    from dsslic_search.networks import weights
    from dsslic_search.networks.lpips import Lpips, LpipsConfig

    file = weights.folder() / "lpips.safetensors"
    if not file.exists():
        raise WeightsError(
            f"LPIPS is measured with a network that installed packages leave out, to be small: copy "
            f"weights/lpips.safetensors of the source tree to {file.parent}"
        )
    config, state = weights.load(file, "lpips")
    net = Lpips(LpipsConfig(**config))
    net.load_state_dict(state)
    return net.eval()


class PerceptualDistance:
    """LPIPS of 8-bit pictures with the shipped weights; smaller is better, 0 when equal: from one picture,
    uint8 [H, W, 3] sRGB with sides of 31 or more, to others of its size: its features are computed once.

    Raises ValueError for pictures that are not so, WeightsError when the weight file is unsound. May be
    called from many threads.
    """

    def __init__(self, reference: NDArray[np.uint8]) -> None:
        from dsslic_search.networks.lpips import MIN_SIDE

        if reference.ndim != 3 or reference.shape[2] != 3 or min(reference.shape[:2]) < MIN_SIDE:
            raise ValueError(
                f"LPIPS compares RGB pictures with sides of {MIN_SIDE} or more, not {list(reference.shape)}"
            )
        with _loading:
            self._net = _shipped()
        self._shape = reference.shape
        self._features = self._of(reference)

    def __call__(self, picture: NDArray[np.uint8]) -> float:
        import torch

        if picture.shape != self._shape or picture.dtype != np.uint8:
            raise ValueError(
                f"two uint8 pictures of one size are compared, not {list(self._shape)} and "
                f"{list(picture.shape)}"
            )
        with torch.inference_mode():
            return float(self._net.distance(self._features, self._of(picture)))

    def _of(self, picture: NDArray[np.uint8]) -> list[Tensor]:
        import torch

        with torch.inference_mode():
            pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].to(torch.float32) / 255
            found: list[Tensor] = self._net.features(pixels)
        return found
