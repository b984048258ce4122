"""Originals and previews of many photos."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.api.getting_out import file_names
from dsslic_search.archive import schema
from dsslic_search.core.errors import ArchiveError, UsageError

NAMES = ("a.jpg", "sub/A.JPG", "sub/caf\udce9.png", "other/a.jpg")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of 2001, one kept exactly, the others by reference, and one as layers."""
    folder = tmp_path_factory.mktemp("made")
    for number, name in enumerate((*NAMES, "layers.jpg")):
        path = folder / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = "JPEG" if path.suffix.lower() == ".jpg" else "PNG"
        with path.open("wb") as f:
            Image.new("RGB", (40, 24), (40 * number, 60, 90)).save(f, kind)
        os.utime(path, ns=(10**18 + number * 10**10, 10**18 + number * 10**10))
    with Archive(folder / "archive") as archive:
        for name in (*NAMES, "layers.jpg"):  # one by one, so that ids are as here
            keep = {"a.jpg": "exact", "layers.jpg": "layers"}.get(name, "reference")
            archive.ingest([folder / "photos" / name], keep=keep, effort=1)
    return folder


def relative(written: list[tuple[int, Path]], folder: Path) -> dict[int, str]:
    return {photo_id: str(path.relative_to(folder)) for photo_id, path in written}


def test_originals_come_out_bit_for_bit_in_their_folders(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    told: list[tuple[int, int, int]] = []
    with Archive(made / "archive") as archive:
        report = archive.originals([1, 2, 3, 4, 5, 1], out, progress=lambda *numbers: told.append(numbers))
        assert relative(report.written, out) == dict(enumerate(NAMES, 1))
        ((photo_id, reason),) = report.failed
        assert photo_id == 5
        assert "does not hold the original" in reason
        assert (told[0], told[-1]) == ((0, 5, 0), (5, 5, 1))
        for name in NAMES:
            assert (out / name).read_bytes() == (made / "photos" / name).read_bytes()
            assert (out / name).stat().st_mtime == pytest.approx(
                (made / "photos" / name).stat().st_mtime, abs=1
            )
        again = archive.originals([1, 2, 3, 4], out)
        assert (again.written, len(again.present), again.failed) == ([], 4, [])
        flat = archive.originals([1, 2, 3, 4], tmp_path / "flat", flat=True)
        assert relative(flat.written, tmp_path / "flat") == {
            1: "a.jpg",
            2: "A (2).JPG",
            3: "caf\udce9.png",
            4: "a (3).jpg",
        }


def test_what_is_there_is_not_replaced(made: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"precious")
    with Archive(made / "archive") as archive:
        report = archive.originals([1], tmp_path)
        assert "is there already" in report.failed[0][1]
        assert (tmp_path / "a.jpg").read_bytes() == b"precious"
        assert archive.originals([1], tmp_path, replace=True).failed == []
        assert (tmp_path / "a.jpg").read_bytes() == (made / "photos" / "a.jpg").read_bytes()
        with pytest.raises(UsageError, match="inside the archive"):
            archive.originals([1], made / "archive")
        with pytest.raises(ArchiveError, match="no such id"):
            archive.originals([1, 99], tmp_path / "never")
        assert not (tmp_path / "never").exists()
        (tmp_path / "A.jpg").symlink_to(made / "photos" / "sub" / "A.JPG")
        over = archive.previews([2], tmp_path, form="jpg", replace=True)
        assert "is what is read" in over.failed[0][1]


def test_an_original_that_is_gone_is_said_and_one_that_moved_is_found(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(made / "photos", copy)
    with Archive(tmp_path / "archive") as archive:
        for name in NAMES[1:3]:
            archive.ingest([copy / name], keep="reference", effort=1)
        (copy / "sub" / "A.JPG").unlink()
        (copy / "sub" / "caf\udce9.png").write_bytes(b"another file")
        report = archive.originals([1, 2], tmp_path / "out")
        assert [photo_id for photo_id, _ in report.failed] == [1, 2]
        assert "is gone" in report.failed[0][1]
        assert "has changed" in report.failed[1][1]
        assert report.written == []


def test_previews_of_a_stage(made: Path, tmp_path: Path) -> None:
    with Archive(made / "archive") as archive:
        report = archive.previews([1, 2, 4, 5], tmp_path, stage="coarse", form="webp", flat=True)
        assert relative(report.written, tmp_path) == {
            1: "a.webp",
            2: "A (2).webp",
            4: "a (3).webp",
            5: "layers.webp",
        }
        for photo_id, path in report.written:
            with Image.open(path) as shown:
                expected = np.asarray(archive.preview(photo_id, "coarse").image)
                assert np.array_equal(np.asarray(shown), expected)
        assert report.bytes == sum(path.stat().st_size for _, path in report.written)
        maps = archive.previews([1], tmp_path, stage="map")
        with Image.open(maps.written[0][1]) as shown:
            assert shown.mode == "P"
        with pytest.raises(UsageError, match=r"not one of: png$"):
            archive.previews([1], tmp_path, stage="map", form="jpg")
        with pytest.raises(UsageError, match="png, jpg, webp"):
            archive.previews([1], tmp_path, form="gif")


def test_photos_of_disks_and_buckets_get_names_beside_each_other() -> None:
    photos = [schema.Photo(path=path) for path in ("/home/a/x.jpg", "s3://b/c/y.jpg", "s3://b/d/z.jpg")]
    assert [str(each) for each in file_names(photos, flat=False)] == [
        "home/a/x.jpg", "s3:/b/c/y.jpg", "s3:/b/d/z.jpg",
    ]  # fmt: skip
    assert [str(each) for each in file_names(photos[1:], flat=False)] == ["c/y.jpg", "d/z.jpg"]
    assert [str(each) for each in file_names(photos, flat=True)] == ["x.jpg", "y.jpg", "z.jpg"]
