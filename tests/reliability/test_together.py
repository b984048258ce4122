"""Processes that write and read at once, for a few seconds; longer: `tests.reliability.together`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.archive import postgres

TOP = Path(__file__).resolve().parents[2]
WITH_POSTGRESQL = find_spec("psycopg") is not None and postgres.programs() is not None


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of it, by where the catalog was."""
    out = tmp_path_factory.mktemp("together") / "out.json"
    words = ["--seconds", "2", "--readers", "3", "--no-server", "--out", str(out), "--catalog", "file"]
    words += ["--catalog", "postgresql"] if WITH_POSTGRESQL else []
    command = [sys.executable, "-m", "tests.reliability.together", *words]
    done = subprocess.run(
        command, cwd=TOP, env=os.environ | {"PYTHONPATH": str(TOP)}, capture_output=True, text=True
    )
    assert out.exists(), done.stdout + done.stderr
    return dict(json.loads(out.read_text()))


@pytest.mark.parametrize("catalog", ["file", "postgresql"])
def test_every_answer_is_of_one_committed_state(found: dict[str, Any], catalog: str) -> None:
    if catalog == "postgresql" and not WITH_POSTGRESQL:
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    assert found[catalog]["wrong"] == []
    assert set(found[catalog]["turns"]) == {"ingest", "sync", "merge", "keep", "reader"}
