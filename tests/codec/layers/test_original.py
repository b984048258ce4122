from __future__ import annotations

import hashlib
import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

from dsslic_search.codec.layers import original
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
    source = make()
    codec, data = original.pack(source)
    assert codec == original.JPEG_XL
    assert len(data) < len(source)
    assert original.unpack(codec, data, len(source)) == source
    assert original.unpack(codec, data, original.max_unpacked(data)) == source


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.95])
def test_truncated_jpeg_files_come_back_too(kept):
    whole = jpeg()
    source = whole[: int(len(whole) * kept)]
    codec, data = original.pack(source)
    assert original.unpack(codec, data, len(source)) == source


@pytest.mark.parametrize(
    "source", [jpeg("CMYK"), jpeg(icc_profile=b"not really a profile" * 20)], ids=["CMYK", "broken profile"]
)
def test_what_jpeg_xl_cannot_hold_comes_back(source):
    assert original.pack(source)[0] == original.STORED
    assert original.unpack(*original.pack(source), len(source)) == source


@given(st.binary(max_size=2000), st.booleans())
def test_anything_comes_back(body, marked):
    source = (b"\xff\xd8\xff" if marked else b"") + body
    codec, data = original.pack(source)
    assert original.unpack(codec, data, len(source)) == source
    assert len(data) <= len(source)


def test_other_formats_are_stored_as_they_are():
    buffer = io.BytesIO()
    Image.open(SAMPLE).resize((50, 50)).save(buffer, "PNG")
    assert original.pack(buffer.getvalue()) == (original.STORED, buffer.getvalue())
    assert original.pack(b"") == (original.STORED, b"")


def test_a_transcoding_that_does_not_restore_the_file_is_not_trusted(monkeypatch):
    source = jpeg()
    monkeypatch.setattr(imagecodecs, "jpegxl_decode_jpeg", lambda *_, **__: source[:-1] + b"\x00")
    assert original.pack(source) == (original.STORED, source)


LIBJXL_TAIL_BYTES = 4_260_096
"""What libjxl takes behind a picture."""


def second_picture() -> bytes:
    """As a gain map stands behind its picture, with a thumbnail of its own."""
    return jpeg(exif=with_exif()[24:200])


TAILS = {
    "the most that libjxl takes": lambda: np.random.default_rng(1).bytes(LIBJXL_TAIL_BYTES),
    "one byte more": lambda: np.random.default_rng(1).bytes(LIBJXL_TAIL_BYTES + 1),
    "the most, of zeros": lambda: bytes(LIBJXL_TAIL_BYTES),
    "one zero more": lambda: bytes(LIBJXL_TAIL_BYTES + 1),
    "zeros": lambda: bytes(2 * original.ALWAYS_ALLOWED_BYTES),
    "a small clip": lambda: np.random.default_rng(2).bytes(3000),
    "end markers": lambda: b"\xff\xd9" * (LIBJXL_TAIL_BYTES // 2 + 1),
    "an end marker in it": lambda: b"\xff\xd9".join([np.random.default_rng(3).bytes(LIBJXL_TAIL_BYTES)] * 2),
    "another picture": second_picture,
    "other pictures and a clip": lambda: second_picture() * 2 + np.random.default_rng(4).bytes(5_000_000),
    "a byte": lambda: b"\0",
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("make", TAILS.values(), ids=TAILS)
@pytest.mark.parametrize("progressive", [False, True])
def test_a_picture_is_packed_whatever_stands_behind_it(make, progressive):
    picture, tail = jpeg(progressive=progressive), make()
    source, alone = picture + tail, len(original.pack(picture)[1])
    codec, data = original.pack(source)
    assert codec in (original.JPEG_XL, original.JPEG_XL_AND_TAIL)
    assert len(data) <= alone + len(tail) + 16
    assert original.unpack(codec, data, len(source)) == source
    assert original.unpack(codec, data, original.max_unpacked(data)) == source
    hashed = original.encode_hash(source)
    assert original.encode_hash(source, hashlib.sha256(source).hexdigest()) == hashed
    assert original.decode(original.LAYER.chunk(codec, data), hashed) == source


def test_a_long_tail_stands_beside_the_packed_picture_as_it_is():
    tail = np.random.default_rng(1).bytes(LIBJXL_TAIL_BYTES + 1)
    packed = original.pack(jpeg())[1]
    assert original.pack(jpeg() + tail) == (
        original.JPEG_XL_AND_TAIL,
        len(packed).to_bytes(4, "little") + packed + tail,
    )


def test_a_picture_without_its_end_is_stored_with_what_stands_behind():
    for source in (jpeg()[:-2], jpeg()[:-2] + bytes(LIBJXL_TAIL_BYTES + 1)):
        assert original.pack(source) == (original.STORED, source)


def test_files_of_codec_2_of_yesterday_unpack_the_same_today():
    folder = Path(__file__).parents[2] / "data" / "originals"
    packed, source = (folder / "tail.codec2").read_bytes(), (folder / "tail.jpg").read_bytes()
    assert original.unpack(original.JPEG_XL_AND_TAIL, packed, len(source)) == source


def test_lengths_of_codec_2_that_cannot_be_are_refused():
    picture, tail = original.pack(jpeg())[1], b"a clip"
    good = len(picture).to_bytes(4, "little") + picture + tail
    most = len(jpeg()) + len(tail)
    assert original.unpack(original.JPEG_XL_AND_TAIL, good, most) == jpeg() + tail
    for bad in (b"", good[:3], good[:4], b"\xff" * 4 + good[4:], bytes(4) + good[4:], good[: len(picture)]):
        with pytest.raises(FormatError):
            original.unpack(original.JPEG_XL_AND_TAIL, bad, most)
    for allowed in (0, len(tail), most - 1):
        with pytest.raises(FormatError, match="more than"):
            original.unpack(original.JPEG_XL_AND_TAIL, good, allowed)


def test_unpacking_is_bounded():
    source = jpeg()
    codec, data = original.pack(source)
    with pytest.raises(FormatError, match="more than"):
        original.unpack(codec, data, len(source) - 1)
    with pytest.raises(FormatError, match="more than"):
        original.unpack(original.STORED, source, len(source) - 1)


def test_a_picture_that_cannot_be_so_small_is_refused_by_its_header():
    grey = np.zeros((3000, 3000), np.uint8)
    data = bytes(imagecodecs.jpegxl_encode(grey, lossless=True, effort=1, usecontainer=True))
    with pytest.raises(FormatError, match="3000×3000"):
        original.unpack(original.JPEG_XL, data, 1000)
    with pytest.raises(FormatError):  # holds no JPEG file
        original.unpack(original.JPEG_XL, data, 100_000)


def test_unknown_codecs_are_refused():
    with pytest.raises(FormatError, match="codec 7"):
        original.unpack(7, b"abc", 100)


def test_damage_is_refused_or_changes_the_file():
    source = jpeg()
    _, data = original.pack(source)
    random = np.random.default_rng(4)
    for length in random.integers(0, len(data), 25):
        with pytest.raises(FormatError):
            original.unpack(original.JPEG_XL, data[:length], len(source))
    before_tail = len(data).to_bytes(4, "little") + data + b"a clip"
    for codec, good in ((original.JPEG_XL, data), (original.JPEG_XL_AND_TAIL, before_tail)):
        for _ in range(40):
            bad = bytearray(good)
            bad[random.integers(len(bad))] ^= 1 << random.integers(8)
            try:
                assert len(original.unpack(codec, bytes(bad), 2 * len(source))) <= 2 * len(source)
            except FormatError:
                continue
