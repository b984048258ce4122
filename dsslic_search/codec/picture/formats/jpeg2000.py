"""JPEG 2000 (ISO/IEC 15444-1): through OpenJPEG as imagecodecs builds it, which gives all bits; where its
components differ in size or depth, through the FFmpeg that PyAV brings."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture import exif
from dsslic_search.codec.picture.formats import boxes, ycbcr
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import (
    Embedded,
    Measured,
    Model,
    Profile,
    Raster,
    Space,
    eight_bit_alpha,
    unmultiplied,
)
from dsslic_search.core.errors import PhotoError

_SIZ = b"\xff\x4f\xff\x51"
_CMYK, _LAB, _SRGB, _SYCC, _ROMM = 12, 14, 16, 18, 21
_COLOURS_READ = frozenset({0, _CMYK, _LAB, 15, _SRGB, 17, _SYCC, _ROMM})
"""Enumerated colour spaces (15444-1, I.5.3.3, and 15444-2, table M.25); 0 is none, or black and white as 15
is, and 17 grey."""
_ROMM_RGB = Measured((0.3457, 0.3585), (0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), 1 / 1.8)
_D50, _D65 = 0x00443530, 0x00443635  # "\\0D50", "\\0D65"
_D65_WHITE = (0.3127, 0.3290)
_OPACITY, _PREMULTIPLIED = 1, 2
PADDING = 64  # rows and columns that FFmpeg may ask for beyond the picture's
_WHOLE_PICTURE = 0  # what a channel of opacity is of; a colour's are 1, 2 …
_EXIF = b"JpgTiffExif->JP2"
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_IPTC = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
"""What "uuid" boxes begin with that hold metadata."""


class Component(NamedTuple):
    """Of a codestream: bits of a sample, whether it is signed, and how many columns and rows of the picture
    one stands for."""

    bits: int
    signed: bool
    across: int
    down: int


@dataclass(frozen=True)
class Description:
    """What the boxes of a JP2 file say. ``colours``: the enumerated colour space, 0 for none; ``opacity``:
    the number of the channel that is one, None for none; ``premultiplied``: colours are multiplied by it;
    ``defined``: the file says what each channel is; ``order``: the numbers of the channels that are its
    colours, in their order, () where it does not say. ``palette_bits``: of the colours of a palette, 0
    without one. ``lab``: of CIE L*a*b* the ranges and offsets of L*, a* and b*, as RL, OL, RA, OA, RB, OB,
    and the illuminant, () where those of the standard count."""

    icc: bytes
    colours: int
    opacity: int | None
    premultiplied: bool = False
    defined: bool = False
    order: tuple[int, ...] = ()
    palette_bits: int = 0
    lab: tuple[int, ...] = ()


def read(data: bytes) -> Header:
    """The header of a JP2 file or a codestream. PhotoError for colours that are not read here."""
    at = _codestream_start(data)
    size = data[at + 4 : at + 4 + 38 + 3 * (1 << 14)]
    width = int.from_bytes(size[4:8], "big") - int.from_bytes(size[12:16], "big")
    height = int.from_bytes(size[8:12], "big") - int.from_bytes(size[16:20], "big")
    parts = size[38 : 38 + 3 * int.from_bytes(size[36:38], "big")]
    components = [
        Component(1 + (depth & 0x7F), bool(depth & 0x80), across, down)
        for depth, across, down in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]
    if width < 1 or height < 1 or not components or not all(c.across and c.down for c in components):
        raise ValueError("its size makes no sense")
    described = description(data)
    if described.colours not in _COLOURS_READ:
        raise PhotoError(f"JPEG2000 files with colours of number {described.colours} cannot be read here")

    def decode(shrink: int) -> Raster:
        return _decode(data, (height, width), components, described)

    return Header("JPEG2000", width, height, decode, lambda: _embedded(data, described.icc))


def _codestream_start(data: bytes) -> int:
    """Where it begins, also in a file that is cut within it."""
    at = 0
    if not data.startswith(_SIZ):
        end = 0
        for box in boxes.boxes(data):
            end = box.end
            if box.kind == b"jp2c":
                at = box.start
                break
        else:
            at = end + 8 if data[end + 4 : end + 8] == b"jp2c" else 0
    if not data.startswith(_SIZ, at):
        raise ValueError("no codestream in it")
    return at


def description(data: bytes) -> Description:
    """Of a JP2 file; of a bare codestream nothing."""
    icc, colours, palette_bits = b"", 0, 0
    lab: tuple[int, ...] = ()
    channels: dict[int, int] = {}
    places: dict[int, int] = {}
    header = boxes.find(data, (b"jp2h",))
    if header is not None:
        for box in boxes.boxes(data, header.start, header.end):
            body = data[box.start : box.end]
            if box.kind == b"colr" and not icc and not colours and body:
                if body[0] == 2:
                    icc = bytes(body[3:])
                elif body[0] == 1:
                    colours = int.from_bytes(body[3:7], "big")
                    lab = struct.unpack(">7I", body[7:35]) if colours == _LAB and len(body) >= 35 else ()
            elif box.kind == b"cdef":
                entries = np.frombuffer(body[2 : 2 + 6 * int.from_bytes(body[:2], "big")], ">u2").reshape(
                    -1, 3
                )
                channels |= {int(kind): int(channel) for channel, kind, _ in entries[::-1]}
                places |= {int(place): int(channel) for channel, kind, place in entries[::-1] if kind == 0}
            elif box.kind == b"pclr" and len(body) > 3:
                palette_bits = max((1 + (depth & 0x7F) for depth in body[3 : 3 + body[2]]), default=0)
    opacity = channels.get(_OPACITY, channels.get(_PREMULTIPLIED))
    premultiplied = _PREMULTIPLIED in channels and _OPACITY not in channels
    order = tuple(places[place] for place in sorted(places) if place != _WHOLE_PICTURE)
    return Description(icc, colours, opacity, premultiplied, bool(channels), order, palette_bits, lab)


def _embedded(data: bytes, icc: bytes) -> Embedded:
    """The metadata in "uuid" boxes, the first of each kind."""
    found: dict[bytes, bytes] = {}
    for box in boxes.boxes(data):
        if box.kind == b"uuid":
            found.setdefault(data[box.start : box.start + 16], data[box.start + 16 : box.end])
    tiff = found.get(_EXIF, b"")
    return Embedded(exif.START + tiff if tiff else b"", found.get(_XMP, b""), found.get(_IPTC, b""), icc)


def _decode(
    data: bytes, size: tuple[int, int], components: Sequence[Component], described: Description
) -> Raster:
    alike = len(set(components)) == 1
    bits = described.palette_bits or max(each.bits for each in components)
    white = float((1 << bits) - 1)
    if alike or described.palette_bits:
        channels = _by_openjpeg(data, bits)
    else:
        channels = _by_ffmpeg(data[_codestream_start(data) :], size, components)
    model = _model(len(channels), described)
    count = {"grey": 1, "cmyk": 4}.get(model, 3)
    order = described.order if len(described.order) == count else tuple(range(count))
    if max(order) >= len(channels):
        raise ValueError("a channel of its colours is missing")
    samples = channels[order[0]] if count == 1 else np.stack([channels[i] for i in order], -1)
    opacity = described.opacity
    if opacity is None and not described.defined and len(channels) == count + 1:
        opacity = count
    alpha = None
    if opacity is not None and opacity < len(channels) and opacity not in order:
        alpha = eight_bit_alpha(channels[opacity], white)
        if described.premultiplied:
            samples = unmultiplied(samples, channels[opacity], white)
    if samples.dtype.itemsize > 2:
        samples = samples.astype(np.float32)
    shared = not alike and components[0].across == 1 and components[-1].across * components[-1].down > 1
    if model == "rgb" and (described.colours == _SYCC or shared):
        samples = ycbcr.interleaved_to_rgb(samples, white)  # as sYCC, IEC 61966-2-1, annex G
    space: Space = Profile(described.icc) if described.icc else None
    if described.colours == _ROMM:
        space = _ROMM_RGB
    if model == "lab":
        samples, space = _lab(samples, bits, described.lab)
        white = 100.0
    return Raster(np.ascontiguousarray(samples), model, white, bits, alpha, space)


def _model(channels: int, described: Description) -> Model:
    if channels < 3:
        return "grey"
    if channels > 3 and (described.colours == _CMYK or described.icc[16:20] == b"CMYK"):
        return "cmyk"
    return "lab" if described.colours == _LAB else "rgb"


def _by_openjpeg(data: bytes, bits: int) -> list[NDArray[Any]]:
    """The channels as they are coded, or as the palette has them. imagecodecs makes sYCC red, green and blue
    in whole numbers, and OpenJPEG puts channels into the order of "cdef"; told neither, both leave them."""
    from imagecodecs import jpeg2k_decode

    bare = bytearray(data)
    header = boxes.find(data, (b"jp2h",))
    for box in boxes.boxes(data, header.start, header.end) if header is not None else ():
        if box.kind == b"cdef":
            bare[box.start - 4 : box.start] = b"free"
        elif box.kind == b"colr" and data[box.start] == 1:
            bare[box.start + 3 : box.start + 7] = _SRGB.to_bytes(4, "big")
    samples: NDArray[Any] = jpeg2k_decode(bytes(bare))
    if samples.dtype.kind == "i":
        samples = samples.astype(np.int64) + (1 << (bits - 1))
    return [samples] if samples.ndim == 2 else [samples[..., i] for i in range(samples.shape[2])]


def _by_ffmpeg(
    codestream: bytes, size: tuple[int, int], components: Sequence[Component]
) -> list[NDArray[np.float32]]:
    """The channels of components that differ, each [H, W] with the white of the deepest. A sample stands for
    all pixels that share it."""
    import av

    height, width = size
    context = av.CodecContext.create("jpeg2000", "r")
    context.thread_count = 1
    context.options = {"err_detect": "explode", "max_pixels": str((height + PADDING) * (width + PADDING))}
    try:
        frames = [*context.decode(av.Packet(codestream)), *context.decode(None)]
    except (av.error.FFmpegError, ValueError) as error:
        raise ValueError("its codestream is damaged, or its components differ too much") from error
    if len(frames) != 1 or len(frames[0].format.components) != len(components):
        raise ValueError("its components are in an order that is not read")
    frame, most = frames[0], max(each.bits for each in components)
    depth = frame.format.components[0].bits
    dtype = np.dtype("u1" if depth == 8 else "<u2")
    packed = len(components) // len(frame.planes)
    channels: list[NDArray[np.float32]] = []
    for number, each in enumerate(components):
        plane = frame.planes[number // packed]
        rows: NDArray[Any] = np.frombuffer(memoryview(plane), dtype).reshape(
            -1, plane.line_size // dtype.itemsize
        )
        shared = rows[: -(-height // each.down), number % packed :: packed][:, : -(-width // each.across)]
        whole = np.repeat(np.repeat(shared, each.down, 0), each.across, 1)[:height, :width]
        white = np.float32((1 << each.bits) - 1)
        scale = np.float32((1 << most) - 1) / white
        # FFmpeg moves each to the top of its sample.
        channels.append((whole >> (depth - each.bits)).astype(np.float32) * scale)
    return channels


def _lab(samples: NDArray[Any], bits: int, told: tuple[int, ...]) -> tuple[NDArray[np.float32], Measured]:
    """CIE L*a*b* as it is, and its white (15444-2, M.11.7.4)."""
    standard = (100, 0, 170, 1 << (bits - 1), 200, (1 << bits) * 3 // 8, _D50)
    numbers = told or standard
    ranges, offsets = np.array(numbers[0:6:2], np.float32), np.array(numbers[1:6:2], np.float32)
    values = (samples.astype(np.float32) - offsets) * (ranges / np.float32((1 << bits) - 1))
    return np.asarray(values, np.float32), Measured(_D65_WHITE if numbers[6] == _D65 else None)
