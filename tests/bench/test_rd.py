"""Measuring codecs over photos: that every byte is counted, and that what is written is what was measured."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import codecs, plot, rd
from dsslic_search.bench.metrics import PerceptualDistance, ms_ssim, psnr
from dsslic_search.cli import reference
from dsslic_search.cli.main import main
from dsslic_search.codec import container, decoder, encoder, options
from dsslic_search.codec.layers import residual
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core.errors import MissingExtraError, PhotoError, UsageError

SAMPLES = Path(__file__).parents[2] / "samples"
SIZE = (96, 80)
PIXELS = SIZE[0] * SIZE[1]
PEERS = [name for name in codecs.all_codecs() if not name.startswith("dsslic")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("images")
    for name in ("sunset.jpg", "picos.jpg"):
        with Image.open(SAMPLES / name) as photo:
            photo.resize(SIZE).save(place / f"{name[:-4]}.png")
    return place


@pytest.fixture(scope="module")
def pixels(folder: Path) -> np.ndarray:
    with Image.open(folder / "picos.png") as photo:
        return np.asarray(photo.convert("RGB"))


@pytest.mark.parametrize("name", PEERS)
def test_peers_give_more_for_more_bytes(name: str, pixels: np.ndarray):
    codec = codecs.all_codecs()[name]
    ladder = codec.ladder[0], codec.ladder[len(codec.ladder) // 2], codec.ladder[-1]
    files = [codec.encode(pixels, setting) for setting in ladder]
    shown = [codec.decode(file) for file in files]
    for file, picture in zip(files, shown, strict=True):
        assert picture.shape == pixels.shape
        assert picture.dtype == np.uint8
        assert codec.cut(file) == file
        if not name.endswith("-planes"):
            assert codec.layers(file) == {"file": len(file)}
    assert len(files[0]) < len(files[1]) < len(files[2])
    quality = [psnr(pixels, picture) for picture in shown]
    assert 13 < quality[0] < quality[1] < quality[2]
    # half the colour samples set a limit, and so do headers beside few bytes
    limited = name in ("webp", "bpg420", "j2k") or name.endswith("-planes")
    assert quality[2] > (33 if limited else 40)


@pytest.mark.parametrize("name", ["jpeg", "webp", "j2k"])
def test_three_grey_pictures_are_what_each_plane_is_alone(name: str, pixels: np.ndarray):
    known = codecs.all_codecs()
    codec, alone = known[f"{name}-planes"], known[name]
    assert codec.ladder == alone.ladder
    setting = codec.ladder[4]
    files = [alone.encode(np.ascontiguousarray(pixels[..., i]), setting) for i in range(3)]
    kept = codec.encode(pixels, setting)
    assert list(codec.layers(kept).items()) == list(
        zip(("red", "green", "blue"), map(len, files), strict=True)
    )
    for i, file in enumerate(files):
        assert np.array_equal(codec.decode(kept)[..., i], alone.decode(file)[..., 0])


def test_every_ladder_rises_and_every_name_is_in_the_help():
    known = codecs.all_codecs()
    for codec in known.values():
        steps = np.diff(codec.ladder)
        assert (steps > 0).all() or (steps < 0).all()
        assert len(codec.ladder) >= 8
    words = re.sub(r"[^\w,-]", " ", reference.help_of(("bench", "rd"))).split()
    help_text = " ".join(words).replace("- ", "-")
    for name in known:
        assert name in help_text
    assert [codec.name for codec in codecs.find(["jpeg", "bpg444"])] == ["jpeg", "bpg444"]


def test_some_settings_of_a_ladder_are_its_ends_and_others_between(folder: Path):
    assert rd.some_of((1, 2, 4, 8, 16), 2) == [1, 16]
    assert rd.some_of((1, 2, 4, 8, 16), 3) == [1, 4, 16]
    assert rd.some_of((1, 2, 4, 8, 16), 9) == rd.some_of((1, 2, 4, 8, 16), None) == (1, 2, 4, 8, 16)
    found = rd.run(folder, ["jpeg"], points=3, workers=1)["jpeg"]
    assert [mean["setting"] for mean in found["mean"]] == [1, 55, 99]


@pytest.mark.parametrize("names", [[], ["jpeg", "jpeg"], ["jpeg2"]])
def test_names_that_make_no_sense_are_refused(names: list[str]):
    with pytest.raises(UsageError, match="codec"):
        codecs.find(names)


def test_a_pillow_without_the_format_is_named(pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(Image.SAVE, "AVIF")
    with pytest.raises(MissingExtraError, match="cannot write AVIF"):
        codecs.all_codecs()["avif"].encode(pixels, 50)


def test_the_papers_profile_is_measured_by_its_own_name(folder: Path, pixels: np.ndarray):
    names = ["dsslic-paper", "dsslic-paper-444"]
    found = rd.measure(folder / "picos.png", names, (50,))
    for name in names:
        wanted = options.EncodeOptions(50, profile=name.removeprefix("dsslic-"), map_scale=1)
        data = encoder.encode_photo(SourcePhoto(pixels), wanted).data
        assert found[name][0].bytes == len(data)
        assert [e.codec for e in container.read(data).entries if e.kind == "RESI"] == [4]


def test_our_files_are_counted_by_layer_and_cut_after_the_coarse_stage(folder: Path, pixels: np.ndarray):
    found = rd.measure(folder / "picos.png", ["dsslic", "dsslic-coarse", "jpeg"], (30, 70))
    for setting, whole, coarse in zip((30, 70), found["dsslic"], found["dsslic-coarse"], strict=True):
        data = encoder.encode_photo(SourcePhoto(pixels), options.EncodeOptions(quality=setting)).data
        contents = container.read(data)
        assert (whole.setting, whole.image) == (setting, "picos.png")
        assert whole.bytes == len(data) == sum(whole.bytes_by_part.values())
        assert whole.bytes_by_part["header"] == contents.header_bytes
        assert whole.bytes_by_part["residual"] == contents.find(residual.LAYER.kind).length
        assert whole.bpp == pytest.approx(8 * len(data) / PIXELS, abs=1e-6)
        assert coarse.bytes == contents.stage_bytes("coarse") == sum(coarse.bytes_by_part.values())
        assert "residual" not in coarse.bytes_by_part
        assert coarse.encode_cpu_seconds == whole.encode_cpu_seconds > 0
        for row, stage in ((whole, "full"), (coarse, "coarse")):
            shown = decoder.decode_stage(data, stage).pixels
            assert row.psnr_rgb == pytest.approx(psnr(pixels, shown), abs=1e-4)
            assert row.ms_ssim == pytest.approx(ms_ssim(pixels, shown), abs=1e-6)
            assert row.lpips == pytest.approx(PerceptualDistance(pixels)(shown), abs=1e-5)
            assert row.decode_cpu_seconds > 0
    assert [row.setting for row in found["jpeg"]] == [30, 70]


def test_seconds_count_the_encoders_own_threads(monkeypatch: pytest.MonkeyPatch):
    """x265 encodes in a thread of its own: the whole process's seconds count, the calling thread's would miss
    nearly all."""
    spent = iter((10.0, 12.5))
    monkeypatch.setattr(rd.time, "process_time", lambda: next(spent))
    assert rd._timed(lambda a, b: a + b, 2, 3) == (5, 2.5)


def test_means_are_those_of_the_rows_whoever_works(folder: Path):
    done = []
    alone = rd.run(folder, ["jpeg"], workers=1, progress=lambda *at: done.append(at))
    assert done == [(n, 2) for n in (0, 1, 2)]
    shared = rd.run(folder, ["jpeg"], workers=2)
    for name, result in alone.items():
        timeless = [
            [{k: v for k, v in row.items() if "seconds" not in k} for row in r[name]["rows"]]
            for r in (alone, shared)
        ]
        assert timeless[0] == timeless[1]
        assert result["photos"] == 2
        for mean in result["mean"]:
            rows = [row for row in result["rows"] if row["setting"] == mean["setting"]]
            assert [row["image"] for row in rows] == ["picos.png", "sunset.png"]
            assert mean["bpp"] == pytest.approx(
                np.mean([8 * row["bytes"] / PIXELS for row in rows]), abs=2e-6
            )
            assert mean["psnr_rgb"] == pytest.approx(np.mean([row["psnr_rgb"] for row in rows]), abs=1e-5)
            assert mean["ms_ssim_db"] == pytest.approx(
                -10 * np.log10(1 - np.mean([row["ms_ssim"] for row in rows])), abs=0.01
            )
            assert mean["bpp_as_the_paper_counts"] == pytest.approx(mean["bpp"] / 3, abs=1e-6)
            assert sum(mean["bpp_by_part"].values()) == pytest.approx(mean["bpp"], abs=1e-5)


def test_photos_that_cannot_be_measured_are_named(tmp_path: Path):
    with pytest.raises(UsageError, match="no photos here"):
        rd.run(tmp_path, ["jpeg"], workers=1)
    Image.new("RGB", (200, 30)).save(tmp_path / "flat.png")
    with pytest.raises(PhotoError, match=r"flat\.png: a side has fewer than 31"):
        rd.run(tmp_path, ["jpeg"], workers=1)
    (tmp_path / "flat.png").write_bytes(b"no picture")
    with pytest.raises(PhotoError, match=r"flat\.png"):
        rd.run(tmp_path, ["jpeg"], workers=2)


def test_a_photo_of_one_grey_is_no_infinity(tmp_path: Path):
    Image.new("L", (64, 64), 128).save(tmp_path / "grey.png")
    result = rd.run(tmp_path, ["jxl"], workers=1)["jxl"]
    assert all(mean["psnr_rgb"] <= rd.EQUAL_PSNR for mean in result["mean"])
    json.dumps(result, allow_nan=False)


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["dss-search", "bench", "rd", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_the_command_writes_a_file_a_codec_and_the_comparison(
    folder: Path, tmp_path: Path, monkeypatch, capsys
):
    out = tmp_path / "results" / "rd"
    options = ("--images", folder, "--workers", 1, "--out", out)
    assert command(monkeypatch, *options, "--codecs", "bpg444,jpeg", "--no-plots") == 0
    assert {p.name for p in out.iterdir()} == {"bpg444.json", "jpeg.json", "comparison.json"}
    written = json.loads((out / "jpeg.json").read_text())
    assert {"date", "machine", "versions", "encoder", "mean", "rows"} <= set(written)
    compared = json.loads((out / "comparison.json").read_text())
    rate = compared["bd_rate_percent"]["jpeg"]["psnr_rgb"]["all"]["percent"]
    assert 10 < rate < 400
    assert f"{rate:+.2f}" in capsys.readouterr().err
    pytest.importorskip("matplotlib")
    assert command(monkeypatch, *options, "--codecs", "jpeg") == 2
    assert "is there already; replace it with --force" in capsys.readouterr().err
    assert command(monkeypatch, *options, "--codecs", "jpeg", "--force") == 0
    assert {p.name for p in out.iterdir()} >= {"psnr.png", "psnr.svg", "ms-ssim.png", "lpips.svg"}


def test_the_command_refuses_before_it_measures(folder: Path, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(rd, "run", lambda *_, **__: pytest.fail("measured"))
    (tmp_path / "file").write_text("")
    assert command(monkeypatch, "--images", folder, "--codecs", "jpeg", "--out", tmp_path / "file") == 2
    assert "is a file; name a folder to write into" in capsys.readouterr().err
    assert (
        command(monkeypatch, "--images", folder, "--codecs", "jpeg", "--out", tmp_path / "file" / "in it")
        == 1
    )
    assert "cannot be written" in capsys.readouterr().err
    monkeypatch.setattr(plot, "check_installed", lambda: (_ for _ in ()).throw(UsageError("no matplotlib")))
    assert command(monkeypatch, "--images", folder, "--codecs", "jpeg", "--out", tmp_path / "new") == 2
    assert not (tmp_path / "new").exists()


def test_the_command_prints_json_without_a_folder(folder: Path, monkeypatch, capsys):
    assert command(monkeypatch, "--images", folder, "--codecs", "jpeg", "--workers", 1) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["codecs"]["jpeg"]["photos"] == 2
    assert "bd_rate_percent" not in printed
