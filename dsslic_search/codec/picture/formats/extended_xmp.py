"""Extended XMP of JPEG files (ISO 16684-3, 1.1.3.1): what of a packet does not fit into its segment stands in
others, which carry a part each, the place of that part, and the MD5 of the whole."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator

from dsslic_search.codec.jpeg_segments import START_OF_SCAN, segments
from dsslic_search.codec.picture import xmp

_APP1 = 0xE1
_NAME = b"http://ns.adobe.com/xmp/extension/\0"
_DIGEST_LETTERS = 32
_HEAD = struct.Struct(f">{_DIGEST_LETTERS}sII")  # digest, bytes of the whole, place of this part
_TOLD = re.compile(rb"HasExtendedXMP(?:\s*=\s*[\"']|>)([0-9A-Fa-f]{32})")
_FRAME = re.compile(rb"<rdf:RDF\b[^>]*>(.*)</rdf:RDF\s*>", re.DOTALL)
_END_OF_FRAME = re.compile(rb"</rdf:RDF\s*>")
_SPACE = re.compile(rb"\sxmlns:([\w.-]+)\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_DESCRIPTION = re.compile(rb"<rdf:Description\b[^>]*")


def joined(data: bytes, packet: bytes) -> bytes:
    """The packet of a JPEG file with what its extension says; as it is where there is none, where the
    extension belongs to another packet, lacks a part or is damaged, and where both are too much to read."""
    told = _TOLD.search(packet)
    if told is None:
        return packet
    extension = _whole(data, told[1].upper())
    frame, end = _FRAME.search(extension), _END_OF_FRAME.search(packet)
    if frame is None or end is None or len(packet) + len(extension) > xmp.MAX_READ_BYTES:
        return packet
    more = _with_spaces(frame[1], extension[: frame.start(1)])
    both = packet[: end.start()] + more + packet[end.start() :]
    return both if xmp.read(both).sound else packet


def _whole(data: bytes, digest: bytes) -> bytes:
    """The extension of that digest, whatever order its parts have; b"" where it is not whole."""
    parts: dict[int, bytes] = {}
    size = 0
    for own, whole, place, part in _parts(data):
        if own.upper() == digest and whole <= xmp.MAX_READ_BYTES:
            parts.setdefault(place, part)
            size = size or whole
    extension = b"".join(part for _, part in sorted(parts.items()))
    found = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode()
    return extension if len(extension) == size and found == digest else b""


def _parts(data: bytes) -> Iterator[tuple[bytes, int, int, bytes]]:
    try:
        for segment in segments(data):
            if segment.marker == START_OF_SCAN:
                return
            body = segment.start + len(_NAME)
            whole = segment.end - body >= _HEAD.size
            if segment.marker == _APP1 and whole and data.startswith(_NAME, segment.start):
                digest, size, place = _HEAD.unpack_from(data, body)
                yield digest, size, place, data[body + _HEAD.size : segment.end]
    except ValueError:  # as of damage
        return


def _with_spaces(descriptions: bytes, before: bytes) -> bytes:
    """Descriptions that name themselves what the elements around them named."""
    spaces = {found[1]: found[0] for found in _SPACE.finditer(before) if found[1] != b"rdf"}

    def named(found: re.Match[bytes]) -> bytes:
        own = {each[1] for each in _SPACE.finditer(found[0])}
        missing = b"".join(text for name, text in spaces.items() if name not in own)
        return b"<rdf:Description" + missing + found[0].removeprefix(b"<rdf:Description")

    return _DESCRIPTION.sub(named, descriptions)
