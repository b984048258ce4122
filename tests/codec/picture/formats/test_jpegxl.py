"""JPEG XL: what its boxes say beside the codestream."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from imagecodecs import jpegxl_encode_jpeg
from PIL import Image

from dsslic_search.codec.picture.open import open_photo
from tests.codec.picture.test_open import linear_profile

PICTURES = Path(__file__).parents[3] / "data" / "pictures"
UNREAD = "its colour profile cannot be read and counts as sRGB"


def packed(pixels: np.ndarray) -> tuple[bytes, bytes]:
    """A JPEG file with a profile, and the same as JPEG XL, from which it can be had again."""
    file = io.BytesIO()
    picture = Image.fromarray(pixels)
    picture.save(file, "JPEG", quality=95, subsampling=0, icc_profile=linear_profile())
    return file.getvalue(), bytes(jpegxl_encode_jpeg(file.getvalue(), usecontainer=True))


def test_the_profile_of_a_packed_jpeg_counts() -> None:
    y, x = np.mgrid[:32, :48]
    jpeg, jxl = packed(np.stack([60 + x * 4, 60 + y * 6, 250 - x * 4], -1).astype(np.uint8))
    wanted, photo = open_photo(jpeg, "x", 10_000), open_photo(jxl, "x", 10_000)
    assert photo.format == "JPEGXL"
    assert photo.profile == wanted.profile
    assert UNREAD not in photo.remarks
    assert np.abs(photo.pixels.astype(int) - wanted.pixels).max() <= 5
    assert np.abs(photo.pixels.astype(int) - wanted.pixels).mean() < 0.7
    alone = open_photo(jxl.replace(b"jbrd", b"skip"), "x", 10_000)  # the codestream has it, too
    assert UNREAD not in alone.remarks
    assert np.array_equal(alone.pixels, photo.pixels)


def test_a_gain_map_is_said() -> None:
    data = packed(np.full((8, 8, 3), 99, np.uint8))[1] + (12).to_bytes(4, "big") + b"jhgm" + bytes(4)
    assert "primary picture of a gain-map JPEGXL (HDR part not used)" in open_photo(data, "x", 100).remarks
