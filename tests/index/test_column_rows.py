"""What is kept of a group is told by its classes and a number where a photo shows several of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import MonkeyPatch, mark

from dsslic_search.index import compiling
from dsslic_search.index.column_rows import Rows, together

COVER = st.dictionaries(
    st.integers(0, 19),
    st.tuples(st.integers(1, 65_001), st.integers(0, 255), st.integers(0, 2**11 - 1)),
)


def column(shown: dict[int, tuple[int, int, int]]) -> Rows:
    rows = sorted(shown)
    quanta, certainties, colours = (np.array([shown[row][k] for row in rows], int) for k in range(3))
    kept = {"": quanta.astype(np.uint16), "_certainty": certainties.astype(np.uint8)}
    return Rows(np.array(rows, np.uint32), kept | {"_colours": colours.astype(np.uint16)})


@mark.parametrize("patience", [10**12, 0], ids=["whole arrays", "compiled loops"])
@given(st.lists(COVER, min_size=1, max_size=4), st.integers(-300, 300))
def test_one_class_is_taken_as_it_is_and_several_are_put_right(
    patience: int, members: list[dict[int, tuple[int, int, int]]], more: int
) -> None:
    with MonkeyPatch.context() as patch:
        patch.setattr(compiling, "PATIENCE", compiling.Patience(patience, patience))
        are_put_together(members, more)


def are_put_together(members: list[dict[int, tuple[int, int, int]]], more: int) -> None:
    guessed = together([column(member) for member in members], 20, None)
    rows = sorted({row for member in members for row in member})
    assert guessed.rows.tolist() == rows
    several = [sum(row in member for member in members) > 1 for row in rows]
    assert guessed.kept["several"].tolist() == several
    for place, row in enumerate(rows):
        shown = [member[row] for member in members if row in member]
        masks = 0
        for _, _, colours in shown:
            masks |= colours
        assert guessed.kept["_colours"][place] == masks
        weighed = [(2 * quantum - 1, certainty) for quantum, certainty, _ in shown]
        mean = sum(w * c for w, c in weighed) / sum(w for w, _ in weighed)
        assert abs(int(guessed.kept["_certainty"][place]) - mean) <= 0.5
        exact = sum(quantum - 1 for quantum, _, _ in shown) + 1
        assert int(guessed.kept[""][place]) == exact % 2**16
    corrections = np.full(sum(several), more, np.int16)
    right = together([column(member) for member in members], 20, {"": corrections, "_certainty": corrections})
    for what, kind in (("", 2**16), ("_certainty", 2**8)):
        told = (guessed.kept[what].astype(int) + more * np.array(several)) % kind
        assert right.kept[what].tolist() == told.tolist()
