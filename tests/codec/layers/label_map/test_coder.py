"""The label-map coder: every map comes back, small; the bytes are the same everywhere; damage is refused or
harmless."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from dsslic_search.bench import label_map as bench
from dsslic_search.codec.layers.label_map import coder, start
from dsslic_search.core.errors import FormatError

GOLDEN = Path(__file__).parents[3] / "data" / "label_map"
HEADER = 11


def areas(height: int, width: int, classes: int = 51, seed: int = 0) -> np.ndarray:
    """Rectangles and discs of few classes, as label maps are."""
    random = np.random.default_rng(seed)
    labels = np.full((height, width), random.integers(classes), np.uint8)
    y, x = np.mgrid[:height, :width]
    for i in range(14):
        cy, cx, ry, rx = (
            random.integers(height),
            random.integers(width),
            1 + random.integers(height) // 3,
            1 + random.integers(width) // 3,
        )
        inside = (
            (y - cy) ** 2 * rx**2 + (x - cx) ** 2 * ry**2 < (rx * ry) ** 2
            if i % 2
            else (abs(y - cy) < ry) & (abs(x - cx) < rx)
        )
        labels[inside] = random.integers(classes)
    return labels


def comes_back(labels: np.ndarray) -> bytes:
    data = coder.encode(labels)
    decoded = coder.decode(data)
    assert decoded.dtype == np.uint8
    assert decoded.flags.writeable
    assert np.array_equal(decoded, labels)
    assert coder.read_size(data) == labels.shape
    assert len(data) <= labels.size + HEADER
    return data


@settings(max_examples=80)
@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.integers(0, 255))
)
def test_any_map_comes_back(labels):
    comes_back(labels)


@settings(max_examples=60)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 256), st.integers(0, 1 << 30))
def test_maps_of_areas_come_back(height, width, classes, seed):
    comes_back(areas(height, width, classes, seed))


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 256), st.integers(0, 1 << 30))
def test_noise_of_any_number_of_labels_comes_back(height, width, classes, seed):
    comes_back(np.random.default_rng(seed).integers(0, classes, (height, width), np.uint8))


@pytest.mark.parametrize(
    "shape",
    [
        (1, 1),
        (1, 2),
        (2, 1),
        (1, 4096),
        (4096, 1),
        (3, 4096),
        (4095, 2),
        (127, 129),
        (255, 257),
        (480, 640),
        (513, 1025),
    ],
)
def test_sizes(shape):
    comes_back(areas(*shape))


@pytest.mark.parametrize("side", [1, 2, 5, 64, 257])
def test_checkerboards_and_single_labels(side):
    board = (np.add.outer(np.arange(side), np.arange(side)) % 2 * 255).astype(np.uint8)
    assert len(comes_back(board)) < 120
    for label in (0, 37, 255):
        assert len(comes_back(np.full((side, side), label, np.uint8))) < 10


def test_all_labels_in_one_map():
    comes_back(np.arange(256, dtype=np.uint8).reshape(16, 16))
    comes_back(np.repeat(np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16), 9, 0), 7, 1))


def test_noise_is_stored():
    noise = np.random.default_rng(0).integers(0, 256, (300, 200), np.uint8)
    assert len(comes_back(noise)) <= 1.02 * noise.size


def test_maps_of_areas_are_small():
    assert len(comes_back(areas(480, 640))) < 450
    sky = np.zeros((480, 640), np.uint8)
    sky[240:] = 4
    assert len(comes_back(sky)) < 20


def test_both_ways_of_scanning_are_used():
    ways = {coder.encode(areas(60, 80, 9, seed))[0] & 15 for seed in range(12)}
    assert ways == {coder.ROWS, coder.COLUMNS}


def test_views_that_are_not_contiguous():
    comes_back(areas(60, 80)[::2, ::-3])
    comes_back(np.asfortranarray(areas(60, 80)))


@pytest.mark.parametrize(
    "wrong", [np.zeros((0, 4), np.uint8), np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4), np.int64)]
)
def test_what_is_no_label_map_is_refused(wrong):
    with pytest.raises(ValueError, match="uint8"):
        coder.encode(wrong)


def test_golden_files_are_made_and_read_as_ever():
    files = sorted(GOLDEN.glob("*.png"))
    assert len(files) == 5
    ways = set()
    for file in files:
        labels, data = np.array(Image.open(file)), file.with_suffix(".slm").read_bytes()
        assert np.array_equal(coder.decode(data), labels), file.name
        assert coder.encode(labels) == data, file.name
        ways.add(data[0] & 15)
    assert ways == {coder.ROWS, coder.COLUMNS, coder.STORED}


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None
from pathlib import Path
import numpy as np
from PIL import Image
from dsslic_search.codec import machine_code
from dsslic_search.codec.layers.label_map import coder, native
from dsslic_search.core.errors import FormatError
machine_code._folders = lambda: iter(())  # no machine code from before
assert not native.is_compiled()
for file in map(Path, sys.argv[1:]):
    labels, data = np.array(Image.open(file)), file.with_suffix(".slm").read_bytes()
    assert coder.encode(labels) == data, file.name
    assert np.array_equal(coder.decode(data), labels), file.name
    try:
        coder.decode(data[: len(data) // 2])
    except FormatError:
        continue
    raise AssertionError(file.name)
"""


def test_bytes_are_the_same_without_numba():
    subprocess.run([sys.executable, "-c", WITHOUT_NUMBA, *sorted(GOLDEN.glob("*.png"))], check=True)


def test_tables_are_inverse_and_near_the_logistic_function():
    squash = start.squash_table()
    exact = 65536 / (1 + np.exp(-(np.arange(4096) - 2048) / 256))
    assert np.abs(squash - exact).max() < 260
    assert (np.diff(squash) >= 0).all()
    stretch = start.stretch_table(squash)
    inside = (squash[1:] > squash[:-1]).nonzero()[0][::50] + 1
    assert np.abs(stretch[squash[inside] >> 4] + 2048 - inside).max() < 40


def header(version: int, way: int, *numbers: bytes) -> bytes:
    return bytes([version << 4 | way]) + b"".join(numbers)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (header(1, 0), "cut off"),
        (header(1, 0, b"\x05"), "cut off"),
        (header(1, 0, b"\x85"), "cut off"),
        (header(1, 0, b"\x85\x00", b"\x05"), "oddly"),
        (header(1, 0, b"\xff\xff\xff\xff\x7f", b"\x05"), "too large"),
        (header(1, 0, b"\xff\xff\xff\xff\xff\x01", b"\x05"), "too large"),
        (header(0, 0, b"\x05", b"\x05"), "version 0"),
        (header(2, 0, b"\x05", b"\x05"), "version 2"),
        (header(1, 3, b"\x05", b"\x05"), "way 3"),
        (header(1, 2, b"\x01", b"\x01", b"abc"), "3 bytes long where 4"),
        (header(1, 2, b"\x01", b"\x01", b"abcde"), "5 bytes long where 4"),
    ],
)
def test_wrong_headers_are_refused(data, said):
    with pytest.raises(FormatError, match=said):
        coder.decode(data)


@pytest.mark.parametrize("way", [0, 1, 2])
def test_huge_sizes_are_refused_before_anything_is_allocated(way):
    data = header(1, way, b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\xff\x0f")
    assert coder.read_size(data) == (1 << 32, 1 << 32)
    with pytest.raises(FormatError, match="4294967296×4294967296"):
        coder.decode(data)
    small = coder.encode(areas(9, 11))
    with pytest.raises(FormatError, match="11×9, more than the limit of 98"):
        coder.decode(small, max_pixels=98)
    coder.decode(small, max_pixels=99)


def test_few_bytes_cannot_ask_for_much_work():
    for payload in (b"", b"\x00" * 6, b"\xff" * 6, b"\x80" * 20, bytes(range(40))):
        with pytest.raises(FormatError):
            coder.decode(header(1, 0, b"\xff\x3f", b"\xff\x3f") + payload)


def test_what_is_cut_off_is_refused_or_another_map():
    labels = areas(48, 64, seed=3)
    data, refused = coder.encode(labels), 0
    for length in range(len(data)):
        try:
            assert not np.array_equal(coder.decode(data[:length]), labels)
        except FormatError:
            refused += 1
    assert refused > 0.7 * len(data)


def test_what_goes_on_is_refused():
    for data in (coder.encode(areas(48, 64, seed=3)), coder.encode(np.zeros((5, 5), np.uint8))):
        for more in (b"\0\0", b"\xff\xff", b"\0" * 9):
            with pytest.raises(FormatError, match=r"goes on|damaged"):
                coder.decode(data + more)


def test_damage_is_refused_or_decodes_to_some_map_of_the_size():
    found = bench.fuzz(4000, 3)
    assert found["decoded"] + found["refused"] == 4000
    assert found["decoded"] > 100
    assert found["refused"] > 1000


@settings(max_examples=150)
@given(st.binary(max_size=60), st.integers(0, 1), st.integers(0, 40), st.integers(0, 40))
def test_any_bytes_are_refused_or_decode_to_a_map_of_the_size(payload, way, height, width):
    try:
        labels = coder.decode(header(1, way, bytes([height]), bytes([width])) + payload)
    except FormatError:
        return
    assert labels.shape == (height + 1, width + 1)
