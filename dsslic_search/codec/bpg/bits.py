"""Bits and NAL units: what HEVC parameter sets and the BPG header are written in (ITU-T H.265, clauses 7.2,
9.2, annex B)."""

from __future__ import annotations

import re

from dsslic_search.core.errors import FormatError

_START_CODE = b"\x00\x00\x01"
_EMULATION = re.compile(b"\x00\x00(?=[\x00-\x03])")


class BitReader:
    """Reads big-endian bit fields from a short byte string; ``what`` names it in errors.

    Every reading method raises :class:`FormatError` where the bytes end first.
    """

    def __init__(self, data: bytes, what: str) -> None:
        self._value = int.from_bytes(data, "big")
        self._size = self._left = 8 * len(data)
        self._what = what

    @property
    def position(self) -> int:
        """How many bits have been read."""
        return self._size - self._left

    def bits(self, count: int) -> int:
        """The next ``count`` bits as an unsigned integer, u(count)."""
        if count > self._left:
            raise FormatError(f"{self._what} ends too early: the data is truncated or damaged")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        """The next bit, u(1)."""
        return self.bits(1) == 1

    def ue(self, largest: int = 2**32 - 2) -> int:
        """An unsigned Exp-Golomb number, ue(v); more than ``largest`` is a :class:`FormatError`."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 31:
                raise FormatError(f"{self._what} holds a number that is too large: the data is damaged")
        number = (1 << zeros) - 1 + self.bits(zeros)
        if number > largest:
            raise FormatError(
                f"{self._what} holds {number} where at most {largest} is allowed: damaged, or of an "
                "unsupported kind"
            )
        return number

    def se(self, limit: int = 2**31 - 1) -> int:
        """A signed Exp-Golomb number, se(v), of -limit..limit."""
        number = self.ue(2 * limit)
        return (number + 1) // 2 if number % 2 else -(number // 2)


class BitWriter:
    """Collects big-endian bit fields into bytes."""

    def __init__(self) -> None:
        self._value = 0
        self._count = 0

    def bits(self, value: int, count: int) -> None:
        """Appends ``value`` (0 <= value < 2**count) as ``count`` bits, u(count)."""
        self._value = (self._value << count) | value
        self._count += count

    def flag(self, value: bool) -> None:
        """Appends one bit, u(1)."""
        self.bits(int(value), 1)

    def ue(self, value: int) -> None:
        """Appends an unsigned Exp-Golomb number, ue(v)."""
        self.bits(value + 1, 2 * (value + 1).bit_length() - 1)

    def to_bytes(self) -> bytes:
        """Everything written, padded with zero bits to a whole byte."""
        padding = -self._count % 8
        return (self._value << padding).to_bytes((self._count + padding) // 8, "big")


def read_ue7(data: bytes, position: int, what: str) -> tuple[int, int]:
    """A BPG ue7(32) number at ``position``: its value and the position after it.

    Seven bits a byte, most significant first, the top bit set on all bytes but the last; only the shortest
    form is sound.
    """
    value = 0
    for count, byte in enumerate(data[position : position + 5], 1):
        if count == 1 and byte == 0x80:
            break
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            if value >= 2**32:
                break
            return value, position + count
    raise FormatError(f"{what} holds a damaged or truncated number at byte {position}")


def write_ue7(value: int) -> bytes:
    """``value`` (0 <= value < 2**32) as the shortest BPG ue7(32) number; ValueError for another."""
    if not 0 <= value < 2**32:
        raise ValueError(f"{value} is no ue7(32) number")
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def split_annexb(data: bytes) -> list[bytes]:
    """The NAL units of an Annex B byte stream, without start codes and padding zeros; what precedes the first
    code is dropped."""
    units = []
    start = data.find(_START_CODE)
    while start >= 0:
        end = data.find(_START_CODE, start + 3)
        unit = data[start + 3 : end if end >= 0 else len(data)].rstrip(b"\x00")
        if unit:
            units.append(unit)
        start = end
    return units


def join_annexb(units: list[bytes]) -> bytes:
    """An Annex B byte stream of ``units``; each gets a four-byte start code."""
    return b"".join(b"\x00" + _START_CODE + unit for unit in units)


def nal_type(unit: bytes) -> int:
    """nal_unit_type of a NAL unit, 0..63."""
    return unit[0] >> 1 & 0x3F


def nal_layer(unit: bytes) -> int:
    """nuh_layer_id of a NAL unit of at least two bytes, 0..63."""
    return (unit[0] & 1) << 5 | unit[1] >> 3


def escape(payload: bytes) -> bytes:
    """``payload`` with emulation prevention bytes put in (clause 7.4.2)."""
    return _EMULATION.sub(b"\x00\x00\x03", payload)


def unescape(payload: bytes) -> bytes:
    """``payload`` with emulation prevention bytes taken out."""
    return payload.replace(b"\x00\x00\x03", b"\x00\x00")
