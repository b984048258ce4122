"""Where coverage looks. Under Python 3.11 all code runs two to five times slower while it does, pytest's and
other libraries' too. So it looks at modules of the package and of the tests as they are loaded, at test
functions, at the first examples of each property, the first sets of parameters of each test, and at each
fixture when it is made first, and looks away otherwise: there is nothing new to see.

Nothing here does anything where coverage is not measured, or is measured by ``sys.monitoring``.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import Any, TypeVar

from _pytest.assertion.rewrite import AssertionRewritingHook

T = TypeVar("T")

WATCHED_PACKAGES = ("dsslic_search", "tests")
WATCHED_EXAMPLES = 10  # of each property: the simplest, which Hypothesis tries first, and some others
WATCHED_CASES = 20  # of each test with parameters, in each process

_cases: Counter[str] = Counter()  # of each test, that came already

_here = threading.local()  # ``tracer``: coverage's of this thread, once it has looked away from it
_of_threads: Any = None  # what coverage has every new thread traced by


def _trace_new_threads_by(tracer: Any) -> None:
    """Only the main thread says so: others come and go beside it."""
    if threading.current_thread() is threading.main_thread():
        threading.settrace(tracer)


def _is_watched() -> bool:
    """Whether coverage traces this thread, and not a debugger or a test that counts lines."""
    return type(sys.gettrace()).__module__.partition(".")[0] == "coverage"


def out_of_sight(work: Callable[..., T], *arguments: Any) -> T:
    """What ``work`` returns; what it does is not measured, if this thread is.

    The tracer counts calls and returns to know which file a line is in. So this function, and none that it
    calls, stops and starts it: else the lines after this call, in whatever called, would be lost.
    """
    if not _is_watched():
        return work(*arguments)
    global _of_threads
    tracer = _here.tracer = sys.gettrace()
    _of_threads = threading.gettrace() or _of_threads
    _trace_new_threads_by(None)
    sys.settrace(None)
    try:
        return work(*arguments)
    finally:
        sys.settrace(tracer)
        _trace_new_threads_by(_of_threads)


def in_sight(work: Callable[..., T], *arguments: Any) -> T:
    """What ``work`` returns; what it does is measured, also within `out_of_sight`. A thread that was started
    there begins as a new one does."""
    if sys.gettrace() is not None or _of_threads is None:
        return work(*arguments)
    _trace_new_threads_by(_of_threads)
    sys.settrace(getattr(_here, "tracer", _of_threads))
    try:
        return work(*arguments)
    finally:
        sys.settrace(None)
        _trace_new_threads_by(None)


@contextmanager
def unwatched() -> Iterator[None]:
    """What this thread does meanwhile is not measured, nor what is left of the functions it is used in: for
    pytest's own steps, and for functions of the tests. Within functions of the package: `out_of_sight`."""
    if not _is_watched():
        yield
        return
    global _of_threads
    _here.tracer, _of_threads = sys.gettrace(), threading.gettrace() or _of_threads
    _trace_new_threads_by(None)
    sys.settrace(None)
    try:
        yield
    finally:
        _trace_new_threads_by(_of_threads)
        sys.settrace(_here.tracer)


@contextmanager
def watched() -> Iterator[None]:
    """What this thread does meanwhile is measured, also within `unwatched`. Within functions of the package:
    `in_sight`."""
    if sys.gettrace() is not None or _of_threads is None:
        yield
        return
    _trace_new_threads_by(_of_threads)
    sys.settrace(getattr(_here, "tracer", _of_threads))
    try:
        yield
    finally:
        _trace_new_threads_by(None)
        sys.settrace(None)


@contextmanager
def watched_test(test: Any, name: str) -> Iterator[None]:
    """What a test does is measured; of a property, the first examples, and of a test with parameters, named
    ``name`` with each set of them, the first of these."""
    _cases[name] += 1
    if _cases[name] > WATCHED_CASES:
        yield
        return
    handle = getattr(test, "hypothesis", None)
    if handle is None:
        with watched():
            yield
        return
    plain, examples = handle.inner_test, 0

    @functools.wraps(plain)
    def example(*arguments: Any, **more: Any) -> Any:
        nonlocal examples
        examples += 1
        if examples > WATCHED_EXAMPLES:
            return plain(*arguments, **more)
        with watched():
            return plain(*arguments, **more)

    handle.inner_test = example
    try:
        yield
    finally:
        handle.inner_test = plain


def watch_loading() -> None:
    """From now on, what loading a module does is measured if it is the package's or a test, and only then."""
    for loader in (SourceFileLoader, AssertionRewritingHook):
        loader.exec_module = _watching(loader.exec_module)  # type: ignore[method-assign]


def _watching(load: Callable[[Any, ModuleType], None]) -> Callable[[Any, ModuleType], None]:
    def exec_module(self: Any, module: ModuleType) -> None:
        seen = module.__name__.partition(".")[0] in WATCHED_PACKAGES
        (in_sight if seen else out_of_sight)(load, self, module)

    return exec_module
