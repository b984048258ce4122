"""One number tells of every stretch of a side how much of a region lies in it, if that is half or more."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.features.region_numbers import LINES, SHARES, UNITS
from dsslic_search.index.regions.stretches import DIVISION_OF, DIVISIONS, HALF, SHARES_OF, codes, expected


@given(st.lists(st.integers(0, 60), min_size=12, max_size=12).filter(any))
def test_shares_of_half_or_more_come_back(twelfths: list[int]) -> None:
    """Of pixels that lie so in the twelfths of a side."""
    pixels, area = np.array(twelfths), sum(twelfths)
    ends = {"first half": (0, 6), "second half": (6, 12), "middle half": (3, 9)}
    ends |= {"first third": (0, 4), "middle third": (4, 8), "last third": (8, 12)}
    shares = {line: int(pixels[slice(*ends[line])].sum()) * SHARES // area for line in LINES}
    for name, lines in DIVISIONS.items():
        (code,) = codes(np.array([[shares[line]] for line in lines], np.uint8)).tolist()
        for line in lines:
            assert DIVISION_OF[line] == name
            assert SHARES_OF[line][code] == (shares[line] if shares[line] >= HALF else 0)


@given(st.integers(1, 90), st.data())
def test_what_lies_inside_a_stretch_is_expected_to(side: int, data: st.DataObject) -> None:
    """Whatever the box leaves open is expected to be nothing."""
    begin = data.draw(st.integers(0, side - 1))
    end = data.draw(st.integers(begin + 1, side))
    low, high = (np.array([edge * UNITS // side], np.uint16) for edge in (begin, end))
    whole = [1 + place * (SHARES - HALF + 1) + SHARES - HALF for place in range(3)]
    for name, lines in DIVISIONS.items():
        cuts = {"half": (0, 2, 4), "third": (0, 4, 8, 12), "middle": (1, 3)}[name]
        parts = 12 if name == "third" else 4
        inside = [
            cuts[place] * side <= parts * begin and parts * end <= cuts[place + 1] * side
            for place in range(len(lines))
        ]
        (found,) = expected(low, high, name).tolist()
        assert found == (whole[inside.index(True)] if any(inside) else 0)


def test_two_halves_and_two_thirds_may_be_half_each() -> None:
    for name, lines in DIVISIONS.items():
        for one in range(len(lines)):
            for other in range(one):
                shares = np.zeros((len(lines), 1), np.uint8)
                shares[[one, other]] = HALF
                (code,) = codes(shares).tolist()
                assert [int(SHARES_OF[line][code]) for line in lines] == shares[:, 0].tolist(), name
