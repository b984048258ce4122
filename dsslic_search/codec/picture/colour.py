"""Pixels of any Pillow mode and colour space to 8-bit sRGB."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
"""Modes of one channel. A photo is greyscale by its mode only: an RGB photo of equal channels counts as
colour, and so does a palette."""

_DEEP_MODES = GREY_MODES - {"1", "L", "LA", "La"}
SRGB_TOLERANCE = 3  # grey levels: makers' sRGB profiles differ by that much from each other
_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION


class Colours(NamedTuple):
    """``pixels`` uint8 [H, W, 3] in sRGB; ``alpha`` uint8 [H, W], None where the picture is opaque
    everywhere."""

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None


def to_srgb(picture: Image.Image, icc: bytes) -> Colours:
    """Convert a loaded picture. ``icc`` is the profile its samples are in, b"" for none (sRGB, or Pillow's
    plain CMYK).

    Conversion is relative colorimetric with black-point compensation. A profile that is broken, or for
    another colour space than the picture's, is left out of account. Sixteen-bit grey is rounded to eight; "I"
    and "F" samples as :func:`_eight_bits` says.
    """
    grey = picture.mode in GREY_MODES
    opaque, alpha = _split_alpha(picture)
    managed = _through_profile(opaque, icc) if icc or opaque.mode == "LAB" else None
    pixels = np.array(managed if managed is not None else opaque.convert("RGB"))
    if grey and managed is not None:
        pixels[:] = pixels[..., 1:2]  # colour management may leave the three a level apart
    if alpha is not None and alpha.min() == 255:
        alpha = None
    return Colours(pixels, alpha)


def _split_alpha(picture: Image.Image) -> tuple[Image.Image, NDArray[np.uint8] | None]:
    """A picture in mode L, RGB, CMYK or LAB, and its alpha plane if it has one."""
    if picture.mode in _DEEP_MODES:
        samples = np.asarray(picture)
        key = picture.info.get("transparency")
        alpha = np.where(samples == key, 0, 255).astype(np.uint8) if isinstance(key, int) else None
        return Image.fromarray(_eight_bits(samples)), alpha
    if picture.mode in ("1", "L", "LA", "La"):
        if not picture.has_transparency_data:
            return picture.convert("L"), None
        both = picture.convert("LA")
        return both.getchannel("L"), np.array(both.getchannel("A"))
    if picture.has_transparency_data:
        both = picture.convert("RGBA")
        return both.convert("RGB"), np.array(both.getchannel("A"))
    return (picture if picture.mode in ("CMYK", "LAB") else picture.convert("RGB")), None


def _eight_bits(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey samples of many bits to 0..255. 16-bit: 65535 is white. 32-bit integers: so too, unless the
    largest is more, then that is white. Floating point: 1 is white, unless the largest is more. Negative and
    not-a-number are black."""
    values = np.nan_to_num(samples.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    white = 1.0 if samples.dtype.kind == "f" else 65535.0
    if samples.dtype != np.uint16:
        white = max(white, float(values.max()))
    eight: NDArray[np.uint8] = np.clip(np.rint(values * np.float32(255 / white)), 0, 255).astype(np.uint8)
    return eight


def _through_profile(picture: Image.Image, icc: bytes) -> Image.Image | None:
    """The picture in sRGB, None where no (usable) profile asks for a conversion."""
    srgb = ImageCms.createProfile("sRGB")
    try:
        if picture.mode == "LAB":
            profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            if profile.profile.xcolor_space != _SPACES[picture.mode] or (
                picture.mode == "RGB" and _is_srgb(profile, srgb)
            ):
                return None
        return ImageCms.profileToProfile(picture, profile, srgb, _INTENT, "RGB", flags=_FLAGS)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _is_srgb(profile: ImageCms.ImageCmsProfile, srgb: Any) -> bool:
    """By what it does to a few colours, since names lie: converting sRGB to sRGB would only add rounding."""
    levels = np.array([0, 20, 64, 128, 200, 255], np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
    seen = ImageCms.profileToProfile(Image.fromarray(probe), profile, srgb, _INTENT, "RGB", flags=_FLAGS)
    return int(np.abs(np.asarray(seen).astype(np.int16) - probe).max()) <= SRGB_TOLERANCE
