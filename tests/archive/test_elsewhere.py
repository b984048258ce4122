"""An archive whose photos' files are in a bucket: all that is done with one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive, encode
from dsslic_search.archive.backup import backup
from dsslic_search.archive.check import check
from dsslic_search.archive.features import read_features
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest.encode import Prepared
from dsslic_search.archive.manifest import Manifest
from dsslic_search.archive.rebuild import rebuild
from dsslic_search.archive.repair import repair
from dsslic_search.archive.store import Store
from dsslic_search.codec import container
from dsslic_search.codec.picture.facts import NO_FACTS
from dsslic_search.core.errors import ArchiveError, UsageError
from tests.archive.bucket_server import Proxy
from tests.archive.conftest import World

PAGE = 30  # photos


@pytest.fixture
def elsewhere(world: World, bucket: str) -> World:
    world.archive = ArchiveFolder(world.archive.root, Manifest(objects=bucket))
    return world


def found(archive: ArchiveFolder, **more: Any) -> list[str]:
    return [str(each.kind) for each in check(archive, **more)]


def test_a_life_in_a_bucket(elsewhere: World, bucket: str, readable_maps: None) -> None:
    for name in "a.jpg", "b.jpg", "c.jpg":
        elsewhere.photo(name)
    assert elsewhere.ingest(keep="exact").added == 3
    archive = ArchiveFolder(elsewhere.archive.root)  # which remembers where it is
    assert json.loads((archive.root / "archive.json").read_text())["objects"] == bucket
    assert archive.store.root == bucket
    assert not list(archive.root.rglob("*.dsslic"))
    elsewhere.assert_whole(3)
    assert found(archive, read_data=True) == []
    first, second, third = archive.store.hashes()
    archive.store.objects.write(f"{first[:2]}/{first}.dsslic", archive.store.read(first)[:-1])
    archive.store.remove(second)
    archive.store.write("ab" * 32, b"of no photo")
    assert sorted(found(archive)) == ["damaged", "missing", "orphan"]
    repair(archive, check(archive))
    assert elsewhere.ingest(keep="exact").updated == 2  # they are made again of their originals
    assert sorted(found(archive)) == ["orphan"]
    archive.store.remove("ab" * 32)
    for name in "catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "journal.jsonl":
        (archive.root / name).unlink(missing_ok=True)
    shutil.rmtree(archive.root / "objects", ignore_errors=True)  # where the journal stands again
    assert rebuild(archive).photos == 3
    assert found(archive) == []
    with pytest.raises(ArchiveError, match=rf"files are in {bucket}; back up that bucket"):
        backup(archive, archive.root.parent / "copy")
    assert not (archive.root.parent / "copy").exists()
    assert archive.store.read(third)


def test_an_archive_is_made_before_there_are_photos(tmp_path: Path, bucket: str) -> None:
    with Archive(tmp_path / "a") as archive:
        archive.init(objects=bucket + "/")
        archive.init(objects=bucket)
        with pytest.raises(UsageError, match=rf"an archive already, with its files in {bucket}"):
            archive.init(objects=bucket + "2")
        assert archive.query("everything").total == 0
    with Archive(tmp_path / "a") as archive:
        archive.init()
        assert archive.folder.store == Store(bucket)
    with Archive(tmp_path / "b") as archive:
        with pytest.raises(ArchiveError, match="no such bucket"):
            archive.init(objects="s3://nothing-of-that-name")
        assert not (tmp_path / "b" / "archive.json").exists()
    Store(bucket + "/old").write("ab" * 32, b"somebody's")
    with (
        Archive(tmp_path / "b") as archive,
        pytest.raises(ArchiveError, match="make it anew"),
    ):
        archive.init(objects=bucket + "/old")


def test_where_new_archives_keep_their_files_is_said_by_the_environment(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Archive(tmp_path / "here") as archive:
        archive.init()
    monkeypatch.setenv("DSS_OBJECTS", bucket)
    with Archive(tmp_path / "there") as archive:
        archive.init()
    with Archive(tmp_path / "here") as here, Archive(tmp_path / "there") as there:
        assert here.folder.store.is_here
        assert there.folder.store == Store(bucket)


@pytest.fixture(scope="module")
def stored_once(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A small picture as an ingest stores it."""
    folder = tmp_path_factory.mktemp("once")
    picture = np.random.default_rng(1).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    Image.fromarray(picture).resize((128, 96)).save(folder / "one.jpg")
    data = encode(folder / "one.jpg", effort=1)
    scratch = Store(folder / "scratch")
    scratch.write("ab" * 32, data)
    contents = container.read_contents(data)
    features = read_features(scratch, "ab" * 32, contents.base_bytes)[0]
    header = contents.header
    return Prepared(
        "JPEG", 128, 96, NO_FACTS, data, contents.base_bytes, header.quality, header.vocabulary,
        header.segmenter, features, {},
    )  # fmt: skip


@pytest.fixture
def page(elsewhere: World, stored_once: Prepared) -> Archive:
    """Thirty photos of one picture."""
    for number in range(PAGE):
        elsewhere.photo(f"{number}.jpg")
    assert elsewhere.ingest(prepare=lambda *_: stored_once).added == PAGE
    return Archive(elsewhere.archive.root)


def test_a_page_is_shown_by_one_small_request_a_photo(page: Archive, s3: Proxy) -> None:
    with page as archive:
        ids = archive.ids(PAGE)
        assert len(ids) == PAGE
        s3.forget()
        cards = archive.cards(ids, maps=True)
        assert all({"map", "compact"} <= set(card.stages) for card in cards.values())
        assert all(card.map_prefix for card in cards.values())
        for photo_id in ids:
            assert archive.preview(photo_id, "map").image.size
            assert archive.preview(photo_id, "compact").image.size
        assert len(s3.requests) <= PAGE
        assert all(method == "GET" and asked == "bytes=0-65535" for method, _, asked in s3.requests)
        assert s3.most_at_once > 1
        s3.forget()
        assert archive.stored_path(ids[0]) is None
        stored = archive.photo(ids[0]).stored_bytes
        assert len(archive.stored_part(ids[0], stored - 5, stored)) == 5


def test_a_server_gives_files_out_of_a_bucket(page: Archive, elsewhere: World) -> None:
    from tests.web.conftest import serving

    content_hash = next(iter(page.folder.store.hashes()))
    data = page.folder.store.read(content_hash)
    page.close()
    with serving(elsewhere.archive.root) as served:
        whole = served.client.get("/api/photos/1/file")
        assert (whole.status_code, whole.content) == (200, data)
        for asked, part in (
            ("0-99", data[:100]),
            ("100-", data[100:]),
            ("-7", data[-7:]),
            ("5-5", data[5:6]),
        ):
            answer = served.client.get("/api/photos/1/file", headers={"Range": f"bytes={asked}"})
            assert (answer.status_code, answer.content) == (206, part), asked
            assert answer.headers["Content-Range"].endswith(f"/{len(data)}")
        beyond = served.client.get("/api/photos/1/file", headers={"Range": f"bytes={len(data)}-"})
        assert beyond.status_code == 416
        assert served.client.get("/api/photos/1/stages/map").headers["Content-Type"] == "image/png"
        assert all(each["map"] for each in served.get("/api/query?maps=true&limit=2")["objects"])
