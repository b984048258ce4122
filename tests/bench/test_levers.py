"""The measuring of single means: that points are of real files and that the summary says what the points
say."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.bench import levers
from dsslic_search.core.errors import UsageError
from tests.pictures import sample


@pytest.fixture(scope="module")
def of() -> levers.Subject:
    return levers.subject(sample(side=160).pixels)


def test_every_means_codes_the_photo_better_at_a_lower_qp(of):
    for code in (levers._anchor, *levers.MEANS.values()):
        (small, worse), (large, better) = code(of, 38), code(of, 28)
        assert 200 < small < large < of.pixels.size
        assert 20 < worse < better < 50


def test_colour_axes_and_restoration_are_measured_apart(of):
    plain, restored = (
        levers.MEANS[name](of, 37) for name in ("colour axes, thorough", "colour axes, thorough, restoration")
    )
    assert plain[0] == restored[0]
    assert plain[1] != restored[1]


def test_overhead_is_by_offset_and_qp(of):
    overhead = levers._overhead(of)
    sizes = np.array(overhead["compact_bytes"])
    assert sizes.shape == np.shape(overhead["coarse_psnr_rgb"]) == (len(levers.OFFSETS), len(levers.QPS))
    assert (np.diff(sizes, axis=0) <= 0).all()
    assert (np.diff(sizes, axis=1) <= 0).all()


def test_the_summary_of_a_tenth_fewer_bytes_is_minus_ten_percent():
    anchor = [(10_000 // 2**i, 42.0 - 3 * i) for i in range(len(levers.QPS))]
    curve = [(0.9 * size, quality) for size, quality in anchor]
    summary = levers._summary([curve, anchor], [anchor, anchor])
    assert summary == {"mean": -5.0, "best": -10.0, "worst": 0.0, "low_rates": -5.0, "high_rates": -5.0}


def test_a_folder_without_clean_photos_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no clean photos"):
        levers.run(tmp_path)
