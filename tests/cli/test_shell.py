"""The shell: line by line from a script, and typed into a terminal."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from dsslic_search.api.answers import Hit
from dsslic_search.cli.lines import hit_line
from dsslic_search.cli.shell_commands import COMMANDS
from dsslic_search.core.settings import history_path

PATIENCE_SECONDS = 120  # for a terminal that says nothing more


@pytest.fixture
def typed(run, archive, monkeypatch: pytest.MonkeyPatch):
    """Runs the shell on lines of standard input."""

    def call(*lines: str, page: int = 3, place: Path = archive):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return run("shell", "--archive", place, "--limit", page)

    return call


def names(out: str) -> list[str]:
    """The files of the results that were listed."""
    return [
        Path(line.split("  ")[-2 if line.endswith(")") else -1]).name
        for line in out.splitlines()
        if "  #" in line
    ]


def test_lines_are_carried_out_one_after_the_other(typed, run, archive) -> None:
    told = typed(
        "# what is wide and open", "sky", "", "without trees", "more", "back", "quit", "no such word"
    )
    assert told.code == 0
    asked = ["sky", "sky and no trees"]
    first, refined = (
        names(run("query", text, "--archive", archive, "--limit", shown).out)
        for text, shown in zip(asked, ("3", "6"), strict=True)
    )
    assert len(first) == 3
    assert names(told.out) == [*first, *refined, *first]
    assert told.err.splitlines()[0].endswith(" photos, 1 to 3 shown; type more")
    assert "all that match were shown" in told.err or "4 to" in told.err
    assert "unknown word" not in told.err


def test_an_error_points_at_its_word_and_ends_nothing(typed) -> None:
    told = typed("sky", "flwer and sky", "show 9", "and", "preview 1", "original 1", 'preview 1 "a', "sky")
    assert told.code == 3
    assert len(names(told.out)) == 6
    lines = told.err.splitlines()
    assert 'line 2: unknown word "flwer": did you mean "flower"? (at character 1)' in lines
    assert lines[lines.index("  flwer and sky") + 1] == "  ^~~~~"
    for said in (
        "line 3: 9: the numbers shown are 1 to 3",
        "line 4: the query names nothing to look for",
        "line 5: this terminal cannot show pictures; write a file with preview 1 FILE.png",
        "line 6: say which photo, and where to write it: original N FILE",
        "line 7: a quote is opened and never closed",
    ):
        assert said in told.err
    assert "Traceback" not in told.err


def test_words_of_commands_begin_queries_too(typed) -> None:
    told = typed("show me skies", "more than 10% sky", "back", "helpful", page=1)
    assert len(names(told.out)) == 3
    assert told.err.count("photos, 1 to 1 shown") == 3
    assert 'line 4: unknown word "helpful"' in told.err


def test_results_are_shown_by_their_numbers(typed, run, archive, tmp_path: Path) -> None:
    out = tmp_path / "one.png"
    told = typed(
        "sky", "show 2", "show #1", f"preview 1 {out}", f"preview 1 {out}", f"original 1 {tmp_path}/o.jpg"
    )
    ids = re.findall(r"^ +[0-9]+  #([0-9]+)", told.out, re.MULTILINE)
    for photo_id in (ids[1], 1):
        assert run("show", photo_id, "--archive", archive).out in told.out
    with Image.open(out) as picture:
        assert max(picture.size) == 240
    assert "line 5: " in told.err  # nothing is written over
    assert "line 6: photo" in told.err
    assert 'keep mode "layers"' in told.err


def test_results_are_compared_tagged_and_counted(typed, archive, tmp_path: Path) -> None:
    place = tmp_path / "a"
    shutil.copytree(archive, place)
    told = typed("sky", "tag 1-2 best", "like 1 and 2, not like 3", "tag:best", "stats", "untag 1 best",
                 "explain", "stats sky", "help", place=place)  # fmt: skip
    assert told.code == 0, told.err
    assert "best: 2 photos tagged" in told.err
    assert "2 photos of: tag:best" in told.out
    assert "best: taken from 1 photo" in told.err
    assert "read as: tag:best" in told.out
    assert "photos of: sky" in told.out
    for name, command in COMMANDS.items():
        assert f"{name} {command.takes}".rstrip() in told.out


def test_where_there_is_no_archive(typed, tmp_path: Path) -> None:
    told = typed("sky", place=tmp_path / "none")
    assert told.code == 1
    assert told.message.startswith("dss-search: ")


@pytest.mark.parametrize("width", [30, 40, 60, 80, 200, None])
def test_results_fit_on_a_line_of_the_terminal(width: int | None) -> None:
    from rich.cells import cell_len

    hit = Hit(3, 12, "/photos/ferien/海の写真/beach am Abend.jpg", 0.5, {}, {"sky": 0.25, "sea": 0.5})
    line = hit_line(hit, width)
    assert width is None or cell_len(line) <= max(width, 24)
    assert line.startswith("   3  #12     0.500  ")
    if width is None or width == 200:
        assert line.endswith("/photos/ferien/海の写真/beach am Abend.jpg  (sky 25.0%, sea 50.0%)")
    elif width >= 40:
        assert "Abend.jpg" in line


def test_the_history_lies_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert history_path() is None
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert history_path() == tmp_path / "state" / "dsslic-search" / "history"


def _as_a_terminal_starts_it() -> None:
    """Ctrl-C comes from its terminal and is not ignored, as it is in all that is run in the background of a
    script, tests too."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A shell in a terminal of its own: what is typed into it, and what it has said."""

    def __init__(
        self,
        archive: Path,
        state: Path,
        columns: int = 80,
        program: Sequence[str] = ("-m", "dsslic_search.cli.main"),
    ) -> None:
        """``program``: what Python runs; Ctrl-C in the terminal interrupts it."""
        self._end, end = pty.openpty()
        environment = os.environ | {
            "TERM": "xterm", "NO_COLOR": "1", "PROMPT_TOOLKIT_NO_CPR": "1", "COLUMNS": str(columns),
            "XDG_STATE_HOME": str(state),
        }  # fmt: skip
        command = [
            sys.executable,
            *program,
            "shell",
            "--archive",
            str(archive),
            "-n",
            "2",
        ]
        self._process = subprocess.Popen(
            command,
            stdin=end,
            stdout=end,
            stderr=end,
            env=environment,
            start_new_session=True,
            preexec_fn=_as_a_terminal_starts_it,
        )
        os.close(end)
        self.said = self._untold = ""

    def type(self, keys: str, until: str) -> str:
        """What is said after what was told before, up to ``until``, when some keys are typed."""
        os.write(self._end, keys.encode())
        while until not in self._untold:
            ready, _, _ = select.select([self._end], [], [], PATIENCE_SECONDS)
            try:
                part = os.read(self._end, 65536) if ready else b""
            except OSError:  # the other end is closed
                part = b""
            assert part, f"{until!r} was not said, but {self._untold!r}"
            self._untold += part.decode("ascii", "replace")
        told, found, self._untold = self._untold.partition(until)
        self.said += told + found
        return told + found

    def end(self, keys: str) -> int:
        """The exit code after some keys that end it."""
        os.write(self._end, keys.encode())
        try:
            while os.read(self._end, 65536):
                pass
        except OSError:
            pass  # Linux's way to say that nothing more will come
        return self._process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._end)


@pytest.fixture
def terminal(archive: Path, tmp_path: Path) -> Iterator[Terminal]:
    pytest.importorskip("prompt_toolkit", reason="lines are edited by the extra shell")
    history = tmp_path / "dsslic-search" / "history"
    history.parent.mkdir()
    history.write_text("everything sort:name\n")
    opened = Terminal(archive, tmp_path)
    try:
        yield opened
    finally:
        opened.close()


def test_typed_into_a_terminal(terminal: Terminal, tmp_path: Path) -> None:
    terminal.type("", "dss>")
    terminal.type("mountai", "mountai")
    terminal.type("\t", "n")  # completed by Tab; what is there already may not be drawn again
    terminal.type("\r", "(mountain ")
    terminal.type("", "dss>")
    terminal.type("withou", "withou")
    terminal.type("\t", "t")
    terminal.type(" people\r", "1  #")
    terminal.type("", "dss>")
    assert 'unknown word "flwer"' in terminal.type("flwer\r", "^~~~~")
    terminal.type("", "dss>")
    terminal.type("qwertz", "qwertz")
    terminal.type("\x03", "dss>")  # Ctrl-C gives the line up
    terminal.type("\x1b[A\x1b[A\x1b[A\x1b[A", "everything sort:name")  # the line of another day
    terminal.type("\r", "11 photos, 1 to 2 shown")
    terminal.type("", "dss>")
    assert terminal.end("\x04") == 0  # Ctrl-D
    assert "\x1b[3" not in terminal.said  # no colour, as NO_COLOR asks
    remembered = (tmp_path / "dsslic-search" / "history").read_text().splitlines()
    assert remembered == [
        "everything sort:name",
        "mountain",
        "without people",
        "flwer",
        "everything sort:name",
    ]


WITH_A_LONG_COMMAND = """
import time, typer
from dataclasses import replace
from dsslic_search.cli import main, shell_commands

def stats(shell, rest):
    typer.echo("counting")
    while True:  # until a signal comes; one that came just before signal.pause() would not end that
        time.sleep(0.01)

commands = shell_commands.COMMANDS
commands["stats"] = replace(commands["stats"], run=stats)
main.main()
"""


def test_ctrl_c_ends_a_command_that_runs_and_not_the_shell(archive: Path, tmp_path: Path) -> None:
    pytest.importorskip("prompt_toolkit", reason="lines are edited by the extra shell")
    opened = Terminal(archive, tmp_path, program=("-c", WITH_A_LONG_COMMAND))
    try:
        opened.type("", "dss>")
        opened.type("stats\r", "counting")
        opened.type("\x03", "dss>")
        opened.type("everything\r", "11 photos, 1 to 2 shown")
        opened.type("", "dss>")
        assert opened.end("\x04") == 0
    finally:
        opened.close()


def test_a_question_of_how_many_is_answered_by_numbers(typed) -> None:
    told = typed("how many photos per format", "count photos with sky", "without people")
    assert told.code == 0
    assert told.out.splitlines()[0] == "JPEG  11"
    assert "11 photos" in told.err
    assert "  #" in told.out  # the refinement asks for photos again
