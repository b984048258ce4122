"""Which lines of the package the tests run. SlipCover puts a probe at each line of the package as it is
loaded, and takes those out between tests that have told: coverage.py's tracer slows all code of a process
under Python 3.11, pytest's and other libraries' too.

What was run is handed to coverage.py, which knows what a statement is, adds up processes and reports.
Nothing here does anything unless ``DSS_TEST_COVERAGE`` is set.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

PACKAGE = "dsslic_search"
ROOT = Path(__file__).parents[1]
NEW_LINES = 2000  # that probes have told of, for which it pays to look for them in all functions
NEVER = -1  # hits of a probe after which it would be taken out in the midst of a test, beside other threads

_probes: Any = None
_written: dict[tuple[str, str, int], CodeType] = {}


def start() -> None:
    """From now on, modules of the package are loaded with probes, if that is asked for."""
    global _probes
    if not os.environ.get("DSS_TEST_COVERAGE"):
        return
    if "PYTEST_XDIST_WORKER" in os.environ:
        del os.environ["DSS_TEST_COVERAGE"]  # of the run, and not of what tests start
    from slipcover import Slipcover

    _probes = Slipcover(d_miss_threshold=NEVER)
    load = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str) -> CodeType | None:
        code = load(self, name)
        if code is None or name.partition(".")[0] != PACKAGE:
            return code
        _keep(code)
        return _probes.instrument(code)  # type: ignore[no-any-return]  # SlipCover's attribute is any

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def _place(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _keep(code: CodeType) -> None:
    _written[_place(code)] = code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            _keep(each)


@contextmanager
def as_written(functions: Iterable[Any]) -> Iterator[None]:
    """While in it, functions are without probes, which numba does not take."""
    probed = [(each, each.__code__) for each in functions if isinstance(each, FunctionType)]
    for function, code in probed:
        function.__code__ = _written.get(_place(code), code)
    try:
        yield
    finally:
        for function, code in probed:
            function.__code__ = code


def take_out_probes() -> None:
    """Those that have told, when there are enough of them; between tests, when little else runs."""
    if _probes is None or sum(map(len, tuple(_probes.newly_seen.values()))) < NEW_LINES:
        return
    _probes.modules = [m for name, m in tuple(sys.modules.items()) if name.partition(".")[0] == PACKAGE]
    with contextlib.suppress(RuntimeError):  # a thread loads a module: what is left is for the next time
        _probes.deinstrument_seen()


def write(process: str) -> None:
    """What this process saw, beside what others saw, for ``coverage combine``."""
    if _probes is None:
        return
    from coverage import CoverageData

    data = CoverageData(str(ROOT / ".coverage"), suffix=process)
    seen: dict[str, set[int]] = {}
    for told in (_probes.all_seen, _probes.newly_seen):
        for file, lines in told.items():
            seen.setdefault(file, set()).update(lines)
    data.add_lines(seen)
    data.touch_files(map(str, (ROOT / PACKAGE).rglob("*.py")))
    data.write()
