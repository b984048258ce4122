"""What several processes that share the indexes cost, measured at a small size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import cluster
from dsslic_search.core.errors import UsageError


def test_shards_answer_what_one_process_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    for number in range(4):
        Image.fromarray(rng.integers(0, 9, (6, 8)).astype(np.uint8).repeat(8, 0)).save(
            tmp_path / f"{number}.png"
        )
    found = cluster.run([tmp_path], 300, 1, [2], segments=3)
    assert (found["photos"], found["segments"]) == (300, 3)
    told = found["shards"]["2"]
    assert told["equal"] == told["queries"] == len(told["milliseconds"]) > 10
    assert len(told["memory"]) == 3
    assert len(cluster.table(found)) > 10
    with pytest.raises(UsageError, match="2 shards need as many segments, and 1 are"):
        cluster.run([tmp_path], 300, 1, [2], segments=1)
