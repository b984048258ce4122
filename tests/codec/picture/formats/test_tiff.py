"""TIFF: which picture of several, and samples of every kind."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile

from dsslic_search.codec.picture.facts import facts_of
from dsslic_search.codec.picture.open import SourcePhoto, open_photo
from dsslic_search.core.errors import PhotoError

Picture = tuple[np.ndarray, dict[str, object]]


def opened(*pictures: Picture) -> SourcePhoto:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        for samples, options in pictures:
            file.write(samples, metadata=None, **options)
    return open_photo(buffer.getvalue(), "x", 1_000_000)


def grey(height: int, width: int, level: int, **options: object) -> Picture:
    return np.full((height, width), level, np.uint8), {"photometric": "minisblack", **options}


MASK: Picture = (np.ones((40, 60), bool), {"photometric": "minisblack", "subfiletype": 4})


@pytest.mark.parametrize(
    ("pictures", "level", "remarks"),
    [
        ([grey(40, 60, 1)], 1, ()),
        ([grey(40, 60, 1), grey(40, 60, 2)], 1, ()),  # pages of a document
        ([grey(40, 60, 1), grey(60, 90, 2)], 1, ()),
        ([grey(10, 15, 1, subfiletype=1), grey(40, 60, 2)], 2, ("picture 2 of 2",)),
        ([grey(10, 15, 1), grey(40, 61, 2), grey(40, 61, 3)], 2, ("picture 2 of 3",)),
        ([MASK, grey(40, 60, 2)], 2, ("picture 2 of 2",)),
        ([grey(40, 60, 1, subfiletype=1)], 1, ()),
    ],
)
def test_the_picture_is_the_first_that_is_no_copy(
    pictures: list[Picture], level: int, remarks: tuple[str, ...]
) -> None:
    photo = opened(*pictures)
    assert photo.pixels.min() == photo.pixels.max() == level
    assert photo.remarks == remarks


def test_a_picture_in_a_picture_is_found() -> None:
    inner = grey(40, 61, 7)
    photo = opened((grey(10, 15, 1)[0], {"photometric": "minisblack", "subfiletype": 1, "subifds": 1}), inner)
    assert photo.pixels.min() == 7


@pytest.mark.parametrize(
    ("dtype", "values", "eight"),
    [
        (np.uint32, [0, 2**31, 2**32 - 1], [0, 128, 255]),
        (np.uint32, [0, 32768, 65535], [0, 128, 255]),
        (np.uint32, [0, 501_000, 1_000_000], [0, 128, 255]),
        (np.int32, [-5, 32768, 65535], [0, 128, 255]),
        (np.float32, [-1, 0.5, 1], [0, 128, 255]),
        (np.float32, [0, np.nan, 4], [0, 0, 255]),
        (np.float64, [0, 0.5, 1], [0, 128, 255]),
        (np.uint16, [0, 32896, 65535], [0, 128, 255]),
    ],
)
def test_grey_of_many_bits(dtype: type, values: list[float], eight: list[int]) -> None:
    photo = opened((np.array([values], dtype), {"photometric": "minisblack"}))
    assert photo.grey
    assert photo.pixels[0, :, 0].tolist() == eight
    assert photo.bits == 8 * np.dtype(dtype).itemsize


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_numbers_are_no_grey(dtype: type) -> None:
    with pytest.raises(PhotoError, match="its samples are complex numbers, which are no grey"):
        opened((np.ones((4, 4), dtype), {"photometric": "minisblack"}))


def test_premultiplied_colours_are_divided_by_their_opacity() -> None:
    samples = np.array([[[20000, 10000, 0, 32768], [1, 2, 3, 0], [5, 6, 7, 65535]]], np.uint16)
    photo = opened((samples, {"photometric": "rgb", "extrasamples": ["assocalpha"]}))
    assert photo.pixels[0, 0].tolist() == [156, 78, 0]
    assert photo.alpha is not None
    assert photo.alpha[0].tolist() == [128, 0, 255]


def test_a_channel_that_is_no_opacity_is_left_out() -> None:
    samples = np.full((2, 2, 4), 1000, np.uint16)
    photo = opened((samples, {"photometric": "rgb", "extrasamples": ["unspecified"]}))
    assert photo.alpha is None


def test_colours_of_an_unknown_kind_are_named() -> None:
    samples = np.zeros((4, 4), np.uint16)
    with pytest.raises(PhotoError, match=r"colours of kind 32844 .* are not read"):
        opened((samples, {"photometric": 32844}))


@pytest.mark.parametrize(("high", "low"), [(257, 0), (256, 255), (1, 0)])
def test_palettes_are_rounded_and_may_fill_the_low_byte_alone(high: int, low: int) -> None:
    """A palette's 16 bits: v × 257, v × 256 + 255 (nearly the next level), or v in the low byte."""
    levels = np.arange(256).astype(np.uint16)
    table = np.stack([levels * high + low, levels[::-1] * high + low, levels * high + low]).astype(np.uint16)
    expected = (np.stack([levels, 255 - levels, levels], -1)).astype(np.float64)
    if high == 256:
        expected = np.rint((expected * 256 + 255) / 257)
    photo = opened((levels.astype(np.uint8).reshape(16, 16), {"photometric": "palette", "colormap": table}))
    np.testing.assert_array_equal(photo.pixels.reshape(-1, 3), expected)


@pytest.mark.parametrize("compression", ["webp", "zstd", "lzma", "jpegxl", "jpeg2000", "png"])
def test_compressions_that_not_every_build_of_libtiff_has(compression: str) -> None:
    samples = np.random.default_rng(3).integers(0, 256, (40, 56, 3)).astype(np.uint8)
    options: dict[str, object] = {"photometric": "rgb", "compression": compression}
    if compression in ("webp", "jpegxl"):
        options["compressionargs"] = {"lossless": True}
    elif compression == "jpeg2000":
        options["compressionargs"] = {"reversible": True, "level": 0}
    np.testing.assert_array_equal(opened((samples, options)).pixels, samples)


@pytest.mark.parametrize(
    ("said", "description"), [(None, None), ('{"a": "b"}', '{"a": "b"}'), ("A feast", "A feast")]
)
def test_the_shape_that_tifffile_writes_is_no_description(said: str | None, description: str | None) -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((8, 9, 3), np.uint8), photometric="rgb", description=said)
    photo = open_photo(file.getvalue(), "x", 1000)
    assert facts_of(photo.embedded)["description"] == facts_of(photo.kept)["description"] == description


def srgb_of_lab(lab: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of D50 in sRGB, 0..255 and not rounded, float64: CIE 15, Bradford's adaptation to D65, IEC
    61966-2-1."""
    y = (lab[..., 0] + 16) / 116
    roots = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], -1)
    d50, d65 = np.array([0.96422, 1, 0.82521]), np.array([0.95047, 1, 1.08883])
    xyz = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * d50
    cones = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]],
    )
    adapted = xyz @ (np.linalg.inv(cones) @ np.diag((cones @ d65) / (cones @ d50)) @ cones).T
    primaries = np.array(
        [
            [3.2404542, -1.5371385, -0.4985314],
            [-0.9692660, 1.8760108, 0.0415560],
            [0.0556434, -0.2040259, 1.0572252],
        ]
    )
    light = np.clip(adapted @ primaries.T, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def test_lab_of_eight_bits_is_what_colour_arithmetic_makes_of_it() -> None:
    """Each colour of a grid over all of L*, a* and b*. Little CMS, by tables of 8 bits, is up to 18 levels
    off it."""
    grid = np.stack(np.meshgrid(np.arange(0, 256, 5), *2 * [np.arange(-128, 128, 8)], indexing="ij"), -1)
    samples = (grid % 256).astype(np.uint8).reshape(-1, 32, 3)
    photo = opened((samples, {"photometric": "cielab"}))
    lab = grid.reshape(-1, 32, 3) * np.array([100 / 255, 1, 1])
    assert np.abs(photo.pixels - srgb_of_lab(lab)).max() <= 1
