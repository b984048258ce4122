"""The measure of colourfulness, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.bench.colourful import colourfulness, table


def test_colourfulness_of_simple_pictures() -> None:
    assert colourfulness(np.full((4, 4, 3), 127, np.uint8)) == 0
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    assert colourfulness(red) == pytest.approx(0.3 * np.hypot(200, 100))
    halves = red.copy()
    halves[:2] = (0, 200, 0)  # rg is 200 and -200, yb 100 in both
    assert colourfulness(halves) == pytest.approx(200 + 0.3 * 100)


def test_the_table_counts_what_is_right_and_what_is_found() -> None:
    rows = list(table([(0, 20.0), (0, 50.0), (1, 60.0), (2, 40.0)]))
    assert rows[0].startswith("| 4 photos: terms at least |")
    assert (
        rows[-1]
        == "| 2 | 1 | 40 | 1.00 right, 0.33 found | 0.00 right, 0.00 found | 0.00 right, 0.00 found |"
    )
