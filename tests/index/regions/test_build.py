"""Arrays of regions are the same by the compiled loop and without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsslic_search.core.vocabulary import Group, default
from dsslic_search.features.region_numbers import SHARES
from dsslic_search.index import compiling
from dsslic_search.index.regions import build

GROUPS = (Group("two", (0, 1), ()), Group("three", (1, 2, 5), ()), Group("one", (3,), ()))
V = replace(default(), groups=GROUPS)
THINGS = st.sampled_from([0, 1, 2, 3, 5, 7, *range(len(V), len(V) + len(GROUPS))])


@given(
    st.lists(st.dictionaries(THINGS, hnp.arrays(np.uint8, 2, elements=st.integers(0, SHARES)), max_size=6))
)
def test_contacts_of_half_are_the_same_compiled_and_not(regions: list[dict[int, np.ndarray]]) -> None:
    touched = np.array([len(each) for each in regions], np.intp)
    rows = [(thing, *each[thing]) for each in regions for thing in sorted(each)]
    contacts = np.array(rows, np.uint8).reshape(-1, 3).T.copy()
    found = []
    for patience in (10**12, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compiling, "PATIENCE", compiling.Patience(patience, patience))
            kept, left = build._of_half(contacts, touched, V)
            found.append((kept.tolist(), left.tolist()))
    assert found[0] == found[1]
