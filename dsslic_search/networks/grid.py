"""The grids beside a photo's own, labels as the networks take them and compact pixels, and the tiles that the
networks run in. Nothing here loads a network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SCALE = 8  # photo pixels per compact pixel, each way, in every file
SCALES = (2, 4, 8)  # those that the networks can be made for
LABEL_SCALE = 4  # photo pixels per label given to CompNet and FineNet, each way
TILE = 64  # compact pixels a side: 512 photo pixels
RESTORED_TILE = 768  # pixels a side: some 500 MB while it is made
COMPACT_MARGIN = 4  # compact pixels around a tile that CompNet looks at


def network_labels(label_map: NDArray[np.uint8], map_scale: int, cells: tuple[int, int]) -> NDArray[np.int64]:
    """Labels as CompNet and FineNet take them: int64 [2h, 2w] for ``cells`` = (h, w) compact pixels.

    The label of each 4×4 block of photo pixels is that of the map pixel under the block's centre.
    """
    per = SCALE // LABEL_SCALE
    index = [
        np.minimum((np.arange(n * per) * LABEL_SCALE + LABEL_SCALE // 2) // map_scale, size - 1)
        for n, size in zip(cells, label_map.shape, strict=True)
    ]
    return label_map[np.ix_(index[0], index[1])].astype(np.int64)


def tiles(cells: tuple[int, int], margin: int) -> list[tuple[slice, slice, slice, slice]]:
    """(rows, columns) to compute and (rows, columns) to keep, in compact pixels."""
    found = []
    for y in range(0, cells[0], TILE):
        for x in range(0, cells[1], TILE):
            keep = slice(y, min(y + TILE, cells[0])), slice(x, min(x + TILE, cells[1]))
            rows, columns = (
                slice(max(0, k.start - margin), min(n, k.stop + margin))
                for k, n in zip(keep, cells, strict=True)
            )
            found.append((rows, columns, *keep))
    return found


def scaled(rows: slice, columns: slice, factor: int) -> tuple[slice, slice]:
    """The same part of a grid that is ``factor`` times as fine."""
    return slice(rows.start * factor, rows.stop * factor), slice(
        columns.start * factor, columns.stop * factor
    )


def squares(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """(rows, columns) of the tiles that the restoration network fills, in photo pixels."""
    for y in range(0, height, RESTORED_TILE):
        for x in range(0, width, RESTORED_TILE):
            yield slice(y, min(y + RESTORED_TILE, height)), slice(x, min(x + RESTORED_TILE, width))


def widened(part: slice, size: int, margin: int) -> slice:
    """A part of 0..size with a margin on both sides, where there is room for it."""
    return slice(max(0, part.start - margin), min(size, part.stop + margin))
