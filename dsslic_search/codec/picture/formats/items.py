"""Items of AVIF and HEIF files (ISO/IEC 14496-12, 8.11, and 23008-12): what pictures and metadata there are,
where their bytes stand, what they are said to be, and how a picture is cropped and turned for showing.

Everything is bounded by the file: counts by the bytes that they take there, and what an item holds by the
length of the file."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture.formats.boxes import Box, boxes, find
from dsslic_search.codec.picture.raster import Coded, Profile, Space

MAX_METADATA_BYTES = 1 << 24
MAX_NUMBERS = 1 << 20
"""In a list of a file: what a thousand pictures of a thousand tiles do not need, and no work to read."""
MAX_PROPERTIES = 255  # of an item
UNSHOWN_PIXELS = 1 << 24
"""That may be decoded and not shown, beside four times as many as are."""
_IN_FILE, _IN_IDAT = 0, 1  # construction methods


class Crop(NamedTuple):
    """ "clap": the rows and columns that are shown."""

    width: Fraction
    height: Fraction
    across: Fraction
    down: Fraction

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """Of a picture of that size; all of it where nothing would be left."""
        left = round((width - 1) / Fraction(2) + self.across - (self.width - 1) / 2)
        top = round((height - 1) / Fraction(2) + self.down - (self.height - 1) / 2)
        rows = slice(max(0, top), min(height, top + round(self.height)))
        columns = slice(max(0, left), min(width, left + round(self.width)))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return slice(0, height), slice(0, width)
        return rows, columns


class Turn(NamedTuple):
    """ "irot": quarter turns anticlockwise."""

    quarters: int


class Mirror(NamedTuple):
    """ "imir": ``across``: left and right change places, else top and bottom."""

    across: bool


Transform = Crop | Turn | Mirror


def transformed(plane: NDArray[Any], transforms: Iterable[Transform]) -> NDArray[Any]:
    """A view of [H, W, …] as its transforms, in their order, show it."""
    for each in transforms:
        match each:
            case Crop():
                plane = plane[each.window(*plane.shape[:2])]
            case Turn():
                plane = np.rot90(plane, each.quarters)
            case Mirror():
                plane = plane[:, ::-1] if each.across else plane[::-1]
    return plane


def transformed_size(size: tuple[int, int], transforms: Iterable[Transform]) -> tuple[int, int]:
    """(height, width) of what :func:`transformed` gives for a picture of that size. ValueError where that is
    much less than would be decoded."""
    height, width = size
    for each in transforms:
        if isinstance(each, Crop):
            rows, columns = each.window(height, width)
            height, width = rows.stop - rows.start, columns.stop - columns.start
        elif isinstance(each, Turn) and each.quarters % 2:
            height, width = width, height
    check_unshown(size, (height, width))
    return height, width


def check_unshown(whole: tuple[int, int], shown: tuple[int, int]) -> None:
    """ValueError where decoding a picture of one size is out of proportion to showing one of the other, whose
    size alone is compared with the limit on pixels."""
    if whole[0] * whole[1] > 4 * shown[0] * shown[1] + UNSHOWN_PIXELS:
        raise ValueError(f"of {whole[1]}×{whole[0]} pixels only {shown[1]}×{shown[0]} are shown")


class CodePoints(NamedTuple):
    """ "colr" of kind "nclx", by ITU-T H.273."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


@dataclass(frozen=True)
class Item:
    """What a file says of a picture. ``height``, ``width``: of its samples, before transforms; ``bits`` of a
    channel, 0 where nothing is said; ``icc``: its profile, b"" for none."""

    height: int
    width: int
    bits: int
    icc: bytes
    code_points: CodePoints | None
    transforms: tuple[Transform, ...]

    @property
    def space(self) -> Space:
        """A profile says more than code points do."""
        if self.icc:
            return Profile(self.icc)
        if self.code_points is None:
            return None
        return Coded(self.code_points.primaries, self.code_points.transfer)


@dataclass(frozen=True)
class Items:
    """All items of a file. ``kinds``: by number, "hvc1", "grid" …, of "mime" with its type of content;
    ``places``: where their bytes stand; ``properties``: theirs, in their order; ``references``: from a kind
    and an item, to which items; ``primary``: the number of the picture that is shown."""

    data: bytes
    primary: int
    kinds: Mapping[int, tuple[bytes, bytes]]
    places: Mapping[int, Sequence[tuple[int, int]]]
    properties: Mapping[int, Sequence[Box]]
    references: Mapping[tuple[bytes, int], Sequence[int]]

    def kind(self, item: int) -> bytes:
        """b"" of an item that is not there."""
        return self.kinds.get(item, (b"", b""))[0]

    def body(self, item: int) -> bytes:
        """The bytes of an item. ValueError where they are not all there."""
        places = self.places.get(item, ())
        if not places or any(not 0 <= start <= end <= len(self.data) for start, end in places):
            raise ValueError("a part of the picture is not in the file")
        if sum(end - start for start, end in places) > len(self.data):
            raise ValueError("the parts of a picture are more than the file")
        return b"".join(self.data[start:end] for start, end in places)

    def property(self, item: int, kind: bytes) -> bytes:
        """What an item's first property of a kind holds, b"" for none."""
        box = next((box for box in self.properties.get(item, ()) if box.kind == kind), None)
        return b"" if box is None else bytes(self.data[box.start : box.end])

    def described(self, item: int) -> Item:
        """What is said of a picture."""
        height = width = bits = 0
        icc, points, transforms = b"", None, []
        for box in self.properties.get(item, ()):
            body = self.data[box.start : box.end]
            match box.kind:
                case b"ispe" if len(body) >= 12:
                    width, height = struct.unpack_from(">II", body, 4)
                case b"pixi" if len(body) > 4:
                    bits = max(body[5 : 5 + body[4]], default=0)
                case b"clap" | b"irot" | b"imir":
                    transforms += _transform(box.kind, body)
                case b"colr" if body[:4] in (b"prof", b"rICC"):
                    icc = icc or bytes(body[4:])
                case b"colr" if body[:4] == b"nclx" and len(body) >= 11:
                    primaries, transfer, matrix, full = struct.unpack_from(">HHHB", body, 4)
                    points = points or CodePoints(primaries, transfer, matrix, bool(full >> 7))
        return Item(height, width, bits, icc, points, tuple(transforms))

    def metadata(self, kind: bytes, content: bytes = b"") -> bytes:
        """What the first item of a kind and type of content holds, b"" for none and for what is damaged; one
        that describes the primary picture comes first."""
        found = [item for item, told in self.kinds.items() if told == (kind, content)]
        found.sort(key=lambda item: self.primary not in self.references.get((b"cdsc", item), ()))
        for item in found[:1]:
            try:
                body = self.body(item)
            except ValueError:
                return b""
            return body if len(body) <= MAX_METADATA_BYTES else b""
        return b""

    def auxiliaries(self, item: int) -> list[tuple[int, bytes]]:
        """The pictures that go with one: their numbers, and what they are, as an URN."""
        return [
            (other, self.property(other, b"auxC")[4:].partition(b"\0")[0])
            for (kind, other), to in self.references.items()
            if kind == b"auxl" and item in to
        ]


def _transform(kind: bytes, body: bytes) -> list[Transform]:
    if kind == b"clap":
        try:
            numbers = struct.unpack_from(">IIIIiIiI", body)
            return [Crop(*(Fraction(numbers[i], numbers[i + 1]) for i in range(0, 8, 2)))]
        except (struct.error, ZeroDivisionError):
            return []
    if not body:
        return []
    return [Turn(body[0] & 3) if kind == b"irot" else Mirror(bool(body[0] & 1))]


def read(data: bytes) -> Items | None:
    """The items of a file; None where it has no primary one. ValueError or struct.error for damage."""
    where = find(data, (b"meta", b"pitm"))
    if where is None:
        return None
    wide = data[where.start] > 0
    primary = int.from_bytes(data[where.start + 4 : where.start + (8 if wide else 6)], "big")
    known: list[Box] = []
    if (container := find(data, (b"meta", b"iprp", b"ipco"))) is not None:
        known = list(boxes(data, container.start, container.end))
    return Items(data, primary, _kinds(data), _places(data), _properties(data, known), _references(data))


def _kinds(data: bytes) -> dict[int, tuple[bytes, bytes]]:
    """ "iinf"."""
    listed = find(data, (b"meta", b"iinf"))
    found: dict[int, tuple[bytes, bytes]] = {}
    if listed is None:
        return found
    for box in boxes(data, listed.start + (8 if data[listed.start] else 6), listed.end):
        body = data[box.start : box.end]
        if box.kind != b"infe" or len(body) < 12 or body[0] not in (2, 3):
            continue
        item_bytes = 4 if body[0] == 3 else 2
        item = int.from_bytes(body[4 : 4 + item_bytes], "big")
        kind_at = 4 + item_bytes + 2  # behind the number of its protection
        kind, rest = bytes(body[kind_at : kind_at + 4]), body[kind_at + 4 :].split(b"\0", 2)
        content = bytes(rest[1]) if kind == b"mime" and len(rest) > 1 else b""
        found.setdefault(item, (kind, content))
    return found


class _Numbers:
    """Big-endian numbers of a box, one after the other. ValueError at its end, and for too many."""

    def __init__(self, data: bytes, box: Box) -> None:
        self._data, self._at, self._end = data, box.start, box.end
        self._left = MAX_NUMBERS

    def take(self, count: int) -> int:
        """One of so many bytes."""
        if self._at + count > self._end or not self._left:
            raise ValueError("a list of items that is cut short or too long")
        self._at += count
        self._left -= 1
        return int.from_bytes(self._data[self._at - count : self._at], "big")


def _places(data: bytes) -> dict[int, list[tuple[int, int]]]:
    """ "iloc"; of items in another item nothing."""
    listed = find(data, (b"meta", b"iloc"))
    found: dict[int, list[tuple[int, int]]] = {}
    if listed is None:
        return found
    inner = find(data, (b"meta", b"idat"))
    numbers = _Numbers(data, listed)
    version = numbers.take(1)
    numbers.take(3)
    sizes = numbers.take(2)
    offset_bytes, length_bytes, base_bytes = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_bytes = sizes & 15 if version else 0
    id_bytes = 4 if version == 2 else 2
    for _ in range(numbers.take(id_bytes)):
        item = numbers.take(id_bytes)
        method = numbers.take(2) & 15 if version else _IN_FILE
        numbers.take(2)  # which file; there is none but this
        base = numbers.take(base_bytes)
        extents = []
        for _ in range(numbers.take(2)):
            numbers.take(index_bytes)
            offset, length = numbers.take(offset_bytes), numbers.take(length_bytes)
            start = base + offset
            if method == _IN_IDAT and inner is not None:
                start += inner.start
            extents.append((start, start + length if length else len(data)))
        if method in (_IN_FILE, _IN_IDAT):
            found.setdefault(item, extents)
    return found


def _properties(data: bytes, known: Sequence[Box]) -> dict[int, list[Box]]:
    """ "ipma": the properties of each item, in their order."""
    found: dict[int, list[Box]] = {}
    listed = find(data, (b"meta", b"iprp", b"ipma"))
    if listed is None:
        return found
    numbers = _Numbers(data, listed)
    version, flags = numbers.take(1), numbers.take(3)
    for _ in range(numbers.take(4)):
        item = numbers.take(4 if version else 2)
        own = found.setdefault(item, [])
        for _ in range(numbers.take(1)):
            index = numbers.take(2) & 0x7FFF if flags & 1 else numbers.take(1) & 0x7F
            if 0 < index <= len(known) and len(own) < MAX_PROPERTIES:
                own.append(known[index - 1])
    return found


def _references(data: bytes) -> dict[tuple[bytes, int], list[int]]:
    """ "iref"."""
    found: dict[tuple[bytes, int], list[int]] = {}
    listed = find(data, (b"meta", b"iref"))
    if listed is None:
        return found
    id_bytes = 4 if data[listed.start] else 2
    for box in boxes(data, listed.start + 4, listed.end):
        numbers = _Numbers(data, box)
        start = numbers.take(id_bytes)
        to = [numbers.take(id_bytes) for _ in range(numbers.take(2))]
        found.setdefault((box.kind, start), []).extend(to)
    return found
