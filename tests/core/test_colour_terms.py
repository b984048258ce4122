"""What masks of colour terms say of photos."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.core.colour_terms import BLACK_AND_WHITE, bit_of, shows


@pytest.mark.parametrize(
    ("terms", "colourful"),
    [
        ((), False),
        (("green",), False),
        (("green", "blue"), True),
        (("red", "yellow", "pink", "grey"), True),
        (("brown", "black", "white", "grey", "blue"), False),
        ((BLACK_AND_WHITE, "white"), False),
    ],
)
def test_two_chromatic_terms_are_colourful(terms: tuple[str, ...], colourful: bool) -> None:
    masks = np.array([sum(map(bit_of, terms)), 0], np.uint16)
    assert shows(masks, "colourful").tolist() == [colourful, False]
    assert shows(masks, "green").tolist() == ["green" in terms, False]
