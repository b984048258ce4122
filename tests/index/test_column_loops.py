"""Loops over columns do, uncompiled, what whole-array operations say."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.index import column_loops, column_rows
from dsslic_search.index.column_rows import KEPT, Rows, quanta_together, together

PHOTOS = 300


def some(rng: np.random.Generator, share: float) -> Rows:
    rows = np.flatnonzero(rng.random(PHOTOS) < share).astype(np.uint32)
    most = {"": 20_000, "_certainty": 256, "_colours": 1 << 12}
    return Rows(
        rows, {what: rng.integers(1, most[what], rows.size).astype(dtype) for what, dtype in KEPT.items()}
    )


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("block", [1, 7, 64])
def test_what_stands_beside_a_full_column_is_looked_up(share: float, block: int) -> None:
    rng = np.random.default_rng(1)
    pairs = some(rng, share)
    column, beside = np.zeros(PHOTOS, np.uint16), np.zeros(PHOTOS, np.uint8)
    column_loops.put(pairs.rows, pairs.kept[""], column)
    beside[pairs.rows] = pairs.kept["_certainty"]
    assert np.array_equal(np.flatnonzero(column), pairs.rows)
    before = np.zeros(-(-PHOTOS // block), np.uint32)
    column_loops.tally(column, block, before)
    rows = np.flatnonzero(rng.random(PHOTOS) < 0.3)
    found = np.zeros(rows.size, np.uint8)
    column_loops.look_up(column, block, before, pairs.kept["_certainty"], rows, found)
    assert np.array_equal(found, beside[rows])


def test_quanta_of_a_group_alone_are_those_of_all_that_is_kept_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_rows, "quick", lambda loop, values: loop)
    monkeypatch.setattr(column_rows, "compiled", lambda loop: loop)
    rng = np.random.default_rng(2)
    members = [some(rng, share) for share in (0.1, 0.5, 0.9, 0.0)]
    several = int(together(members, PHOTOS, None).kept["several"].sum())
    more = {what: rng.integers(-1, 2, several).astype(np.int16) for what in ("", "_certainty")}
    exact = together(members, PHOTOS, more)
    column = np.zeros(PHOTOS, np.uint16)
    assert quanta_together([(each.rows, each.kept[""]) for each in members], more[""], column)
    assert np.array_equal(np.flatnonzero(column), exact.rows)
    assert np.array_equal(column[exact.rows], exact.kept[""])
