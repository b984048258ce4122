"""What is told of all regions of a class is what an array over all photos would tell."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.features.region_numbers import UNITS
from dsslic_search.index.regions import present
from dsslic_search.index.regions.present import Present
from dsslic_search.index.regions.relate import RegionMatches, degree_table

PHOTOS = 200


@pytest.mark.parametrize("loops", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_all_regions_of_a_class(loops: bool, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(present, "quick", lambda loop, values: loop if loops else None)
    monkeypatch.setattr(present, "runnable", lambda loop, photos: loop)
    rng = np.random.default_rng(3)
    rows = np.flatnonzero(rng.random(PHOTOS) < share).astype(np.uint32)
    sizes = rng.integers(1, 6, rows.size).astype(np.uint16)
    areas = rng.integers(0, UNITS + 1, rows.size).astype(np.uint16)
    found = Present(PHOTOS, rows, sizes, areas, degree_table(UNITS / 4))
    plain = RegionMatches(found.best, found.counts, degree_table(UNITS / 4))
    some = np.flatnonzero(rng.random(PHOTOS) < 0.4)
    for low, high in [(0, 0), (0, 2), (0, None), (1, None), (2, 4), (3, 3), (4, 2), (70_000, None)]:
        assert np.array_equal(found.within(low, high), plain.within(low, high))
        assert np.array_equal(found.within(low, high, some), plain.within(low, high, some))
    assert np.array_equal(found.degrees(some), plain.degrees(some))
    for degree in (0.0, 1 / 255, 0.01, 0.5, 1.0):
        for above in (False, True):
            assert np.array_equal(found.reaching(degree, above=above), plain.reaching(degree, above=above))
