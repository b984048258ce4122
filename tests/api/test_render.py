from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.api import render
from dsslic_search.core.errors import UsageError
from dsslic_search.core.vocabulary import default

SKY, TREE, ROAD = (default().id_of(name) for name in ("sky", "tree", "road"))


def labels() -> np.ndarray:
    """Sky above; trees and a road below."""
    found = np.full((30, 40), SKY, np.uint8)
    found[15:, :30] = TREE
    found[15:, 30:] = ROAD
    return found


def photo(height: int = 120, width: int = 160, level: int = 100) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def test_colours_are_the_vocabularys():
    coloured = render.colourise(labels(), default())
    assert coloured.shape == (30, 40, 3)
    for class_id, (y, x) in ((SKY, (0, 0)), (TREE, (29, 0)), (ROAD, (29, 39))):
        assert tuple(coloured[y, x]) == default().classes[class_id].colour


def test_overlay_mixes_and_draws_borders():
    shown = render.overlay(photo(), labels(), default(), strength=0.5, legend=False)
    assert shown.shape == (120, 160, 3)
    sky = default().classes[SKY].colour
    assert np.abs(shown[5, 5].astype(int) - [(100 + c) / 2 for c in sky]).max() <= 0.5
    assert (shown[59, 50] == 255).all()
    assert (shown[100, 119] == 255).all()
    assert (
        render.overlay(photo(), np.zeros((2, 2), np.uint8), default(), strength=0, legend=False) == 100
    ).all()


def swatches(picture: np.ndarray, below: int) -> list[str]:
    strip = picture[below:].reshape(-1, 3)
    return [c.name for c in default().classes if (strip == c.colour).all(1).sum() >= 60]


def test_the_legend_names_what_is_there():
    shown = render.overlay(photo(), labels(), default())
    assert shown.shape[1] == 160
    assert shown.shape[0] > 120
    assert sorted(swatches(shown, 120)) == ["road", "sky", "tree"]


def test_the_legend_leaves_out_specks_and_wraps():
    many = np.repeat(np.arange(40, dtype=np.uint8), 50).reshape(40, 50)
    narrow = render.overlay(photo(400, 500), many, default())
    assert len(swatches(narrow, 400)) == 40
    speck = np.full((100, 100), SKY, np.uint8)
    speck[0, :40] = TREE
    assert swatches(render.overlay(photo(), speck, default()), 120) == ["sky"]


def test_the_legend_tells_the_coverages_of_the_labels_that_are_stored():
    stored = np.full((4, 4), SKY, np.uint8)
    stored[3] = TREE  # a quarter, of which the photo shows one row of pixels in ten
    shown = np.repeat(np.repeat(stored, 3, 0), 3, 1)[:10, :12]
    pixels = photo(200, 240)
    legend = render.overlay(pixels, stored, default())[200:]
    assert (render.overlay(pixels, shown, default(), map_scale=3)[200:] == legend).all()
    assert (render.overlay(pixels, shown, default())[200:] != legend).any()


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 5)])
def test_tiny_pictures(size):
    shown = render.overlay(photo(*size), labels(), default())
    assert shown.shape[1] == size[1]
    assert render.contact_sheet([("a", photo(*size))]).ndim == 3


def test_contact_sheets_have_equal_heights_and_margins():
    colours = [200, 20, 90, 150, 60]
    shapes = [(100, 150), (300, 200), (50, 75), (600, 900), (100, 100)]
    sheet = render.contact_sheet(
        [("", photo(*s, level)) for s, level in zip(shapes, colours, strict=True)], columns=3, height=140
    )
    assert (sheet[:8] == render.PAPER).all()
    assert (sheet[:, :8] == render.PAPER).all()
    assert (sheet[:, -8:] == render.PAPER).all()
    for (height, width), level in zip(shapes, colours, strict=True):
        ys, xs = np.nonzero((sheet == level).all(2))
        assert np.ptp(ys) + 1 == 140
        assert abs(np.ptp(xs) + 1 - round(140 * width / height)) <= 1


def test_very_wide_pictures_stay_in_their_cells():
    sheet = render.contact_sheet(
        [("wide", photo(10, 1000, 5)), ("next", photo(100, 100, 200))], columns=2, height=90
    )
    xs = np.nonzero((sheet == 5).all(2))[1]
    assert np.ptp(xs) + 1 == round(90 * 16 / 9)
    assert xs.max() < np.nonzero((sheet == 200).all(2))[1].min()


def test_captions_are_drawn_and_shortened():
    plain = render.contact_sheet([("", photo())], columns=1, height=100)
    named = render.contact_sheet([("a very long name " * 20 + "é–ẅ\n\x00", photo())], columns=1, height=100)
    assert plain.shape == named.shape
    assert (named[:108] == plain[:108]).all()
    rows = np.nonzero((named != plain).any((1, 2)))[0]
    assert len(rows) > 5
    columns = np.nonzero((named != plain).any((0, 2)))[0]
    assert columns.min() > 0
    assert columns.max() < named.shape[1] - 1


def test_no_pictures_is_an_error():
    with pytest.raises(UsageError):
        render.contact_sheet([])
    with pytest.raises(UsageError):
        render.save_animation([], Path("x.png"))


@pytest.mark.parametrize("suffix", [".png", ".gif"])
def test_animations_have_frames_of_one_size(tmp_path, suffix):
    path = tmp_path / f"stages{suffix}"
    stages = [
        ("map", render.colourise(labels(), default())),
        ("compact", photo(15, 20, 50)),
        ("full", photo(120, 160, 220)),
    ]
    render.save_animation(stages, path, milliseconds=500)
    with Image.open(path) as animation:
        assert animation.n_frames == 3
        assert animation.info["loop"] == 0
        width, height = animation.size
        assert width == 160
        assert height > 120
        times, corners = [], []
        for i in range(3):
            animation.seek(i)
            frame = np.asarray(animation.convert("RGB"))
            times.append(animation.info["duration"])
            corners.append(frame[3, 3].astype(int))
    assert times == [500, 500, 1000]
    expected = [default().classes[SKY].colour, (50,) * 3, (220,) * 3]
    assert np.abs(np.array(corners) - expected).max() <= (0 if suffix == ".png" else 6)


def test_large_animations_are_reduced(tmp_path):
    render.save_animation([("full", photo(100, 3200))], tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as animation:
        assert animation.width == render.ANIMATION_SIDE


def test_other_animation_formats_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"\.gif"):
        render.save_animation([("full", photo())], tmp_path / "a.webp")
