from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dsslic_search.codec import jpeg_xl, label_map
from dsslic_search.errors import FormatError

sides = st.integers(1, 40)


def patches(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A map of rectangles, as label maps are: large areas of few classes."""
    random = np.random.default_rng(seed)
    labels = np.zeros((height, width), np.uint8)
    for _ in range(12):
        y, x = random.integers(0, height), random.integers(0, width)
        labels[y : y + height // 3 + 1, x : x + width // 3 + 1] = random.integers(0, 51)
    return labels


@settings(deadline=None, max_examples=60)
@given(arrays.arrays(np.uint8, st.tuples(sides, sides), elements=st.integers(0, 255)))
def test_any_map_comes_back(labels):
    data = label_map.encode(labels)
    assert np.array_equal(label_map.decode(data, *labels.shape), labels)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (1, 5000), (5000, 1), (3, 3), (255, 257), (256, 256), (480, 640), (513, 1025)])
def test_sizes(shape):
    labels = patches(*shape)
    data = label_map.encode(labels)
    assert np.array_equal(label_map.decode(data, *shape), labels)


def test_maps_of_areas_are_small():
    assert len(label_map.encode(patches(480, 640))) < 1000
    assert len(label_map.encode(np.zeros((480, 640), np.uint8))) < 100


def test_views_that_are_not_contiguous():
    labels = patches(60, 80)[::2, ::-3]
    assert np.array_equal(label_map.decode(label_map.encode(labels), *labels.shape), labels)


@pytest.mark.parametrize("wrong", [np.zeros((0, 4), np.uint8), np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4), np.int64)])
def test_what_is_no_label_map_is_refused(wrong):
    with pytest.raises(ValueError, match="uint8"):
        label_map.encode(wrong)


@given(st.integers(1, 1 << 20), st.integers(1, 1 << 20))
def test_another_size_is_refused_before_decoding(height, width):
    data = label_map.encode(np.zeros((5, 9), np.uint8))
    if (height, width) != (5, 9):
        with pytest.raises(FormatError, match="9×5"):
            label_map.decode(data, height, width)


def bits_of(fields: list[tuple[int, int]]) -> bytes:
    """(value, bits) fields, least significant bit first, after the codestream's mark."""
    value = at = 0
    for field, count in fields:
        value |= field << at
        at += count
    return jpeg_xl.CODESTREAM + value.to_bytes(at // 8 + 8, "little")


def test_a_huge_size_in_a_few_bytes_is_refused():
    side = (1 << 30) - 1
    data = bits_of([(0, 1), (3, 2), (side, 30), (1, 3)])
    assert jpeg_xl.read_header(data).width == 1 << 30
    with pytest.raises(FormatError, match="1073741824×1073741824"):
        label_map.decode(data, 10, 10)


@pytest.mark.parametrize(
    ("ratio", "width"), [(1, 240), (2, 288), (3, 320), (4, 360), (5, 426), (6, 300), (7, 480)]
)  # of a height of 240, from the standard's table of ratios
def test_ratios_of_sides(ratio, width):
    header = jpeg_xl.read_header(bits_of([(0, 1), (0, 2), (239, 9), (ratio, 3)]))
    assert (header.height, header.width) == (240, width)


@pytest.mark.parametrize("shape", [(8, 8), (16, 24), (256, 8), (9, 8), (400, 600), (600, 400), (1, 513), (8193, 2), (300, 300), (240, 426)])
def test_header_sizes_are_those_of_the_encoder(shape):
    data = imagecodecs.jpegxl_encode(np.zeros(shape, np.uint8), lossless=True, effort=1, usecontainer=False)
    header = jpeg_xl.read_header(data)
    assert (header.height, header.width, header.plain_grey) == (*shape, True)


def test_other_kinds_of_jpeg_xl_are_refused():
    grey, colour = np.zeros((16, 16), np.uint8), np.zeros((16, 16, 3), np.uint8)
    others = [
        imagecodecs.jpegxl_encode(colour, lossless=True),
        imagecodecs.jpegxl_encode(colour, distance=1.0),
        imagecodecs.jpegxl_encode(grey, distance=1.0),
        imagecodecs.jpegxl_encode(grey.astype(np.uint16), lossless=True),
        imagecodecs.jpegxl_encode(np.zeros((16, 16, 2), np.uint8), lossless=True),
        imagecodecs.jpegxl_encode(np.zeros((3, 16, 16), np.uint8), lossless=True, photometric="gray"),
        imagecodecs.jpegxl_encode(grey, lossless=True, usecontainer=True),
    ]
    for data in others:
        with pytest.raises(FormatError):
            label_map.decode(bytes(data), 16, 16)


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\x0a", b"\xff\x0a\x00", b"\x89PNG\r\n\x1a\n", b"\0" * 100])
def test_what_is_no_codestream_is_refused(data):
    with pytest.raises(FormatError):
        label_map.decode(data, 1, 1)


def test_every_prefix_is_refused():
    data = label_map.encode(patches(48, 64, seed=3))
    for length in range(len(data)):
        with pytest.raises(FormatError):
            label_map.decode(data[:length], 48, 64)


def test_damage_is_refused_or_decodes_to_some_map_of_the_size():
    data = label_map.encode(patches(48, 64, seed=3))
    random = np.random.default_rng(2)
    for _ in range(300):
        bad = bytearray(data)
        bad[random.integers(len(bad))] ^= 1 << random.integers(8)
        try:
            decoded = label_map.decode(bytes(bad), 48, 64)
        except FormatError:
            continue
        assert decoded.shape == (48, 64)
        assert decoded.dtype == np.uint8
