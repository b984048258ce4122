"""Loops over arrays run compiled once it has paid: loading numba takes longer than a small archive's loops do
without it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar

from dsslic_search.core.pools import pool

T = TypeVar("T")
R = TypeVar("R")
Loop = Callable[..., Any]


@dataclass
class Patience:
    """How many photos this process may still look at uncompiled: about as many as take the time of loading
    numba and the loops that it kept, a second or more where a photo takes 100 to 300 microseconds."""

    photos: int = 8_000
    values: int = 100_000_000
    """The same of numbers that whole-array operations put together."""


PATIENCE = Patience()


SHARED_FROM = 30_000
"""Photos that a compiled loop compares, from which it is worth while to deal them out to threads."""


def on_all_processors(work: Callable[[slice], object], photos: int, shared_from: int | None = None) -> None:
    """Do work on so many photos, or on something else that is dealt out from ``shared_from`` on, one part of
    them on each processor where they are many. A part's work is a compiled loop, which runs without the
    interpreter's lock, and asks for nothing of the kind itself."""
    few = photos < (SHARED_FROM if shared_from is None else shared_from)
    parts = 1 if few else os.cpu_count() or 1
    if parts == 1:
        work(slice(0, photos))
        return
    bounds = [photos * number // parts for number in range(parts + 1)]
    for _ in pool("loops").map(work, map(slice, bounds, bounds[1:])):
        pass


def in_turn(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What work makes of each item, in their order, on all processors, while the next items are read; few at
    a time, so that not all have to be in memory. The work is mostly in operations on whole arrays, which run
    without the interpreter's lock, and asks for nothing of the kind itself."""
    source = iter(items)
    first = list(islice(source, 2))
    if len(first) < 2:  # one alone is sooner done than handed over
        yield from map(work, first)
        return
    ahead: deque[Future[R]] = deque()
    try:
        for item in chain(first, source):
            ahead.append(pool("loops").submit(work, item))
            if len(ahead) > (os.cpu_count() or 1):
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        for each in ahead:
            each.cancel()


def runnable(loop: Loop, photos: int) -> Loop:
    """``loop`` as it is, or compiled where that pays, for a run over so many photos. Both do the same."""
    PATIENCE.photos = max(PATIENCE.photos - photos, 0)
    return loop if PATIENCE.photos else _compiled(loop)


def quick(loop: Loop, values: int) -> Loop | None:
    """``loop`` compiled, for a run over so many numbers, where that pays, as it does where numba is loaded;
    else None, for its work to be done by whole-array operations."""
    PATIENCE.values = max(PATIENCE.values - values, 0)
    if PATIENCE.values and PATIENCE.photos:
        return None
    found = compiled(loop)
    return None if found is loop else found


def compiled(loop: Loop) -> Loop:
    """``loop`` compiled; as it is where numba is missing."""
    return _compiled(loop)


@cache
def _compiled(loop: Loop) -> Loop:
    """Kept on disk where there is a folder for it: beside the source or the user's cache. As it is where
    numba is missing."""
    try:
        import numba
    except ImportError:
        return loop
    with contextlib.suppress(RuntimeError):  # no folder can be written
        kept: Loop = numba.njit(cache=True, nogil=True)(_named_by_meaning(loop))
        return kept
    fast: Loop = numba.njit(nogil=True)(loop)
    return fast


def _named_by_meaning(loop: Loop) -> Loop:
    """The same loop under a name that tells its code and every value that it takes from elsewhere. What numba
    keeps it finds by the name, and by the content of the loop's own file alone: a constant that another
    module changed would leave machine code with the old one."""
    assert isinstance(loop, FunctionType)
    digest = hashlib.blake2b(repr(_meaning(loop, set())).encode(), digest_size=8).hexdigest()
    same = FunctionType(loop.__code__, loop.__globals__, loop.__name__, loop.__defaults__, loop.__closure__)
    same.__qualname__ = f"{loop.__qualname__}-{digest}"
    return same


def _meaning(value: Any, met: set[str]) -> Any:
    """What a value is to compiled code, in plain values. ``met``: the functions that were looked at."""
    value = getattr(value, "py_func", value)  # of one that numba has compiled
    if isinstance(value, CodeType):
        return value.co_code.hex(), [_meaning(each, met) for each in value.co_consts], value.co_names
    if not isinstance(value, FunctionType):
        return value.__name__ if isinstance(value, ModuleType) else repr(value)
    name = f"{value.__module__}.{value.__qualname__}"
    if name in met:
        return name
    met.add(name)
    cells = [_meaning(cell.cell_contents, met) for cell in value.__closure__ or ()]
    scope, named = value.__globals__, value.__code__.co_names
    taken = [(each, _meaning(scope[each], met)) for each in named if each in scope]
    modules = [scope[each] for each in named if isinstance(scope.get(each), ModuleType)]
    of_modules = [
        (module.__name__, each, _meaning(getattr(module, each), met))
        for module in modules
        if module.__name__.partition(".")[0] == value.__module__.partition(".")[0]
        for each in named
        if hasattr(module, each)
    ]
    return name, _meaning(value.__code__, met), _meaning(value.__defaults__, met), cells, taken, of_modules
