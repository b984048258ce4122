"""The same work for each segment: on several processors where there is much of it.

What is done is mostly in loops over all photos of a segment, of numpy and of numba, which run without the
interpreter's lock. Results come in the order of the segments, whichever is ready first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from dsslic_search.core.pools import pool

T = TypeVar("T")
R = TypeVar("R")

SHARED_FROM = 300_000
"""Photos in all from which handing work to threads takes less time than it saves."""


def of_each(work: Callable[[T], R], parts: Sequence[T], photos: int) -> list[R]:
    """What ``work`` makes of each part, in their order; ``photos``: how many these have together. Raises what
    the first part that fails raises, when all have ended."""
    if len(parts) == 1 or photos < SHARED_FROM:
        return [work(part) for part in parts]
    asked = [pool("segments").submit(work, part) for part in parts]
    troubles = [trouble for each in asked if (trouble := each.exception()) is not None]
    if troubles:
        raise troubles[0]
    return [each.result() for each in asked]
