"""Byte-identical copies, against what the disk itself says of its files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsslic_search import Archive
from dsslic_search.api.exact_duplicates import ExactCopy, ExactDuplicates
from dsslic_search.archive import paths
from dsslic_search.archive.features import features_of
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.paths import FileThere
from dsslic_search.archive.schema import Photo
from dsslic_search.core import vocabulary
from dsslic_search.core.files import absolute

NOW = datetime(2023, 6, 1)
PHOTOS = 3


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """Of photos that lie nowhere yet."""
    folder = ArchiveFolder(tmp_path / "archive")
    features = features_of(np.zeros((4, 4), np.uint8), vocabulary.default())
    with folder.writing(create=True) as catalog:
        for number in range(1, PHOTOS + 1):
            row = Photo(
                content_hash=f"{number:064x}",
                path=f"/nowhere/{number}.jpg",
                file_size=1,
                modified_at=NOW,
                added_at=NOW,
                format="JPEG",
                width=4,
                height=4,
                keep="reference",
                quality=75,
                stored_bytes=1,
                map_bytes=1,
                vocabulary="v",
                segmenter="s",
                embedding=features.embedding,
            )
            with catalog.changing() as session:
                session.add(row)
    with Archive(folder.root) as opened:
        yield opened


def lies(archive: Archive, photo_id: int, path: Path, part: str = "") -> None:
    status = path.stat()
    with archive.catalog.changing() as session:
        there = FileThere(path, status.st_size, status.st_mtime_ns, part)
        paths.seen(session, photo_id, there, NOW)


def found(archive: Archive) -> dict[int, tuple[ExactCopy, ...]]:
    return {group.id: group.copies for group in archive.exact_duplicates().groups}


def test_links_free_nothing_and_what_is_not_there_is_not_counted(archive: Archive, tmp_path: Path):
    first, copy, hard, soft, gone, changed = (tmp_path / f"{n}.jpg" for n in range(6))
    for path in (first, copy, gone, changed):
        path.write_bytes(b"seven.." * 3)
    hard.hardlink_to(first)
    soft.symlink_to(copy)
    for path in (first, copy, hard, soft, gone, changed):
        lies(archive, 2, path)
    gone.unlink()
    changed.write_bytes(b"another")
    (group,) = archive.exact_duplicates().groups
    assert [copy.path for copy in group.copies] == [
        str(path) for path in (first, copy, hard, soft, gone, changed)
    ]
    assert [copy.found for copy in group.copies] == [*["there"] * 4, "not there", "changed"]
    assert [copy.same_file_as for copy in group.copies] == [
        None, None, str(first), str(copy), None, None,
    ]  # fmt: skip
    assert (group.bytes, group.files_beside_the_first, group.to_be_had) == (21, 1, 21)


def test_the_frames_of_a_clip_are_one_group_with_the_clips_bytes(archive: Archive, tmp_path: Path):
    clips = [tmp_path / name for name in ("a.mp4", "b.mp4", "c.mp4")]
    for clip in clips:
        clip.write_bytes(b"clip of ten")
    for clip in clips[:2]:
        lies(archive, 1, clip, "#t=0")
    for clip in clips:
        lies(archive, 3, clip, "#t=2")
    (group,) = archive.exact_duplicates().groups
    assert (group.id, group.to_be_had) == (1, 22)
    assert [copy.path for copy in group.copies] == list(map(str, clips))


def test_photos_in_the_bin_are_left_out_and_one_path_is_no_copy(archive: Archive, tmp_path: Path):
    for name in "ab":
        (tmp_path / name).write_bytes(b"photo")
        lies(archive, 1, tmp_path / name)
    (tmp_path / "c").write_bytes(b"other")
    lies(archive, 2, tmp_path / "c")
    assert list(found(archive)) == [1]
    archive.remove([1])
    assert archive.exact_duplicates() == ExactDuplicates(())


def test_what_takes_most_comes_first(archive: Archive, tmp_path: Path):
    for photo_id, size in ((1, 10), (2, 1000), (3, 10)):
        for name in "ab":
            path = tmp_path / f"{photo_id}{name}"
            path.write_bytes(b"." * size)
            lies(archive, photo_id, path)
    every = archive.exact_duplicates()
    assert [group.id for group in every.groups] == [2, 1, 3]
    assert (every.files_beside_the_first, every.to_be_had) == (3, 1020)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(1, PHOTOS), st.sampled_from(["write", "hard", "soft"])), max_size=9))
def test_the_bytes_are_what_deleting_all_but_one_would_free(
    archive: Archive, tmp_path: Path, made: list[tuple[int, str]]
):
    root = tmp_path / str(len(list(tmp_path.iterdir())))
    root.mkdir()
    lying: dict[int, list[Path]] = {}
    for number, (photo_id, how) in enumerate(made):
        path = root / f"{number}.jpg"
        earlier = lying.setdefault(photo_id, [])
        if how == "write" or not earlier:
            path.write_bytes(b"%d" % photo_id * 50)
        elif how == "hard":
            os.link(os.path.realpath(earlier[-1]), path)
        else:
            path.symlink_to(earlier[0])
        earlier.append(path)
    with archive.catalog.changing() as session:
        for photo_id in range(1, PHOTOS + 1):
            rows = list(session.get_one(Photo, photo_id).paths)
            paths.gone(session, [row.id for row in rows], NOW)
    for photo_id, places in lying.items():
        for path in places:
            lies(archive, photo_id, path)
    groups = {group.id: group for group in archive.exact_duplicates().groups}
    assert set(groups) == {photo_id for photo_id, places in lying.items() if len(places) > 1}
    for photo_id, group in groups.items():
        assert {copy.path for copy in group.copies} == {str(absolute(path)) for path in lying[photo_id]}
        inodes = {path.stat().st_ino for path in lying[photo_id]}
        assert group.to_be_had == (len(inodes) - 1) * 50
