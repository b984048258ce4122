"""Leaving metadata out: all of them, or where a photo was taken; of what is kept, and of whole files (JPEG,
PNG and WebP), whose pixels stay as they are, bit by bit."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from enum import StrEnum

from dsslic_search.codec.jpeg_segments import segments
from dsslic_search.codec.picture import exif, iptc, xmp
from dsslic_search.codec.picture.exif import ORIENTATION, Value
from dsslic_search.codec.picture.formats.signature import kind_of
from dsslic_search.codec.picture.place_words import PlaceWords
from dsslic_search.codec.picture.raster import Embedded
from dsslic_search.core.errors import UsageError
from dsslic_search.core.fact import IFD0


class Strip(StrEnum):
    """What is left out. ``LOCATION``: EXIF's and XMP's positions, XMP's and IPTC's names of places, and
    keywords that are known to be such (`PlaceWords`)."""

    NOTHING = "nothing"
    LOCATION = "location"
    METADATA = "metadata"

    @classmethod
    def named(cls, name: str) -> Strip:
        """That of a name; UsageError, with all names, when there is none."""
        if name not in tuple(cls):
            raise UsageError(f'what to leave out, "{name}", is not one of: {", ".join(cls)}')
        return cls(name)


def stripped(kept: Embedded, strip: Strip) -> Embedded:
    """Metadata as they are kept with an upright photo, without what is to be left out."""
    match strip:
        case Strip.NOTHING:
            return kept
        case Strip.METADATA:
            return Embedded()
    words = place_words(kept)
    return Embedded(
        exif=_exif(kept.exif, strip, words),
        xmp=xmp.kept(kept.xmp, without=words),
        iptc=iptc.kept(kept.iptc, without=words),
    )


def place_words(*metadata: Embedded) -> PlaceWords:
    """Those of all keywords of a photo."""
    words = PlaceWords()
    for each in metadata:
        words.learn(exif.keywords(exif.read(each.exif)))
        words.learn(xmp.keywords(each.xmp))
        words.learn(iptc.keywords(each.iptc))
    return words


def file_without(data: bytes, strip: Strip) -> bytes:
    """A file without what is to be left out, its pixels untouched. How it is to be turned stays. Application
    data of other kinds goes, and so does what stands behind the picture (another picture, a video), which
    may hold metadata of its own. UsageError for formats other than JPEG, PNG and WebP."""
    if strip is Strip.NOTHING:
        return data
    rewritten = _FORMATS.get(kind_of(data) or "")
    if rewritten is None:
        raise UsageError(
            "metadata can be left out of JPEG, PNG and WebP files, but not of this one; decode the photo to "
            "a picture instead"
        )
    try:
        words = PlaceWords()
        rewritten(data, strip, words)  # paths of keywords may stand behind the words that they tell of
        return rewritten(data, strip, words)
    except (struct.error, IndexError, ValueError) as e:
        raise UsageError("the file is damaged, so that its metadata cannot be left out of it") from e


def _exif(data: bytes, strip: Strip, words: PlaceWords) -> bytes:
    """EXIF data with what may stay: of all of it, an orientation that turns the picture."""
    found = exif.read(data)
    if strip is Strip.LOCATION:
        words.learn(exif.keywords(found))
        return exif.write(exif.without_place(found, words).directories)
    turn = found.orientation or 1
    return exif.write({IFD0: {ORIENTATION: Value(3, struct.pack("<H", turn))}}) if turn > 1 else b""


def _packet(data: bytes, words: PlaceWords) -> bytes:
    """XMP without the place."""
    words.learn(xmp.keywords(data))
    return xmp.kept(data, without=words)


# JPEG (ITU-T T.81, annex B)

_APP1, _APP13, _COMMENT = 0xE1, 0xED, 0xFE
_XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
_PHOTOSHOP_NAME = b"Photoshop 3.0\0"
_OF_THE_PICTURE = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""Application data that decoders need: by marker, what they begin with."""


def _jpeg(data: bytes, strip: Strip, words: PlaceWords) -> bytes:
    parts = [data[:2]]
    for marker, begin, start, end in segments(data):
        if not (0xE0 <= marker <= 0xEF or marker == _COMMENT):
            parts.append(data[begin:end])
            continue
        payload = data[start:end]
        stays = _jpeg_payload(marker, payload, strip, words)
        if stays:
            parts.append(bytes((0xFF, marker)) + (len(stays) + 2).to_bytes(2, "big") + stays)
    return b"".join(parts)


def _jpeg_payload(marker: int, payload: bytes, strip: Strip, words: PlaceWords) -> bytes:
    """What stays of an application's segment or a comment."""
    if marker == _COMMENT:
        return payload if strip is Strip.LOCATION else b""
    if marker == _APP1 and payload.startswith(exif.START):
        return _exif(payload, strip, words)
    if strip is Strip.LOCATION and marker == _APP1 and payload.startswith(_XMP_NAME):
        packet = _packet(payload[len(_XMP_NAME) :], words)
        return _XMP_NAME + packet.join(xmp.WRAPPER) if packet else b""
    if strip is Strip.LOCATION and marker == _APP13 and payload.startswith(_PHOTOSHOP_NAME):
        records = iptc.in_photoshop(payload[len(_PHOTOSHOP_NAME) :])
        words.learn(iptc.keywords(records))
        records = iptc.kept(records, without=words)
        return _PHOTOSHOP_NAME + iptc.as_photoshop(records) if records else b""
    name = _OF_THE_PICTURE.get(marker)
    return payload if name is not None and payload.startswith(name) else b""


# PNG (ISO 15948)

_PNG_XMP = b"XML:com.adobe.xmp\0"
_PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_PNG_END = b"IEND"
_PNG_OF_THE_PICTURE = frozenset({
    b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST",
    b"pHYs", b"sPLT", b"acTL", b"fcTL", b"fdAT",
})  # fmt: skip
"""Chunks that stay beside those without which no program can show it, whose first letter is a capital."""
_PNG_PLACE_NAMES = re.compile(
    rb"gps|latitude|longitude|\bgeo:|location|\b(?:city|state|province|country|region|place)\b", re.IGNORECASE
)
"""Of a text's name, as ImageMagick's "exif:GPSLatitude"."""


def _png(data: bytes, strip: Strip, words: PlaceWords) -> bytes:
    parts, place = [data[:8]], 8
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, payload = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length
        stays = _png_payload(kind, payload, strip, words)
        if stays is not None:
            body = kind + stays
            parts.append(len(stays).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big"))
        if kind == _PNG_END:
            break
    return b"".join(parts)


def _png_payload(kind: bytes, payload: bytes, strip: Strip, words: PlaceWords) -> bytes | None:
    """What stays of a chunk; None for nothing."""
    if kind == b"eXIf":
        return _exif(payload, strip, words).removeprefix(exif.START) or None
    told = kind in (*_PNG_TEXTS, b"tIME")
    if told and strip is Strip.METADATA:
        return None
    if not told and kind[:1].islower() and kind not in _PNG_OF_THE_PICTURE:
        return None
    if kind == b"iTXt" and payload.startswith(_PNG_XMP):
        packed, head = payload[len(_PNG_XMP)], len(_PNG_XMP) + 2
        text = payload[head:].split(b"\0", 2)[-1]
        packet = _packet(zlib.decompress(text) if packed else text, words)
        return _PNG_XMP + bytes(4) + packet.join(xmp.WRAPPER) if packet else None
    if kind in _PNG_TEXTS:
        name = payload.partition(b"\0")[0]
        if name.startswith(b"Raw profile type ") or _PNG_PLACE_NAMES.search(name):
            return None
    return payload


# WebP (RFC 9649)

_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04  # flags of VP8X
_WEBP_KINDS = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "})
"""Chunks that stay; others are applications'."""


def _webp(data: bytes, strip: Strip, words: PlaceWords) -> bytes:
    chunks: list[tuple[bytes, bytes]] = []
    place, end = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while place + 8 <= end:
        kind = data[place : place + 4]
        (length,) = struct.unpack_from("<I", data, place + 4)
        payload = data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
        match kind:
            case b"EXIF":
                payload = _exif(payload, strip, words).removeprefix(exif.START)
            case b"XMP ":
                packet = _packet(payload, words) if strip is Strip.LOCATION else b""
                payload = packet.join(xmp.WRAPPER) if packet else b""
        if payload and kind in _WEBP_KINDS:
            chunks.append((kind, payload))
    kinds = {kind for kind, _ in chunks}
    body = bytearray(b"WEBP")
    for kind, payload in chunks:
        if kind == b"VP8X":
            gone = (_WEBP_EXIF if b"EXIF" not in kinds else 0) | (_WEBP_XMP if b"XMP " not in kinds else 0)
            payload = bytes((payload[0] & ~gone,)) + payload[1:]
        body += kind + len(payload).to_bytes(4, "little") + payload + bytes(len(payload) % 2)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


_FORMATS: dict[str, Callable[[bytes, Strip, PlaceWords], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
}
