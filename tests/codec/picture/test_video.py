"""Frames of videos, of clips made here: the right ones, with the right pixels, the same whenever they are
asked for."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.codec.picture import light, video
from dsslic_search.codec.picture.open import SourcePhoto, decoded
from dsslic_search.codec.picture.raster import Coded
from dsslic_search.codec.picture.video import Clip
from dsslic_search.core.errors import PhotoError
from tests.clips import CHART, HEIGHT, WIDTH, chart, clip, coded_frame, marked, middles, number_of


def photo_at(path: Path, moment: float = 0) -> SourcePhoto:
    with Clip(path, "clip") as opened:
        return decoded(opened.decode(opened.at(Fraction(moment))), "clip")


def all_frames(path: Path) -> list[int]:
    with Clip(path, "clip") as opened:
        return [number_of(decoded(opened.decode(shown), "clip").pixels) for shown in opened.frames]


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.avi", "a.ts", "a.webm"])
def test_every_frame_is_found_in_whatever_order_it_is_asked_for(tmp_path: Path, name: str) -> None:
    webm = {"codec": "libvpx-vp9", "options": {"lossless": "1", "g": "4"}} if name == "a.webm" else {}
    made: Any = {"codec": "mpeg4", "pixel_format": "yuv420p", "options": {"g": "4", "qscale": "1"}}
    path = clip(tmp_path / name, [marked(i) for i in range(12)], **(made if name == "a.avi" else webm))
    assert all_frames(path) == list(range(12))
    with Clip(path, "clip") as opened:
        for order in list(permutations((0, 3, 5, 7, 11)))[::17]:
            for number in order:
                shown = opened.frames[number]
                assert number_of(decoded(opened.decode(shown), "clip").pixels) == number
                assert opened.at(shown.at) == shown
                assert shown.at == Fraction(number, 4)


def test_a_frame_is_the_same_pixels_alone_and_after_others(tmp_path: Path) -> None:
    frames = [np.roll(chart(), 3 * i, 1) for i in range(12)]
    path = clip(
        tmp_path / "a.mp4", frames, options={"crf": "30", "g": "5", "bf": "2"}, pixel_format="yuv420p"
    )
    with Clip(path, "clip") as opened:
        one_after_the_other = [decoded(opened.decode(shown), "clip").pixels for shown in opened.frames]
    for number in (11, 7, 4, 0):
        assert np.array_equal(photo_at(path, number / 4).pixels, one_after_the_other[number])


@pytest.mark.parametrize(
    ("container", "name"),
    [
        ({"movflags": "frag_keyframe+empty_moov"}, "fragments.mp4"),
        ({"live": "1"}, "without_cues.mkv"),
    ],
)
def test_a_clip_without_an_index(tmp_path: Path, container: dict[str, str], name: str) -> None:
    path = clip(tmp_path / name, [marked(i) for i in range(12)], container=container)
    assert all_frames(path) == list(range(12))
    assert number_of(photo_at(path, 1.75).pixels) == 7


def test_frames_at_equal_distances_are_those_shown_then_each_once(tmp_path: Path) -> None:
    moments = [0, 0.1, 0.2, 0.9, 1.0, 5.5, 5.6, 6.9]  # as of a recorded screen
    path = clip(tmp_path / "a.mkv", [marked(i) for i in range(8)], moments)
    with Clip(path, "clip") as opened:
        frames = opened.frames
    assert [float(frame.at) for frame in frames] == moments
    seconds = Fraction(1)
    chosen = [(frames.index(shown), float(moment)) for shown, moment in video.every(frames, seconds)]
    assert chosen == [(0, 0), (4, 1), (6, 6), (7, 7)]
    assert [frames.index(shown) for shown, _ in video.every(frames, Fraction(1, 10))] == list(range(8))
    assert [frames.index(shown) for shown, _ in video.every(frames, Fraction(60))] == [0]


@pytest.mark.parametrize("matrix", [1, 6, 9])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("pixel_format", "codec"), [("yuv420p", "ffv1"), ("yuv444p", "libx264"), ("yuv420p10le", "ffv1")]
)
def test_matrix_and_range_are_those_of_the_stream(
    tmp_path: Path, matrix: int, full: bool, pixel_format: str, codec: str
) -> None:
    frame = coded_frame(chart(), pixel_format, matrix, full)
    options = {"qp": "0"} if codec == "libx264" else {}
    path = clip(
        tmp_path / "a.mkv", [frame], codec=codec, pixel_format=pixel_format, options=options or {"g": "1"}
    )
    photo = photo_at(path)
    assert np.abs(middles(photo.pixels).astype(int) - CHART).max() <= 1
    assert (photo.format, photo.bits) == ("VIDEO", 10 if "10" in pixel_format else 8)


@pytest.mark.parametrize(("height", "matrix"), [(576, 6), (720, 1)])
def test_a_matrix_that_is_not_told_is_that_of_the_size(tmp_path: Path, height: int, matrix: int) -> None:
    colours = np.repeat(np.repeat(CHART, height // 2, 0), 32, 1)
    frame = coded_frame(colours, "yuv444p", matrix, full=False)
    frame.colorspace = frame.color_range = 2
    frame.color_range = 0
    path = clip(tmp_path / "a.mkv", [frame], codec="ffv1", options={"g": "1"})
    found = photo_at(path).pixels[height // 4 :: height // 2, 16::32]
    assert np.abs(found.astype(int) - CHART).max() <= 1


def test_grey_of_narrow_range(tmp_path: Path) -> None:
    frame = coded_frame(np.full((HEIGHT, WIDTH, 3), 100, np.uint8), "gray", 1, full=False)
    photo = photo_at(clip(tmp_path / "a.mkv", [frame], codec="ffv1", pixel_format="gray", options={"g": "1"}))
    assert photo.grey
    assert np.abs(photo.pixels.astype(int) - 100).max() <= 1


@pytest.mark.parametrize(
    ("space", "name"), [((12, 13), "Display P3"), ((9, 16), "BT.2020 PQ"), ((9, 18), "BT.2020 HLG")]
)
def test_colours_by_code_points_and_high_dynamic_range(
    tmp_path: Path, space: tuple[int, int], name: str
) -> None:
    frame = coded_frame(chart(), "yuv444p10le", 9, full=False, space=space)
    kind: Any = {"codec": "ffv1", "options": {"g": "1"}}
    if space != (12, 13):
        kind = {"codec": "libx265", "options": {"x265-params": "lossless=1:bframes=0:log-level=none"}}
    # several frames: of one alone x265 makes up when it is to be decoded
    photo = photo_at(clip(tmp_path / "a.mkv", [frame] * 4, pixel_format="yuv444p10le", **kind))
    wanted, _ = light.to_srgb(CHART / 255, Coded(*space))
    # 10 bits are finer than the levels of the chart, but curves for high dynamic range are steep
    off = np.abs(middles(photo.pixels) - 255 * wanted).max()
    assert off <= (1.5 if space == (12, 13) else 6)
    assert (photo.bits, photo.profile) == (10, name)
    hdr = "high dynamic range was brought to that of sRGB" in photo.remarks
    assert hdr == (space != (12, 13))


def test_display_p3_as_its_primaries_have_it(tmp_path: Path) -> None:
    frame = coded_frame(chart(), "yuv444p10le", 1, full=True, space=(12, 13))
    path = clip(tmp_path / "a.mkv", [frame], codec="ffv1", pixel_format="yuv444p10le", options={"g": "1"})
    found = middles(photo_at(path).pixels)[0].astype(int)
    # by plain arithmetic from the chromaticities and the curve of sRGB
    assert np.abs(found - [(251, 0, 19), (0, 204, 12), (17, 61, 229), (244, 219, 0)]).max() <= 1


@pytest.mark.parametrize(
    ("degrees", "turn"), [(90, np.rot90), (180, lambda a: a[::-1, ::-1]), (-90, lambda a: np.rot90(a, -1))]
)
def test_the_display_matrix_turns_a_frame_upright(tmp_path: Path, degrees: float, turn: Any) -> None:
    photo = photo_at(clip(tmp_path / "a.mp4", [chart()], turned=degrees))
    wanted = turn(chart())
    assert photo.pixels.shape == wanted.shape == (photo.height, photo.width, 3)
    assert np.abs(middles(photo.pixels).astype(int) - middles(wanted)).max() <= 1


@pytest.mark.parametrize(
    ("aspect", "size"),
    [(Fraction(3, 2), (64, 192)), (Fraction(1, 2), (128, 128)), (Fraction(100), (64, 128))],
)
def test_pixels_become_square(tmp_path: Path, aspect: Fraction, size: tuple[int, int]) -> None:
    path = clip(tmp_path / "a.mkv", [chart()], aspect=aspect)
    photo = photo_at(path)
    assert photo.pixels.shape[:2] == (photo.height, photo.width) == size
    found = photo.pixels[size[0] // 4 :: size[0] // 2, size[1] // 8 :: size[1] // 4]
    assert np.abs(found.astype(int) - CHART).max() <= 1
    with Clip(path, "clip") as opened:
        assert opened.size == size


def test_scenes(tmp_path: Path) -> None:
    """Slow changes are none, and one that goes on, as a pan, is none either."""
    slow = [np.roll(chart(), i, 1) for i in range(6)]
    other = [255 - picture for picture in slow]
    path = clip(tmp_path / "a.mp4", [*slow, *other, *slow[:3]])
    with Clip(path, "clip") as opened:
        assert [opened.frames.index(shown) for shown in opened.scenes()] == [0, 6, 12]


@pytest.mark.parametrize("data", [b"", b"\0\0\0\x18ftypisom" + bytes(300), b"\x1aE\xdf\xa3" + bytes(100)])
def test_what_is_no_video(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(PhotoError, match=r"^clip: no video that can be read \(.+\)$"):
        Clip(tmp_path / "a.mp4", "clip")


def test_a_clip_that_is_cut_short_says_so_and_gives_what_is_there(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (12, HEIGHT, WIDTH, 3)).astype(np.uint8)
    whole = clip(tmp_path / "a.mp4", list(noise), container={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with Clip(whole, "clip") as opened:
        opened.check_whole()
        first = decoded(opened.decode(opened.frames[0]), "clip").pixels
    with Clip(cut, "clip") as opened:
        assert 3 <= len(opened.frames) < 8
        assert np.array_equal(decoded(opened.decode(opened.frames[0]), "clip").pixels, first)
        with pytest.raises(PhotoError, match=r"^clip: the video is cut short: it ends after \d\.\d seconds$"):
            opened.check_whole()


@pytest.mark.parametrize(("ending", "packet"), [(".ts", 188), (".m2ts", 192)])
def test_a_transport_stream_that_ends_within_a_packet_is_cut_short(
    tmp_path: Path, ending: str, packet: int
) -> None:
    options = {"mpegts_m2ts_mode": "1"} if packet == 192 else None
    whole = clip(tmp_path / f"a{ending}", [marked(n) for n in range(12)], container=options)
    data = whole.read_bytes()
    assert len(data) % packet == 0
    with Clip(whole, "clip") as opened:
        opened.check_whole()
    for length in (len(data) - 1, len(data) * 2 // 3 // packet * packet + 4):
        whole.write_bytes(data[:length])
        with Clip(whole, "clip") as opened:
            assert 6 <= len(opened.frames) <= 12
            with pytest.raises(PhotoError, match=r"^clip: the video is cut short: it ends after"):
                opened.check_whole()
    whole.write_bytes(data[: len(data) // 2 // packet * packet])  # nothing in it tells that more was there
    with Clip(whole, "clip") as opened:
        opened.check_whole()


def test_a_clip_with_sound_alone(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 48000, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with pytest.raises(PhotoError, match="there is no picture in it"):
        Clip(path, "clip")
