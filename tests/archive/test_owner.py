"""Two archives never keep their files in one place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete

from dsslic_search.archive import owner
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.manifest import Manifest
from dsslic_search.archive.rebuild import rebuild
from dsslic_search.archive.schema import Setting
from dsslic_search.archive.store import Store
from dsslic_search.core.errors import ArchiveError
from tests.archive.conftest import World

ANOTHERS = "holds the files of another archive"


def test_a_bucket_is_one_archives(world: World, bucket: str, readable_maps: None, tmp_path: Path) -> None:
    first = world.archive = ArchiveFolder(world.archive.root, Manifest(objects=bucket))
    world.photo("a.jpg")
    assert world.ingest(keep="exact").added == 1
    known = owner.owner_of(Store(bucket))
    assert known
    second = ArchiveFolder(tmp_path / "second", Manifest(objects=bucket))
    with pytest.raises(ArchiveError, match=ANOTHERS), second.writing(create=True):
        pass
    assert not second.exists
    beside = ArchiveFolder(
        tmp_path / "beside", Manifest(objects=bucket + "/beside")
    )  # which is another place
    with beside.writing(create=True):
        pass
    assert owner.owner_of(beside.store) not in (None, known)
    with first.writing():
        pass
    assert owner.owner_of(Store(bucket)) == known
    # the catalog and its journals lost: made of the files alone, it is their owner still
    for name in "catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "journal.jsonl":
        (first.root / name).unlink(missing_ok=True)
    shutil.rmtree(first.root / "objects", ignore_errors=True)
    assert rebuild(first).photos == 1
    with first.writing():
        pass


def test_of_two_that_share_a_bucket_already_one_goes_on(world: World, bucket: str, tmp_path: Path) -> None:
    archives = [ArchiveFolder(tmp_path / name, Manifest(objects=bucket)) for name in ("first", "second")]
    for archive in archives:  # as a version made them that wrote no owner
        with archive.writing(create=True) as catalog, catalog.noting() as session:
            session.execute(delete(Setting).where(Setting.name == owner.OWNER_SETTING))
        archive.store.objects.remove(owner.NAME)
    with archives[1].writing():
        pass
    with pytest.raises(ArchiveError, match=ANOTHERS) as refused, archives[0].writing():
        pass
    marker = archives[0].store.objects.where(owner.NAME)
    assert f"delete {marker} " in str(refused.value)
    archives[0].store.objects.remove(owner.NAME)
    with archives[0].writing():
        pass


def test_a_folder_behind_a_link_is_one_archives(tmp_path: Path) -> None:
    disk = tmp_path / "large disk"
    disk.mkdir()
    archives = [ArchiveFolder(tmp_path / name) for name in ("first", "second")]
    for archive in archives:
        with archive.writing(create=True):
            pass
        assert not (archive.root / "objects" / owner.NAME).exists()  # its own folder needs none
        shutil.rmtree(archive.root / "objects", ignore_errors=True)
        (archive.root / "objects").symlink_to(disk)
    with archives[0].writing():
        pass
    with pytest.raises(ArchiveError, match=ANOTHERS), archives[1].writing():
        pass
    assert list(archives[0].store.hashes()) == []


@pytest.mark.parametrize(
    "said", [b"", b"{}", b"[]", b'{"format": "dsslic-search files", "archive": 1}', b"\xff"]
)
def test_what_says_nothing_is_refused(tmp_path: Path, said: bytes) -> None:
    store = Store(tmp_path)
    assert owner.owner_of(store) is None
    store.objects.write(owner.NAME, said)
    with pytest.raises(ArchiveError, match="damaged; it says whose files those are"):
        owner.owner_of(store)
