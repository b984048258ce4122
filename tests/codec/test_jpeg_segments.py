"""Where the segments of a JPEG file stand, and where its first picture ends."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsslic_search.codec.jpeg_segments import MAX_SEGMENTS, end_of_picture, segments


def picture(**options: object) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((70, 50), 60).convert("RGB").save(file, "JPEG", **options)
    return file.getvalue()


THUMBNAIL = b"Exif\0\0" + picture(quality=30)


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"exif": THUMBNAIL}, {"comment": b"\xff\xd9"}],
)
@pytest.mark.parametrize("tail", [b"", b"\xff\xd9", b"\xff\xda\0\x08", b"\xff\xd8\xff\xe0", bytes(1000)])
def test_a_picture_ends_at_its_own_end_marker(options: dict[str, object], tail: bytes) -> None:
    data = picture(**options)
    assert end_of_picture(data + tail) == len(data)


def test_segments_follow_each_other_without_gaps() -> None:
    data = picture(progressive=True, exif=THUMBNAIL)
    found = list(segments(data))
    assert [s.begin for s in found] == [2, *(s.end for s in found[:-1])]
    assert found[-1].end == len(data)
    assert [s.marker for s in found].count(0xDA) > 3


def test_filling_before_a_marker_is_none() -> None:
    data = picture()
    first, *_ = segments(data)
    filled = data[: first.end] + b"\xff" * 5 + data[first.end : -2] + b"\xff" * 3 + data[-2:]
    assert end_of_picture(filled) == len(filled)


@pytest.mark.parametrize("missing", [1, 2, 10])
def test_a_picture_without_its_end_has_none(missing: int) -> None:
    assert end_of_picture(picture()[:-missing]) is None


def test_what_no_picture_holds_ends_the_walk() -> None:
    assert end_of_picture(b"\xff\xd8" + b"\xff\xe0\0\2" * (MAX_SEGMENTS + 1) + b"\xff\xd9") is None
    assert end_of_picture(b"\xff\xd8\xff\xe0\0\1\xff\xd9") is None
    assert end_of_picture(b"\xff\xd8 \xff\xd9") is None
    assert end_of_picture(b"\xff\xd8" + b"\xff" * 1_000_000) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_walked(body: bytes) -> None:
    data = b"\xff\xd8\xff" + body
    end = end_of_picture(data)
    assert end is None or (data[end - 1] == 0xD9 and end <= len(data))
