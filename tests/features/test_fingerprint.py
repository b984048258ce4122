"""Fingerprints and their likeness, on real photos reduced as compact images are."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageEnhance

from dsslic_search.api.duplicates import DEFAULT_LIKENESS
from dsslic_search.features.fingerprint import (
    CHROMA_NOISE,
    CHROMA_SIDE,
    DESCRIPTOR_LENGTH,
    FINGERPRINT_BYTES,
    LUMA_SIDE,
    chroma,
    descriptors,
    fingerprint,
    hues,
    luma,
    mirrored,
)
from dsslic_search.features.likeness import likeness
from dsslic_search.index.fingerprints import HUE_WEIGHT, MIN_PROMISE

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.jpg"))


def compact(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.reduce(8))


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGB")


def cropped(picture: Image.Image, share: float) -> Image.Image:
    """Without ``share`` of its width and height, most of it on the right and below."""
    width, height = picture.size
    left, top = int(width * share / 4), int(height * share / 4)
    return picture.crop((left, top, left + int(width * (1 - share)), top + int(height * (1 - share))))


ALTERED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "resized": lambda p: p.resize((p.width // 2, p.height // 2)),
    "squeezed": lambda p: p.resize((p.width, p.height * 3 // 4)),
    "recompressed": lambda p: jpeg(p, 30),
    "brighter": lambda p: ImageEnhance.Brightness(p).enhance(1.3),
    "darker": lambda p: ImageEnhance.Brightness(p).enhance(0.6),
    "contrast": lambda p: ImageEnhance.Contrast(p).enhance(1.4),
    "cropped": lambda p: cropped(p, 0.04),
    "cropped more": lambda p: cropped(p, 0.08),
    "all": lambda p: jpeg(
        ImageEnhance.Brightness(cropped(p, 0.04)).enhance(0.8).resize((p.width // 2, p.height // 2)), 40
    ),
}


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in SAMPLES]


@pytest.fixture(scope="module")
def prints(pictures: list[Image.Image]) -> np.ndarray:
    return np.array([fingerprint(compact(picture)) for picture in pictures])


Altered = Callable[[str], np.ndarray]


@pytest.fixture(scope="module")
def altered(pictures: list[Image.Image]) -> Altered:
    """Gives the fingerprints of all pictures altered in a way."""

    @cache
    def prints_of(how: str) -> np.ndarray:
        return np.array([fingerprint(compact(ALTERED[how](picture))) for picture in pictures])

    return prints_of


@pytest.mark.parametrize("how", ALTERED)
def test_the_same_picture_is_known_again(altered: Altered, prints: np.ndarray, how: str):
    copies = altered(how)
    missed = np.count_nonzero(likeness(prints, copies) < DEFAULT_LIKENESS)
    assert missed <= (1 if how == "brighter" else 0)  # what is brighter than white is lost
    near = np.einsum("ij,ij->i", descriptors(prints), descriptors(copies))
    assert np.all(near > (0.6 if how == "cropped more" else 0.8))


def test_different_pictures_are_not_taken_for_the_same(prints: np.ndarray):
    pairs = np.array(list(itertools.combinations(range(len(prints)), 2)))
    assert np.all(likeness(*prints[pairs.T]) < 0.5)


def test_a_mirror_image_is_the_same_only_when_it_is_turned(pictures, prints: np.ndarray):
    turned = np.array([fingerprint(compact(p.transpose(Image.Transpose.FLIP_LEFT_RIGHT))) for p in pictures])
    assert np.all(likeness(prints, turned) < 0.5)
    assert np.all(likeness(prints, mirrored(turned)) > 0.95)
    assert np.array_equal(mirrored(mirrored(prints)), prints)


def test_hues_are_compared_by_the_correlation_of_chroma(prints: np.ndarray):
    """Numbers of both planes less their means, with the variance that coding adds to each."""
    colour = chroma(prints).astype(np.float64)
    colour -= colour.mean((2, 3), keepdims=True)
    faint = 2 * CHROMA_SIDE**2 * CHROMA_NOISE
    common = np.einsum("iabc,jabc->ij", colour, colour) + faint
    own = np.diag(common)
    assert np.allclose(hues(prints) @ hues(prints).T, common / np.sqrt(np.outer(own, own)), atol=1e-5)
    grey = np.array([fingerprint(np.full((9, 9), level, np.uint8)) for level in (20, 200)])
    assert np.allclose(hues(grey) @ hues(grey).T, 1, atol=1e-5)


@pytest.mark.parametrize("how", ALTERED)
def test_copies_are_worth_comparing(altered: Altered, prints: np.ndarray, how: str):
    copies = altered(how)
    near = np.einsum("ij,ij->i", descriptors(prints), descriptors(copies))
    promise = near + HUE_WEIGHT * np.einsum("ij,ij->i", hues(prints), hues(copies))
    assert np.all(promise >= MIN_PROMISE)


def test_other_colours_make_another_picture(pictures, prints: np.ndarray):
    swapped = np.array([fingerprint(compact(p)[..., [2, 1, 0]]) for p in pictures])
    colourful = chroma(prints).std(axis=(1, 2, 3)) > 12
    assert colourful.sum() >= 3
    assert np.all(likeness(prints, swapped)[colourful] < 0.6)


def test_grey_pictures_are_compared_by_their_luma(pictures):
    grey = [compact(p.convert("L")) for p in pictures]
    as_colour = np.array([fingerprint(np.repeat(g[..., None], 3, 2)) for g in grey])
    prints = np.array([fingerprint(g) for g in grey])
    assert np.array_equal(prints, as_colour)
    copies = np.array(
        [fingerprint(compact(p.resize((p.width // 2, p.height // 2)).convert("L"))) for p in pictures]
    )
    assert np.all(likeness(prints, copies) > 0.9)
    assert likeness(prints[:1], prints[1:2])[0] < 0.5


def test_which_comes_first_does_not_matter(prints: np.ndarray):
    one, other = prints[:-1], prints[1:]
    assert np.array_equal(likeness(one, other), likeness(other, one))


def test_many_pairs_are_compared_as_one_is(prints: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    from dsslic_search.features import likeness as module

    whole = likeness(prints, np.roll(prints, 1, 0))
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 4)
    assert np.allclose(likeness(prints, np.roll(prints, 1, 0)), whole, atol=1e-5)
    assert likeness(prints[:0], prints[:0]).size == 0


def test_cells_are_means_of_what_they_cover():
    picture = np.zeros((2 * LUMA_SIDE, 3 * LUMA_SIDE, 3), np.uint8)
    picture[:, : 3 * LUMA_SIDE // 2] = 200
    made = fingerprint(picture)[None]
    assert np.array_equal(np.unique(luma(made)[0, :, : LUMA_SIDE // 2]), [255])
    assert np.array_equal(np.unique(luma(made)[0, :, LUMA_SIDE // 2 :]), [1])
    assert np.array_equal(np.unique(chroma(made)), [128])
    blue = np.zeros((5, 7, 3), np.uint8)
    blue[..., 2] = 100
    assert np.array_equal(np.unique(chroma(fingerprint(blue)[None])[0, 0]), [178])
    assert chroma(made).shape == (1, 2, CHROMA_SIDE, CHROMA_SIDE)


@settings(max_examples=60)
@given(arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3))))
def test_any_picture_has_a_fingerprint(picture: np.ndarray):
    made = fingerprint(picture)[None]
    assert made.shape == (1, FINGERPRINT_BYTES)
    length = np.linalg.norm(descriptors(made)[0])
    assert descriptors(made).shape == (1, DESCRIPTOR_LENGTH)
    assert 0 <= length <= 1.001
    found = likeness(made, made)[0]
    assert 0 <= found <= 1.001


def test_a_picture_without_detail_is_like_nothing():
    flat = np.array([fingerprint(np.full((9, 9), level, np.uint8)) for level in (0, 255)])
    assert np.all(likeness(flat, flat[::-1]) == 0)
