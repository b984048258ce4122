"""A fact that came after photos were put in is read from what is kept of their metadata."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from PIL import ExifTags, Image
from sqlalchemy import delete, update

from dsslic_search import Archive
from dsslic_search.archive import later_facts
from dsslic_search.archive.schema import Photo, Setting
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import StoredFile
from dsslic_search.core.fields import METADATA_COLUMNS

ART = "SIGMA 35mm F1.4 DG HSM | Art 012"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """Photos 1 and 2 in mode layers, the first with a lens, and 3 in mode reference."""
    with Archive(tmp_path / "archive") as opened:
        for number, (keep, lens) in enumerate((("layers", ART), ("layers", None), ("reference", ART))):
            exif = Image.Exif()
            exif[ExifTags.Base.Make] = "Acme"
            exif[ExifTags.IFD.Exif] = {} if lens is None else {ExifTags.Base.LensModel: lens}
            path = tmp_path / f"{number}.jpg"
            Image.new("RGB", (48, 32), (40 * number, 90, 160)).save(path, exif=exif)
            assert opened.ingest([path], keep=keep, effort=1).added == 1
        yield opened


def forget(archive: Archive) -> None:
    """As a catalog is that an older version filled."""
    with archive.catalog.changing() as session:
        session.execute(update(Photo).values(dict.fromkeys(METADATA_COLUMNS)))
        session.execute(delete(Setting).where(Setting.name == later_facts.READ_SETTING))


def known(archive: Archive) -> list[tuple[object, object]]:
    return [(photo.lens, photo.camera) for photo in map(archive.photo, (1, 2, 3))]


LATER = tuple(name for name in METADATA_COLUMNS if name not in later_facts.FIRST_COLUMNS)


def test_reindexing_reads_it_once(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    assert later_facts.missing(archive.catalog) == ()
    forget(archive)
    assert later_facts.missing(archive.catalog) == LATER
    maps = sum(archive.contents(archive.photo(i)).stage_bytes("compact") for i in (1, 2, 3))
    report = archive.reindex()
    assert (report.photos, report.failed) == (3, [])
    assert report.bytes_read > maps
    # a photo that only refers to its file has nothing to read
    assert known(archive) == [(ART, "Acme"), (None, "Acme"), (None, None)]
    assert [hit.id for hit in archive.query("lens:sigma*").hits] == [1]
    assert later_facts.missing(archive.catalog) == ()
    assert archive.reindex().bytes_read == maps


def test_a_damaged_file_leaves_its_photo_without(archive: Archive) -> None:
    forget(archive)
    path = archive.folder.store.path_of(archive.photo(1).content_hash)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1  # of the EXIF data, the last chunk
    path.write_bytes(data)
    maps = sum(archive.contents(archive.photo(i)).stage_bytes("compact") for i in (1, 2, 3))
    sound = StoredFile(archive.folder.store, archive.photo(2).content_hash).contents.find("exif")
    assert sound is not None
    report = archive.reindex()
    assert (report.failed, report.bytes_read) == ([], maps + sound.length)
    assert known(archive)[0] == (None, None)


def test_an_older_archive_stays_incomplete_until_it_is_reindexed(archive: Archive, tmp_path: Path) -> None:
    forget(archive)
    Image.new("RGB", (40, 30)).save(tmp_path / "new.jpg")
    assert archive.ingest([tmp_path / "new.jpg"], keep="reference").added == 1
    assert later_facts.missing(archive.catalog) == LATER


def test_what_is_known_stays_and_names_of_files_tell_dates(archive: Archive) -> None:
    forget(archive)
    with archive.catalog.changing() as session:
        session.execute(
            update(Photo).where(Photo.id == 1).values(camera="Mine", taken_at=datetime(2001, 1, 1))
        )
        session.execute(update(Photo).where(Photo.id == 3).values(path="/a/IMG-20210605-WA0001.jpg"))
    archive.reindex()
    assert known(archive)[:2] == [(ART, "Mine"), (None, "Acme")]
    told = [(p.taken_at, p.taken_from) for p in map(archive.photo, (1, 2, 3))]
    assert told == [(datetime(2001, 1, 1), None), (None, None), (datetime(2021, 6, 5), "file name")]


def test_only_the_chunk_is_read(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    forget(archive)
    read: list[tuple[str, int, int]] = []
    read_prefix = Store.read_prefix

    def watched(self: Store, content_hash: str, n: int, *, start: int = 0) -> bytes:
        data = read_prefix(self, content_hash, n, start=start)
        read.append((content_hash, start, len(data)))
        return data

    monkeypatch.setattr(Store, "read_prefix", watched)
    monkeypatch.setattr(Store, "read", None)
    length = later_facts.complete(archive.catalog, archive.folder.store)
    monkeypatch.undo()
    files = [StoredFile(archive.folder.store, archive.photo(i).content_hash) for i in (1, 2)]
    entries = [file.contents.find("exif") for file in files]
    assert length == sum(entry.length for entry in entries if entry is not None) > 0
    for file, entry in zip(files, entries, strict=True):
        parts = [(start, count) for name, start, count in read if name == file.content_hash]
        assert entry is not None
        assert parts[-1] == (entry.offset, entry.length)
        assert all(start + count <= entry.offset for start, count in parts[:-1])
        assert sum(count for _, count in parts) == file.contents.header_bytes + entry.length


def test_every_fact_of_metadata_was_read_or_comes_later() -> None:
    assert set(METADATA_COLUMNS) >= later_facts.FIRST_COLUMNS
