from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsslic_search.bench import machines
from dsslic_search.core.errors import UsageError
from tests.bench.test_search import street


def in_this_process(roots: Sequence[Path], question: str) -> dict[str, Any]:
    """What a process of its own would say."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setattr(sys, "argv", ["", *map(str, roots), question])
        exec(machines._CHILD, {})
    told: dict[str, Any] = json.loads(said.getvalue())
    return told


def test_a_new_machine_reads_less_of_a_database_where_indexes_are_published(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "ROUNDS", 1)
    monkeypatch.setattr(machines, "_child", in_this_process)
    for number in range(3):
        Image.fromarray(street(10 * number)).save(tmp_path / f"{number}.png")
    found = machines.run([tmp_path], 300, postgres_url)
    assert set(found["first"]) == {"sky", machines.EVERYTHING}
    everything = found["first"][machines.EVERYTHING]
    taken, made = everything[machines.PUBLISHED], everything[machines.MADE]
    database, files = "bytes_a_photo_from_the_database", "bytes_a_photo_of_files"
    assert made[database] > 400 > taken[database]
    assert (made[files], taken[files]) == (0, pytest.approx(found["publishing"]["bytes_a_photo"], rel=0.01))
    assert found["first"]["sky"][machines.PUBLISHED][files] < taken[files]
    assert len(machines.table(found)) == 1 + 4
    with pytest.raises(UsageError, match="empty database"):
        machines.run([tmp_path], 300, postgres_url)
