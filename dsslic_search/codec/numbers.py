"""Whole numbers in as few bytes as they need: seven bits a byte, the lowest first, the top bit set in all but
the last."""

from __future__ import annotations

from dsslic_search.core.errors import FormatError

_MAX_BYTES = 5
_END = 1 << 32


def number(value: int) -> bytes:
    """The bytes of a number, 0 ≤ value < 2³²."""
    coded = bytearray()
    while value > 127:
        coded.append(value & 127 | 128)
        value >>= 7
    return bytes(coded) + bytes([value])


def read_number(data: bytes, at: int, where: str) -> tuple[int, int]:
    """(the number that starts at ``at``, where the next byte is). FormatError, which says ``where``, when it
    is cut off, too large, or in more bytes than it needs."""
    value = 0
    for i in range(_MAX_BYTES):
        if at + i >= len(data):
            raise FormatError(f"{where} is cut off")
        byte = data[at + i]
        value |= (byte & 127) << 7 * i
        if byte < 128:
            if (byte == 0 and i > 0) or value >= _END:
                break
            return value, at + i + 1
    raise FormatError(f"{where} is damaged: a number that is too large or oddly written")
