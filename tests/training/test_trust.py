"""The table of trust is what `bench search` measured of asking for classes alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dsslic_search.core.errors import UsageError
from dsslic_search.training import trust


def test_classes_alone_are_taken_over(tmp_path: Path) -> None:
    row = {"kind": "presence", "precision": 0.5, "recall": 0.25, "f1": 0.3, "wanted": 7}
    measured = {"predicates": {"by_query": {"sky": row, "no sky": row}}, "weights": {"segnet": "ab"}}
    (tmp_path / "search.json").write_text(json.dumps(measured))
    assert trust.make(tmp_path / "search.json", tmp_path / "trust.json") == 1
    assert json.loads((tmp_path / "trust.json").read_text()) == {
        "segmenter": "ab",
        "classes": {"sky": {"precision": 0.5, "recall": 0.25, "photos": 7}},
    }


@pytest.mark.parametrize("text", ["[]", "{}", "no JSON"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(UsageError, match="not results of bench search"):
        trust.make(tmp_path / "other.json", tmp_path / "trust.json")
    assert not (tmp_path / "trust.json").exists()
