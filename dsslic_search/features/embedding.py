"""A vector for the layout of a photo: near vectors mean alike things in alike places. Definition and figures:
docs/layout.md.

::

    label map ─► class shares of the whole and of 5 x 5 cells ─► square roots, small classes lifted
              ─► class codes, cell by cell
              ─► a block of int8 for each cell, all of the same length ─► blocks weighted
              ─► float32[DIMENSION] of length 1

The inner product of two embeddings is the weighted mean of the cosines of their cells. So a query may leave
cells out, the whole cell or a part of it, and a mirrored photo has the same blocks in mirrored order.

Every number on the way is a whole number or the result of one correctly rounded operation: all platforms
agree to the last bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.naming import class_meant
from dsslic_search.core.vocabulary import OTHER, ClassInfo, Vocabulary, built_in
from dsslic_search.features.coverage import check_label_map

GRID = 5  # cells a side
CELLS = 1 + GRID * GRID  # the whole first, then row by row
STRIPS = 2 * GRID - 1  # of a side: the lines inside cells, and those across borders
WHOLE_LENGTH, CELL_LENGTH = 26, 6  # numbers of the whole's block and of each cell's
DIMENSION = WHOLE_LENGTH + GRID * GRID * CELL_LENGTH
WHOLE_WEIGHT = 18
COLUMN_WEIGHTS = (2, 3, 4, 3, 2)  # of each cell, in every row: what stands in the middle counts more
CELL_WEIGHTS = np.array([WHOLE_WEIGHT, *COLUMN_WEIGHTS * GRID])  # of the cells' cosines
BLOCK_NORM = 127  # Euclidean length of a block of whole numbers, to rounding
ROOT_SCALE = 4096  # the whole number that stands for a root of 1
CODES_FILE = "layout_codes.json"

# where each cell's block starts among the numbers of an embedding, and their end
BLOCK_STARTS = np.concatenate([[0], np.cumsum([WHOLE_LENGTH] + [CELL_LENGTH] * GRID * GRID)])
_CELL_OF = np.repeat(np.arange(CELLS), np.diff(BLOCK_STARTS))
_MIRRORED_CELLS = np.concatenate([[0], 1 + np.arange(GRID * GRID).reshape(GRID, GRID)[:, ::-1].ravel()])
_MIRRORED = np.concatenate([np.arange(BLOCK_STARTS[c], BLOCK_STARTS[c + 1]) for c in _MIRRORED_CELLS])
WEIGHT_ROOTS = np.sqrt(CELL_WEIGHTS.astype(np.float64))[_CELL_OF]
"""float64[DIMENSION]: what each number of a packed embedding is multiplied by before all of it is brought to
length 1."""


@dataclass(frozen=True)
class Canvas:
    """``label_map``: uint8 [h, w], class ids; ``known``: bool [h, w], where it is painted, at least one
    pixel."""

    label_map: NDArray[np.uint8]
    known: NDArray[np.bool_]

    def queries(self, vocabulary: Vocabulary, *, with_mirrored: bool = False) -> NDArray[np.float32]:
        """What photos are compared with, float32[m, DIMENSION]: the canvas and, with ``with_mirrored``, its
        mirror image."""
        asked = query(self.label_map, self.known, vocabulary)
        return np.stack([asked, mirrored(asked)] if with_mirrored else [asked])


def embed(label_map: NDArray[np.uint8], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """The layout of ``label_map`` (uint8, h x w, ids of ``vocabulary``) as float32[DIMENSION] of length 1.

    The inner product of two embeddings is their likeness: 1 for equal layouts, about 0 for photos with
    nothing in common. The size of a map does not matter, only what is where in proportion. Raises ValueError
    for a map without pixels or with an id that the vocabulary does not have.
    """
    return unpack(_blocks(label_map, None, vocabulary)[0])


def query(
    label_map: NDArray[np.uint8], known: NDArray[np.bool_], vocabulary: Vocabulary
) -> NDArray[np.float32]:
    """What to look for when only the pixels where ``known`` (bool, h x w) are specified: float32[DIMENSION].

    Its inner product with an embedding is the mean of the cosines of the cells, each weighted by the share of
    it that is specified too (the whole by the square of its share: what a part of a photo holds says little
    of the rest). So it is 1 for a photo that has the same in the same places, wherever cells are specified.
    Raises ValueError as :func:`embed` does, and when no pixel is known.
    """
    if known.shape != label_map.shape or not known.any():
        raise ValueError("a query needs a mask of the label map's shape with at least one pixel in it")
    packed, shares = _blocks(label_map, known, vocabulary)
    shares[0] *= shares[0]
    scales = np.sqrt(CELL_WEIGHTS * CELL_WEIGHTS.sum()) * shares / (CELL_WEIGHTS @ shares)
    blocks = packed * (scales / BLOCK_NORM)[_CELL_OF]
    return np.asarray(blocks, np.float32)


def codes_identity() -> str:
    """16 hex digits that name the classes' codes: embeddings made with others cannot be compared with
    these."""
    return hashlib.sha256((files("dsslic_search.features") / CODES_FILE).read_bytes()).hexdigest()[:16]


def mirrored(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same with left and right exchanged: of embeddings or queries, float32[..., DIMENSION]."""
    return vectors[..., _MIRRORED]


def pack(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """Embeddings, float32[..., DIMENSION], as one byte a number, from which :func:`unpack` makes them again,
    bit for bit.

    Vectors that :func:`embed` did not make are rounded to a neighbour that it could have made."""
    # as if all blocks were exactly BLOCK_NORM long
    guessed = np.rint(vectors / WEIGHT_ROOTS * (BLOCK_NORM * np.sqrt(CELL_WEIGHTS.sum())))
    exact = np.rint(vectors / WEIGHT_ROOTS * lengths(guessed)[..., None])
    return np.asarray(np.clip(exact, -BLOCK_NORM, BLOCK_NORM), np.int8)


def to_stored(embedding: bytes) -> bytes:
    """An embedding, float32 little-endian, as it is stored: packed if :func:`unpack` makes the same of that
    to the last bit, else as it is."""
    if len(embedding) != 4 * DIMENSION:
        return embedding
    packed = pack(np.frombuffer(embedding, "<f4"))
    return packed.tobytes() if from_stored(packed.tobytes()) == embedding else embedding


def from_stored(stored: bytes) -> bytes:
    """The embedding, float32 little-endian, of which :func:`to_stored` made these bytes."""
    if len(stored) != DIMENSION:
        return stored
    return unpack(np.frombuffer(stored, np.int8)).astype("<f4").tobytes()


def unpack(packed: NDArray[np.int8]) -> NDArray[np.float32]:
    """The embeddings, float32[..., DIMENSION] of length 1, that are packed in int8[..., DIMENSION]."""
    return np.asarray(packed * WEIGHT_ROOTS / lengths(packed)[..., None], np.float32)


def lengths(packed: NDArray[Any]) -> NDArray[np.float64]:
    """The lengths, float64[...], of packed embeddings (any kind of whole numbers) times WEIGHT_ROOTS; never
    0."""
    if packed.dtype == np.int8:  # of so small whole numbers floats have the same sums, many times as fast
        squares = np.square(packed, dtype=np.float64) @ CELL_WEIGHTS[_CELL_OF].astype(np.float64)
    else:
        squares = (packed.astype(np.int64) ** 2) @ CELL_WEIGHTS[_CELL_OF]
    return np.asarray(np.sqrt(np.maximum(squares, 1)), np.float64)


def _blocks(
    label_map: NDArray[np.uint8], known: NDArray[np.bool_] | None, vocabulary: Vocabulary
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """A packed embedding of the known pixels, int8[DIMENSION], and the share of each cell that is known,
    float64[CELLS].

    The block of a cell of which nothing is known is 0."""
    roots, shares, classes = cell_roots(label_map, known, len(vocabulary))
    whole, inner = codes(vocabulary)
    # whole numbers from here to the length, so that no order of sums matters
    marked = np.rint(roots * ROOT_SCALE)
    packed = np.empty(DIMENSION, np.int8)
    packed[:WHOLE_LENGTH] = _rounded(marked[:1] @ whole[classes]).ravel()
    packed[WHOLE_LENGTH:] = _rounded(np.matmul(marked[1:, None], inner[:, classes])[:, 0]).ravel()
    return packed, shares


def _rounded(blocks: NDArray[np.float64]) -> NDArray[np.int8]:
    """Blocks, float64[n, k] of whole numbers, brought to a length of BLOCK_NORM and rounded."""
    length = np.sqrt((blocks * blocks).sum(axis=1, keepdims=True))
    return np.asarray(np.rint(blocks * BLOCK_NORM / np.maximum(length, 1)), np.int8)


def cell_roots(
    label_map: NDArray[np.uint8], known: NDArray[np.bool_] | None, classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """How strongly each class shows in each cell.

    Returns float64[CELLS, m], the share of each cell that is known (float64[CELLS], 0..1), and the m classes
    that occur, ascending. For a class with the share s of a cell and S of the whole, in both cases of the
    known area, the number is the root of s / sqrt(S).
    """
    counts = cell_counts(label_map, known, classes)
    present = np.flatnonzero(counts[0])
    counts = counts[:, present]
    areas = counts.sum(axis=1)
    within = counts / np.maximum(areas, 1)[:, None]
    roots: NDArray[np.float64] = np.sqrt(within / np.sqrt(within[0]))
    return roots, areas / label_map.size / np.array([GRID * GRID, *[1] * GRID * GRID]), present


def cell_counts(
    label_map: NDArray[np.uint8], known: NDArray[np.bool_] | None, classes: int
) -> NDArray[np.int64]:
    """The area of each class in each cell, int64[CELLS, classes], in units of 1 / GRID² pixel, so that pixels
    across the border of cells count for each by the area they have there. Only pixels where ``known`` is true
    count, if it is given."""
    check_label_map(label_map)
    highest = int(label_map.max(initial=0, where=True if known is None else known))
    if highest >= classes:
        raise ValueError(f"class id {highest} in a label map of {classes} classes")
    if known is not None:
        label_map = np.where(known, label_map, np.uint8(classes))
    height, width = label_map.shape
    row_share, column_share = _strips(height)[1], _strips(width)[1]
    tally = np.bincount(
        (_strip_offsets(height, width, classes + 1) + label_map).ravel(),
        minlength=STRIPS * STRIPS * (classes + 1),
    )
    counts = tally.reshape(STRIPS, STRIPS, classes + 1)
    # floats of whole numbers: exact, and fast
    by_columns = np.tensordot(row_share, counts[..., :classes].astype(np.float64), 1)
    fine = np.matmul(column_share, by_columns).reshape(GRID * GRID, classes).astype(np.int64)
    return np.concatenate([fine.sum(axis=0, keepdims=True), fine])


@lru_cache(maxsize=16)
def _strip_offsets(height: int, width: int, kinds: int) -> NDArray[np.uint16]:
    """What to add to the labels of a map so that those of different strips differ too: multiples of
    ``kinds``, uint16[h, w]."""
    offsets = (_strips(height)[0][:, None] * STRIPS + _strips(width)[0]) * kinds
    found = offsets.astype(np.uint16)
    found.flags.writeable = False
    return found


@lru_cache(maxsize=64)
def _strips(length: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Lines of a side sorted into strips: one for the lines inside each of the GRID cells, and one for each
    line that lies across a border. Returns the strip of each line (intp[length]), and how many GRID-ths of a
    line of each strip lie in each cell (float64[GRID, STRIPS])."""
    lines = np.arange(length)
    first, last = lines * GRID // length, ((lines + 1) * GRID - 1) // length
    strip = first.copy()
    share = np.zeros((GRID, STRIPS))
    share[range(GRID), range(GRID)] = GRID
    for number, line in enumerate(np.flatnonzero(first != last), start=GRID):
        strip[line] = number
        edges = np.clip(np.arange(GRID + 1) * length, line * GRID, (line + 1) * GRID)
        share[:, number] = np.diff(edges)
    strip.flags.writeable = share.flags.writeable = False
    return strip, share


@lru_cache(maxsize=4)
def codes(vocabulary: Vocabulary) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What stands for each class: :func:`spread` of the shipped codes; a class of a list of one's own has the
    code of the one that it means in the package's, or where it means none one that its name makes."""
    return spread({c.name: _code(c) for c in vocabulary.classes}, vocabulary)


def _code(known: ClassInfo) -> Sequence[int]:
    table = code_table()
    if known.name in table:
        return table[known.name]
    shipped = built_in()
    meant = class_meant((known.name, known.plural, *known.synonyms), shipped)
    if meant.how != "unknown":
        return table[shipped.classes[meant.class_id].name]
    length = len(table[shipped.classes[OTHER].name])
    drawn = np.frombuffer(hashlib.shake_256(known.name.encode()).digest(length), np.int8)
    scale = np.abs(np.array(list(table.values()))).mean() / 64  # as large as the others on the average
    return [int(number) for number in np.rint(drawn * scale).clip(-127, 127)]


def spread(
    table: Mapping[str, Sequence[int]], vocabulary: Vocabulary, whole_length: int = WHOLE_LENGTH
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Class codes as arrays, of the whole, float64[classes, whole_length], and of each cell, [GRID * GRID,
    classes, cell length].

    ``table`` has for each class the numbers of the whole, then those of the cells row by row, left half and
    middle only: cells that mirror each other have the same. ValueError for a class that it does not have."""
    if missing := [c.name for c in vocabulary.classes if c.name not in table]:
        raise ValueError(f"no layout code for the class {missing[0]}: make codes anew with training.layout")
    rows = np.array([table[c.name] for c in vocabulary.classes], np.float64)
    distinct = rows[:, whole_length:].reshape(len(vocabulary), GRID, GRID // 2 + 1, -1)
    inner = distinct[:, :, [min(c, GRID - 1 - c) for c in range(GRID)]].reshape(
        len(vocabulary), GRID * GRID, -1
    )
    return rows[:, :whole_length].copy(), np.ascontiguousarray(inner.transpose(1, 0, 2))


@cache
def code_table() -> dict[str, list[int]]:
    """The shipped class codes by class name, whole numbers -127..127; `training.layout` made them."""
    table: dict[str, list[int]] = json.loads((files("dsslic_search.features") / CODES_FILE).read_text())[
        "classes"
    ]
    return table
