"""The fingerprints of all photos, which pairs of them are worth comparing, and the portraits of those that
were found alike.

They depend on nothing but the pictures, so the files outlive every change of the catalog: only photos that
are new are read.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.agreement import PORTRAIT_BYTES
from dsslic_search.features.fingerprint import (
    DESCRIPTOR_LENGTH,
    FINGERPRINT_BYTES,
    descriptors,
    hues,
    mirrored,
)
from dsslic_search.index import cache

HASH_DIGITS = 32  # hexadecimal ones of a content hash that are kept


class Kept(NamedTuple):
    """A file of an index's folder with a row of ``bytes`` for each photo: its name, kind and version."""

    file: str
    kind: str
    version: int
    bytes: int

    @property
    def key(self) -> str:
        return f"{self.version}/{self.bytes}"


FINGERPRINTS = Kept("pictures.fingerprints", "fingerprints", 1, FINGERPRINT_BYTES)
PORTRAITS = Kept("pictures.portraits", "portraits", 1, PORTRAIT_BYTES)

MAX_NEIGHBOURS = 16  # other photos that each is compared with
HUE_WEIGHT = 0.2  # of the colours beside the descriptors
MIN_PROMISE = 0.85
"""Inner product of the descriptors, and HUE_WEIGHT times that of the hues, of a pair that is compared. On the
deciding part of `bench.copies` every copy that is like its original has more, and of the pairs of a copy with
another copy 4 in 1000 have not; of 100 pairs of other photos whose descriptors are near 6 have as much."""
MIN_PRODUCT = MIN_PROMISE - HUE_WEIGHT  # inner product of descriptors without which no hues would do
EXHAUSTIVE_UP_TO = 100_000  # photos; all descriptors are compared with all
PHOTOS_AT_ONCE = 8_192
PAIRS_AT_ONCE = 32_768
PAIR_UNIT = np.uint64(1 << 32)  # a pair is one number while pairs are gathered
PHOTOS_A_CENTRE = 32  # by which centres of cells are found

Nearest = Callable[[NDArray[np.float32], int], tuple[NDArray[np.float32], NDArray[np.int64]]]
"""Inner products and rows of the ``k`` nearest to descriptors, the nearest first; -1 for none."""

Make = Callable[[Sequence[int]], Iterable[tuple[int, NDArray[np.uint8]]]]


def kept_rows(
    kept: Kept, folder: Path, hashes: Sequence[str] | NDArray[np.bytes_], make: Make
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The rows, uint8[n, bytes], of the photos of these content hashes, and which of them there are, bool[n].

    They come from the file in ``folder`` as far as it has them; ``make`` is asked for the others by their
    indexes in ``hashes``, and leaves out what it cannot give. The file is written anew when anything was
    made, even if ``make`` is interrupted. A folder that cannot be written costs time at the next call,
    nothing else."""
    keys = np.asarray(hashes).astype(f"S{HASH_DIGITS}")  # of each as many as these
    prints = np.zeros((len(hashes), kept.bytes), np.uint8)
    known = np.zeros(len(hashes), bool)
    if (stored := cache.load_whole(folder / kept.file, kept.kind, kept.key)) and stored["hashes"].size:
        nearest = np.minimum(np.searchsorted(stored["hashes"], keys), stored["hashes"].size - 1)
        known = stored["hashes"][nearest] == keys
        for start in range(0, len(hashes), PHOTOS_AT_ONCE):  # a copy of all would be as large as they are
            there = np.flatnonzero(known[start : start + PHOTOS_AT_ONCE]) + start
            prints[there] = stored["prints"][nearest[there]]
    if known.all():
        return prints, known
    try:
        for number, made in make(np.flatnonzero(~known).tolist()):
            prints[number], known[number] = made, True
    finally:
        order = np.flatnonzero(known)
        order = order[np.argsort(keys[order])]
        with contextlib.suppress(OSError):
            rows = {"hashes": keys[order], "prints": prints[order]}
            cache.save(folder / kept.file, kept.kind, kept.key, rows)
    return prints, known


def candidates(
    prints: NDArray[np.uint8], *, mirror: bool = False, exact: int = EXHAUSTIVE_UP_TO
) -> NDArray[np.intp]:
    """Pairs of indexes, intp[m, 2], first < second, of pictures that may be the same: for each the
    MAX_NEIGHBOURS others by descriptor that are near at all, and of these the ones whose colours are not
    too far (MIN_PROMISE). ``mirror``: pictures of which one may be the mirror image of the other.

    Up to ``exact`` pictures every descriptor is compared with every other. Beyond, each is compared with
    those of the cells nearest to it, about one in 64 (FAISS's inverted lists): then copies whose descriptor
    is far from the original's, as after a larger crop, may be missed."""
    if len(prints) < 2:
        return np.empty((0, 2), np.intp)
    nearest = _nearest_of_all(prints) if len(prints) <= exact else _nearest_in_cells(prints)
    k = min(MAX_NEIGHBOURS + 1, len(prints))

    def found(start: int) -> NDArray[np.uint64]:
        own = prints[start : start + PHOTOS_AT_ONCE]
        asking = mirrored(own) if mirror else own
        near, rows = nearest(descriptors(asking), k)
        which, rank = np.nonzero((near >= MIN_PRODUCT) & (rows >= 0))
        others = rows[which, rank]
        promising = near[which, rank] + HUE_WEIGHT * _hues_alike(asking, which, prints, others) >= MIN_PROMISE
        one, other = which[promising] + start, others[promising]
        low, high = (pick(one, other).astype(np.uint64) for pick in (np.minimum, np.maximum))
        return (low * PAIR_UNIT + high)[low < high]  # half the bytes of two numbers

    with _pool() as pool:
        pairs = np.concatenate(list(pool.map(found, range(0, len(prints), PHOTOS_AT_ONCE))))
    pairs = np.unique(pairs)
    return np.stack([pairs // PAIR_UNIT, pairs % PAIR_UNIT], 1).astype(np.intp)


def _pool() -> ThreadPoolExecutor:
    """A thread for each processor, in which FAISS starts none of its own."""
    import faiss

    return ThreadPoolExecutor(os.cpu_count(), initializer=lambda: faiss.omp_set_num_threads(1))


def _hues_alike(
    asking: NDArray[np.uint8], which: NDArray[np.intp], prints: NDArray[np.uint8], found: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The inner products, float32[m], of the hues of ``asking[which]`` and of ``prints[found]``."""
    own, alike = hues(asking), np.empty(len(which), np.float32)
    for start in range(0, len(which), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        alike[part] = np.einsum("ij,ij->i", own[which[part]], hues(prints[found[part]]))
    return alike


def _nearest_of_all(prints: NDArray[np.uint8]) -> Nearest:
    import faiss

    known = descriptors(prints)
    return lambda asked, k: faiss.knn(asked, known, k, metric=faiss.METRIC_INNER_PRODUCT)


def _nearest_in_cells(prints: NDArray[np.uint8]) -> Nearest:
    """Those of the cells that are nearest, each photo in the cell of which the centre is."""
    import faiss

    count = int(4 * np.sqrt(len(prints)))
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(DESCRIPTOR_LENGTH), DESCRIPTOR_LENGTH, count, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.min_points_per_centroid = 1
    index.nprobe = max(8, count // 64)
    some = prints[:: max(1, len(prints) // (PHOTOS_A_CENTRE * count))]
    index.train(np.concatenate([descriptors(some[part]) for part in _blocks(len(some))]))
    for part in _blocks(len(prints)):  # a copy of all descriptors would be as large as the index
        index.add(descriptors(prints[part]))
    search: Nearest = index.search
    return search


def _blocks(photos: int) -> Iterator[slice]:
    return (slice(start, start + PHOTOS_AT_ONCE) for start in range(0, photos, PHOTOS_AT_ONCE))
