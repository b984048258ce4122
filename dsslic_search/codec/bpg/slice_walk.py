"""A slice segment from its first bin to its last, tree block by tree block (ITU-T H.265, clauses 7.3.8.1 and
9.3.1).

As `dsslic_search.codec.bpg.cabac`: one source for machine code and plain Python.
"""

from __future__ import annotations

from dsslic_search.codec.bpg.cabac import (
    FIRST_CONTEXTS,
    ROW_CONTEXTS,
    SEGMENT_CONTEXTS,
    Cells,
    end_of_segment,
    ends_well,
    is_over,
    keep_contexts,
    start_bins,
    start_contexts,
)
from dsslic_search.codec.bpg.coding_tree import (
    ABOVE_OPEN,
    CHROMA_OFFSETS,
    LEFT_OPEN,
    LOG2_TREE,
    LUMA_OFFSETS,
    TREE_CELLS,
    code_offsets,
    code_tree_block,
)

# What lies where in cells: the tree block that is next in the order of coding, how many there are, and in a
# row;
NEXT_TREE, TREE_COUNT, TREE_ROW = range(TREE_CELLS, TREE_CELLS + 3)
# where in maps: their raster addresses in that order, the tile of each, and the address of its slice, -1
# before;
ORDER, TILE_OF, SLICE_OF = range(TREE_CELLS + 3, TREE_CELLS + 6)
# the address of the slice, whether the segment goes on with what was before, whether rows take up contexts.
SLICE, GOES_ON, WAVEFRONTS = range(TREE_CELLS + 6, TREE_CELLS + 9)
CELL_COUNT = TREE_CELLS + 9

SOUND, DAMAGED = 0, 1


def walk_segment(data: Cells, cells: Cells, maps: Cells, events: Cells) -> int:
    """The segment that begins at ``cells[NEXT]`` of the data, and with the block ``cells[NEXT_TREE]``."""
    if start_bins(data, cells):
        return DAMAGED
    order, slices = cells[ORDER], cells[SLICE_OF]
    row, address = cells[TREE_ROW], cells[SLICE]
    number = cells[NEXT_TREE]
    source = SEGMENT_CONTEXTS if cells[GOES_ON] else FIRST_CONTEXTS
    while True:
        block = maps[order + number]
        x, y = block % row, block // row
        if begins_tile(cells, maps, number):
            source = FIRST_CONTEXTS
        elif cells[WAVEFRONTS] and begins_row(cells, maps, block):
            source = FIRST_CONTEXTS
            if y and x + 1 < row and belongs(cells, maps, block, block - row + 1):
                source = ROW_CONTEXTS
        if source:
            start_contexts(cells, source)
        source = 0
        maps[slices + block] = address
        cells[LEFT_OPEN] = 1 if x and belongs(cells, maps, block, block - 1) else 0
        cells[ABOVE_OPEN] = 1 if y and belongs(cells, maps, block, block - row) else 0
        if cells[LUMA_OFFSETS] or cells[CHROMA_OFFSETS]:
            code_offsets(data, cells, events)
        log2 = cells[LOG2_TREE]
        if code_tree_block(data, cells, maps, events, x << log2, y << log2):
            return DAMAGED
        if cells[WAVEFRONTS] and not begins_row(cells, maps, block) and begins_row(cells, maps, block - 1):
            keep_contexts(cells, ROW_CONTEXTS)
        number += 1
        cells[NEXT_TREE] = number
        ends = end_of_segment(data, cells, events)
        if ends:
            keep_contexts(cells, SEGMENT_CONTEXTS)
            return SOUND if ends_well(data, cells) else DAMAGED
        if number == cells[TREE_COUNT] or is_over(cells):
            return DAMAGED
        block = maps[order + number]
        if begins_tile(cells, maps, number) or (cells[WAVEFRONTS] and begins_row(cells, maps, block)):
            if not end_of_segment(data, cells, events) or not ends_well(data, cells):
                return DAMAGED
            if start_bins(data, cells):
                return DAMAGED


def begins_tile(cells: Cells, maps: Cells, number: int) -> int:
    """Whether the tree block of a number in the order of coding is a tile's first."""
    order, tiles = cells[ORDER], cells[TILE_OF]
    if not number:
        return 1
    return 1 if maps[tiles + maps[order + number]] != maps[tiles + maps[order + number - 1]] else 0


def begins_row(cells: Cells, maps: Cells, block: int) -> int:
    """Whether the tree block at an address is the first of a row of its tile."""
    tiles = cells[TILE_OF]
    return 1 if block % cells[TREE_ROW] == 0 or maps[tiles + block] != maps[tiles + block - 1] else 0


def belongs(cells: Cells, maps: Cells, block: int, other: int) -> int:
    """Whether another tree block is of the same slice and tile."""
    tiles, slices = cells[TILE_OF], cells[SLICE_OF]
    if maps[slices + other] != cells[SLICE]:
        return 0
    return 1 if maps[tiles + block] == maps[tiles + other] else 0
