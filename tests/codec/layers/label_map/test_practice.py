"""What a model knows that every map is coded from: it follows from the practice maps alone."""

from __future__ import annotations

import zlib

import numpy as np

from dsslic_search.codec.layers.label_map import machine, practice, start


def test_the_package_holds_what_is_learnt_from_the_practice_maps():
    slots, cells = practice.learnt()
    kept = start.prepared(0)
    assert np.array_equal(kept[0], slots)
    assert np.array_equal(kept[1], cells)
    assert zlib.decompress(practice.written(slots, cells)) == zlib.decompress(start.LEARNT.read_bytes())


def test_it_knows_much_but_is_not_too_sure():
    slots, cells = start.prepared(0)
    assert 40_000 < np.count_nonzero(slots != start.FRESH_SLOT) < len(slots)
    assert (slots >> 8 & 255).max() == practice.MAX_LEARNT_COUNT
    assert (cells[machine.FLAGS : machine.TREE] & 255).max() == practice.MAX_LEARNT_COUNT
    fresh = start.fresh_cells()
    assert np.array_equal(cells[machine.TREE :], fresh[machine.TREE :])
    assert not np.array_equal(cells[: machine.FLAGS], fresh[: machine.FLAGS])
