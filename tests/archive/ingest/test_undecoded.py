"""Files that cannot be decoded, kept as they are: real archives, and everything that is asked of photos."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dsslic_search.api import Archive
from dsslic_search.archive.schema import Photo
from dsslic_search.codec.picture import open as opening
from dsslic_search.core.errors import PhotoError, QueryError, StageError, UsageError
from tests.clips import chart, clip

PHOTOSHOP = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 60, 80, 8, 3) + bytes(range(256)) * 4
UNSEEN = ("a.psd", "cut.jpg", "garbage.jpg")


def jpeg(seed: int) -> bytes:
    """A noisy photo with a camera and a date."""
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = "Acme", "X1", "2021:06:05 14:30:15"
    pixels = np.random.default_rng(seed).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(out, "JPEG", quality=90, exif=exif)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos, and four files that are none here."""
    made = tmp_path / "photos"
    made.mkdir()
    Image.fromarray(chart()).save(made / "one.png")
    (made / "two.jpg").write_bytes(jpeg(1))
    (made / "a.psd").write_bytes(PHOTOSHOP)
    (made / "cut.jpg").write_bytes(jpeg(2)[:-2000])
    (made / "garbage.jpg").write_bytes(bytes(random.Random(1).randbytes(3000)))
    (made / "notes.txt").write_text("no picture")
    return made


@pytest.fixture
def archive(tmp_path: Path, folder: Path) -> Any:
    with Archive(tmp_path / "archive") as opened:
        report = opened.ingest([folder, folder / "notes.txt"], keep="exact", even_undecoded=True)
        assert (report.added, report.undecoded) == (5, 3)
        assert [(Path(f.path).name, f.reason.partition(";")[0]) for f in report.failed] == [
            ("notes.txt", "not a picture")
        ]
        yield opened


def row(archive: Archive, name: str) -> Photo:
    return next(p for p in map(archive.photo, archive.ids(100)) if Path(p.path).name == name)


def found(archive: Archive, query: str) -> set[str]:
    return {Path(hit.path).name for hit in archive.query(query, limit=None).hits}


def test_they_come_back_bit_for_bit(archive: Archive, folder: Path) -> None:
    for name in (*UNSEEN, "one.png", "two.jpg"):
        assert archive.original(row(archive, name).id) == (folder / name).read_bytes()
    assert archive.check(read_data=True) == []


def test_they_are_found_by_their_facts(archive: Archive) -> None:
    assert found(archive, "keep:undecoded") == set(UNSEEN)
    assert found(archive, "keep:exact") == {"one.png", "two.jpg"}
    assert found(archive, "format:psd") == found(archive, "name:*.psd") == {"a.psd"}
    assert found(archive, "camera:acme") == {"two.jpg", "cut.jpg"}
    assert found(archive, "taken:2021-06-05") == {"two.jpg", "cut.jpg"}
    assert found(archive, "size:3000") == {"garbage.jpg"}
    archive.tag(["work"], [row(archive, "a.psd").id])
    assert found(archive, "tag:work") == {"a.psd"}
    assert (row(archive, "cut.jpg").width, row(archive, "cut.jpg").height) == (80, 60)
    assert (row(archive, "garbage.jpg").width, row(archive, "garbage.jpg").format) == (0, "JPG")
    for query in ("width:<4000", "megapixels:<1", "orientation:landscape or orientation:square"):
        assert found(archive, query) == {"one.png", "two.jpg", "cut.jpg"}


@pytest.mark.parametrize(
    "query",
    [
        "no people",
        "not sky",
        "people or no people",
        "sky < 20%",
        "no car left of tree",
        "at most 3 cars",
        "not (2 cars and sky)",
        "no people and not sky",
        "other <= 100%",
    ],
)
def test_absence_is_not_known_of_what_was_not_seen(archive: Archive, query: str) -> None:
    hits = archive.query(query, limit=None)
    assert {Path(hit.path).name for hit in hits.hits} <= {"one.png", "two.jpg"}
    assert hits.total == len(hits.hits)
    everything = archive.query(f"({query}) or keep:undecoded", limit=None)
    assert everything.total == hits.total + len(UNSEEN)


def test_likeness_and_layouts_never_answer_with_them(archive: Archive, folder: Path) -> None:
    for query in (f'like "{folder / "one.png"}"', f"like #{row(archive, 'two.jpg').id}"):
        assert found(archive, query) == {"one.png", "two.jpg"}
        assert found(archive, f"{query} camera:acme") == {"two.jpg"}
    shapes = folder.parent / "sketch.json"
    shapes.write_text('[{"class": "sky", "box": [0, 0, 1, 0.4]}]')
    sketched = archive.sketch(shapes, limit=None)
    assert {Path(hit.path).name for hit in sketched.hits} == {"one.png", "two.jpg"}
    with pytest.raises(QueryError, match="it could not be decoded and is kept as it is"):
        archive.query(f"like #{row(archive, 'a.psd').id}")


def test_counts(archive: Archive) -> None:
    found = archive.statistics()
    assert (found.photos, found.undecoded) == (5, 3)
    assert all(each.photos <= 2 for each in found.classes)
    assert sum(each.photos for each in archive.classes()) >= 2
    seen = archive.statistics("keep:exact")
    assert (seen.photos, seen.undecoded) == (2, 0)
    assert seen.classes == found.classes
    assert archive.statistics("keep:undecoded").undecoded == 3


def test_duplicates_are_of_pictures(archive: Archive) -> None:
    duplicates = archive.duplicates()
    assert (duplicates.photos, duplicates.failed) == (2, ())


@pytest.mark.parametrize("stage", ["map", "compact", "coarse", "full", None])
def test_there_is_no_picture_of_them(archive: Archive, stage: str | None) -> None:
    photo = row(archive, "a.psd")
    with pytest.raises(
        StageError, match=r"stage \(the original could not be decoded, and is kept as it is\)"
    ):
        archive.preview(photo.id, stage)
    with pytest.raises(StageError):
        list(archive.progressive(photo.id))


def test_what_is_said_of_them(archive: Archive) -> None:
    said = archive.info(row(archive, "a.psd").id)
    assert (said["keep"], said["format"], said["vocabulary_name"]) == ("undecoded", "PSD", None)
    assert (said["coverage"], said["regions"]) == ({}, [])
    assert said["source_remarks"][0].startswith("not decoded: PSD files cannot be read here")
    assert [layer["name"] for layer in said["layers"]] == ["header", "hash", "original", "source"]


def test_reindexing_and_lost_indexes(archive: Archive, folder: Path) -> None:
    before = {query: found(archive, query) for query in ("no people", "keep:undecoded", "camera:acme")}
    report = archive.reindex()
    assert (report.photos, report.failed) == (5, [])
    for path in archive.folder.index.iterdir():
        path.unlink()
    with Archive(archive.folder.root) as again:
        assert {query: found(again, query) for query in before} == before
        assert again.check(read_data=True) == []


def test_a_damaged_file_of_one_may_be_the_only_copy(archive: Archive, folder: Path) -> None:
    photo = row(archive, "a.psd")
    path = archive.folder.store.path_of(photo.content_hash)
    data = bytearray(path.read_bytes())
    data[-200] ^= 1
    path.write_bytes(data[:-1])
    (finding,) = archive.check()
    assert finding.only_copy
    assert archive.repair([finding]) == []
    report = archive.ingest([folder / "a.psd"], keep="exact")
    assert (report.updated, report.undecoded, report.failed) == (1, 1, [])
    assert archive.original(photo.id) == PHOTOSHOP
    assert archive.check(read_data=True) == []


@pytest.mark.parametrize("keep", ["exact", "layers", "coarse"])
def test_another_ingest_tries_again(
    archive: Archive, folder: Path, keep: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be decoded still stays; what can be is kept exactly from then on, as the only copy of it
    that there may be."""
    report = archive.ingest([folder], keep=keep)
    assert (report.updated, report.failed, report.undecoded) == (0, [], 0)
    assert report.present == report.found == 4
    again = archive.ingest([folder], keep="exact", even_undecoded=True)
    assert (again.updated, again.present, again.undecoded) == (0, 5, 0)
    real = opening._read
    substitute = io.BytesIO()
    Image.fromarray(chart()).save(substitute, "PNG")

    def read(data: bytes, kind: str) -> Any:
        return real(substitute.getvalue(), "PNG") if kind == "PSD" else real(data, kind)

    monkeypatch.setattr(opening, "_read", read)  # as with an extra that reads it
    report = archive.ingest([folder / "a.psd"], keep=keep)
    assert (report.updated, report.failed) == (1, [])
    photo = row(archive, "a.psd")
    assert (photo.keep, photo.width, photo.height) == ("exact", 128, 64)
    assert archive.original(photo.id) == PHOTOSHOP
    assert np.array_equal(np.asarray(archive.preview(photo.id).image), chart())
    assert found(archive, "keep:undecoded") == set(UNSEEN) - {"a.psd"}
    assert archive.check(read_data=True) == []
    assert archive.statistics().undecoded == 2


def test_videos_are_kept_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    path = clip(
        tmp_path / "clips" / "a.mp4", [chart()] * 3, metadata={"creation_time": "2021-06-05T12:30:15Z"}
    )
    (tmp_path / "clips" / "b.mp4").write_bytes(path.read_bytes()[:300])
    with Archive(tmp_path / "archive") as archive:
        report = archive.ingest([tmp_path / "clips"], keep="exact", even_undecoded=True)
        assert (report.added, report.undecoded, report.videos, report.failed) == (2, 2, 0, [])
        photo = row(archive, "a.mp4")
        assert (photo.format, photo.width, photo.height) == ("VIDEO", 128, 64)
        assert archive.original(photo.id) == path.read_bytes()
        assert found(archive, "format:video taken:2021-06-05") == {"a.mp4"}
        with pytest.raises(StageError):
            archive.preview(photo.id)


def test_without_the_option_they_are_refused_with_its_name(tmp_path: Path, folder: Path) -> None:
    with Archive(tmp_path / "archive") as archive:
        report = archive.ingest([folder / "a.psd"], keep="exact")
        assert "have ingest keep it as it is with even_undecoded=True" in report.failed[0].reason
        for keep in ("layers", "coarse", "reference"):
            with pytest.raises(UsageError, match='only keep mode "exact" keeps files that cannot be decoded'):
                archive.ingest([folder], keep=keep, even_undecoded=True)
        with pytest.raises(UsageError, match='keep mode "undecoded" is not one of: layers, exact'):
            archive.ingest([folder], keep="undecoded")
    with pytest.raises(PhotoError):
        opening.open_photo(PHOTOSHOP, "a.psd", 1000)
