"""Plots of results out of docs/results/*.json, one colour and one idea each.

python docs/making/plots.py writes docs/results/plots/*.svg
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
OUT = RESULTS / "plots"
OURS, OTHERS = "#00796b", "#9aa0a6"
STYLE = {"font.family": "sans-serif", "font.size": 9.5, "svg.fonttype": "none", "svg.hashsalt": "dsslic"}


def result(name: str) -> Any:
    return json.loads((RESULTS / name).read_text())


def bars(
    names: list[str], values: list[float], title: str, unit: str, ours: set[str], form: str = "{:.2f}"
) -> Figure:
    """Horizontal bars, the first on top, each with its value beside it."""
    figure = Figure(figsize=(6.4, 0.7 + 0.3 * len(names)), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    colours = [OURS if name in ours else OTHERS for name in names]
    drawn = axes.barh(range(len(names)), values, color=colours)
    axes.bar_label(drawn, [form.format(value).replace("-", "−") for value in values], padding=3)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.axvline(0, color="#333333", linewidth=0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title(title, loc="left", fontsize=10.5)
    axes.set_xlabel(unit)
    return figure


def bd_rates() -> Figure:
    compared = result("rd/comparison.json")["bd_rate_percent"]
    names = {
        "dsslic": "this codec",
        "hevc444-10": "HEVC 4:4:4, 10 bits",
        "bpg420": "BPG 4:2:0",
        "avif": "AVIF 4:4:4",
        "webp": "WebP",
        "jxl": "JPEG XL",
        "bpgrgb": "BPG in RGB mode",
        "jpeg": "JPEG 4:4:4",
    }
    found = {names[key]: compared[key]["psnr_rgb"]["all"]["percent"] for key in names}
    title = "Bytes at equal PSNR on Kodak, beside BPG 4:4:4"
    return bars(list(found), list(found.values()), title, "BD-rate, %", {"this codec"}, "{:+.1f}")


def answers() -> Figure:
    kinds = result("search.json")["predicates"]["by_kind"]
    ordered = sorted(kinds, key=lambda kind: -kinds[kind]["f1"])
    title = "Queries asked of photos, judged by people's labels"
    values = [kinds[kind]["f1"] for kind in ordered]
    return bars(ordered, values, title, "F1, 267 validation photos", set(ordered))


def classes() -> Figure:
    iou = result("segmentation.json")["segnet"]["iou"]
    ordered = sorted(iou, key=lambda name: -iou[name])
    values = [iou[name] for name in ordered]
    return bars(ordered, values, "SegNet by class", "intersection over union", set(ordered))


def times() -> Figure:
    found = {n: result(f"speed-{n}.json")["milliseconds"] for n in ("1m", "10m")}
    ordered = sorted(found["1m"], key=lambda kind: found["1m"][kind]["p50"])
    names = [f"{kind}, {'a million' if n == '1m' else 'ten million'}" for kind in ordered for n in found]
    values = [found[n][kind]["p50"] for kind in ordered for n in found]
    ours = {name for name in names if "a million" in name}
    figure = bars(names, values, "Time to answer, medians", "milliseconds", ours, "{:.1f}")
    figure.axes[0].set_xscale("log")
    return figure


def layouts() -> Figure:
    alike = result("search.json")["retrieval"]["layout_ndcg@10"]
    ordered = [way for way in ("layout", "class histogram", "colour histogram", "random") if way in alike]
    values = [alike[way]["all"] for way in ordered]
    return bars(ordered, values, "Photos laid out alike", "nDCG@10", {"layout"}, "{:.3f}")


PLOTS = {
    "bd-rates": bd_rates,
    "answers": answers,
    "classes": classes,
    "times": times,
    "layouts": layouts,
}


def main(out: Path = OUT) -> None:
    out.mkdir(exist_ok=True)
    with matplotlib.rc_context(STYLE):
        for name, draw in PLOTS.items():
            draw().savefig(out / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
