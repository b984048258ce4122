"""Words are added to files that were stored without: nothing else in them changes, whenever it is stopped."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from PIL import Image

from dsslic_search.archive import describe as module
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.check import check
from dsslic_search.archive.describe import describe
from dsslic_search.archive.features import read_features
from dsslic_search.archive.findings import Problem
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest.run import ingest
from dsslic_search.archive.reindex import reindex
from dsslic_search.archive.schema import Photo
from dsslic_search.archive.stored import Fault, ObjectRecord
from dsslic_search.codec import container
from dsslic_search.codec.decoder import read_original, read_words
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.core.settings import Settings

MODES = ("exact", "layers", "coarse")
MAX_PIXELS = 10**6


def without_words(data: bytes) -> bytes:
    """As an earlier version would have written the file."""
    contents = container.read(data)
    kept = [container.read_chunk(data, contents, e.kind) for e in contents.entries if e.kind != "word"]
    return container.pack(contents.header, [chunk for chunk in kept if chunk is not None])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of one photo of each mode, whose files have no words."""
    folder = tmp_path_factory.mktemp("earlier")
    archive = ArchiveFolder(folder / "archive")
    for number, mode in enumerate(MODES):
        photo = folder / f"{mode}.jpg"
        Image.linear_gradient("L").resize((72 + number, 48)).convert("RGB").save(photo)
        report = ingest(archive, [photo], EncodeOptions(quality=40, effort=1, keep=mode), settings=Settings())
        assert report.added == 1
    with archive.writing() as catalog:
        for photo in rows(catalog):
            assert photo.words == {} or max(photo.words.values()) <= 1
            data = without_words(archive.store.read(photo.content_hash))
            archive.store.write(photo.content_hash, data)
            record = ObjectRecord.of_header(container.read(data))
            features, _ = read_features(archive.store, photo.content_hash, record.map_bytes)
            catalog.update(photo.id, asdict(record), features)
    assert check(archive, read_data=True) == []
    return folder / "archive"


@pytest.fixture
def archive(made: Path, tmp_path: Path) -> ArchiveFolder:
    return ArchiveFolder(shutil.copytree(made, tmp_path / "archive"))


def rows(catalog: Catalog) -> list[Photo]:
    with catalog.session() as session:
        return session.query(Photo).order_by(Photo.id).all()


def files(archive: ArchiveFolder) -> list[bytes]:
    return [archive.store.read(content_hash) for content_hash in archive.store.hashes()]


def test_every_file_has_words_and_all_else_as_it_was(archive: ArchiveFolder) -> None:
    before = files(archive)
    told: list[tuple[int, int]] = []
    report = describe(archive, max_pixels=MAX_PIXELS, progress=lambda *done: told.append(done))
    after = files(archive)
    assert (report.photos, report.failed, told) == (3, [], [(1, 3), (2, 3), (3, 3)])
    assert report.bytes_added == sum(map(len, after)) - sum(map(len, before)) > 0
    assert [without_words(data) for data in after] == before
    assert check(archive, read_data=True) == []
    with archive.open_catalog() as catalog:
        for photo in rows(catalog):
            data = archive.store.read(photo.content_hash)
            said = read_words(data[: photo.map_bytes])
            assert said is not None
            assert photo.stored_words == said.to_bytes()
            if photo.keep == "exact":
                assert read_original(data)[:2] == b"\xff\xd8"
    assert describe(archive, max_pixels=MAX_PIXELS).photos == 0


def test_stopped_between_file_and_row_it_goes_on(
    archive: ArchiveFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as m:
        m.setattr(Catalog, "update", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            describe(archive, max_pixels=MAX_PIXELS)
    assert [f.what for f in check(archive)] == [Fault.OUTDATED_ROW]
    written = files(archive)
    assert describe(archive, max_pixels=MAX_PIXELS).photos == 3
    assert check(archive, read_data=True) == []
    assert sum(one == other for one, other in zip(files(archive), written, strict=True)) == 1


def test_stopped_while_a_file_is_written_nothing_has_changed(
    archive: ArchiveFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(archive)
    with monkeypatch.context() as m:
        m.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            describe(archive, max_pixels=MAX_PIXELS)
    assert files(archive) == before
    assert {f.what for f in check(archive)} <= {Problem.LEFTOVER}


def test_a_damaged_file_is_told_of_and_left_alone(archive: ArchiveFolder) -> None:
    content_hash = next(archive.store.hashes())
    data = bytearray(archive.store.read(content_hash))
    data[-1] ^= 1
    archive.store.write(content_hash, bytes(data))
    report = describe(archive, max_pixels=MAX_PIXELS)
    assert report.photos == 2
    ((_, reason),) = report.failed
    assert "checksum" in reason
    assert archive.store.read(content_hash) == bytes(data)


def test_reindexing_reads_words_from_the_files(archive: ArchiveFolder) -> None:
    describe(archive, max_pixels=MAX_PIXELS)
    with archive.writing() as catalog:
        known = {photo.id: photo.stored_words for photo in rows(catalog)}
        for photo in rows(catalog):
            features, _ = read_features(archive.store, photo.content_hash, photo.map_bytes)
            catalog.replace_features({photo.id: replace(features, words=None)})
    reindex(archive)
    with archive.open_catalog() as catalog:
        assert {photo.id: photo.stored_words for photo in rows(catalog)} == known


def test_the_compact_image_is_looked_at_where_no_network_makes_more(
    archive: ArchiveFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dsslic_search.codec import decoder
    from dsslic_search.core.errors import StageError

    asked = []
    real = decoder.decode_stage

    def decode(data: bytes, stage: str, **more: int) -> decoder.Decoded:
        asked.append(str(stage))
        if stage in ("full", "coarse"):
            raise StageError("weights that are not here")
        return real(data, stage, **more)

    monkeypatch.setattr(decoder, "decode_stage", decode)
    assert module.describe(archive, max_pixels=MAX_PIXELS).photos == 3
    assert asked.count("full") == 2  # of mode coarse there is none
    assert asked.count("coarse") == 3
    assert asked.count("compact") >= 3
