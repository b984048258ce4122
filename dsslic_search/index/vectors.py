"""The embeddings of all photos, and exact nearest neighbours among them by inner product (FAISS).

Rows are in the same order as those of the columns: newest first, then by id. A score is always the same function of the two
vectors alone: FAISS chooses candidates, generously, and their scores are computed here, so that equal vectors tie exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsslic_search.errors import ArchiveError
from dsslic_search.features.embedding import DIMENSION
from dsslic_search.index import cache
from dsslic_search.index.source import Snapshot, Source
from dsslic_search.vocabulary import Vocabulary

FILE = "layout.vectors"
KIND = "layout"
BLOCK = 16_384  # rows scored at once
MARGIN = 1e-5  # more than two ways of summing a float32 inner product of unit vectors differ


@dataclass(frozen=True)
class Vectors:
    """Embeddings of one generation of the catalog. ``ids``: int64[n]; ``matrix``: float32[n, DIMENSION], rows of length 1."""

    generation: int
    ids: NDArray[np.int64]
    matrix: NDArray[np.float32]

    def __len__(self) -> int:
        return int(self.ids.size)

    def nearest(self, vector: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The ``k`` photos (all, if there are fewer) nearest to ``vector`` (float32[DIMENSION], length 1), best first, exactly.

        Returns ids (int64) and inner products (float32, about -1..1). Ties: newest first, then by id."""
        k = min(k, len(self))
        if k <= 0:
            return self.ids[:0], np.empty(0, np.float32)
        rows = self._candidates(vector, k)
        scores = self._inner(vector, rows)
        best = np.argsort(-scores, kind="stable")[:k]
        return self.ids[rows[best]], scores[best]

    def scores(self, vector: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Inner products of ``vector`` with the embeddings of ``ids`` in their order, float32; 0 for ids that have none."""
        if np.array_equal(ids, self.ids):
            return self._inner(vector, np.arange(len(self)))
        found = np.zeros(ids.size, np.float32)
        if len(self):
            place = np.minimum(np.searchsorted(self.ids, ids, sorter=self._by_id), len(self) - 1)
            rows = self._by_id[place]
            known = self.ids[rows] == ids
            found[known] = self._inner(vector, rows[known])
        return found

    @cached_property
    def _by_id(self) -> NDArray[np.intp]:
        return np.argsort(self.ids)

    def _candidates(self, vector: NDArray[np.float32], k: int) -> NDArray[np.intp]:
        """Rows, ascending, that are sure to hold the best ``k`` and all that tie with the last of them."""
        import faiss

        asked = min(2 * k + 16, len(self))
        while True:
            found, rows = faiss.knn(vector[None], self.matrix, asked, metric=faiss.METRIC_INNER_PRODUCT)
            if asked == len(self) or found[0, -1] < found[0, k - 1] - MARGIN:
                return np.sort(rows[0][rows[0] >= 0]).astype(np.intp)
            asked = min(4 * asked, len(self))

    def _inner(self, vector: NDArray[np.float32], rows: NDArray[np.intp]) -> NDArray[np.float32]:
        scores = np.empty(rows.size, np.float32)
        for start in range(0, rows.size, BLOCK):
            part = rows[start : start + BLOCK]
            scores[start : start + BLOCK] = np.einsum("ij,j->i", self.matrix[part], vector)
        return scores


def open_vectors(source: Source, folder: Path, vocabulary: Vocabulary) -> Vectors:
    """The embeddings of the catalog as it is now: from ``folder`` if a sound and current file is there, else built and stored.

    A folder that cannot be written costs time at the next opening, nothing else. Raises ArchiveError when a photo's embedding
    has another length than DIMENSION."""
    generation, arrays = cache.opened(source, folder / FILE, KIND, f"{vocabulary.identity}/{DIMENSION}", _build)
    return Vectors(generation, arrays["ids"], arrays["matrix"])


def _build(snapshot: Snapshot) -> cache.Arrays:
    ids: list[int] = []
    parts: list[NDArray[np.float32]] = []
    for batch in snapshot.embeddings():
        for photo_id, embedding in batch:
            if len(embedding) != 4 * DIMENSION:
                raise ArchiveError(
                    f"photo {photo_id} has an embedding of {len(embedding)} bytes where {4 * DIMENSION} are due: "
                    "the archive was made by another version; describe its photos anew with: dss-search reindex"
                )
            ids.append(photo_id)
        parts.append(np.frombuffer(b"".join(embedding for _, embedding in batch), "<f4").astype(np.float32))
    matrix = np.concatenate([*parts, np.empty(0, np.float32)]).reshape(-1, DIMENSION)
    return {"ids": np.array(ids, np.int64), "matrix": matrix}
