"""The same results of :mod:`dsslic_search.bench.rd` under the paper's way of counting and under this
project's.

The paper (by its public evaluation) counts bits a sample, of three a pixel, and of DSSLIC the label map,
compact image and residual alone; its baselines are BPG in RGB mode and others by three grey pictures. Here
every byte of a file counts, a pixel is a pixel, and the baseline is BPG in YCbCr 4:4:4.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsslic_search.bench import record
from dsslic_search.bench.compare import MEASURES, RANGES, bd_rates
from dsslic_search.core.errors import UsageError

LAYERS = ("map", "compact", "residual")
SHOWN = ("psnr_rgb", "ms_ssim_db")
SAMPLES = 3  # a pixel
Results = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Protocol:
    """``anchor``: the baseline; ``codecs``: those that are counted, where there are results of them;
    ``rate``: what their rates are."""

    anchor: str
    codecs: tuple[str, ...]
    rate: str

    @property
    def per_sample(self) -> bool:
        """Whether rates are the paper's."""
        return self.anchor == "bpgrgb"


_PAPERS = ("dsslic-paper", "dsslic-paper-444")
PROTOCOLS = {
    "paper": Protocol(
        "bpgrgb",
        (*_PAPERS, "bpgrgb", "webp-planes", "j2k-planes", "jpeg-planes"),
        "bits a sample (three a pixel), of DSSLIC its three layers alone",
    ),
    "honest": Protocol(
        "bpg444",
        ("dsslic", *_PAPERS, "bpg444", "bpgrgb", "webp", "j2k", "jpeg"),
        "bits per pixel, every byte of the file counted",
    ),
}

TITLES = {"paper": "as the paper counts", "honest": "every byte counted"}


def read(folders: Sequence[Path]) -> Results:
    """Results by codec, those of a later folder in place of an earlier's. UsageError where there are none."""
    found: Results = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.json"))):
        result = json.loads(path.read_text())
        if {"codec", "label", "mean", "rows"} <= result.keys():
            found[result["codec"]] = result
    if not any(name.startswith("dsslic") for name in found):
        named = ", ".join(map(str, folders))
        raise UsageError(f"{named}: no results of DSSLIC here; make them with dss-search bench rd --out DIR")
    return found


def counted(result: Mapping[str, Any], protocol: Protocol) -> dict[str, Any]:
    """A codec's result with "bpp" as a protocol counts it."""
    means = []
    for mean in result["mean"]:
        rate = mean["bpp"]
        if protocol.per_sample:
            if result["codec"].startswith("dsslic"):
                rate = sum(mean["bpp_by_part"].get(layer, 0.0) for layer in LAYERS)
            rate /= SAMPLES
        means.append({**mean, "bpp": rate})
    return {**result, "mean": means}


def under(results: Results, protocol: Protocol) -> Results:
    """All codecs of a protocol, as it counts them. UsageError where its anchor is not there."""
    if protocol.anchor not in results:
        raise UsageError(
            f"no results of {protocol.anchor} to compare with; measure it with dss-search bench rd"
        )
    return {name: counted(results[name], protocol) for name in protocol.codecs if name in results}


def compared(results: Results, protocol: Protocol) -> dict[str, Any]:
    """BD-rates of the results that :func:`under` gives, against the protocol's anchor."""
    anchor = results[protocol.anchor]["mean"]
    return {
        "anchor": protocol.anchor,
        "bd_rate_percent": {
            name: {measure: bd_rates(anchor, result["mean"], measure) for measure in MEASURES}
            for name, result in results.items()
            if name != protocol.anchor
        },
    }


def run(folders: Sequence[Path]) -> dict[str, Any]:
    """By protocol: its anchor, the points of each codec (rate, PSNR in dB, MS-SSIM), and BD-rates."""
    results = read(folders)
    found = {}
    for name, protocol in PROTOCOLS.items():
        counting = under(results, protocol)
        found[name] = {
            "rate": protocol.rate,
            **compared(counting, protocol),
            "points": {
                codec: [
                    {
                        "setting": mean["setting"],
                        "rate": round(mean["bpp"], 6),
                        "psnr_rgb": mean["psnr_rgb"],
                        "ms_ssim": mean["ms_ssim"],
                    }
                    for mean in result["mean"]
                ]
                for codec, result in counting.items()
            },
        }
    return found


def table(found: Mapping[str, Any]) -> list[str]:
    """BD-rates for people."""
    rows = []
    for name, protocol in found.items():
        for codec, rates in protocol["bd_rate_percent"].items():
            figures = (rates[measure][part] for measure in SHOWN for part in RANGES)
            texts = ("–" if each is None else f"{each['percent']:+.1f}" for each in figures)
            rows.append((f"{name}: {codec} against {protocol['anchor']}", *texts))
    head = ("BD-rate, %", *(f"{MEASURES[measure]}, {RANGES[part]}" for measure in SHOWN for part in RANGES))
    return record.table(head, rows)
