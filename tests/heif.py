"""HEIF files made box by box (ISO/IEC 14496-12, 23008-12), for what no program at hand writes."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from dsslic_search.codec.bpg.bits import nal_type, split_annexb
from dsslic_search.codec.bpg.hevc import encode_intra
from dsslic_search.codec.bpg.parameters import NAL_PPS, NAL_SPS, NAL_VPS

Property = tuple[bytes, bytes]


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def full(kind: bytes, body: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, bytes((version,)) + flags.to_bytes(3, "big") + body)


def size(height: int, width: int) -> Property:
    return b"ispe", struct.pack(">III", 0, width, height)


def nclx(matrix: int, full_range: bool, primaries: int = 1, transfer: int = 13) -> Property:
    return b"colr", b"nclx" + struct.pack(">HHHB", primaries, transfer, matrix, full_range << 7)


def quarters(count: int) -> Property:
    """Anticlockwise."""
    return b"irot", bytes((count,))


def mirror(axis: int) -> Property:
    """0: top and bottom change places, 1: left and right."""
    return b"imir", bytes((axis,))


def crop(
    width: int, height: int, across: tuple[int, int] = (0, 1), down: tuple[int, int] = (0, 1)
) -> Property:
    return b"clap", struct.pack(">IIIIiIiI", width, 1, height, 1, *across, *down)


def hevc(planes: Sequence[np.ndarray], bits: int = 8, chroma: str = "444") -> tuple[bytes, Property]:
    """The bytes of an item, lossless, and how it is coded."""
    units = split_annexb(
        encode_intra(planes, bit_depth=bits, chroma=chroma, qp=0, preset="fast", lossless=True)
    )
    sets = [(kind, [u for u in units if nal_type(u) == kind]) for kind in (NAL_VPS, NAL_SPS, NAL_PPS)]
    head = bytes((1, *units[1][3:15])) + b"\xf0\0\xfc\xfd\xf8\xf8\0\0\x0f" + bytes((len(sets),))
    arrays = b"".join(
        bytes((0x80 | kind,))
        + struct.pack(">H", len(found))
        + b"".join(struct.pack(">H", len(u)) + u for u in found)
        for kind, found in sets
    )
    slices = [u for u in units if nal_type(u) < NAL_VPS]
    return b"".join(struct.pack(">I", len(u)) + u for u in slices), (b"hvcC", head + arrays)


class Heif:
    """A file to be: items with their bytes and properties, and references between them."""

    def __init__(self) -> None:
        self._items: list[tuple[bytes, bytes, bytes, list[int]]] = []
        self._properties: list[Property] = []
        self._references: list[tuple[bytes, int, Sequence[int]]] = []

    def add(self, kind: bytes, body: bytes, *properties: Property, content: bytes = b"") -> int:
        """The number of the new item, from 1."""
        own = []
        for each in properties:
            if each not in self._properties:
                self._properties.append(each)
            own.append(1 + self._properties.index(each))
        self._items.append((kind, body, content, own))
        return len(self._items)

    def refer(self, kind: bytes, item: int, *to: int) -> None:
        self._references.append((kind, item, to))

    def picture(
        self, planes: Sequence[np.ndarray], *more: Property, bits: int = 8, chroma: str = "444"
    ) -> int:
        body, coded = hevc(planes, bits, chroma)
        return self.add(b"hvc1", body, coded, size(*planes[0].shape), *more)

    def grid(
        self, rows: int, columns: int, height: int, width: int, tiles: Sequence[int], *more: Property
    ) -> int:
        item = self.add(
            b"grid",
            struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height),
            size(height, width),
            *more,
        )
        self.refer(b"dimg", item, *tiles)
        return item

    def file(
        self, primary: int, *, in_idat: bool = False, behind: bytes = b"", brand: bytes = b"heic"
    ) -> bytes:
        """All of it; ``behind``: bytes after its last box."""
        start = box(b"ftyp", brand + bytes(4) + b"mif1" + brand + (b"miaf" if brand == b"avif" else b""))
        places = [0] * len(self._items)
        for _ in range(2):  # the second time knows how long the first part is
            meta = self._meta(primary, places, in_idat)
            at = 0 if in_idat else len(start) + len(meta) + 8
            for i, (_, body, *_rest) in enumerate(self._items):
                places[i], at = at, at + len(body)
        data = b"" if in_idat else box(b"mdat", b"".join(body for _, body, *_rest in self._items))
        return start + meta + data + behind

    def _meta(self, primary: int, places: Sequence[int], in_idat: bool) -> bytes:
        entries = b"".join(
            full(b"infe", struct.pack(">HH", i, 0) + kind + b"\0" + (content + b"\0" if content else b""), 2)
            for i, (kind, _, content, _) in enumerate(self._items, 1)
        )
        located = b"".join(
            struct.pack(">HHHHII", i, in_idat, 0, 1, place, len(body))
            for i, (place, (_, body, _, _)) in enumerate(zip(places, self._items, strict=True), 1)
        )
        associated = b"".join(
            struct.pack(">HB", i, len(own)) + bytes(0x80 | p for p in own)
            for i, (_, _, _, own) in enumerate(self._items, 1)
        )
        count = len(self._items)
        parts = [
            full(b"hdlr", bytes(4) + b"pict" + bytes(13)),
            full(b"pitm", struct.pack(">H", primary)),
            full(b"iloc", b"\x44\0" + struct.pack(">H", count) + located, 1),
            full(b"iinf", struct.pack(">H", count) + entries),
            box(
                b"iprp",
                box(b"ipco", b"".join(self._property(*p) for p in self._properties))
                + full(b"ipma", struct.pack(">I", count) + associated),
            ),
        ]
        if self._references:
            parts.append(
                full(
                    b"iref",
                    b"".join(
                        box(
                            kind,
                            struct.pack(">HH", item, len(to)) + b"".join(struct.pack(">H", t) for t in to),
                        )
                        for kind, item, to in self._references
                    ),
                )
            )
        if in_idat:
            parts.append(box(b"idat", b"".join(body for _, body, *_ in self._items)))
        return full(b"meta", b"".join(parts))

    @staticmethod
    def _property(kind: bytes, body: bytes) -> bytes:
        return box(kind, body)
