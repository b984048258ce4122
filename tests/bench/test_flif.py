"""The FLIF benchmark: that its figures are those of the files it reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import flif as bench
from dsslic_search.codec import flif
from dsslic_search.core.errors import UsageError

DATA = Path(__file__).parents[1] / "data" / "flif"


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    folder = tmp_path / "vectors"
    folder.mkdir()
    for name in (
        "grey_80x48.png",
        "grey_80x48.N.flif",
        "grey_80x48.I.flif",
        "grey_80x48.R0.flif",
        "two.N.flif",
    ):
        shutil.copy(DATA / name, folder)
    return folder


def test_sizes_are_those_of_the_files_and_speeds_are_measured(vectors: Path, tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    Image.fromarray(np.arange(400, dtype=np.uint8).reshape(20, 20) // 100).save(maps / "map.png")
    found = bench.run(vectors, maps)
    assert (found["files"], found["compared"]) == (4, 3)
    pixels = np.asarray(Image.open(vectors / "grey_80x48.png"))
    for way, interlaced in (("N", False), ("I", True)):
        told = found["sizes"][f"grey_80x48.{way}"]
        assert told["bytes"] == len(flif.encode(pixels, interlaced=interlaced))
        assert told["reference"] == (vectors / f"grey_80x48.{way}.flif").stat().st_size
        assert found["megapixels_per_second_512"][way]["decode"] > 0
        assert found["megapixels_per_second_512"][way]["maps"] == 1
    assert found["largest_ratio"] == max(each["ratio"] for each in found["sizes"].values())


def test_a_file_that_is_another_picture_is_reported(vectors: Path) -> None:
    Image.fromarray(np.zeros((48, 80), np.uint8)).save(vectors / "grey_80x48.png")
    with pytest.raises(ValueError, match="another picture than its PNG"):
        bench.run(vectors, vectors)


def test_folders_without_files_are_named(vectors: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no FLIF files"):
        bench.run(tmp_path, vectors)
    with pytest.raises(UsageError, match="holds no label maps"):
        bench.run(vectors, tmp_path)


def test_what_is_neither_a_picture_nor_an_error_is_reported(
    vectors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = bench.fuzz(vectors, 60, 1)
    assert told["decoded"] + told["refused"] == 60
    assert told["refused"] > 10
    decode = flif.decode

    def wrong(data: bytes, **options: object) -> object:
        shown = decode(data, **options)  # type: ignore[arg-type]
        return type(shown)(shown.pixels[:-1])

    monkeypatch.setattr(bench.flif, "decode", wrong)
    with pytest.raises(AssertionError, match="decodes to"):
        bench.fuzz(vectors, 200, 1)
