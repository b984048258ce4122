"""The plots of the results show what the results say today."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def words(svg: Path) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg.read_text())


def test_the_plots_are_those_of_the_results(tmp_path: Path):
    spec = importlib.util.spec_from_file_location("plots", ROOT / "docs" / "making" / "plots.py")
    assert spec is not None
    assert spec.loader is not None
    plots = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plots)
    plots.main(tmp_path)
    kept = ROOT / "docs" / "results" / "plots"
    assert sorted(p.name for p in kept.iterdir()) == sorted(p.name for p in tmp_path.iterdir())
    for made in tmp_path.iterdir():
        assert len(words(made)) > 8
        assert words(kept / made.name) == words(made), "run: python docs/making/plots.py"
