"""The count of lines against a tracer in Python."""

import sys
from types import FrameType
from typing import Any

from tests.counted import lines_run


def some_work(times: int) -> list[int]:
    def twice(number: int) -> int:
        return 2 * number

    found = []
    for number in range(times):
        try:
            found.append(twice(number) // (number % 3))
        except ZeroDivisionError:
            continue
    return found


def events(times: int) -> int:
    count = 0

    def traced(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        some_work(times)
    finally:
        sys.settrace(before)
    return count


def test_as_many_as_a_tracer_in_python_counts() -> None:
    around = lines_run(lambda: some_work(0)) - events(0)
    for times in (1, 2, 7, 100):
        assert lines_run(lambda times=times: some_work(times)) == events(times) + around
    assert lines_run(lambda: some_work(100)) > 500


def test_a_tracer_that_was_there_is_there_again() -> None:
    seen = []

    def traced(frame: FrameType, event: str, argument: Any) -> Any:
        seen.append(frame.f_code.co_name)
        return None

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        lines_run(lambda: some_work(1))
        assert sys.gettrace() is traced
        some_work(1)
    finally:
        sys.settrace(before)
    assert seen.count("some_work") == 1
