"""Arrays of regions are the same by the compiled loop and without."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.vocabulary import Group, default
from dsslic_search.features import packed_loops
from dsslic_search.features.region_numbers import SHARES
from dsslic_search.features.regions import regions as regions_of
from dsslic_search.features.scene import packed
from dsslic_search.index import compiling
from dsslic_search.index.regions import build
from dsslic_search.index.source import Stored

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


MAPS = hnp.arrays(
    np.uint8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=17),
    elements=st.sampled_from([0, 1, 2, 3, 5]),
)


@given(st.lists(MAPS, max_size=4))
def test_photos_are_the_same_by_the_loops_and_by_whole_arrays(label_maps: list[np.ndarray]) -> None:
    groups = {len(V) + number: group.members for number, group in enumerate(GROUPS)}
    packs = packed([regions_of(each, groups).plain() for each in label_maps])
    stored = Stored.of([*enumerate(packs)])
    slow = build._sorted(stored, 9, V, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "PATIENCE", compiling.Patience(0, 0))
        read = compiling.compiled(packed_loops.read)
        assert build._fields(stored, V, read) is not None
        fast = build._sorted(stored, 9, V, read)
        pairs = build._by_pair(fast.contacts.copy(), fast.touched, fast.starts, len(V) + len(GROUPS))
    for field in fields(slow):
        one, other = getattr(fast, field.name), getattr(slow, field.name)
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist(), field.name
    plain = build._by_pair(slow.contacts.copy(), slow.touched, slow.starts, len(V) + len(GROUPS))
    for name, array in plain.items():
        assert pairs[name].tolist() == array.tolist(), name


def test_a_class_that_there_is_not_is_refused_by_the_loops_too() -> None:
    stored = Stored.of([*enumerate(packed([regions_of(np.full((4, 4), 250, np.uint8), {}).plain()]))])
    with pytest.raises(ArchiveError, match="not in the vocabulary"):
        build._sorted(stored, 0, V, packed_loops.read)


@pytest.mark.parametrize(("largest", "kept"), [(255, np.uint8), (256, np.uint16)])
def test_edges_are_kept_in_bytes_where_all_fit(largest: int, kept: type) -> None:
    edges = np.array([[0, 7], [largest, 3]], np.uint16)
    found = build._narrow(edges)
    assert found.dtype == kept and found.tolist() == edges.tolist()
    assert build._narrow(np.empty((4, 0), np.uint16)).dtype == np.uint8
