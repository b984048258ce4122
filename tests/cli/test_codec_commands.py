"""encode, decode, info, segment: the codec without an archive; and the command line as a whole."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import decode, encode
from dsslic_search.codec import container
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import DSSError
from dsslic_search.core.kinds import Stage
from tests import painted


@pytest.fixture(scope="module")
def stored(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    source = sorted(photos.glob("*.jpg"))[0]
    target = tmp_path_factory.mktemp("codec") / "p.dsslic"
    target.write_bytes(encode(source))
    return source, target


def test_encode_writes_what_the_library_gives(run, stored: tuple[Path, Path], tmp_path: Path):
    source, target = stored
    assert run("encode", source, tmp_path / "out.dsslic").code == 0
    assert (tmp_path / "out.dsslic").read_bytes() == target.read_bytes()


@pytest.mark.parametrize("stage", Stage)
def test_decode_writes_each_stage(run, stored: tuple[Path, Path], tmp_path: Path, stage: str, picture):
    source, target = stored
    assert run("decode", target, tmp_path / "out.png", "--stage", stage).code == 0
    shown = picture(tmp_path / "out.png")
    assert np.array_equal(np.asarray(shown), np.asarray(decode(target.read_bytes(), stage)))
    if stage != "compact":
        assert shown.size == picture(source).size


def test_info_adds_up(run, stored: tuple[Path, Path]):
    _, target = stored
    described = run("info", target, "--json").json
    assert sum(layer["bytes"] for layer in described["layers"]) == described["bytes"] == target.stat().st_size
    assert described["bpp"] == pytest.approx(
        8 * described["bytes"] / (described["width"] * described["height"]), abs=1e-6
    )
    assert described["vocabulary"] == vocabulary.default().identity
    assert list(described["stages"]) == list(Stage)
    text = run("info", target).out
    assert str(described["bytes"]) in text


def test_segment_writes_palette_pngs_of_class_ids(run, photos: Path, tmp_path: Path, picture):
    sources = sorted(photos.glob("*.jpg"))[:2]
    assert run("segment", *sources, "--out", tmp_path / "maps").code == 0
    for source in sources:
        shown = picture(tmp_path / "maps" / f"{source.stem}.png")
        assert shown.mode == "P"
        assert shown.size == picture(source).size
        assert np.asarray(shown).max() < len(vocabulary.default())
        assert shown.palette is not None
        assert bytes(shown.palette.palette[:9]) == vocabulary.default().palette()[:9]


def test_segment_skips_a_bad_file_and_refuses_two_of_one_name(run, photos: Path, tmp_path: Path):
    good = sorted(photos.glob("*.jpg"))[0]
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no")
    ran = run("segment", good, bad, "--out", tmp_path / "maps")
    assert ran.code == 3
    assert "bad.jpg" in ran.err
    assert run("segment", bad, "--out", tmp_path / "maps").code == 1
    assert run("segment", good, good.with_suffix(".png"), "--out", tmp_path / "maps").code == 2


def test_damaged_and_foreign_files_are_refused_by_name(run, stored: tuple[Path, Path], tmp_path: Path):
    source, target = stored
    data = bytearray(target.read_bytes())
    data[-5] ^= 255
    bad = tmp_path / "bad.dsslic"
    bad.write_bytes(data)
    for command in (
        ("decode", bad, tmp_path / "x.png"),
        ("info", bad),
        ("decode", source, tmp_path / "x.png"),
        ("info", source),
    ):
        ran = run(*command)
        assert ran.code == 1
        assert str(command[1]) in ran.message
    assert not (tmp_path / "x.png").exists()
    assert run("decode", bad, tmp_path / "coarse.png", "--stage", "coarse").code == 0


def test_usage_errors(run, stored: tuple[Path, Path], tmp_path: Path):
    source, target = stored
    assert run("decode", target, tmp_path / "x.png", "--stage", "best").code == 2
    assert run("decode", target, tmp_path / "x.xyz").code == 2
    assert run("encode", source).code == 2
    assert run("nonsense").code == 2
    assert run("encode", tmp_path / "gone.png", tmp_path / "x.dsslic").code == 1


def test_arrays_and_pictures_encode_alike(stored: tuple[Path, Path], picture):
    source, _ = stored
    picture = picture(source).convert("RGB")
    assert encode(picture, quality=20) == encode(np.asarray(picture), quality=20)
    with pytest.raises(Exception, match="uint8"):
        encode(np.zeros((4, 4, 3)))


def test_the_original_comes_back_bit_for_bit(run, photos: Path, tmp_path: Path):
    source = sorted(photos.glob("*.jpg"))[0]
    assert run("encode", source, tmp_path / "x.dsslic", "--keep", "exact").code == 0
    assert run("decode", tmp_path / "x.dsslic", tmp_path / "x.jpg", "--original").code == 0
    assert (tmp_path / "x.jpg").read_bytes() == source.read_bytes()


def test_pictures_of_every_mode_encode_upright(stored: tuple[Path, Path], picture):
    """Whatever they show."""
    source, _ = stored
    opened = picture(source)
    opened.thumbnail((60, 60))
    for mode in ("CMYK", "LAB", "F", "I", "YCbCr", "HSV", "1", "LA", "RGBA", "P"):
        converted = opened.convert("RGB").convert(mode) if mode != "LAB" else opened
        assert (
            container.read(encode(converted, quality=10, effort=1, segmenter=painted.COARSE)).header.width
            == opened.width
        )
    turned = opened.copy()
    turned.getexif()[0x0112] = 6
    assert (
        container.read(encode(turned, quality=10, effort=1, segmenter=painted.COARSE)).header.width
        == opened.height
    )
    for nonsense in (np.zeros((0, 4, 3), np.uint8), "nowhere.jpg", 5, None):
        with pytest.raises(DSSError):
            encode(nonsense)
    with pytest.raises(DSSError, match="whole number"):
        encode(opened, quality=75.5)


class Stream:
    """Standard input or output as a pipe has it."""

    def __init__(self, data: bytes = b"") -> None:
        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False

    def flush(self) -> None:
        pass

    def write(self, text: str) -> int:
        return self.buffer.write(text.encode())


def test_a_dash_is_standard_input_and_output(
    run, stored: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source, target = stored

    def piped(data: bytes, *arguments: object) -> bytes:
        monkeypatch.setattr(sys, "stdin", Stream(data))
        monkeypatch.setattr(sys, "stdout", out := Stream())
        assert run(*arguments).code == 0
        return out.buffer.getvalue()

    monkeypatch.chdir(tmp_path)
    assert piped(source.read_bytes(), "encode", "-", "-") == target.read_bytes()
    shown = Image.open(io.BytesIO(piped(target.read_bytes(), "decode", "-", "-", "--stage", "map")))
    assert np.array_equal(np.asarray(shown), np.asarray(decode(target.read_bytes(), "map")))
    assert piped(target.read_bytes(), "decode", "-", "-", "--format", "jpg")[:3] == b"\xff\xd8\xff"
    assert list(tmp_path.iterdir()) == []


def test_without_a_place_to_write_nothing_is_done(run, stored: tuple[Path, Path]):
    source, target = stored
    before = source.read_bytes(), target.read_bytes()
    for names in ((source, source), (source,), (source, source, source)):
        ran = run("encode", *names)
        assert (ran.code, "say where to write: encode IN OUT.dsslic, or" in ran.message) == (2, True)
    for names in ((target,), (target, target), (target, target, "x.png")):
        ran = run("decode", *names)
        assert (ran.code, "say where to write: decode IN.dsslic OUT.png, or" in ran.message) == (2, True)
    assert run("decode", target, "x.png", "--original", "--stage", "map").code == 2
    assert run("encode", source, "-", "--json").code == 2
    assert (source.read_bytes(), target.read_bytes()) == before


def test_many_are_coded_in_one_start_and_told(run, photos: Path, tmp_path: Path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"nothing")
    source = sorted(photos.glob("*.jpg"))[0]
    ran = run("encode", source, bad, "--out", tmp_path / "out", "--effort", "1", "--json")
    assert ran.code == 3
    assert [(Path(w["source"]), Path(w["file"]).name) for w in ran.json["written"]] == [
        (source, f"{source.stem}.dsslic")
    ]
    assert [f["source"] for f in ran.json["failed"]] == [str(bad)]
    assert f"skipped: {bad}: " in ran.err
    assert ran.message.startswith("1 encoded, 1 skipped; ")
    ran = run("decode", tmp_path / "out", "--out", tmp_path / "back", "--stage", "compact", "--format", "jpg")
    assert (ran.code, ran.out) == (0, f"{tmp_path / 'back' / source.stem}.jpg\n")
    assert ran.message.startswith("1 decoded, 0 skipped; ")
    assert run("encode", bad, "--out", tmp_path / "none").code == 1
