"""Clips that belong to photos: Live Photos and motion photos whose two halves are files of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.archive.ingest.file_names import VIDEO_EXTENSIONS, Kind
from dsslic_search.archive.ingest.live_photos import clips_beside, is_live_clip
from dsslic_search.archive.ingest.walk import walk
from dsslic_search.archive.ingest.wanted import ALL, Wanted
from dsslic_search.cli.archive import print_photo
from dsslic_search.cli.lines import shown_path
from tests.clips import clip, marked

IDENTIFIER = {"com.apple.quicktime.content.identifier": "2F0B5A0E-7A4C-4E5E-9C77-0B6A2C4C9A11"}
WITH_VIDEOS = Wanted(endings=ALL.endings | VIDEO_EXTENSIONS)


def made(path: Path, seconds: float, identified: bool = False) -> Path:
    """A clip of two frames that lasts so long and a quarter of a second; ``identified``: as Apple's are."""
    return clip(
        path,
        [marked(0), marked(1)],
        [0, seconds],
        container={"movflags": "use_metadata_tags"} if identified else None,
        metadata=IDENTIFIER if identified else None,
    )


def tried(folder: Path, wanted: Wanted = WITH_VIDEOS) -> list[str]:
    return [found.path.name for found in walk([folder], wanted=wanted).files]


@pytest.mark.parametrize(
    ("photo", "video", "belongs"),
    [
        ("IMG_1.HEIC", "IMG_1.MOV", True),
        ("img_1.jpg", "IMG_1.mov", True),
        ("IMG_1.HEIC", "IMG_1_HEVC.MOV", True),  # iCloud's downloader
        ("IMG_1.HEIC", "IMG_1.HEIC.mp4", True),
        ("PXL_1.MP.jpg", "PXL_1.mp4", False),
        ("PXL_1.MP.jpg", "PXL_1.MP.mp4", True),
        ("IMG_1(1).jpg", "IMG_1(1).mp4", True),
        ("Cafe\N{COMBINING ACUTE ACCENT}.jpg", "Café.mov", True),
        ("IMG_1.HEIC", "IMG_2.MOV", False),
        ("IMG_1.HEIC", "IMG_10.MOV", False),
        ("notes.txt", "notes.mov", False),
        (".IMG_1.jpg", "IMG_1.mov", False),
    ],
)
def test_a_clip_is_called_as_its_photo(tmp_path: Path, photo: str, video: str, belongs: bool) -> None:
    (tmp_path / photo).write_bytes(b"x")
    made(tmp_path / video, 1)
    found = walk([tmp_path], wanted=WITH_VIDEOS)
    assert found.passed_over.count(Kind.CLIP) == belongs
    assert (video in [each.path.name for each in found.files]) == (not belongs)
    assert walk([tmp_path]).videos == (not belongs)  # without frames


def test_googles_export_gives_a_clip_no_ending_of_videos(tmp_path: Path) -> None:
    (tmp_path / "PXL_1.MP.jpg").write_bytes(b"x")
    made(tmp_path / "a.mp4", 1).rename(tmp_path / "PXL_1.MP")
    (tmp_path / "PXL_2.MP.jpg").write_bytes(b"x")
    (tmp_path / "PXL_2.MP").write_bytes(b"no clip")
    assert walk([tmp_path]).passed_over.sentence() == "1 clip of a photo, 1 other (1 .mp)"


@pytest.mark.parametrize(
    ("seconds", "identified", "belongs"),
    [(2.75, False, True), (3.25, False, True), (3.5, False, False), (60, False, False), (60, True, True)],
)
def test_a_film_beside_its_poster_is_none(
    tmp_path: Path, seconds: float, identified: bool, belongs: bool
) -> None:
    (tmp_path / "film.jpg").write_bytes(b"x")
    video = made(tmp_path / "film.mov", seconds, identified)
    assert is_live_clip(video) is belongs
    assert tried(tmp_path) == (["film.jpg"] if belongs else ["film.jpg", "film.mov"])


def test_what_is_no_clip_at_all_stays_a_video(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    whole = made(tmp_path / "whole.mp4", 1).read_bytes()
    for data in (b"", b"\0" * 40, b"x" * 40, whole[:60], whole.replace(b"mvhd", b"mvhx")):
        (tmp_path / "a.mp4").write_bytes(data)
        assert not is_live_clip(tmp_path / "a.mp4")
    (tmp_path / "a.mp4").unlink()
    (tmp_path / "a.mp4").mkdir()
    assert not is_live_clip(tmp_path / "a.mp4")
    assert not is_live_clip(tmp_path / "gone.mp4")


def test_a_clip_is_taken_by_who_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    made(tmp_path / "a.mov", 1)
    assert tried(tmp_path) == ["a.jpg"]
    assert tried(tmp_path, Wanted(("*",), endings=WITH_VIDEOS.endings)) == ["a.jpg"]
    assert tried(tmp_path, Wanted(("*.MOV",), endings=WITH_VIDEOS.endings)) == ["a.mov"]
    assert tried(tmp_path, Wanted(endings=WITH_VIDEOS.endings, clips=True)) == ["a.jpg", "a.mov"]
    named = walk([tmp_path, tmp_path / "a.mov"], wanted=WITH_VIDEOS)
    assert [each.path.name for each in named.files] == ["a.jpg", "a.mov"]
    assert named.passed_over.sentence() == ""


def test_a_photo_that_is_left_out_still_has_its_clip(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    made(tmp_path / "a.mov", 1)
    wanted = Wanted(endings=WITH_VIDEOS.endings, exclude=("*.jpg",))
    assert walk([tmp_path], wanted=wanted).passed_over.sentence() == "1 clip of a photo, 1 excluded"
    wanted = Wanted(endings=WITH_VIDEOS.endings, exclude=("*.mov",))
    assert walk([tmp_path], wanted=wanted).passed_over.sentence() == "1 excluded"


def test_the_clips_of_one_photo(tmp_path: Path) -> None:
    photo = tmp_path / "img_1.heic"
    clips = [
        made(tmp_path / "IMG_1.MOV", 9, identified=True),
        made(tmp_path / "IMG_1_HEVC.MOV", 1),
    ]
    made(tmp_path / "IMG_1.mp4", 9)  # a film
    made(tmp_path / "IMG_10.MOV", 1)
    assert clips_beside(photo) == []  # which is not there itself
    photo.write_bytes(b"x")
    assert clips_beside(photo) == clips
    assert clips_beside(tmp_path / "IMG_1.MOV") == []
    assert clips_beside(tmp_path / "nowhere" / "img_1.heic") == []


def test_show_names_the_clip_of_a_photo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (40, 30), (90, 140, 200)).save(folder / "IMG_1.jpg")
    moving = made(folder / "IMG_1.MOV", 1)
    with Archive(tmp_path / "archive") as archive:
        archive.ingest([folder], keep="reference")
        assert archive.info(1)["live_photo_clips"] == [str(moving)]
        print_photo(archive, 1)
        assert f"Live Photo clip: {shown_path(str(moving))}" in capsys.readouterr().out.splitlines()
        moving.unlink()
        assert archive.info(1)["live_photo_clips"] == []
        print_photo(archive, 1)
        assert "Live Photo" not in capsys.readouterr().out
