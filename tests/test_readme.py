"""The README is short, its figures are those of the results, and its commands print what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
RESULTS = ROOT / "docs" / "results"


def result(name: str) -> Any:
    return json.loads((RESULTS / name).read_text())


def figures(row: str) -> list[float]:
    """The numbers of a row of the table of results."""
    (line,) = [line for line in README.splitlines() if line.startswith(f"| {row}")]
    return [float(each) for each in re.findall(r"\d+\.\d+|\d+(?= %)", line.split("|")[2])]


def test_it_is_short_and_says_what_everybody_has_to_know():
    assert len(README.splitlines()) < 180
    for said in ("make demo", "make test", "lean on\n   FineNet", "*w* = 0"):
        assert said in README


def test_the_figures_of_the_codec_are_those_of_the_results():
    ours = result("rd/comparison.json")["bd_rate_percent"]["dsslic"]
    by_measure = [abs(round(ours[name]["all"]["percent"], 1)) for name in ("psnr_rgb", "ms_ssim_db", "lpips")]
    assert figures("bytes at equal PSNR") == by_measure
    assert ours["psnr_rgb"]["all"]["percent"] < 0 < ours["lpips"]["all"]["percent"]
    every = result("rd/comparison.json")["bd_rate_percent"]
    tuned, avif = (
        {of: -each["all"]["percent"] for of, each in every[name].items()} for name in ("dsslic-ssim", "avif")
    )
    by_turns = (tuned["psnr_rgb"], tuned["ms_ssim_db"], avif["ms_ssim_db"], tuned["lpips"], avif["lpips"])
    assert figures("the same with `--tune ssim`") == [round(percent, 1) for percent in by_turns]
    paper = result("paper-protocols.json")
    honest, counted = (
        paper[by]["bd_rate_percent"]["dsslic-paper"]["psnr_rgb"]["all"]["percent"]
        for by in ("honest", "paper")
    )
    assert figures("the paper's way") == [round(honest), round(-counted)]
    coarse = {each["setting"]: each for each in result("rd/comparison.json")["lpips_at_bytes_of_coarse"]}
    beside = coarse[85]["others"]["bpg444"]
    assert figures("coarse stage") == [
        round(beside["ours"], 3),
        round(beside["lpips"], 3),
        round(coarse[85]["bpp"], 3),
        round(coarse[60]["bpp"], 3),
    ]
    assert all(
        coarse[n]["others"]["bpg444"]["ours"] > coarse[n]["others"]["bpg444"]["lpips"] for n in (1, 50, 60)
    )
    assert figures("label maps") == [round(result("label-map.json")["ratio"]["flif_E100"], 2)]
    milliseconds = result("ingest.json")["encode_milliseconds_median"]
    assert figures("time to encode") == [
        round(sum(milliseconds.values()) / 1000, 1),
        round(milliseconds["residual"] / 1000, 1),
    ]
    levers = result("levers.json")["bd_rate_psnr_percent"]
    lost = levers["colour axes, trust 64/64"]["mean"] - levers["colour axes"]["mean"]
    assert f"that costs {lost:.1f} points" in README


def test_the_figures_of_answers_are_those_of_the_results():
    segnet = result("segmentation.json")["segnet"]
    labels = figures("labels of 267")
    assert labels == [round(segnet["pixel_accuracy"], 3), round(segnet["mean_iou"], 3)]
    kinds = result("search.json")["predicates"]["by_kind"]
    asked = ("presence", "coverage", "position", "relation", "count")
    assert figures("answers beside") == [round(kinds[kind]["f1"], 2) for kind in asked]
    alike = result("search.json")["retrieval"]["layout_ndcg@10"]
    ways = ("layout", "class histogram", "colour histogram")
    assert figures("photos laid out") == [round(alike[way]["all"], 3) for way in ways]
    medians = {kind: each["p50"] for kind, each in result("speed-1m.json")["milliseconds"].items()}
    least, most = min(medians, key=medians.__getitem__), max(medians, key=medians.__getitem__)
    assert (least, most) == ("presence", "layout and class")
    assert figures("time to answer") == [round(medians[least], 1), round(medians[most], 1)]
    inputs = sum(each["inputs"] for each in result("hostile.json")["targets"].values())
    assert figures("made-up bytes") == []
    assert f"{inputs / 1e6:.1f} million inputs" in README
