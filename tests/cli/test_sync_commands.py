"""A changing library on the command line: sync, relink, and what is said of files that are passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


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
