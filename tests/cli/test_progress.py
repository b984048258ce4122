from __future__ import annotations

import io
import sys

import pytest

from dsslic_search.cli.progress import SECONDS_BETWEEN_LINES, shown


def test_a_line_a_minute_when_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    now = [100.0]
    with shown("encoding", seconds=lambda: now[0]) as progress:
        for done in range(10):
            now[0] += SECONDS_BETWEEN_LINES / 2
            progress(done, 10, done // 4)
        progress.say("skipped: a\nb")
    assert capsys.readouterr().err.splitlines() == [
        "encoding: 1 of 10",
        "encoding: 3 of 10",
        "encoding: 5 of 10, 1 skipped",
        "encoding: 7 of 10, 1 skipped",
        "encoding: 9 of 10, 2 skipped",
        "skipped: a b",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_when_a_person_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with shown("encoding", seconds=lambda: 0.0) as progress:
        progress(3, 12)
        progress.say("skipped: this one")
    assert "skipped: this one" in terminal.getvalue()
    assert "encoding" in terminal.getvalue()
    assert "3/12" in terminal.getvalue()
