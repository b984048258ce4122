from __future__ import annotations

import io
import sys

import pytest

from dsslic_search.cli.progress import SECONDS_BEFORE_A_BAR, SECONDS_BETWEEN_LINES, shown, time_text


def test_a_line_a_minute_when_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    now = [100.0]
    with shown("encoding", seconds=lambda: now[0]) as progress:
        for done in range(10):
            now[0] += SECONDS_BETWEEN_LINES / 2
            progress(done, 10, done // 4)
        progress.say("skipped: a\nb")
    assert capsys.readouterr().err.splitlines() == [
        "encoding: 1 of 10",
        "encoding: 3 of 10, about 4 min left",
        "encoding: 5 of 10, 1 skipped, about 2 min left",
        "encoding: 7 of 10, 1 skipped, about 2 min left",
        "encoding: 9 of 10, 2 skipped, about 30 s left",
        "skipped: a b",
    ]


def test_the_time_left_is_judged_by_what_came_after_the_first_piece(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]

    def told(doing: str, pieces: dict[float, int], total: int) -> None:
        now[0] = 0.0
        with shown(doing, seconds=lambda: now[0]) as progress:
            for now[0], done in pieces.items():
                progress(done, total)

    told("ingesting", {180: 1, 181: 2, 240: 4, 241: 5, 300.5: 9}, 22)
    told("encoding", {60: 1, 60.5: 2, 119.9: 2, 120: 3}, 22)
    told("reading", {1: 9000, 401: 9010}, 9020)  # goes on where an earlier run was
    assert capsys.readouterr().err.splitlines() == [
        "ingesting: 1 of 22",
        "ingesting: 4 of 22, about 6 min left",
        "ingesting: 9 of 22, about 3 min left",
        "encoding: 1 of 22",
        "encoding: 3 of 22, about 10 min left",
        "reading: 9010 of 9020, about 7 min left",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_when_a_person_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    now = [0.0]
    with shown("encoding", seconds=lambda: now[0]) as progress:
        progress(2, 12)
        assert terminal.getvalue() == ""  # what is soon done needs no bar
        now[0] = SECONDS_BEFORE_A_BAR
        progress(3, 12)
        progress.say("skipped: this one")
    assert "skipped: this one" in terminal.getvalue()
    assert "encoding" in terminal.getvalue()
    assert "3/12" in terminal.getvalue()


def test_nothing_is_shown_of_what_takes_less_than_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with shown("encoding", seconds=lambda: 0.0) as progress:
        progress(1, 2)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("no_colour", [True, False])
def test_a_bar_has_colours_unless_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch, no_colour: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1" if no_colour else "")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    now = iter([0.0, 9.0])
    with shown("encoding", seconds=lambda: next(now)) as progress:
        progress(1, 2)
    assert ("\x1b[38;5;" in terminal.getvalue()) is not no_colour


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (59.4, "59 s"), (59.6, "1 min"), (3599, "1 h 0 min"), (12_060, "3 h 21 min")],
)
def test_times_as_a_person_says_them(seconds: float, text: str) -> None:
    assert time_text(seconds) == text
