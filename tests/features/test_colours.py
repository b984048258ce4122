"""Colours by name, and which cells of the compact image are of which class."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageColor

from dsslic_search.core.colour_terms import BLACK_AND_WHITE, TERMS, bit_of, named
from dsslic_search.features.colours import colour_features, oklch, term_of

# colours of CSS whose names end in what they are called, but for those that nobody agrees on
DISPUTED = {
    "aliceblue", "brown", "darkslateblue", "darkslategray", "darkslategrey", "greenyellow", "lightgray",
    "lightgrey", "lightgoldenrodyellow", "lightseagreen", "lightyellow", "mediumslateblue",
    "mediumvioletred", "palevioletred", "rosybrown", "sandybrown", "slateblue",
}  # fmt: skip
NAMED = [
    (name, term)
    for name in ImageColor.colormap
    for term in TERMS
    if name.replace("gray", "grey").endswith(term) and name not in DISPUTED
]


def test_colours_of_css_are_called_as_their_names_say() -> None:
    assert len(NAMED) > 40
    for name, term in NAMED:
        lightness, chroma, hue = map(float, oklch(np.array(ImageColor.getrgb(name), float)))
        assert term_of(lightness, chroma, hue) == term, name


def test_lightness_chroma_and_hue_are_those_that_are_published() -> None:
    # Ottosson 2020, table of sRGB primaries to OKLCh
    for rgb, wanted in (((255, 0, 0), (0.628, 0.2577, 29.23)), ((0, 0, 255), (0.452, 0.3132, 264.05))):
        assert np.allclose([float(x) for x in oklch(np.array(rgb, float))], wanted, atol=0.01)


def test_a_class_has_the_colours_of_its_own_cells() -> None:
    compact = np.full((4, 6, 3), (30, 80, 200), np.uint8)  # blue
    compact[:, 3:] = (200, 30, 30)  # red from the third cell on
    label_map = np.full((16, 24), 7, np.uint8)  # a label for 2 × 2 pixels
    label_map[:, 10:] = 20  # from the middle of a cell that is blue
    found = colour_features(compact, label_map, 2)
    assert {c: named(mask) for c, mask in found.of_class.items()} == {7: ("blue",), 20: ("red",)}
    assert named(found.photo) == ("red", "blue")
    assert found.brightness == 80  # of 78.7 and 80.8


def test_a_border_counts_only_for_what_has_nothing_else() -> None:
    compact = np.full((1, 2, 3), (20, 130, 40), np.uint8)
    label_map = np.array([[3] * 8, [3] * 8, [3] * 8, [5, 5, 5, 3, 3, 3, 3, 3]], np.uint8)[:, ::1]
    assert colour_features(compact, label_map, 2).of_class == {3: bit_of("green")}
    wide = np.where(label_map == 3, 3, 5).astype(np.uint8)
    wide[1:, :4] = 5  # most of the first cell
    assert colour_features(compact, wide, 2).of_class == {3: bit_of("green"), 5: bit_of("green")}


@pytest.mark.parametrize("scale", [1, 3, 8, 20])
def test_maps_of_any_scale_and_size(scale: int) -> None:
    rng = np.random.default_rng(scale)
    for height, width in ((1, 1), (5, 70), (40, 33)):
        compact = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        size = -(-8 * height // scale), -(-8 * width // scale)
        found = colour_features(compact, rng.integers(0, 3, size).astype(np.uint8), scale)
        assert set(found.of_class) <= {0, 1, 2} and found.of_class
        assert all(0 < mask < 1 << len(TERMS) for mask in found.of_class.values())


def test_photos_without_colours() -> None:
    label_map = np.zeros((64, 64), np.uint8)
    grey = np.linspace(0, 255, 64).astype(np.uint8).reshape(8, 8)
    assert BLACK_AND_WHITE in named(colour_features(grey, label_map, 1).photo)
    tinted = np.repeat(grey[..., None], 3, 2)
    assert BLACK_AND_WHITE in named(colour_features(tinted, label_map, 1).photo)
    tinted[2, 2] = (200, 40, 40)
    assert BLACK_AND_WHITE not in named(colour_features(tinted, label_map, 1).photo)
    assert colour_features(np.zeros((8, 8), np.uint8), label_map, 1).brightness == 0
