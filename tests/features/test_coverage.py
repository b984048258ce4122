import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsslic_search.core.certainty import CERTAIN
from dsslic_search.core.colour_terms import COLOURS as TERMS
from dsslic_search.core.errors import FormatError
from dsslic_search.features.coverage import (
    CERTAINTY_KNOWN,
    COLOURS,
    COLOURS_KNOWN,
    SHOWN,
    Shown,
    coverage,
    pack_shown,
    read_shown,
    unpack_shown,
)

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


CLASSES = st.builds(
    Shown,
    st.integers(0, 255),
    st.floats(0, 1, exclude_min=True),
    st.none() | st.integers(0, CERTAIN),
    st.none() | st.integers(0, (1 << len(TERMS)) - 1),
)
PHOTOS = st.lists(st.lists(CLASSES, max_size=6, unique_by=lambda each: each.class_id).map(sorted), max_size=5)


@given(PHOTOS)
def test_what_is_stored_of_classes_comes_back(photos: list[list[Shown]]) -> None:
    stored = [pack_shown(shown) for shown in photos]
    assert [list(unpack_shown(each)) for each in stored] == photos
    assert [len(each) for each in stored] == [SHOWN.itemsize * len(shown) for shown in photos]
    found, counts = read_shown(stored)
    assert counts.tolist() == [len(shown) for shown in photos]
    assert found["class_id"].tolist() == [each.class_id for shown in photos for each in shown]
    assert found["fraction"].tolist() == [each.fraction for shown in photos for each in shown]
    for row, each in zip(found, [each for shown in photos for each in shown], strict=True):
        known = bool(row["colours"] & CERTAINTY_KNOWN), bool(row["colours"] & COLOURS_KNOWN)
        assert known == (each.certainty is not None, each.colours is not None)
        assert (row["certainty"], row["colours"] & COLOURS) == (each.certainty or 0, each.colours or 0)


def test_all_colours_have_a_bit_beside_those_that_say_what_is_known() -> None:
    assert (1 << len(TERMS)) - 1 <= COLOURS
    assert COLOURS & (CERTAINTY_KNOWN | COLOURS_KNOWN) == 0


@pytest.mark.parametrize("cut", [1, 11, 13])
def test_stored_classes_that_are_cut_off_are_refused(cut: int) -> None:
    stored = pack_shown([Shown(1, 0.5), Shown(2, 0.5)])[:cut]
    for read in (unpack_shown, lambda each: read_shown([b"", each])):
        with pytest.raises(FormatError, match="cut off"):
            read(stored)


@pytest.mark.parametrize("ids", [(2, 1), (1, 1)])
def test_stored_classes_stand_by_rising_id(ids: tuple[int, int]) -> None:
    whole, other = pack_shown([Shown(7, 1.0)]), pack_shown(Shown(i, 0.5) for i in ids)
    with pytest.raises(FormatError, match="rising"):
        read_shown([whole, other])
    assert read_shown([whole, whole])[1].tolist() == [1, 1]
