"""The fingerprints of all photos, and which pairs of them are worth comparing.

They depend on nothing but the pictures, so the file outlives every change of the catalog: only photos that
are new are read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.fingerprint import LENGTH, mirrored, outlines
from dsslic_search.index import cache

FILE = "pictures.fingerprints"
KIND = "fingerprints"
KEY = f"1/{LENGTH}"
HEX = 32  # digits of a content hash that are kept

NEAREST = 16  # other photos that each is compared with, at most
LEAST = 0.55  # inner product of the outlines of a pair that is compared
EXACT = 100_000  # photos up to which all outlines are compared with all
BLOCK = 8_192

Make = Callable[[Sequence[int]], Iterable[tuple[int, NDArray[np.uint8]]]]


def fingerprints(
    folder: Path, hashes: Sequence[str], make: Make
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The fingerprints, uint8[n, LENGTH], of the photos of these content hashes, and which of them there are,
    bool[n].

    They come from the file in ``folder`` as far as it has them; ``make`` is asked for the others by their
    places in ``hashes``, and leaves out what it cannot give. The file is written anew when anything was made,
    even if ``make`` is interrupted. A folder that cannot be written costs time at the next call, nothing
    else."""
    keys = np.array([each[:HEX] for each in hashes], f"S{HEX}")
    prints = np.zeros((len(hashes), LENGTH), np.uint8)
    known = np.zeros(len(hashes), bool)
    if (stored := cache.load(folder / FILE, KIND, KEY, 0)) and stored["hashes"].size:
        places = np.minimum(np.searchsorted(stored["hashes"], keys), stored["hashes"].size - 1)
        known = stored["hashes"][places] == keys
        prints[known] = stored["prints"][places[known]]
    if known.all():
        return prints, known
    try:
        for place, made in make(np.flatnonzero(~known).tolist()):
            prints[place], known[place] = made, True
    finally:
        order = np.argsort(keys[known])
        with contextlib.suppress(OSError):
            cache.save(
                folder / FILE, KIND, KEY, 0, {"hashes": keys[known][order], "prints": prints[known][order]}
            )
    return prints, known


def candidates(prints: NDArray[np.uint8], *, mirror: bool = False, exact: int = EXACT) -> NDArray[np.intp]:
    """Pairs of places, intp[m, 2], first < second, of pictures that may be the same: for each the NEAREST
    others by outline that are near at all. ``mirror``: pictures of which one may be the mirror image of the
    other.

    Up to ``exact`` pictures every outline is compared with every other. Beyond, each is compared with those
    of the cells nearest to it, about one in 64 (FAISS's inverted lists): then copies whose outline is far
    from the original's, as after a larger crop, may be missed."""
    import faiss

    if len(prints) < 2:
        return np.empty((0, 2), np.intp)
    known = outlines(prints)
    k = min(NEAREST + 1, len(known))
    index = _cells(known) if len(known) > exact else None
    pairs = []
    for start in range(0, len(known), BLOCK):
        block = outlines(mirrored(prints[start : start + BLOCK])) if mirror else known[start : start + BLOCK]
        near, rows = (
            index.search(block, k)
            if index is not None
            else faiss.knn(block, known, k, metric=faiss.METRIC_INNER_PRODUCT)
        )
        which, place = np.nonzero((near >= LEAST) & (rows >= 0))
        pairs.append(np.stack([which + start, rows[which, place]], 1))
    found = np.sort(np.concatenate(pairs).astype(np.intp), axis=1)
    return np.unique(found[found[:, 0] < found[:, 1]], axis=0)


def _cells(known: NDArray[np.float32]) -> Any:
    """Outlines by the cell of which the centre is nearest."""
    import faiss

    count = int(4 * np.sqrt(len(known)))
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(known.shape[1]), known.shape[1], count, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, 64
    index.train(known)
    index.add(known)
    index.nprobe = max(8, count // 64)
    return index
