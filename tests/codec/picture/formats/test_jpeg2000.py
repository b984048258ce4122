"""What the boxes of JPEG 2000 files say."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from dsslic_search.codec.picture.open import open_photo

COLOURS = (
    np.array([[[200, 100, 50], [8, 16, 24]], [[0, 255, 128], [90, 60, 30]]], np.uint8)
    .repeat(8, 0)
    .repeat(8, 1)
)
OPACITY = np.full(COLOURS.shape[:2], 255, np.uint8)
OPACITY[:4] = 128


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def coded(channels: np.ndarray) -> bytes:
    """A lossless file with four channels, the last of which is said to be opacity."""
    file = BytesIO()
    Image.fromarray(channels, "RGBA").save(file, "JPEG2000")
    return file.getvalue()


def defined(data: bytes, *channels: tuple[int, int, int]) -> bytes:
    """The same file with other definitions: of each channel its number, kind, and the colour it is of."""
    at = data.index(b"cdef")
    body = struct.pack(">H", len(channels)) + b"".join(struct.pack(">3H", *each) for each in channels)
    return data[: at - 4] + box(b"cdef", body) + data[at + 4 + len(body) :]


RGB = (0, 0, 1), (1, 0, 2), (2, 0, 3)


def test_colours_multiplied_by_their_opacity_are_divided_again() -> None:
    multiplied = np.rint(COLOURS * (OPACITY[..., None] / 255)).astype(np.uint8)
    photo = open_photo(defined(coded(np.dstack([multiplied, OPACITY])), *RGB, (3, 2, 0)), "x", 1000)
    # half of a level, twice as large after the division
    assert np.abs(photo.pixels.astype(int) - COLOURS).max() <= 1
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, OPACITY)


def test_a_channel_that_is_no_opacity_is_left_out() -> None:
    photo = open_photo(defined(coded(np.dstack([COLOURS, OPACITY])), *RGB, (3, 65535, 65535)), "x", 1000)
    np.testing.assert_array_equal(photo.pixels, COLOURS)
    assert photo.alpha is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [("be7acfcb97a942e89c71999491e3afac", "xmp"), ("33c7a4d2b81d4723a0baf1a3e097ad38", "iptc")],
)
def test_metadata_stand_in_boxes(number: str, kind: str) -> None:
    data = coded(np.dstack([COLOURS, OPACITY])) + box(b"uuid", bytes.fromhex(number) + b"metadata")
    assert getattr(open_photo(data, "x", 1000).embedded, kind) == b"metadata"
