"""The first bytes of a JPEG XL file, read before any of it is decoded (ISO/IEC 18181-1, SizeHeader; 18181-2,
boxes)."""

from __future__ import annotations

from collections.abc import Iterator

from dsslic_search.core.errors import FormatError

CODESTREAM = b"\xff\x0a"
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_SIDE = ((9, 1), (13, 1), (18, 1), (30, 1))
_MAX_HEADER_BYTES = 64


class _Bits:
    """Bits of a codestream, least significant first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def read(self, count: int) -> int:
        if count > self._left:
            raise FormatError("the JPEG XL data ends inside its header")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return value

    def choice(self, options: tuple[tuple[int, int], ...]) -> int:
        """The standard's U32: two bits select one of four (bits to read, value to add)."""
        count, offset = options[self.read(2)]
        return offset + self.read(count)


def read_size(codestream: bytes) -> tuple[int, int]:
    """(height, width) of a bare codestream. Raises FormatError when it is none (or a container, which this
    function does not open)."""
    if not codestream.startswith(CODESTREAM):
        raise FormatError("not a JPEG XL codestream")
    bits = _Bits(codestream[2:_MAX_HEADER_BYTES])
    small = bits.read(1)
    height = _side(bits, small)
    ratio = bits.read(3)
    if ratio == 0:
        return height, _side(bits, small)
    numerator, denominator = _RATIOS[ratio]
    return height, height * numerator // denominator


def read_container_size(data: bytes) -> tuple[int, int]:
    """(height, width) of the codestream inside a JPEG XL container. FormatError when there is none."""
    for kind, body in _boxes(data):
        if kind == b"jxlc":
            return read_size(body)
        if kind == b"jxlp":  # a part of the codestream after a 32-bit part number
            return read_size(body[4:])
    raise FormatError("the JPEG XL container holds no picture")


def _side(bits: _Bits, small: int) -> int:
    return 8 * (bits.read(5) + 1) if small else bits.choice(_SIDE)


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
        yield data[at + 4 : at + 8], data[start : min(end, start + _MAX_HEADER_BYTES)]
        at = end
