"""What stands beside the primary picture in a file of a camera: a gain map, which would make it one of high
dynamic range; other pictures; the clip of a motion photo.

JPEG files say so in CIPA's multi-picture format (DC-007), in XMP (Adobe's hdrgm, Google's Camera and
Container), in the marker of ISO 21496-1, and in the trailer of Samsung's phones; HEIF files in boxes. What is
told of but not there, as after an editor took only the picture, does not count."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from dsslic_search.codec.jpeg_segments import START_OF_FILE, START_OF_SCAN, Segment, end_of_picture, segments
from dsslic_search.codec.picture import xmp
from dsslic_search.codec.picture.formats.boxes import boxes
from dsslic_search.codec.picture.header import Companions

MAX_PICTURES = 100
"""In a file of several, and in a trailer; more are not counted."""

_APP1, _APP2 = 0xE1, 0xE2
_XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
_ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1"
_GAIN_MAPS_XMP = (b"http://ns.adobe.com/hdr-gain-map/", b"urn:com:apple:photo:2020:aux:hdrgainmap")
_MPF, _MP_ENTRIES, _MP_ENTRY_BYTES = b"MPF\0", 0xB002, 16
_MP_GAIN_MAP, _MP_THUMBNAILS = 0x050000, frozenset({0x010001, 0x010002, 0x010003})
_SAMSUNG_END, _SAMSUNG_DIRECTORY, _SAMSUNG_CLIP = b"SEFT", b"SEFH", 0x0A30
_MOTION = {"GCamera:MotionPhoto", "GCamera:MicroVideo"}
_SPACES = (b"http://ns.adobe.com/hdr-gain-map/", b"http://ns.google.com/photos/1.0/")
"""Of XMP that speaks of companions."""
_CLIP_STARTS = b"ftyp"


def of_jpeg(data: bytes, packet: bytes) -> Companions:
    """``packet``: the XMP of its primary picture."""
    before_scan = list(_before_scan(data, 0))
    entries = [entry for segment in before_scan for entry in _pictures(data, segment)]
    said = _said(packet)
    gain_map = any(_is_gain_map(data, entry) for entry in entries)
    told = said.gain_map or any(
        s.marker == _APP2 and data.startswith(_ISO_GAIN_MAP, s.start) for s in before_scan
    )
    samsung = _samsung_clip(data)
    if told and not gain_map:
        gain_map = data.find(START_OF_FILE, end_of_picture(data) or len(data)) >= 0
    clip = samsung or (_clip_bytes(data, said.clip_bytes) if said.motion else 0)
    others = sum(
        entry.kind not in _MP_THUMBNAILS and not _is_gain_map(data, entry)
        for entry in entries[1:MAX_PICTURES]
    )
    return Companions(gain_map, 1 + others, clip)


def _before_scan(data: bytes, start: int) -> Iterator[Segment]:
    """The segments of the picture at ``start`` before its first scan, where they stand in ``data``."""
    try:
        for segment in segments(data, start):
            if segment.marker == START_OF_SCAN:
                return
            yield segment
    except ValueError:
        return


class _Picture(NamedTuple):
    """An entry of the multi-picture format: what kind of picture, and where it begins in the file."""

    kind: int
    start: int


def _pictures(data: bytes, segment: Segment) -> list[_Picture]:
    """The pictures that a segment of the multi-picture format lists, with the primary one."""
    if segment.marker != _APP2 or not data.startswith(_MPF, segment.start):
        return []
    base = segment.start + len(_MPF)
    index = data[base : segment.end]
    order = {b"II": "<", b"MM": ">"}.get(index[:2])
    if order is None:
        return []
    try:
        (directory,) = struct.unpack_from(f"{order}I", index, 4)
        (tags,) = struct.unpack_from(f"{order}H", index, directory)
        for tag in range(min(tags, MAX_PICTURES)):
            name, _, size, where = struct.unpack_from(f"{order}HHII", index, directory + 2 + 12 * tag)
            if name == _MP_ENTRIES:
                count = min(size // _MP_ENTRY_BYTES, MAX_PICTURES)
                entries = [
                    struct.unpack_from(f"{order}IIIHH", index, where + i * _MP_ENTRY_BYTES)
                    for i in range(count)
                ]
                return [
                    _Picture(kind & 0xFFFFFF, base + offset if offset else 0)
                    for kind, _, offset, *_ in entries
                ]
    except struct.error:
        return []
    return []


def _is_gain_map(data: bytes, picture: _Picture) -> bool:
    if not picture.start or not data.startswith(START_OF_FILE, picture.start):
        return False
    return picture.kind == _MP_GAIN_MAP or any(
        (s.marker == _APP2 and data.startswith(_ISO_GAIN_MAP, s.start))
        or (
            s.marker == _APP1
            and data.startswith(_XMP_NAME, s.start)
            and any(data.find(name, s.start, s.end) >= 0 for name in _GAIN_MAPS_XMP)
        )
        for s in _before_scan(data, picture.start)
    )


class _Said(NamedTuple):
    """What XMP says of the file: whether it has a gain map, is a motion photo, and how long the clip at its
    end is, 0 where that is not told."""

    gain_map: bool
    motion: bool
    clip_bytes: int


def _said(packet: bytes) -> _Said:
    if not any(space in packet for space in _SPACES):
        return _Said(False, False, 0)
    gain_map, motion, size = False, False, 0
    items: dict[int, dict[str, str]] = {}
    for leaf in xmp.leaves(packet):
        name, text = leaf.names[-1], leaf.text.strip()
        if name == "hdrgm:Version":
            gain_map = True
        elif name in _MOTION:
            motion |= text == "1"
        elif name == "GCamera:MicroVideoOffset":
            size = _number(text)
        elif name.startswith("ContainerItem:"):
            items.setdefault(leaf.item, {})[name] = text
    for item in items.values():
        kind = item.get("ContainerItem:Semantic")
        gain_map |= kind == "GainMap"
        if kind == "MotionPhoto":
            motion, size = True, _number(item.get("ContainerItem:Length", ""))
    return _Said(gain_map, motion, size)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _clip_bytes(data: bytes, told: int) -> int:
    """The length of the clip at the end of a file, by where it begins."""
    if 8 <= told < len(data) and data.startswith(_CLIP_STARTS, len(data) - told + 4):
        return told
    found = data.find(_CLIP_STARTS, end_of_picture(data) or len(data))
    return len(data) - (found - 4) if found >= 4 else 0


def _samsung_clip(data: bytes) -> int:
    """The length of the clip that the trailer of a Samsung phone's file lists, 0 for none: a directory,
    "SEFH", whose entries tell how far before it their data are, its length, and "SEFT"."""
    if not data.endswith(_SAMSUNG_END) or len(data) < 20:
        return 0
    (length,) = struct.unpack_from("<I", data, len(data) - 8)
    directory = len(data) - 8 - length
    if length < 12 or directory < 0 or not data.startswith(_SAMSUNG_DIRECTORY, directory):
        return 0
    (count,) = struct.unpack_from("<I", data, directory + 8)
    for i in range(min(count, MAX_PICTURES, (length - 12) // 12)):
        _, kind, before, size = struct.unpack_from("<HHII", data, directory + 12 + 12 * i)
        if kind == _SAMSUNG_CLIP and 8 < size <= before <= directory:
            (name,) = struct.unpack_from("<I", data, directory - before + 4)
            return int(size - 8 - name) if name < size - 8 else 0
    return 0


def heif_clip_bytes(data: bytes) -> int:
    """The length of the clip in a HEIF file of a phone, which is in a box of its own, 0 for none."""
    return next((box.end - box.start for box in boxes(data) if box.kind == b"mpvd"), 0)
