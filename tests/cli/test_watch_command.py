"""``watch`` on the command line: what it says, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

GUARD_SECONDS = 120
WATCHING = "watching; Ctrl-C finishes what is in flight, and stops"
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from dsslic_search.cli.main import main
main()
"""


def picture(path: Path, grey: int) -> Path:
    Image.fromarray(np.full((48, 64, 3), grey, np.uint8)).save(path)
    return path


@pytest.fixture
def library(run: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    picture(folder / "a.png", 60)
    assert run("ingest", folder, "--archive", tmp_path / "archive", "--keep", "coarse").code == 0
    return folder


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_follows_until_a_signal_ends_it(
    library: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    command = [sys.executable, "-c", PROGRAM, "watch", "--archive", str(tmp_path / "archive"), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert running.stdout is not None
        try:
            lines = iter(running.stderr.readline, "")
            assert "0 added, 1 already there, 0 skipped" in next(lines)
            assert next(lines).strip() == WATCHING
            (library / "a.png").rename(library / "b.png")
            assert next(lines).strip() == f"moved: {library / 'a.png'} -> {library / 'b.png'}"
            assert "0 added, 1 already there (1 moved), 0 skipped" in next(lines)
            said = [json.loads(running.stdout.readline()) for _ in range(2)]
            assert [(each["present"], len(each["moved"])) for each in said] == [(1, 0), (1, 1)]
            running.send_signal(number)
            assert running.wait(GUARD_SECONDS) == code
            assert running.stdout.read() == ""
            assert list(lines) == []
        finally:
            running.kill()


def test_what_cannot_be_watched_is_said(run: Any, library: Path, tmp_path: Path) -> None:
    there = "--archive", tmp_path / "archive"
    file = run("watch", library / "a.png", *there)
    assert (file.code, "only folders are watched" in file.message) == (2, True)
    away = run("watch", tmp_path / "away", *there)
    assert (away.code, "no such folder" in away.message) == (2, True)
    often = run("watch", library, *there, "--every", "often")
    assert (often.code, often.message.startswith("dss-search: --every: ")) == (2, True)
    none = run("watch", library, "--archive", tmp_path / "none")
    assert (none.code, "no archive there" in none.message) == (1, True)
