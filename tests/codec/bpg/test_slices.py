"""Large pictures in bands: one picture for every decoder, and none of the seams that were there while
encoding."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from dsslic_search.codec import bpg
from dsslic_search.codec.bpg import header as bpg_header
from dsslic_search.codec.bpg import slices
from dsslic_search.codec.bpg.bits import split_annexb
from dsslic_search.codec.bpg.file import _sequence
from dsslic_search.codec.bpg.x265 import PRESETS, Search
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core.errors import DSSError
from tests.pictures import sample

HEIGHT, WIDTH = 400, 104


def planes(height: int = HEIGHT, width: int = WIDTH, count: int = 3, largest: int = 1023) -> list[np.ndarray]:
    y, x = np.mgrid[:height, :width]
    rng = np.random.default_rng(4)
    waves = [0.5 + 0.4 * np.sin(x / (7 + 5 * k) + y / 19) * np.cos(y / (11 + k)) for k in range(count)]
    return [(largest * (w + rng.normal(0, 0.02, w.shape)).clip(0, 1)).astype(np.uint16) for w in waves]


def decoded(data: bytes) -> tuple[np.ndarray, ...]:
    return bpg.decode(data, max_pixels=10**6).planes


@pytest.mark.parametrize("preset", ["ultrafast", "veryfast", "slow", PRESETS[-1]])
@pytest.mark.parametrize("count", [1, 3])
def test_bands_make_one_picture(preset, count, monkeypatch):
    source = planes(count=count)
    options = {
        "qp": 30,
        "bit_depth": 10,
        "preset": preset,
        "search": Search.PHOTO if preset == "slow" else Search.PLAIN,
    }
    whole = bpg.encode_planes(source, **options)
    monkeypatch.setattr(slices, "BAND_PIXELS", HEIGHT * WIDTH // 3)
    assert len(slices.bands_of(HEIGHT, WIDTH)) == 3
    asked: list[slice] = []

    def make(rows: slice) -> list[np.ndarray]:
        asked.append(rows)
        return [plane[rows] for plane in source]

    banded = bpg.encode_rows(make, (HEIGHT, WIDTH, count), **options)
    assert asked == slices.bands_of(HEIGHT, WIDTH)
    assert banded == bpg.encode_planes(source, **options)
    assert len(banded) < 1.05 * len(whole)
    for plane, at_once, wanted in zip(decoded(banded), decoded(whole), source, strict=True):
        errors = [float(np.square(shown.astype(float) - wanted).mean()) for shown in (plane, at_once)]
        assert errors[0] < 1.05 * errors[1]
        near = [slice(band.start - 4, band.start + 4) for band in asked[1:]]
        at_seams = [
            float(np.square(shown.astype(float) - wanted)[rows].mean())
            for rows in near
            for shown in (plane, at_once)
        ]
        assert sum(at_seams[::2]) < 1.4 * sum(at_seams[1::2])


@pytest.mark.parametrize("preset", ["ultrafast", "medium"])
def test_bands_hold_what_each_was_coded_as(preset, monkeypatch):
    """Away from seams, where loop filters reach, samples are those of the band coded as a picture."""
    source = planes()
    monkeypatch.setattr(slices, "BAND_PIXELS", HEIGHT * WIDTH // 3)
    together = decoded(bpg.encode_planes(source, qp=34, bit_depth=10, preset=preset))
    bands = slices.bands_of(HEIGHT, WIDTH)
    monkeypatch.setattr(slices, "BAND_PIXELS", 10**9)
    for rows in bands:
        alone = decoded(
            bpg.encode_planes([plane[rows] for plane in source], qp=34, bit_depth=10, preset=preset)
        )
        for plane, part in zip(together, alone, strict=True):
            inside = slice(8, part.shape[0] - 8)
            assert np.array_equal(plane[rows][inside], part[inside])


def test_lossless_bands_are_exact(monkeypatch):
    alpha = planes(count=1, largest=255)[0].astype(np.uint8)
    monkeypatch.setattr(slices, "BAND_PIXELS", 10_000)
    shown = decoded(bpg.encode(alpha, qp=0, lossless=True))
    assert np.array_equal(shown[0], alpha)


@pytest.mark.parametrize(
    "size", [(1, 1), (127, 10**8), (129, 10**7), (5774, 8662), (20_000, 20_000), (10**6, 64)]
)
def test_bands_cover_the_picture(size):
    bands = slices.bands_of(*size)
    assert bands[0].start == 0
    assert bands[-1].stop == size[0]
    for one, other in pairwise(bands):
        assert one.stop == other.start
        assert one.stop % 64 == 0
    assert len(bands) == 1 or min(band.stop - band.start for band in bands) >= 64
    assert (
        len(bands) == 1
        or max(band.stop - band.start for band in bands) * size[1] < 2.2 * slices.BAND_PIXELS
        or size[0] < 256
    )


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("importance", [(), ((0, 4.0),)])
def test_a_large_photo_goes_through_in_bands(grey, importance, monkeypatch):
    pixels = sample("dogs.jpg", 240, grey).pixels
    photo = SourcePhoto(pixels, grey=grey, alpha=pixels[..., 1].copy())
    options = EncodeOptions(60, effort=2, importance=importance)
    whole = decode_stage(encode_photo(photo, options).data).pixels
    monkeypatch.setattr(slices, "BAND_PIXELS", 12_000)
    shown = decode_stage(encode_photo(photo, options).data)
    assert np.array_equal(shown.alpha, photo.alpha)
    wanted = pixels[..., 0] if grey else pixels
    errors = [float(np.square(made.astype(float) - wanted).mean()) for made in (shown.pixels, whole)]
    assert errors[0] < 1.05 * errors[1]


def test_what_is_no_whole_picture_cannot_be_placed():
    data = bpg.encode_planes(planes(64, 64), qp=30, bit_depth=10, preset="ultrafast")
    header, body = bpg_header.read_header(data)
    tools, body = bpg_header.read_tools(body)
    units = split_annexb(b"\0\0\1" + body)
    sequence = replace(_sequence(header, 16), tools=tools)
    assert slices.placed(units[1], units[0], sequence, 0)[:2] == units[1][:2]
    for unit in (b"\x26\x01" + bytes(40), b"\x02\x01" + units[1][2:]):
        with pytest.raises(DSSError):
            slices.placed(unit, units[0], sequence, 0)
