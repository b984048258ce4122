"""The segments of a JPEG file (ITU-T T.81, annex B): what stands where, and where its first picture ends.

Nothing is decoded. The walk takes time in proportion to the file, whatever is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

START_OF_FILE = b"\xff\xd8\xff"
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
MAX_SEGMENTS = 1 << 16
"""In a file; progressive ones have some dozens."""

_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # TEM, RSTn: without a length
_AFTER_SCAN = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""The next marker that is none of a scan's own."""
_NO_FILLING = re.compile(rb"[^\xff]")


class Segment(NamedTuple):
    """``marker``: its second byte. ``begin``: where its marker stands, ``start``: what it holds begins,
    ``end``: the next one begins; of a scan, behind its data. A scan's ``start`` is that of its header."""

    marker: int
    begin: int
    start: int
    end: int


def segments(data: bytes, picture: int = 0) -> Iterator[Segment]:
    """The segments of the picture that begins at a place in a file, up to its end, with that; one that is cut
    short ends with what there is. ValueError where no marker stands that should, and for too many."""
    place = picture + 2
    for _ in range(MAX_SEGMENTS):
        if place >= len(data):
            return
        if data[place] != 0xFF:
            raise ValueError("no marker where a segment ends")
        found = _NO_FILLING.search(data, place)
        if found is None:
            return
        begin, place, marker = found.start() - 1, found.end(), data[found.start()]
        start = place
        if marker not in _STANDALONE and marker != END_OF_IMAGE:
            length = int.from_bytes(data[place : place + 2], "big")
            if length < 2:
                raise ValueError("a segment that is shorter than its length")
            start, place = place + 2, place + length
        if marker == START_OF_SCAN:
            after = _AFTER_SCAN.search(data, place)
            place = len(data) if after is None else after.start()
        yield Segment(marker, begin, min(start, len(data)), min(place, len(data)))
        if marker == END_OF_IMAGE:
            return
    raise ValueError("more segments than a JPEG file has")


def end_of_picture(data: bytes) -> int | None:
    """Where the first picture of a JPEG file ends, behind its end marker; None where that is not found."""
    try:
        return next((s.end for s in segments(data) if s.marker == END_OF_IMAGE), None)
    except ValueError:
        return None
