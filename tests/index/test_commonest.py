"""The commonest values of a block, and what is left without them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from dsslic_search.index import compiling
from dsslic_search.index.commonest import COUNTED_RANGE, MOST_NUMBERS, Commonest


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("least", [0, -5, 2**40, -(2**63)])
@pytest.mark.parametrize("kinds", [1, 2, 5, 300])
def test_the_commonest_are_set_apart(
    monkeypatch: pytest.MonkeyPatch, compiled: bool, least: int, kinds: int
) -> None:
    monkeypatch.setattr(compiling.PATIENCE, "values", 0 if compiled else 10**9)
    monkeypatch.setattr(compiling.PATIENCE, "photos", 0 if compiled else 10**9)
    rng = np.random.default_rng(kinds)
    words = (least + rng.geometric(0.3, 2000) % kinds).astype(np.int64).view(np.uint64)
    common, counts = Commonest(words), Counter(words.tolist())
    for bits in range(1, MOST_NUMBERS + 1):
        values, numbers, others = common.apart(bits)
        assert values.size == 2**bits - 1
        assert np.array_equal(values, common.values(bits))
        told = values.tolist()
        most = [counts[value] for value in told]
        assert most == [count for _, count in counts.most_common(len(told))] + [0] * (len(told) - len(counts))
        assert [told[n] if n < len(told) else None for n in numbers.tolist()] == [
            word if word in told else None for word in words.tolist()
        ]
        assert others.tolist() == [word for word in words.tolist() if word not in told]


def test_of_a_wide_range_the_ends_are_taken() -> None:
    words = np.array([3, COUNTED_RANGE + 3, 70, 3], np.uint64)
    assert Commonest(words).values(1).tolist() == [3]
    assert set(Commonest(words).values(3).tolist()) == {3, COUNTED_RANGE + 3}
    assert Commonest(words).apart(2)[2].tolist() == [70]
