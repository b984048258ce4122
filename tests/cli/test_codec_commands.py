"""encode, decode, info, segment: the codec without an archive; and the command line as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dsslic_search import decode, encode
from dsslic_search.codec import container
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import DSSError
from dsslic_search.core.kinds import Stage


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
    source, _ = stored
    opened = picture(source)
    for mode in ("CMYK", "LAB", "F", "I", "YCbCr", "HSV", "1", "LA", "RGBA", "P"):
        converted = opened.convert("RGB").convert(mode) if mode != "LAB" else opened
        assert container.read(encode(converted, quality=10)).header.width == opened.width
    turned = opened.copy()
    turned.getexif()[0x0112] = 6
    assert container.read(encode(turned, quality=10)).header.width == opened.height
    for nonsense in (np.zeros((0, 4, 3), np.uint8), "nowhere.jpg", 5, None):
        with pytest.raises(DSSError):
            encode(nonsense)
    with pytest.raises(DSSError, match="whole number"):
        encode(opened, quality=75.5)
