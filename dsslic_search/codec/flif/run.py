"""The loops behind one entry, so that they are compiled together."""

from __future__ import annotations

from dsslic_search.codec.flif.interlaced import code_level, set_level_properties
from dsslic_search.codec.flif.machine import JOB, Cells
from dsslic_search.codec.flif.scanlines import code_rows, set_row_properties
from dsslic_search.codec.flif.tree import code_tree

CODE_ROWS, CODE_LEVEL, CODE_ROWS_TREE, CODE_LEVELS_TREE = range(4)


def run_loops(
    data: Cells, planes: Cells, nodes: Cells, chances: Cells, stats: Cells, buckets: Cells, cells: Cells
) -> int:
    """Do what ``cells[JOB]`` says with the plane ``cells[PLANE]``."""
    job = cells[JOB]
    if job in (CODE_ROWS, CODE_ROWS_TREE):
        set_row_properties(cells)
    else:
        set_level_properties(cells)
    if job == CODE_ROWS:
        return code_rows(data, planes, nodes, chances, stats, buckets, cells)
    if job == CODE_LEVEL:
        return code_level(data, planes, nodes, chances, stats, buckets, cells)
    return code_tree(data, nodes, chances, stats, cells)
