"""EXIF data: the directories of a small TIFF file (CIPA DC-008, JEITA CP-3451; TIFF 6.0), read and written as
raw bytes, so that what is not touched stays as it is.

Every tag stands for itself: one that is damaged, of an unknown type, or that lies outside the data is left
out, and costs no other.
"""

from __future__ import annotations

import codecs
import itertools
import math
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dsslic_search.codec.picture.place_words import PlaceWords
from dsslic_search.core.fact import EXIF_IFD, GPS_IFD, IFD0

START = b"Exif\0\0"
"""What EXIF data begin with, before the header of TIFF."""

MAX_KEPT_BYTES = 65_533
"""The most that one marker of a JPEG file holds."""

ORIENTATION = 0x0112
MAKER_NOTE = 0x927C

Order = Literal["<", ">"]
"""Of bytes, as for `struct`."""

_MARKS: Mapping[bytes, Order] = {b"II": "<", b"MM": ">"}

_ASCII, _UTF8 = 2, 129
_TEXTS = frozenset({1, _ASCII, 7, _UTF8})  # bytes of no kind hold text, too, where text is asked for
_WIDE_TEXTS = (
    (re.compile(rb"\xff\xfe|[^\0]\0[^\0]\0(?:[^\0]|\Z)"), "utf-16-le"),
    (re.compile(rb"\xfe\xff|\0[^\0]\0[^\0](?:\0|\Z)"), "utf-16-be"),
)
_SHORT, _LONG = 3, 4
_BIG = frozenset({16, 17, 18})  # LONG8, SLONG8, IFD8, of BigTIFF alone
_POINTERS = frozenset({_LONG, 13, 16, 18})  # LONG, IFD, LONG8, IFD8
_WIDTHS = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8,
    129: 1,
}  # fmt: skip
"""Bytes of one value, by type."""
_NUMBERS = {
    1: "B",
    3: "H",
    4: "I",
    6: "b",
    8: "h",
    9: "i",
    11: "f",
    12: "d",
    13: "I",
    16: "Q",
    17: "q",
    18: "Q",
}
_RATIONALS = {5: "I", 10: "i"}
_BIG_TIFF = 43
_MAX_NUMBERS = 4096  # of one tag; none that is asked for has more

WINDOWS_TEXTS = range(0x9C9B, 0x9CA0)
"""XPTitle, XPComment, XPAuthor, XPKeywords, XPSubject: bytes that are `Value.wide_text`."""
WINDOWS_KEYWORDS = 0x9C9E
"""Of these the one that holds several, with semicolons between them."""

_KEPT_IN_IFD0 = frozenset({
    0x010E,  # ImageDescription
    0x010F, 0x0110,  # Make, Model
    0x011A, 0x011B, 0x0128,  # XResolution, YResolution, ResolutionUnit
    0x0131, 0x0132, 0x013B, 0x013C,  # Software, DateTime, Artist, HostComputer
    0x4746,  # Rating
    0x8298,  # Copyright
    *WINDOWS_TEXTS,
})  # fmt: skip
_LEFT_OUT_OF_EXIF = frozenset({
    MAKER_NOTE,  # its inner offsets do not survive a rewriting
    0xA005,  # Interoperability: another directory
    0xEA1C, 0xEA1D,  # Padding, OffsetSchema
})  # fmt: skip
_WIDTH_TAG, _HEIGHT_TAG = 0xA002, 0xA003  # PixelXDimension, PixelYDimension

# What describes a TIFF file's own pixels, or is another kind of metadata, and not the photo.
_STRUCTURE = frozenset({
    0x00FE, 0x00FF, 0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0107, 0x0108, 0x0109, 0x010A, 0x0111, 0x0115,
    0x0116, 0x0117, 0x0118, 0x0119, 0x011C, 0x0120, 0x0121, 0x0122, 0x0123, 0x0124, 0x0125, 0x012D, 0x013D,
    0x013E, 0x013F, 0x0140, 0x0141, 0x0142, 0x0143, 0x0144, 0x0145, 0x014A, 0x014C, 0x014D, 0x014E, 0x0150,
    0x0151, 0x0152, 0x0153, 0x0154, 0x0155, 0x0156, 0x015B, 0x0200, 0x0201, 0x0202, 0x0203, 0x0205, 0x0206,
    0x0207, 0x0208, 0x0209, 0x0211, 0x0212, 0x0213, 0x0214,
    0x02BC, 0x83BB, 0x8649, 0x8773,  # XMP, IPTC, Photoshop's resources, ICC profile
    0x935C,  # Photoshop's layers
})  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A tag's value as its bytes: ``kind``, the type of TIFF; ``data``, in ``order`` of bytes."""

    kind: int
    data: bytes
    order: Order = "<"

    @property
    def text(self) -> str | None:
        """What it says up to the first NUL, in UTF-8, or where it is not that, in Latin-1; in UTF-16, which
        some programs put there, by its mark or by the NUL of its first letters. None for what is no text."""
        if self.kind not in _TEXTS:
            return None
        for begin, encoding in _WIDE_TEXTS:
            if begin.match(self.data):
                return self.data.decode(encoding, "replace").removeprefix("\ufeff").split("\0")[0]
        return decoded(self.data.split(b"\0")[0]).removeprefix("\ufeff")

    @property
    def wide_text(self) -> str:
        """What it says in UTF-16 up to the first NUL, as Windows' own tags do."""
        return self.data.decode("utf-16-le", "replace").split("\0")[0]

    @property
    def numbers(self) -> tuple[float, ...]:
        """Its numbers, a rational without a denominator as not a number; () for what has none."""
        count = min(len(self.data) // _WIDTHS[self.kind], _MAX_NUMBERS)
        if letter := _RATIONALS.get(self.kind):
            parts = struct.unpack_from(f"{self.order}{2 * count}{letter}", self.data)
            return tuple(_quotient(*parts[i : i + 2]) for i in range(0, len(parts), 2))
        if letter := _NUMBERS.get(self.kind):
            return tuple(struct.unpack_from(f"{self.order}{count}{letter}", self.data))
        return ()


def _quotient(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else math.nan


def decoded(raw: bytes) -> str:
    """Text in UTF-8, the last character of which may be cut; where it is not that, in Latin-1."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(raw)
    except UnicodeDecodeError:
        return raw.decode("latin-1")
    # a few bytes left over belong to a cut character only if there are whole ones of the kind
    whole = len(text.encode()) == len(raw)
    return text if whole or not text.isascii() else raw.decode("latin-1")


Directory = Mapping[int, Value]


@dataclass(frozen=True)
class Exif:
    """``directories``: tags by number, of each directory that is there, by the tag that leads to it (`IFD0`,
    `EXIF_IFD`, `GPS_IFD` of `core.fact`)."""

    directories: Mapping[int, Directory] = field(default_factory=dict)

    def find(self, directory: int, number: int) -> Value | None:
        """A tag's value."""
        return self.directories.get(directory, {}).get(number)

    @property
    def orientation(self) -> int | None:
        """How the picture is to be turned, 1..8; None where nothing sensible is said."""
        found = self.find(IFD0, ORIENTATION)
        said = found.numbers[:1] if found else ()
        return int(said[0]) if said and said[0] in range(1, 9) else None


def read(data: bytes) -> Exif:
    """EXIF data, with or without `START` before them; what is no EXIF has no directories."""
    tiff = data.removeprefix(START)
    return _read(memoryview(tiff))


def of_tiff(data: bytes) -> bytes:
    """The EXIF data of a file that is TIFF (or BigTIFF) itself, as other formats hold them: what its first
    directory says of the photo, but neither of its strips nor XMP, IPTC or a profile. b"" for none."""
    found = _read(memoryview(data))
    main = {tag: value for tag, value in found.directories.get(IFD0, {}).items() if tag not in _STRUCTURE}
    return write({**found.directories, IFD0: main})


def kept(exif: Exif, width: int, height: int) -> bytes:
    """EXIF data to keep with an upright photo of that size, at most `MAX_KEPT_BYTES`; b"" when there is
    nothing worth keeping.

    Kept: camera, description, dates, authorship, rating, exposure and GPS, byte for byte. Orientation becomes
    1. Left out: the thumbnail, the structure of TIFF files, the maker's note; and of too much the largest
    values.
    """
    main = {tag: v for tag, v in exif.directories.get(IFD0, {}).items() if tag in _KEPT_IN_IFD0}
    shot = {tag: v for tag, v in exif.directories.get(EXIF_IFD, {}).items() if tag not in _LEFT_OUT_OF_EXIF}
    position = dict(exif.directories.get(GPS_IFD, {}))
    if not (main or shot or position):
        return b""
    order = _order_of(main, shot, position)
    if _WIDTH_TAG in shot or _HEIGHT_TAG in shot:
        shot |= {
            tag: Value(_LONG, struct.pack(f"{order}I", side), order)
            for tag, side in ((_WIDTH_TAG, width), (_HEIGHT_TAG, height))
        }
    main[ORIENTATION] = Value(_SHORT, struct.pack(f"{order}H", 1), order)
    directories = {IFD0: main, EXIF_IFD: shot, GPS_IFD: position}
    by_size = sorted(
        ((place, tag) for place, tags in directories.items() for tag in tags),
        key=lambda each: len(directories[each[0]][each[1]].data),
    )
    size = _DIRECTORIES_BYTES + sum(_written(directories[place][tag]) for place, tag in by_size)
    while size > MAX_KEPT_BYTES:
        place, tag = by_size.pop()
        size -= _written(directories[place].pop(tag))
    return write(directories)


_DIRECTORIES_BYTES = len(START) + 8 + 3 * 6 + 2 * 12
"""Of three directories without tags: the header, counts, ends, and two tags that lead to the others."""


def _written(value: Value) -> int:
    """The bytes that a tag takes."""
    return 12 + (len(value.data) + len(value.data) % 2 if len(value.data) > 4 else 0)


_OTHER_METADATA = (0x02BC, 0x83BB, 0x8649)  # XMP, IPTC and Photoshop's resources, which stand elsewhere, too


def without_place(exif: Exif, words: PlaceWords) -> Exif:
    """The same without the directory of GPS, keywords of places, and what may tell the place again: maker's
    notes and other metadata."""
    directories = {name: dict(tags) for name, tags in exif.directories.items() if name != GPS_IFD}
    directories.get(EXIF_IFD, {}).pop(MAKER_NOTE, None)
    main = directories.get(IFD0, {})
    for tag in _OTHER_METADATA:
        main.pop(tag, None)
    if (said := main.get(WINDOWS_KEYWORDS)) is not None:
        everything = said.wide_text.split(";")
        stay = [word for word in everything if not words.names(word)]
        if not stay:
            del main[WINDOWS_KEYWORDS]
        elif stay != everything:
            wide = f"{';'.join(stay)}\0".encode("utf-16-le")
            main[WINDOWS_KEYWORDS] = Value(said.kind, wide, said.order)
    return Exif({name: tags for name, tags in directories.items() if tags})


def keywords(exif: Exif) -> list[str]:
    """Those that Windows writes."""
    said = exif.find(IFD0, WINDOWS_KEYWORDS)
    return [] if said is None else said.wide_text.split(";")


# Reading


@dataclass(frozen=True)
class _Layout:
    """How a TIFF file writes offsets and counts: ``header``, ``entries``, ``entry`` as for `struct`;
    ``inline``: bytes of a value that stands in its entry."""

    order: Order
    header: str
    entries: str
    entry: str
    inline: int


def _layout(tiff: memoryview) -> _Layout | None:
    order = _MARKS.get(bytes(tiff[:2]))
    if order is None or len(tiff) < 8:
        return None
    (version,) = struct.unpack_from(f"{order}H", tiff, 2)
    if version == _BIG_TIFF and len(tiff) >= 16:
        return _Layout(order, f"{order}8xQ", f"{order}Q", f"{order}HHQ", 8)
    return _Layout(order, f"{order}4xI", f"{order}H", f"{order}HHI", 4)  # writers vary the 42


def _read(tiff: memoryview) -> Exif:
    layout = _layout(tiff)
    if layout is None:
        return Exif()
    (first,) = struct.unpack_from(layout.header, tiff)
    main = _directory(tiff, first, layout)
    directories = {IFD0: main}
    for name in (EXIF_IFD, GPS_IFD):
        pointer = main.pop(name, None)
        if pointer is not None and pointer.kind in _POINTERS and pointer.numbers:
            directories[name] = _directory(tiff, int(pointer.numbers[0]), layout)
    return Exif({name: tags for name, tags in directories.items() if tags})


def _directory(tiff: memoryview, offset: int, layout: _Layout) -> dict[int, Value]:
    tags: dict[int, Value] = {}
    for tag, value in _entries(tiff, offset, layout):
        tags.setdefault(tag, value)
    return tags


def _entries(tiff: memoryview, offset: int, layout: _Layout) -> Iterator[tuple[int, Value]]:
    """The sound entries of a directory, as far as the data goes."""
    head, width = struct.calcsize(layout.entries), struct.calcsize(layout.entry) + layout.inline
    if not 0 < offset <= len(tiff) - head:
        return
    (count,) = struct.unpack_from(layout.entries, tiff, offset)
    begin = offset + head
    left = len(tiff)  # bytes of values; more only where they overlap, which takes memory without end
    for start in range(begin, begin + width * min(count, (len(tiff) - begin) // width, 1 << 16), width):
        tag, kind, values = struct.unpack_from(layout.entry, tiff, start)
        size = _WIDTHS.get(kind, 0) * values
        place = start + width - layout.inline
        if size > layout.inline:
            pointer = tiff[place : place + layout.inline]
            place = int.from_bytes(pointer, "little" if layout.order == "<" else "big")
        if 0 < size <= min(len(tiff) - place, left):
            left -= size
            yield tag, Value(kind, bytes(tiff[place : place + size]), layout.order)


# Writing


def write(directories: Mapping[int, Mapping[int, Value]]) -> bytes:
    """EXIF data, beginning with `START`, of directories as in `Exif`; b"" when all are empty."""
    plain = {
        name: {tag: value for tag, value in tags.items() if value.kind not in _BIG}
        for name, tags in directories.items()
    }
    main = plain.pop(IFD0, {})
    inner = {name: tags for name, tags in plain.items() if tags}
    if not (main or inner):
        return b""
    order = _order_of(main, *inner.values())
    tiff = bytearray(b"II*\0\x08\0\0\0" if order == "<" else b"MM\0*\0\0\0\x08")
    pointers = {name: Value(_LONG, bytes(4), order) for name in inner}
    places = _append(tiff, {**main, **pointers}, order)
    for name, tags in inner.items():
        struct.pack_into(f"{order}I", tiff, places[name], len(tiff))
        _append(tiff, tags, order)
    return START + bytes(tiff)


def _append(tiff: bytearray, tags: Mapping[int, Value], order: Order) -> dict[int, int]:
    """Write a directory at the end, values of more than four bytes behind it; returns where each tag's value
    or its offset stands."""
    begin = len(tiff)
    tiff += struct.pack(f"{order}H", len(tags)) + bytes(12 * len(tags) + 4)
    places = {}
    for start, (tag, value) in zip(itertools.count(begin + 2, 12), sorted(tags.items()), strict=False):
        count = len(value.data) // _WIDTHS[value.kind]
        struct.pack_into(f"{order}HHI", tiff, start, tag, value.kind, count)
        places[tag] = start + 8
        if len(value.data) <= 4:
            tiff[start + 8 : start + 8 + len(value.data)] = value.data
        else:
            struct.pack_into(f"{order}I", tiff, start + 8, len(tiff))
            tiff += value.data + bytes(len(value.data) % 2)
    return places


def _order_of(*directories: Directory) -> Literal["<", ">"]:
    """The order of bytes that values have: all those of one file have the same."""
    first: Sequence[Value] = [value for tags in directories for value in tags.values()][:1]
    return first[0].order if first else "<"
