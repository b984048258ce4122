"""What a FLIF file starts with: its kind, its size, and chunks of metadata (FLIF16 specification, parts 1
and 2)."""

from __future__ import annotations

from dataclasses import dataclass

from dsslic_search.core.errors import FormatError
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS

SIGNATURE = b"FLIF"
CHANNELS = (1, 3, 4)  # grey, RGB, RGBA
DEPTHS = {ord("1"): 8, ord("2"): 16, ord("0"): None}  # None: told for each plane
MAX_SIDE = 1 << 31
OPTIONAL = range(ord("a"), ord("z") + 1)  # first letters of chunks that a decoder need not know
FLIF16 = 0  # in place of a chunk's name: the picture follows


@dataclass(frozen=True)
class MetadataChunk:
    """``name``, four letters: iCCP, eXif, eXmp and others whose first letter is small, which a reader need
    not know; ValueError for any other. ``content`` as it is kept, a raw DEFLATE stream (RFC 1951)."""

    name: str
    content: bytes

    def __post_init__(self) -> None:
        if len(self.name) != 4 or ord(self.name[0]) not in OPTIONAL:
            raise ValueError(f"a chunk of FLIF cannot be called {self.name!r}")


@dataclass(frozen=True)
class Header:
    """``depth`` in bits: 8, 16 or None; ``chunks`` in the order of the file."""

    width: int
    height: int
    channels: int
    depth: int | None
    is_interlaced: bool
    chunks: tuple[MetadataChunk, ...] = ()

    def write(self) -> bytes:
        """The bytes of a file up to its picture."""
        kind = ((2 if self.is_interlaced else 1) << 4 | self.channels) + ord(" ")
        depth = next(letter for letter, bits in DEPTHS.items() if bits == self.depth)
        written = bytearray(SIGNATURE + bytes([kind, depth]))
        written += _number(self.width - 1) + _number(self.height - 1)
        for chunk in self.chunks:
            written += chunk.name.encode("latin-1") + _number(len(chunk.content)) + chunk.content
        return bytes(written + bytes([FLIF16]))


def read_header(data: bytes, max_pixels: int | None = None) -> tuple[Header, int]:
    """The header of a file and where its picture starts. FormatError where it is none of a still FLIF16
    picture, is cut off, or declares more than ``max_pixels``."""
    if data[:4] != SIGNATURE:
        raise FormatError("this is no FLIF file: it does not start with FLIF")
    if len(data) < 8:
        raise FormatError("the FLIF file ends in its header: it is truncated")
    kind, channels = (data[4] - ord(" ")) >> 4, (data[4] - ord(" ")) & 15
    if kind in (3, 4):
        raise FormatError("the FLIF file holds an animation, which is not read")
    if kind not in (1, 2) or channels not in CHANNELS or data[5] not in DEPTHS:
        raise FormatError("the FLIF file is of an unknown kind, or its header is damaged")
    width, at = _read_number(data, 6)
    height, at = _read_number(data, at)
    width, height = width + 1, height + 1
    limit = DEFAULT_MAX_PIXELS if max_pixels is None else max_pixels
    if width * height > limit:
        raise FormatError(f"the FLIF picture is {width}×{height}, more than the limit of {limit} pixels")
    chunks = []
    while True:
        if at >= len(data):
            raise FormatError("the FLIF file ends in its header: it is truncated")
        if data[at] == FLIF16:
            break
        if data[at] < 32:
            raise FormatError("the FLIF file is of a later version than FLIF16")
        name = data[at : at + 4].decode("latin-1")
        if data[at] not in OPTIONAL:
            raise FormatError(f"the FLIF file needs a reader that knows its chunk {name!r}")
        size, at = _read_number(data, at + 4)
        if size > len(data) - at:
            raise FormatError(f"the FLIF file ends in its chunk {name!r}: it is truncated or damaged")
        chunks.append(MetadataChunk(name, data[at : at + size]))
        at += size
    return Header(width, height, channels, DEPTHS[data[5]], kind == 2, tuple(chunks)), at + 1


def _number(value: int) -> bytes:
    """Seven bits a byte, the highest first, the top bit set in all but the last."""
    coded = [value & 127]
    while value := value >> 7:
        coded.append(value & 127 | 128)
    return bytes(reversed(coded))


def _read_number(data: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = 0
    while at < len(data):
        value = value << 7 | data[at] & 127
        at += 1
        if data[at - 1] < 128:
            return value, at
        if value >= MAX_SIDE:
            raise FormatError("the FLIF file's header holds a number that is too large: it is damaged")
    raise FormatError("the FLIF file ends in its header: it is truncated")
