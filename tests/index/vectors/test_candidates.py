"""Codes that the compiled loop chooses are those that FAISS chooses."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.index import compiling
from dsslic_search.index.vectors import candidates
from dsslic_search.index.vectors.candidates import Vectors


@pytest.mark.parametrize(("photos", "pieces", "piece"), [(17, 1, 4), (31, 3, 4), (96, 2, 6), (700, 5, 6)])
@pytest.mark.parametrize("shared", [3, 10**6])
def test_the_index_is_the_same_byte_for_byte(
    photos: int, pieces: int, piece: int, shared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "SHARED_BLOCKS", shared)
    rng, length = np.random.default_rng(photos), pieces * piece
    slots = np.sort(rng.permutation(length)[: length - 1])
    vectors = Vectors(
        rng.integers(-128, 128, (photos, slots.size), np.int8),
        rng.uniform(1, 4, slots.size).astype(np.float32),
        rng.uniform(0.001, 0.1, photos).astype(np.float32),
        slots,
        length,
    )
    found = []
    for patience in (10**12, 0):
        monkeypatch.setattr(compiling, "PATIENCE", compiling.Patience(patience, patience))
        found.append(candidates.quantised(vectors, piece).tobytes())
    assert found[0] == found[1]
    assert candidates.open_candidates(np.frombuffer(found[1], np.uint8))(
        vectors.some(slice(1)), 1, None
    ).rows.size
