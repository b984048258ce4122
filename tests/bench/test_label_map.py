"""The label-map benchmark: that its figures are those of the maps it lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import label_map as bench
from dsslic_search.codec.layers.label_map import coder


def test_sums_and_ratios_are_those_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    maps = {
        "a/one.png": np.zeros((30, 40), np.uint8),
        "b/two.png": np.arange(512 * 512).reshape(512, 512) // (1 << 17),
    }
    lines = [",".join(("map", "width", "height", "classes", *bench.PEERS))]
    for i, (name, labels) in enumerate(maps.items()):
        (tmp_path / name).parent.mkdir()
        Image.fromarray(labels.astype(np.uint8)).save(tmp_path / name)
        lines.append(f"{name},0,0,1," + ",".join(str(10 * (i + 1) + j) for j in range(len(bench.PEERS))))
    (tmp_path / "table.csv").write_text("\n".join(lines))
    monkeypatch.setattr(bench, "first_call", lambda: 0.5)
    found = bench.run(tmp_path / "table.csv", tmp_path)
    sizes = [len(coder.encode(labels.astype(np.uint8))) for labels in maps.values()]
    assert found["maps"] == 2
    assert found["bytes"] == sum(sizes)
    assert found["peer_bytes"]["flif_E100"] == 30
    assert found["ratio"]["flif_E100_N"] == sum(sizes) / 32
    assert found["ratio_to_flif_E100_by_set"] == {"a": sizes[0] / 10, "b": sizes[1] / 20}
    assert found["first_call_seconds"] == 0.5
    for speeds in ("megapixels_per_second", "megapixels_per_second_512"):
        assert found[speeds]["encode"] > 0
        assert found[speeds]["decode"] > 0


def test_the_first_call_is_timed_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "TIMED_ROUNDS", 1)
    assert bench.first_call() > 0


def test_what_is_neither_a_map_nor_an_error_is_reported(monkeypatch: pytest.MonkeyPatch):
    decode = coder.decode
    monkeypatch.setattr(coder, "decode", lambda data, max_pixels: decode(data, max_pixels=max_pixels)[:, 1:])
    with pytest.raises(AssertionError, match="decodes to"):
        bench.fuzz(200, 1)
