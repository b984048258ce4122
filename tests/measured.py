"""Where coverage looks. Under Python 3.11 all code runs two to five times slower while it does, pytest's and
other libraries' too. So it looks at modules of the package and of the tests as they are loaded, at test
functions, at the first examples of each property, the first sets of parameters of each test, both as long as
they show new lines, and at each fixture when it is made first, and looks away otherwise: there is nothing new
to see.

Nothing here does anything where coverage is not measured, or is measured by ``sys.monitoring``.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import Any, TypeVar

from _pytest.assertion.rewrite import AssertionRewritingHook

T = TypeVar("T")

WATCHED_PACKAGES = ("dsslic_search", "tests")
WATCHED_EXAMPLES = 10  # of each property: the simplest, which Hypothesis tries first, and some others
WATCHED_CASES = 20  # of each test with parameters, in each process
NOTHING_NEW = 6  # examples or cases in a row that showed no new line: the rest is not looked at

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


def _lines_seen() -> int | None:
    """How many lines coverage saw in this process until now; None where its tracer does not say."""
    data = getattr(getattr(_here, "tracer", None), "data", None)
    return None if data is None else sum(map(len, tuple(data.values())))


class Interest:
    """Whether there may be something new to see in what is done again and again: at most the first ``most``
    times, and no longer when ``in_vain`` in a row showed nothing."""

    def __init__(self, most: int, in_vain: int = NOTHING_NEW) -> None:
        self._left, self._most_in_vain, self._in_vain = most, in_vain, 0

    @contextmanager
    def once_more(self) -> Iterator[bool]:
        """Gives whether what is done meanwhile should be measured."""
        if not self._left or self._in_vain >= self._most_in_vain:
            yield False
            return
        self._left -= 1
        before = _lines_seen()
        try:
            yield True
        finally:
            showed_nothing = before is not None and before == _lines_seen()
            self._in_vain = self._in_vain + 1 if showed_nothing else 0

    @contextmanager
    def while_there_is(self) -> Iterator[None]:
        """Once more, within a function of the tests that is measured: not measured when there is none left,
        nor then what is left of that function."""
        if not _is_watched():
            yield
            return
        with self.once_more() as wanted, nullcontext() if wanted else unwatched():
            yield


_cases: dict[str, Interest] = {}  # by test


@contextmanager
def watched_test(test: Any, name: str) -> Iterator[None]:
    """What a test does is measured; of a property, the first examples, and of a test with parameters, named
    ``name`` with each set of them, the first of these; of both as long as they show something new."""
    with _cases.setdefault(name, Interest(WATCHED_CASES)).once_more() as wanted:
        if not wanted:
            yield
            return
        handle = getattr(test, "hypothesis", None)
        with watched() if handle is None else _watched_examples(handle):
            yield


@contextmanager
def _watched_examples(handle: Any) -> Iterator[None]:
    plain, interest = handle.inner_test, Interest(WATCHED_EXAMPLES)

    @functools.wraps(plain)
    def example(*arguments: Any, **more: Any) -> Any:
        with interest.once_more() as wanted, watched() if wanted else nullcontext():
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
