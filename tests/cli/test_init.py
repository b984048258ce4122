from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_an_empty_archive_is_made_and_stays(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "a"
    ran = run("init", "--archive", root)
    assert (ran.code, ran.out) == (0, "")
    assert ran.message == f"{root}: photos' files in its folder, catalog in its folder"
    told = (root / "archive.json").read_bytes()
    assert json.loads(told)["version"] == 1
    assert run("init", "--archive", root).code == 0
    assert (root / "archive.json").read_bytes() == told
    assert run("query", "everything", "--archive", root, "--json").code == 0


def test_what_cannot_be_is_said(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "a"
    ran = run("init", "--archive", root, "--objects", "/folder")
    assert ran.code == 2
    assert "write it like s3://bucket/prefix" in ran.message
    ran = run("init", "--archive", root, "--catalog", "no url")
    assert ran.code == 1
    assert "write it like postgresql" in ran.message
    assert not (root / "archive.json").exists()
    assert run("init", "--archive", root).code == 0
    ran = run("init", "--archive", root, "--catalog", "postgresql+psycopg://user@host/name")
    assert ran.code == 2
    assert "an archive already, with its files in its folder and its catalog in its folder" in ran.message
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    ran = run("init", "--archive", tmp_path / "full")
    assert ran.code == 1
    assert "holds other files and is not an archive" in ran.message
