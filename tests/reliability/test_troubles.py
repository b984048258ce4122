"""An ingest under each trouble, from a sample of its changes on; all: `tests.reliability.troubles`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.faults import TROUBLES, compiler

pytestmark = pytest.mark.skipif(compiler() is None, reason="needs Linux and a C compiler")

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("troubles")
    environment = os.environ | {"DSS_SCRATCH": str(folder / "scratch"), "PYTHONPATH": str(TOP)}
    (folder / "scratch").mkdir()
    words = ["tests.reliability.troubles", "ingest", "--short", "--out", str(folder / "out.json")]
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=TOP, env=environment, capture_output=True, text=True
    )
    assert (folder / "out.json").exists(), done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return found


@pytest.mark.parametrize("what", ["ingest", "questions"])
def test_trouble_ends_in_a_sentence_and_harms_nothing(results: dict[str, Any], what: str) -> None:
    assert results[what]["wrong"] == []
    assert set(results[what]["tried"]) == {trouble.name for trouble in TROUBLES}
