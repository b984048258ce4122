"""Label maps of stored photos in other programs' formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.api.labels import spread
from dsslic_search.core.errors import UsageError
from dsslic_search.core.vocabulary import default
from dsslic_search.labels.formats import FORMATS, reader

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Three real photos, two under one name, and a file that could not be decoded."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "b").mkdir()
    for name, to in (("picos.jpg", "a.jpg"), ("sunset.jpg", "b/a.jpg"), ("bridge.jpg", "c d.jpg")):
        picture = Image.open(SAMPLES / name)
        picture.thumbnail((200, 200))
        picture.save(folder / to, "JPEG")
    with Archive(tmp_path_factory.mktemp("archives") / "a") as opened:
        opened.ingest([folder], keep="exact")
        yield opened


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("size", ["map", "photo"])
def test_real_photos_go_out_and_come_back(archive: Archive, form: str, size: str, tmp_path: Path) -> None:
    report = archive.export_labels([1, 2, 3], tmp_path / "out", form, size=size)
    assert [photo_id for photo_id, _ in report.written] == [1, 2, 3]
    assert report.failed == []
    back = reader(form)(tmp_path / "out")
    assert len(back.images) == 3
    ids = {c.name: c.id for c in default().classes}
    table = np.array([ids[name] for name in back.names], np.uint8)
    for image in back.images:
        [photo] = [archive.photo(i) for i in (1, 2, 3) if archive.photo(i).path.endswith(image.picture)] or [
            archive.photo(i) for i in (1, 2, 3) if Path(archive.photo(i).path).stem == image.name
        ]
        labels = np.asarray(archive.preview(photo.id, "map").image)
        if size == "photo":
            labels = spread(labels, photo.width, photo.height)
        np.testing.assert_array_equal(table[image.labels], labels)


def test_a_label_map_at_the_size_of_the_photo(archive: Archive) -> None:
    labels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    large = spread(labels, 9, 4)
    assert large.tolist() == [[0, 0, 0, 1, 1, 1, 2, 2, 2]] * 2 + [[3, 3, 3, 4, 4, 4, 5, 5, 5]] * 2
    np.testing.assert_array_equal(spread(large, 3, 2), labels)


def test_nothing_is_written_over_unasked(archive: Archive, tmp_path: Path) -> None:
    archive.export_labels([1], tmp_path, "coco")
    before = (tmp_path / "instances.json").read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        archive.export_labels([2], tmp_path, "coco")
    assert (tmp_path / "instances.json").read_bytes() == before
    archive.export_labels([2], tmp_path, "coco", replace=True)
    [image] = json.loads((tmp_path / "instances.json").read_text())["images"]
    assert image["file_name"] == archive.photo(2).path
    with pytest.raises(UsageError, match="coco"):
        archive.export_labels([1], tmp_path / "new", "cocoo")
    with pytest.raises(UsageError, match="map, photo"):
        archive.export_labels([1], tmp_path / "new", size="large")
