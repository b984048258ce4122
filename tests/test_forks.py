"""A process that is forked for a test says what it does, and ends without what the tests would do at their
end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forks import ended, forked


def test_it_says_lines_and_ends(tmp_path: Path) -> None:
    def work(say: Callable[[str], None]) -> None:
        for word in ("one", "two", "three"):
            say(word)

    with forked(work, tmp_path) as other:
        assert other.pid != os.getpid()
        assert other.line() == "one"
        assert other.rest() == ["two", "three"]
        assert other.wait() == other.poll() == 0


def test_an_error_is_told_and_is_its_exit_code(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        raise KeyError("what is missing")

    assert ended(work, tmp_path) == 1
    assert "KeyError: 'what is missing'" in capfd.readouterr().err


def test_a_signal_ends_it_and_so_does_the_block(tmp_path: Path) -> None:
    def work(say: Callable[[str], None]) -> None:
        say("here")
        time.sleep(60)

    with forked(work, tmp_path) as other:
        assert (other.line(), other.poll()) == ("here", None)
        other.send(signal.SIGTERM)
        assert other.wait() == -signal.SIGTERM
        other.send(signal.SIGTERM)  # to nobody
    with forked(work, tmp_path) as other:
        assert other.line() == "here"
        other.send(signal.SIGALRM)
        with pytest.raises(AssertionError, match="ended with -14"):
            other.line()
    with forked(work, tmp_path) as other:
        assert other.line() == "here"
    assert other.wait() == -signal.SIGKILL


def test_nothing_may_be_open_where_it_works(tmp_path: Path) -> None:
    with (tmp_path / "a.sqlite").open("w"), pytest.raises(AssertionError, match="locks"):
        ended(lambda: None, tmp_path)
