"""JPEG XL (ISO/IEC 18181): through libjxl as imagecodecs builds it, which tells nothing but samples; size and
colours are told by :mod:`dsslic_search.codec.jpeg_xl`, what stands beside them by the boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import jpeg_xl, jpeg_xl_profile
from dsslic_search.codec.picture import exif
from dsslic_search.codec.picture.formats import boxes, jpeg
from dsslic_search.codec.picture.header import Companions, Header
from dsslic_search.codec.picture.raster import (
    Coded,
    Embedded,
    Profile,
    Raster,
    Space,
    eight_bit_alpha,
    unmultiplied,
)
from dsslic_search.core.errors import FormatError

MAX_METADATA_BYTES = 1 << 22
_LINEAR_SRGB = Coded(1, 8)


def read(data: bytes) -> Header:
    """The header of a JPEG XL file."""
    described = jpeg_xl.describe(jpeg_xl.codestream_start(data))

    def decode(shrink: int) -> Raster:
        return _decode(data, described)

    companions = Companions(_has_box(data, b"jhgm"))
    return Header(
        "JPEGXL", described.width, described.height, decode, lambda: _embedded(data), lambda: companions
    )


def _has_box(data: bytes, kind: bytes) -> bool:
    in_boxes = not data.startswith(jpeg_xl.CODESTREAM)
    return in_boxes and any(box.kind == kind for box in boxes.boxes(data))


def _profile(data: bytes, described: jpeg_xl.Description) -> Space:
    """That of the codestream, else, where that is damaged, of the JPEG file that a file was packed from; None
    where neither can be had."""
    from imagecodecs import jpegxl_decode_jpeg

    try:
        return Profile(jpeg_xl_profile.read(_codestream(data), described.profile_at))
    except FormatError:
        pass

    if not _has_box(data, b"jbrd"):
        return None
    try:
        icc = jpeg.read(bytes(jpegxl_decode_jpeg(data, numthreads=1))).embedded().icc
    except Exception:  # as of any damage
        return None
    return Profile(icc) if icc else None


def _codestream(data: bytes) -> bytes:
    """The whole of it, without the boxes around its parts."""
    if data.startswith(jpeg_xl.CODESTREAM):
        return data
    parts = [(box.kind, data[box.start : box.end]) for box in boxes.boxes(data)]
    return b"".join(
        part[4:] if kind == b"jxlp" else part for kind, part in parts if kind in (b"jxlc", b"jxlp")
    )


def _embedded(data: bytes) -> Embedded:
    found: dict[bytes, bytes] = {}
    if not data.startswith(jpeg_xl.CODESTREAM):
        for box in boxes.boxes(data):
            body, kind = data[box.start : box.end], box.kind
            if kind == b"brob" and body[:4] in (b"Exif", b"xml "):
                kind, body = bytes(body[:4]), _unbrotli(body[4:])
            if kind in (b"Exif", b"xml "):
                found.setdefault(kind, bytes(body))
    body = found.get(b"Exif", b"")
    tiff = body[4 + int.from_bytes(body[:4], "big") :]
    return Embedded(exif=exif.START + tiff if tiff else b"", xmp=found.get(b"xml ", b""))


def _unbrotli(body: bytes) -> bytes:
    from imagecodecs import brotli_decode

    try:
        return bytes(brotli_decode(body, out=bytearray(MAX_METADATA_BYTES)))
    except Exception:  # metadata never stops a photo
        return b""


def _decode(data: bytes, described: jpeg_xl.Description) -> Raster:
    from imagecodecs import jpegxl_decode

    # libjxl shows XYB with a profile that it cannot apply in linear light, for which eight bits are too few.
    is_linear = described.has_profile and described.is_xyb
    is_deepened = is_linear and described.eight_bits_at > 0 and described.alpha_premultiplied is None
    bits = 12 if is_deepened else described.bits
    samples: NDArray[Any] = jpegxl_decode(
        jpeg_xl.as_twelve_bits(data, described) if is_deepened else data, 0, keeporientation=True
    )
    if samples.ndim == 4:
        samples = samples[0]
    # Integers come as deep as the codestream has them.
    white = 1.0 if samples.dtype.kind == "f" else float((1 << max(bits, 8)) - 1)
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    alpha = None
    if channels in (2, 4):
        alpha = eight_bit_alpha(samples[..., -1], white)
        colours = samples[..., :-1]
        samples = unmultiplied(colours, samples[..., -1], white) if described.alpha_premultiplied else colours
    if samples.ndim == 3 and samples.shape[2] == 1:
        samples = samples[..., 0]
    space = _profile(data, described) if described.has_profile else described.space
    if is_linear:
        space = _LINEAR_SRGB
    unread = described.has_profile and space is None
    notes = ("its colour profile cannot be read and counts as sRGB",) if unread else ()
    return Raster(
        np.ascontiguousarray(samples),
        "grey" if samples.ndim == 2 else "rgb",
        white,
        described.bits,
        alpha,
        space,
        described.turn,
        notes,
    )
