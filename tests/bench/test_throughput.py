"""Whole ingests measured: the arithmetic by given figures, one small ingest in earnest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from dsslic_search.bench import reduction, throughput
from dsslic_search.bench.processes import Taken

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("images")
    for name in ("wine", "picos"):
        with Image.open(ROOT / "samples" / f"{name}.jpg") as photo:
            photo.resize((96, 64)).save(place / f"{name}.png")
    return place


@pytest.fixture
def other(tmp_path: Path) -> Path:
    package = tmp_path / "other" / "dsslic_search"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    return package.parent


def test_what_a_further_photo_costs_is_what_is_left_without_the_first(
    images: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[Path, Sequence[str]]] = []

    def taken(source: Path, words: Sequence[str], _place: Path) -> Taken:
        ran.append((source, words))
        Path(words[3]).mkdir()
        photos = len(list(Path(words[1]).iterdir())) if Path(words[1]).is_dir() else 1
        each = 4.0 if source == other else 1.0
        return Taken(5.0 + each * photos, 3.0 + each * photos / 2, photos * 100_000_000)

    monkeypatch.setattr(throughput, "taken_by", taken)
    monkeypatch.setattr(throughput, "MEGAPIXELS", 0.01)
    monkeypatch.setattr(throughput, "LARGE_MEGAPIXELS", 0.02)
    found = throughput.run(images, other, rounds=2, photos=5, large=3, flat=2, memory="1GB", workers=3)
    case = found["cases"]["reference, 12 megapixels"]
    assert case["photos"] == 5
    assert case["this"] == {
        "processor_seconds": 10.0,
        "seconds": 5.5,
        "processor_seconds_of_one_photo": 6.0,
        "processor_seconds_a_further_photo": 1.0,
        "photos_per_processor_second": 0.5,
        "photos_per_second": 0.909,
        "further_photos_per_second": 2.0,
        "peak_megabytes": 500.0,
    }
    assert case["ratio"]["processor_seconds_a_further_photo"] == 0.25
    assert case["ratio"]["further_photos_per_second"] == 4.0
    told = [words for source, words in ran if source != other and "--memory" in words]
    assert [words[words.index("--memory") + 1] for words in told] == ["1GB"] * 4
    assert found["flat"]["megapixels"] == 2
    flat = found["flat"]["formats"]
    assert {name: figures["peak_megabytes"] for name, figures in flat.items()} == dict.fromkeys(
        ("png", "gif", "avif", "webp"), 100.0
    )
    assert all(0 < figures["file_bytes"] < 20_000 for figures in flat.values())
    assert not any("--memory" in words for source, words in ran if source == other)
    assert {words[words.index("--workers") + 1] for _, words in ran if "--workers" in words} == {"3"}
    lines = list(throughput.table(found))
    assert lines[0].split() == ["this", "other", "ratio"]
    assert "2 megapixels of one colour, webp: peak_megabytes" in lines[-1]
    assert any(line.split()[-4:] == ["peak_megabytes", "500", "500", "1"] for line in lines)


def test_photos_are_enlarged_to_the_megapixels_asked_for_and_all_differ(images: Path, tmp_path: Path) -> None:
    folder = throughput.enlarge(images, tmp_path / "made", 4, 0.06)
    made = sorted(folder.iterdir())
    assert len({path.read_bytes() for path in made}) == 4
    for path in made:
        with Image.open(path) as picture:
            assert picture.format == "JPEG"
            assert picture.width * picture.height == pytest.approx(60_000, rel=0.02)


def test_an_ingest_is_measured(images: Path) -> None:
    found = throughput.run(images, rounds=1, photos=0, large=0, flat=0)
    assert list(found["cases"]) == ["layers"]
    row = found["cases"]["layers"]["this"]
    assert 0 < row["photos_per_processor_second"] < 100
    assert 100 < row["peak_megabytes"] < 4000
    assert "other" not in found["cases"]["layers"]


def test_what_fewer_pixels_change_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    with Image.open(ROOT / "samples" / "bridge.jpg") as photo:
        photo.resize((1800, 1416)).save(folder / "a.jpg", quality=92)
        photo.save(folder / "b.jpg")
    found = reduction.compare(folder)
    halved, whole = found["rows"]
    assert (halved["shrink"], whole["shrink"]) == (2, 1)
    assert whole["labels_equal"] == 1
    assert 0.9 < halved["labels_equal"] < 1
    assert halved["compact_db"] > 48
    assert abs(halved["coarse_db_to_photo"] - halved["coarse_db_to_photo_before"]) < 0.2
    assert found["least"]["labels_equal"] == pytest.approx(halved["labels_equal"], abs=1e-4)
    assert found["answers"]["in_both"] > 4 * found["answers"]["in_one"]
