"""How fast a folder of photos goes into a fresh archive, and where the time goes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from dsslic_search.api import Archive
from dsslic_search.bench.rd import photos_in
from dsslic_search.codec import container, decoder, encoder, options
from dsslic_search.codec.picture.open import open_photo
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS
from dsslic_search.networks import runtime

STAGES = ("map", "compact", "coarse", "full")


def run(folder: Path, quality: int) -> dict[str, Any]:
    """Ingest ``folder`` once on all cores into a temporary archive, then time each step photo by photo on one
    thread."""
    paths = photos_in(folder)
    for name in ("segnet", "compnet", "finenet"):
        runtime.network(name)
    with tempfile.TemporaryDirectory() as place:
        archive = Archive(Path(place) / "archive")
        began = time.perf_counter()
        report = archive.ingest([folder], quality=quality)
        seconds = time.perf_counter() - began
    return {
        "photos": len(paths),
        "quality": quality,
        "added": report.added,
        "seconds": round(seconds, 2),
        "photos_per_second": round(report.added / seconds, 3),
        "bytes_in": report.bytes_in,
        "bytes_stored": report.bytes_stored,
        **_by_stage(paths, quality),
    }


def _by_stage(paths: list[Path], quality: int) -> dict[str, Any]:
    encode: dict[str, list[float]] = {}
    decode: dict[str, list[float]] = {stage: [] for stage in STAGES}
    bytes_by_layer: dict[str, list[int]] = {}
    prefixes: dict[str, list[int]] = {stage: [] for stage in STAGES}
    runtime.use_one_thread()
    for path in paths:
        began = time.perf_counter()
        photo = open_photo(path.read_bytes(), path.name, DEFAULT_MAX_PIXELS)
        opened = (time.perf_counter() - began) * 1000
        encoded = encoder.encode_photo(photo, options.EncodeOptions(quality))
        for step, spent in {"open": opened, **encoded.milliseconds}.items():
            encode.setdefault(step, []).append(spent)
        contents = container.read(encoded.data)
        for entry in contents.entries:
            bytes_by_layer.setdefault(entry.kind, []).append(entry.length)
        bytes_by_layer.setdefault("header", []).append(contents.header_bytes)
        for stage in STAGES:
            prefix = encoded.data[: contents.stage_bytes(stage)]
            prefixes[stage].append(len(prefix))
            began = time.perf_counter()
            decoder.decode_stage(prefix, stage)
            decode[stage].append((time.perf_counter() - began) * 1000)
    return {
        "encode_milliseconds_median": _medians(encode),
        "decode_milliseconds_median": _medians(decode),
        "mean_bytes_by_layer": {
            k: round(float(np.sum(v)) / len(paths), 1) for k, v in bytes_by_layer.items()
        },
        "mean_bytes_to_read_by_stage": {k: round(float(np.mean(v)), 1) for k, v in prefixes.items()},
    }


def _medians(samples: dict[str, list[float]]) -> dict[str, float]:
    return {name: round(float(np.median(values)), 1) for name, values in samples.items()}
