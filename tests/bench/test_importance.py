"""The benchmark of importances: pixels of a class, at equal bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import importance
from dsslic_search.codec import encoder
from dsslic_search.codec.layers import label_map
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError

SAMPLE = Path(__file__).parents[2] / "samples" / "dogs.jpg"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Image.open(SAMPLE) as opened:
        opened.thumbnail((240, 240))
        opened.save(tmp_path / "dogs.png")
    Image.new("RGB", (120, 90), (90, 130, 220)).save(tmp_path / "plain.png")
    return tmp_path


def shown(folder: Path) -> tuple[SourcePhoto, np.ndarray, int]:
    """The photo, its labels and a class that covers some of it."""
    with Image.open(folder / "dogs.png") as opened:
        photo = SourcePhoto(np.array(opened))
    labels, scale = encoder.segment_photo(photo)
    shares = np.bincount(labels.reshape(-1)) / labels.size
    return (
        photo,
        label_map.enlarge(labels, scale, photo.height, photo.width),
        int(np.abs(shares - 0.3).argmin()),
    )


def test_the_class_gains_at_equal_bytes(folder: Path):
    _, labels, wanted = shown(folder)
    name = vocabulary.default().classes[wanted].name
    seen: list[tuple[int, int]] = []
    found = importance.run(
        [importance.Case(folder, name, 8.0)],
        photos=3,
        quality=45,
        effort=4,  # as closely as the labels above were looked for
        progress=lambda *done: seen.append(done),
    )
    case = found["cases"][0]
    assert seen == [(1, 1)]
    assert case["photos"] == 1
    row = case["rows"][0]
    assert row["photo"] == "dogs.png"
    assert row["share"] == pytest.approx((labels == wanted).mean(), abs=1e-3)
    assert row["class"]["gain"] > 0.3
    assert row["elsewhere"]["gain"] < 0
    for where in ("class", "elsewhere", "all"):
        assert row[where]["gain"] == pytest.approx(row[where]["weighted"] - row[where]["plain"], abs=0.002)
        assert case["psnr"][where]["gain"] == row[where]["gain"]


def test_the_plain_curve_is_read_at_the_weighted_files_bytes(folder: Path):
    """With nothing to weigh, the weighted file is on the curve."""
    photo, labels, wanted = shown(folder)
    row = importance._measure(EncodeOptions(45, effort=1), folder / "dogs.png", photo, labels == wanted)
    assert row is not None
    assert all(row[where]["gain"] == 0 for where in ("class", "elsewhere", "all"))


def test_a_folder_without_the_class_is_told(folder: Path):
    with pytest.raises(UsageError, match="no photo there shows airplane"):
        importance.run([importance.Case(folder, "airplane")], photos=1)
    with pytest.raises(UsageError, match='called "nothing much"'):
        importance.run([importance.Case(folder, "nothing much")])
