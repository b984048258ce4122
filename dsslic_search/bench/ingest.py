"""How fast a folder of photos goes into a fresh archive, and where the time goes; and how fast an archive is
described anew from its base layers alone."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dsslic_search.api import Archive
from dsslic_search.archive.store import Store
from dsslic_search.bench.photos import photos_in, read_photo
from dsslic_search.codec import container, decoder, encoder, options
from dsslic_search.networks import runtime

REINDEXED_SIZE = (640, 480)  # width and height of the photos that are described anew
STAGES = ("map", "compact", "coarse", "full")


def run(folder: Path, quality: int) -> dict[str, Any]:
    """Ingest ``folder`` once on all cores into a temporary archive, then time each step photo by photo on one
    thread."""
    paths = photos_in(folder)
    for name in ("segnet", "finenet"):
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
        photo = read_photo(path)
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


# Describing anew


def run_reindex(folder: Path, copies: int) -> dict[str, Any]:
    """Ingest the photos of ``folder`` at 640×480 by reference, ``copies`` mirrored or turned versions of
    each, then reindex.

    ``bytes_read`` is counted where files are read, not taken from the catalog.
    """
    with tempfile.TemporaryDirectory() as place:
        photos = Path(place) / "photos"
        photos.mkdir()
        for path in photos_in(folder):
            with Image.open(path) as opened:
                photo = opened.convert("RGB").resize(REINDEXED_SIZE)
            for i in range(copies):
                version = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if i % 2 else photo
                version = version.point([max(0, v - i // 2) for v in range(256)] * 3)
                version.save(photos / f"{path.stem}-{i}.jpg", quality=90)
        with Archive(Path(place) / "archive") as archive:
            archive.ingest([photos], keep="reference")
            with _Meter() as meter:
                report = archive.reindex()
            stored = archive.statistics().stored_bytes
    return {
        "photos": report.photos,
        "size": list(REINDEXED_SIZE),
        "seconds": round(report.seconds, 3),
        "photos_per_second": round(report.photos / report.seconds, 1),
        "bytes_read": meter.bytes,
        "bytes_of_label_map_prefixes": report.bytes_read,
        "bytes_stored": stored,
    }


class _Meter:
    """Counts the bytes that stores give out."""

    def __init__(self) -> None:
        self.bytes = 0

    def __enter__(self) -> _Meter:
        self._read_prefix = Store.read_prefix
        meter, read_prefix = self, self._read_prefix

        def counted(store: Store, content_hash: str, n: int, *, start: int = 0) -> bytes:
            data = read_prefix(store, content_hash, n, start=start)
            meter.bytes += len(data)
            return data

        Store.read_prefix = counted  # type: ignore[method-assign, assignment]  # the one place that all reads of prefixes pass
        return self

    def __exit__(self, *_error: object) -> None:
        Store.read_prefix = self._read_prefix  # type: ignore[method-assign]  # as it was
