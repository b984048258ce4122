"""The BPG benchmark: that it tells files apart, and what damaged ones do."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import bpg as bench
from dsslic_search.codec import bpg
from dsslic_search.core.errors import UsageError

DATA = Path(__file__).parents[1] / "data" / "bpg"


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    folder = tmp_path / "vectors"
    folder.mkdir()
    for name in ("grey_80x48.420_q28", "compact_96x64.420_q28"):
        for ending in (".bpg", ".dec.png"):
            shutil.copy(DATA / f"{name}{ending}", folder)
    shutil.copy(DATA / "photo_96x64.420_q28.bpg", folder)  # without what it shows: left out
    return folder


def test_files_are_compared_with_what_they_show(vectors: Path) -> None:
    assert bench.run(vectors) == {"files": 2, "exact": 2, "largest_difference": 0}
    shown = vectors / "grey_80x48.420_q28.dec.png"
    pixels = np.asarray(Image.open(shown).convert("L")).copy()
    pixels[5, 5] ^= 4
    Image.fromarray(pixels).save(shown)
    assert bench.run(vectors) == {"files": 2, "exact": 1, "largest_difference": 4}
    Image.fromarray(pixels[1:]).save(shown)
    with pytest.raises(ValueError, match="another size than its PNG"):
        bench.run(vectors)


def test_a_folder_without_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no BPG files"):
        bench.run(tmp_path)


def test_what_is_neither_a_picture_nor_an_error_is_reported(
    vectors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = bench.fuzz(vectors, 300, 1)
    assert told["decoded"] + told["refused"] == 300
    assert min(told["decoded"], told["refused"]) > 30
    monkeypatch.setattr(bpg.Picture, "rgb8", lambda picture: np.zeros((1, 1, 3), np.uint8))
    with pytest.raises(AssertionError, match="decodes to"):
        bench.fuzz(vectors, 300, 1)
