"""A changing library on the command line: sync, relink, and what is said of files that are passed over."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dsslic_search.cli import progress


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, grey in (("a.png", 60), ("b.png", 200)):
        Image.fromarray(np.full((48, 64, 3), grey, np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("no photo")
    return folder


def test_a_changing_library(run: Any, tmp_path: Path, library: Path) -> None:
    there = "--archive", tmp_path / "archive"
    first = run("ingest", library, *there, "--keep", "coarse", "--list-ignored")
    assert first.out == f"ignored: other: {library / 'notes.txt'}\n"
    assert first.message == "passed over: 1 other (1 .txt)"
    (library / "a.png").rename(library / "c.png")
    (library / "b.png").unlink()
    moved = run("sync", *there, "--json")
    assert moved.code == 0
    assert [(m["from"], m["to"]) for m in moved.json["moved"]] == [
        (str(library / "a.png"), str(library / "c.png"))
    ]
    assert [m["path"] for m in moved.json["missing"]] == [str(library / "b.png")]
    assert moved.json["ignored"] == {"other": [str(library / "notes.txt")]}
    assert f"moved: {library / 'a.png'} -> {library / 'c.png'}" in moved.err
    assert "0 added, 1 already there (1 moved), 0 skipped, 1 missing" in moved.err
    library.rename(tmp_path / "away")
    away = run("sync", *there)
    assert away.code == 1
    assert f"{library}: not there; 1 photo lies under it, nothing was marked" in away.err
    linked = run("relink", library, tmp_path / "away", *there)
    assert (linked.code, linked.message) == (3, "1 relinked, 1 not there, 0 different")
    assert run("sync", *there).code == 0
    assert run("sync", library / "c.png", *there).code == 1


def test_what_is_stored_anew_is_said(run: Any, tmp_path: Path, library: Path) -> None:
    there = "--archive", tmp_path / "archive"
    run("ingest", library, *there, "--keep", "coarse")
    assert "2 stored anew (they were: 2 coarse)" in run("ingest", library, *there, "--keep", "reference").err


def test_long_work_says_how_far_it_has_come(
    run: Any, tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(progress, "SECONDS_BEFORE_AN_ESTIMATE", 0.0)
    (library / "bad.png").write_bytes(b"")
    there = "--archive", tmp_path / "archive"
    assert "ingesting: 3 of 3, 1 skipped\n" in run("ingest", library, *there, "--keep", "reference").err
    assert "ingesting: 3 of 3, 1 skipped\n" in run("sync", *there, "--workers", "1").err
    assert "reindexing: 2 of 2\n" in run("reindex", *there).err
    assert "looking at photos: 2 of 2\n" in run("duplicates", *there).err
    checked = run("check", "--read-data", *there).err  # two files of the archive, two originals
    lines = [re.sub(", about .* left$", "", line) for line in checked.splitlines()]
    assert lines == [*(f"checking: {done} of 4" for done in range(1, 5)), "no problems"]
    assert checked.count(" left\n") == 2  # the first tells nothing, the last has nothing left


ENDLESS = """
import signal, sys, time
from dsslic_search.archive.ingest.flight import Flight
from dsslic_search.cli.main import main

def at_work(*_):
    print("at work", file=sys.stderr, flush=True)
    while True:
        time.sleep(0.01)

signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests run in the background
Flight._prepared = at_work
main()
"""


def test_ctrl_c_says_what_it_waits_for_and_a_second_one_does_not_wait(
    run: Any, tmp_path: Path, library: Path
) -> None:
    there = "--archive", tmp_path / "archive"
    command = [sys.executable, "-c", ENDLESS, "ingest", library, *there, "--keep", "coarse", "--workers", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        guard = threading.Timer(120, process.kill)
        guard.start()
        assert process.stderr is not None
        assert process.stderr.readline() == "at work\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "finishing 1 photo in flight; Ctrl-C again stops at once\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "dss-search: interrupted\n"
        guard.cancel()
    assert process.returncode == 130
    assert "2 added" in run("ingest", library, *there, "--keep", "coarse").err
