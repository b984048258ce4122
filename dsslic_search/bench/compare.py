"""What the results of :mod:`dsslic_search.bench.rd` say of the codecs beside each other: BD-rates, and LPIPS
at equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dsslic_search.bench import record
from dsslic_search.bench.metrics import bd_rate, quality_at, rate_at

ANCHOR = "bpg444"
OURS, COARSE, PAPERS = "dsslic", "dsslic-coarse", "bpgrgb"
MEASURES = {"psnr_rgb": "PSNR", "ms_ssim_db": "MS-SSIM", "lpips": "LPIPS"}
RANGES = {"all": "all", "31-42 dB": "31–42 dB", "0.1-0.4 bpp": "0.1–0.4 bpp"}  # name: how people write it
_PSNR_RANGE, _BPP_RANGE = (31.0, 42.0), (0.1, 0.4)
_MIN_COVERED_SHARE = 0.5  # of a range must be covered for a figure over it

Curve = tuple[list[float], list[float]]


def curve(means: Sequence[Mapping[str, Any]], measure: str) -> Curve:
    """Rates (bpp) and qualities of a codec's means, the more the better (so −LPIPS), without settings that
    cost more and give no more."""
    sign = -1 if measure == "lpips" else 1
    rates: list[float] = []
    qualities: list[float] = []
    for rate, quality in sorted(
        ((m["bpp"], sign * m[measure]) for m in means), key=lambda point: (point[0], -point[1])
    ):
        if not qualities or quality > qualities[-1]:
            rates.append(rate)
            qualities.append(quality)
    return rates, qualities


def compare(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """BD-rates of each codec against :data:`ANCHOR`, of ours also against the paper's own baseline, BPG in
    RGB mode, and LPIPS of the coarse stage against the others at its own bytes, so far as those codecs are
    among ``results`` (codec → result)."""
    found: dict[str, Any] = {}
    if ANCHOR in results:
        found["anchor"] = ANCHOR
        found["bd_rate_percent"] = {
            name: {
                measure: bd_rates(results[ANCHOR]["mean"], result["mean"], measure) for measure in MEASURES
            }
            for name, result in results.items()
        }
    if OURS in results and PAPERS in results:
        ours, papers = results[OURS]["mean"], results[PAPERS]["mean"]
        found["bd_rate_percent_against_papers_baseline"] = {
            OURS: {m: bd_rates(papers, ours, m) for m in MEASURES}
        }
    if COARSE in results:
        others = {name: result["rows"] for name, result in results.items() if not name.startswith("dsslic")}
        found["lpips_at_bytes_of_coarse"] = at_equal_bytes(results[COARSE]["rows"], others)
    return found


def bd_rates(
    anchor: Sequence[Mapping[str, Any]], means: Sequence[Mapping[str, Any]], measure: str
) -> dict[str, dict[str, Any] | None]:
    """By range: "percent" (negative: fewer bits), from which quality of the measure to which, and whether
    that is the "whole" range.

    The ranges are pieces of the anchor's curve: all of it, where its PSNR is 31–42 dB, where its rate is
    0.1–0.4 bpp. Where a codec does not cover a range, the figure is over what it covers of it; None when that
    is less than half, or nothing.
    """
    by_psnr, by_measure, other = curve(anchor, "psnr_rgb"), curve(anchor, measure), curve(means, measure)
    found: dict[str, dict[str, Any] | None] = {}
    for name, rates in (
        ("all", lambda: None),
        ("31-42 dB", lambda: _rates(by_psnr)),
        ("0.1-0.4 bpp", lambda: _BPP_RANGE),
    ):
        try:
            found[name] = _over(by_measure, other, rates())
        except ValueError:
            found[name] = None
    return found


def _rates(by_psnr: Curve) -> tuple[float, float]:
    return rate_at(*by_psnr, _PSNR_RANGE[0]), rate_at(*by_psnr, _PSNR_RANGE[1])


def _over(anchor: Curve, other: Curve, rates: tuple[float, float] | None) -> dict[str, Any] | None:
    """The BD-rate where the anchor has ``rates``, or wherever both curves are. ValueError where there is
    nothing to compare."""
    low, high = anchor[1][0], anchor[1][-1]
    if rates is not None:
        low, high = quality_at(*anchor, rates[0]), quality_at(*anchor, rates[1])
    start, end = max(low, anchor[1][0], other[1][0]), min(high, anchor[1][-1], other[1][-1])
    if rates is not None and end - start < _MIN_COVERED_SHARE * (high - low):
        return None
    percent = bd_rate(*anchor, *other, (start, end))
    return {
        "percent": round(percent, 2),
        "from": round(start, 4),
        "to": round(end, 4),
        "whole": rates is None or (start, end) == (low, high),
    }


def at_equal_bytes(
    rows: Sequence[Mapping[str, Any]], others: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """By setting of ``rows``: mean bpp and LPIPS, and by other codec "lpips", the mean of what it has at each
    photo's own rate (between its settings, in the logarithm of the rate), beside "ours" on the same photos,
    in how many "photos" it has files that small, and in how many of them ours is "better"; None where it has
    none. Settings that give the same as an earlier one are left out.
    """
    found: list[dict[str, Any]] = []
    for setting in dict.fromkeys(row["setting"] for row in rows):
        ours = [row for row in rows if row["setting"] == setting]
        means = {name: round(float(np.mean([row[name] for row in ours])), 6) for name in ("bpp", "lpips")}
        if any(means.items() <= earlier.items() for earlier in found):
            continue
        found.append(
            {
                "setting": setting,
                **means,
                "others": {name: _beside(ours, theirs) for name, theirs in others.items()},
            }
        )
    return found


def _beside(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    pairs = []
    for row in ours:
        points = sorted((other["bpp"], other["lpips"]) for other in theirs if other["image"] == row["image"])
        if points and points[0][0] <= row["bpp"] <= points[-1][0]:
            rates, distances = zip(*points, strict=True)
            pairs.append((row["lpips"], float(np.interp(np.log(row["bpp"]), np.log(rates), distances))))
    if not pairs:
        return None
    ours_mean, theirs_mean = np.mean(pairs, axis=0)
    return {
        "lpips": round(float(theirs_mean), 6),
        "ours": round(float(ours_mean), 6),
        "photos": len(pairs),
        "better": sum(mine < other for mine, other in pairs),
    }


def table(compared: Mapping[str, Any]) -> list[str]:
    """:func:`compare`'s findings for people, line by line."""
    lines = []
    rates = dict(compared.get("bd_rate_percent", {}))
    for name, of in compared.get("bd_rate_percent_against_papers_baseline", {}).items():
        rates[f"{name} against {PAPERS}"] = of
    if rates:
        columns = [(measure, part) for measure in ("psnr_rgb", "ms_ssim_db") for part in RANGES]
        lines.append("BD-rate, %" + (f", against {compared['anchor']}" if "anchor" in compared else ""))
        lines += record.table(
            ("", *(f"{MEASURES[measure]}, {RANGES[part]}" for measure, part in columns)),
            [
                (name, *(_figure(of[measure][part]) for measure, part in columns))
                for name, of in rates.items()
            ],
        )
        if any(
            found and not found["whole"]
            for of in rates.values()
            for parts in of.values()
            for found in parts.values()
        ):
            lines.append("* over the part of the range that the codec covers")
    for row in compared.get("lpips_at_bytes_of_coarse", []):
        others = (f"{name} {_beside_text(found)}" for name, found in row["others"].items())
        lines.append(
            f"coarse {row['setting']:g}: {row['bpp']:.4f} bpp, LPIPS {row['lpips']:.4f}; at its bytes: "
            + ", ".join(others)
        )
    return lines


def _figure(found: Mapping[str, Any] | None) -> str:
    return "–" if found is None else f"{found['percent']:+.2f}{' ' if found['whole'] else '*'}"


def _beside_text(found: Mapping[str, Any] | None) -> str:
    return (
        "too large"
        if found is None
        else f"{found['lpips']:.4f} (ours better in {found['better']} of {found['photos']})"
    )
