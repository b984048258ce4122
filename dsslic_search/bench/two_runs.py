"""Two results of rate and distortion beside each other: a codec before and after a change, or two codecs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsslic_search.bench import record
from dsslic_search.bench.compare import MEASURES, RANGES, bd_rates
from dsslic_search.bench.exchange import Means
from dsslic_search.core.errors import UsageError

SECONDS = {"encode_cpu_seconds": "encode", "decode_cpu_seconds": "decode"}
AT = {"bpp": 6, "psnr_rgb": 4, "ms_ssim": 6, "lpips": 6}  # decimals


def compare(one: Mapping[str, Means], other: Mapping[str, Means]) -> dict[str, Any]:
    """Of each codec that both have, or of the only one of each: "bd_rate_percent" of the other against the
    one, as `bench.compare.bd_rates` has it, by measure that both tell; "settings": what each of both has,
    where they are of the same setting; "seconds": how long the other takes, the one being 1. UsageError
    where there are no two to compare."""
    pairs = {name: (one[name], other[name]) for name in one if name in other}
    if not pairs and len(one) == len(other) == 1:
        [(before, first)], [(after, second)] = one.items(), other.items()
        pairs = {f"{after} against {before}": (first, second)}
    if not pairs:
        raise UsageError(
            f"nothing to compare: the first file is about {', '.join(one)}, the second about "
            f"{', '.join(other)}"
        )
    return {name: _compared(*pair) for name, pair in pairs.items()}


def _compared(first: Means, second: Means) -> dict[str, Any]:
    told = [m for m in MEASURES if all(m in mean for mean in (*first, *second))]
    by_setting = {mean["setting"]: mean for mean in second if "setting" in mean}
    settings = [
        {
            "setting": mean["setting"],
            **{
                name: [round(float(each[name]), places) for each in (mean, by_setting[mean["setting"]])]
                for name, places in AT.items()
                if name in mean and name in by_setting[mean["setting"]]
            },
        }
        for mean in first
        if mean.get("setting") in by_setting
    ]
    seconds = {}
    for name, short in SECONDS.items():
        if all(name in mean for mean in (*first, *second)):
            sums = [sum(mean[name] for mean in means) / len(means) for means in (first, second)]
            seconds[short] = round(sums[1] / sums[0], 3) if sums[0] else None
    return {
        "bd_rate_percent": {measure: bd_rates(first, second, measure) for measure in told},
        "settings": settings,
        "seconds": seconds,
    }


def _figure(found: Mapping[str, Any] | None) -> str:
    return "–" if found is None else f"{found['percent']:+.2f}"


def table(compared: Mapping[str, Any]) -> list[str]:
    """For people, line by line."""
    lines = []
    for name, found in compared.items():
        lines.append(f"{name}: BD-rate, %, the second against the first")
        lines += record.table(
            ("", *RANGES.values()),
            [
                (
                    MEASURES[measure],
                    *map(_figure, by.values()),
                )
                for measure, by in found["bd_rate_percent"].items()
            ],
        )
        if found["settings"]:
            head = [n for n in AT if n in found["settings"][0]]
            lines += record.table(
                ("setting", *(f"{n} {which}" for n in head for which in (1, 2))),
                [
                    (f"{row['setting']:g}", *(f"{value:g}" for n in head for value in row[n]))
                    for row in found["settings"]
                ],
            )
        if found["seconds"]:
            told = ", ".join(f"{short} × {factor}" for short, factor in found["seconds"].items())
            lines.append(f"processor time of the second: {told}")
    return lines
