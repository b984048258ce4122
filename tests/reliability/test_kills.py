"""Operations that are stopped at a sample of their changes; at all of them: `tests.reliability.kills`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.faults import KINDS, compiler

pytestmark = pytest.mark.skipif(compiler() is None, reason="needs Linux and a C compiler")

TOP = Path(__file__).resolve().parents[2]
OPERATIONS = (
    "first ingest", "ingest", "sync", "remove", "restore", "empty-bin", "tag", "rate", "save", "relink",
    "reindex", "merge", "migration", "repair", "rebuild", "rebuild from objects", "backup",
    "backup again", "restore-backup", "parity",
)  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("kills")
    environment = os.environ | {"DSS_SCRATCH": str(folder / "scratch"), "PYTHONPATH": str(TOP)}
    (folder / "scratch").mkdir()
    command = [sys.executable, "-m", "tests.reliability.kills", "--short", "--out", str(folder / "out.json")]
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True)
    assert (folder / "out.json").exists(), done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return found


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_stopped_anywhere_is_whole_and_goes_on(results: dict[str, Any], operation: str) -> None:
    assert results[operation]["wrong"] == []
    assert results[operation]["stopped"]


def test_every_kind_of_change_is_met(results: dict[str, Any]) -> None:
    assert set(results) == set(OPERATIONS)
    assert {kind for result in results.values() for kind in result["kinds"]} == set(KINDS) - {"l"}
