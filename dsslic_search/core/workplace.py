"""Where work is done that may be done anywhere: in threads of this process, or on the machines of a cluster
(`core.ray_cluster`)."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

Key = TypeVar("Key")
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


def in_order(
    place: Workplace, do: Callable[..., Made], work: Iterable[tuple[Key, tuple[object, ...]]]
) -> Iterator[tuple[Key, Future[Made]]]:
    """Each piece of work, a key and the arguments of what `Workplace.doing` gave, with what becomes of it, in
    order; a few are done ahead of the one that is asked for."""
    ahead: deque[tuple[Key, Future[Made]]] = deque()
    with ThreadPoolExecutor(place.at_once, "dss-work") as pool:
        try:
            for key, arguments in work:
                ahead.append((key, pool.submit(do, *arguments)))
                if len(ahead) > place.at_once:
                    yield ahead.popleft()
            while ahead:
                yield ahead.popleft()
        finally:
            for _key, future in ahead:
                future.cancel()


def here(workers: int | None = None) -> Here:
    """This process, with so many threads, or one a core."""
    return Here(workers or os.cpu_count() or 1)
