"""Where coverage looks while tests run, by a tracer that passes for coverage's."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import measured
from tests.measured import in_sight, out_of_sight, unwatched, watched


class Tracer:
    __module__ = "coverage.tracer"

    def __init__(self) -> None:
        self.data: dict[str, set[int]] = {}

    def __call__(self, *_: Any) -> None:
        """Follows no frame."""

    def sees_a_new_line(self) -> None:
        lines = self.data.setdefault("a file", set())
        lines.add(len(lines))


class Debugger(Tracer):
    __module__ = "pdb"


class Counting(Tracer):
    """Says, as coverage does, by the calls and returns that it was told of, which function a line is in."""

    __module__ = "coverage.tracer"

    def __init__(self) -> None:
        self.entered: list[str] = []
        self.lines: list[tuple[str, str]] = []
        """The function that a line is in, and the one that it is taken to be in."""

    def __call__(self, frame: FrameType, event: str, _: Any) -> Counting:
        name = frame.f_code.co_name
        if event == "call":
            self.entered.append(name)
        elif event == "return" and self.entered:
            self.entered.pop()
        elif event == "line":
            self.lines.append((name, self.entered[-1] if self.entered else ""))
        return self


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
    monkeypatch.setattr(measured, "_cases", {})
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
        tracer.sees_a_new_line()

    with traced_by(tracer), unwatched():
        with measured.watched_test(holds, "holds"):
            holds()
        holds()
    assert seen[: measured.WATCHED_EXAMPLES] == [tracer] * measured.WATCHED_EXAMPLES
    assert seen[measured.WATCHED_EXAMPLES :] == [None] * (60 - measured.WATCHED_EXAMPLES)


def test_of_a_test_with_parameters_it_looks_at_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tracer, seen = Tracer(), []
    monkeypatch.setattr(threading, "gettrace", lambda: tracer)
    with traced_by(tracer), unwatched():
        for _ in range(measured.WATCHED_CASES + 2):
            with measured.watched_test(str, "with parameters"):
                seen.append(sys.gettrace())
                tracer.sees_a_new_line()
        with measured.watched_test(str, "another"):
            seen.append(sys.gettrace())
    assert seen == [*[tracer] * measured.WATCHED_CASES, None, None, tracer]


def test_it_looks_no_longer_when_some_in_a_row_showed_nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    tracer, seen = Tracer(), []
    monkeypatch.setattr(threading, "gettrace", lambda: tracer)
    with traced_by(tracer), unwatched():
        for number in range(measured.NOTHING_NEW + 4):
            with measured.watched_test(str, "with parameters"):
                seen.append(sys.gettrace())
                if number == 1:
                    tracer.sees_a_new_line()
    assert seen == [*[tracer] * (2 + measured.NOTHING_NEW), None, None]


def test_lines_after_what_is_out_of_sight_are_taken_to_be_where_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracer = Counting()
    monkeypatch.setattr(threading, "gettrace", lambda: tracer)

    def of_the_package() -> str:
        found = out_of_sight(of_another)
        return found + "!"

    def of_another() -> str:
        found = in_sight(of_the_package_again)
        return found + "?"

    def of_the_package_again() -> str:
        found = out_of_sight(str, 12)
        return found + "3"

    with traced_by(tracer):
        assert of_the_package() == "123?!"
    where = Counter(line for line in tracer.lines if line[0].startswith("of_"))
    assert where == {("of_the_package", "of_the_package"): 2, ("of_the_package_again",) * 2: 2}


def test_what_fails_out_of_sight_ends_there() -> None:
    tracer = Tracer()
    with traced_by(tracer):
        with pytest.raises(ValueError, match="invalid literal"):
            out_of_sight(int, "x")
        after = sys.gettrace()
        with unwatched():
            with pytest.raises(ValueError, match="invalid literal"):
                in_sight(int, "x")
            away = sys.gettrace()
    assert (after, away) == (tracer, None)


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
