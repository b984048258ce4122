"""Files are known by how they begin."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsslic_search.codec.picture.formats.signature import kind_of
from dsslic_search.codec.picture.open import open_photo
from dsslic_search.core.errors import PhotoError

PICTURES = Path(__file__).parents[3] / "data" / "pictures"
KINDS = {
    ".avif": "AVIF",
    ".heic": "HEIF",
    ".j2k": "JPEG2000",
    ".jp2": "JPEG2000",
    ".jpg": "JPEG",
    ".jxl": "JPEGXL",
    ".png": "PNG",
    ".tif": "TIFF",
}


@pytest.mark.parametrize("path", [p for p in PICTURES.iterdir() if p.suffix in KINDS], ids=lambda p: p.name)
def test_pictures_are_what_their_names_say(path: Path) -> None:
    assert kind_of(path.read_bytes()) == KINDS[path.suffix]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "BMP", "PPM"])
def test_what_pillow_writes_is_known(kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (5, 4), "red").save(buffer, kind)
    assert kind_of(buffer.getvalue()) == kind


def box(brand: bytes, *more: bytes) -> bytes:
    body = b"ftyp" + brand + bytes(4) + b"".join(more)
    return (4 + len(body)).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"8BPS\0\1", "PSD"),
        (b"%PDF-1.7\n", "PDF"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x">', "SVG"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"II*\0\x10\0\0\0CR\x02\0", "CR2"),
        (b"II\x1a\0\0\0HEAPCCDR\x02\0", "CRW"),
        (box(b"crx ", b"isom"), "CR3"),
        (box(b"isom", b"mp41", b"avc1"), "video"),
        (box(b"qt  "), "video"),
        (box(b"mif1", b"heic"), "HEIF"),
        (box(b"mif1", b"avif"), "AVIF"),
        (b"\x1aE\xdf\xa3\x01", "video"),
        (b"", None),
        (b"hello, world", None),
        (b"BM and more words than a header has", None),
        (b"P1ease read", None),
    ],
)
def test_others_have_their_names(start: bytes, kind: str | None) -> None:
    assert kind_of(start) == kind


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (b"8BPS\0\1" + bytes(40), "x: PSD files cannot be read here; convert it to one of JPEG, PNG,"),
        (box(b"isom", b"mp41"), "x: a video, not a photo; ingest takes frames of it with"),
        (b"hello, world", "x: not a picture; formats that can be read are JPEG, PNG,"),
    ],
)
def test_what_cannot_be_read_and_what_is_no_picture_are_told_apart(start: bytes, says: str) -> None:
    with pytest.raises(PhotoError) as raised:
        open_photo(start, "x", 1000)
    assert str(raised.value).startswith(says)


@given(st.binary(max_size=300))
def test_any_bytes_have_a_kind_or_none(data: bytes) -> None:
    assert kind_of(data) is None or isinstance(kind_of(data), str)
