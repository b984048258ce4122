"""WebP: what does not move is decoded without Pillow's animation, to the same pixels."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, WebPImagePlugin

from dsslic_search.codec.picture.open import open_photo
from dsslic_search.core.errors import PhotoError
from tests.clips import chart

OPACITY = np.tile(np.arange(128, dtype=np.uint8) * 2, (64, 1))


def webp(pixels: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", **options)
    return file.getvalue()


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}, {"lossless": True, "exact": True}])
@pytest.mark.parametrize("alpha", [None, OPACITY, np.full_like(OPACITY, 255)])
def test_a_still_is_what_pillow_shows(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], alpha: np.ndarray | None
) -> None:
    data = webp(chart() if alpha is None else np.dstack([chart(), alpha]), **options)
    wanted = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))

    def load(_: Any) -> None:
        raise AssertionError("decoded as an animation, which takes 20 bytes a pixel")

    monkeypatch.setattr(WebPImagePlugin.WebPImageFile, "load", load)
    photo = open_photo(data, "x", 10_000)
    assert np.array_equal(photo.pixels, wanted[..., :3])
    found = np.full_like(wanted[..., 3], 255) if photo.alpha is None else photo.alpha
    assert np.array_equal(found, wanted[..., 3])


def test_of_an_animation_the_first_frame_is_shown() -> None:
    more = [Image.fromarray(255 - chart())]
    data = webp(chart(), lossless=True, save_all=True, append_images=more)
    assert np.array_equal(open_photo(data, "x", 10_000).pixels, chart())


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}])
def test_a_still_that_is_cut_short_is_refused(options: dict[str, Any]) -> None:
    data = webp(np.random.default_rng(0).integers(0, 256, (64, 128, 3), dtype=np.uint8), **options)
    for end in (len(data) // 3, len(data) // 2, len(data) - 100):
        with pytest.raises(PhotoError):
            open_photo(data[:end], "x", 10_000)
