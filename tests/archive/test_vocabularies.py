"""Photos of more than one vocabulary in one archive: queries mean what they say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.api import Archive
from dsslic_search.archive import schema
from dsslic_search.archive.check import check
from dsslic_search.codec import container
from dsslic_search.codec.decoder import read_label_map
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError
from tests.painted import BEACH_TEXT, OURS, THEIRS, beach, paint

PHOTOS = {  # bands from the top, and who parses the photo
    "our sea": ((("sea", 0.75), ("grass", 0.25)), OURS),
    "their sea": ((("sea", 0.75), ("grass", 0.25)), THEIRS),
    "our person": ((("grass", 0.5), ("person", 0.5)), OURS),
    "their person": ((("grass", 0.5), ("person", 0.5)), THEIRS),
    "their gizmo": ((("other", 0.6), ("sea", 0.4)), THEIRS),
}
ANSWERS = {
    "sea": {"our sea", "their sea", "their gizmo"},
    "ocean": {"our sea", "their sea", "their gizmo"},
    ">70% sea": {"our sea", "their sea"},
    "grass": {"our sea", "their sea", "our person", "their person"},
    ">40% lawn": {"our person", "their person"},
    "no people": {"our sea", "their sea", "their gizmo"},
    "people and grass": {"our person", "their person"},
    ">55% other": {"their gizmo"},
    "wall or building or ceiling": set(),  # what their ids 1 and 2 and 6 would be among ours
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the archive, which the tests change copies of, and of the photos in it."""
    folder = tmp_path_factory.mktemp("mixed")
    with Archive(folder / "archive") as opened:
        for name, (bands, segmenter) in PHOTOS.items():
            # no two of the same content
            path = paint(folder / "photos" / f"{name}.png", *bands, size=(97 + len(name), 64))
            assert opened.ingest([path], segmenter=segmenter).added == 1
    return folder


@pytest.fixture
def photos(made: Path) -> Path:
    return made / "photos"


@pytest.fixture
def archive(made: Path, tmp_path: Path) -> Iterator[Archive]:
    with Archive(shutil.copytree(made / "archive", tmp_path / "archive")) as opened:
        yield opened


def answered(archive: Archive, text: str) -> set[str]:
    return {Path(hit.path).stem for hit in archive.query(text).hits}


def ids(archive: Archive) -> dict[str, int]:
    return {Path(hit.path).stem: hit.id for hit in archive.query("everything").hits}


def test_queries_find_what_they_say_in_every_vocabulary(archive: Archive):
    assert {text: answered(archive, text) for text in ANSWERS} == ANSWERS
    coverage = {Path(hit.path).stem: hit.coverage["sea"] for hit in archive.query("sea").hits}
    assert coverage == {"our sea": 0.75, "their sea": 0.75, "their gizmo": pytest.approx(0.4, abs=0.01)}


def test_and_so_they_do_after_reindexing(archive: Archive):
    with archive.catalog.changing() as session:
        session.query(schema.Photo).update({"stored_coverages": b""})
    assert answered(archive, "sea") == set()
    report = archive.reindex()
    assert (report.photos, report.failed) == (len(PHOTOS), [])
    assert {text: answered(archive, text) for text in ANSWERS} == ANSWERS


def test_likeness_goes_across_vocabularies(archive: Archive):
    number = ids(archive)

    def likeness(one: str, other: str, mirrored: bool) -> float:
        first, second = (archive.embeddings_of(f"#{number[name]}", mirrored)[-1] for name in (one, other))
        return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))

    for mirrored in (False, True):
        assert likeness("our sea", "their sea", mirrored) > 0.98
        assert likeness("our person", "their person", mirrored) > 0.98
        assert likeness("our sea", "their person", mirrored) < 0.9
    best = archive.query(f"like #{number['our sea']}", limit=2).hits
    assert {Path(hit.path).stem for hit in best} == {"our sea", "their sea"}


def test_rows_and_files_name_their_vocabulary_and_previews_show_it(archive: Archive):
    number = ids(archive)
    ours, theirs = archive.photo(number["our sea"]), archive.photo(number["their sea"])
    assert (ours.vocabulary, ours.segmenter) == (vocabulary.default().identity, OURS.identity)
    assert (theirs.vocabulary, theirs.segmenter) == (beach().vocabulary.identity, THEIRS.identity)
    assert archive.dialect(theirs).vocabulary.name == "beach-5"
    assert archive.dialect(ours).native
    shown = archive.preview(theirs.id, "map")
    assert shown.vocabulary == archive.dialect(theirs).vocabulary
    assert np.unique(np.asarray(shown.image)).tolist() == [2, 4]
    assert np.unique(np.asarray(shown.image.convert("RGB")).reshape(-1, 3), axis=0).tolist() == [
        [0, 0, 255],
        [0, 255, 0],
    ]


def test_every_stage_of_a_foreign_photo_decodes(archive: Archive, photos: Path):
    from PIL import Image

    stages = {p.stage: p.image for p in archive.progressive(ids(archive)["their person"])}
    with Image.open(photos / "their person.png") as opened:
        original = np.asarray(opened).astype(int)
    for stage, limit in (("coarse", 12), ("full", 3)):
        assert np.abs(np.asarray(stages[stage]).astype(int) - original).mean() < limit


def test_check_finds_a_mixed_archive_sound(archive: Archive):
    assert check(archive.folder, read_data=True) == []


def test_naming_another_segmenter_stores_photos_anew_and_naming_none_leaves_them(
    archive: Archive, photos: Path
):
    assert archive.ingest([photos]).present == len(PHOTOS)
    assert archive.ingest([photos], segmenter=THEIRS, dry_run=True).updated == 2
    report = archive.ingest([photos], segmenter=THEIRS)
    assert (report.updated, report.present) == (2, 3)
    assert archive.ingest([photos], segmenter=THEIRS).present == len(PHOTOS)
    with archive.catalog.session() as session:
        assert {p.vocabulary for p in session.query(schema.Photo)} == {beach().vocabulary.identity}
    assert {text: answered(archive, text) for text in ANSWERS} == ANSWERS


def test_files_of_an_older_class_list_need_its_vocabulary_file(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Files from when another list was the shipped one do not carry it."""
    number = ids(archive)["their sea"]
    store = archive.folder.store
    photo = archive.photo(number)
    data = store.read(photo.content_hash)
    contents = container.read(data)
    chunks = [container.read_chunk(data, contents, e.kind) for e in contents.entries]
    bare = container.pack(contents.header, chunks[1:])
    store.write(photo.content_hash, bare)
    with archive.catalog.changing() as session:
        row = session.get(schema.Photo, number)
        row.stored_bytes, row.map_bytes = len(bare), container.read(bare).base_bytes
    report = archive.reindex()
    assert [(i, "DSS_VOCABULARIES" in reason) for i, reason in report.failed] == [(number, True)]
    assert answered(archive, "sea") == ANSWERS["sea"]  # its rows stayed
    folder = tmp_path / "vocabularies"
    folder.mkdir()
    (folder / "beach.json").write_text(BEACH_TEXT)
    monkeypatch.setenv("DSS_VOCABULARIES", str(folder))
    assert archive.reindex().failed == []
    assert answered(archive, "sea") == ANSWERS["sea"]
    assert np.unique(read_label_map(bare)).tolist() == [2, 4]


def test_after_a_change_of_the_class_list_the_archive_wants_to_be_reindexed(
    archive: Archive, photos: Path, monkeypatch: pytest.MonkeyPatch
):
    """As if the photos had been described by a version with other classes, and one file were unreadable
    now."""
    lost = ids(archive)["our sea"]
    archive.folder.store.path_of(archive.photo(lost).content_hash).write_bytes(b"")
    archive.close()
    monkeypatch.setattr("dsslic_search.archive.terms.FIRST_TERMS", "0" * 16)
    with pytest.raises(ArchiveError, match=r"terms of another version.*Archive.reindex"):
        archive.query("sea")
    with pytest.raises(ArchiveError, match="terms of another version"):
        archive.ingest([photos])
    report = archive.reindex()
    assert (report.photos, [i for i, _ in report.failed]) == (len(PHOTOS) - 1, [lost])
    assert answered(archive, "sea") == {"their sea", "their gizmo"}
    assert answered(archive, ">99% other") == {"our sea"}  # nothing is known of it
    assert archive.ingest([photos]).updated == 1  # which brings it back
    with Archive(archive.folder.root) as again:
        assert answered(again, ">99% other") == set()


def test_a_new_archive_says_what_it_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("dsslic_search.archive.terms.FIRST_TERMS", "0" * 16)
    with Archive(tmp_path / "a") as opened:
        opened.ingest([paint(tmp_path / "sea.png", ("sea", 1.0))], segmenter=OURS)
        assert opened.query("sea").total == 1


def test_archives_from_before_this_was_said_are_of_the_first_class_list():
    from dsslic_search.archive import terms

    assert terms.our_terms() == terms.FIRST_TERMS, (
        "a new class list or new codes: keep FIRST_TERMS as it is, and drop this test"
    )
