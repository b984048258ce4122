"""The header of a BPG file (F. Bellard, BPG specification 0.9.5, section 3).

::

    magic "BPG\\xfb" · pixel format 3 bits, alpha1 1, bit depth - 8 4
    · colour space 4, extension 1, alpha2 1, limited range 1, animation 1
    · width · height · length of all that follows the extensions (0: to the end of the file)
    · [length of extensions · extensions]
    [length · HEVC header of the alpha plane] · length · HEVC header · HEVC data, first start code left out
"""

from __future__ import annotations

from dataclasses import dataclass

from dsslic_search.codec.bpg.bits import BitReader, BitWriter, read_ue7, write_ue7
from dsslic_search.codec.bpg.colour import COLOURS
from dsslic_search.codec.bpg.parameters import (
    CodingTools,
    read_pulse_code,
    read_range_extension,
    write_pulse_code,
    write_range_extension,
)
from dsslic_search.core.errors import FormatError

MAGIC = b"BPG\xfb"
_FIXED_BYTES = 6  # bytes before the first number of variable length
# chroma, cosited
_PIXEL_FORMATS = (
    ("400", False),
    ("420", False),
    ("422", False),
    ("444", False),
    ("420", True),
    ("422", True),
)
_ALPHAS = (None, "white", "straight", "premultiplied")  # by alpha1_flag, alpha2_flag
_READER_NAME = "the BPG header"


@dataclass(frozen=True)
class Header:
    """What a BPG file says of its picture before any picture data.

    ``chroma``: "400" (grey), "420", "422" or "444"; ``cosited``: chroma sampled as in MPEG-2 instead of JPEG.
    ``colour``: one of :data:`dsslic_search.codec.bpg.colour.COLOURS`; ``limited``: video range instead of
    full range. ``alpha``: the meaning of the extra plane, "straight" or "premultiplied" opacity or the
    "white" of a CMYK picture, or None. ``extensions``: tags (1 Exif, 2 ICC, 3 XMP, 4 thumbnail) and their
    bytes.
    """

    width: int
    height: int
    bit_depth: int = 8
    chroma: str = "444"
    colour: str = "ycbcr"
    cosited: bool = False
    limited: bool = False
    alpha: str | None = None
    extensions: tuple[tuple[int, bytes], ...] = ()


def read_header(data: bytes) -> tuple[Header, bytes]:
    """The header of a BPG file, and the HEVC headers and data that follow it.

    Raises :class:`FormatError` for anything but a sound, still BPG picture. Sizes are not limited here.
    """
    if data[:4] != MAGIC:
        raise FormatError("not a BPG file: it does not begin with the BPG signature")
    reader = BitReader(data[4:_FIXED_BYTES], _READER_NAME)
    pixel_format, alpha1, bit_depth = reader.bits(3), reader.bits(1), 8 + reader.bits(4)
    colour, extended, alpha2, limited, animated = (
        reader.bits(4),
        reader.flag(),
        reader.bits(1),
        reader.flag(),
        reader.flag(),
    )
    if animated:
        raise FormatError("the BPG file is an animation; only still pictures are supported")
    if pixel_format >= len(_PIXEL_FORMATS) or colour >= len(COLOURS) or bit_depth > 14:
        raise FormatError(
            f"the BPG file has pixel format {pixel_format}, colour space {colour} and {bit_depth} bits a "
            "sample: not known"
        )
    chroma, cosited = _PIXEL_FORMATS[pixel_format]
    if chroma == "400" and colour:
        raise FormatError(f"the BPG file is grey but names the colour space {COLOURS[colour]}: it is damaged")
    width, position = read_ue7(data, _FIXED_BYTES, _READER_NAME)
    height, position = read_ue7(data, position, _READER_NAME)
    length, position = read_ue7(data, position, _READER_NAME)
    if not width or not height:
        raise FormatError(
            f"the BPG file describes an empty picture of {width}x{height} pixels: it is damaged"
        )
    extensions: tuple[tuple[int, bytes], ...] = ()
    if extended:
        block, position = _read_block(data, position, "its extensions")
        extensions = _read_extensions(block)
    if length > len(data) - position:
        raise FormatError(
            f"the BPG file is truncated: {len(data) - position} of {length} bytes of picture data are there"
        )
    header = Header(
        width,
        height,
        bit_depth,
        chroma,
        COLOURS[colour],
        cosited,
        limited,
        _ALPHAS[2 * alpha1 + alpha2],
        extensions,
    )
    return header, data[position : position + length] if length else data[position:]


def write_header(header: Header, body: bytes) -> bytes:
    """A BPG file of ``header`` and ``body``, the HEVC headers and data. The reverse of
    :func:`read_header`."""
    alpha1, alpha2 = divmod(_ALPHAS.index(header.alpha), 2)
    writer = BitWriter()
    writer.bits(_PIXEL_FORMATS.index((header.chroma, header.cosited)), 3)
    writer.bits(alpha1, 1)
    writer.bits(header.bit_depth - 8, 4)
    writer.bits(COLOURS.index(header.colour), 4)
    writer.flag(bool(header.extensions))
    writer.bits(alpha2, 1)
    writer.flag(header.limited)
    writer.flag(False)
    block = b"".join(write_ue7(tag) + write_ue7(len(content)) + content for tag, content in header.extensions)
    extensions = write_ue7(len(block)) + block if header.extensions else b""
    sizes = write_ue7(header.width) + write_ue7(header.height) + write_ue7(len(body))
    return MAGIC + writer.to_bytes() + sizes + extensions + body


def read_tools(body: bytes) -> tuple[CodingTools, bytes]:
    """The HEVC header at the start of ``body``, and the bytes after it."""
    block, position = _read_block(body, 0, "its HEVC header")
    reader = BitReader(block, "the BPG file's HEVC header")
    blocks = (reader.ue(3), reader.ue(3), reader.ue(3), reader.ue(3))
    depth_intra, sample_adaptive_offset = reader.ue(4), reader.flag()
    pulse_code, strong_intra_smoothing = read_pulse_code(reader), reader.flag()
    tools = CodingTools(
        *blocks,
        depth_intra,
        sample_adaptive_offset,
        strong_intra_smoothing,
        pulse_code,
        read_range_extension(reader),
    )
    return tools, body[position:]


def write_tools(tools: CodingTools) -> bytes:
    """The HEVC header for ``tools``, its length in front. The reverse of :func:`read_tools`."""
    writer = BitWriter()
    writer.ue(tools.log2_min_coding_block_minus3)
    writer.ue(tools.log2_diff_coding_block)
    writer.ue(tools.log2_min_transform_minus2)
    writer.ue(tools.log2_diff_transform)
    writer.ue(tools.transform_hierarchy_depth_intra)
    writer.flag(tools.sample_adaptive_offset)
    write_pulse_code(writer, tools.pulse_code)
    writer.flag(tools.strong_intra_smoothing)
    write_range_extension(writer, tools.range_extension)
    block = writer.to_bytes()
    return write_ue7(len(block)) + block


def _read_block(data: bytes, position: int, what: str) -> tuple[bytes, int]:
    """Bytes with their length in front, at ``position``, and the position after them."""
    length, position = read_ue7(data, position, _READER_NAME)
    if length > len(data) - position:
        raise FormatError(
            f"the BPG file is truncated: {len(data) - position} of {length} bytes of {what} are there"
        )
    return data[position : position + length], position + length


def _read_extensions(block: bytes) -> tuple[tuple[int, bytes], ...]:
    extensions = []
    position = 0
    while position < len(block):
        tag, position = read_ue7(block, position, _READER_NAME)
        content, position = _read_block(block, position, f"extension {tag}")
        extensions.append((tag, content))
    return tuple(extensions)
