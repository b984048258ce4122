"""Where coverage looks while tests run, by a tracer that passes for coverage's."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import measured
from tests.measured import unwatched, watched


class Tracer:
    __module__ = "coverage.tracer"

    def __call__(self, *_: Any) -> None:
        """Follows no frame."""


class Debugger(Tracer):
    __module__ = "pdb"


@contextmanager
def traced_by(tracer: Tracer) -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.fixture(autouse=True)
def nothing_known_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "_here", threading.local())
    monkeypatch.setattr(measured, "_of_threads", None)
    monkeypatch.setattr(threading, "gettrace", lambda: None)
    monkeypatch.setattr(threading, "settrace", lambda _: None)


def test_it_looks_away_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    tracer, of_threads = Tracer(), Tracer()
    monkeypatch.setattr(threading, "gettrace", lambda: of_threads)
    seen = []
    with traced_by(tracer):
        with unwatched():
            seen.append(sys.gettrace())
            with watched():
                seen.append(sys.gettrace())
                with unwatched():
                    seen.append(sys.gettrace())
                seen.append(sys.gettrace())
            seen.append(sys.gettrace())
        seen.append(sys.gettrace())
    assert seen == [None, tracer, None, tracer, None, tracer]


def test_a_thread_that_was_started_meanwhile_is_watched_as_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    of_threads, seen = Tracer(), []
    monkeypatch.setattr(threading, "gettrace", lambda: of_threads)

    def run() -> None:
        with watched():
            seen.append(sys.gettrace())
        seen.append(sys.gettrace())

    with traced_by(Tracer()), unwatched():
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert seen == [of_threads, None]


def test_what_coverage_does_not_trace_stays_as_it_is() -> None:
    debugger, seen = Debugger(), []
    with traced_by(debugger), unwatched():
        seen.append(sys.gettrace())
        with watched():
            seen.append(sys.gettrace())
    assert seen == [debugger, debugger]


def test_the_first_examples_of_a_property_are_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    tracer, seen = Tracer(), []
    monkeypatch.setattr(threading, "gettrace", lambda: tracer)

    @settings(max_examples=30, database=None)
    @given(st.integers())
    def holds(_: int) -> None:
        seen.append(sys.gettrace())

    with traced_by(tracer), unwatched():
        with measured.watched_test(holds):
            holds()
        holds()
    assert seen[: measured.WATCHED_EXAMPLES] == [tracer] * measured.WATCHED_EXAMPLES
    assert seen[measured.WATCHED_EXAMPLES :] == [None] * (60 - measured.WATCHED_EXAMPLES)


@pytest.mark.parametrize(("name", "whether"), [("dsslic_search.made_up", True), ("other", False)])
@pytest.mark.parametrize("away", [False, True])
def test_modules_are_watched_as_they_load(
    name: str, whether: bool, away: bool, tmp_path: Path, monkeypatch
) -> None:
    tracer, file = Tracer(), tmp_path / "made_up.py"
    monkeypatch.setattr(threading, "gettrace", lambda: tracer)
    file.write_text("import sys\nby = sys.gettrace()\n")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with traced_by(tracer), unwatched():
        if away:
            spec.loader.exec_module(module)
        else:
            with watched():
                spec.loader.exec_module(module)
    assert module.by is (tracer if whether else None)
