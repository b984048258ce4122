"""Boxes of the ISO base media family (ISO/IEC 14496-12), as AVIF, HEIF, JPEG 2000 and JPEG XL files have
them, and what an item of AVIF and HEIF is said to be (ISO/IEC 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dsslic_search.codec.picture.raster import Coded, Profile, Space

MAX_BOXES = 10_000


@dataclass(frozen=True)
class Box:
    """``kind``: its four letters; ``start``, ``end``: of what is in it."""

    kind: bytes
    start: int
    end: int


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes of a stretch of bytes, one after the other; ends where one would go beyond it."""
    end = len(data) if end is None else end
    for _ in range(MAX_BOXES):
        if start + 8 > end:
            return
        size, head = int.from_bytes(data[start : start + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            return
        yield Box(bytes(data[start + 4 : start + 8]), start + head, start + size)
        start += size


def find(data: bytes, path: tuple[bytes, ...], start: int = 0, end: int | None = None) -> Box | None:
    """The first box at a path of kinds. What is in "meta" begins after its version."""
    for box in boxes(data, start, end):
        if box.kind == path[0]:
            if len(path) == 1:
                return box
            inner = box.start + (4 if box.kind == b"meta" else 0)
            return find(data, path[1:], inner, box.end)
    return None


@dataclass(frozen=True)
class Item:
    """What a file says of its primary picture. ``width``, ``height``: before it is turned; ``bits`` of a
    channel, 0 where nothing is said; ``turn``: EXIF's number for what "irot" and "imir" ask for."""

    width: int
    height: int
    bits: int
    space: Space
    icc: bytes
    turn: int


# Anticlockwise quarter turns, then a mirror or none, as EXIF has them.
_TURNS = {
    (0, None): 1, (1, None): 8, (2, None): 3, (3, None): 6,
    (0, 1): 2, (1, 1): 7, (2, 1): 4, (3, 1): 5,
    (0, 0): 4, (1, 0): 5, (2, 0): 2, (3, 0): 7,
}  # fmt: skip


def primary_item(data: bytes) -> Item | None:
    """The primary item's properties in an AVIF or HEIF file; None where there are none to be found."""
    where = find(data, (b"meta", b"pitm"))
    properties = find(data, (b"meta", b"iprp", b"ipco"))
    if where is None or properties is None:
        return None
    wide = data[where.start] > 0
    item = int.from_bytes(data[where.start + 4 : where.start + (8 if wide else 6)], "big")
    known = list(boxes(data, properties.start, properties.end))
    own = [known[i - 1] for i in _associated(data, item) if 0 < i <= len(known)]
    width = height = bits = 0
    icc, coded, quarter, mirror = b"", None, 0, None
    for box in own:
        body = data[box.start : box.end]
        match box.kind:
            case b"ispe":
                width, height = int.from_bytes(body[4:8], "big"), int.from_bytes(body[8:12], "big")
            case b"pixi":
                bits = max(body[5 : 5 + body[4]], default=0) if len(body) > 4 else 0
            case b"irot":
                quarter = body[0] & 3 if body else 0
            case b"imir":
                mirror = body[0] & 1 if body else None
            case b"colr" if body[:4] in (b"prof", b"rICC"):
                icc = bytes(body[4:])
            case b"colr" if body[:4] == b"nclx":
                coded = Coded(int.from_bytes(body[4:6], "big"), int.from_bytes(body[6:8], "big"))
    # A profile says more than code points do.
    space = Profile(icc) if icc else coded
    return Item(width, height, bits, space, icc, _TURNS[quarter, mirror])


def _associated(data: bytes, item: int) -> list[int]:
    """The numbers, from 1, of an item's properties, in their order ("ipma")."""
    found = find(data, (b"meta", b"iprp", b"ipma"))
    if found is None:
        return []
    version, long = data[found.start], data[found.start + 3] & 1
    at, end = found.start + 8, found.end
    id_bytes, width = (4 if version else 2), (2 if long else 1)
    for _ in range(int.from_bytes(data[found.start + 4 : found.start + 8], "big")):
        if at + id_bytes >= end:
            break
        its, count = int.from_bytes(data[at : at + id_bytes], "big"), data[at + id_bytes]
        at += id_bytes + 1
        if its == item:
            values = (
                int.from_bytes(data[at + i * width : at + (i + 1) * width], "big") for i in range(count)
            )
            return [value & (0x7FFF if long else 0x7F) for value in values]
        at += count * width
    return []
