"""The ICC profile in a JPEG XL codestream (ISO/IEC 18181-1, annex E.4): entropy-coded commands and data from
which the profile is put together."""

from __future__ import annotations

from dsslic_search.codec.jpeg_xl_entropy import Bits, Decoder
from dsslic_search.core.errors import FormatError

MAX_PROFILE_BYTES = 1 << 22  # as coded, and as it becomes

_CONTEXTS = 41
_HEADER_BYTES = 128
_TAGS = b"cprtwtptbkptrXYZgXYZbXYZkXYZrTRCgTRCbTRCkTRCchaddescchrmdmnddmddlumi"
_TYPES = b"XYZ desctextmlucparacurvsf32gbd "
_OF_20_BYTES = (b"rXYZ", b"gXYZ", b"bXYZ", b"kXYZ", b"wtpt", b"bkpt", b"lumi")
_CURVES, _PRIMARIES = 2, 3  # commands for three tags at once


def read(codestream: bytes, at: int) -> bytes:
    """The profile that begins at a bit of a codestream; FormatError for damage."""
    try:
        return _Profile(_coded(Bits(codestream, at))).made()
    except (IndexError, ValueError) as e:
        raise FormatError("the colour profile of the JPEG XL data is damaged") from e


def _coded(bits: Bits) -> bytes:
    """The commands and data."""
    size = bits.u64()
    if size > MAX_PROFILE_BYTES:
        raise FormatError("the colour profile of the JPEG XL data is too large")
    decoder = Decoder(bits, _CONTEXTS)
    coded = bytearray()
    for i in range(size):
        context = 1 + _LAST[coded[-1]] + _LAST_BUT_ONE[coded[-2]] if i > _HEADER_BYTES else 0
        value = decoder.read(context)
        if value > 255:
            raise FormatError("the colour profile of the JPEG XL data is damaged")
        coded.append(value)
    return bytes(coded)


def _kind(value: int, small: tuple[int, int, int], large: tuple[int, int], other: int) -> int:
    """Letters, digits with their signs, ``small`` numbers (0, 1, more), ``large`` ones (up to 254, 255)."""
    sign = chr(value) if value < 128 else ""
    if sign.isalpha():
        return 0
    if sign in tuple("0123456789.,"):
        return 1
    if value < 16:
        return small[min(value, 2)]
    return large[value == 255] if value > 240 else other


# A byte's context is 1 + what the byte before it says + what the one before that says.
_LAST = [_kind(value, (2, 3, 4), (5, 6), 7) for value in range(256)]
_LAST_BUT_ONE = [8 * _kind(value, (2, 2, 2), (3, 3), 4) for value in range(256)]


class _Profile:
    """A profile that is being put together out of commands and data."""

    def __init__(self, coded: bytes) -> None:
        self._coded, self._command_at = coded, 0
        self._size = self._number()
        commands = self._number()
        self._end = self._data_at = self._command_at + commands
        if self._size > MAX_PROFILE_BYTES or self._end > len(coded):
            raise FormatError("the colour profile of the JPEG XL data is damaged")
        self._made = bytearray()

    def made(self) -> bytes:
        self._header()
        if len(self._made) < self._size:
            self._tags()
            while self._command_at < self._end:
                self._content(self._byte())
                if len(self._made) > self._size:
                    break
        if len(self._made) != self._size or self._data_at != len(self._coded):
            raise FormatError("the colour profile of the JPEG XL data is damaged")
        return bytes(self._made)

    def _byte(self) -> int:
        self._command_at += 1
        return self._coded[self._command_at - 1]

    def _number(self) -> int:
        value = 0
        for shift in range(0, 63, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                break
        return value

    def _data(self, count: int) -> bytes:
        start, self._data_at = self._data_at, self._data_at + count
        if self._data_at > len(self._coded):
            raise FormatError("the colour profile of the JPEG XL data ends too early")
        return self._coded[start : self._data_at]

    def _add_word(self, number: int) -> None:
        self._made += (number & 0xFFFFFFFF).to_bytes(4, "big")

    def _header(self) -> None:
        """Each byte is the difference from what most profiles have there."""
        likely = bytearray(_HEADER_BYTES)
        likely[:4] = (self._size & 0xFFFFFFFF).to_bytes(4, "big")
        likely[8] = 4
        likely[12:24] = b"mntrRGB XYZ "
        likely[36:40] = b"acsp"
        likely[68:80] = b"\0\0\xf6\xd6\0\1\0\0\0\0\xd3\x2d"
        for i in range(min(self._size, _HEADER_BYTES)):
            if i == 8:
                likely[80:84] = self._made[4:8]
            if i == 41:
                likely[41:44] = {ord("A"): b"PPL", ord("M"): b"SFT"}.get(self._made[40], likely[41:44])
            if i == 42:
                likely[42:44] = {b"SG": b"I ", b"SU": b"NW"}.get(bytes(self._made[40:42]), likely[42:44])
            self._made.append((self._data(1)[0] + likely[i]) & 255)

    def _tags(self) -> None:
        count = self._number()
        if not count:
            return
        self._add_word(count - 1)
        start, size = _HEADER_BYTES + 12 * (count - 1), 0
        while self._command_at < self._end and (command := self._byte()) & 63:
            code = command & 63
            if code == 1:
                tag = self._data(4)
            elif code < 4:
                tag = b"rTRC" if code == _CURVES else b"rXYZ"
            else:
                tag = _TAGS[4 * (code - 4) : 4 * (code - 3)]
            if len(tag) < 4 or len(self._made) > self._size:
                raise FormatError("the colour profile of the JPEG XL data has a damaged tag")
            start += size
            size = 20 if tag in _OF_20_BYTES else size
            start = self._number() if command & 64 else start
            size = self._number() if command & 128 else size
            self._tag(tag, start, size)
            if code in (_CURVES, _PRIMARIES):
                apart = size if code == _PRIMARIES else 0
                self._tag(b"g" + tag[1:], start + apart, size)
                self._tag(b"b" + tag[1:], start + 2 * apart, size)

    def _tag(self, tag: bytes, start: int, size: int) -> None:
        self._made += tag
        self._add_word(start)
        self._add_word(size)

    def _content(self, command: int) -> None:
        if command == 1:
            self._made += self._data(self._number())
        elif command in (2, 3):
            self._made += _shuffled(self._data(self._number()), 2 if command == 2 else 4)
        elif command == 4:
            self._predicted()
        elif command == 10:
            self._made += b"XYZ \0\0\0\0" + self._data(12)
        elif 16 <= command < 24:
            self._made += _TYPES[4 * (command - 16) : 4 * (command - 15)] + bytes(4)
        else:
            raise FormatError("the colour profile of the JPEG XL data has an unknown command")

    def _predicted(self) -> None:
        """Numbers of one, two or four bytes, as differences from what those before them would go on with."""
        flags = self._byte()
        width, order = (flags & 3) + 1, flags >> 2 & 3
        stride = self._number() if flags & 16 else width
        if width == 3 or order == 3 or stride < width or 4 * stride >= len(self._made):
            raise FormatError("the colour profile of the JPEG XL data is damaged")
        data = self._data(self._number())
        data = data if width == 1 else _shuffled(data, width)
        start, made = len(self._made), self._made
        for i, difference in enumerate(data):
            at = start + i - i % width
            one, two, three = (
                int.from_bytes(made[at - n * stride : at - n * stride + width], "big") for n in (1, 2, 3)
            )
            expected = (one, 2 * one - two, 3 * (one - two) + three)[order]
            made.append(((expected >> 8 * (width - 1 - i % width)) + difference) & 255)


def _shuffled(data: bytes, width: int) -> bytes:
    """Bytes that stand in ``width`` rows, column by column."""
    height = (len(data) + width - 1) // width
    return bytes(data[i] for column in range(height) for i in range(column, len(data), height))
