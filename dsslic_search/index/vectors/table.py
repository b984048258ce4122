"""The embeddings of a segment's photos, and the nearest among them.

Rows are those of the segment. A score is always the same
function of a query and a photo's embedding (:mod:`dsslic_search.index.vectors.scan`), whoever asks. Which
photos are nearest is exact up to `candidates.CHOSEN_FROM` photos; of more, candidates are chosen first, and
one photo in some hundreds may be missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.cached import cached_property
from dsslic_search.core.errors import ArchiveError, Remedy
from dsslic_search.features.embedding import DIMENSION, WEIGHT_ROOTS, lengths, pack
from dsslic_search.index import cache
from dsslic_search.index.segment import Segment, Table
from dsslic_search.index.source import Snapshot, Stored
from dsslic_search.index.vectors import candidates
from dsslic_search.index.vectors.candidates import Chosen
from dsslic_search.index.vectors.scan import Question, Rows, Scan, Scores, question

KIND = "layout"
FORMAT = 3
EMBEDDING_BYTES = 4 * DIMENSION
PHOTOS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Vectors(Table):
    """Embeddings of a segment. ``arrays``: as :func:`arrays_of` makes them; those of photos without a label
    map are zeros, and their scores too."""

    def nearest(self, vectors: NDArray[np.float32], k: int) -> tuple[Rows, Scores]:
        """The rows of the ``k`` photos (all, if there are fewer) most like the query, best first.

        ``vectors``: float32[m, DIMENSION], embeddings or queries of features.embedding; the most alike of
        them counts. Returns rows and inner products (float32, about -1..1). Ties: in the order of rows."""
        k = min(k, len(self))
        if k <= 0 or not len(vectors):
            return np.empty(0, np.intp), np.empty(0, np.float32)
        asked = _asked(vectors)
        chosen = self.candidates(vectors, k)
        if chosen is None:
            return self._scan.best(asked, k)
        return chosen.best(k, lambda rows: self._scan.scores(asked, rows))

    def candidates(
        self, vectors: NDArray[np.float32], k: int, among: NDArray[np.bool_] | None = None
    ) -> Chosen | None:
        """What the ``k`` nearest are looked for among, of those ``among`` some, bool of all, if these are
        given; None for all."""
        wanted = candidates.enough(vectors, len(self), k, among is not None)
        photos = len(self) if among is None else int(np.count_nonzero(among))
        if "candidates" not in self.arrays or 4 * wanted * len(vectors) >= photos:
            return None
        return candidates.candidates_of(self.arrays)(candidates.spread(vectors), wanted, among)

    def scores(self, vectors: NDArray[np.float32], rows: Rows | None = None) -> Scores:
        """The greatest inner product of ``vectors``, float32[m, DIMENSION], m > 0, with the embedding of each
        photo, or of those in ``rows`` in their order, float32; 0 for those that have none."""
        return self._scan.scores(_asked(vectors), rows)

    @cached_property
    def _scan(self) -> Scan:
        return Scan(self.arrays["packed"], self.arrays["scales"])


def _asked(vectors: NDArray[np.float32]) -> Question:
    return question(vectors.astype(np.float64) * WEIGHT_ROOTS)


def open_vectors(segment: Segment) -> Vectors:
    """The embeddings of a segment. Raises ArchiveError when a photo's has another length than DIMENSION, and
    as `Segment.arrays`."""
    key = f"{segment.vocabulary.identity}/{DIMENSION}/{FORMAT}"
    return Vectors(segment, segment.arrays(KIND, key, _build))


def arrays_of(packed: NDArray[np.int8]) -> cache.Made:
    """What Vectors holds: ``packed`` int8[n, DIMENSION] as `features.embedding.pack` makes them, ``scales``
    float32[n], which bring them to length 1 (0 for those that are zeros), and in large archives
    ``candidates``, bytes."""
    parts = [np.empty(0)]
    for start in range(0, len(packed), PHOTOS_AT_ONCE):
        each = lengths(packed[start : start + PHOTOS_AT_ONCE])
        parts.append(np.divide(1, each, out=np.zeros(each.size), where=each > 0))
    scales = np.concatenate(parts).astype(np.float32)
    arrays: cache.Made = {"packed": packed, "scales": scales}
    if len(packed) >= candidates.CHOSEN_FROM:
        arrays["candidates"] = candidates.build(packed, scales)
    return arrays


def _build(snapshot: Snapshot) -> cache.Made:
    ids = snapshot.photo_ids()
    by_id = np.argsort(ids)
    rising = ids[by_id]
    packed = np.zeros((ids.size, DIMENSION), np.int8)
    for batch in snapshot.embeddings():
        packed[by_id[np.searchsorted(rising, batch.ids)]] = _packed(batch)
    return arrays_of(packed)


def _packed(batch: Stored) -> NDArray[np.int8]:
    """The embeddings of some photos, int8[n, DIMENSION]; those that are none that can be packed without loss
    rounded, and zeros for none."""
    lengths = batch.blobs.lengths
    packed = np.zeros((lengths.size, DIMENSION), np.int8)
    for length in np.unique(lengths[lengths > 0]).tolist():
        own = lengths == length
        if length not in (DIMENSION, EMBEDDING_BYTES):
            raise ArchiveError(
                f"photo {batch.ids[np.argmax(own)]} has an embedding of {length} bytes where "
                f"{EMBEDDING_BYTES} are due: the archive was made by another version; describe "
                f"its photos anew with: {Remedy.REINDEX}"
            )
        stored = (batch.blobs if own.all() else batch.blobs.some(own)).data
        if length == DIMENSION:
            packed[own] = stored.view(np.int8).reshape(-1, DIMENSION)
        else:
            packed[own] = pack(stored.view("<f4").reshape(-1, DIMENSION))
    return packed
