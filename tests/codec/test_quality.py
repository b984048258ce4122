from __future__ import annotations

from itertools import pairwise

import pytest

from dsslic_search.codec.quality import quantisers
from dsslic_search.core.errors import UsageError


def test_better_quality_never_quantises_more_coarsely():
    steps = [quantisers(q) for q in range(1, 101)]
    assert all(a.residual >= b.residual and a.compact >= b.compact for a, b in pairwise(steps))
    assert all(0 <= s.residual <= 51 and 0 <= s.compact <= 51 for s in steps)
    assert steps[0].residual > steps[-1].residual


@pytest.mark.parametrize("quality", [0, -1, 102, 75.5])
def test_impossible_quality_is_refused(quality):
    with pytest.raises(UsageError, match="1 \\(smallest files\\) to 100"):
        quantisers(quality)
