"""A picture as its file holds it: samples, and what their numbers mean.

Readers of formats (:mod:`dsslic_search.codec.picture.formats`) give one;
:mod:`dsslic_search.codec.picture.colour` makes 8-bit sRGB of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Model = Literal["grey", "rgb", "cmyk", "lab"]

CHANNELS: dict[Model, int] = {"grey": 1, "rgb": 3, "cmyk": 4, "lab": 3}


@dataclass(frozen=True)
class Profile:
    """Colours are in the space of an ICC profile (ISO 15076-1)."""

    icc: bytes


@dataclass(frozen=True)
class Coded:
    """Colours are in a space by code points: ``primaries`` and ``transfer`` of ITU-T H.273, tables 2 and
    3."""

    primaries: int
    transfer: int


@dataclass(frozen=True)
class Measured:
    """Colours are in a space by numbers, as PNG's cHRM and gAMA tell them: chromaticities (x, y) of white,
    red, green and blue, None for those of sRGB; ``gamma``, the exponent from light to samples, None for
    sRGB's curve."""

    white: tuple[float, float] | None = None
    red: tuple[float, float] | None = None
    green: tuple[float, float] | None = None
    blue: tuple[float, float] | None = None
    gamma: float | None = None


Space = Profile | Coded | Measured | None
"""None: nothing is said, which means sRGB; of "cmyk" plain ink. Of "lab" only the white counts, D50 if none
is measured."""


@dataclass(frozen=True)
class Raster:
    """``samples``: uint8, uint16 or float32, [H, W] for "grey", else [H, W, channels of the model]; values
    from 0 to ``white``, which is white or full ink; "lab" has L*, a* and b* as they are, ``white`` being 100.
    Colours are not multiplied by opacity. ``alpha``: uint8 [H, W], None where there is none. ``bits``: of a
    channel in the file. ``turn``: the EXIF orientation, 1..8, that is still to be applied. ``notes``: what a
    person should know about what was read, as "picture 2 of 3"."""

    samples: NDArray[Any]
    model: Model
    white: float
    bits: int
    alpha: NDArray[np.uint8] | None = None
    space: Space = None
    turn: int = 1
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Embedded:
    """What stands beside the pixels, as bytes; b"" for none. ``exif``: starting with ``Exif\\0\\0``; ``xmp``:
    the packet (ISO 16684-1); ``iptc``: IIM records; ``icc``: the profile that the file came with."""

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    icc: bytes = b""


@dataclass(frozen=True)
class Read:
    """What a reader gives: the picture, and what stands beside it."""

    raster: Raster
    embedded: Embedded = field(default_factory=Embedded)


def eight_bit_alpha(samples: NDArray[Any], white: float) -> NDArray[np.uint8]:
    """Opacity of any depth, ``white`` being opaque, in 0..255, rounded."""
    if samples.dtype == np.uint8 and white == 255:
        return np.ascontiguousarray(samples)
    scaled = np.rint(samples.astype(np.float32) * np.float32(255 / white))
    return np.asarray(np.clip(scaled, 0, 255), np.uint8)


def unmultiplied(colours: NDArray[Any], alpha: NDArray[Any], white: float) -> NDArray[np.float32]:
    """Colours, [H, W] or [H, W, n], without the opacity (0..``white``) that they were multiplied by."""
    share = alpha.astype(np.float32) / np.float32(white)
    share = share if colours.ndim == 2 else share[..., None]
    return np.asarray(np.clip(colours / np.where(share > 0, share, 1), 0, white), np.float32)
