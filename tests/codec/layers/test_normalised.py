"""The residual as the paper has it: its mappings, and layers that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec import bpg
from dsslic_search.codec.layers import normalised, residual
from dsslic_search.codec.layers.normalised import FIXED, MIN_MAX, Mapping
from dsslic_search.core.errors import FormatError

DIFFERENCES = st.integers(-255, 255)


@given(DIFFERENCES, DIFFERENCES)
def test_the_least_and_the_greatest_difference_are_black_and_white(a: int, b: int) -> None:
    mapping = Mapping(MIN_MAX, min(a, b), max(a, b))
    every = np.arange(mapping.least, mapping.greatest + 1, dtype=np.int16)
    samples = mapping.samples(every)
    assert samples[0] == 0
    assert samples[-1] == (255 if a != b else 0)
    assert (np.diff(samples.astype(int)) >= 0).all()
    back = mapping.differences(samples)
    if mapping.greatest - mapping.least <= 255:
        assert np.array_equal(back, every)
    assert np.abs(back - every).max() <= 1


def test_the_fixed_mapping_halves_and_keeps_even_differences() -> None:
    every = np.arange(-255, 256, dtype=np.int16)
    mapping = Mapping(FIXED, -255, 255)
    samples = mapping.samples(every)
    assert (samples.min(), samples[255], samples.max()) == (0, 128, 255)
    back = mapping.differences(samples)
    assert np.array_equal(back[1::2], every[1::2])
    assert np.abs(back - every).max() == 1


@pytest.mark.parametrize("span", [20, 127, 255, 510])
def test_the_quantiser_follows_the_scale(span: int) -> None:
    """Of a step in the picture of samples, the photo sees span / 255."""
    used = Mapping(MIN_MAX, -span // 2, span - span // 2 - (span % 2 > 0)).qp(26)
    assert abs(2 ** ((used - 26) / 6) * span / 255 - 1) < 0.07
    assert Mapping(FIXED, -9, 9).qp(26) == 20
    assert Mapping(FIXED, -9, 9).qp(3) == 0
    assert Mapping(MIN_MAX, 4, 4).qp(26) == 51


def pictures(height: int, width: int, grey: bool) -> tuple[np.ndarray, np.ndarray]:
    """A photo and what was expected of it."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1)
    photo = np.clip(waves * 90 + 128, 0, 255).astype(np.uint8)
    coarse = np.clip(waves * 70 + 120, 0, 255).astype(np.uint8)
    return (photo[..., 0], coarse[..., 0]) if grey else (photo, coarse)


@pytest.mark.parametrize("kind", [MIN_MAX, FIXED])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("size", [(64, 96), (33, 47), (1, 9)])
def test_a_layer_comes_back_near_the_photo_and_its_picture_is_a_bpg_file(kind, grey, size) -> None:
    photo, coarse = pictures(*size, grey)
    chunk, qp = normalised.encode(photo, coarse, kind, 12, "fast")
    mapping, picture = normalised.read_mapping(chunk.data)
    difference = photo.astype(int) - coarse
    assert mapping == (kind, difference.min(), difference.max())
    assert qp == mapping.qp(12)
    header = bpg.decode(picture, max_pixels=size[0] * size[1]).header
    assert (header.bit_depth, header.chroma) == (8, "400" if grey else normalised.CHROMA[kind])
    shown = normalised.decode(chunk, coarse)
    assert shown.shape == photo.shape
    assert np.abs(shown.astype(int) - photo).mean() < 2


def layer(data: bytes) -> object:
    return residual.LAYER.chunk(residual.NORMALISED, data)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (b"", "cut short"),
        (b"\0\0\0\0", "cut short"),
        (b"\2\0\0\1\0", "damaged"),
        (b"\0\5\0\4\0", "damaged"),
        (b"\0\0\xff\4\0", "damaged"),
        (b"\1\0\0\0\1", "damaged"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(before: bytes, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        normalised.decode(layer(before), np.zeros((8, 8, 3), np.uint8))


def test_a_picture_of_another_size_or_kind_is_refused() -> None:
    photo, coarse = pictures(16, 24, False)
    chunk, _ = normalised.encode(photo, coarse, FIXED, 30, "ultrafast")
    with pytest.raises(FormatError, match="24×16 pixels where 24×17"):
        normalised.decode(chunk, np.zeros((17, 24, 3), np.uint8))
    with pytest.raises(FormatError, match="more than the 16 allowed"):
        normalised.decode(chunk, np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(FormatError, match="depth or planes"):
        normalised.decode(chunk, coarse[..., 0])
    deep = chunk.data[:5] + bpg.encode(photo.astype(np.uint16), qp=30, bit_depth=10)
    with pytest.raises(FormatError, match="depth or planes"):
        normalised.decode(layer(deep), coarse)
