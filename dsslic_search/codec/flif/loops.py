"""The loops to run, as machine code or as they stand."""

from __future__ import annotations

from typing import Any

import numpy as np

from dsslic_search.codec.flif import chances, interlaced, learning, machine, ranges, run, scanlines, tree
from dsslic_search.codec.machine_code import MachineCode

# data, planes, nodes, chances, stats, buckets, cells
ELEMENTS = (np.uint8, np.int32, np.int32, np.uint16, np.int64, np.int32, np.int64)
LOOPS = MachineCode(
    (machine, learning, chances, ranges, tree, scanlines, interlaced, run), run.run_loops, ELEMENTS
)


def run_loops(*arrays: Any) -> int:
    """`run.run_loops` over flat numpy arrays: machine code or, where there is no numba, plain Python."""
    made = LOOPS.made()
    return made(*arrays) if made else run.run_loops(*(memoryview(array) for array in arrays))
