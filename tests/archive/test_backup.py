"""Backups are whole whatever goes on meanwhile, cost what is new alone, and come back as they were."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.api import restore_backup
from dsslic_search.archive import backup as backups
from dsslic_search.archive import bin, copies, database, notes, rebuild
from dsslic_search.archive.backup import BackupReport, backup
from dsslic_search.archive.check import check
from dsslic_search.archive.copies import SUMS, read_sums
from dsslic_search.archive.findings import Problem
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.manifest import Manifest
from dsslic_search.archive.repair import repair
from dsslic_search.archive.restoring import RESTORING, restore
from dsslic_search.core.errors import ArchiveError, UsageError
from tests.archive.conftest import World
from tests.archive.test_rebuild import answers, facts
from tests.forks import ended, forked

NOW = datetime(2024, 1, 1)
connect = sqlite3.connect  # which tests replace

pytestmark = pytest.mark.usefixtures("readable_maps")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "one"


def assert_copy(world: World, place: Path) -> None:
    """A copy knows and answers what the archive does, is sound to the last byte, and its list of hashes is
    right."""
    copy = ArchiveFolder(place)
    assert facts(copy) == facts(world.archive)
    assert answers(copy) == answers(world.archive)
    assert check(copy, read_data=True) == []
    listed = {name: (place / name).read_bytes() for name in read_sums(place)}
    assert {name: hashlib.sha256(data).hexdigest() for name, data in listed.items()} == read_sums(place)
    assert len(listed) == len(list(copy.store.hashes()))


def counts(report: BackupReport) -> tuple[int, int, int, int]:
    return report.photos, report.copied, report.unchanged, report.removed


def test_a_copy_is_an_archive(tagged: World, place: Path) -> None:
    report = backup(tagged.archive, place)
    stored = sum(tagged.archive.store.size_of(h) or 0 for h in tagged.archive.store.hashes())
    assert (counts(report), report.bytes, report.failed) == ((3, 3, 0, 0), stored, [])
    assert_copy(tagged, place)
    for journal in place / "journal.jsonl", place / "objects" / "journal.jsonl":
        assert journal.read_bytes() == tagged.archive.journal.read_bytes()


def test_a_disk_too_small_for_the_catalog_is_that_of_the_copy(
    tagged: World, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Any, *args: Any, **options: Any) -> sqlite3.Connection:
        made = connect(path, *args, **options)
        if "backup" in Path(path).name:
            made.execute("PRAGMA max_page_count = 2")
        return made

    monkeypatch.setattr(sqlite3, "connect", full)
    with pytest.raises(ArchiveError, match=f"{place}.* cannot be written .No space left.*; free some space"):
        backup(tagged.archive, place)
    monkeypatch.undo()
    backup(tagged.archive, place)
    assert_copy(tagged, place)


@pytest.mark.parametrize(
    ("locked", "sentence"),
    [("copy", "catalog.backup.*: cannot be locked"), ("catalog", "catalog.sqlite: the catalog is in use by")],
)
def test_a_lock_that_nobody_gives_up_is_waited_for_once(
    tagged: World, place: Path, monkeypatch: pytest.MonkeyPatch, locked: str, sentence: str
) -> None:
    """Of a share for example that has SQLite's locks against itself."""
    with contextlib.closing(connect(tagged.archive.root / "catalog.sqlite")) as plain:
        plain.execute("PRAGMA journal_mode = DELETE").fetchone()  # whose readers wait, too
    holders: list[sqlite3.Connection] = []

    def holding(path: Any, *args: Any, **options: Any) -> sqlite3.Connection:
        if "backup" in Path(path).name and not holders:
            whose = path if locked == "copy" else tagged.archive.root / "catalog.sqlite"
            holders.append(connect(whose, isolation_level=None))
            holders[0].execute("BEGIN EXCLUSIVE")
        return connect(path, *args, **options)

    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(copies, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(sqlite3, "connect", holding)
    with pytest.raises(ArchiveError, match=sentence):
        backup(tagged.archive, place)
    holders[0].close()
    backup(tagged.archive, place)
    assert_copy(tagged, place)


def test_what_a_later_state_knew_stays_in_its_copy(tagged: World, place: Path, tmp_path: Path) -> None:
    """Of an archive that was put back to an earlier state no copy is made over that of a later one; of one
    whose journal was begun anew since, or that was made anew from it, there is."""
    root, kept = tagged.archive.root, tmp_path / "kept"
    backup(tagged.archive, place)
    shutil.copytree(root, kept)
    with tagged.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["late"], np.array([1]))
    with tagged.archive.writing() as catalog:
        catalog.tend_journal(anew=True)
    backup(tagged.archive, place)
    rebuild.rebuild(tagged.archive)
    with tagged.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["later"], np.array([1]))
    backup(tagged.archive, place)
    later = facts(ArchiveFolder(place))
    assert later == facts(tagged.archive)

    shutil.rmtree(root)
    shutil.copytree(kept, root)
    for _ in range(2):
        with pytest.raises(ArchiveError, match="made of a later state"):
            backup(tagged.archive, place)
        with tagged.archive.open_catalog() as catalog:  # as far as that state was, another way
            for number in range(9):
                notes.add_tags(catalog, [f"other{number}"], np.array([1]))
    assert facts(ArchiveFolder(place)) == later
    assert restore(ArchiveFolder(place), tmp_path / "back").is_complete
    backup(tagged.archive, place, replace=True)
    assert facts(ArchiveFolder(place)) == facts(tagged.archive)


@pytest.mark.parametrize("step", [100, 2 * 10**9])
def test_the_second_time_nothing_is_copied_where_times_are_kept_coarsely(
    tagged: World, place: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As NTFS and FAT keep them, which disks for backups often have."""
    plain = os.utime

    def coarse(path: Path, *, ns: tuple[int, int]) -> None:
        plain(path, ns=(ns[0] // step * step, ns[1] // step * step))

    monkeypatch.setattr(os, "utime", coarse)
    backup(tagged.archive, place)
    assert counts(backup(tagged.archive, place)) == (3, 0, 3, 0)
    (photo, *_) = tagged.archive.store.hashes()
    source = tagged.archive.store.path_of(photo)
    plain(source, ns=(source.stat().st_mtime_ns + 2 * 10**9,) * 2)
    assert counts(backup(tagged.archive, place)) == (3, 1, 2, 0)


def test_the_second_time_only_what_is_new_is_copied(
    tagged: World, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(tagged.archive, place)
    assert counts(backup(tagged.archive, place)) == (3, 0, 3, 0)
    tagged.photo("d.jpg")
    tagged.ingest()
    with tagged.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["zoo"], np.array([4]))
    copied: list[Path] = []
    plain = backups.copy_file

    def noted(source: Path, target: Path) -> Any:
        copied.append(target)
        return plain(source, target)

    monkeypatch.setattr(backups, "copy_file", noted)
    assert counts(backup(tagged.archive, place)) == (4, 1, 3, 0)
    assert [path.name[:64] for path in copied] == [hashlib.sha256(b"PHOTOd.jpg").hexdigest()]
    assert_copy(tagged, place)


def test_photos_stored_anew_and_deleted_follow(tagged: World, place: Path) -> None:
    backup(tagged.archive, place)
    tagged.ingest(keep="exact")
    with tagged.archive.open_catalog() as catalog:
        bin.remove(catalog, np.array([2]), NOW)
    bin.empty(tagged.archive, now=NOW, only_copies=True)
    assert counts(backup(tagged.archive, place)) == (2, 2, 0, 1)
    assert_copy(tagged, place)


def test_it_comes_back(tagged: World, place: Path, tmp_path: Path) -> None:
    backup(tagged.archive, place)
    before = facts(tagged.archive), answers(tagged.archive)
    shutil.rmtree(tagged.archive.root)
    report = restore(ArchiveFolder(place), tmp_path / "back")
    assert (report.photos, report.files, report.unlisted, report.failed) == (3, 3, 0, [])
    assert report.is_complete
    made = ArchiveFolder(tmp_path / "back")
    assert (facts(made), answers(made)) == before
    assert check(made, read_data=True) == []
    assert not (made.root / RESTORING).exists()
    assert not (made.root / SUMS).exists()
    with pytest.raises(UsageError, match="is not empty"):
        restore(ArchiveFolder(place), tmp_path / "back")


def test_its_catalog_can_be_made_anew_too(tagged: World, place: Path) -> None:
    backup(tagged.archive, place)
    (place / "catalog.sqlite").unlink()
    rebuild.rebuild(ArchiveFolder(place))
    assert_copy(tagged, place)


def ingest_much(world: World) -> None:
    for number in range(25):
        world.photo(f"new {number}.jpg")
        world.ingest(keep=["layers", "exact"][number % 2])


def test_while_an_ingest_runs(tagged: World, place: Path) -> None:
    """It adds photos and stores those that are there anew, all the time; each copy is whole."""
    with forked(lambda _say: ingest_much(tagged), tagged.archive.root) as running:
        made = 0
        while running.poll() is None or not made:
            report = backup(tagged.archive, place)
            assert report.failed == []
            assert check(ArchiveFolder(place), read_data=True) == []
            made += 1
        assert running.wait() == 0
    backup(tagged.archive, place)
    assert_copy(tagged, place)


def happening(monkeypatch: pytest.MonkeyPatch, *events: Any) -> None:
    """Lets something happen to the archive after each copy of its catalog."""
    plain, left = backups.take_snapshot, list(events)

    def taken(archive: ArchiveFolder, snapshot: Path) -> None:
        plain(archive, snapshot)
        if left:
            left.pop(0)()

    monkeypatch.setattr(backups, "take_snapshot", taken)


def test_what_is_deleted_meanwhile_is_not_in_it(
    tagged: World, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete() -> None:
        with tagged.archive.open_catalog() as catalog:
            bin.remove(catalog, np.array([2]), NOW)
        bin.empty(tagged.archive, now=NOW, only_copies=True)

    happening(monkeypatch, delete)
    report = backup(tagged.archive, place)
    assert (report.photos, report.failed) == (2, [])
    assert_copy(tagged, place)


def test_what_is_stored_anew_meanwhile_is_described_from_its_file(
    tagged: World, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happening(monkeypatch, lambda: tagged.ingest(keep="exact"))
    assert backup(tagged.archive, place).failed == []
    assert check(ArchiveFolder(place), read_data=True) == []
    with ArchiveFolder(place).open_catalog() as catalog:
        assert {row[0] for row in catalog.rows("SELECT keep FROM photo")[0]} == {"exact"}
    backup(tagged.archive, place)
    assert_copy(tagged, place)


def test_what_is_tagged_meanwhile_is_in_the_next(
    tagged: World, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tag() -> None:
        with tagged.archive.open_catalog() as catalog:
            notes.add_tags(catalog, ["zoo"], np.array([2]))

    happening(monkeypatch, tag)
    backup(tagged.archive, place)
    with ArchiveFolder(place).open_catalog() as catalog:
        assert catalog.tag_names() == ["best"]
    (place / "catalog.sqlite").unlink()
    rebuild.rebuild(ArchiveFolder(place))  # its journal says what its catalog knew
    with ArchiveFolder(place).open_catalog() as catalog:
        assert catalog.tag_names() == ["best"]
    backup(tagged.archive, place, replace=True)
    assert_copy(tagged, place)


def test_a_journal_that_is_begun_anew_meanwhile(
    tagged: World, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin() -> None:
        with tagged.archive.open_catalog() as catalog, catalog.changing(shed=True):
            pass
        with tagged.archive.writing():
            pass

    happening(monkeypatch, begin)
    backup(tagged.archive, place)
    assert check(ArchiveFolder(place)) == []
    (place / "catalog.sqlite").unlink()
    rebuild.rebuild(ArchiveFolder(place))
    backup(tagged.archive, place, replace=True)
    assert_copy(tagged, place)


@pytest.mark.parametrize("stop", range(9))
def test_a_backup_that_is_killed_goes_on(tagged: World, place: Path, stop: int) -> None:
    """After each file that it writes."""
    if stop % 2:
        backup(tagged.archive, place)
        tagged.photo("d.jpg")
        tagged.ingest(keep="exact")
    plain, files = Path.replace, iter(range(stop))

    def killed() -> None:
        def replace(self: Path, to: Path) -> Path:
            if next(files, None) is None:
                os._exit(9)
            return plain(self, to)

        Path.replace = replace  # type: ignore[method-assign,assignment]
        backup(tagged.archive, place)

    assert ended(killed, place.parent) == 9
    assert backup(tagged.archive, place).failed == []
    assert_copy(tagged, place)
    assert [path.name for path in place.rglob("*.tmp")] == []


def test_a_damaged_copy_is_seen_and_mended(
    tagged: World, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(tagged.archive, place)
    content_hash = next(ArchiveFolder(place).store.hashes())
    path = ArchiveFolder(place).store.path_of(content_hash)
    times = path.stat()
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    monkeypatch.setattr(backups, "listed_at", lambda _folder: 2**62)  # a disk that forgets sets no time
    assert backup(tagged.archive, place).mended == 0
    assert backup(tagged.archive, place, read_data=True).mended == 1
    assert_copy(tagged, place)


def test_a_damaged_file_does_not_replace_a_sound_copy(tagged: World, place: Path) -> None:
    backup(tagged.archive, place)
    content_hash = next(tagged.archive.store.hashes())
    path = tagged.archive.store.path_of(content_hash)
    sound = path.read_bytes()
    path.write_bytes(sound[:-3] + b"xyz")
    report = backup(tagged.archive, place)
    assert report.failed == [(str(path), "it is damaged; the copy stays as it was")]
    assert ArchiveFolder(place).store.read(content_hash) == sound
    path.unlink()
    report = backup(tagged.archive, place)
    assert report.failed == [(str(path), "it is missing in the archive; the copy has it")]
    repair(tagged.archive, check(tagged.archive))
    assert backup(tagged.archive, place).failed == []
    assert [each.what for each in check(ArchiveFolder(place))] == [Problem.RETURNED]


def test_damage_in_a_backup_is_told_when_it_is_restored(tagged: World, place: Path, tmp_path: Path) -> None:
    backup(tagged.archive, place)
    first, second, _ = ArchiveFolder(place).store.hashes()
    path = ArchiveFolder(place).store.path_of(first)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    sums = (place / SUMS).read_text().splitlines(keepends=True)
    (place / SUMS).write_text("".join(line for line in sums if second not in line))
    report = restore(ArchiveFolder(place), tmp_path / "back")
    assert [where for where, _ in report.failed] == [str(path)]
    assert "SHA-256" in report.failed[0][1]
    assert (report.files, report.unlisted) == (2, 1)
    assert [each.content_hash for each in check(ArchiveFolder(tmp_path / "back"))] == [first]


def test_a_restore_that_is_killed_goes_on(tagged: World, place: Path, tmp_path: Path) -> None:
    backup(tagged.archive, place)

    def stop(done: int, _: int) -> None:
        if done == 2:
            os._exit(9)

    back = tmp_path / "back"
    assert ended(lambda: restore_backup(place, back, progress=stop), tmp_path) == 9
    with pytest.raises(ArchiveError):
        ArchiveFolder(back).verify()
    other = tmp_path / "other"
    backup(tagged.archive, other)
    with pytest.raises(UsageError, match="is not empty"):
        restore(ArchiveFolder(other), back)
    assert restore(ArchiveFolder(place), back).failed == []
    assert facts(ArchiveFolder(back)) == facts(tagged.archive)


def test_nothing_is_written_over_unasked(tagged: World, place: Path, tmp_path: Path) -> None:
    other = World(tmp_path / "others", ArchiveFolder(tmp_path / "other"))
    other.photo("z.jpg")
    other.ingest()
    full, file = tmp_path / "full", tmp_path / "file"
    full.mkdir()
    (full / "precious").write_text("x")
    file.write_text("x")
    backup(tagged.archive, place)
    for to, said in (
        (full, "holds something else"),
        (file, "is a file"),
        (other.archive.root, "holds something else"),
        (tagged.archive.root, "lies within the archive, or around it"),
        (tagged.archive.root / "objects" / "x", "lies within the archive, or around it"),
        (tagged.archive.root.parent, "lies within the archive, or around it"),
    ):
        with pytest.raises(UsageError, match=said):
            backup(tagged.archive, to)
    with pytest.raises(UsageError, match="is the backup of"):
        backup(other.archive, place)
    assert_copy(tagged, place)
    with ArchiveFolder(place).open_catalog() as catalog:
        notes.add_tags(catalog, ["here-alone"], np.array([1]))
    with pytest.raises(ArchiveError, match="was changed since the last backup"):
        backup(tagged.archive, place)
    backup(tagged.archive, place, replace=True)
    assert_copy(tagged, place)
    backup(other.archive, place, replace=True)
    assert_copy(other, place)


def test_an_archive_that_lost_its_photos_takes_none_from_the_copy(tagged: World, place: Path) -> None:
    backup(tagged.archive, place)
    with tagged.archive.writing() as catalog:
        catalog.remove([2])
    with pytest.raises(
        ArchiveError, match=r"has a photo that the archive does not know, which may have lost"
    ):
        backup(tagged.archive, place)
    with ArchiveFolder(place).open_catalog() as catalog:
        assert catalog.count() == 3
    backup(tagged.archive, place, replace=True)
    assert len(list(ArchiveFolder(place).store.hashes())) == 2


def test_an_archive_of_another_database_is_not_copied_by_halves(tagged: World, place: Path) -> None:
    Manifest(catalog="sqlite:///x.db").write(tagged.archive.root)
    with pytest.raises(ArchiveError, match="the catalog is not in the archive's folder"):
        backup(ArchiveFolder(tagged.archive.root), place)
    assert not place.exists()


def test_what_it_says_of_itself_names_the_archive(tagged: World, place: Path) -> None:
    backup(tagged.archive, place)
    about = json.loads((place / "backup.json").read_text())
    assert about["of"] == os.path.realpath(tagged.archive.root)
    assert subprocess.run(["sha256sum", "-c", "--quiet", SUMS], cwd=place, check=False).returncode == 0


def test_parity_goes_with_its_file(tagged: World, place: Path, tmp_path: Path) -> None:
    tagged.photo("more.jpg")
    tagged.ingest(percent=10)
    (made,) = tagged.archive.root.glob("objects/*/*.parity")
    backup(tagged.archive, place)
    copy = ArchiveFolder(place)
    kinds = [found.kind for found in check(copy, read_data=True)]
    assert kinds == [found.kind for found in check(tagged.archive, read_data=True)]
    (there,) = place.glob("objects/*/*.parity")
    assert there.read_bytes() == made.read_bytes()
    restore(ArchiveFolder(place), tmp_path / "restored")
    assert [each.read_bytes() for each in (tmp_path / "restored").glob("objects/*/*.parity")] == [
        made.read_bytes()
    ]
    made.unlink()
    backup(tagged.archive, place)
    assert not there.exists()


def test_what_an_earlier_run_left_and_cannot_be_deleted_is_told(tagged: World, place: Path) -> None:
    backup(tagged.archive, place)
    for left in (backups.SNAPSHOT, f"{backups.SNAPSHOT}-wal"):
        (place / left).mkdir()
        with pytest.raises(ArchiveError, match=rf"{left}: cannot be deleted \(.*\); check the disk"):
            backup(tagged.archive, place)
        (place / left).rmdir()
    backup(tagged.archive, place)
