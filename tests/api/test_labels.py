"""Label maps of stored photos in other programs' formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.core.errors import FormatError, PhotoError, UsageError
from dsslic_search.core.kinds import Stage
from dsslic_search.core.vocabulary import default
from dsslic_search.labels.formats import FORMATS, reader, writer
from dsslic_search.labels.scene import LabelledImage, Legend

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Three real photos, two under one name, and a file that could not be decoded."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "b").mkdir()
    for name, to in (("picos.jpg", "a.jpg"), ("sunset.jpg", "b/a.jpg"), ("bridge.jpg", "c d.jpg")):
        picture = Image.open(SAMPLES / name)
        picture.thumbnail((600, 600))
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
    assert all(file.is_file() for _, file in report.written)
    back = reader(form)(tmp_path / "out")
    assert len(back.images) == 3
    ids = {c.name: c.id for c in default().classes}
    table = np.array([ids[name] for name in back.names], np.uint8)
    for image in back.images:
        [photo] = [archive.photo(i) for i in (1, 2, 3) if archive.photo(i).path.endswith(image.picture)] or [
            archive.photo(i) for i in (1, 2, 3) if Path(archive.photo(i).path).stem == image.name
        ]
        labels = np.asarray(archive.preview(photo.id, "map").image)
        scale = archive.contents(photo).header.map_scale
        assert scale > 1
        np.testing.assert_array_equal(
            table[image.labels], labels[::scale, ::scale] if size == "map" else labels
        )


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


@pytest.mark.parametrize("form", FORMATS)
def test_a_place_that_is_not_there_is_told_as_that(archive: Archive, form: str, tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"mistyped: there is no such file or folder$"):
        archive.import_labels(tmp_path / "mistyped", form)


@pytest.fixture
def corrected(tmp_path: Path) -> Iterator[Archive]:
    """An archive of its own of one photo in each of two keep modes."""
    with Archive(tmp_path / "a") as opened:
        for name, keep in (("picos.jpg", "layers"), ("bridge.jpg", "exact")):
            picture = Image.open(SAMPLES / name)
            picture.thumbnail((320, 320))
            picture.save(tmp_path / name, "JPEG")
            opened.ingest([tmp_path / name], keep=keep, effort=1)
        yield opened


def painted(archive: Archive, folder: Path, photo_id: int, form: str, size: str = "map") -> np.ndarray:
    """Export a label map, give its left half to horses, and return what is to be the map then."""
    archive.export_labels([photo_id], folder, "png", size=size)
    [file] = (folder / "labels").iterdir()
    picture = Image.open(file)
    labels = np.array(picture)
    labels[:, : labels.shape[1] // 2] = default().id_of("horse")
    to = writer(form, Legend.of(default()))
    for name, data in to.image(LabelledImage(file.stem, archive.photo(photo_id).path, labels)) + to.end():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return labels


@pytest.mark.parametrize(("form", "size"), [(form, "map") for form in FORMATS] + [("png", "photo")])
def test_what_people_say_is_shown_and_searched(
    corrected: Archive, form: str, size: str, tmp_path: Path
) -> None:
    pictures = {(i, stage): preview_of(corrected, i, stage) for i in (1, 2) for stage in ("coarse", "full")}
    before = [corrected.folder.store.read(corrected.photo(i).content_hash) for i in (1, 2)]
    assert corrected.query("horse > 40%").total == 0
    for photo_id in (1, 2):
        folder = tmp_path / f"{photo_id}"
        folder.mkdir()
        labels = painted(corrected, folder, photo_id, form, size)
        report = corrected.import_labels(folder, form)
        assert (report.photos, report.failed, report.unknown) == ([photo_id], [], ())
        scale = corrected.contents(photo_id).header.map_scale
        shown = np.asarray(corrected.preview(photo_id, "map").image)
        if size == "map":
            np.testing.assert_array_equal(shown[::scale, ::scale], labels)
        else:
            assert (shown == labels).mean() > 0.99
        assert corrected.import_labels(folder, form).unchanged == [photo_id]
    assert {hit.id for hit in corrected.query("horse > 40%")} == {1, 2}
    assert {hit.certainty["horse"] for hit in corrected.query("horse > 40%")} == {1.0}
    assert corrected.labelled() == [1, 2]
    assert {key: preview_of(corrected, *key) for key in pictures} == pictures
    assert corrected.check(read_data=True) == []
    corrected.reindex()
    assert corrected.query("horse > 40%").total == 2
    assert "people's label map" in [layer["name"] for layer in corrected.info(1)["layers"]]
    report = corrected.reset_labels([1, 2])
    assert report.photos == [1, 2]
    assert [corrected.folder.store.read(corrected.photo(i).content_hash) for i in (1, 2)] == before
    assert corrected.query("horse > 40%").total == 0


def preview_of(archive: Archive, photo_id: int, stage: str) -> bytes:
    return archive.preview(photo_id, Stage(stage)).image.tobytes()


def test_people_outlast_a_photo_that_is_stored_anew(corrected: Archive, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    labels = painted(corrected, tmp_path / "out", 1, "coco")
    corrected.import_labels(tmp_path / "out", "coco")
    assert corrected.contents(1).header.keep == "layers"
    assert corrected.ingest([tmp_path / "picos.jpg"], keep="exact", effort=1).failed == []
    assert corrected.contents(1).header.keep == "exact"
    scale = corrected.contents(1).header.map_scale
    shown = np.asarray(corrected.preview(1, "map").image)[::scale, ::scale]
    np.testing.assert_array_equal(shown, labels)
    assert [hit.id for hit in corrected.query("horse > 40%")] == [1]
    assert corrected.check(read_data=True) == []


def test_what_cannot_be_imported_is_told(corrected: Archive, tmp_path: Path) -> None:
    labels = np.ones((4, 6), np.uint8)
    to = writer("png", Legend(("other", "sky", "dragon"), ((0, 0, 0),) * 3))
    labels[:, :2] = 2
    labels[:2] = 255
    for name, data in [
        f
        for picture in ("none.jpg", "a/picos.jpg")
        for f in to.image(LabelledImage(picture[0], picture, labels))
    ] + to.end():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    before = np.asarray(corrected.preview(1, "map").image)
    report = corrected.import_labels(tmp_path / "in")
    assert report.failed == [("none.jpg", "no photo here has that name")]
    assert (report.photos, report.unknown) == ([1], ("dragon",))
    after = np.asarray(corrected.preview(1, "map").image)
    half = after.shape[0] // 2 - 2
    np.testing.assert_array_equal(after[:half], before[:half])
    assert set(np.unique(after[half + 4 :])) == {0, default().id_of("sky")}
    with pytest.raises(FormatError, match="not JSON"):
        (tmp_path / "in" / "legend.json").write_text("{")
        corrected.import_labels(tmp_path / "in")
    content = {
        "images": [{"id": 1, "file_name": "a/picos.jpg", "width": 20_000, "height": 20_000}],
        "categories": [],
        "annotations": [],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    with pytest.raises(FormatError, match=r"20000 × 20000.* pixels is not taken"):
        corrected.import_labels(tmp_path / "instances.json", "coco")
