"""PNG (W3C, third edition): 16 bits and odd transparencies through libpng as imagecodecs builds it, others
through Pillow; colours by cICP, iCCP, sRGB, gAMA and cHRM, in this order (section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture.facts import turn_of
from dsslic_search.codec.picture.formats import pillow
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import (
    Coded,
    Measured,
    Profile,
    Raster,
    Space,
    eight_bit_alpha,
)

_SIGNATURE_BYTES = 8
_GREY, _PALETTE = frozenset({0, 4}), 3
_UNSPECIFIED = 2
"""A transfer of H.273 that leaves what the numbers mean to the other chunks."""


def read(data: bytes) -> Header:
    """The header of a PNG file."""
    header = pillow.read(data, "PNG")
    chunks = chunks_before_pixels(data)
    start = chunks[b"IHDR"]
    bits, colour_type = start[8], start[9]
    space = _space(chunks, header.embedded().icc)
    deep = bits == 16 or (colour_type == 0 and bits < 8 and b"tRNS" in chunks)

    def decode(shrink: int) -> Raster:
        if deep:
            raster = _decode(data, colour_type, bits)
            return replace(raster, space=space, turn=turn_of(header.embedded()) or 1)
        return replace(header.decode(1), space=space)

    return replace(header, decode=decode)


def chunks_before_pixels(data: bytes) -> Mapping[bytes, bytes]:
    """The bodies of the chunks before the first IDAT, the first of each kind."""
    found: dict[bytes, bytes] = {}
    at = _SIGNATURE_BYTES
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8])
        if kind == b"IDAT" or at + 12 + length > len(data):
            break
        found.setdefault(kind, bytes(data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def _space(chunks: Mapping[bytes, bytes], icc: bytes) -> Space:
    cicp = chunks.get(b"cICP", b"")
    if (
        len(cicp) == 4 and cicp[1] != _UNSPECIFIED and cicp[2:] == b"\0\1"
    ):  # RGB and full range, as PNG demands
        return Coded(cicp[0], cicp[1])
    if icc:
        return Profile(icc)
    if b"sRGB" in chunks:
        return None
    gamma = int.from_bytes(chunks.get(b"gAMA", b"")[:4], "big") / 100_000 or None
    corners = _chromaticities(chunks.get(b"cHRM", b""))
    if corners is None:
        return Measured(gamma=gamma) if gamma else None
    white, red, green, blue = corners
    return Measured(white, red, green, blue, gamma)


def _chromaticities(body: bytes) -> tuple[tuple[float, float], ...] | None:
    """White, red, green, blue; None where they are missing or no colours."""
    if len(body) != 32:
        return None
    numbers = np.frombuffer(body, ">u4") / 100_000
    pairs = [(float(x), float(y)) for x, y in numbers.reshape(4, 2)]
    return tuple(pairs) if all(x + y <= 1.0001 and y > 0 for x, y in pairs) else None


def _decode(data: bytes, colour_type: int, bits: int) -> Raster:
    from imagecodecs import png_decode

    samples: NDArray[Any] = png_decode(data)
    white = 65535.0 if samples.dtype == np.uint16 else 255.0
    grey = colour_type in _GREY
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    alpha = None
    if channels in (2, 4):
        alpha = eight_bit_alpha(samples[..., -1], white)
        samples = samples[..., :-1]
    samples = samples[..., 0] if samples.ndim == 3 and grey else samples
    return Raster(np.ascontiguousarray(samples), "grey" if grey else "rgb", white, bits, alpha)
