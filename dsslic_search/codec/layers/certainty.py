"""The layer `sure`: how sure the segmenter was of each class that the label map shows.

One byte a class, in the order of class ids: the mean over the class's labels of the probability that the
label is right, times 255, rounded to the nearest. Files whose segmenter knows no probabilities have no such
layer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.core.certainty import CERTAIN
from dsslic_search.core.dialect import Dialect
from dsslic_search.core.errors import FormatError
from dsslic_search.core.vocabulary import OTHER

MEAN_BYTES = 1
LAYER = Layer("sure", "the certainty of classes", (MEAN_BYTES,), in_base=True)


def encode(label_map: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> Chunk:
    """Of class ids, uint8 [h, w], and the probability of each, float32 [h, w], 0..1."""
    pixels = np.bincount(label_map.ravel())
    sums = np.bincount(label_map.ravel(), probabilities.ravel().astype(np.float64))
    shown = pixels > 0
    means = np.clip(np.rint(sums[shown] / pixels[shown] * CERTAIN), 0, CERTAIN)
    return LAYER.chunk(MEAN_BYTES, means.astype(np.uint8).tobytes())


def decode(chunk: Chunk, label_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8, one for each class id that ``label_map`` shows, ascending. FormatError where there are more or
    fewer."""
    LAYER.check(chunk)
    shown = int(np.count_nonzero(np.bincount(label_map.ravel())))
    if len(chunk.data) != shown:
        raise FormatError(
            f"damaged {LAYER.kind} chunk ({len(chunk.data)} bytes for a label map of {shown} classes)"
        )
    return np.frombuffer(chunk.data, np.uint8)


def by_meaning(
    label_map: NDArray[np.uint8], certainties: NDArray[np.uint8], dialect: Dialect
) -> dict[int, int]:
    """What :func:`decode` gave, by the class of the shipped vocabulary that a class counts as: of several
    that are one there, the mean over their labels, rounded to the nearest. ``other`` has none: that label
    says what the segmenter does not know."""
    pixels = np.bincount(label_map.ravel())
    shown = np.flatnonzero(pixels)
    meanings = np.array(dialect.meanings)[shown]
    labels = np.bincount(meanings, pixels[shown])
    sums = np.bincount(meanings, pixels[shown] * certainties.astype(np.float64))
    return {int(c): int(np.rint(sums[c] / labels[c])) for c in np.flatnonzero(labels) if c != OTHER}
