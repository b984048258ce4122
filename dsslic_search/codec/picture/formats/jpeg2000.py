"""JPEG 2000 (ISO/IEC 15444-1): through OpenJPEG as imagecodecs builds it, which gives all bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture import exif
from dsslic_search.codec.picture.formats import boxes, ycbcr
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import (
    Embedded,
    Model,
    Profile,
    Raster,
    eight_bit_alpha,
    unmultiplied,
)

_SIZ = b"\xff\x4f\xff\x51"
_SYCC = 18
_OPACITY, _PREMULTIPLIED = 1, 2
_EXIF = b"JpgTiffExif->JP2"
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_IPTC = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
"""What "uuid" boxes begin with that hold metadata."""


@dataclass(frozen=True)
class Description:
    """What the boxes of a JP2 file say. ``colours``: the enumerated colour space, 0 for none; ``opacity``:
    the number of the channel that is one, None for none; ``premultiplied``: colours are multiplied by it;
    ``defined``: the file says what each channel is."""

    icc: bytes
    colours: int
    opacity: int | None
    premultiplied: bool = False
    defined: bool = False


def read(data: bytes) -> Header:
    """The header of a JP2 file or a codestream."""
    at = data.find(_SIZ, 0, 1 << 20)
    if at < 0:
        raise ValueError("no codestream in it")
    size = data[at + 4 :]
    width = int.from_bytes(size[4:8], "big") - int.from_bytes(size[12:16], "big")
    height = int.from_bytes(size[8:12], "big") - int.from_bytes(size[16:20], "big")
    if width < 1 or height < 1:
        raise ValueError("its size makes no sense")
    parts = size[38 : 38 + 3 * int.from_bytes(size[36:38], "big")]
    depths = [1 + (byte & 0x7F) for byte in parts[::3]]
    described = description(data)

    def decode(shrink: int) -> Raster:
        return _decode(data, max(depths), described)

    return Header("JPEG2000", width, height, decode, lambda: _embedded(data, described.icc))


def description(data: bytes) -> Description:
    """Of a JP2 file; of a bare codestream nothing."""
    icc, colours = b"", 0
    channels: dict[int, int] = {}
    header = boxes.find(data, (b"jp2h",))
    if header is not None:
        for box in boxes.boxes(data, header.start, header.end):
            body = data[box.start : box.end]
            if box.kind == b"colr" and not icc and not colours and body:
                if body[0] == 2:
                    icc = bytes(body[3:])
                elif body[0] == 1:
                    colours = int.from_bytes(body[3:7], "big")
            elif box.kind == b"cdef":
                entries = np.frombuffer(body[2 : 2 + 6 * int.from_bytes(body[:2], "big")], ">u2").reshape(
                    -1, 3
                )
                channels |= {int(kind): int(channel) for channel, kind, _ in entries[::-1]}
    opacity = channels.get(_OPACITY, channels.get(_PREMULTIPLIED))
    premultiplied = _PREMULTIPLIED in channels and _OPACITY not in channels
    return Description(icc, colours, opacity, premultiplied, bool(channels))


def _embedded(data: bytes, icc: bytes) -> Embedded:
    """The metadata in "uuid" boxes, the first of each kind."""
    found: dict[bytes, bytes] = {}
    for box in boxes.boxes(data):
        if box.kind == b"uuid":
            found.setdefault(data[box.start : box.start + 16], data[box.start + 16 : box.end])
    tiff = found.get(_EXIF, b"")
    return Embedded(exif.START + tiff if tiff else b"", found.get(_XMP, b""), found.get(_IPTC, b""), icc)


def _decode(data: bytes, bits: int, described: Description) -> Raster:
    from imagecodecs import jpeg2k_decode

    samples: NDArray[Any] = jpeg2k_decode(data)
    white = float((1 << bits) - 1)
    if samples.dtype.kind == "i":
        samples = samples.astype(np.int64) + (1 << (bits - 1))
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    alpha = None
    if channels in (2, 4) and (described.opacity is not None or channels == 2 or not _is_cmyk(described)):
        last, samples = samples[..., -1], samples[..., :-1]
        if described.opacity is not None or not described.defined:
            alpha = eight_bit_alpha(last, white)
        if described.premultiplied:
            samples = unmultiplied(samples, last, white)
    if samples.ndim == 3 and samples.shape[2] == 1:
        samples = samples[..., 0]
    model: Model = "grey" if samples.ndim == 2 else "cmyk" if samples.shape[2] == 4 else "rgb"
    if samples.dtype.itemsize > 2:
        samples = samples.astype(np.float32)
    if described.colours == _SYCC and model == "rgb":
        samples = ycbcr.interleaved_to_rgb(samples, white)  # as sYCC, IEC 61966-2-1, annex G
    space = Profile(described.icc) if described.icc else None
    return Raster(np.ascontiguousarray(samples), model, white, bits, alpha, space)


def _is_cmyk(described: Description) -> bool:
    return described.colours == 12 or described.icc[16:20] == b"CMYK"
