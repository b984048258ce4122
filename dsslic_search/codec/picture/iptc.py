"""IPTC's records as photos carry them: the Information Interchange Model (IIM, version 4.2), alone or among
the resources of Photoshop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from dsslic_search.codec.picture.exif import decoded
from dsslic_search.codec.picture.place_words import PlaceWords

MAX_KEPT_BYTES = 65_505
"""The most that one marker of a JPEG file holds, within a resource of Photoshop."""

MAX_PARTS = 10_000
"""Datasets of records, or resources, that are looked at."""

_MARKER = 0x1C  # begins a dataset
_CHARACTER_SET = (1, 90)
_UTF8 = b"\x1b%G"
_APPLICATION_RECORD = 2
_PREVIEW = (2, 202)
_KEYWORDS = (2, 25)
_ENVELOPE_RECORD = 1

_PLACES = frozenset((_APPLICATION_RECORD, number) for number in (26, 27, 90, 92, 95, 100, 101))
"""Content location, city, sublocation, province, country."""

RESOURCE = 0x0404
"""Of IPTC's records among Photoshop's."""

_SIGNATURES = (b"8BIM", b"PHUT", b"AgHg", b"DCSR", b"MeSa")

Number = tuple[int, int]
"""Of a dataset: its record, and its own there."""


@dataclass(frozen=True)
class Iptc:
    """``texts``: by number of the dataset, in the order of the file."""

    texts: Mapping[Number, Sequence[str]] = field(default_factory=dict)


def read(records: bytes) -> Iptc:
    """Of records, up to the first that is damaged. Texts are in UTF-8, or where they are not that, in
    Latin-1."""
    texts: dict[Number, list[str]] = {}
    said_utf8 = False
    for number, start, end in islice(_datasets(records), MAX_PARTS):
        raw = records[start:end]
        if number == _CHARACTER_SET:
            said_utf8 = raw == _UTF8
        elif number[0] == _APPLICATION_RECORD:
            text = raw.decode(errors="replace") if said_utf8 else decoded(raw)
            texts.setdefault(number, []).append(text)
    return Iptc(texts)


def keywords(records: bytes) -> Sequence[str]:
    """Those of records, in their order."""
    return read(records).texts.get(_KEYWORDS, ())


def kept(records: bytes, *, without: PlaceWords | None = None) -> bytes:
    """What is kept of records, byte for byte: those that describe the photo, without a preview; where
    ``without`` is told also but where it was taken, and keywords of places. b"" for none, and for more than
    `MAX_KEPT_BYTES`."""
    left_out = {_PREVIEW} if without is None else {_PREVIEW, *_PLACES}
    found, described = bytearray(), False
    for number, start, end in islice(_datasets(records), MAX_PARTS):
        if without is not None and number == _KEYWORDS and without.names(decoded(records[start:end])):
            continue
        if number[0] in (_ENVELOPE_RECORD, _APPLICATION_RECORD) and number not in left_out:
            size = end - start
            head = bytes((_MARKER, *number))
            length = size.to_bytes(2, "big") if size < 1 << 15 else b"\x80\x04" + size.to_bytes(4, "big")
            found += head + length + records[start:end]
            if len(found) > MAX_KEPT_BYTES:
                return b""
            described |= number[0] == _APPLICATION_RECORD and number[1] > 0
    return bytes(found) if described else b""


def _datasets(records: bytes) -> Iterator[tuple[Number, int, int]]:
    """The number of each dataset, and from where to where its value is."""
    place = 0
    while place + 5 <= len(records) and records[place] == _MARKER:
        number = records[place + 1], records[place + 2]
        size = int.from_bytes(records[place + 3 : place + 5], "big")
        place += 5
        if size >= 1 << 15:  # the length of the length
            width = size - (1 << 15)
            size = int.from_bytes(records[place : place + width], "big")
            place += width
        if size > len(records) - place:
            return
        yield number, place, place + size
        place += size


def in_photoshop(resources: bytes) -> bytes:
    """IPTC's records among Photoshop's resources; b"" for none."""
    for kind, data in islice(_resources(resources), MAX_PARTS):
        if kind == RESOURCE:
            return data
    return b""


def as_photoshop(records: bytes) -> bytes:
    """Records as a resource of Photoshop."""
    size = len(records).to_bytes(4, "big")
    return b"8BIM" + RESOURCE.to_bytes(2, "big") + b"\0\0" + size + records + bytes(len(records) % 2)


def _resources(resources: bytes) -> Iterator[tuple[int, bytes]]:
    """The number and the bytes of each."""
    place = 0
    while resources[place : place + 4] in _SIGNATURES and place + 12 <= len(resources):
        kind = int.from_bytes(resources[place + 4 : place + 6], "big")
        name = resources[place + 6]
        place += 6 + (name + 2) // 2 * 2
        size = int.from_bytes(resources[place : place + 4], "big")
        place += 4
        yield kind, resources[place : place + size]
        place += size + size % 2
