from __future__ import annotations

from pathlib import Path
from unittest import mock

from PIL import Image

from dsslic_search.bench import catalog
from tests.bench.test_search import street


def test_the_catalog_is_weighed_and_indexes_are_made_beside_another_build(tmp_path: Path) -> None:
    for number in range(6):
        Image.fromarray(street(10 * number)).save(tmp_path / f"{number}.png")
    source = Path(str(catalog.__file__)).parents[2]
    found = catalog.run([tmp_path], 300, source)
    assert found["migration"]["the same after up and back"] is True
    this, other = (found["builds"][name] for name in ("this", "other"))
    for each in (this, other):
        weights = each["bytes_a_photo"]
        assert weights["file"] >= weights["photo"] + weights["path"] > 100
        assert set(each["making"]["processor_seconds"]) > {"coverage", "files", "regions", "layout", "all"}
        assert each["making"]["peak_bytes"] > 10_000_000
    assert found["ratios"]["bytes_a_photo"] > 0
    assert len(catalog.table(found)[0].split()) >= 3


def test_photos_beyond_the_models_are_copies_of_them(tmp_path: Path) -> None:
    for number in range(6):
        Image.fromarray(street(10 * number)).save(tmp_path / f"{number}.png")
    with mock.patch.object(catalog, "MODELS", 100):
        found = catalog.run([tmp_path], 350)
    assert found["photos"] == 300
    assert "ratios" not in found
    assert found["builds"]["this"]["bytes_a_photo"]["photo"] > 100
