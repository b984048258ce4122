"""The embeddings of all photos, and the nearest among them.

Rows are in the same order as those of the columns: newest first, then by id. A score is always the same
function of a query and a photo's embedding (:mod:`dsslic_search.index.vectors.scan`), whoever asks. Which
photos are nearest is exact up to `candidates.CHOSEN_FROM` photos; of more, candidates are chosen first, and
one photo in some hundreds may be missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import ArchiveError, Remedy
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.features.embedding import DIMENSION, WEIGHT_ROOTS, lengths, pack
from dsslic_search.index import cache
from dsslic_search.index.source import Snapshot, Source
from dsslic_search.index.vectors import candidates
from dsslic_search.index.vectors.scan import Question, Scan, question

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = "layout.vectors"
KIND = "layout"
FORMAT = 2
PHOTOS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Vectors(cache.Table):
    """Embeddings of one generation of the catalog. ``arrays``: as :func:`arrays_of` makes them."""

    def nearest(self, vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The ``k`` photos (all, if there are fewer) most like the query, best first.

        ``vectors``: float32[m, DIMENSION], embeddings or queries of features.embedding; the most alike of
        them counts. Returns ids (int64) and inner products (float32, about -1..1). Ties: newest first, then
        by id."""
        k = min(k, len(self))
        if k <= 0 or not len(vectors):
            return self.ids[:0], np.empty(0, np.float32)
        asked = _asked(vectors)
        rows = self.candidates(vectors, k)
        if rows is not None:
            scores = self._scan.scores(asked, rows)
            best = np.argsort(-scores, kind="stable")[:k]
            rows, scores = rows[best], scores[best]
        else:
            rows, scores = self._scan.best(asked, k)
        return self.ids[rows], scores

    def candidates(self, vectors: NDArray[np.float32], k: int) -> NDArray[np.intp] | None:
        """The rows, ascending, that the ``k`` nearest are looked for among; None for all."""
        wanted = candidates.enough(vectors, len(self), k)
        if "candidates" not in self.arrays or 4 * wanted * len(vectors) >= len(self):
            return None
        return self._candidates(candidates.spread(vectors), wanted)

    def scores(self, vectors: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The greatest inner product of ``vectors``, float32[m, DIMENSION], m > 0, with the embedding of each
        of ``ids`` in their order, float32; 0 for ids that have none."""
        asked = _asked(vectors)
        if np.array_equal(ids, self.ids):
            return self._scan.scores(asked)
        found = np.zeros(ids.size, np.float32)
        if len(self):
            nearest = np.minimum(np.searchsorted(self.ids, ids, sorter=self._by_id), len(self) - 1)
            rows = self._by_id[nearest]
            known = self.ids[rows] == ids
            found[known] = self._scan.scores(asked, rows[known])
        return found

    @cached_property
    def _by_id(self) -> NDArray[np.intp]:
        return np.argsort(self.ids)

    @cached_property
    def _scan(self) -> Scan:
        return Scan(self.arrays["packed"], self.arrays["scales"])

    @cached_property
    def _candidates(self) -> Callable[[NDArray[np.float32], int], NDArray[np.intp]]:
        return candidates.open_candidates(self.arrays["candidates"])


def _asked(vectors: NDArray[np.float32]) -> Question:
    return question(vectors.astype(np.float64) * WEIGHT_ROOTS)


def open_vectors(source: Source, folder: Path, vocabulary: Vocabulary) -> Vectors:
    """The embeddings of the catalog as it is now: from ``folder`` if a sound and current file is there, else
    built and stored.

    A folder that cannot be written costs time at the next opening, nothing else. Raises ArchiveError when a
    photo's embedding has another length than DIMENSION."""
    key = f"{vocabulary.identity}/{DIMENSION}/{FORMAT}"
    return Vectors(*cache.opened(source, folder / FILE, KIND, key, _build))


def arrays_of(ids: NDArray[np.int64], packed: NDArray[np.int8]) -> cache.Arrays:
    """What Vectors holds: ``ids`` int64[n], ``packed`` int8[n, DIMENSION] as `features.embedding.pack` makes
    them, ``scales`` float32[n], which bring them to length 1, and in large archives ``candidates``, bytes."""
    parts = [
        1 / lengths(packed[start : start + PHOTOS_AT_ONCE]) for start in range(0, len(packed), PHOTOS_AT_ONCE)
    ]
    scales = np.concatenate([np.empty(0), *parts]).astype(np.float32)
    arrays: cache.Arrays = {"ids": ids, "packed": packed, "scales": scales}
    if len(packed) >= candidates.CHOSEN_FROM:
        arrays["candidates"] = candidates.build(packed, scales)
    return arrays


def _build(snapshot: Snapshot) -> cache.Arrays:
    ids: list[int] = []
    parts = [np.empty((0, DIMENSION), np.int8)]
    for batch in snapshot.embeddings():
        for photo_id, embedding in batch:
            if len(embedding) != 4 * DIMENSION:
                raise ArchiveError(
                    f"photo {photo_id} has an embedding of {len(embedding)} bytes where {4 * DIMENSION} are "
                    "due: the archive was made by another version; describe its photos anew with: "
                    f"{Remedy.REINDEX}"
                )
            ids.append(photo_id)
        vectors = np.frombuffer(b"".join(embedding for _, embedding in batch), "<f4").reshape(-1, DIMENSION)
        parts.append(pack(vectors))
    return arrays_of(np.array(ids, np.int64), np.concatenate(parts))
