"""Reindexing brings back exactly what ingest wrote, from label maps alone."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.api import Archive
from dsslic_search.archive import schema
from dsslic_search.archive.features import MapFeatures
from dsslic_search.archive.store import Store
from dsslic_search.core import workplace
from tests import painted

SAMPLES = Path(__file__).parents[2] / "samples"
EMPTY = MapFeatures((), b"\1\0\0", np.zeros(192, "<f4").tobytes())


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("sunset.jpg", "picos.jpg", "bridge.jpg"):
        with Image.open(SAMPLES / name) as photo:
            photo.draft("RGB", (240, 160))
            photo.resize((240, 160)).save(photos / name)
    with Archive(tmp_path / "archive") as opened:
        assert opened.ingest([photos], keep="reference", segmenter=painted.COARSE).added == 3
        yield opened


def known(archive: Archive) -> list[object]:
    found: list[object] = []
    for photo_id in (1, 2, 3):
        photo = archive.photo(photo_id)
        found.append(
            (
                photo_id,
                photo.embedding,
                photo.regions,
                sorted((c.class_id, c.fraction) for c in photo.coverages),
            )
        )
    return found


def test_everything_comes_back_after_it_was_lost(archive: Archive):
    before = known(archive)
    answers = archive.query("sea").hits
    assert answers
    archive.catalog.replace_features(dict.fromkeys((1, 2, 3), EMPTY))
    assert known(archive) != before
    assert archive.query("sea").total == 0
    report = archive.reindex()
    assert (report.photos, report.failed) == (3, [])
    assert known(archive) == before
    assert archive.query("sea").hits == answers


def test_no_byte_past_the_compact_images_is_read(archive: Archive, monkeypatch: pytest.MonkeyPatch):
    read: dict[str, int] = {}
    read_prefix = Store.read_prefix

    def watched(self: Store, content_hash: str, n: int, *, start: int = 0) -> bytes:
        data = read_prefix(self, content_hash, n, start=start)
        read[content_hash] = max(read.get(content_hash, 0), start + len(data))
        return data

    monkeypatch.setattr(Store, "read_prefix", watched)
    monkeypatch.setattr(Store, "read", None)
    report = archive.reindex()
    photos = [archive.photo(i) for i in (1, 2, 3)]
    needed = {p.content_hash: archive.contents(p).stage_bytes("compact") for p in photos}
    assert read == needed
    assert report.bytes_read == sum(needed.values())


@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_threads_work_as_are_asked_for(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, workers: int
):
    started: list[int | None] = []

    class Watched(ThreadPoolExecutor):
        def __init__(self, max_workers: int | None, name: str) -> None:
            started.append(max_workers)
            super().__init__(max_workers, name)

    monkeypatch.setattr(workplace, "ThreadPoolExecutor", Watched)
    assert archive.reindex(workers=workers).photos == 3
    assert started == [workers]


def test_a_damaged_file_is_reported_and_its_rows_stay(archive: Archive):
    before = known(archive)
    path = archive.folder.store.path_of(archive.photo(2).content_hash)
    data = bytearray(path.read_bytes())
    contents = archive.contents(archive.photo(2))
    data[contents.stage_bytes("map") - 1] ^= 1
    path.write_bytes(data)
    archive.folder.store.path_of(archive.photo(3).content_hash).unlink()
    report = archive.reindex()
    assert report.photos == 1
    assert [photo_id for photo_id, _ in report.failed] == [2, 3]
    assert "SMAP" in report.failed[0][1]
    assert known(archive) == before


def test_a_photo_removed_meanwhile_does_not_come_back(archive: Archive):
    archive.catalog.remove([2])
    archive.catalog.replace_features({1: EMPTY, 2: EMPTY})
    with archive.catalog.session() as session:
        assert session.get(schema.Photo, 2) is None
