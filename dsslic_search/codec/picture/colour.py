"""From a picture as its file holds it to 8-bit sRGB."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from dsslic_search.codec.picture import light
from dsslic_search.codec.picture.raster import Coded, Measured, Profile, Raster, Space

SRGB_TOLERANCE = 3  # grey levels: makers' sRGB profiles differ by that much from each other
ROWS_PIXELS = 1 << 18
"""Pixels that are converted at a time; in floating point they take some fifty megabytes."""

_SPACES = {"grey": "GRAY", "rgb": "RGB ", "cmyk": "CMYK"}
_MODES = {"grey": "L", "rgb": "RGB", "cmyk": "CMYK"}
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_TABLE_FLAGS = _FLAGS | ImageCms.Flags.NOOPTIMIZE
"""For profiles that are tables, as those of inks are: LittleCMS would make a coarser table of the whole way
first, and be tens of levels off between its points. It takes four times as long."""


@dataclass(frozen=True)
class Colours:
    """``pixels``: uint8 [H, W, 3] in sRGB. ``reductions``: what of the file they do not hold, in words."""

    pixels: NDArray[np.uint8]
    reductions: tuple[str, ...]


def to_srgb(raster: Raster) -> Colours:
    """The samples of a raster in 8-bit sRGB.

    Through an ICC profile relative colorimetric with black-point compensation; a profile that is broken, or
    for another model than the raster's, is left out of account. Spaces by numbers as :mod:`light` says.
    Colours outside sRGB come to its edge. More than eight bits are rounded, after the conversion."""
    reductions = [f"{raster.bits} bits a channel became 8"] if raster.bits > 8 else []
    profile = _usable(raster)
    if profile is not None:
        pixels = _managed(raster, profile)
    elif raster.model == "lab" or _is_other(raster.space):
        pixels, outside = _computed(raster)
        if isinstance(raster.space, Coded) and light.is_high_range(raster.space):
            reductions.append("high dynamic range was brought to that of sRGB")
        elif outside:
            reductions.append("colours outside sRGB were brought to its edge")
    else:
        pixels = _plain(raster)
    if raster.model == "grey":
        pixels = (
            pixels[..., 1] if pixels.ndim == 3 else pixels
        )  # management may leave the three a level apart
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    return Colours(np.ascontiguousarray(pixels), tuple(reductions))


def _plain(raster: Raster) -> NDArray[np.uint8]:
    """Without a conversion of colours but that of the model."""
    eight = _eight_bits(raster.samples, raster.white)
    if raster.model == "cmyk":
        return np.asarray(Image.fromarray(eight, "CMYK").convert("RGB"))
    return eight


def _eight_bits(samples: NDArray[Any], white: float) -> NDArray[np.uint8]:
    """Samples of 0..white to 0..255, rounded; what is below, above or not a number comes to the ends."""
    if samples.dtype == np.uint8 and white == 255:
        return np.ascontiguousarray(samples)
    eight = np.empty(samples.shape, np.uint8)
    for rows in _rows(samples):
        scaled = np.nan_to_num(samples[rows].astype(np.float32), nan=0.0, posinf=white, neginf=0.0)
        scaled *= np.float32(255 / white)
        eight[rows] = np.clip(np.rint(scaled, out=scaled), 0, 255)
    return eight


def _is_other(space: Space) -> bool:
    """Whether a space by numbers is not sRGB."""
    return isinstance(space, (Coded, Measured)) and not light.is_srgb(space)


def _computed(raster: Raster) -> tuple[NDArray[np.uint8], bool]:
    """Through a space by numbers."""
    samples = raster.samples[..., None] if raster.model == "grey" else raster.samples
    eight, outside = np.empty(samples.shape, np.uint8), False
    for rows in _rows(samples):
        values = samples[rows].astype(np.float64)
        if raster.model == "lab":
            white = raster.space.white if isinstance(raster.space, Measured) else None
            shown, beyond = light.lab_to_srgb(values, white)
        else:
            assert isinstance(raster.space, (Coded, Measured))
            values = np.nan_to_num(values / raster.white, posinf=1.0, neginf=0.0)
            shown, beyond = light.to_srgb(values, raster.space)
        eight[rows] = np.rint(shown * 255)
        outside |= beyond
    return (eight[..., 0] if raster.model == "grey" else eight), outside


def _rows(samples: NDArray[Any]) -> list[slice]:
    """Slices of rows, each of at most ``ROWS_PIXELS`` pixels or one row."""
    step = max(1, ROWS_PIXELS // max(1, samples.shape[1]))
    return [slice(start, start + step) for start in range(0, samples.shape[0], step)]


def _usable(raster: Raster) -> ImageCms.ImageCmsProfile | None:
    """The profile to convert by; None where none asks for it."""
    try:
        if raster.model == "lab" or not isinstance(raster.space, Profile) or not raster.space.icc:
            return None
        profile = ImageCms.ImageCmsProfile(io.BytesIO(raster.space.icc))
        if profile.profile.xcolor_space != _SPACES[raster.model]:
            return None
        return None if raster.model == "rgb" and _is_srgb(profile) else profile
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _managed(raster: Raster, profile: ImageCms.ImageCmsProfile) -> NDArray[np.uint8]:
    """Through a profile, at the samples' own depth; as it is where that fails."""
    if raster.samples.dtype != np.uint8 and raster.model in ("rgb", "grey"):
        return _managed_deep(raster, profile)
    eight = _eight_bits(raster.samples, raster.white)
    mode, shown = _MODES[raster.model], np.empty((*eight.shape[:2], 3), np.uint8)
    try:
        flags = _FLAGS if raster.model != "cmyk" and profile.profile.is_matrix_shaper else _TABLE_FLAGS
        transform = ImageCms.buildTransform(profile, _srgb(), mode, "RGB", _INTENT, flags)
        for rows in _rows(eight):
            shown[rows] = ImageCms.applyTransform(Image.fromarray(eight[rows], mode), transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return _plain(raster)
    return shown


def _managed_deep(raster: Raster, profile: ImageCms.ImageCmsProfile) -> NDArray[np.uint8]:
    """The same with sixteen bits, through the same engine (LittleCMS) under another name: Pillow's has
    eight."""
    import imagecodecs

    assert isinstance(raster.space, Profile)
    eight = np.empty((*raster.samples.shape[:2], 3), np.uint8)
    for rows in _rows(raster.samples):
        values = raster.samples[rows].astype(np.float32) * np.float32(65535 / raster.white)
        sixteen = np.clip(np.rint(np.nan_to_num(values)), 0, 65535).astype(np.uint16)
        try:
            shown = imagecodecs.cms_transform(
                sixteen,
                raster.space.icc,
                _srgb().tobytes(),
                colorspace="gray" if raster.model == "grey" else "rgb",
                outcolorspace="rgb",
                intent=int(_INTENT),
                flags=int(_FLAGS),
            )
        except (RuntimeError, ValueError, TypeError):
            return _plain(raster)
        eight[rows] = np.rint(shown.astype(np.float32) * np.float32(255 / 65535))
    return eight


_CODED_NAMES = {(1, 13): "sRGB", (12, 13): "Display P3", (9, 16): "BT.2020 PQ", (9, 18): "BT.2020 HLG"}


def name_of(space: Space) -> str:
    """What a colour space is called: the description in a profile, or the name that people have for code
    points; "" for none."""
    if isinstance(space, Coded):
        return _CODED_NAMES.get((space.primaries, space.transfer), "")
    if not isinstance(space, Profile):
        return ""
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(space.icc))).strip()
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return ""


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """By what it does to a few colours, since names lie: converting sRGB to sRGB would only add rounding."""
    levels = np.array([0, 20, 64, 128, 200, 255], np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
    seen = ImageCms.profileToProfile(Image.fromarray(probe), profile, _srgb(), _INTENT, "RGB", flags=_FLAGS)
    return int(np.abs(np.asarray(seen).astype(np.int16) - probe).max()) <= SRGB_TOLERANCE
