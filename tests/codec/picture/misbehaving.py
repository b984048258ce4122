"""What decodes in a process apart, for tests: data that say so end it or have it misbehave, other TIFF files
are decoded."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import numpy as np

from dsslic_search.codec.picture import apart

ENDS = b"ends the process"
_pictures = 0


def samples(data: bytes, number: int) -> np.ndarray[Any, Any]:
    """Eight bytes with the number of the process, where the data are no TIFF file."""
    global _pictures
    _pictures += 1
    match data.split(b":")[0]:
        case b"signal":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case b"hang":
            time.sleep(600)
        case b"first":  # of a process
            if _pictures > 1:
                os.abort()
        case b"memory":
            raise MemoryError
        case b"short":
            os._exit(apart._NO_MEMORY)
        case b"early":
            raise EOFError
        case b"error":
            raise ValueError("odd\n  data")
        case b"shape":
            return np.zeros(9, np.uint8)
        case b"prints":
            print("noise", flush=True)  # noqa: T201 (which is what is tried)
            os.write(1, b"noise")
            os.write(2, b"noise")
        case b"more":  # than it was asked for
            main: Any = sys.modules["__main__"]
            told = b'{"bytes": 9}'
            main._say = lambda to, *_more: to.write(len(told).to_bytes(4, "little") + told + bytes(9))
        case _ if data[:2] in (b"II", b"MM"):
            if ENDS in data:
                os.abort()
            from dsslic_search.codec.picture.formats import tiff_pages  # which takes a tenth of a second

            return tiff_pages.samples(data, number)
    return np.frombuffer(os.getpid().to_bytes(8, "little"), np.uint8)
