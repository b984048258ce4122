"""Loops over arrays run compiled once it has paid: loading numba takes longer than a small archive's loops do
without it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

Loop = Callable[..., Any]


@dataclass
class Patience:
    """How many photos this process may still look at uncompiled: about as many as take the time of loading
    numba."""

    photos: int = 50_000


PATIENCE = Patience()


def runnable(loop: Loop, photos: int) -> Loop:
    """``loop`` as it is, or compiled where that pays, for a run over so many photos. Both do the same."""
    PATIENCE.photos = max(PATIENCE.photos - photos, 0)
    return loop if PATIENCE.photos else _compiled(loop)


@cache
def _compiled(loop: Loop) -> Loop:
    """Kept on disk where there is a folder for it: beside the source or the user's cache. As it is where
    numba is missing."""
    try:
        import numba
    except ImportError:
        return loop
    with contextlib.suppress(RuntimeError):  # no folder can be written
        kept: Loop = numba.njit(cache=True, nogil=True)(loop)
        return kept
    fast: Loop = numba.njit(nogil=True)(loop)
    return fast
