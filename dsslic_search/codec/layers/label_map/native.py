"""The walk as machine code, or as it stands."""

from __future__ import annotations

import numpy as np

from dsslic_search.codec.layers.label_map import machine, model, walk
from dsslic_search.codec.machine_code import Loop, MachineCode

# plane, data, slots, cells; height and width
WALK = MachineCode((machine, model, walk), walk.scan, (np.uint8, np.uint8, np.uint32, np.int64), integers=2)


def scan() -> Loop:
    """The walk to run: machine code, which takes numpy arrays; or, where there is no numba, `walk.scan`."""
    return WALK.made() or walk.scan


def is_compiled() -> bool:
    """Whether :func:`scan` is machine code."""
    return scan() is not walk.scan
