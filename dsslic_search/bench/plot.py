"""Figures of rate and distortion: quality over bits per pixel, one picture a measure, as PNG and SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsslic_search.bench.compare import ANCHOR, MEASURES
from dsslic_search.core.errors import MissingExtraError
from dsslic_search.core.output import NEW_FILES, Outputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float]
EVERY_BYTE = "bits per pixel, every byte of the file counted"

_AXES = {
    "psnr_rgb": "PSNR-RGB, dB",
    "ms_ssim_db": "MS-SSIM in dB, −10 log₁₀(1 − MS-SSIM)",
    "lpips": "LPIPS (AlexNet), smaller is better",
}
_FILES = {"psnr_rgb": "psnr", "ms_ssim_db": "ms-ssim", "lpips": "lpips"}
_OURS = "#c8102e"
_COLOURS = {
    "dsslic": _OURS,
    "dsslic-ssim": "#7d0a1f",
    "dsslic-coarse": "#e8896b",
    "dsslic-paper": "#8f1d3f",
    "dsslic-paper-444": "#d46a9f",
    "bpg444": "#111111",
    "bpg420": "#8a8a8a",
    "bpgrgb": "#7b4b94",
    "hevc444-10": "#4d6a8f",
    "avif": "#0072b2",
    "avif-psnr": "#56b4e9",
    "jxl": "#009e73",
    "webp": "#b8860b",
    "jpeg": "#a0522d",
    "j2k": "#7a9a01",
    "webp-planes": "#b8860b",
    "jpeg-planes": "#a0522d",
    "j2k-planes": "#7a9a01",
}
# inches: left of the axes, their width, the whole height, a letter
_LEFT, _WIDTH, _HEIGHT, _LETTER = 0.75, 5.4, 5.2, 0.078
_MIN_BPP, _MAX_BPP = 0.02, 4.0
_BPP_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 4)
_MIN_LPIPS = 0.001  # less than anybody sees
_LPIPS_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
# of the axes' width or height: from where on a curve's end is at the right side, where the column of labels
# is, and their distance
_COLUMN_FROM, _COLUMN_AT, _LABEL_STEP = 0.7, 1.04, 0.05
_STYLE = {
    "font.family": "sans-serif",
    "font.size": 9.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "dsslic",
    "axes.edgecolor": "#666666",
}


def check_installed() -> None:
    """MissingExtraError when matplotlib is not there."""
    try:
        import matplotlib  # noqa: F401 (only whether it is there)
    except ImportError as e:
        raise MissingExtraError(
            "drawing curves needs matplotlib: pip install 'dsslic-search[bench]', or measure with --no-plots"
        ) from e


def files(folder: Path) -> list[Path]:
    """What `draw` writes into ``folder``."""
    return [folder / f"{_FILES[measure]}.{kind}" for measure in MEASURES for kind in ("png", "svg")]


def draw(
    results: Mapping[str, Mapping[str, Any]],
    compared: Mapping[str, Any],
    folder: Path,
    title: str,
    outputs: Outputs = NEW_FILES,
    rate: str = EVERY_BYTE,
) -> list[Path]:
    """Write psnr, ms-ssim and lpips, each .png and .svg, into ``folder``; returns their paths.

    ``results`` and ``compared`` as :func:`dsslic_search.bench.rd.run` and
    :func:`dsslic_search.bench.compare.compare` give them; ``rate``: what "bpp" is there.
    MissingExtraError when matplotlib is not installed.
    """
    check_installed()
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    written = []
    anchor = compared.get("anchor", ANCHOR)
    with matplotlib.rc_context(_STYLE):
        for measure in MEASURES:
            ends = {
                name: result["label"] + _rate_text(name, compared, measure, anchor)
                for name, result in results.items()
            }
            width = _LEFT + _WIDTH + 0.35 + _LETTER * max(map(len, ends.values()))
            figure = Figure(figsize=(width, _HEIGHT))
            FigureCanvasAgg(figure)
            axes = figure.add_axes((_LEFT / width, 0.105, _WIDTH / width, 0.775))
            _draw_curves(axes, results, ends, measure, anchor)
            axes.set_xlabel(rate)
            figure.text(
                _LEFT / width,
                0.945,
                f"{MEASURES[measure]} over rate, {title}",
                fontsize=12,
                fontweight="bold",
            )
            if compared.get("bd_rate_percent"):
                note = f"percentages: BD-rate against {results[anchor]['label']}, over all rates both have"
                figure.text(_LEFT / width, 0.905, note, color="#555555")
            for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
                path = folder / f"{_FILES[measure]}.{suffix}"
                drawn = io.BytesIO()
                figure.savefig(drawn, format=suffix, dpi=160, metadata=metadata)
                outputs.write(path, drawn.getvalue())
                written.append(path)
    return written


def _draw_curves(
    axes: Axes,
    results: Mapping[str, Mapping[str, Any]],
    texts: Mapping[str, str],
    measure: str,
    anchor: str,
) -> None:
    shown: list[float] = []
    ends: dict[str, Point] = {}
    starts: dict[str, Point] = {}
    for name, result in results.items():
        points = sorted((mean["bpp"], mean[measure]) for mean in result["mean"])
        inside = [point for point in points if _MIN_BPP <= point[0] <= _MAX_BPP]
        if not inside:
            continue
        shown += [value for _, value in inside]
        starts[name], ends[name] = inside[0], inside[-1]
        ours = name.startswith("dsslic")
        axes.plot(
            [rate for rate, _ in points],
            [value for _, value in points],
            color=_colour(name),
            linewidth=2.4 if ours else 1.4,
            linestyle=(0, (5, 2)) if name == anchor else "-",
            marker="o",
            markersize=4 if ours else 2.6,
            zorder=3 if ours or name == anchor else 2,
        )
    _scale(axes, shown, measure)
    axes.set_ylabel(_AXES[measure])
    _label(axes, starts, ends, texts)


def _colour(name: str) -> str:
    return _COLOURS.get(name, "#333333")


def _rate_text(name: str, compared: Mapping[str, Any], measure: str, anchor: str) -> str:
    rates = compared.get("bd_rate_percent", {}).get(name)
    found = rates[measure]["all"] if rates and name != anchor else None
    return f"  {found['percent']:+.1f} %".replace("-", "−") if found else ""


def _scale(axes: Axes, shown: Sequence[float], measure: str) -> None:
    """Better is up in every picture; LPIPS on a logarithmic scale, as it falls by orders of magnitude."""
    axes.set_xscale("log")
    axes.set_xlim(_MIN_BPP, _MAX_BPP)
    axes.set_xticks(_BPP_TICKS, [f"{tick:g}" for tick in _BPP_TICKS])
    axes.set_xticks([], minor=True)
    if measure == "lpips":
        axes.set_yscale("log")
        axes.set_ylim(1.8 * max(shown), max(_MIN_LPIPS, 0.8 * min(shown)))
        axes.set_yticks(_LPIPS_TICKS, [f"{tick:g}" for tick in _LPIPS_TICKS])
        axes.set_yticks([], minor=True)
        axes.set_ylim(1.8 * max(shown), max(_MIN_LPIPS, 0.8 * min(shown)))
    else:
        margin = 0.09 * (max(shown) - min(shown)) or 1.0
        axes.set_ylim(min(shown) - margin, max(shown) + margin)
    axes.grid(True, color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _label(
    axes: Axes, starts: Mapping[str, Point], ends: Mapping[str, Point], texts: Mapping[str, str]
) -> None:
    """Names at the ends of the curves: those that reach the right side in a column there, kept apart, the
    others under their start."""
    place = axes.transData + axes.transAxes.inverted()
    at = {name: tuple(float(v) for v in place.transform(end)) for name, end in ends.items()}
    column = sorted((name for name in at if at[name][0] > _COLUMN_FROM), key=lambda name: -at[name][1])
    for name, height in zip(column, spread([at[name][1] for name in column], _LABEL_STEP), strict=True):
        axes.annotate(
            texts[name],
            xy=(min(1.0, at[name][0]), min(max(at[name][1], 0.0), 1.0)),
            xytext=(_COLUMN_AT, height),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=_colour(name),
            fontweight="bold" if name.startswith("dsslic") else "normal",
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": _colour(name),
                "linewidth": 0.6,
                "alpha": 0.55,
                "shrinkA": 2,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )
    for name in at.keys() - set(column):
        axes.annotate(
            texts[name],
            xy=starts[name],
            xytext=(0, -12),
            textcoords="offset points",
            color=_colour(name),
            fontweight="bold",
            va="center",
        )


def spread(heights: Sequence[float], step: float) -> list[float]:
    """``heights``, falling, moved so that neighbours are at least ``step`` apart, with the least sum of
    squared movements."""
    # of heights to which their rank times the step was added: those must not rise
    blocks: list[list[float]] = []
    for rank, height in enumerate(heights):
        blocks.append([height + rank * step])
        while len(blocks) > 1 and sum(blocks[-1]) / len(blocks[-1]) > sum(blocks[-2]) / len(blocks[-2]):
            last = blocks.pop()
            blocks[-1] += last
    level = [sum(block) / len(block) for block in blocks for _ in block]
    return [height - rank * step for rank, height in enumerate(level)]
