"""Results of rate and distortion in files: those of `bench.rd`, and such as CompressAI's programs write and
plot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dsslic_search.core.errors import FormatError, PhotoError
from dsslic_search.core.text import counted

FORMATS = ("own", "compressai")
THEIRS = {
    "bpp": "bpp",
    "psnr-rgb": "psnr_rgb",
    "ms-ssim-rgb": "ms_ssim",
    "lpips": "lpips",
    "encoding_time": "encode_cpu_seconds",
    "decoding_time": "decode_cpu_seconds",
}
"""CompressAI's names of what `bench.rd` measures. Its times are those of a wall clock, ours of processors."""
_ALSO = {"psnr": "psnr_rgb", "ms-ssim": "ms_ssim", "msssim": "ms_ssim"}  # in older files of theirs

Means = Sequence[Mapping[str, Any]]


def compressai(result: Mapping[str, Any]) -> dict[str, Any]:
    """A codec's result as CompressAI has it: lists over the settings, from the fewest bits."""
    means = sorted(result["mean"], key=lambda mean: mean["bpp"])
    lists = {theirs: [mean[ours] for mean in means] for theirs, ours in THEIRS.items()}
    described = f"{result['label']}: {result['encoder']}; means of {counted(result['photos'], 'photo')}"
    return {"name": result["codec"], "description": described, "results": lists}


def read_results(path: Path) -> dict[str, Means]:
    """The means of each codec in a file: one that `bench rd` wrote of a codec, all of them together, or
    CompressAI's. FormatError for anything else, PhotoError where it cannot be read."""
    try:
        raw = json.loads(path.read_text("utf-8"))
    except OSError as e:
        raise PhotoError(f"{path}: cannot be read ({e.strerror}); check the path") from e
    except (ValueError, RecursionError) as e:
        raise FormatError(f"{path}: not JSON ({e})") from e
    try:
        if "results" in raw:
            found = {str(raw.get("name", path.stem)): _theirs(raw["results"])}
        elif "codecs" in raw:
            found = {str(name): _ours(each) for name, each in raw["codecs"].items()}
        else:
            found = {str(raw["codec"]): _ours(raw)}
    except (KeyError, TypeError, AttributeError, ValueError) as e:
        raise FormatError(
            f"{path}: no results of rate and distortion ({e}); it takes a codec's file of bench rd, or one "
            "of CompressAI"
        ) from e
    return found


def _ours(result: Mapping[str, Any]) -> Means:
    means = [dict(mean) for mean in result["mean"]]
    for mean in means:
        _ = float(mean["bpp"]), float(mean["psnr_rgb"])
    return means


def _theirs(lists: Mapping[str, Sequence[float]]) -> Means:
    from dsslic_search.bench.metrics import ms_ssim_db

    known = {name: [float(v) for v in lists[name]] for name in {**THEIRS, **_ALSO} if name in lists}
    if len({len(values) for values in known.values()}) != 1:
        raise ValueError("its lists are of different lengths")
    names = {**THEIRS, **_ALSO}
    means = [{names[name]: values[i] for name, values in known.items()} for i in range(len(known["bpp"]))]
    for mean in means:
        if "ms_ssim" in mean:
            # older files have it in decibels already
            mean["ms_ssim_db"] = ms_ssim_db(mean["ms_ssim"]) if mean["ms_ssim"] <= 1 else mean["ms_ssim"]
        _ = mean["psnr_rgb"]
    return means
