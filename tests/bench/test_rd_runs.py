"""Runs of rate and distortion: chosen qualities and photos, going on, files of others, two beside each
other, and BD-rates against a library's."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import bjontegaard
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dsslic_search.bench import compare, exchange, rd, two_runs
from dsslic_search.bench.codecs import all_codecs
from dsslic_search.bench.metrics import bd_rate
from dsslic_search.cli.main import main
from dsslic_search.core.errors import FormatError, PhotoError, UsageError

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results" / "rd"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("images")
    for name in ("sunset.jpg", "picos.jpg"):
        with Image.open(ROOT / "samples" / name) as photo:
            photo.resize((64, 64)).save(place / f"{name[:-4]}.png")
    return place


def library(anchor: compare.Curve, other: compare.Curve) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that curves overlap little
        found = bjontegaard.bd_rate(
            *anchor, *other, method="pchip", require_matching_points=False, min_overlap=0
        )
    return float(found)


def test_bd_rates_are_those_of_a_library():
    compared: list[str] = []
    results = {p.stem: json.loads(p.read_text()) for p in RESULTS.glob("*.json") if p.stem != "comparison"}
    for name, result in results.items():
        for measure in ("psnr_rgb", "ms_ssim_db"):
            curves = [compare.curve(each["mean"], measure) for each in (results["bpg444"], result)]
            if max(q[0] for _, q in curves) < min(q[-1] for _, q in curves):
                compared.append(name)
                assert bd_rate(*curves[0], *curves[1]) == pytest.approx(library(*curves), abs=1e-6), name
    assert len(set(compared)) >= 8


steps = st.lists(st.floats(0.01, 2), min_size=4, max_size=8)


@settings(max_examples=40)
@given(steps, steps, steps, steps)
def test_bd_rates_of_any_curves_are_those_of_a_library(a, b, c, d):
    curves = []
    for rates, qualities in ((a, b), (c, d)):
        n = min(len(rates), len(qualities))
        curves.append((np.exp(np.cumsum(rates[:n])).tolist(), (30 + np.cumsum(qualities[:n])).tolist()))
    low, high = max(q[0] for _, q in curves), min(q[-1] for _, q in curves)
    if high - low > 0.01:
        assert bd_rate(*curves[0], *curves[1]) == pytest.approx(library(*curves), rel=1e-6, abs=1e-6)


def test_qualities_and_photos_are_chosen_and_a_run_goes_on(folder: Path, tmp_path: Path, monkeypatch):
    def run(**more):
        return rd.run(folder, ["jpeg"], settings=[20, 60], kept=tmp_path / "kept", workers=1, **more)

    one = run(photos=["picos"])["jpeg"]
    assert [row["image"] for row in one["rows"]] == ["picos.png", "picos.png"]
    assert [mean["setting"] for mean in one["mean"]] == [20, 60]
    measured = []
    plain = rd.measure
    monkeypatch.setattr(rd, "measure", lambda path, *how: measured.append(path.name) or plain(path, *how))
    both = run()["jpeg"]
    assert measured == ["sunset.png"]
    assert both["rows"][:2] == one["rows"]
    progress = []
    assert run(progress=lambda *at: progress.append(at))["jpeg"] == both
    assert (measured, progress) == (["sunset.png"], [(2, 2)])
    for file in (tmp_path / "kept").iterdir():
        file.write_text("{")  # not whole: measured anew
    run()
    assert len(measured) == 3
    rd.run(folder, ["jpeg"], settings=[20], kept=tmp_path / "kept", workers=1)
    assert len(measured) == 5  # other settings are other rows
    with pytest.raises(UsageError, match=r"no photo here is called pico; the first one is picos\.png"):
        run(photos=["pico"])


@pytest.mark.parametrize(
    ("codecs", "settings", "why"),
    [
        (
            "jpeg,bpg444",
            "50,75",
            'codec "bpg444" takes whole numbers from 0 to 51, not 75; measure it by itself',
        ),
        ("dsslic", "101", 'codec "dsslic" takes whole numbers from 1 to 100, not 101'),
        ("webp-planes", "30.5", 'codec "webp-planes" takes whole numbers from 0 to 100, not 30.5'),
        ("jxl", "0.5,-1", 'codec "jxl" takes numbers from 0 to 25, not -1'),
        ("j2k", "nan", 'codec "j2k" takes numbers from 1 to 1000, not nan'),
    ],
)
def test_settings_that_a_codec_does_not_take_are_told_before_anything_is_measured(
    folder: Path, capsys, monkeypatch, codecs: str, settings: str, why: str
):
    measured = []
    monkeypatch.setattr(rd, "measure", lambda path, *how: measured.append(path))
    arguments = ["--images", str(folder), "--codecs", codecs, "--qualities", settings, "--workers", "1"]
    monkeypatch.setattr(sys, "argv", ["dss-search", "bench", "rd", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, measured) == (2, [])
    assert capsys.readouterr().err.startswith(f"dss-search: {why}")


@pytest.mark.parametrize(
    "name", ["bpg420", "hevc444-10", "avif", "jxl", "webp", "jpeg", "j2k", "jpeg-planes"]
)
def test_codecs_take_the_ends_of_what_they_take(name: str):
    codec = all_codecs()[name]
    pixels = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)
    for setting in (codec.takes.least, codec.takes.most, *codec.ladder):
        assert setting in codec.takes
        assert codec.decode(codec.encode(pixels, setting)).shape == pixels.shape


def test_results_go_to_compressai_and_come_back(tmp_path: Path):
    whole = json.loads((RESULTS / "jpeg.json").read_text())
    theirs = exchange.compressai(whole)
    assert set(theirs) == {"name", "description", "results"}
    lists = theirs["results"]
    assert {"bpp", "psnr-rgb", "ms-ssim-rgb", "encoding_time", "decoding_time"} <= set(lists)
    assert lists["bpp"] == sorted(lists["bpp"])
    (tmp_path / "jpeg.json").write_text(json.dumps(theirs))
    [(name, means)] = exchange.read_results(tmp_path / "jpeg.json").items()
    assert name == "jpeg"
    own = exchange.read_results(RESULTS / "jpeg.json")["jpeg"]
    for mine, back in zip(sorted(own, key=lambda m: m["bpp"]), means, strict=True):
        assert all(back[key] == pytest.approx(mine[key], abs=1e-4) for key in back)
    older = {"results": {"bpp": [0.1, 0.2], "psnr": [30, 32], "ms-ssim": [12.5, 15.0]}}
    (tmp_path / "old.json").write_text(json.dumps(older))
    assert [m["ms_ssim_db"] for m in exchange.read_results(tmp_path / "old.json")["old"]] == [12.5, 15.0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "no results"),
        ('{"results": {"bpp": [1], "psnr": [1, 2]}}', "different lengths"),
    ],
)
def test_files_without_results_are_told(text: str, says: str, tmp_path: Path):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(FormatError, match=says):
        exchange.read_results(tmp_path / "x.json")
    with pytest.raises(PhotoError, match="cannot be read"):
        exchange.read_results(tmp_path / "none.json")


def test_two_results_stand_beside_each_other(tmp_path: Path, monkeypatch, capsys):
    jpeg, webp = (exchange.read_results(RESULTS / f"{name}.json") for name in ("jpeg", "webp"))
    same = two_runs.compare(jpeg, jpeg)["jpeg"]
    assert {of["all"]["percent"] for of in same["bd_rate_percent"].values()} == {0}
    assert all(pair[0] == pair[1] for row in same["settings"] for k, pair in row.items() if k != "setting")
    assert same["seconds"] == {"encode": 1, "decode": 1}
    slower = {"jpeg": [{**m, "encode_cpu_seconds": 2 * m["encode_cpu_seconds"]} for m in jpeg["jpeg"]]}
    assert two_runs.compare(jpeg, slower)["jpeg"]["seconds"]["encode"] == 2
    [(name, found)] = two_runs.compare(jpeg, webp).items()
    assert name == "webp against jpeg"
    curves = [compare.curve(each, "psnr_rgb") for each in (jpeg["jpeg"], webp["webp"])]
    rate = found["bd_rate_percent"]["psnr_rgb"]["all"]["percent"]
    assert rate == pytest.approx(library(*curves), abs=0.005)
    with pytest.raises(UsageError, match="first file is about jpeg, the second about a, b"):
        two_runs.compare(jpeg, {"a": webp["webp"], "b": webp["webp"]})
    out = tmp_path / "both.json"
    files = [str(RESULTS / "jpeg.json"), str(RESULTS / "webp.json")]
    monkeypatch.setattr(sys, "argv", ["dss-search", "bench", "compare", *files, "--out", str(out)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    assert f"{rate:+.2f}" in capsys.readouterr().err
    assert json.loads(out.read_text())["codecs"]["webp against jpeg"] == found
