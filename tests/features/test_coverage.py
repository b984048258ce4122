import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsslic_search.features.coverage import coverage

MAPS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.integers(0, 6))


@given(MAPS)
def test_each_fraction_is_the_quotient_of_pixel_counts(label_map: np.ndarray) -> None:
    found = coverage(label_map, 7)
    flat = label_map.ravel().tolist()
    assert found.dtype == np.float64
    assert found.tolist() == [flat.count(c) / len(flat) for c in range(7)]


def test_three_tenths_is_the_float_that_a_percentage_gives() -> None:
    assert coverage(np.array([[1, 1, 1, 0, 0, 0, 0, 0, 0, 0]], np.uint8), 2)[1] == 0.3


@pytest.mark.parametrize(
    "bad", [np.zeros((0, 5), np.uint8), np.zeros(5, np.uint8), np.full((2, 2), 7, np.uint8)]
)
def test_what_is_no_label_map_of_the_classes_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="label map"):
        coverage(bad, 7)
