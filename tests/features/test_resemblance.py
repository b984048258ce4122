"""Layouts and image embeddings in one number."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.features.resemblance import Mixture, mixture


def test_a_likeness_is_the_weighted_mean_of_both_cosines() -> None:
    mixed = Mixture(0.25, 0.8)
    layout, image = np.array([1.0, 0.5, -0.2], np.float32), np.array([0.4, 0.9, 0.0], np.float32)
    assert mixed.of(layout, image) == pytest.approx([0.875, 0.625, -0.15])
    assert mixed.of(layout, image).dtype == np.float32


def test_where_nothing_can_be_compared_the_layout_stands_for_it() -> None:
    mixed = Mixture(0.25, 0.8)
    layout, unknown = np.array([1.0, 0.5], np.float32), np.full(2, np.nan, np.float32)
    assert mixed.of(layout, unknown).tolist() == layout.tolist()


def test_what_ships_mixes_both_and_keeps_the_order_of_layouts() -> None:
    mixed = mixture()
    assert 0 < mixed.share < 1
    layout = np.linspace(-1, 1, 50, dtype=np.float32)
    alone = mixed.of(layout, np.full(50, np.nan, np.float32))
    assert (np.diff(alone) > 0).all()
    assert alone[-1] <= 1
