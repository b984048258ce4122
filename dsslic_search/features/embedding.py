"""A vector for the layout of a photo: near vectors mean alike things in alike places.

::

    label map ─► class histograms of the whole, of 2 x 2 and of 4 x 4 cells ─► square roots, levels weighted
              ─► classes blended with related ones ─► fixed signs, 21 x classes numbers to DIMENSION ─► unit length

The square root makes the inner product of two histograms their Bhattacharyya coefficient. Relatedness comes from the groups of
the vocabulary: two classes are related by 1 / sqrt(size of the smallest group that has both), or not at all; blending is by the
square root of that matrix, so that inner products see the matrix itself. The reduction is a projection on signs (Achlioptas,
"Database-friendly random projections", 2003), which keeps inner products within about 1 / sqrt(DIMENSION). The signs are the bits,
lowest first, of SHA-256("dsslic-search layout", block number as 4 bytes big-endian) for blocks 0, 1, 2 …, class by class of cell
by cell of each output number: the same on every platform.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dsslic_search.vocabulary import Vocabulary

DIMENSION = 192

GRID = 4  # cells a side at the finest level; coarser levels are sums of its cells
CELLS = 1 + 4 + GRID * GRID
LEVEL_SHARES = (0.2, 0.3, 0.5)  # of the squared length before blending: whole, 2 x 2, 4 x 4
SEED = b"dsslic-search layout"


def embed(label_map: NDArray[np.uint8], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """The layout of ``label_map`` (uint8, h x w, ids of ``vocabulary``) as float32[DIMENSION] of length 1.

    The inner product of two embeddings is their similarity: 1 for equal layouts, about 0 for photos with nothing in common.
    The size of a map does not matter, only what is where in proportion. Raises ValueError for a map without pixels or with
    an id that the vocabulary does not have.
    """
    roots = np.sqrt(layout_histogram(label_map, len(vocabulary))).ravel()
    vector = projection(vocabulary) @ roots
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def layout_histogram(label_map: NDArray[np.uint8], classes: int) -> NDArray[np.float64]:
    """Class fractions of the 21 cells, float64[21, classes]: the whole, then 2 x 2, then 4 x 4 cells row by row.

    Each level sums to its entry in LEVEL_SHARES. A pixel across the border of cells counts for each by the area it has there.
    """
    if label_map.ndim != 2 or label_map.size == 0:
        raise ValueError(f"a label map needs two dimensions and at least one pixel, not the shape {label_map.shape}")
    highest = int(label_map.max())
    if highest >= classes:
        raise ValueError(f"class id {highest} in a label map of {classes} classes")
    height, width = label_map.shape
    (row_strip, row_share), (column_strip, column_share) = _strips(height), _strips(width)
    strips = row_share.shape[1]
    place = ((row_strip * strips)[:, None] + column_strip) * classes
    counts = np.bincount((place + label_map).ravel(), minlength=strips * strips * classes).reshape(strips, strips, classes)
    fine = np.einsum("ir,jc,rck->ijk", row_share, column_share, counts / np.float64(label_map.size), optimize=True)
    middle = fine.reshape(2, GRID // 2, 2, GRID // 2, classes).sum(axis=(1, 3))
    levels = (middle.sum(axis=(0, 1))[None], middle.reshape(4, classes), fine.reshape(GRID * GRID, classes))
    return np.concatenate([share * level for share, level in zip(LEVEL_SHARES, levels, strict=True)])


@lru_cache(maxsize=64)
def _strips(length: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Lines of a side sorted into strips: one for the lines inside each of the GRID cells, and one for each line that lies
    across a border. Returns the strip of each line (intp[length]) and the share of each strip in each cell (float64[GRID, 7])."""
    lines = np.arange(length)
    first, last = lines * GRID // length, ((lines + 1) * GRID - 1) // length
    strip = first.copy()
    share = np.zeros((GRID, 2 * GRID - 1))
    share[range(GRID), range(GRID)] = 1
    for number, line in enumerate(np.flatnonzero(first != last), start=GRID):
        strip[line] = number
        edges = np.clip(np.arange(GRID + 1) * length, line * GRID, (line + 1) * GRID)
        share[:, number] = np.diff(edges) / GRID
    strip.flags.writeable = share.flags.writeable = False
    return strip, share


def relatedness(vocabulary: Vocabulary) -> NDArray[np.float64]:
    """float64[classes, classes], symmetric: 1 on the diagonal, 1 / sqrt(size of the smallest common group) or 0 elsewhere."""
    related = np.eye(len(vocabulary))
    for group in vocabulary.groups:
        for one in group.members:
            for other in group.members:
                related[one, other] = max(related[one, other], 1 / np.sqrt(len(group.members)))
    return related


def signs(count: int) -> NDArray[np.int8]:
    """The first ``count`` fixed signs, int8, each -1 or 1."""
    blocks = (hashlib.sha256(SEED + block.to_bytes(4, "big")).digest() for block in range(-(-count // 256)))
    bits = np.unpackbits(np.frombuffer(b"".join(blocks), np.uint8), bitorder="little")[:count]
    return (2 * bits.astype(np.int8) - 1).astype(np.int8)


def blending(vocabulary: Vocabulary) -> NDArray[np.float64]:
    """The symmetric square root of :func:`relatedness`, whose few slightly negative eigenvalues, if any, count as 0."""
    values, axes = np.linalg.eigh(relatedness(vocabulary))
    root: NDArray[np.float64] = (axes * np.sqrt(np.maximum(values, 0))) @ axes.T
    return root


@lru_cache(maxsize=4)
def projection(vocabulary: Vocabulary) -> NDArray[np.float64]:
    """The fixed linear map, float64[DIMENSION, 21 * classes], from root histograms to embeddings before normalisation."""
    classes = len(vocabulary)
    fixed = signs(DIMENSION * CELLS * classes).reshape(DIMENSION * CELLS, classes) / np.sqrt(DIMENSION)
    mapped: NDArray[np.float64] = (fixed @ blending(vocabulary)).reshape(DIMENSION, CELLS * classes)
    mapped.flags.writeable = False
    return mapped
