"""Photos as samples of FiftyOne, and label maps from there: without its database, and, where the environment
names one, through it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.core.errors import MissingExtraError, UsageError

SAMPLES = Path(__file__).parents[2] / "samples"

try:
    import fiftyone
except ImportError:
    fiftyone = None
there = pytest.mark.skipif(
    fiftyone is None, reason="FiftyOne is an extra of 1 GB, with requirements that others here exclude"
)

with_database = pytest.mark.skipif(
    fiftyone is None or not os.environ.get("FIFTYONE_DATABASE_URI"),
    reason="FiftyOne downloads its MongoDB when it is installed: name one that runs in FIFTYONE_DATABASE_URI",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("photos")
    for name in ("picos.jpg", "sunset.jpg"):
        picture = Image.open(SAMPLES / name)
        picture.thumbnail((160, 160))
        picture.save(folder / name)
    with Archive(tmp_path_factory.mktemp("archives") / "a") as opened:
        opened.ingest([folder])
        opened.tag("best", [1])
        Path(opened.photo(2).path).unlink()
        yield opened


@pytest.mark.skipif(fiftyone is not None, reason="FiftyOne is installed, so nothing is said of it missing")
def test_without_the_package_it_is_said_how_to_get_it(archive: Archive) -> None:
    for ask in (lambda: archive.fiftyone_importer("sky"), archive.fiftyone_exporter):
        with pytest.raises(MissingExtraError, match=r"dsslic-search\[fiftyone\]"):
            ask()


@there
def test_photos_are_samples_with_all_that_is_known(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"sunset\.jpg: the original is not there any more"):
        list(archive.fiftyone_importer("id:2"))
    importer = archive.fiftyone_importer("everything, sort:id", tmp_path / "pictures")
    first, second = importer
    assert len(importer) == 2
    assert (first.filepath, first.tags) == (archive.photo(1).path, ["best"])
    assert np.asarray(Image.open(second.filepath)).shape[:2] == (
        archive.photo(2).height,
        archive.photo(2).width,
    )
    known = archive.info(1)
    assert (first["archive_id"], first["content_hash"]) == (1, known["content_hash"])
    assert first["width"] == known["width"]
    np.testing.assert_array_equal(first["label_map"].mask, archive.label_map(1))
    regions = first["regions"].detections
    assert [r.label for r in regions] == [r["class"] for r in known["regions"]]
    assert all(0 < r.bounding_box[2] <= 1 and 0 < r.bounding_box[3] <= 1 for r in regions)
    assert {c.label: c.confidence for c in first["words"].classifications} == known["words"]
    assert first["coverage"] == pytest.approx(known["coverage"])
    assert importer.get_dataset_info()["default_mask_targets"] == {
        c.id: c.name for c in archive.vocabulary.classes
    }


@there
def test_label_maps_come_back_as_what_people_say(archive: Archive, tmp_path: Path) -> None:
    samples = list(archive.fiftyone_importer("everything, sort:id", tmp_path))
    road = archive.vocabulary.id_of("road")
    corrected = samples[0]["label_map"].mask.copy()
    corrected[:4] = road
    samples[0]["label_map"].mask = corrected
    with archive.fiftyone_exporter() as exporter:
        for sample in samples:
            exporter.export_sample(sample)
    assert (exporter.report.photos, exporter.report.failed) == ([1, 2], [])
    np.testing.assert_array_equal(archive.label_map(1), corrected)
    assert 1 in archive.labelled()
    archive.reset_labels([1, 2])
    wrong = archive.fiftyone_exporter()
    with pytest.raises(UsageError, match='it has no "archive_id"'):
        wrong.export_sample(fiftyone.Sample(filepath="/x.jpg"))
    samples[0]["label_map"].mask = np.full((4, 4), 200, np.uint8)
    with pytest.raises(UsageError, match="holds 200, which is the number of no class"):
        wrong.export_sample(samples[0])


@with_database
def test_a_dataset_is_made_asked_corrected_and_given_back(archive: Archive, tmp_path: Path) -> None:
    dataset = fiftyone.Dataset.from_importer(archive.fiftyone_importer("everything, sort:id", tmp_path))
    try:
        assert dataset.values("archive_id") == [1, 2]
        assert dataset.values("width") == [archive.photo(each).width for each in (1, 2)]
        assert dataset.match_tags("best").values("archive_id") == [1]
        assert dataset.default_mask_targets == {c.id: c.name for c in archive.vocabulary.classes}
        regions = [[each["class"] for each in archive.info(photo)["regions"]] for photo in (1, 2)]
        assert dataset.values("regions.detections.label") == regions
        mountains = dataset.match(fiftyone.ViewField("coverage.mountain") > 0.3).values("archive_id")
        assert mountains == sorted(archive.matching("mountain > 30%").tolist())
        for photo, sample in enumerate(dataset.sort_by("archive_id"), 1):
            np.testing.assert_array_equal(sample["label_map"].mask, archive.label_map(photo))
            words = {c.label: c.confidence for c in sample["words"].classifications}
            assert words == archive.info(photo)["words"]
        corrected = archive.label_map(1).copy()
        corrected[-5:] = archive.vocabulary.id_of("road")
        sample = dataset.match(fiftyone.ViewField("archive_id") == 1).first()
        sample["label_map"].mask = corrected
        sample.save()
        back = archive.fiftyone_exporter()
        dataset.export(dataset_exporter=back)
        assert (sorted(back.report.photos), back.report.failed) == ([1, 2], [])
        np.testing.assert_array_equal(archive.label_map(1), corrected)
    finally:
        dataset.delete()
        archive.reset_labels([1, 2])
