import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.vocabulary import default
from dsslic_search.features.embedding import (
    BLOCK_STARTS,
    DIMENSION,
    WEIGHT_ROOTS,
    embed,
    mirrored,
    pack,
    query,
)
from dsslic_search.index import compiling
from dsslic_search.index.cache import Arrays
from dsslic_search.index.vectors import candidates, scan
from dsslic_search.index.vectors.table import KIND, Vectors, arrays_of, open_vectors
from tests import segments
from tests.segments import apart, file_of, ids_in, whole

V = default()


def embeddings(seed: int, count: int) -> np.ndarray:
    """Of label maps of 6 x 6 random labels, each one of four common for all."""
    rng = np.random.default_rng(seed)
    few = rng.integers(0, len(V), 4).astype(np.uint8)
    return np.stack(
        [embed(few[rng.integers(0, 4, (6, 6)) * (rng.random((6, 6)) < 0.5)], V) for _ in range(count)]
    )


def opened(matrix: np.ndarray) -> Vectors:
    return Vectors(apart(len(matrix)), Arrays(arrays_of(pack(matrix))))


def by_the_rule(queries: np.ndarray, matrix: np.ndarray) -> list[float]:
    """The rule of index.scan, in Python's own numbers."""
    scores = []
    for packed in pack(matrix).tolist():
        square = sum(n * n * round(r * r) for n, r in zip(packed, WEIGHT_ROOTS.tolist(), strict=True))
        best = -np.inf
        for wanted in queries:
            weights = [float(w) * float(r) for w, r in zip(wanted, WEIGHT_ROOTS, strict=True)]
            unit = max(map(abs, weights)) / 32767
            best = max(best, unit * sum(n * round(w / unit) for n, w in zip(packed, weights, strict=True)))
        scores.append(float(np.float32(best * float(np.float32(1 / square**0.5)))))
    return scores


@pytest.fixture(params=["numpy", "plain loop", "compiled loop"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param != "numpy":
        monkeypatch.setattr(scan, "COMPILED_FROM", 1)
        monkeypatch.setattr(scan, "ROWS_PER_TASK", 13)
        monkeypatch.setattr(scan, "CHOSEN_ROWS_PER_TASK", 7)
        monkeypatch.setattr(compiling.PATIENCE, "photos", 0 if request.param == "compiled loop" else 10**9)
    return str(request.param)


def test_scores_are_as_the_rule_says_whichever_way_they_are_found(way: str) -> None:
    matrix, asked = embeddings(1, 40), embeddings(2, 2)
    vectors, expected = opened(matrix), by_the_rule(asked, matrix)
    assert vectors.scores(asked).tolist() == expected
    some = np.array([3, 39, 0, 3, 17])
    assert vectors.scores(asked, some).tolist() == [expected[i] for i in some]
    ids, scores = vectors.nearest(asked, 12)
    best = sorted(range(40), key=lambda i: (-expected[i], i))[:12]
    assert ids.tolist() == best
    assert scores.tolist() == [expected[i] for i in best]


def test_the_rule_is_the_inner_product() -> None:
    matrix, asked = embeddings(3, 60), embeddings(4, 3)
    vectors = opened(matrix)
    assert vectors.scores(asked) == pytest.approx((asked @ matrix.T).max(axis=0), abs=3e-5)
    assert vectors.nearest(matrix[7:8], 1)[1] == pytest.approx([1], abs=1e-5)


def test_nearest_are_those_of_a_full_sort() -> None:
    vectors = opened(embeddings(1, 500))
    for asked in embeddings(3, 5):
        exact = vectors.scores(asked[None])
        for k in (1, 10, 29, 200, 499, 500, 900):  # those below 500 / 32 are looked for above a bound
            found, scores = vectors.nearest(asked[None], k)
            order = np.argsort(-exact, kind="stable")[:k]
            assert found.tolist() == order.tolist()
            assert scores.tolist() == exact[order].tolist()


@pytest.mark.parametrize("k", [1, 3, 40, 119, 120, 500])
def test_ties_are_in_the_order_of_rows(k: int) -> None:
    three = embeddings(4, 3)
    which = np.random.default_rng(5).integers(0, 3, 120)
    vectors = opened(three[which])
    order = sorted(range(120), key=lambda row: (-float(three[which[row]] @ three[0]), row))
    assert vectors.nearest(three[:1], k)[0].tolist() == order[:k]


def test_the_most_alike_of_several_alternatives_counts() -> None:
    matrix = embeddings(8, 30)
    vectors = opened(matrix)
    both = np.stack([matrix[4], mirrored(matrix[9])])
    assert vectors.scores(both).tolist() == np.maximum(*(vectors.scores(b[None]) for b in both)).tolist()
    turned = opened(mirrored(matrix))
    assert set(turned.nearest(both, 1)[0]) <= {4, 9}


def test_scores_of_some_rows_and_of_photos_without_an_embedding() -> None:
    matrix = embeddings(6, 50)
    matrix[7] = 0
    vectors = opened(matrix)
    rows = np.array([49, 0, 7, 25], np.intp)
    expected = [matrix[49] @ matrix[0], 1, 0, matrix[25] @ matrix[0]]
    assert vectors.scores(matrix[:1], rows) == pytest.approx(expected, abs=3e-5)
    assert vectors.scores(matrix[:1], rows)[2] == vectors.scores(matrix[:1])[7] == 0


def test_none_of_none() -> None:
    vectors = opened(np.empty((0, DIMENSION), np.float32))
    assert vectors.nearest(embeddings(1, 1), 5)[0].size == 0
    assert vectors.scores(embeddings(1, 1)).tolist() == []
    assert opened(embeddings(1, 3)).nearest(embeddings(1, 1), 0)[0].size == 0


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    return np.concatenate([embeddings(seed, 250) for seed in range(10, 18)])


class TestManyPhotos:
    """What large archives do, with limits that a small one reaches."""

    @pytest.fixture(autouse=True)
    def limits(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(candidates, "CHOSEN_FROM", 1000)
        monkeypatch.setattr(candidates, "MIN_CANDIDATES", 40)
        yield

    def test_nearly_all_of_the_nearest_are_found_and_their_scores_are_exact(self, matrix: np.ndarray) -> None:
        few, many = opened(matrix[:900]), opened(matrix)
        assert "candidates" not in few.arrays
        assert many.arrays["candidates"].dtype == np.uint8
        hits = 0
        for number in range(0, 2000, 100):
            asked = matrix[number : number + 1]
            exact = many.scores(asked, many.ids)
            ids, scores = many.nearest(asked, 5)
            assert scores.tolist() == exact[ids].tolist() == sorted(scores, reverse=True)
            assert ids[0] == number or exact[ids[0]] == exact[number]
            hits += int((scores >= np.sort(exact)[-5]).sum())
        assert hits >= 95
        exact = few.scores(matrix[:1], few.ids)
        assert few.nearest(matrix[:1], 5)[0].tolist() == np.argsort(-exact, kind="stable")[:5].tolist()

    def test_large_answers_are_exact(self, matrix: np.ndarray) -> None:
        vectors = opened(matrix)
        exact = vectors.scores(matrix[:1])
        assert (
            vectors.nearest(matrix[:1], 300)[0].tolist() == np.argsort(-exact, kind="stable")[:300].tolist()
        )

    def test_queries_that_leave_cells_open_get_more_candidates(self, matrix: np.ndarray) -> None:
        label_map, known = np.full((10, 10), 3, np.uint8), np.ones((10, 10), bool)
        whole = query(label_map, known, V)[None]
        known[:, 5:] = False
        half = query(label_map, known, V)[None]
        assert candidates.enough(whole, 1000, 1) == candidates.enough(matrix[:1], 1000, 1) == 40
        assert candidates.enough(half, 1000, 1) == 120
        for start, stop in itertools.pairwise(BLOCK_STARTS):
            open_there = whole.copy()
            open_there[:, start:stop] = 0
            assert candidates.enough(open_there, 1000, 1) == 120
        assert candidates.enough(whole, 5_000_000, 1) == 200
        assert candidates.enough(whole, 1000, 10) == 160
        vectors = opened(matrix)
        exact = vectors.scores(half)
        assert np.mean(vectors.nearest(half, 5)[1] >= np.sort(exact)[-5]) >= 0.6

    @pytest.mark.parametrize("alike", [True, False])
    def test_candidates_among_some_are_the_nearest_of_these(self, matrix: np.ndarray, alike: bool) -> None:
        """Be the nearest of all among them or not."""
        vectors, hits = opened(matrix), 0
        for number in range(0, 2000, 200):
            asked = matrix[number : number + 1]
            exact = vectors.scores(asked)
            order = np.argsort(-exact, kind="stable")
            among = np.zeros(len(vectors), bool)
            among[order[::2] if alike else order[60:]] = True
            chosen = vectors.candidates(asked, 5, among)
            assert chosen is not None
            rows = chosen.rows
            assert np.unique(rows).size == rows.size and (np.diff(chosen.told) <= 0).all()
            assert rows.size == candidates.enough(asked, 2000, 5, among=True) == 160
            assert among[rows].all()
            hits += int((exact[rows] >= np.sort(exact[among])[-5]).sum() >= 5)
        assert hits >= 9

    def test_no_more_candidates_are_scored_than_may_be_among_the_best(self) -> None:
        """Those told to be far worse are not; those that may be told wrongly are."""
        rng = np.random.default_rng(4)
        exact = np.sort(rng.uniform(0, 0.5, 4000)).astype(np.float32)[::-1].copy()
        exact[:40] += 0.4
        for error, scored in ((0.001, 512), (0.3, 1024)):
            told = exact + rng.normal(0, error, exact.size).astype(np.float32)
            order = np.argsort(-told, kind="stable")
            asked: list[int] = []

            def scores(rows: np.ndarray, asked: list[int] = asked) -> np.ndarray:
                asked += rows.tolist()
                return exact[rows]

            rows, found = candidates.Chosen(order, told[order]).best(10, scores)
            assert asked == order[: len(asked)].tolist()
            assert len(asked) == scored if scored == 512 else len(asked) >= scored
            assert rows.tolist() == sorted(asked, key=lambda row: (-exact[row], row))[:10]
            assert np.array_equal(found, exact[rows])

    def test_fewer_candidates_than_are_wanted_come_all_and_equal_ones_in_their_order(self) -> None:
        chosen = candidates.Chosen(np.array([7, 2, 5]), np.array([0.9, 0.8, 0.7], np.float32))
        rows, _ = chosen.best(5, lambda rows: np.where(rows == 7, 0.1, 0.2).astype(np.float32))
        assert rows.tolist() == [2, 5, 7]
        none = candidates.Chosen(np.empty(0, np.intp), np.empty(0, np.float32))
        assert none.best(3, lambda rows: np.zeros(rows.size, np.float32))[0].size == 0

    def test_all_are_scored_where_few_pass(self, matrix: np.ndarray) -> None:
        among = np.zeros(len(matrix), bool)
        among[:600] = True
        assert opened(matrix).candidates(matrix[:1], 5, among) is None

    def test_pieces_keep_inner_products_and_never_span_cells(self, matrix: np.ndarray) -> None:
        one, other = candidates.spread(matrix[:2]), candidates.spread(matrix[2:4])
        assert one @ other.T == pytest.approx(matrix[:2] @ matrix[2:4].T, abs=1e-6)
        for start, stop in itertools.pairwise(BLOCK_STARTS):
            marked = np.zeros((1, DIMENSION), np.float32)
            marked[:, start:stop] = 1
            pieces = candidates.spread(marked).reshape(-1, 6).any(axis=1)
            marked[:, start:stop] = 0
            marked[:, :start] = marked[:, stop:] = 1
            assert not (pieces & candidates.spread(marked).reshape(-1, 6).any(axis=1)).any()

    def test_the_index_is_stored_and_read_again(
        self, catalog: Any, tmp_path: Path, matrix: np.ndarray, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(candidates, "CHOSEN_FROM", 60)
        for row, vector in enumerate(matrix[:70]):
            catalog.put(row + 1, {}, embedding=vector)
        built = open_vectors(whole(catalog, tmp_path, V))
        monkeypatch.setattr(candidates, "build", None)
        again = open_vectors(whole(catalog, tmp_path, V))
        assert np.array_equal(again.arrays["candidates"], built.arrays["candidates"])
        monkeypatch.setattr(candidates, "MIN_CANDIDATES", 2)
        monkeypatch.setattr(candidates, "enough", lambda *_: 16)
        assert again.nearest(matrix[:1], 3)[0].tolist() == built.nearest(matrix[:1], 3)[0].tolist()


def test_the_catalog_is_read_once_and_again_when_it_changes_or_the_file_is_damaged(
    catalog: Any, tmp_path: Path
) -> None:
    matrix = embeddings(7, 12)
    for row, vector in enumerate(matrix):
        catalog.put(row + 1, {}, taken=datetime(2024, 1, 1) + timedelta(days=row), embedding=vector)
    first = open_vectors(whole(catalog, tmp_path, V))
    assert first.ids.tolist() == list(range(12, 0, -1))
    assert np.array_equal(first.arrays["packed"], pack(matrix)[::-1])
    assert first.arrays.nbytes == 12 * (DIMENSION + 4)
    catalog.statements = 0
    assert np.array_equal(open_vectors(whole(catalog, tmp_path, V)).arrays["packed"], first.arrays["packed"])
    assert catalog.statements <= 2  # what the state is
    path = file_of(tmp_path, KIND)
    damaged = bytearray(path.read_bytes())
    damaged[-900] ^= 1
    path.unlink()
    path.write_bytes(damaged)
    again = segments.asked(catalog, tmp_path, lambda segment: open_vectors(segment).arrays["packed"].tolist())
    assert again == pack(matrix)[::-1].tolist()
    catalog.put(99, {}, embedding=matrix[0])
    assert 99 in ids_in(catalog, tmp_path)


def test_an_embedding_of_another_length_is_told(catalog: Any, tmp_path: Path) -> None:
    catalog.put(3, {}, embedding=np.ones(5))
    with pytest.raises(ArchiveError, match="photo 3 has an embedding of 20 bytes"):
        open_vectors(whole(catalog, tmp_path, V))
