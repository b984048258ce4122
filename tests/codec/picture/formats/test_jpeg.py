"""JPEG: what lacks only its end is read, what lacks pixels is not."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsslic_search.codec.jpeg_segments import START_OF_SCAN, Segment, segments
from dsslic_search.codec.picture.formats import jpeg
from dsslic_search.codec.picture.open import open_photo
from dsslic_search.core.errors import PhotoError

SAMPLES = Path(__file__).parents[4] / "samples"


@pytest.fixture(scope="module", params=["4:4:4", "4:2:0", "grey", "progressive", "progressive grey"])
def whole(request: pytest.FixtureRequest) -> bytes:
    buffer = io.BytesIO()
    with Image.open(SAMPLES / "wine.jpg") as photo:
        small = photo.resize((117, 83))
        if "grey" in request.param:
            small.convert("L").save(buffer, "JPEG", quality=85, progressive=request.param != "grey")
        elif request.param == "progressive":
            small.save(buffer, "JPEG", quality=85, progressive=True)
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


def scans(data: bytes) -> list[Segment]:
    return [segment for segment in segments(data) if segment.marker == START_OF_SCAN]


def test_a_file_that_ends_behind_one_of_its_scans_is_not_whole(whole: bytes) -> None:
    *early, last = scans(whole)
    for scan in early:
        for cut in (whole[: scan.end], whole[: scan.end + 1], whole[: scan.end + 4]):
            assert not jpeg.lacks_only_its_end(cut)
            with pytest.raises(PhotoError, match="damaged or cut short"):
                open_photo(cut, "x", 10_000)
    assert open_photo(whole[: last.end], "x", 10_000).remarks
    assert len(early) > 3 or b"\xff\xc2" not in whole


def test_a_progressive_file_that_was_ended_early_says_so(whole: bytes) -> None:
    """Its end marker says that it is whole; its scans say of what."""
    for scan in scans(whole)[:-1]:
        photo = open_photo(whole[: scan.end] + b"\xff\xd9", "x", 10_000)
        assert photo.remarks == ("its last scans are missing, which makes it coarser than it was",)
    assert open_photo(whole, "x", 10_000).remarks == ()


def test_colours_in_scans_of_their_own_are_all_needed() -> None:
    """As jpegtran -scans writes them: three scans of one component each, put together here of one file's
    planes as three grey files have them."""
    rgb = np.full((16, 16), 100, np.uint8), np.full((16, 16), 140, np.uint8), np.full((16, 16), 90, np.uint8)
    files = []
    for plane in rgb:
        buffer = io.BytesIO()
        Image.fromarray(plane).save(buffer, "JPEG", quality=90)
        files.append(buffer.getvalue())
    parts = {s.marker: files[0][s.begin : s.end] for s in segments(files[0]) if s.marker not in (0xC4, 0xDA)}
    tables = b"".join(files[0][s.begin : s.end] for s in segments(files[0]) if s.marker == 0xC4)
    frame = parts[0xC0][:9] + b"\3" + b"".join(bytes((i, 0x11, 0)) for i in (1, 2, 3))
    frame = frame[:2] + (len(frame) - 2).to_bytes(2, "big") + frame[4:]
    data = b"\xff\xd8" + parts[0xE0] + parts[0xDB] + frame + tables
    for number, file in enumerate(files, 1):
        (scan,) = scans(file)
        header = bytearray(file[scan.begin : scan.end])
        header[5] = number
        data += header
    whole = open_photo(data + b"\xff\xd9", "x", 1000)
    assert np.ptp(whole.pixels[0, 0]) > 10
    assert np.array_equal(open_photo(data, "x", 1000).pixels, whole.pixels)
    for scan in scans(data)[:-1]:
        assert not jpeg.lacks_only_its_end(data[: scan.end])
        with pytest.raises(PhotoError):
            open_photo(data[: scan.end], "x", 1000)


@pytest.mark.parametrize("missing", [1, 2, 3, 4, 7, 20])
def test_arithmetic_coding_without_its_end(missing: int) -> None:
    data = (Path(__file__).parents[3] / "data" / "pictures" / "arithmetic.jpg").read_bytes()
    assert data.endswith(b"\xff\xd9")
    if missing < 3:
        photo = open_photo(data[:-missing], "x", 10_000)
        assert np.array_equal(photo.pixels, open_photo(data, "x", 10_000).pixels)
        assert photo.remarks == ("its end marker is missing; every pixel is there",)
    else:
        with pytest.raises(PhotoError, match="damaged or cut short"):
            open_photo(data[:-missing], "x", 10_000)


@given(st.binary(max_size=120))
def test_any_scans_are_every_one_or_not(body: bytes) -> None:
    for start in (b"", b"\xff\xc2\0\x0b\x08\0\x10\0\x10\1\1\x11\0", b"\xff\xda\0\x08\1\1\0\0"):
        assert jpeg.has_every_scan(b"\xff\xd8" + start + body) in (False, True)


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


@pytest.mark.parametrize("marked", [True, False], ids=["with Adobe's marker", "without"])
def test_ink_is_inverted_with_and_without_adobes_marker(marked: bool) -> None:
    """As djpeg, ImageMagick and Pillow have it: no program is known that writes other ink into JPEG."""
    inks = np.array([[0, 0, 0, 0], [255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0], [0, 0, 0, 255]], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.repeat(np.repeat(inks[None], 32, 0), 32, 1), "CMYK").save(buffer, "JPEG", quality=100)
    data = buffer.getvalue()
    (adobe,) = (segment for segment in segments(data) if segment.marker == 0xEE)
    photo = open_photo(data if marked else data[: adobe.begin] + data[adobe.end :], "x", 10_000)
    colours = [[255, 255, 255], [0, 255, 255], [255, 0, 255], [255, 255, 0], [0, 0, 0]]
    assert np.abs(photo.pixels[16, 16::32].astype(int) - colours).max() <= 2
