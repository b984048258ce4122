"""The label map's layer: s, class ids, lossless (DSSLIC's s).

Its bytes are made by :mod:`dsslic_search.codec.layers.label_map.coder`, a context-mixing coder of the PAQ
line; docs/label-map.md describes them. In the paper's profile they are a FLIF file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.codec.layers import flif_files
from dsslic_search.codec.layers.label_map import coder
from dsslic_search.core.errors import FormatError, UsageError
from dsslic_search.core.kinds import Stage

CONTEXT_MIXING = 1
FLIF = 2
LAYER = Layer("SMAP", "the label map", (CONTEXT_MIXING, FLIF), (Stage.MAP, Stage.COARSE, Stage.FULL))

MAX_FLIF_LABELS = 1 << 24  # a few bytes may declare as many, and FLIF takes 12 bytes for each
MAX_SIDE = 256  # labels: the map scale is the smallest by which the longer side has no more


def scale_for(height: int, width: int) -> int:
    """Photo pixels per label, each way, for a photo of that size."""
    return -(-max(height, width) // MAX_SIDE)


def encode(labels: NDArray[np.uint8], as_flif: bool = False) -> Chunk:
    """The label map, uint8 [h, w] at its own scale; ``as_flif``: as a FLIF file, UsageError where it is too
    large for that."""
    if as_flif:
        if labels.size > MAX_FLIF_LABELS:
            raise UsageError(
                f"a label map of {labels.shape[1]}×{labels.shape[0]} is more than the paper's profile has "
                f"({MAX_FLIF_LABELS} labels); choose a larger map scale"
            )
        return LAYER.chunk(FLIF, flif_files.encode(labels))
    return LAYER.chunk(CONTEXT_MIXING, coder.encode(labels))


def decode(chunk: Chunk, size: tuple[int, int]) -> NDArray[np.uint8]:
    """What :func:`encode` was given. FormatError when the chunk is damaged or not of the (height, width)
    ``size``."""
    LAYER.check(chunk)
    if chunk.codec == FLIF:
        if size[0] * size[1] > MAX_FLIF_LABELS:
            raise FormatError(f"a label map of {size[1]}×{size[0]} is more than a FLIF layer may have")
        return flif_files.decode(chunk.data, size, planes=1)
    height, width = size
    if coder.read_size(chunk.data) != size:
        raise FormatError("the label map is not of the size that the header declares")
    return coder.decode(chunk.data, max_pixels=height * width)


def reduce(labels: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """A label map at the photo's size, uint8 [height, width], at its own: of each ``scale`` × ``scale`` photo
    pixels the label that most have, of several the least. What `enlarge` made becomes what it was."""
    height, width = labels.shape
    rows, columns = (np.arange(0, side, scale) for side in (height, width))
    most = np.full((rows.size, columns.size), -1, np.int64)
    found = np.zeros(most.shape, np.uint8)
    for label in np.unique(labels):
        count = np.add.reduceat(np.add.reduceat(labels == label, rows, 0, np.int64), columns, 1)
        found[count > most] = label
        most = np.maximum(count, most)
    return found


def enlarge(labels: NDArray[np.uint8], scale: int, height: int, width: int) -> NDArray[np.uint8]:
    """A label map at the photo's size, uint8 [height, width]: each label stands for ``scale`` × ``scale``
    photo pixels, cut at the edges."""
    if scale == 1:
        return labels[:height, :width]
    return np.repeat(np.repeat(labels, scale, 0)[:height], scale, 1)[:, :width]
