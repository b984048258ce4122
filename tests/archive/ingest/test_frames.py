"""Frames of videos in an archive: real clips, the real encoder, real files."""

from __future__ import annotations

import hashlib
import pickle
import shutil
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dsslic_search.api import Archive
from dsslic_search.archive.ingest.encode import prepare_photo
from dsslic_search.archive.ingest.frames import moment_text, read_choice, split_name, taken
from dsslic_search.archive.schema import Photo
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.facts import ALONE
from dsslic_search.core.errors import StageError, UsageError
from dsslic_search.core.settings import Settings
from tests.clips import HEIGHT, WIDTH, chart, clip, marked, number_of

PHONE = {
    "creation_time": "2021-06-05T12:30:15Z",
    "com.apple.quicktime.creationdate": "2021-06-05T14:30:15+0200",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 12",
    "com.apple.quicktime.location.ISO6709": "+48.8583+002.3508+035.0/",
}
TAGGED = {"movflags": "use_metadata_tags"}


@pytest.fixture
def archive(tmp_path: Path) -> Any:
    with Archive(tmp_path / "archive") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clips").mkdir()
    return tmp_path / "clips"


def photos(archive: Archive) -> list[Photo]:
    """By their paths: ids are in the order in which workers were done."""
    return sorted((archive.photo(i) for i in archive.ids(1000)), key=lambda photo: photo.path)


def paths(archive: Archive) -> list[str]:
    return [Path(photo.path).name for photo in photos(archive)]


def test_frames_are_photos_once(archive: Archive, folder: Path) -> None:
    path = clip(folder / "clip.mp4", [marked(i) for i in range(12)], metadata=PHONE, container=TAGGED)
    report = archive.ingest([folder], frames="1s", keep="coarse")
    assert (report.found, report.added, report.present, report.failed, report.videos) == (3, 3, 0, [], 0)
    assert paths(archive) == ["clip.mp4#t=0.0", "clip.mp4#t=1.0", "clip.mp4#t=2.0"]
    clip_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    for number, photo in enumerate(photos(archive)):
        assert (photo.width, photo.height, photo.format) == (WIDTH, HEIGHT, "VIDEO")
        assert photo.content_hash == hashlib.sha256(f"{clip_hash}#t={number}".encode()).hexdigest()
        assert 0 < photo.file_size < path.stat().st_size
        assert photo.taken_at == datetime(2021, 6, 5, 14, 30, 15 + number)
        assert vars(photo)["taken_from"] == "video com.apple.quicktime.creationdate"
        assert (photo.camera, photo.latitude, photo.longitude) == ("Apple iPhone 12", 48.8583, 2.3508)
        picture = np.asarray(archive.preview(photo.id, "compact").image)
        assert abs(number_of(picture) - 4 * number) <= 1
    again = archive.ingest([folder], frames="1s", keep="coarse")
    assert (again.found, again.added, again.present) == (3, 0, 3)
    finer = archive.ingest([path], frames="500ms", keep="coarse")
    assert (finer.found, finer.added, finer.present) == (6, 3, 3)
    assert archive.check(read_data=True) == []
    assert archive.query("format:video taken:2021-06-05 camera:iphone near 48.8583,2.3508 1km").total == 6


def test_nothing_is_decoded_of_frames_that_are_there_or_only_counted(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dsslic_search.codec.picture.video import Clip

    clip(folder / "clip.mp4", [marked(i) for i in range(12)])
    real, decoded = Clip.decode, []
    monkeypatch.setattr(Clip, "decode", lambda self, shown: decoded.append(shown) or real(self, shown))
    assert archive.ingest([folder], frames="1s", keep="coarse", dry_run=True).added == 3
    assert not archive.folder.exists
    assert archive.ingest([folder], frames="2s", keep="coarse").added == 2
    assert [float(shown.at) for shown in decoded] == [0, 2]
    rehearsed = archive.ingest([folder], frames="1s", keep="coarse", dry_run=True)
    assert (rehearsed.found, rehearsed.added, rehearsed.present) == (3, 1, 2)
    archive.ingest([folder], frames="1s", keep="coarse")
    assert [float(shown.at) for shown in decoded] == [0, 2, 1]


def test_one_frame_of_each_scene(archive: Archive, folder: Path) -> None:
    clip(folder / "clip.mp4", [chart()] * 4 + [255 - chart()] * 4)
    assert archive.ingest([folder], frames="scenes", keep="coarse").added == 2
    assert paths(archive) == ["clip.mp4#t=0.0", "clip.mp4#t=1.0"]
    assert archive.ingest([folder], frames="1s", keep="coarse").present == 2


@pytest.mark.parametrize(
    ("name", "creation_time", "taken_at", "taken_from"),
    [
        ("a.mp4", "2021-06-05T12:30:15Z", datetime(2021, 6, 5, 12, 30, 16), "video creation_time (UTC)"),
        ("VID_20190102_030405.mp4", "1904-01-01T00:00:00Z", datetime(2019, 1, 2, 3, 4, 6), "file name"),
        ("a.mp4", "", None, None),
    ],
)
def test_dates(
    archive: Archive, folder: Path, name: str, creation_time: str, taken_at: Any, taken_from: Any
) -> None:
    metadata = {"creation_time": creation_time} if creation_time else {}
    clip(folder / name, [marked(i) for i in range(5)], metadata=metadata, container=TAGGED)
    archive.ingest([folder], frames="1s", keep="coarse")
    photo = photos(archive)[1]
    assert (photo.taken_at, vars(photo)["taken_from"]) == (taken_at, taken_from)


def test_a_sidecar_tells_of_all_frames_and_location_can_be_left_out(archive: Archive, folder: Path) -> None:
    clip(folder / "clip.mp4", [marked(i) for i in range(5)], metadata=PHONE, container=TAGGED)
    (folder / "clip.mp4.xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
    )
    report = archive.ingest([folder], frames="1s", keep="coarse", strip="location")
    assert (report.added, report.sidecars) == (2, 1)
    assert archive.query("rating:4").total == 2
    assert {photo.latitude for photo in photos(archive)} == {None}


def test_by_reference_a_frame_is_decoded_again(archive: Archive, folder: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (8, HEIGHT, WIDTH, 3)).astype(np.uint8)
    path = clip(folder / "clip.mp4", list(noise), options={"crf": "20", "g": "3"}, pixel_format="yuv420p")
    archive.ingest([folder], frames="500ms", keep="reference")
    photo = photos(archive)[1]
    assert Path(photo.path).name == "clip.mp4#t=0.5"
    preview = archive.preview(photo.id)
    assert (preview.stage, preview.image.size) == ("full", (WIDTH, HEIGHT))
    assert preview.bytes_total == photo.stored_bytes + path.stat().st_size
    kept = Archive(folder.parent / "kept")
    kept.ingest([folder], frames="500ms", quality="lossless")
    assert np.array_equal(np.asarray(preview.image), np.asarray(kept.preview(photos(kept)[1].id).image))
    kept.close()
    with pytest.raises(StageError, match=r"#t=0.5: a frame of a video, which is no file of its own"):
        archive.original(photo.id)
    assert archive.check(read_data=True) == []
    other = path.read_bytes()
    path.write_bytes(other + b"\0\0\0\x08free")
    with pytest.raises(StageError, match='has changed since it was ingested by reference; "coarse" is'):
        archive.preview(photo.id)
    path.unlink()
    with pytest.raises(StageError, match='is gone since it was ingested by reference; "coarse" is'):
        archive.preview(photo.id)
    assert archive.preview(photo.id, "coarse").image.size == (WIDTH, HEIGHT)


def test_a_photo_of_such_a_name_is_a_photo(archive: Archive, folder: Path) -> None:
    clip(folder / "clip.mp4", [chart()] * 5)
    for name in ("clip.mp4#t=0.0.png", "clip.mp4#t=1.0"):
        Image.fromarray(chart()).save(folder / name, "PNG")
    archive.ingest([folder, folder / "clip.mp4#t=1.0"], frames="1s", keep="reference")
    found = {(Path(photo.path).name, photo.format): photo.id for photo in photos(archive)}
    assert set(found) == {
        ("clip.mp4#t=0.0", "VIDEO"),
        ("clip.mp4#t=1.0", "VIDEO"),
        ("clip.mp4#t=0.0.png", "PNG"),
    }
    picture = found["clip.mp4#t=0.0.png", "PNG"]
    assert np.array_equal(np.asarray(archive.preview(picture).image), chart())
    assert archive.original(picture) == (folder / "clip.mp4#t=0.0.png").read_bytes()
    (folder / "clip.mp4#t=1.0").write_bytes(b"something else")
    assert archive.preview(found["clip.mp4#t=1.0", "VIDEO"]).image.size == (WIDTH, HEIGHT)


def test_damaged_clips_are_told_of_once_and_others_go_on(archive: Archive, folder: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (12, HEIGHT, WIDTH, 3)).astype(np.uint8)
    whole = clip(folder / "b.mp4", list(noise), container={"movflags": "faststart"})
    (folder / "a.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(300))
    (folder / "c.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    Image.fromarray(chart()).save(folder / "d.png")
    report = archive.ingest([folder], frames="1s", keep="coarse")
    assert [Path(f.path).name for f in report.failed] == ["a.mp4", "c.mp4"]
    assert "no video that can be read" in report.failed[0].reason
    assert "the video is cut short: it ends after" in report.failed[1].reason
    assert report.found == report.added + report.present + len(report.failed)
    assert {name.partition("#")[0] for name in paths(archive)} == {"b.mp4", "c.mp4", "d.png"}


def test_damage_inside_ends_a_clip_with_one_sentence(archive: Archive, folder: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (12, HEIGHT, WIDTH, 3)).astype(np.uint8)
    path = clip(folder / "a.mkv", list(noise), codec="ffv1", options={"g": "1", "slicecrc": "1"})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    path.write_bytes(data)
    report = archive.ingest([folder], frames="250ms", keep="coarse")
    assert len(report.failed) <= 1
    assert report.found == report.added + len(report.failed)


def test_many_pixels_are_refused_and_little_memory_is_room_for_few(folder: Path, tmp_path: Path) -> None:
    clip(folder / "clip.mp4", [chart()] * 5, aspect=Fraction(2))
    with Archive(tmp_path / "archive", Settings(max_pixels=2 * HEIGHT * WIDTH - 1)) as archive:
        report = archive.ingest([folder], frames="1s", keep="coarse")
    assert (report.added, len(report.failed)) == (0, 1)
    assert report.failed[0].reason.startswith("256×64 pixels (16,384) are more than the limit of 16,383")
    with Archive(tmp_path / "archive") as archive:
        report = archive.ingest([folder], frames="1s", keep="coarse", memory=550_000_000)
        assert report.added == 0
        assert "take about 551 MB to encode" in report.failed[0].reason or report.failed
        assert archive.ingest([folder], frames="1s", keep="coarse", memory=700_000_000).added == 2


def test_without_frames_videos_are_passed_over_and_counted(archive: Archive, folder: Path) -> None:
    path = clip(folder / "clip.mp4", [chart()])
    shutil.copy(path, folder / "CLIP2.MOV")
    (folder / "program.ts").write_text("export const answer = 42\n")
    report = archive.ingest([folder])
    assert (report.found, report.videos, report.failed, report.notes) == (0, 2, [], [])
    named = archive.ingest([path])
    assert (named.videos, named.failed[0].path) == (0, str(path))
    assert named.failed[0].reason == 'a video, not a photo; take frames of it with frames="2s"'


def test_frames_are_not_kept_exactly(archive: Archive, folder: Path) -> None:
    clip(folder / "clip.mp4", [chart()])
    with pytest.raises(UsageError, match="a frame of a video has no file of its own to be kept exactly"):
        archive.ingest([folder], frames="1s", keep="exact")
    assert not archive.folder.exists


@pytest.mark.parametrize("text", ["", "2", "s", "0s", "-1s", "2 weeks", "1e3s", "0.0001s", "scene"])
def test_what_is_no_choice_of_frames(text: str) -> None:
    with pytest.raises(UsageError, match=r"^frames: "):
        read_choice(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2s", 2), ("0.5s", 0.5), ("500ms", 0.5), ("1m", 60), ("1 min", 60), ("1h", 3600)]
)
def test_distances(text: str, seconds: float) -> None:
    assert read_choice(text).every == Fraction(seconds)
    assert read_choice("scenes").every is None


def test_moments_are_written_to_the_microsecond_and_never_before_themselves() -> None:
    exact = {Fraction(12): "12.0", Fraction(1, 2): "0.5", Fraction(59059, 30000): "1.968634"}
    assert {moment: moment_text(moment) for moment in exact} == exact
    assert split_name("/a#t=b/clip.mp4#t=1.968634") == (Path("/a#t=b/clip.mp4"), Fraction("1.968634"))


def test_a_frame_goes_to_another_process_with_its_pixels(folder: Path) -> None:
    path = clip(folder / "clip.mp4", [marked(i) for i in range(8)], metadata=PHONE, container=TAGGED)
    with taken(path, read_choice("1s"), 10_000) as frames:
        (_first, frame) = frames
        sent = pickle.loads(pickle.dumps(frame))
        made = [
            prepare_photo(each, EncodeOptions(keep="coarse"), Settings(), ALONE) for each in (frame, sent)
        ]
    assert (sent.name, sent.content_hash, sent.there) == (frame.name, frame.content_hash, frame.there)
    assert made[0].data == made[1].data
    assert made[0].facts == made[1].facts
