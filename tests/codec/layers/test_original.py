from __future__ import annotations

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

from dsslic_search.codec.layers import original as exact
from dsslic_search.core.errors import FormatError

SAMPLE = Path(__file__).parents[3] / "samples" / "dogs.jpg"


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    picture = Image.open(SAMPLE).resize((160, 240)).convert(mode)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", **{"quality": 90, **options})
    return buffer.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Acme"
    exif[ExifTags.Base.Orientation] = 6
    return jpeg(
        exif=exif,
        comment=b"hello",
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    )


JPEGS = {
    "baseline": jpeg,
    "progressive": lambda: jpeg(progressive=True),
    "4:2:0": lambda: jpeg(subsampling=2),
    "4:4:4": lambda: jpeg(subsampling=0),
    "grey": lambda: jpeg("L"),
    "restart markers": lambda: jpeg(restart_marker_rows=1),
    "metadata": with_exif,
    "trailing garbage": lambda: jpeg() + b"garbage \x00\xff\xd9 and more",
    "camera sized": SAMPLE.read_bytes,
}


@pytest.mark.parametrize("make", JPEGS.values(), ids=JPEGS)
def test_jpeg_files_get_smaller_and_come_back_bit_for_bit(make):
    original = make()
    codec, data = exact.pack(original)
    assert codec == exact.JPEG_XL
    assert len(data) < len(original)
    assert exact.unpack(codec, data, len(original)) == original
    assert exact.unpack(codec, data, exact.max_unpacked(data)) == original


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.95])
def test_truncated_jpeg_files_come_back_too(kept):
    whole = jpeg()
    original = whole[: int(len(whole) * kept)]
    codec, data = exact.pack(original)
    assert exact.unpack(codec, data, len(original)) == original


@pytest.mark.parametrize(
    "original", [jpeg("CMYK"), jpeg(icc_profile=b"not really a profile" * 20)], ids=["CMYK", "broken profile"]
)
def test_what_jpeg_xl_cannot_hold_comes_back(original):
    assert exact.pack(original)[0] == exact.STORED
    assert exact.unpack(*exact.pack(original), len(original)) == original


@given(st.binary(max_size=2000), st.booleans())
def test_anything_comes_back(body, marked):
    original = (b"\xff\xd8\xff" if marked else b"") + body
    codec, data = exact.pack(original)
    assert exact.unpack(codec, data, len(original)) == original
    assert len(data) <= len(original)


def test_other_formats_are_stored_as_they_are():
    buffer = io.BytesIO()
    Image.open(SAMPLE).resize((50, 50)).save(buffer, "PNG")
    assert exact.pack(buffer.getvalue()) == (exact.STORED, buffer.getvalue())
    assert exact.pack(b"") == (exact.STORED, b"")


def test_a_transcoding_that_does_not_restore_the_file_is_not_trusted(monkeypatch):
    original = jpeg()
    monkeypatch.setattr(imagecodecs, "jpegxl_decode_jpeg", lambda *_, **__: original[:-1] + b"\x00")
    assert exact.pack(original) == (exact.STORED, original)


def test_files_that_would_unpack_too_much_are_stored():
    original = jpeg() + bytes(2 * exact.FREE_BYTES)
    assert exact.pack(original) == (exact.STORED, original)


def test_unpacking_is_bounded():
    original = jpeg()
    codec, data = exact.pack(original)
    with pytest.raises(FormatError, match="more than"):
        exact.unpack(codec, data, len(original) - 1)
    with pytest.raises(FormatError, match="more than"):
        exact.unpack(exact.STORED, original, len(original) - 1)


def test_a_picture_that_cannot_be_so_small_is_refused_by_its_header():
    grey = np.zeros((3000, 3000), np.uint8)
    data = bytes(imagecodecs.jpegxl_encode(grey, lossless=True, effort=1, usecontainer=True))
    with pytest.raises(FormatError, match="3000×3000"):
        exact.unpack(exact.JPEG_XL, data, 1000)
    with pytest.raises(FormatError):  # holds no JPEG file
        exact.unpack(exact.JPEG_XL, data, 100_000)


def test_unknown_codecs_are_refused():
    with pytest.raises(FormatError, match="codec 7"):
        exact.unpack(7, b"abc", 100)


def test_damage_is_refused_or_changes_the_file():
    original = jpeg()
    _, data = exact.pack(original)
    random = np.random.default_rng(4)
    for length in random.integers(0, len(data), 25):
        with pytest.raises(FormatError):
            exact.unpack(exact.JPEG_XL, data[:length], len(original))
    for _ in range(40):
        bad = bytearray(data)
        bad[random.integers(len(bad))] ^= 1 << random.integers(8)
        try:
            assert len(exact.unpack(exact.JPEG_XL, bytes(bad), 2 * len(original))) <= 2 * len(original)
        except FormatError:
            continue
