from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.index.quanta import QUANTA, TICKS, doubt, quanta, ticks

PIXELS = st.integers(1, 400_000)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20), st.integers(-2, TICKS + 2))
def test_doubt_is_never_wrong(parts: list[int], low: int) -> None:
    share = np.array([sum((np.array(parts) / (sum(parts) or 1)).tolist()[:-1])])
    held = int(ticks(share)[0]) >= low
    quantum = int(quanta(share)[0])
    fails, holds = doubt(low)
    assert fails < holds
    assert not (quantum <= fails and held)
    assert not (quantum >= holds and not held)


@given(PIXELS, st.data())
def test_a_bound_that_a_photo_hits_exactly_is_hit(pixels: int, data: st.DataObject) -> None:
    own = data.draw(st.integers(1, pixels))
    hundredths = data.draw(st.integers(0, 10_000))
    fraction = np.array([own / pixels])
    assert (int(ticks(fraction)[0]) >= hundredths * (TICKS // 10_000)) == (
        Fraction(own, pixels) >= Fraction(hundredths, 10_000)
    )


def test_ten_and_twenty_percent_are_not_more_than_thirty() -> None:
    assert 0.1 + 0.2 > 0.3
    assert ticks(np.array([0.1 + 0.2]))[0] == 3 * TICKS // 10


def test_quanta_tell_presence_and_fit_in_sixteen_bits() -> None:
    assert quanta(np.array([0, 1e-7, 1.0])).tolist() == [0, 1, QUANTA + 1]
    assert QUANTA + 1 <= 65_535


def test_one_quantum_at_most_is_in_doubt() -> None:
    for low in (-5, 0, 1, 5_000_000_000, 3 * TICKS // 10, TICKS // 2, TICKS, TICKS + 1, 2 * TICKS):
        fails, holds = doubt(low)
        assert holds - fails - 1 <= (1 < low < TICKS)
