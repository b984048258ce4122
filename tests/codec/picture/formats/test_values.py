"""Every kind of every format shows what an independent reader shows.

``tests/data/pictures`` has small files of one chart of sixteen patches, and in values.json what other
programs (named there), or the arithmetic of published matrices and curves, give for the middle of each.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.codec.picture.open import SourcePhoto, open_photo
from dsslic_search.core.errors import PhotoError

PICTURES = Path(__file__).parents[3] / "data" / "pictures"
VALUES = json.loads((PICTURES / "values.json").read_text())
HIGH_RANGE = ("pq.avif", "hlg.avif", "cicp_pq.png", "bt2020_pq.jxl")
SIDE = 4  # patches


def opened(name: str) -> SourcePhoto:
    return open_photo((PICTURES / name).read_bytes(), name, 10_000)


def patches(plane: np.ndarray) -> np.ndarray:
    """The values in the middle of each patch, row by row."""
    height, width = (n // SIDE for n in plane.shape[:2])
    middles = plane[height // 2 :: height, width // 2 :: width]
    return middles.reshape(SIDE * SIDE, -1).astype(int)


@pytest.mark.parametrize("name", sorted(VALUES))
def test_pixels_are_those_of_an_independent_reader(name: str) -> None:
    expected, photo = np.array(VALUES[name]["patches"]), opened(name)
    opacity = patches(photo.alpha)[:, 0] if photo.alpha is not None else np.full(SIDE * SIDE, 255)
    told = expected[:, 3] if expected.shape[1] == 4 else np.full(SIDE * SIDE, 255)
    assert np.abs(opacity - told).max() <= 1
    seen = opacity > 0
    assert np.abs(patches(photo.pixels) - expected[:, :3])[seen].max() <= VALUES[name]["tolerance"]
    assert photo.bits == 8 or any("became 8" in remark for remark in photo.remarks) == (photo.bits > 8)


def test_every_picture_has_values() -> None:
    files = {path.name for path in PICTURES.iterdir() if path.is_file()}
    assert files - {"values.json", "README.md"} == {*VALUES, *HIGH_RANGE}


@pytest.mark.parametrize("name", HIGH_RANGE)
def test_high_dynamic_range_is_brought_into_srgb(name: str) -> None:
    photo = opened(name)
    assert "high dynamic range was brought to that of sRGB" in photo.remarks
    shown = patches(photo.pixels)
    black, dark, grey, light, white = (shown[i] for i in (13, 6, 5, 7, 12))
    assert (black == 0).all()
    assert (white == 255).all()
    assert (dark <= grey).all()
    assert (grey < light).all() or (light == 255).all()
    for neutral in (dark, grey):
        assert np.ptp(neutral) <= 2


@pytest.mark.parametrize("name", sorted(VALUES))
def test_files_that_are_cut_short_never_open_as_if_whole(name: str) -> None:
    """Or they show what the whole file does, as one does that lacks what no pixel needs."""
    data, whole = (PICTURES / name).read_bytes(), opened(name)
    for share in (0.3, 0.6, 0.9):
        try:
            cut = open_photo(data[: int(len(data) * share)], name, 10_000)
        except PhotoError:
            continue
        assert np.array_equal(cut.pixels, whole.pixels) or name.startswith("lab")  # without its white point
