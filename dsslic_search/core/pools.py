"""Threads that are kept for the next time: starting them takes longer than much of what is handed to them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache


@cache
def pool(name: str) -> ThreadPoolExecutor:
    """Those of a name, one for each processor. Work in them hands out more by another name alone, since it
    would wait for itself. A process that is forked has none of them yet, and starts its own."""
    return ThreadPoolExecutor(os.cpu_count(), name)


if hasattr(os, "register_at_fork"):  # a fork has the threads' queue, and none of the threads that empty it
    os.register_at_fork(after_in_child=pool.cache_clear)
