"""Many files in one start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import decode, encode
from dsslic_search.api import coding_files, decode_files, encode_files, encode_options
from dsslic_search.archive.ingest.file_names import Kind
from dsslic_search.core.errors import UsageError, WeightsError
from dsslic_search.core.output import STANDARD

FAST = encode_options(effort=1, keep="coarse")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for name, colour in (("a.jpg", 90), ("a.png", 30), ("sub/b.png", 200), (".hidden/c.png", 0)):
        Image.new("RGB", (40, 24), (colour, 60, 90)).save(folder / name)
    (folder / "notes.txt").write_text("no photo")
    (folder / "broken.jpg").write_bytes(b"nothing")
    return folder


def test_folders_keep_their_structure_and_names_never_collide(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "out"
    told: list[tuple[int, int, int]] = []
    report = encode_files(
        [photos, photos / "a.jpg"], out, FAST, progress=lambda *numbers: told.append(numbers)
    )
    assert {(w.source.name, str(w.target.relative_to(out))) for w in report.written} == {
        ("a.jpg", "a.dsslic"),
        ("a.png", "a (2).dsslic"),
        ("b.png", "sub/b.dsslic"),
    }
    assert [(source.name, "broken.jpg" in reason) for source, reason in report.failed] == [
        ("broken.jpg", True)
    ]
    assert told[0] == (0, 4, 0)
    assert told[-1] == (4, 4, 1)
    for written in report.written:
        assert written.target.read_bytes() == encode(written.source, FAST)
        assert written.bytes == written.target.stat().st_size
    pictures = decode_files([out], tmp_path / "pictures", form="webp")
    assert sorted(str(w.target.relative_to(tmp_path / "pictures")) for w in pictures.written) == [
        "a (2).webp",
        "a.webp",
        "sub/b.webp",
    ]
    for written in pictures.written:
        with Image.open(written.target) as shown:
            expected = np.asarray(decode(written.source.read_bytes(), "coarse"))
            assert np.array_equal(np.asarray(shown), expected)


def test_what_is_there_is_left_and_the_rest_goes_on(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.dsslic").write_bytes(b"precious")
    report = encode_files([photos / "a.jpg", photos / "sub"], out, FAST)
    assert [w.target.name for w in report.written] == ["b.dsslic"]
    assert "is there already" in report.failed[0][1]
    assert (out / "a.dsslic").read_bytes() == b"precious"
    assert encode_files([photos / "a.jpg"], out, FAST, replace=True).failed == []
    assert (out / "a.dsslic").read_bytes() != b"precious"


def test_originals_come_out_with_the_ending_of_their_format(photos: Path, tmp_path: Path) -> None:
    exact = encode_options(effort=1, keep="exact")
    encode_files([photos / "a.jpg", photos / "a.png", photos / "sub"], tmp_path / "out", exact)
    report = decode_files([tmp_path / "out"], tmp_path / "back", original=True)
    back = {w.target.name: w.target.read_bytes() for w in report.written}
    assert back == {
        "a.jpg": (photos / "a.jpg").read_bytes(),
        "a (2).png": (photos / "a.png").read_bytes(),
        "b.png": (photos / "sub" / "b.png").read_bytes(),
    }


def test_what_cannot_be_is_said_before_anything_is_made(photos: Path, tmp_path: Path) -> None:
    out, empty = tmp_path / "out", tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match="no photos found there"):
        encode_files([empty], out, FAST)
    with pytest.raises(UsageError, match="standard input has no name"):
        encode_files([STANDARD], out, FAST)
    with pytest.raises(UsageError, match=r"no \.dsslic files found"):
        decode_files([photos], out)
    with pytest.raises(UsageError, match="png, jpg, webp"):
        decode_files([photos], out, form="gif")
    with pytest.raises(UsageError, match=r"not one of: png$"):
        decode_files([photos], out, "map", form="jpg")
    assert encode_files([tmp_path / "none.jpg"], out, FAST).failed == [
        (tmp_path / "none.jpg", "no such file or directory")
    ]
    assert not out.exists()


def test_an_interrupt_leaves_whole_files_and_weights_stop_all(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Path] = []

    def encoded(source: Path, target: Path, *_more: object) -> int:
        if done:
            raise trouble
        done.append(source)
        target.write_bytes(b"x")
        return 1

    monkeypatch.setattr(coding_files, "_encode", encoded)
    trouble: BaseException = KeyboardInterrupt()
    report = encode_files([photos], tmp_path / "out", FAST)
    assert (report.interrupted, len(report.written), report.failed) == (True, 1, [])
    trouble = WeightsError("finenet: damaged")
    done.clear()
    with pytest.raises(WeightsError):
        encode_files([photos], tmp_path / "other", FAST)


def test_folders_are_walked_as_an_ingest_walks_them(photos: Path, tmp_path: Path) -> None:
    (photos / "@eaDir").mkdir()
    (photos / "broken.jpg").rename(photos / "@eaDir" / "thumb.jpg")
    (photos / "old").mkdir()
    (photos / "old" / "archive.json").write_bytes(b'{"format": "dsslic-search archive"}')
    (tmp_path / "elsewhere").mkdir()
    (photos / "a.png").rename(tmp_path / "elsewhere" / "c.png")
    (photos / "also").symlink_to(tmp_path / "elsewhere")
    (photos / "clip.mp4").write_bytes(b"\0")
    out = tmp_path / "out"
    report = encode_files([photos, photos / "sub", photos / "none.jpg"], out, FAST)
    assert [str(w.target.relative_to(out)) for w in report.written] == [
        "a.dsslic",
        "sub/b.dsslic",
        "also/c.dsslic",
    ]
    assert report.failed == [(photos / "none.jpg", "no such file or directory")]
    assert report.passed_over.sentence() == ("1 video, 1 in @eaDir, 1 hidden, 1 archive, 1 other (1 .txt)")
    pictures = decode_files([photos, out], tmp_path / "pictures")
    assert {w.source for w in pictures.written} == {w.target for w in report.written}
    assert pictures.passed_over.count(Kind.OTHER) == 4  # a.jpg, b.png, c.png, notes.txt


def test_names_stay_as_they_were_given(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos)
    report = encode_files([Path(), Path("sub"), Path("sub/b.png")], tmp_path / "out", FAST)
    assert [str(w.source) for w in report.written] == ["a.jpg", "a.png", "sub/b.png"]
    assert [str(source) for source, _ in report.failed] == ["broken.jpg"]
