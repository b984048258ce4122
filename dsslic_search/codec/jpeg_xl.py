"""The first bytes of a JPEG XL file, read before any of it is decoded: size, depth, colours (ISO/IEC 18181-1,
annex D) and the boxes around them (18181-2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dsslic_search.codec.picture.raster import Coded, Measured, Space
from dsslic_search.core.errors import FormatError

CODESTREAM = b"\xff\x0a"
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
MAX_HEADER_BYTES = 4096

_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # of width and height
_GREY, _XYB = 1, 2
_CUSTOM = 2
_ALPHA, _SPOT, _CFA = 0, 2, 5


@dataclass(frozen=True)
class Description:
    """What a codestream's header says. ``has_profile``: its colours are in an ICC profile
    (`codec.jpeg_xl_profile`); ``is_xyb``: they are stored in a space of the standard's own, from
    which decoders make what is wanted. ``eight_bits_at``: the bit of the codestream from which on two zeros
    say that samples have eight bits, 0 where nothing there says so; ``profile_at``: the one at which the
    profile begins, 0 where there is none."""

    width: int
    height: int
    turn: int
    bits: int
    is_float: bool
    alpha_premultiplied: bool | None
    is_grey: bool
    space: Space
    has_profile: bool
    is_xyb: bool = False
    eight_bits_at: int = 0
    profile_at: int = 0


class _Bits:
    """Bits of a codestream, least significant first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)
        self._count = self._left

    @property
    def read(self) -> int:
        """How many were."""
        return self._count - self._left

    def u(self, count: int) -> int:
        if count > self._left:
            raise FormatError("the JPEG XL data ends inside its header")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return value

    def flag(self) -> bool:
        return bool(self.u(1))

    def u32(self, *ways: tuple[int, int]) -> int:
        """The standard's U32: two bits select one of four, each an offset and a number of bits."""
        offset, count = ways[self.u(2)]
        return offset + self.u(count)

    def u64(self) -> int:
        """The standard's U64, up to 12 bits."""
        way = self.u(2)
        if way < 3:
            return (0, 1, 17)[way] + self.u((0, 4, 8)[way])
        value = self.u(12)
        if self.flag():
            raise FormatError("the JPEG XL data has extensions that are too many")
        return value

    def enum(self) -> int:
        return self.u32((0, 0), (1, 0), (2, 4), (18, 6))


def read_size(codestream: bytes) -> tuple[int, int]:
    """(height, width) of a bare codestream, before it is turned. Raises FormatError when it is none (or a
    container, which this function does not open)."""
    width, height = _size(_opened(codestream))
    return height, width


def read_container_size(data: bytes) -> tuple[int, int]:
    """(height, width) of the codestream inside a JPEG XL container. FormatError when there is none."""
    return read_size(codestream_start(data))


def codestream_start(data: bytes) -> bytes:
    """The first bytes of the codestream of a file, bare or in a container; enough for its header. FormatError
    when there is none."""
    if data.startswith(CODESTREAM):
        return data[:MAX_HEADER_BYTES]
    for kind, body in _boxes(data):
        if kind == b"jxlc":
            return body
        if kind == b"jxlp":  # a part of the codestream after a 32-bit part number
            return body[4:]
    raise FormatError("the JPEG XL container holds no picture")


def _opened(codestream: bytes) -> _Bits:
    if not codestream.startswith(CODESTREAM):
        raise FormatError("not a JPEG XL codestream")
    return _Bits(codestream[2:MAX_HEADER_BYTES])


def describe(codestream: bytes) -> Description:
    """What SizeHeader and ImageMetadata say at the start of a codestream. FormatError for what is none."""
    bits = _opened(codestream)
    width, height = _size(bits)
    turn, depth, is_float, alpha = 1, 8, False, None
    grey, space, has_profile, is_xyb, eight_bits_at, profile_at = False, None, False, True, 0, 0
    if not bits.flag():
        if has_more := bits.flag():
            turn = 1 + bits.u(3)
            if bits.flag():
                _size(bits)
            if bits.flag():
                _skip_preview(bits)
            if bits.flag():
                _skip_animation(bits)
        depth_at = 8 * len(CODESTREAM) + bits.read + 1
        depth, is_float = _depth(bits)
        eight_bits_at = depth_at if depth == 8 and not is_float else 0
        bits.flag()  # modular_16bit_buffers
        for _ in range(bits.u32((0, 0), (1, 0), (2, 4), (1, 12))):
            kind, associated = _extra_channel(bits)
            alpha = associated if kind == _ALPHA and alpha is None else alpha
        is_xyb = bits.flag()
        grey, space, has_profile = _colours(bits)
        if has_profile:
            _skip_to_profile(bits, has_more, is_xyb)
            profile_at = 8 * len(CODESTREAM) + bits.read
    return Description(
        width,
        height,
        turn,
        depth,
        is_float,
        alpha,
        grey,
        space,
        has_profile,
        is_xyb,
        eight_bits_at,
        profile_at,
    )


def as_twelve_bits(data: bytes, described: Description) -> bytes:
    """A file whose samples are said to have eight bits, saying twelve. What XYB holds has no depth of its
    own: decoders give it at the depth that is said."""
    bit = described.eight_bits_at + 1  # 0 of U32 becomes 2, least significant first
    start = data.index(codestream_start(data)[: bit // 8 + 1])
    changed = bytearray(data)
    changed[start + bit // 8] |= 1 << bit % 8
    return bytes(changed)


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.flag()

    def side() -> int:
        return 8 * (1 + bits.u(5)) if small else bits.u32((1, 9), (1, 13), (1, 18), (1, 30))

    height = side()
    ratio = bits.u(3)
    if not ratio:
        return side(), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _skip_preview(bits: _Bits) -> None:
    eighths = bits.flag()
    ways = ((16, 0), (32, 0), (1, 5), (33, 9)) if eighths else ((1, 6), (65, 8), (321, 10), (1345, 12))
    bits.u32(*ways)
    if not bits.u(3):
        bits.u32(*ways)


def _skip_animation(bits: _Bits) -> None:
    bits.u32((100, 0), (1000, 0), (1, 10), (1, 30))
    bits.u32((1, 0), (1001, 0), (1, 8), (1, 10))
    bits.u32((0, 0), (0, 3), (0, 16), (0, 32))
    bits.flag()


def _depth(bits: _Bits) -> tuple[int, bool]:
    if not bits.flag():
        return bits.u32((8, 0), (10, 0), (12, 0), (1, 6)), False
    depth = bits.u32((32, 0), (16, 0), (24, 0), (1, 6))
    bits.u(4)
    return depth, True


def _extra_channel(bits: _Bits) -> tuple[int, bool]:
    """Its kind, and of alpha whether colours are multiplied by it."""
    if bits.flag():
        return _ALPHA, False
    kind = bits.enum()
    _depth(bits)
    bits.u32((0, 0), (3, 0), (4, 0), (1, 3))
    bits.u(8 * bits.u32((0, 0), (0, 4), (16, 5), (48, 10)))
    associated = bits.flag() if kind == _ALPHA else False
    if kind == _SPOT:
        bits.u(64)
    if kind == _CFA:
        bits.u32((1, 0), (0, 2), (3, 4), (19, 8))
    return kind, associated


def _colours(bits: _Bits) -> tuple[bool, Space, bool]:
    """Whether it is grey, its space, and whether that is a profile."""
    if bits.flag():
        return False, None, False
    has_profile, model = bits.flag(), bits.enum()
    if has_profile or model == _XYB:
        return model == _GREY, None, has_profile
    white, corners, gamma, transfer = None, None, None, 13
    code, primaries = bits.enum(), 1
    if code == _CUSTOM:
        white = _spot(bits)
    if model != _GREY:
        primaries = bits.enum()
        if primaries == _CUSTOM:
            corners = _spot(bits), _spot(bits), _spot(bits)
    if bits.flag():
        gamma = bits.u(24) / 10_000_000
    else:
        transfer = bits.enum()
    if corners is not None or white is not None or gamma is not None:
        red, green, blue = corners or (None, None, None)
        return model == _GREY, Measured(white, red, green, blue, gamma), False
    # Its code points are those of H.273, but for P3 with the white of television.
    return model == _GREY, Coded(12 if primaries == 11 and code == 1 else primaries, transfer), False


def _skip_to_profile(bits: _Bits, has_tones: bool, is_xyb: bool) -> None:
    """Tone mapping, extensions, and the transforms of the standard's own space."""
    if has_tones and not bits.flag():
        bits.u(16 + 16 + 1 + 16)
    extensions = bits.u64()
    for _ in range(extensions.bit_count()):
        bits.u(bits.u64())
    if bits.flag():
        return
    if is_xyb and not bits.flag():
        bits.u(16 * (9 + 3 + 4))
    changed = bits.u(3)
    for i, weights in enumerate((15, 55, 210)):
        if changed >> i & 1:
            bits.u(16 * weights)


def _spot(bits: _Bits) -> tuple[float, float]:
    """A chromaticity, in millionths."""
    ways = (0, 19), (524_288, 19), (1_048_576, 20), (2_097_152, 21)
    packed = bits.u32(*ways), bits.u32(*ways)
    x, y = ((value >> 1) ^ -(value & 1) for value in packed)
    return x / 1e6, y / 1e6


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, contents) of the boxes of a container, each cut to what a header can need."""
    if not data.startswith(CONTAINER):
        raise FormatError("not a JPEG XL container")
    at = len(CONTAINER)
    while at + 8 <= len(data):
        size, start = int.from_bytes(data[at : at + 4], "big"), at + 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        end = len(data) if size == 0 else at + size
        if end < start or end > len(data):
            raise FormatError("a box of the JPEG XL container does not fit into it")
        yield data[at + 4 : at + 8], data[start : min(end, start + MAX_HEADER_BYTES)]
        at = end
