"""Where work is done that may be done anywhere: in threads of this process, or on the machines of a cluster
(`core.ray_cluster`)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

Made = TypeVar("Made")


class Workplace(Protocol):
    """Whoever calls what it gives waits until that is done, so threads are there to call it: ``at_once`` keep
    it busy."""

    @property
    def at_once(self) -> int: ...

    def doing(self, function: Callable[..., Made], *shared: object) -> Callable[..., Made]:
        """``function``, of a module, with its first arguments ``shared``; the others come with each call. It
        gives what the function gives, and raises what that raises."""


@dataclass(frozen=True)
class Here:
    """This process: the thread that calls does it."""

    at_once: int

    def doing(self, function: Callable[..., Made], *shared: object) -> Callable[..., Made]:
        return partial(function, *shared)


def here(workers: int | None = None) -> Here:
    """This process, with so many threads, or one a core."""
    return Here(workers or os.cpu_count() or 1)
