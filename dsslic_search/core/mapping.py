"""Files mapped into memory without being kept open: an index has a file for each kind and segment, and a
process may have about a thousand open."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray


def mapped(descriptor: int, size: int) -> NDArray[np.uint8]:
    """The first ``size`` bytes, at least one, of an open file, uint8[size], read-only. The file may be closed
    then. Raises OSError."""
    if sys.version_info >= (3, 13):
        kept = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ, trackfd=False)
        return np.frombuffer(kept, np.uint8)
    if os.name != "posix":
        return np.frombuffer(mmap.mmap(descriptor, size, access=mmap.ACCESS_READ), np.uint8)
    system = _system()
    address = system.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, 0)
    if address == ctypes.c_void_p(-1).value:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    content: Any = (ctypes.c_uint8 * size).from_address(address)
    # what numpy makes of it holds on to it, and whatever is made of that
    weakref.finalize(content, system.munmap, address, size).atexit = False
    found: NDArray[np.uint8] = np.frombuffer(content, np.uint8)
    found.flags.writeable = False
    return found


def _system() -> Any:
    """The C library; up to Python 3.12 its own module keeps a descriptor of each file."""
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return library
