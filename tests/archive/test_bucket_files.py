"""Photos that lie in a bucket, put into an archive beside the same ones on a disk."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import select

from dsslic_search.api import Archive
from dsslic_search.api.coding_files import encode_files
from dsslic_search.archive import bucket_files, outside, schema
from dsslic_search.archive.bucket import open_bucket
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest.frames import read_choice
from dsslic_search.archive.ingest.live_photos import is_live_clip
from dsslic_search.archive.ingest.run import SYNC
from dsslic_search.archive.ingest.sync import sync
from dsslic_search.archive.ingest.wanted import Wanted
from dsslic_search.archive.originals import find_original
from dsslic_search.archive.originals_away import away
from dsslic_search.archive.relink import relink
from dsslic_search.core.errors import MissingExtraError, UsageError
from dsslic_search.core.files import text_to_path
from dsslic_search.core.settings import Settings
from tests.archive.bucket_server import Proxy, Request
from tests.archive.conftest import OPTIONS, World

HOUR_NS = 3600 * 10**9
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"""
FILES = {
    "a.jpg": b"PHOTOa",
    "a.xmp": XMP,
    "sub/b \u00fc\u00df%20#?[1].jpg": b"PHOTOb",
    "sub/again.jpg": b"PHOTOa",
    "sub/broken.jpg": b"nothing of the kind",
    "sub/deeper/c.png": b"PHOTOc",
    "sub/film.mp4": b"no film",
    "sub/notes.txt": b"notes",
    ".hidden/d.jpg": b"PHOTOd",
    "@eaDir/a.jpg/SYNOPHOTO.jpg": b"PHOTOe",
    "out/f.jpg": b"PHOTOf",
}


def later() -> int:
    """Late enough that times of files may be relied on."""
    return time.time_ns() + HOUR_NS


@pytest.fixture
def filled(world: World, bucket: str) -> World:
    """The same files in a folder and in the bucket."""
    for name, data in FILES.items():
        place = world.photos / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        open_bucket(bucket).write(name, data)
    return world


@pytest.fixture
def few(world: World, bucket: str) -> World:
    """Three photos that were ingested of the bucket."""
    for name in "a.jpg", "in/b.jpg", "in/c.jpg":
        open_bucket(bucket).write(name, b"PHOTO" + name.encode())
    assert world.ingest(Path(bucket), now_ns=later).added == 3
    return world


def rows(archive: ArchiveFolder, top: str) -> list[tuple[object, ...]]:
    """What the catalog has of photos, but ids and when, in order of their paths below ``top``: which of two
    is prepared first is chance."""
    left_out = ("id", "path", "added_at", "modified_at")
    columns = [c for c in schema.Photo.__table__.columns if c.key not in left_out]
    with archive.open_catalog() as catalog, catalog.session() as session:
        places = {
            photo.id: sorted(row.path.removeprefix(top) for row in photo.paths)
            for photo in session.query(schema.Photo)
        }
        found = session.execute(select(schema.Photo.id, *columns).order_by(schema.Photo.id))
        return sorted((places[photo_id], *map(str, told)) for photo_id, *told in found)


def test_a_bucket_is_ingested_as_a_folder_is(filled: World, bucket: str) -> None:
    there = World(filled.photos, ArchiveFolder(filled.archive.root.with_name("there")))
    wanted = Wanted(exclude=("out",))
    here_report = filled.ingest(wanted=wanted)
    report = there.ingest(Path(bucket), wanted=wanted)
    assert report.added == 3
    for name in "found", "added", "present", "failed", "sidecars", "videos", "notes":
        one, other = (str(getattr(each, name)) for each in (here_report, report))
        assert one.replace(f"{filled.photos}", bucket) == other, name
    assert {
        kind: [path.replace(str(filled.photos), bucket) for path in paths]
        for kind, paths in here_report.passed_over.by_kind().items()
    } == report.passed_over.by_kind()
    assert rows(filled.archive, str(filled.photos)) == rows(there.archive, bucket)
    there.assert_whole(3)
    with there.archive.open_catalog() as catalog:
        path = f"{bucket}/a.jpg"
        photo = next(each for i in (1, 2, 3) if (each := catalog.photo(i)) is not None and each.path == path)
        told = outside.stat(text_to_path(photo.path))
        assert photo.modified_at.replace(tzinfo=UTC).timestamp() == int(told.st_mtime)
        assert told.st_mtime >= int((filled.photos / "a.jpg").stat().st_mtime)  # from which it was put there


def test_what_is_unchanged_is_not_read_again(few: World, bucket: str, s3: Proxy) -> None:
    s3.forget()
    report = few.ingest(Path(bucket), now_ns=later)
    assert (report.present, report.added) == (3, 0)
    assert not [path for _, path, _ in s3.requests if path.endswith(".jpg")]
    assert (
        len([path for _, path, _ in s3.requests if "list-type" in path]) == 4
    )  # of two folders, and to look


def test_the_archive_follows_a_bucket(few: World, bucket: str) -> None:
    objects = open_bucket(bucket)

    def follow(even_empty: bool = False) -> tuple[list[str], ...]:
        report = sync(
            few.archive,
            settings=Settings(),
            prepare=few.prepare,
            now_ns=later,
            rules=replace(SYNC, even_empty=even_empty),
        )
        assert [each.reason for each in report.failed] == (
            [] if report.found else ["no such file or directory"]
        )
        return tuple(
            [str(each[key]) for each in found]
            for key, found in (
                (-1, report.moved),
                (0, report.versions),
                (-1, report.missing),
                (1, report.unseen),
            )
        )

    assert follow() == ([], [], [], [])
    objects.write("a.jpg", b"PHOTOA.jpg")  # as long as it was, and perhaps in the same second
    objects.write("else/b.jpg", objects.read("in/b.jpg"))
    objects.remove("in/b.jpg")
    assert follow() == ([f"{bucket}/else/b.jpg"], [f"{bucket}/a.jpg"], [], [])
    objects.remove("in/c.jpg")
    assert follow() == ([], [], [f"{bucket}/in/c.jpg"], [])
    objects.remove("a.jpg")
    objects.remove("else/b.jpg")
    assert follow() == ([], [], [], ["not there"])
    assert len(follow(even_empty=True)[2]) == 2


def test_trouble_stays_that_of_one_photo(world: World, bucket: str, s3: Proxy) -> None:
    for name in "a.jpg", "b.jpg":
        open_bucket(bucket).write(name, b"PHOTO" + name.encode())

    def on(ending: str, fault: str) -> Callable[[int, Request], str]:
        return lambda _number, request: fault if request[1].partition("?")[0].endswith(ending) else ""

    s3.faults = on("a.jpg", "503")
    report = world.ingest(Path(bucket), now_ns=later)
    assert report.added == 1
    assert [path for path, _ in report.failed] == [f"{bucket}/a.jpg"]
    assert "cannot be read" in report.failed[0].reason
    assert "503" in report.failed[0].reason
    s3.faults = on("", "503")  # nor can it be listed: then nothing is said to be missing
    report = world.ingest(Path(bucket), now_ns=later)
    assert (report.added, report.missing) == (0, [])
    assert report.failed
    assert report.unseen
    s3.faults = lambda number, _request: "cut" if number % 3 == 0 else ""  # which is asked again
    s3.requests.clear()
    assert (world.ingest(Path(bucket), now_ns=later).added, s3.requests != []) == (1, True)
    world.assert_whole(2)


def test_what_is_not_there_is_said(world: World, bucket: str) -> None:
    open_bucket(bucket).write("a.jpg", b"PHOTO")
    report = world.ingest(Path("s3://no-such-bucket/x"), Path(bucket + "/none"), Path(bucket + "/a.jpg"))
    assert [tuple(each) for each in report.failed] == [
        ("s3://no-such-bucket/x", "cannot be read (no such bucket)"),
        (f"{bucket}/none", "no such file or directory"),
    ]
    assert report.added == 1
    for wrong in "s3://-/x", "s3://":
        with pytest.raises(UsageError, match="not a place in a bucket"):
            world.ingest(Path(wrong))


def test_without_the_extra_that_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in "obstore", "obstore.store", "obstore.exceptions":
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match="files in a bucket need an extra package"):
        world.ingest(Path("s3://never-asked/x"))


def test_originals_by_reference_are_read_from_the_bucket(world: World, bucket: str) -> None:
    objects = open_bucket(bucket)
    objects.write("a.jpg", b"PHOTOa")
    world.ingest(Path(bucket), keep="reference", now_ns=later)
    with world.archive.open_catalog() as catalog:
        photo = catalog.photo(1)
        assert photo is not None
        assert find_original(photo) == b"PHOTOa"
        assert list(away(catalog, lambda _id, _hash: True)) == []
        objects.write("a.jpg", b"PHOTOb")
        assert [each.changed for each in away(catalog, lambda _id, _hash: True)] == [True]
        assert find_original(photo) is None
        objects.remove("a.jpg")
        objects.write("b.jpg", b"PHOTOa")
        assert [each.photo_id for each in away(catalog)] == [1]
    assert relink(world.archive, Path(bucket + "/a.jpg"), Path(bucket + "/b.jpg")).linked == [
        (1, f"{bucket}/b.jpg")
    ]


def test_parts_of_an_object_are_read(bucket: str) -> None:
    objects = open_bucket(bucket)
    objects.write("a.mov", bytes(range(200)))
    path = Path(bucket) / "a.mov"
    with outside.opened(path) as f:
        assert f.read(3) == b"\0\1\2"
        f.seek(198)
        assert (f.read(9), f.read(9)) == (b"\xc6\xc7", b"")
        objects.write("a.mov", bytes(300))
        f.seek(0)
        with pytest.raises(OSError, match=r".+"):
            f.read(9)
    assert not is_live_clip(path)
    assert not is_live_clip(path.with_name("none.mov"))
    assert bucket_files.identity(path) == bucket_files.identity(bucket + "/a.mov")
    assert outside.is_folder(path.parent)
    assert outside.is_file(path)
    assert not outside.exists(path.with_name("none"))


def test_what_does_not_go_with_buckets_is_refused(world: World, bucket: str, tmp_path: Path) -> None:
    open_bucket(bucket).write("film.mp4", b"no film")
    report = world.ingest(Path(bucket), frames=read_choice("1s"))
    assert [each.reason for each in report.failed] == [
        "a video in a bucket; copy it to a disk to take frames of it"
    ]
    with pytest.raises(UsageError, match="copy it to a disk"):
        encode_files([Path(bucket)], tmp_path / "out", OPTIONS)
    with Archive(world.archive.root) as archive:
        archive.init()
        with pytest.raises(UsageError, match="a bucket tells of no changes"):
            archive.watch(bucket)
