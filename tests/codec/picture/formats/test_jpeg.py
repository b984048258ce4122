"""JPEG: what lacks only its end is read, what lacks pixels is not."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.codec.picture.formats import jpeg
from dsslic_search.codec.picture.open import open_photo
from dsslic_search.core.errors import PhotoError

SAMPLES = Path(__file__).parents[4] / "samples"


@pytest.fixture(scope="module", params=["4:4:4", "4:2:0", "grey"])
def whole(request: pytest.FixtureRequest) -> bytes:
    buffer = io.BytesIO()
    with Image.open(SAMPLES / "wine.jpg") as photo:
        small = photo.resize((117, 83))
        if request.param == "grey":
            small.convert("L").save(buffer, "JPEG", quality=85)
        else:
            small.save(buffer, "JPEG", quality=85, subsampling=request.param)
    return buffer.getvalue()


@pytest.mark.parametrize("missing", [1, 2])
def test_a_file_without_its_end_marker_is_whole(whole: bytes, missing: int) -> None:
    photo = open_photo(whole[:-missing], "x", 10_000)
    assert np.array_equal(photo.pixels, open_photo(whole, "x", 10_000).pixels)
    assert photo.remarks == ("its end marker is missing; every pixel is there",)


@pytest.mark.parametrize("missing", [*range(3, 12), 20, 200, 1000])
def test_a_file_without_its_last_pixels_is_not(whole: bytes, missing: int) -> None:
    assert not jpeg.lacks_only_its_end(whole[:-missing])
    with pytest.raises(PhotoError, match="damaged or cut short"):
        open_photo(whole[:-missing], "x", 10_000)


def test_frames() -> None:
    data = (Path(__file__).parents[3] / "data" / "pictures" / "bits12.jpg").read_bytes()
    assert jpeg.frame_of(data) == jpeg.Frame(0xC1, 12, 64, 96, 3)
    assert jpeg.frame_of(b"\xff\xd8\xff\xd9") is None


@pytest.mark.parametrize("shrink", [2, 4, 8])
def test_a_shrunk_picture_is_the_same_picture(whole: bytes, shrink: int) -> None:
    full = open_photo(whole, "x", 10_000)
    small = open_photo(whole, "x", 10_000, shrink=shrink)
    assert small.pixels.shape[:2] == (-(-full.height // shrink), -(-full.width // shrink))
    reduced = Image.fromarray(full.pixels).reduce(shrink)
    assert np.abs(np.asarray(reduced).astype(int) - small.pixels).mean() < 6


def test_hierarchical_files_are_named() -> None:
    data = bytearray((Path(__file__).parents[3] / "data" / "pictures" / "arithmetic.jpg").read_bytes())
    at = data.index(b"\xff\xc9")
    data[at + 1] = 0xC5
    with pytest.raises(PhotoError, match="hierarchical"):
        open_photo(bytes(data), "x", 10_000)
