from __future__ import annotations

import numpy as np

from dsslic_search.codec import residual


def test_every_pair_of_grey_levels_comes_back():
    photo, coarse = (a.astype(np.uint8) for a in np.meshgrid(np.arange(256), np.arange(256)))
    samples = residual.to_samples(photo, coarse)
    assert samples.min() == 2
    assert samples.max() == 1022
    assert np.array_equal(residual.apply(coarse, samples), photo)


def test_an_error_of_one_sample_costs_at_most_one_level():
    photo, coarse = (a.astype(np.uint8) for a in np.meshgrid(np.arange(256), np.arange(256)))
    samples = residual.to_samples(photo, coarse)
    for error in (-1, 1):
        seen = residual.apply(coarse, (samples.astype(int) + error).astype(np.uint16))
        assert np.abs(seen.astype(int) - photo).max() <= 1
