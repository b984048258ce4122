from __future__ import annotations

import errno
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dsslic_search import Archive
from dsslic_search.archive.database import PAGE_BYTES
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.manifest import VERSION, Manifest
from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.output import ARCHIVE_FORMAT
from tests.attacks.codec import photo


@pytest.fixture
def archive(tmp_path: Path) -> ArchiveFolder:
    return ArchiveFolder(tmp_path / "some" / "archive")


def test_an_archive_is_made_and_opened(archive: ArchiveFolder) -> None:
    assert not archive.exists
    with archive.writing(create=True) as catalog:
        assert catalog.count() == 0
    assert archive.exists
    assert json.loads((archive.root / "archive.json").read_text()) == {
        "format": ARCHIVE_FORMAT,
        "version": 1,  # of archives that every version reads
    }
    assert sorted(p.name for p in archive.root.iterdir()) == [
        "archive.json",
        "catalog.sqlite",
        "journal.jsonl",
        "lock",
        "lock.next",
        "objects",
    ]
    with archive.open_catalog() as catalog:
        assert catalog.generation() == 0


def test_looking_for_an_archive_makes_none(archive: ArchiveFolder) -> None:
    with pytest.raises(ArchiveError, match=r"no archive there; make one with: Archive.ingest"):
        archive.open_catalog()
    with pytest.raises(ArchiveError, match="no archive there"), archive.writing():
        pass
    assert not archive.root.exists()


def test_leftovers_that_cannot_be_deleted_are_said_in_a_sentence(
    archive: ArchiveFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.root.mkdir(parents=True)
    left, other = (archive.root / name for name in (".0123456789abcdef.tmp", "mine.tmp"))
    for path in (left, other):
        path.touch()

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    for name in ("unlink", "iterdir"):
        with monkeypatch.context() as m:
            m.setattr(Path, name, fail)
            with pytest.raises(ArchiveError, match=r"cannot be (deleted|listed) .*; check the disk"):
                archive.remove_leftovers()
    archive.remove_leftovers()
    assert not left.exists()
    assert other.exists()


def test_one_writer_at_a_time(archive: ArchiveFolder) -> None:
    with archive.writing(create=True):
        with (
            pytest.raises(
                ArchiveError,
                match=r"is writing to it since .*; wait for it with .*, or use another",
            ),
            archive.writing(),
        ):
            pass
        with archive.open_catalog() as reader:
            assert reader.count() == 0
    with archive.writing():
        pass


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            json.dumps({"format": ARCHIVE_FORMAT, "version": VERSION + 1}),
            r"newer dsslic-search .*update dsslic-search; nothing was changed",
        ),
        (json.dumps({"format": ARCHIVE_FORMAT, "version": "1"}), "not the description"),
        (json.dumps({"format": ARCHIVE_FORMAT, "version": True}), "not the description"),
        (json.dumps({"format": "recipes", "version": 1}), "not the description"),
        (json.dumps([ARCHIVE_FORMAT, 1]), "damaged"),
        (
            json.dumps({"format": ARCHIVE_FORMAT, "version": 2, "classes": {"name": "", "classes": []}}),
            "damaged",
        ),
        (json.dumps({"format": ARCHIVE_FORMAT}), "damaged"),
        ("{", "damaged"),
        ("", "damaged"),
        ("\udcff", "damaged"),
    ],
)
def test_archives_that_cannot_be_used_are_left_alone(archive: ArchiveFolder, content: str, said: str) -> None:
    archive.root.mkdir(parents=True)
    (archive.root / "archive.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    for attempt in (archive.verify, archive.open_catalog, archive.writing(create=True).__enter__):
        with pytest.raises(ArchiveError, match=said):
            attempt()
    assert [p.name for p in archive.root.iterdir()] == ["archive.json"]


def test_a_folder_with_other_things_does_not_become_an_archive(archive: ArchiveFolder) -> None:
    archive.root.mkdir(parents=True)
    (archive.root / "holiday.jpg").touch()
    with pytest.raises(ArchiveError, match="holds other files"), archive.writing(create=True):
        pass
    assert [p.name for p in archive.root.iterdir()] == ["holiday.jpg"]


def test_a_file_does_not_become_an_archive(archive: ArchiveFolder) -> None:
    archive.root.parent.mkdir(parents=True)
    archive.root.touch()
    with pytest.raises(ArchiveError, match="cannot"), archive.writing(create=True):
        pass


def test_what_an_interrupted_first_ingest_left_is_no_hindrance(archive: ArchiveFolder) -> None:
    archive.root.mkdir(parents=True)
    for name in ("lock", ".archive.json.01234567.tmp"):
        (archive.root / name).touch()
    with archive.writing(create=True) as catalog:
        assert catalog.count() == 0
    (archive.root / "catalog.sqlite").write_bytes(b"")  # between making the file and its tables,
    for journal in archive.root.rglob("journal.jsonl"):  # before which there is none
        journal.unlink()
    with archive.writing(create=True) as catalog:
        assert catalog.count() == 0


def test_catalog_elsewhere_by_url(tmp_path: Path) -> None:
    archive = ArchiveFolder(tmp_path / "archive", Manifest(catalog=f"sqlite:///{tmp_path / 'elsewhere.db'}"))
    with archive.writing(create=True) as catalog:
        assert catalog.count() == 0
    assert (tmp_path / "elsewhere.db").is_file()
    assert not (tmp_path / "archive" / "catalog.sqlite").exists()


@pytest.mark.parametrize("left", ["nothing", "an empty file", "a log", "no tables"])
def test_after_a_first_ingest_that_was_killed_early_the_next_goes_on(
    archive: ArchiveFolder, left: str
) -> None:
    """Whatever it left of a catalog: until then, those who read are told that there is nothing yet."""
    archive.root.mkdir(parents=True)
    (archive.root / "archive.json").write_text(json.dumps({"format": ARCHIVE_FORMAT, "version": VERSION}))
    file = archive.root / "catalog.sqlite"
    if left != "nothing":
        file.touch()
    if left in ("a log", "no tables"):
        with closing(sqlite3.connect(file)) as plain:
            plain.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            plain.execute("PRAGMA journal_mode = WAL")
            if left == "no tables":
                plain.execute("CREATE TABLE alembic_version (version_num TEXT)")
    for reading in archive.open_catalog, lambda: archive.writing().__enter__():
        with pytest.raises(ArchiveError, match=r"no photos yet, since an ingest was stopped .* run it again"):
            reading()
    with archive.writing(create=True) as catalog:
        assert catalog.count() == 0
    with archive.open_catalog() as catalog:
        assert catalog.count() == 0


@pytest.mark.parametrize("kept", ["journal.jsonl", "objects/journal.jsonl", f"objects/ab/{'ab' * 32}.dsslic"])
@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_a_lost_catalog_is_not_begun_anew(archive: ArchiveFolder, kept: str, left: str) -> None:
    with archive.writing(create=True):
        pass
    archive.journal.unlink()
    (archive.root / "catalog.sqlite").unlink()
    if left != "nothing":
        (archive.root / "catalog.sqlite").touch()
    file = archive.root / kept
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    for create in False, True:
        with (
            pytest.raises(ArchiveError, match=r"catalog.*; make it anew .* with: Archive\.rebuild\(\)"),
            archive.writing(create=create),
        ):
            pass


def test_the_files_of_another_archive_are_not_written_to(archive: ArchiveFolder, tmp_path: Path) -> None:
    with archive.writing(create=True):
        pass
    shared = ArchiveFolder(tmp_path / "shared")
    with shared.writing(create=True):
        pass
    objects = shared.root / "objects"
    shutil.rmtree(objects)
    (tmp_path / "large disk").mkdir()
    objects.symlink_to(tmp_path / "large disk")
    with shared.writing() as catalog:
        assert catalog.count() == 0
    objects.unlink()
    (archive.root / "objects").mkdir(exist_ok=True)
    objects.symlink_to(archive.root / "objects")
    with pytest.raises(ArchiveError, match="leads to the files of another archive"), shared.writing():
        pass
    with shared.open_catalog() as catalog:
        assert catalog.count() == 0


def test_photos_files_without_an_archive_are_told_and_taken_up(tmp_path: Path) -> None:
    """As when `objects` alone came out of a backup."""
    (tmp_path / "a.jpg").write_bytes(photo())
    root = tmp_path / "archive"
    with Archive(root) as archive:
        archive.ingest([tmp_path / "a.jpg"], effort=1)
    for path in root.iterdir():
        if path.is_file():
            path.unlink()
    shutil.rmtree(root / "index", ignore_errors=True)
    with pytest.raises(ArchiveError, match=r"no archive there, but photos' files .*Archive.rebuild"):
        ArchiveFolder(root).open_catalog()
    with Archive(root) as archive:
        assert archive.rebuild().photos == 1
        assert [str(hit.path) for hit in archive.query("*")] == [str(tmp_path / "a.jpg")]
