"""Agreement: copies of photos and of screenshots agree, screenshots of one frame do not."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from dsslic_search.bench.screens import KINDS, screens
from dsslic_search.features.agreement import (
    PAPER_AGREEMENT,
    PHOTO_AGREEMENT,
    PORTRAIT_BYTES,
    Portrait,
    agreement,
    portrait,
    show_the_same,
    wanted_agreement,
)

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.jpg"))[:4]
STRAIGHT = np.array([False])


def of(picture: Image.Image) -> Portrait:
    return portrait(np.asarray(picture.convert("RGB").reduce(8)))


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(out)


def the_same(one: Image.Image, other: Image.Image, turned: bool = False) -> bool:
    return bool(show_the_same([of(one)], [of(other)], np.array([turned]))[0])


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in SAMPLES]


@pytest.fixture(scope="module")
def chats() -> list[Image.Image]:
    return [Image.fromarray(pixels) for pixels in screens("chats", 1, 4, seed=7)]


def test_copies_of_photos_agree(photos: list[Image.Image]):
    for photo in photos:
        width, height = photo.size
        assert the_same(photo, photo.resize((width // 2, height // 2)))
        assert the_same(photo, jpeg(photo, 30))
        assert the_same(photo, ImageEnhance.Brightness(photo).enhance(0.7))
        assert the_same(photo, photo.crop((width // 50, 0, width, height - height // 25)))
        assert the_same(photo, photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT), turned=True)


def test_different_photos_do_not(photos: list[Image.Image]):
    assert not any(the_same(*pair) for pair in itertools.combinations(photos, 2))


def test_screens_of_one_frame_are_as_many_pictures(chats: list[Image.Image]):
    assert not any(the_same(*pair) for pair in itertools.combinations(chats, 2))
    for chat in chats:
        assert the_same(chat, chat.resize((chat.width // 2, chat.height // 2)))
        assert the_same(chat, jpeg(chat, 30))


@pytest.mark.parametrize("kind", KINDS)
def test_screens_are_drawn_the_same_again_and_differ(kind: str):
    first, second = screens(kind, 1, 2, seed=1), screens(kind, 1, 2, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert first[0].shape == first[1].shape
    assert 0.001 < (first[0] != first[1]).mean() < 0.5


def test_of_papers_more_is_wanted_than_of_photos():
    wanted = wanted_agreement(np.array([0.0, 0.2, 0.3, 0.4, 1.0]))
    assert wanted.tolist() == pytest.approx(
        [PHOTO_AGREEMENT, PHOTO_AGREEMENT, 0.74, PAPER_AGREEMENT, PAPER_AGREEMENT]
    )


def test_pictures_without_detail_agree_and_any_size_is_taken():
    rng = np.random.default_rng(0)
    for shape in ((1, 1, 3), (3, 90, 3), (200, 2, 3), (64, 64, 3)):
        flat, noisy = portrait(np.full(shape, 90, np.uint8)), portrait(rng.integers(0, 256, shape, np.uint8))
        assert flat.ground == pytest.approx(1)
        assert agreement([flat], [flat], STRAIGHT)[0] == 1
        assert -1 <= agreement([flat], [noisy], STRAIGHT)[0] <= 1


def test_a_portrait_is_kept_as_a_row(photos: list[Image.Image]):
    for each in (of(photos[0]), portrait(np.zeros((2, 5, 3), np.uint8))):
        row = each.to_row()
        assert (row.shape, row.dtype) == ((PORTRAIT_BYTES,), np.uint8)
        again = Portrait.from_row(row)
        assert np.array_equal(again.luma, each.luma)
        assert again.ground == pytest.approx(each.ground, abs=1 / 500)


def test_a_grey_photo_has_the_portrait_of_its_three_equal_channels():
    grey = np.asarray(Image.open(SAMPLES[0]).convert("L").reduce(8))
    one, three = portrait(grey), portrait(np.repeat(grey[..., None], 3, 2))
    assert one.to_row().tolist() == three.to_row().tolist()
