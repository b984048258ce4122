"""Which photos of a large archive may be nearest to a query: half a byte for every six numbers of an
embedding (FAISS).

A product quantiser (Jégou et al., "Product quantization for nearest neighbor search", 2011) with 16 centres
for each piece, whose tables FAISS looks up in registers (André et al., "Cache locality is not enough", 2015).
A piece never has numbers of two cells, so that what a canvas leaves open costs no accuracy elsewhere. What it
finds is only a choice: scores are taken from the embeddings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.embedding import BLOCK_STARTS, CELL_LENGTH, DIMENSION, WEIGHT_ROOTS
from dsslic_search.index.cache import Arrays
from dsslic_search.index.compiling import Loop, on_all_processors, quick
from dsslic_search.index.room import ROOM
from dsslic_search.index.vectors import candidate_loops

CHOSEN_FROM = 200_000  # photos; of fewer all are scored
MIN_CANDIDATES = 4_000
"""Photos to choose of up to a million, of more in proportion, when a query asks for something in every
cell."""
AMONG_FACTOR = 2  # times as many among some photos alone, since the nearest of these may be less near
OPEN_FACTOR = 3  # times as many when it leaves cells open, as more photos are nearly as good then
TRAINING_PHOTOS = 20_000
KMEANS_ROUNDS = 10
PHOTOS_AT_ONCE = 50_000
TRIED_EACH = 16
"""Centres that each number of a vector is compared with."""
SHARED_BLOCKS = 1024  # from which on they are dealt out to threads
ID_BYTES = 8  # that FAISS keeps beside the codes of each photo in a list
SCORED_FIRST = 512  # candidates, of those that are told to be nearest; then all again as many
SURE = 4.0
"""No more are scored where they would have to be so many standard deviations better than they were told,
beyond what the last ones were better on average, to be among the best."""

_PIECES = -(-np.diff(BLOCK_STARTS) // CELL_LENGTH)  # of each cell's block
_LENGTH = int(_PIECES.sum()) * CELL_LENGTH
_STARTS = np.concatenate([[0], np.cumsum(_PIECES)[:-1]]) * CELL_LENGTH
# of each number, in blocks of whole pieces
_SLOTS = np.arange(DIMENSION) + np.repeat(_STARTS - BLOCK_STARTS[:-1], np.diff(BLOCK_STARTS))


class Vectors(NamedTuple):
    """Vectors of ``length`` numbers: ``packed``, int8[n, m], times ``factors``, float32[m], times ``scales``,
    float32[n], at the places ``slots``, intp[m], and 0 at others."""

    packed: NDArray[np.int8]
    factors: NDArray[np.float32]
    scales: NDArray[np.float32]
    slots: NDArray[np.intp]
    length: int

    def some(self, rows: slice) -> NDArray[np.float32]:
        """Some of them, float32[n, length]."""
        found = np.zeros((self.packed[rows].shape[0], self.length), np.float32)
        found[:, self.slots] = (self.packed[rows] * self.factors) * self.scales[rows, None]
        return found


def build(packed: NDArray[np.int8], scales: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The index, as bytes, of packed embeddings, int8[n, DIMENSION], with the factors that bring them to
    length 1, float32[n]."""
    return quantised(Vectors(packed, WEIGHT_ROOTS.astype(np.float32), scales, _SLOTS, _LENGTH), CELL_LENGTH)


def quantised(vectors: Vectors, piece: int) -> NDArray[np.uint8]:
    """The index, as bytes, of vectors of which each ``piece`` numbers are taken together."""
    import faiss

    photos, length = vectors.packed.shape[0], vectors.length
    index = faiss.IndexPQFastScan(length, length // piece, 4, faiss.METRIC_INNER_PRODUCT)
    index.pq.cp.niter = KMEANS_ROUNDS
    index.train(vectors.some(slice(None, None, max(1, photos // TRAINING_PHOTOS))))
    if (encode := quick(candidate_loops.encode, TRIED_EACH * photos * length)) is not None:
        _encode(index, vectors, encode)
    else:
        for start in range(0, photos, PHOTOS_AT_ONCE):
            index.add(vectors.some(slice(start, start + PHOTOS_AT_ONCE)))
    found: NDArray[np.uint8] = faiss.serialize_index(index)
    return found


def _encode(index: Any, vectors: Vectors, encode: Loop) -> None:
    """As ``index.add`` does, in an eighth of the time."""
    import faiss

    packed, factors, scales, slots, _ = vectors
    photos, block = packed.shape[0], candidate_loops.BLOCK
    blocks = -(-photos // block)
    centres = faiss.vector_to_array(index.pq.centroids).reshape(index.M, index.ksub, -1)
    codes = np.zeros(blocks * block * index.M2 // 2, np.uint8)

    def some(part: slice) -> None:
        rows = slice(part.start * block, part.stop * block)
        encode(packed[rows], factors, scales[rows], slots, centres, rows.start, codes)

    on_all_processors(some, blocks, SHARED_BLOCKS)
    index.codes.resize(codes.size)
    faiss.rev_swig_ptr(index.codes.get(), codes.size)[:] = codes
    index.ntotal, index.ntotal2 = photos, blocks * block


Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
Scores = NDArray[np.float32]


class Chosen(NamedTuple):
    """Photos that may be nearest: ``rows``, and what the quantiser has ``told`` of each in place of its
    score, falling."""

    rows: Rows
    told: Scores

    def best(self, k: int, scores: Callable[[Rows], Scores]) -> tuple[Rows, Scores]:
        """The ``k`` best by their ``scores`` (all, if there are fewer), best first, equal ones in the order
        of rows; and these scores. No more are scored than may well be among them."""
        found = np.empty(self.rows.size, np.float32)
        start, stop = 0, min(max(SCORED_FIRST, 4 * k), found.size)
        while start < stop:
            found[start:stop] = scores(self.rows[start:stop])
            better = found[start:stop] - self.told[start:stop]
            least = np.partition(found[:stop], -k)[-k] if stop > k else -np.inf
            if self.told[stop - 1] + better.mean() + SURE * better.std() < least:
                break
            start, stop = stop, min(2 * stop, found.size)
        rows, found = self.rows[:stop], found[:stop]
        if stop > k:
            kept = found >= np.partition(found, -k)[-k]
            rows, found = rows[kept], found[kept]
        order = np.lexsort((rows, -found))[:k]
        return rows[order], found[order]


Candidates = Callable[[NDArray[np.float32], int, Mask | None], Chosen]
"""Gives about ``count`` photos, of those in a mask if there is one, for each of the queries, float32[m,
length of the index]; embeddings of layouts go through :func:`spread` first."""


def candidates_of(arrays: Arrays) -> Candidates:
    """By the ``candidates`` of an index. FAISS makes a copy of them, which is kept while there is room."""

    def opened() -> Candidates:
        found = open_candidates(arrays["candidates"])
        arrays.leave("candidates")
        return found

    nbytes = arrays["candidates"].nbytes + ID_BYTES * arrays["scales"].size
    found: Candidates = ROOM.get(arrays, "candidates", opened, nbytes)
    return found


def open_candidates(stored: NDArray[np.uint8]) -> Candidates:
    """By what :func:`quantised` made."""
    import faiss

    python: Any = faiss  # its stubs know the arguments of the C++ alone
    index = _of_one_list(faiss.deserialize_index(np.ascontiguousarray(stored)))

    def candidates(queries: NDArray[np.float32], count: int, among: Mask | None) -> Chosen:
        # without a selector FAISS takes another way, which is slower for so many candidates
        bits = np.full(-(-index.ntotal // 8), 255, np.uint8) if among is None else _bits(among)
        chosen = python.SearchParametersIVF(sel=python.IDSelectorBitmap(bits))
        found = [index.search(one, count, params=chosen) for one in queries[:, None]]  # faster one by one
        told, rows = (np.concatenate([each.ravel() for each in part]) for part in zip(*found, strict=True))
        told, rows = told[rows >= 0], rows[rows >= 0]
        if len(found) > 1:  # one query finds nothing twice
            order = np.argsort(-told, kind="stable")
            order = order[np.sort(np.unique(rows[order], return_index=True)[1])]
            told, rows = told[order], rows[order]
        return Chosen(np.asarray(rows, np.intp), told)

    return candidates


def _bits(mask: Mask) -> NDArray[np.uint8]:
    return np.packbits(mask, bitorder="little")


def _of_one_list(stored: Any) -> Any:
    """The same codes as the only list of an inverted index: FAISS chooses among some photos alone there, and
    not in an IndexPQFastScan, as which they are stored, without the number of each."""
    import faiss

    quantiser = faiss.IndexFlatIP(stored.d)
    quantiser.add(np.zeros((1, stored.d), np.float32))
    index: Any = faiss.IndexIVFPQFastScan(quantiser, stored.d, 1, stored.M, 4, faiss.METRIC_INNER_PRODUCT)
    index.by_residual = False
    faiss.copy_array_to_vector(faiss.vector_to_array(stored.pq.centroids), index.pq.centroids)
    index.is_trained = True
    lists, photos, nbytes = faiss.downcast_InvertedLists(index.invlists), stored.ntotal, stored.codes.size()
    lists.resize(0, photos)
    faiss.rev_swig_ptr(lists.get_codes(0), nbytes)[:] = faiss.rev_swig_ptr(stored.codes.get(), nbytes)
    faiss.rev_swig_ptr(lists.get_ids(0), photos)[:] = np.arange(photos)
    index.ntotal = photos
    return index


def enough(queries: NDArray[np.float32], photos: int, k: int, among: bool = False) -> int:
    """How many candidates to ask for to find the nearest ``k`` of all photos, or ``among`` some of them."""
    asked = np.logical_or.reduceat(queries != 0, BLOCK_STARTS[:-1], axis=1)
    factor = (1 if asked.all() else OPEN_FACTOR) * (AMONG_FACTOR if among else 1)
    return max(MIN_CANDIDATES * max(photos, 1_000_000) // 1_000_000, 16 * k) * factor


def spread(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Embeddings of layouts, float32[m, DIMENSION], with blocks filled with zeros to whole pieces."""
    found = np.zeros((len(vectors), _LENGTH), np.float32)
    found[:, _SLOTS] = vectors
    return found
