"""Damaged streams: what becomes of sound ones, and how decoders take it."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dsslic_search.core.errors import FormatError

SMALL = 500  # bytes; larger streams are taken less often by the square, as they take more time and leave more
# of it to the same sound rest: of ten times as many bytes, a hundredth as often


def fuzz(
    sound: Sequence[bytes], decode: Callable[[bytes, int], None], streams: int, random: np.random.Generator
) -> dict[str, Any]:
    """Give ``decode`` so many damaged copies of ``sound`` streams, with their numbers from 0: each must be
    taken, or refused by FormatError. Anything else that it raises is raised here.

    Returns how many did which, the longest processor seconds that one took, and by how many megabytes the
    most memory that the process ever took has grown meanwhile.
    """
    decode(sound[0], 0)  # what is compiled or loaded at first is no stream's
    often = np.cumsum([max(len(stream), SMALL) ** -2.0 for stream in sound])
    decoded = refused = 0
    longest, before = 0.0, _peak_bytes()
    for number in range(streams):
        at = int(np.searchsorted(often, random.random() * often[-1], side="right"))
        data = damage(sound[min(at, len(sound) - 1)], random)
        start = time.process_time()
        try:
            decode(data, number)
            decoded += 1
        except FormatError:
            refused += 1
        longest = max(longest, time.process_time() - start)
    return {
        "streams": streams,
        "decoded": decoded,
        "refused": refused,
        "longest_seconds": longest,
        "more_megabytes": (_peak_bytes() - before) / 1e6,
    }


def _peak_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def damage(stream: bytes, random: np.random.Generator) -> bytes:
    """``stream`` with one to four of: a bit turned, a byte replaced, a piece cut out, doubled or appended,
    the end cut off."""
    bad = bytearray(stream)
    for _ in range(random.integers(1, 5)):
        kind, at = random.integers(6), int(random.integers(len(bad))) if bad else 0
        length = int(random.integers(1, 9))
        if kind == 0 and bad:
            bad[at] ^= 1 << int(random.integers(8))
        elif kind == 1 and bad:
            bad[at] = random.integers(256)
        elif kind == 2:
            del bad[at : at + length]
        elif kind == 3:
            bad[at:at] = bad[at : at + length]
        elif kind == 4:
            bad += random.bytes(length)
        else:
            del bad[at:]
    return bytes(bad)
