"""Keep mode reference: fewer pixels in, the same label map and compact image out, as nearly as it is said."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image

from dsslic_search.codec import container, reduction
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo, segment_photo
from dsslic_search.codec.layers import label_map
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto, open_photo
from dsslic_search.core.dialect import Dialect, shipped
from dsslic_search.networks import grid, runtime

SAMPLES = Path(__file__).parents[2] / "samples"
LIMIT = 10**8
REFERENCE = EncodeOptions(keep="reference")
LARGE = (1925, 1443)  # width, height: large enough to be halved, and no multiple of anything


@cache
def enlarged(name: str, size: tuple[int, int] = LARGE) -> Image.Image:
    return Image.open(SAMPLES / name).convert("RGB").resize(size, Image.Resampling.BICUBIC)


def saved(picture: Image.Image, file_format: str = "JPEG", turn: int = 1) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    picture.save(out, file_format, quality=92, compress_level=1, exif=exif)
    return out.getvalue()


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def compact_by_network(photo: SourcePhoto) -> NDArray[np.uint8]:
    labels, scale = segment_photo(photo)
    cells = -(-photo.height // grid.SCALE), -(-photo.width // grid.SCALE)
    return runtime.make_compact(photo.pixels, grid.network_labels(labels, scale, cells))


class Elsewhere:
    """A segmenter that does not say at what size it looks at photos."""

    identity = "0" * 16

    def __init__(self) -> None:
        self.given: tuple[int, ...] = ()

    @property
    def dialect(self) -> Dialect:
        return shipped()

    def segment(self, pixels: NDArray[np.uint8], map_size: tuple[int, int]) -> NDArray[np.uint8]:
        self.given = pixels.shape
        return np.zeros(map_size, np.uint8)


@pytest.mark.parametrize(
    ("width", "height", "shrink"),
    [
        (448, 352, 1),
        (1792, 1407, 1),
        (1792, 1408, 2),
        (1408, 1792, 2),
        (4032, 3024, 4),
        (3024, 4032, 4),
        (8192, 6144, 8),
        (40_000, 30_000, 8),
        (12_000, 1_200, 4),  # a strip is seen squeezed
    ],
)
def test_sides_stay_twice_those_that_segnet_looks_at(width: int, height: int, shrink: int):
    assert reduction.shrink_for(height, width, REFERENCE) == shrink


@pytest.mark.parametrize("keep", ["layers", "exact", "coarse"])
def test_other_keep_modes_see_every_pixel(keep: str):
    assert reduction.shrink_for(3024, 4032, EncodeOptions(keep=keep)) == 1


def test_a_segmenter_that_does_not_say_how_it_looks_sees_every_pixel():
    segmenter = Elsewhere()
    options = EncodeOptions(keep="reference", segmenter=segmenter)
    data = saved(enlarged("picos.jpg"))
    photo = reduction.open_for(data, "a", LIMIT, options)
    encode_photo(photo, options, data)
    assert segmenter.given == (*LARGE[::-1], 3)


@pytest.mark.parametrize("name", [path.name for path in sorted(SAMPLES.glob("*.jpg"))])
def test_the_compact_image_is_what_compnet_makes(name: str):
    photo = open_photo((SAMPLES / name).read_bytes(), name, LIMIT)
    cut = SourcePhoto(np.ascontiguousarray(photo.pixels[3:, 6:]))  # sides that are no multiples of 8
    for each in (photo, cut):
        assert (reduction.compact_image(each.pixels) == compact_by_network(each)).all()


def test_the_compact_image_is_what_compnet_makes_of_noise_and_any_labels():
    random = np.random.default_rng(3)
    pixels, labels = random.integers(0, 256, (128, 192, 3), np.uint8), random.integers(0, 51, (32, 48))
    assert (reduction.compact_image(pixels) == runtime.make_compact(pixels, labels)).all()


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (15, 9), (9, 16), (16, 24)])
def test_halves_of_the_average_go_up_and_the_edge_continues(size: tuple[int, int]):
    width, height = size
    pixels = np.random.default_rng(2).integers(0, 2, (height, width, 3), np.uint8) * 255
    made = reduction.compact_image(pixels)
    whole = np.pad(pixels, ((0, -height % 8), (0, -width % 8), (0, 0)), "edge").astype(int)
    sums = whole.reshape(whole.shape[0] // 8, 8, whole.shape[1] // 8, 8, 3).sum((1, 3))
    assert (made == (sums + 32) // 64).all()
    halves = np.zeros((8, 8, 3), np.uint8)
    halves[:4] = 1
    assert (reduction.compact_image(halves) == 1).all()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_map_and_compact_image_are_nearly_those_of_the_whole_photo(file_format: str):
    data = saved(enlarged("picos.jpg"), file_format)
    whole, reduced = open_photo(data, "a", LIMIT), reduction.open_for(data, "a", LIMIT, REFERENCE)
    assert reduced.pixels.shape == (722, 963, 3)
    assert (reduced.height, reduced.width) == (whole.height, whole.width) == LARGE[::-1]
    assert psnr(reduction.box_average(reduced), compact_by_network(whole)) > 50
    labels = [segment_photo(photo)[0] for photo in (whole, reduced)]
    assert labels[0].shape == labels[1].shape
    assert (labels[0] == labels[1]).mean() > 0.95


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (17, 8)])
def test_the_compact_image_has_a_pixel_for_every_eight_or_what_is_left_of_them(size: tuple[int, int]):
    width, height = size
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    made = reduction.box_average(SourcePhoto(pixels))
    assert made.shape == (-(-height // 8), -(-width // 8), 3)
    corner = pixels[height - 1 & ~7 :, width - 1 & ~7 :].reshape(-1, 3).mean(0)
    assert np.abs(made[-1, -1] - corner).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("turn", range(1, 9))
def test_turned_photos_are_reduced_upright(turn: int):
    """The blocks that are not full are at other edges once a photo is turned."""
    data = saved(enlarged("dogs.jpg"), turn=turn)
    whole, reduced = open_photo(data, "a", LIMIT), reduction.open_for(data, "a", LIMIT, REFERENCE)
    assert (reduced.height, reduced.width) == whole.pixels.shape[:2]
    assert psnr(reduction.box_average(reduced), reduction.box_average(whole)) > 45


def test_a_photo_that_is_whole_already_is_reduced_by_the_encoder():
    data = saved(enlarged("fig.jpg"), "PNG")
    whole, reduced = open_photo(data, "a", LIMIT), reduction.open_for(data, "a", LIMIT, REFERENCE)
    assert whole.pixels.shape != reduced.pixels.shape
    assert encode_photo(whole, REFERENCE, data).data == encode_photo(reduced, REFERENCE, data).data


def test_the_file_says_and_shows_the_whole_photos_size():
    data = saved(enlarged("dragonfly.jpg"))
    photo = reduction.open_for(data, "a", LIMIT, REFERENCE)
    made = encode_photo(photo, REFERENCE, data)
    header = container.read(made.data).header
    assert (header.width, header.height) == LARGE
    scale = label_map.scale_for(header.height, header.width)
    assert made.label_map.shape == (-(-header.height // scale), -(-header.width // scale))
    whole = open_photo(data, "a", LIMIT)
    assert decode_stage(made.data, "map").pixels.shape == LARGE[::-1]
    assert psnr(decode_stage(made.data, "compact").pixels, compact_by_network(whole)) > 28
    beside = encode_photo(whole, EncodeOptions(keep="coarse"))
    shown, before = (decode_stage(each, "coarse").pixels for each in (made.data, beside.data))
    assert shown.shape == before.shape
    assert abs(psnr(shown, whole.pixels) - psnr(before, whole.pixels)) < 0.3
