"""One photo through the real codec and features into an archive and out again."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.check import check
from dsslic_search.archive.features import features_of
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest.run import ingest
from dsslic_search.archive.repair import repair
from dsslic_search.codec.decoder import read_label_map, read_original
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.settings import Settings


@pytest.mark.parametrize("keep", ["layers", "exact", "reference"])
def test_from_file_to_row_and_back(tmp_path: Path, keep: str) -> None:
    rows = np.linspace(0, 255, 60, dtype=np.uint8)[:, None, None]
    pixels = np.broadcast_to(rows, (60, 83, 3)).copy()
    pixels[20:40, 30:50] = (200, 30, 30)
    photo, truncated = tmp_path / "photo.jpg", tmp_path / "truncated.jpg"
    exif = Image.Exif()
    exif[0x0110] = "Box Brownie"
    exif[0x0112] = 6  # shown turned by a quarter
    Image.fromarray(pixels).save(photo, exif=exif)
    truncated.write_bytes(photo.read_bytes()[:700])
    archive = ArchiveFolder(tmp_path / "archive")

    report = ingest(archive, [photo, truncated], EncodeOptions(quality=50, keep=keep), settings=Settings())

    assert (report.found, report.added, len(report.failed)) == (2, 1, 1)
    assert str(truncated) not in report.failed[0].reason
    assert {"open", "segment", "features", "store"} <= set(report.milliseconds)
    assert check(archive, read_data=True) == []
    with archive.open_catalog() as catalog:
        row = catalog.find(hashlib.sha256(photo.read_bytes()).hexdigest())
    assert row is not None
    assert (row.width, row.height, row.format, row.camera, row.keep, row.quality) == (
        60,
        83,
        "JPEG",
        "Box Brownie",
        keep,
        50,
    )
    assert row.vocabulary == vocabulary.default().identity
    label_map = read_label_map(archive.store.read_prefix(row.content_hash, row.map_bytes))
    wanted = features_of(label_map, vocabulary.default())
    assert row.embedding == wanted.embedding
    assert tuple((c.class_id, c.fraction) for c in row.coverages) == wanted.coverages
    assert row.regions == wanted.regions


def test_a_crash_while_a_photo_becomes_exact_is_mended_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = tmp_path / "photo.jpg"
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(photo)
    original = photo.read_bytes()
    archive = ArchiveFolder(tmp_path / "archive")
    ingest(archive, [photo], EncodeOptions(keep="reference"), settings=Settings())
    with monkeypatch.context() as m:
        m.setattr(Catalog, "update", lambda *_, **_more: (_ for _ in ()).throw(KeyboardInterrupt))
        assert ingest(archive, [photo], EncodeOptions(keep="exact"), settings=Settings()).interrupted
    photo.unlink()
    problems = check(archive)
    assert [p.kind for p in problems] == ["outdated"]
    assert repair(archive, problems) == problems
    assert check(archive, read_data=True) == []
    with archive.open_catalog() as catalog:
        row = catalog.photo(1)
    assert row is not None
    assert row.keep == "exact"
    assert read_original(archive.store.read(row.content_hash)) == original
    label_map = read_label_map(archive.store.read_prefix(row.content_hash, row.map_bytes))
    assert row.embedding == features_of(label_map, vocabulary.default()).embedding


def test_a_lost_catalog_is_made_anew_from_real_files(tmp_path: Path) -> None:
    """Every column, every fact and every answer is what it was."""
    samples = sorted((Path(__file__).parents[2] / "samples").rglob("*.jpg"))[:2]
    photos = tmp_path / "photos"
    photos.mkdir()
    for path in samples:
        shutil.copy(path, photos)

    def all_of(archive: Archive) -> object:
        with closing(sqlite3.connect(archive.folder.root / "catalog.sqlite")) as plain:
            rows = plain.execute("SELECT * FROM photo").fetchall()
        found = [(hit.id, hit.path, hit.score) for hit in archive.query("sky or person or tree")]
        return rows, found, archive.info(1), archive.info(2)

    with Archive(tmp_path / "a") as archive:
        archive.ingest(photos, effort=1)
        archive.ingest([photos / samples[0].name], keep="exact", effort=1)
        archive.tag("best", [1])
        before = all_of(archive)
        archive.close()
        (archive.folder.root / "catalog.sqlite").unlink()
        shutil.rmtree(archive.folder.index)
        with pytest.raises(ArchiveError, match=r"the catalog is missing; make it anew"):
            archive.query("sky")
        assert archive.rebuild().photos == 2
        assert all_of(archive) == before
        assert archive.check(read_data=True) == []
