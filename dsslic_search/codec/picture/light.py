"""Colour spaces by numbers: from samples to light and into sRGB (ITU-T H.273, ITU-R BT.2100, BT.2390).

Light is relative: 1 is diffuse white, which for PQ and HLG is 203 cd/m² (ITU-R BT.2408). What is brighter is
brought below it by the electrical-electrical transfer function of ITU-R BT.2390, section 5.4.1, from a
display of 1000 cd/m²: darker tones stay as they are, and the largest of the three channels decides, so that
hues stay."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture.raster import Coded, Measured

Light = NDArray[np.float32]
Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]

DIFFUSE_WHITE_NITS = 203.0
MASTERED_NITS = 1000.0
"""The peak of the display that HDR pictures are made for, unless they say otherwise."""

D50 = (0.3457, 0.3585)
_D65 = (0.3127, 0.3290)
_SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_PRIMARIES: dict[int, tuple[tuple[tuple[float, float], ...], tuple[float, float]]] = {  # H.273, table 2
    1: (_SRGB, _D65),
    4: (((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)), (0.310, 0.316)),
    5: (((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)), _D65),
    6: (((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), _D65),
    7: (((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), _D65),
    8: (((0.681, 0.319), (0.243, 0.692), (0.145, 0.049)), (0.310, 0.316)),
    9: (((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), _D65),
    10: (((1.0, 0.0), (0.0, 1.0), (0.0, 0.0)), (1 / 3, 1 / 3)),
    11: (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), (0.314, 0.351)),
    12: (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), _D65),
    22: (((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)), _D65),
}
PQ, HLG = 16, 18
_TELEVISION = frozenset({1, 6, 14, 15})
"""Transfers of BT.709, BT.601 and BT.2020, the curve of cameras."""
_SRGB_GAMMAS = (0.45, 0.46)
"""Exponents that files give for sRGB's curve, 1 / 2.2 before all."""


def is_srgb(space: Coded | Measured) -> bool:
    """Whether samples of the space are those of sRGB as they are."""
    return _matrix(space) is None and _curve(space) is None


def is_high_range(space: Coded | Measured) -> bool:
    """Whether light above diffuse white can be coded."""
    return isinstance(space, Coded) and space.transfer in (PQ, HLG)


def to_srgb(values: NDArray[np.float64], space: Coded | Measured) -> tuple[NDArray[np.float32], bool]:
    """Samples, 0..1, [..., 3], of a space to those of sRGB, 0..1, and whether some colours lay outside it and
    were brought to its edge. One channel, [..., 1], keeps its own."""
    curve = _curve(space) or srgb_light
    light = curve(values)
    if is_high_range(space):
        assert isinstance(space, Coded)
        light = _system_light(light) if space.transfer == HLG else light
    matrix = _matrix(space)
    if matrix is not None and light.shape[-1] == 3:
        light = light @ matrix.T
    if is_high_range(space):
        light = _toned(light)
    outside = bool(light.size and (light.min() < -GAMUT_TOLERANCE or light.max() > 1 + GAMUT_TOLERANCE))
    return srgb_samples(np.clip(light, 0.0, 1.0)).astype(np.float32), outside


def lab_to_srgb(
    lab: NDArray[np.float64], white: tuple[float, float] | None
) -> tuple[NDArray[np.float32], bool]:
    """CIE L*a*b* (CIE 15), [..., 3], relative to a white, D50 for None, as :func:`to_srgb` gives it."""
    white = white or D50
    y = (lab[..., 0] + 16) / 116
    root = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], -1)
    xyz = np.where(root > 6 / 29, root**3, 3 * (6 / 29) ** 2 * (root - 4 / 29)) * _xyz(*white)
    light = xyz @ np.linalg.solve(_to_xyz(_SRGB, _D65), _adapted(white, _D65)).T
    outside = bool(light.size and (light.min() < -GAMUT_TOLERANCE or light.max() > 1 + GAMUT_TOLERANCE))
    return srgb_samples(np.clip(light, 0.0, 1.0)).astype(np.float32), outside


GAMUT_TOLERANCE = 0.002
"""Light that rounding of eight bits and of chromaticities may put outside."""


def srgb_light(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Samples of sRGB to light (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((np.maximum(values, 0) + 0.055) / 1.055) ** 2.4)


def srgb_samples(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light to samples of sRGB, the other way."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def television_light(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Samples of BT.709 and BT.2020 to light: their camera curve the other way."""
    alpha, beta = 1.09929682680944, 0.018053968510807
    v = np.maximum(values, 0)
    return np.where(v < 4.5 * beta, v / 4.5, ((v + alpha - 1) / alpha) ** (1 / 0.45))


def pq_light(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Samples of SMPTE ST 2084 to light, 1 being diffuse white."""
    return _pq_nits(values) / DIFFUSE_WHITE_NITS


_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def _pq_nits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    root = np.clip(values, 0, 1) ** (1 / _M2)
    return 10_000 * (np.maximum(root - _C1, 0) / (_C2 - _C3 * root)) ** (1 / _M1)


def _pq_samples(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    power = np.clip(nits / 10_000, 0, 1) ** _M1
    return ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2


def hlg_scene(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Samples of hybrid log-gamma (ARIB STD-B67, BT.2100) to the light of the scene, 0..1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    v = np.clip(values, 0, 1)
    return np.where(v <= 0.5, v * v / 3, (np.exp((v - c) / a) + b) / 12)


def _system_light(scene: NDArray[np.float64]) -> NDArray[np.float64]:
    """BT.2100's rendering of an HLG scene on a display of 1000 cd/m² (gamma 1.2), 1 being diffuse white."""
    weights = np.array([0.2627, 0.6780, 0.0593]) if scene.shape[-1] == 3 else np.ones(1)
    luminance = np.maximum(scene @ weights, 1e-9)[..., None]
    return scene * luminance**0.2 * (MASTERED_NITS / DIFFUSE_WHITE_NITS)


def _toned(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """The brightest channel of each pixel goes through BT.2390's curve, the others keep their share of it."""
    strongest = light.max(axis=-1, keepdims=True)
    peak = _pq_samples(np.array(MASTERED_NITS))
    target = _pq_samples(np.array(DIFFUSE_WHITE_NITS)) / peak
    knee = 1.5 * target - 0.5
    e = np.clip(_pq_samples(np.maximum(strongest, 0) * DIFFUSE_WHITE_NITS) / peak, 0, 1)
    t = (e - knee) / (1 - knee)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * target
    )
    toned = _pq_nits(np.where(e < knee, e, spline) * peak) / DIFFUSE_WHITE_NITS
    return light * np.where(strongest > 0, toned / np.maximum(strongest, 1e-12), 1.0)


def _power(exponent: float) -> Curve:
    return lambda values: np.maximum(values, 0) ** exponent


def _curve(space: Coded | Measured) -> Curve | None:
    """From samples to light; None: sRGB's."""
    if isinstance(space, Measured):
        gamma = space.gamma
        if gamma is None or _SRGB_GAMMAS[0] <= gamma <= _SRGB_GAMMAS[1]:
            return None
        return _power(1 / gamma)
    if space.transfer in _TELEVISION:
        # With the primaries of sRGB they stand in pictures for want of another, and are shown as sRGB.
        return None if _matrix(space) is None else television_light
    return {
        4: _power(2.2),
        5: _power(2.8),
        8: _power(1.0),
        17: _power(2.6),
        PQ: pq_light,
        HLG: hlg_scene,
    }.get(space.transfer)


def _matrix(space: Coded | Measured) -> NDArray[np.float64] | None:
    """From light of the space to light of sRGB; None: none is needed."""
    if isinstance(space, Measured):
        if space.red is None or space.green is None or space.blue is None:
            return None
        return _between((space.red, space.green, space.blue), space.white or _D65)
    if space.primaries not in _PRIMARIES:  # 2 is "unspecified", others are reserved
        return None
    return _between(*_PRIMARIES[space.primaries])


@cache
def _between(
    primaries: tuple[tuple[float, float], ...], white: tuple[float, float]
) -> NDArray[np.float64] | None:
    source = np.concatenate([np.ravel(primaries), white])
    if np.abs(source - np.concatenate([np.ravel(_SRGB), _D65])).max() < 0.0015:
        return None
    try:
        light = _adapted(white, _D65) @ _to_xyz(primaries, white)
        matrix = np.asarray(np.linalg.solve(_to_xyz(_SRGB, _D65), light), np.float64)
    except np.linalg.LinAlgError:  # three primaries in a line
        return None
    return matrix if np.isfinite(matrix).all() else None


def _to_xyz(primaries: tuple[tuple[float, float], ...], white: tuple[float, float]) -> NDArray[np.float64]:
    columns = np.array([_xyz(*spot) for spot in primaries]).T
    return columns * np.linalg.solve(columns, _xyz(*white))


def _xyz(x: float, y: float) -> NDArray[np.float64]:
    """Of unit luminance; a primary on the x axis has none, and takes a tiny one."""
    y = max(y, 1e-6)
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _adapted(source: tuple[float, float], target: tuple[float, float]) -> NDArray[np.float64]:
    """From one white to another (Bradford's cone responses, as in ICC profiles)."""
    cones = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    scale = (cones @ _xyz(*target)) / (cones @ _xyz(*source))
    return np.asarray(np.linalg.inv(cones) @ (scale[:, None] * cones), np.float64)
