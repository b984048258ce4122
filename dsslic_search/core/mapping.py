"""Files mapped into memory without being kept open: an index has a file for each kind and segment, and a
process may have about a thousand open."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import sys
import weakref
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import ArchiveError


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


def refuse_too_many(path: Path, error: OSError) -> None:
    """Raise ArchiveError where a file cannot be opened or mapped because the process has too many."""
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        raise ArchiveError(
            f"{path}: this index cannot be opened ({error.strerror}); let the process have more open "
            "files and memory (ulimit -n, ulimit -v), or end other programs"
        ) from error


def leave(part: NDArray[Any]) -> None:
    """Give back the memory of the pages that lie wholly in a part of what `mapped` gave, and of nothing else;
    they are read again where they are looked at again. Nothing, where the system cannot do that."""
    if not hasattr(mmap, "MADV_DONTNEED"):
        return
    start, page = part.__array_interface__["data"][0], mmap.PAGESIZE
    first, last = -(-start // page) * page, (start + part.nbytes) // page * page
    if first < last:
        _system().madvise(first, last - first, mmap.MADV_DONTNEED)


@cache
def _system() -> Any:
    """The C library; up to Python 3.12 its own module keeps a descriptor of each file."""
    library = ctypes.CDLL(None, use_errno=True)
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return library
