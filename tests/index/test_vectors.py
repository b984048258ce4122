from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.errors import ArchiveError
from dsslic_search.features.embedding import DIMENSION
from dsslic_search.index.vectors import FILE, Vectors, open_vectors
from dsslic_search.vocabulary import default

V = default()


def units(seed: int, count: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def test_nearest_are_those_of_a_full_sort() -> None:
    matrix, ids = units(1, 500), np.random.default_rng(2).permutation(500).astype(np.int64)
    vectors = Vectors(1, ids, matrix)
    for query in units(3, 5):
        exact = matrix.astype(np.float64) @ query
        found, scores = vectors.nearest(query, 10)
        assert found.tolist() == ids[np.argsort(-exact)[:10]].tolist()
        assert scores == pytest.approx(np.sort(exact)[::-1][:10], abs=1e-6)


@pytest.mark.parametrize("k", [1, 3, 40, 119, 120, 500])
def test_ties_are_in_the_order_of_rows(k: int) -> None:
    three = units(4, 3)
    which = np.random.default_rng(5).integers(0, 3, 120)
    vectors = Vectors(1, np.arange(120, dtype=np.int64)[::-1].copy(), three[which])
    order = sorted(range(120), key=lambda row: (-float(three[which[row]] @ three[0]), row))
    assert vectors.nearest(three[0], k)[0].tolist() == vectors.ids[order[:k]].tolist()


def test_scores_of_some_ids_and_of_unknown_ones() -> None:
    matrix = units(6, 50)
    vectors = Vectors(1, np.arange(100, 0, -2, dtype=np.int64), matrix)
    asked = np.array([2, 100, 51, 50, 7], np.int64)
    expected = [matrix[49] @ matrix[0], 1, 0, matrix[25] @ matrix[0], 0]
    assert vectors.scores(matrix[0], asked) == pytest.approx(expected, abs=1e-6)
    assert vectors.scores(matrix[0], vectors.ids) == pytest.approx(matrix @ matrix[0], abs=1e-6)


def test_none_of_none() -> None:
    vectors = Vectors(1, np.empty(0, np.int64), np.empty((0, DIMENSION), np.float32))
    assert vectors.nearest(units(1, 1)[0], 5)[0].size == 0
    assert vectors.scores(units(1, 1)[0], np.array([4], np.int64)).tolist() == [0]


def test_the_catalog_is_read_once_and_again_when_it_changes_or_the_file_is_damaged(catalog: Any, tmp_path: Path) -> None:
    matrix = units(7, 12)
    for row, vector in enumerate(matrix):
        catalog.put(row + 1, {}, taken=datetime(2024, 1, 1) + timedelta(days=row), embedding=vector)
    first = open_vectors(catalog, tmp_path, V)
    assert first.ids.tolist() == list(range(12, 0, -1))
    assert np.array_equal(first.matrix, matrix[::-1])
    catalog.statements = 0
    assert np.array_equal(open_vectors(catalog, tmp_path, V).matrix, first.matrix)
    assert catalog.statements == 0
    damaged = bytearray((tmp_path / FILE).read_bytes())
    damaged[-5] ^= 1
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).write_bytes(damaged)
    assert np.array_equal(open_vectors(catalog, tmp_path, V).matrix, matrix[::-1])
    catalog.put(99, {}, embedding=matrix[0])
    assert 99 in open_vectors(catalog, tmp_path, V).ids


def test_an_embedding_of_another_length_is_told(catalog: Any, tmp_path: Path) -> None:
    catalog.put(3, {}, embedding=np.ones(5))
    with pytest.raises(ArchiveError, match="photo 3 has an embedding of 20 bytes"):
        open_vectors(catalog, tmp_path, V)
