"""From the paper's way of coding to the one that ships: the ends are what the encoder makes, and what lies
between differs by what is said."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import paper as bench
from dsslic_search.bench.metrics import psnr
from dsslic_search.cli.main import main
from dsslic_search.codec import container, fitting
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto

SAMPLES = Path(__file__).parents[2] / "samples"
SIZE = (322, 97)  # the label map is of half of it


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("images")
    with Image.open(SAMPLES / "picos.jpg") as photo:
        photo.resize(SIZE).save(place / "picos.png")
    return place


@pytest.fixture(scope="module")
def ways(folder: Path) -> dict[str, bench.Way]:
    with Image.open(folder / "picos.png") as photo:
        subject = bench._Subject(np.asarray(photo))
    return dict(zip(bench.STEPS, subject.ways(50), strict=True))


@pytest.mark.parametrize(
    ("step", "options"),
    [
        ("paper", EncodeOptions(50, profile="paper", map_scale=1)),
        ("fixed mapping, 4:4:4", EncodeOptions(50, profile="paper-444", map_scale=1)),
        ("smaller label map", EncodeOptions(50, profile="paper-444")),
        ("restoration", EncodeOptions(50)),
    ],
)
def test_steps_are_what_the_encoder_makes(
    ways: dict[str, bench.Way],
    folder: Path,
    step: str,
    options: EncodeOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        fitting, "FINER_UP_TO_QUALITY", 0
    )  # no step takes the place of something in the paper
    with Image.open(folder / "picos.png") as photo:
        pixels = np.asarray(photo)
    data = encode_photo(SourcePhoto(pixels), options).data
    contents = container.read(data)
    chunks = [container.read_chunk(data, contents, e.kind) for e in contents.entries]
    sizes = {chunk.kind: len(chunk.data) for chunk in chunks if chunk is not None}
    way, own_coder = ways[step], step == "smaller label map"
    assert way.psnr_rgb == pytest.approx(psnr(pixels, decode_stage(data).pixels), abs=1e-6)
    assert (way.sizes["compact"], way.sizes["residual"]) == (sizes["COMP"], sizes["RESI"])
    if not own_coder:  # there the profile has FLIF
        assert way.sizes["map"] == sizes["SMAP"]


def test_each_step_changes_what_it_says(ways: dict[str, bench.Way]) -> None:
    sizes = [ways[step].sizes for step in bench.STEPS]
    changed = [{name for name in before if before[name] != after[name]} for before, after in pairwise(sizes)]
    assert changed[0] == {"residual"}
    assert changed[1] == {"map"}
    assert "compact" not in changed[2]
    assert {"compact"} <= changed[3] <= {"compact", "residual"}
    assert changed[4] <= {"residual"}
    assert sizes[2]["map"] < sizes[0]["map"]
    assert sizes[4]["compact"] < sizes[3]["compact"] / 3
    assert ways["restoration"].psnr_rgb > ways["colour axes, no prediction"].psnr_rgb
    assert "coarse" in ways["paper"].decoding
    assert "coarse" not in ways["restoration"].decoding


def test_the_command_gives_means_and_gains(folder: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(bench, "QUALITIES", (40, 50, 70))
    out = tmp_path / "paper.json"
    words = ["dss-search", "bench", "paper", "--images", str(folder), "--workers", "1", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit, match=r"^0$"):
        main()
    told = capsys.readouterr().err
    found = json.loads(out.read_text())
    assert found["photos"] == 1
    assert list(found["steps"]) == list(bench.STEPS)
    for step, means in found["steps"].items():
        assert [mean["quality"] for mean in means] == [40, 50, 70]
        rates = [mean["bpp"] for mean in means]
        assert rates == sorted(rates)
        for mean in means:
            total = sum(mean["bytes"].values())
            assert mean["bpp"] == pytest.approx(8 * total / (SIZE[0] * SIZE[1]), abs=1e-5)
            assert all(seconds >= 0 for seconds in mean["decode_cpu_seconds"].values())
        assert step in told
    gains = found["bd_rate_percent"]
    assert set(gains) == set(bench.STEPS[1:])
    assert gains["restoration"]["against_the_paper"]["percent"] < -10
    assert gains["label-map coder"]["against_the_step_before"]["percent"] < 0
