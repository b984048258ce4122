"""A check that reads all data and is stopped goes on where it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dsslic_search.archive import reading
from dsslic_search.archive.check import check
from dsslic_search.archive.findings import Problem
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.stored import Fault
from dsslic_search.codec import container
from tests.archive.conftest import World


@pytest.fixture(autouse=True)
def noted_after_each_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STEP_BYTES", 1)


@pytest.fixture
def five(world: World) -> World:
    for name in "abcde":
        world.photo(f"{name}.jpg")
    world.ingest(keep="reference")
    return world


class Stopped(Exception):
    pass


def stop_after(files: int):
    def progress(done: int, _total: int) -> None:
        if done == files:
            raise Stopped

    return progress


def stopped(archive: ArchiveFolder, files: int, **wishes: bool) -> None:
    with pytest.raises(Stopped):
        check(archive, True, stop_after(files), **wishes)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The files whose every byte is read."""
    seen: list[bytes] = []
    plain = container.read

    def noting(data: bytes, *more: object) -> object:
        seen.append(data)
        return plain(data, *more)

    monkeypatch.setattr(container, "read", noting)
    return seen


@pytest.mark.parametrize("files", [1, 3, 5, 7, 10])
def test_it_goes_on_and_reads_nothing_twice(five: World, read: list[bytes], files: int) -> None:
    stopped(five.archive, files)
    assert len(read) == min(files, 5)
    left = reading.Reading.stopped(five.archive.root)
    assert left is not None
    assert left.read == files
    assert check(five.archive, read_data=True) == []
    assert len(read) == 5
    assert not (five.archive.root / reading.NAME).exists()
    assert check(five.archive, read_data=True) == []
    assert len(read) == 10


def test_originals_are_not_read_twice(five: World) -> None:
    stopped(five.archive, 8)
    original = five.photos / "a.jpg"
    original.write_bytes(original.read_bytes()[::-1])  # after it was read: the next whole check finds it
    assert check(five.archive, read_data=True) == []
    assert [each.what for each in check(five.archive, read_data=True)] == [Problem.ORIGINAL_CHANGED]


def test_what_was_found_before_is_told_again(five: World) -> None:
    store = five.archive.store
    with five.archive.open_catalog() as catalog:
        photos = [photo for number in range(1, 6) if (photo := catalog.photo(number))]
    [first] = (photo for photo in photos if photo.path.endswith("a.jpg"))  # whatever its number is
    second = next(photo for photo in photos if photo.id != first.id)
    path = store.path_of(second.content_hash)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    original = five.photos / "a.jpg"
    before = original.read_bytes()
    original.write_bytes(before[::-1])
    for files in 4, 9:
        stopped(five.archive, files)
    found = check(five.archive, read_data=True)
    assert [(each.what, each.photo_id) for each in found] == [
        (Fault.INVALID, second.id),
        (Problem.ORIGINAL_CHANGED, first.id),
    ]
    stopped(five.archive, 9)
    path.write_bytes(whole)
    original.write_bytes(before)
    assert check(five.archive, read_data=True) == []


def test_it_begins_anew_when_asked(five: World, read: list[bytes]) -> None:
    stopped(five.archive, 3)
    assert check(five.archive, read_data=True, restart=True) == []
    assert len(read) == 8


def test_a_copy_of_the_archive_begins_anew(five: World, tmp_path: Path, read: list[bytes]) -> None:
    stopped(five.archive, 3)
    copy = ArchiveFolder(tmp_path / "copy")
    shutil.copytree(five.archive.root, copy.root)
    assert (copy.root / reading.NAME).exists()
    assert check(copy, read_data=True) == []
    assert len(read) == 8


@pytest.mark.parametrize("said", ["", "[]", "{", '{"format": "dsslic-search check", "version": 2}', "deep"])
def test_what_cannot_be_used_is_passed_over(five: World, said: str) -> None:
    stopped(five.archive, 3)
    path = five.archive.root / reading.NAME
    path.write_text("[" * 100_000 if said == "deep" else said)
    assert check(five.archive, read_data=True) == []
    assert not path.exists()


def test_numbers_that_nobody_wrote_are_passed_over(five: World, read: list[bytes]) -> None:
    stopped(five.archive, 3)
    path = five.archive.root / reading.NAME
    told = json.loads(path.read_text())
    told["files"]["upto"] = "5"
    path.write_text(json.dumps(told))
    assert check(five.archive, read_data=True) == []
    assert len(read) == 8


def test_samples_and_short_checks_leave_it_alone(five: World) -> None:
    stopped(five.archive, 3)
    before = (five.archive.root / reading.NAME).read_bytes()
    assert check(five.archive) == []
    assert check(five.archive, read_data=True, sample=50) == []
    assert (five.archive.root / reading.NAME).read_bytes() == before
