"""Importances: how gains follow from them, and that bits go where they are wanted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec import container
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layers import importance, label_map
from dsslic_search.codec.layers.terms import SIXTY_FOURTHS, Terms, read_terms
from dsslic_search.codec.options import EncodeOptions
from tests.pictures import sample

HALVES = np.repeat(np.array([[3, 3, 7, 7]], np.uint8), 4, 0)
values = st.floats(importance.MIN_IMPORTANCE, importance.MAX_IMPORTANCE)


def test_gains_are_square_roots_and_the_quantiser_makes_up_for_them():
    gains, shift = importance.gains(((3, 4.0),), HALVES)
    assert gains is not None
    assert (gains.others, gains.of) == (SIXTY_FOURTHS // 2, ((3, SIXTY_FOURTHS),))
    # half of the photo gained 6 dB, the largest is taken out
    assert shift == pytest.approx(6 * (0.5 * 1 + 0.5 * 0 - 1))
    table = gains.table()
    assert (table[3], table[7], table[200]) == (SIXTY_FOURTHS, SIXTY_FOURTHS // 2, SIXTY_FOURTHS // 2)


def test_less_important_classes_are_scaled_down():
    gains, shift = importance.gains(((7, 0.25),), HALVES)
    assert gains is not None
    assert (gains.others, gains.of) == (SIXTY_FOURTHS, ((7, SIXTY_FOURTHS // 2),))
    assert shift == pytest.approx(-3)


@pytest.mark.parametrize(
    "wishes",
    [(), ((9, 4.0),), ((3, 1.0),), ((3, 2.0), (7, 2.0))],
    ids=["none", "not there", "as all", "everything alike"],
)
def test_nothing_is_weighted_where_nothing_differs(wishes):
    assert importance.gains(wishes, HALVES) == (None, 0.0)


@given(st.dictionaries(st.integers(0, 20), values, max_size=6), st.integers(0, 1000))
def test_gains_are_always_allowed_and_near_what_was_asked(wishes, seed):
    labels = np.random.default_rng(seed).integers(0, 8, (5, 5)).astype(np.uint8)
    gains, shift = importance.gains(tuple(wishes.items()), labels)
    assert abs(shift) <= 36 + 1e-9
    if gains is None:
        return
    terms = Terms(SIXTY_FOURTHS, gains=gains)
    assert read_terms(terms.to_bytes(), grey=True)[0] == terms
    table = gains.table()
    seen = {int(c): np.sqrt(wishes.get(int(c), 1.0)) for c in np.unique(labels)}
    largest = max(seen.values())
    assert all(
        abs(table[c] - max(1, SIXTY_FOURTHS * amplitude / largest)) <= 0.5 + 1e-9
        for c, amplitude in seen.items()
    )


@pytest.mark.parametrize("grey", [False, True])
def test_the_important_class_gets_better_at_about_the_same_size(grey):
    photo = sample("dogs.jpg", 240, grey)
    pixels = photo.pixels
    plain = encode_photo(photo, EncodeOptions(50, effort=2))
    shares = np.bincount(plain.label_map.reshape(-1), minlength=256) / plain.label_map.size
    wanted = int(np.abs(shares - 0.25).argmin())  # a class that is somewhere and not everywhere
    weighted = encode_photo(photo, EncodeOptions(50, effort=2, importance=((wanted, 8.0),)))
    scale = container.read_contents(plain.data).header.map_scale
    inside = label_map.enlarge(plain.label_map, scale, *pixels.shape[:2]) == wanted
    assert 0.03 < inside.mean() < 0.7

    def error(data: bytes, where: np.ndarray) -> float:
        shown = decode_stage(data).pixels
        return float(np.square(shown.astype(float) - (pixels[..., 0] if grey else pixels))[where].mean())

    assert error(weighted.data, inside) < 0.75 * error(plain.data, inside)
    assert error(weighted.data, ~inside) > error(plain.data, ~inside)
    assert len(weighted.data) < 1.45 * len(plain.data)
    terms, _ = read_terms(
        container.read_chunk(weighted.data, container.read(weighted.data), "RESI").data, grey
    )
    assert terms.gains is not None
    assert terms.trust == SIXTY_FOURTHS
