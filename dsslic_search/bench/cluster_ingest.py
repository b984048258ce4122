"""What it costs that photos are encoded on a Ray cluster: photos a second of the same ingest there, with
several numbers of workers, beside as many threads of one process, on this machine, in turn.

Each ingest has a process of its own, which first puts in as many photos as load the networks in each worker,
and is not measured meanwhile. Whether both store the same bytes is counted, not assumed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from dsslic_search.api import Archive
from dsslic_search.bench import record
from dsslic_search.bench.photos import photos_in
from dsslic_search.core.errors import MissingExtraError, UsageError

WARMING = 2  # photos for each worker, before anything is measured
STORE_BYTES = 200_000_000  # of shared memory, for Ray


def run(images: Path, workers: Sequence[int], rounds: int, photos: int | None = None) -> dict[str, Any]:
    """For each number of ``workers``, ``rounds`` times in turn: photos a second by threads and on Ray, their
    ratio (1.1: Ray takes a tenth longer) by the medians, and whether the files are the same. ``photos``: so
    many of ``images`` at most. UsageError where that is too few, MissingExtraError without Ray."""
    try:
        import ray  # noqa: F401  (whether it is there)
    except ImportError as e:
        raise MissingExtraError("this measures Ray: pip install 'dsslic-search[ray]'") from e
    paths = photos_in(images)[:photos]
    if len(paths) < 2:
        raise UsageError(f"{images}: {len(paths)} photos are too few to measure by")
    told: dict[str, Any] = {}
    for count in workers:
        seconds: dict[str, list[float]] = {"threads": [], "ray": []}
        made: set[str] = set()
        for _ in range(rounds):
            for place, taken in seconds.items():
                with ProcessPoolExecutor(1, get_context("spawn")) as process:
                    took, digest = process.submit(_ingest, paths, count, place == "ray").result()
                taken.append(took)
                made.add(digest)
        told[str(count)] = {
            **{f"{place}_seconds": [round(each, 3) for each in taken] for place, taken in seconds.items()},
            **{
                f"{place}_photos_per_second": round(len(paths) / median(taken), 3)
                for place, taken in seconds.items()
            },
            "ray_takes": round(median(seconds["ray"]) / median(seconds["threads"]), 3),
            "same_files": len(made) == 1,
        }
    return {"photos": len(paths), "rounds": rounds, "workers": told}


def _ingest(paths: Sequence[Path], workers: int, on_ray: bool) -> tuple[float, str]:
    """Seconds of the ingest that is measured, and a hash of all its files."""
    address = None
    if on_ray:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        import ray

        ray.init(
            num_cpus=workers,
            object_store_memory=STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
        )
        address = "local"  # where a program is connected already, it is that which is taken
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        warming = place / "warming"
        warming.mkdir()
        for number in range(WARMING * workers):
            path = paths[number % len(paths)]
            shutil.copyfile(path, warming / f"{number}{path.suffix}")
            with (warming / f"{number}{path.suffix}").open("ab") as f:
                f.write(number.to_bytes(2, "big"))  # behind the picture, so that each is another file
        with Archive(place / "first") as archive:
            archive.ingest(warming, workers=workers, ray=address)
        with Archive(place / "archive") as archive:
            began = time.perf_counter()
            report = archive.ingest(list(paths), workers=workers, ray=address)
            seconds = time.perf_counter() - began
        if report.added + report.present != len(paths):
            raise UsageError(f"{len(report.failed)} of these photos cannot be ingested; leave them out")
        whole = hashlib.sha256()
        for file in sorted((place / "archive" / "objects").rglob("*.dsslic")):
            whole.update(file.name.encode() + file.read_bytes())
    if on_ray:
        ray.shutdown()
    return seconds, whole.hexdigest()


def table(results: dict[str, Any]) -> list[str]:
    """Photos a second, as lines for people."""
    rows = [
        (
            count,
            f"{each['threads_photos_per_second']:.3f}",
            f"{each['ray_photos_per_second']:.3f}",
            f"{(each['ray_takes'] - 1) * 100:+.1f} %",
            "yes" if each["same_files"] else "NO",
        )
        for count, each in results["workers"].items()
    ]
    return record.table(("workers: photos/s", "threads", "Ray", "longer", "same"), rows)
