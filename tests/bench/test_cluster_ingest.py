"""What an ingest on Ray costs, measured at a small size."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

from dsslic_search.bench import cluster_ingest
from dsslic_search.core.errors import MissingExtraError, UsageError
from tests.ray_nodes import there


def test_without_ray_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"dsslic-search\[ray\]"):
        cluster_ingest.run(tmp_path, [1], 1)


@there
@pytest.mark.filterwarnings("default")  # Ray's own
def test_both_store_the_same(tmp_path: Path) -> None:
    Image.linear_gradient("L").resize((80, 60)).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match="1 photos are too few"):
        cluster_ingest.run(tmp_path, [1], 1)
    for number in range(3):
        Image.radial_gradient("L").resize((64 + number, 48)).save(tmp_path / f"{number}.png")
    found = cluster_ingest.run(tmp_path, [2], 1, 3)
    told = found["workers"]["2"]
    assert (found["photos"], told["same_files"], len(told["ray_seconds"])) == (3, True, 1)
    assert told["ray_takes"] > 0
    assert "yes" in cluster_ingest.table(found)[1]
