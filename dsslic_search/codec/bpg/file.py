"""BPG pictures: an HEVC intra picture behind a header of a few bytes (F. Bellard, BPG specification 0.9.5).

::

    pixels ──► planes (colour, chroma) ──► padded to whole coding blocks ──► x265
           ──► VPS, SPS dropped; PPS, slice kept ──► .bpg
    .bpg ──► VPS, SPS rebuilt from the header ──► ffmpeg's HEVC decoder ──► cropped planes ──► RGB

Large pictures are encoded in bands of rows, which become slices of one picture
(:mod:`dsslic_search.codec.bpg.slices`).

Files are written within the specification, the length of the picture data included, so that a file cut short
is noticed; 8 and 10-bit files of the reference encoders (grey, 4:4:4, 8-bit 4:2:0) are shown exactly as the
reference decoder shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.bpg.bits import join_annexb, nal_layer, nal_type, split_annexb
from dsslic_search.codec.bpg.chroma import downsample, upsample
from dsslic_search.codec.bpg.colour import COLOURS, Samples, bands, rescale, sample_type, to_pixels, to_planes
from dsslic_search.codec.bpg.header import Header, read_header, read_tools, write_header, write_tools
from dsslic_search.codec.bpg.hevc import (
    CODING_BLOCKS,
    ENCODABLE_DEPTHS,
    chroma_shape,
    decode_intra,
    encode_intra,
)
from dsslic_search.codec.bpg.parameters import (
    NAL_PPS,
    NAL_SPS,
    NAL_VPS,
    CodingTools,
    SequenceParameters,
    parse_sps,
    write_sps,
    write_vps,
)
from dsslic_search.codec.bpg.slices import bands_of, placed
from dsslic_search.codec.bpg.x265 import Search
from dsslic_search.core.errors import DSSError, FormatError
from dsslic_search.core.kinds import Tune

_MIN_CODED_SIDE = 16

Rows = Callable[[slice], Sequence[Samples]]
"""Gives the planes of a slice of a picture's rows."""


@dataclass(frozen=True)
class Picture:
    """A decoded BPG picture.

    ``planes``: as stored, cropped to the picture: luma [H,W] and, unless grey, two chroma planes of the size
    ``header.chroma`` gives them; uint8 for 8 bits, else uint16. ``alpha``: the extra plane [H,W] if there is
    one, meaning as in ``header.alpha``.
    """

    header: Header
    planes: tuple[Samples, ...]
    alpha: Samples | None = None

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return self.header.width

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.header.height

    @property
    def bit_depth(self) -> int:
        """Bits per sample, 8..12."""
        return self.header.bit_depth

    @property
    def grey(self) -> bool:
        """True if the picture has luma only."""
        return len(self.planes) == 1

    def rgb8(self) -> NDArray[np.uint8]:
        """The colours as uint8 [H,W,3], 0..255, whatever the depth; opacity is not applied (see
        ``alpha``)."""
        shown: NDArray[np.uint8] = self._rgb(8).astype(np.uint8, copy=False)
        return shown

    def rgb_native(self) -> NDArray[np.uint16]:
        """The colours as uint16 [H,W,3], 0..2**bit_depth-1; opacity is not applied (see ``alpha``)."""
        shown: NDArray[np.uint16] = self._rgb(self.bit_depth).astype(np.uint16, copy=False)
        return shown

    def _rgb(self, out_depth: int) -> Samples:
        header = self.header
        chroma = [
            upsample(
                plane,
                self.height,
                self.width,
                chroma=header.chroma,
                bit_depth=header.bit_depth,
                cosited=header.cosited,
            )
            for plane in self.planes[1:]
        ]
        pixels = to_pixels(
            [self.planes[0], *chroma],
            bit_depth=header.bit_depth,
            out_depth=out_depth,
            colour=header.colour,
            limited=header.limited,
        )
        if self.alpha is not None and header.alpha in ("white", "premultiplied"):
            _apply_extra(
                pixels,
                rescale(self.alpha, bit_depth=header.bit_depth, out_depth=out_depth),
                header.alpha,
                (1 << out_depth) - 1,
            )
        return pixels


def _apply_extra(pixels: Samples, extra: Samples, meaning: str, largest: int) -> None:
    """Turns ``pixels`` in place into plain colours: times the white of CMYK, or divided by the opacity they
    were multiplied with."""
    for rows in bands(*extra.shape):
        colours, plane = pixels[rows].astype(np.uint32), extra[rows, :, None].astype(np.uint32)
        if meaning == "white":
            colours = (colours * plane + largest // 2) // largest
        else:
            colours = np.minimum((colours * largest + plane // 2) // np.maximum(plane, 1), largest)
        pixels[rows] = colours


def encode(
    pixels: Samples,
    *,
    qp: int,
    bit_depth: int = 8,
    chroma: str = "444",
    colour: str = "ycbcr",
    preset: str = "slow",
    lossless: bool = False,
    coding_block: int = CODING_BLOCKS[0],
) -> bytes:
    """Encodes a picture of any size as a BPG file.

    ``pixels``: RGB [H,W,3] or grey [H,W], uint8 or uint16, 0..2**bit_depth-1 (see
    :func:`dsslic_search.codec.bpg.colour.rescale`). ``qp``: HEVC quantiser 0..51. ``bit_depth``: 8, 10 or 12.
    ``chroma``: "444", "422" or "420"; ``colour``: one of :data:`dsslic_search.codec.bpg.colour.COLOURS`; both
    mean nothing for grey. ``preset``: x265's dial between speed and size. ``lossless``: ``pixels`` come back
    exactly from :meth:`Picture.rgb_native`, which in colour needs ``colour="rgb"`` and 4:4:4.
    ``coding_block``: side of the smallest coding block, one of :data:`CODING_BLOCKS`; 16 takes less than half
    the time, for about 9 % more bits at the same PSNR.

    Raises ValueError for arguments outside these, :class:`dsslic_search.core.errors.MissingExtraError` where
    PyAV has no x265, :class:`PhotoError` where x265 refuses the picture.
    """
    _check_request(pixels, bit_depth, chroma, colour, lossless)
    header = Header(
        pixels.shape[1],
        pixels.shape[0],
        bit_depth,
        "400" if pixels.ndim == 2 else chroma,
        "ycbcr" if pixels.ndim == 2 else colour,
    )
    planes = _planes(pixels, header)
    return _encode(
        lambda rows: [plane[rows] for plane in planes],
        header,
        qp,
        preset,
        lossless,
        coding_block=coding_block,
    )


def encode_planes(
    planes: Sequence[Samples], *, qp: int, bit_depth: int, preset: str = "slow", search: Search = Search.PLAIN
) -> bytes:
    """Encodes planes as they are: one [H,W], or three of the same size whose meaning the caller keeps; the
    file says YCbCr.

    They come back as :attr:`Picture.planes`. ``search`` as for
    :func:`dsslic_search.codec.bpg.hevc.encode_intra`; arguments and errors otherwise as for
    :func:`encode`.
    """
    if (
        len(planes) not in (1, 3)
        or any(plane.shape != planes[0].shape for plane in planes)
        or not planes[0].size
    ):
        raise ValueError(
            f"planes of shapes {[plane.shape for plane in planes]}; needed are one or three of one size"
        )
    height, width = planes[0].shape
    return encode_rows(
        lambda rows: [plane[rows] for plane in planes],
        (height, width, len(planes)),
        qp=qp,
        bit_depth=bit_depth,
        preset=preset,
        search=search,
    )


def encode_rows(
    make: Rows,
    size: tuple[int, int, int],
    *,
    qp: int,
    bit_depth: int,
    preset: str = "slow",
    search: Search = Search.PLAIN,
    tune: Tune = Tune.PSNR,
) -> bytes:
    """As :func:`encode_planes` for planes that are made when they are needed: ``make`` gives those of a slice
    of rows, ``size`` is (height, width, planes). Large pictures are asked for in bands, from the top."""
    height, width, count = size
    header = Header(width, height, bit_depth, "400" if count == 1 else "444")
    return _encode(make, header, qp, preset, False, search, tune=tune)


def _encode(
    make: Rows,
    header: Header,
    qp: int,
    preset: str,
    lossless: bool,
    search: Search = Search.PLAIN,
    coding_block: int = CODING_BLOCKS[0],
    tune: Tune = Tune.PSNR,
) -> bytes:
    # The decoder works out the coded size from the coding block, so a side of 8 or less needs blocks of 16 to
    # get x265's 16 samples.
    small = min(header.height, header.width) <= _MIN_CODED_SIDE // 2
    block = CODING_BLOCKS[1] if preset == "ultrafast" or small else coding_block
    bands = (
        bands_of(header.height, header.width)
        if header.chroma in ("400", "444")
        else [slice(0, header.height)]
    )
    streams = []
    for rows in bands:
        band = replace(header, height=rows.stop - rows.start)
        padded = [
            _pad(plane, size) for plane, size in zip(make(rows), _coded_shapes(band, block), strict=True)
        ]
        stream = encode_intra(
            padded,
            bit_depth=header.bit_depth,
            chroma=header.chroma,
            qp=qp,
            preset=preset,
            lossless=lossless,
            coding_block=block,
            search=search,
            tune=tune,
        )
        streams.append(_units(stream, _sequence(band, block)))
        del padded
    return write_header(header, _to_body(streams, [rows.start for rows in bands], _sequence(header, block)))


def _check_request(pixels: Samples, bit_depth: int, chroma: str, colour: str, lossless: bool) -> None:
    if bit_depth not in ENCODABLE_DEPTHS:
        raise ValueError(f"bit_depth is {bit_depth}; known are {', '.join(map(str, ENCODABLE_DEPTHS))}")
    if chroma not in ("420", "422", "444") or colour not in COLOURS:
        raise ValueError(
            f"chroma is {chroma!r} (known: 420, 422, 444) and colour {colour!r} (known: {', '.join(COLOURS)})"
        )
    if (
        pixels.dtype not in (np.uint8, np.uint16)
        or pixels.shape[2:] not in ((), (3,))
        or pixels.ndim < 2
        or not pixels.size
    ):
        raise ValueError(
            f"pixels are {pixels.dtype} {pixels.shape}; needed are uint8 or uint16, [H,W,3] or [H,W]"
        )
    if int(pixels.max()) >> bit_depth:
        raise ValueError(f"pixels reach {int(pixels.max())}, more than {bit_depth} bits hold")
    if lossless and pixels.ndim == 3 and (colour != "rgb" or chroma != "444"):
        raise ValueError(
            'lossless needs colour="rgb" and chroma="444": other planes do not hold every RGB value'
        )


def _planes(pixels: Samples, header: Header) -> list[Samples]:
    """The planes to be stored, at the picture's own size."""
    if header.chroma == "400":
        return [pixels.astype(sample_type(header.bit_depth), copy=False)]
    luma, *colours = to_planes(pixels, bit_depth=header.bit_depth, colour=header.colour)
    return [luma, *(downsample(plane, chroma=header.chroma, bit_depth=header.bit_depth) for plane in colours)]


def _coded_shapes(header: Header, block: int) -> list[tuple[int, int]]:
    """Shapes of the planes that HEVC codes: the picture's sides rounded up to whole coding blocks."""
    height, width = -(-header.height // block) * block, -(-header.width // block) * block
    return [(height, width)] + [chroma_shape(height, width, header.chroma)] * (
        0 if header.chroma == "400" else 2
    )


def _pad(plane: Samples, size: tuple[int, int]) -> Samples:
    below, right = size[0] - plane.shape[0], size[1] - plane.shape[1]
    return np.pad(plane, ((0, below), (0, right)), "edge") if below or right else plane


def _units(stream: bytes, expected: SequenceParameters) -> tuple[CodingTools, list[bytes], list[bytes]]:
    """What is kept of the stream of one picture: its tools, picture parameter sets and slices."""
    units = split_annexb(stream)
    parameters = parse_sps(next(unit for unit in units if nal_type(unit) == NAL_SPS))
    if (
        replace(parameters, tools=expected.tools) != expected
        or parameters.tools.coding_block != expected.tools.coding_block
    ):
        raise DSSError(
            f"x265 coded {parameters} where {expected} was asked for; this version of it cannot be used"
        )
    return (
        parameters.tools,
        [u for u in units if nal_type(u) == NAL_PPS],
        [u for u in units if nal_type(u) < NAL_VPS],
    )


def _to_body(
    bands: list[tuple[CodingTools, list[bytes], list[bytes]]], tops: list[int], whole: SequenceParameters
) -> bytes:
    """The HEVC header and data of a BPG file, from its bands, which start ``tops`` rows down."""
    tools, parameters, kept = bands[0]
    if len(bands) > 1:
        if any((band[0], band[1], len(band[1]), len(band[2])) != (tools, parameters, 1, 1) for band in bands):
            raise DSSError(
                "x265 coded parts of one picture in different ways; this version of it cannot be used"
            )
        sequence = replace(whole, tools=tools)
        kept = [
            placed(band[2][0], parameters[0], sequence, top) for band, top in zip(bands, tops, strict=True)
        ]
    return write_tools(tools) + b"\x00\x00\x01".join([*parameters, *kept])


def _sequence(header: Header, block: int) -> SequenceParameters:
    """What x265 must say of the picture, but for its choice of tools."""
    return sequence_of(header, CodingTools(block.bit_length() - 4, 0, 0, 0, 0, False, False))


def sequence_of(header: Header, tools: CodingTools) -> SequenceParameters:
    """The picture that HEVC codes: a BPG picture whose sides are rounded up to whole coding blocks."""
    height, width = _coded_shapes(header, tools.coding_block)[0]
    return SequenceParameters(header.chroma, width, height, width, height, header.bit_depth, tools)


def decode(data: bytes, *, max_pixels: int) -> Picture:
    """Decodes a BPG file; Exif, ICC and other extensions are kept in the header unread.

    Raises :class:`FormatError` for bytes that are not a sound still BPG picture, for one of more than
    ``max_pixels`` pixels (checked before anything of that size is allocated), for animations, and for depths
    ffmpeg has no decoder for (11, 13 and 14 bits). Damage inside the compressed picture data that still makes
    a valid stream cannot be told from a picture: BPG has no checksum.
    """
    header, body = read_header(data)
    if header.width * header.height > max_pixels:
        raise FormatError(
            f"the BPG picture has {header.width}x{header.height} pixels, more than the {max_pixels} allowed"
        )
    alpha_tools = None
    if header.alpha:
        alpha_tools, body = read_tools(body)
    tools, body = read_tools(body)
    units = [unit for unit in split_annexb(b"\x00\x00\x01" + body) if len(unit) > 2]
    alpha = None
    if alpha_tools:
        alpha = _decode_layer(units, 1, replace(header, chroma="400"), alpha_tools)[0]
    return Picture(header, _decode_layer(units, 0, header, tools), alpha)


def _decode_layer(units: list[bytes], layer: int, header: Header, tools: CodingTools) -> tuple[Samples, ...]:
    """The planes of one layer (0 colour, 1 alpha), cropped to the picture."""
    sequence = sequence_of(header, tools)
    kept = [
        _to_base_layer(unit)
        for unit in units
        if nal_layer(unit) == layer and nal_type(unit) not in (NAL_VPS, NAL_SPS)
    ]
    picture = decode_intra(
        join_annexb([write_vps(), write_sps(sequence), *kept]), max_pixels=sequence.height * sequence.width
    )
    rows, columns = chroma_shape(header.height, header.width, header.chroma)
    return picture.planes[0][: header.height, : header.width], *(
        plane[:rows, :columns] for plane in picture.planes[1:]
    )


def _to_base_layer(unit: bytes) -> bytes:
    return bytes((unit[0] & 0xFE, unit[1] & 0x07)) + unit[2:]
