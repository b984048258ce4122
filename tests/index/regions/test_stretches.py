"""One number tells of every stretch of a side how much of a region lies in it, if that is half or more."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.features.region_numbers import LINES, SHARES
from dsslic_search.index.regions.stretches import DIVISION_OF, DIVISIONS, HALF, NARROW, SHARES_OF, codes


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


def test_two_halves_and_two_thirds_may_be_half_each() -> None:
    for name, lines in DIVISIONS.items():
        for one in range(len(lines)):
            for other in range(one):
                shares = np.zeros((len(lines), 1), np.uint8)
                shares[[one, other]] = HALF
                (code,) = codes(shares).tolist()
                assert [int(SHARES_OF[line][code]) for line in lines] == shares[:, 0].tolist(), name


def test_numbers_that_are_kept_in_a_byte_fit_into_it() -> None:
    for name, lines in DIVISIONS.items():
        shares = [np.eye(len(lines), dtype=np.uint8) * SHARES]
        shares += [
            (np.arange(len(lines)) != each).astype(np.uint8)[:, None] * np.uint8(HALF)
            for each in range(len(lines))
        ]
        largest = int(codes(np.concatenate(shares, axis=1)).max())
        assert (largest <= 255) == (name in NARROW), name
