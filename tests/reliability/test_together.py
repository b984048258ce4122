"""Processes that write and read at once, for a few seconds; longer: `tests.reliability.together`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def test_every_answer_is_of_one_committed_state(tmp_path: Path) -> None:
    out, words = tmp_path / "out.json", ["--seconds", "3", "--readers", "3", "--no-server"]
    command = [sys.executable, "-m", "tests.reliability.together", "--out", str(out), *words]
    done = subprocess.run(
        command, cwd=TOP, env=os.environ | {"PYTHONPATH": str(TOP)}, capture_output=True, text=True
    )
    assert out.exists(), done.stdout + done.stderr
    found = json.loads(out.read_text())
    assert found["wrong"] == []
    assert set(found["turns"]) == {"ingest", "sync", "merge", "keep", "reader"}
