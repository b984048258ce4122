"""What the catalog weighs, table by table; the processor time of making the indexes from it; and what going
to another build's revision and back takes, and whether it loses anything.

The photos are those of `bench.synthetic`, with embeddings as label maps have them. Each build makes its
indexes in a process of its own, from a catalog of its own revision in a file as it would have made it. Of
more than `bench.scale.MODELS` photos the others are copies of their rows; migrations are measured before.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from dsslic_search.archive.catalog import Catalog
from dsslic_search.bench import record
from dsslic_search.bench.processes import OTHER, THIS, builds_beside, told_by
from dsslic_search.bench.scale import MODELS, copy_rows, fill, take_back
from dsslic_search.bench.speed import described
from dsslic_search.bench.synthetic import Synthetic

SQLITE_PAGES = 4096
"""Bytes of a page where nobody says otherwise, as no build did before catalogs of revision 0010."""


def run(maps: Sequence[Path], photos: int, against: Path | None = None) -> dict[str, Any]:
    """``maps``: folders of label maps, PNG files of class ids. ``against``: the folder of another build's
    source. DSSError when a build fails, UsageError where there are no maps or no build."""
    builds = builds_beside(against)
    made, times = Synthetic(described(maps), min(photos, MODELS), noise=0), max(photos // MODELS, 1)
    photos = made.model.size * times
    results: dict[str, Any] = {"photos": photos, "maps": len(made.features), "builds": {}}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        fill(place / THIS, made)
        if against is not None:
            shutil.copytree(place / THIS, place / OTHER)
            results["migration"] = _there_and_back(place / OTHER / "catalog.sqlite", builds[OTHER])
        for build, source in builds.items():
            catalog = place / build / "catalog.sqlite"
            _grown(catalog, made.model.size, times)
            _made_anew(catalog, SQLITE_PAGES if build == OTHER else None)
            weighed = _weighed(catalog, photos)
            results["builds"][build] = {"bytes_a_photo": weighed, "making": _made(source, place / build)}
    if against is not None:
        results["ratios"] = _ratios(results["builds"])
    return results


def _there_and_back(catalog: Path, source: Path) -> dict[str, Any]:
    """Takes a catalog to the revision of another build, in the end. Processor seconds, and whether it is the
    same there after it was brought up to date and taken back again."""
    began = time.process_time()
    take_back(catalog, source)
    back = time.process_time() - began
    before = _digest(catalog)
    began = time.process_time()
    Catalog.open(catalog).close()
    up = time.process_time() - began
    take_back(catalog, source)
    return {
        "processor_seconds_back": round(back, 1),
        "processor_seconds_up": round(up, 1),
        "the same after up and back": _digest(catalog) == before,
    }


def _digest(catalog: Path) -> str:
    """Of all rows of all tables."""
    with closing(sqlite3.connect(catalog)) as connection:
        digest = hashlib.sha256()
        for line in sorted(line for line in connection.iterdump() if line.startswith("INSERT")):
            digest.update(line.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def _grown(catalog: Path, photos: int, times: int) -> None:
    """Copies all rows until there are so many times as many."""
    with closing(sqlite3.connect(catalog)) as connection, connection:
        for number in range(1, times):
            copy_rows(connection.execute, photos, number * photos)


def _made_anew(catalog: Path, page_bytes: int | None = None) -> None:
    """Writes the file as if its rows had been put in one after another, which is how photos come."""
    with closing(sqlite3.connect(catalog, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        if page_bytes is not None:
            connection.execute(f"PRAGMA page_size = {page_bytes}")
        connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode = WAL")


def _weighed(catalog: Path, photos: int) -> dict[str, float]:
    """Bytes a photo of each table and index that takes at least one, and of the file."""
    with closing(sqlite3.connect(catalog)) as connection:
        parts = connection.execute(
            "SELECT name, sum(pgsize), sum(unused) FROM dbstat GROUP BY name ORDER BY 2 DESC"
        ).fetchall()
    weights = {name: round(size / photos, 1) for name, size, _ in parts if size >= photos}
    empty = round(sum(unused for *_, unused in parts) / photos, 1)
    return {"file": round(catalog.stat().st_size / photos, 1), "empty in pages": empty} | weights


_CHILD = """
import json, resource, sys, time
from pathlib import Path
from dsslic_search.archive.catalog import Catalog
from dsslic_search.core import vocabulary
from dsslic_search.index.columns import open_columns
from dsslic_search.index.files import open_files
from dsslic_search.index.regions.table import open_regions
from dsslic_search.index.vectors.image import open_image_vectors
from dsslic_search.index.vectors.table import open_vectors
from dsslic_search.index.words import open_words
kinds = {"coverage": open_columns, "files": open_files, "regions": open_regions, "layout": open_vectors,
         "words": open_words, "image": open_image_vectors}
root, classes, told = Path(sys.argv[1]), vocabulary.default(), {}
try:
    from dsslic_search.query.run.evaluate import Indexes
except ImportError:
    Indexes = None
together = getattr(Indexes, "all_of", None) or (
    hasattr(Indexes, "open_all") and (lambda *part: Indexes.of(*part).open_all()))
def parts_of(catalog, folder):
    try:
        from dsslic_search.index.segments import open_segments
    except ImportError:
        return [(catalog, folder, classes)]
    return [(part,) for part in open_segments(catalog, folder, classes).parts]
with Catalog.open(root / "catalog.sqlite") as catalog:
    began = time.process_time()
    parts = parts_of(catalog, root / "index")
    told["rows"] = time.process_time() - began
    for kind, opened in kinds.items():
        began = time.process_time()
        for part in parts:
            opened(*part)
        told[kind] = time.process_time() - began
    began = time.perf_counter()
    for part in parts_of(catalog, root / "again"):
        if together:
            together(*part)
        else:
            for opened in kinds.values():
                opened(*part)
    seconds = round(time.perf_counter() - began, 2)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"processor_seconds": {k: round(v, 2) for k, v in told.items()}, "seconds": seconds,
                  "peak_bytes": peak}))
"""


def _made(source: Path, root: Path) -> dict[str, Any]:
    """What a process of a build tells that makes all indexes of an archive: one after another, and once more
    as that build makes all, which may be on all processors."""
    told: dict[str, Any] = told_by(source, _CHILD, [str(root)], root.parent)
    told["processor_seconds"]["all"] = round(sum(told["processor_seconds"].values()), 2)
    return told


def _ratios(builds: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    this, other = builds[THIS], builds[OTHER]
    seconds = this["making"]["processor_seconds"], other["making"]["processor_seconds"]
    found = {"bytes_a_photo": this["bytes_a_photo"]["file"] / other["bytes_a_photo"]["file"]}
    found["seconds"] = this["making"]["seconds"] / max(other["making"]["seconds"], 0.01)
    found |= {f"making {kind}": seconds[0][kind] / max(seconds[1][kind], 0.01) for kind in seconds[0]}
    return {name: round(ratio, 3) for name, ratio in found.items()}


def table(results: Mapping[str, Any]) -> list[str]:
    """Bytes and seconds by build, for people."""
    builds = results["builds"]
    parts = dict.fromkeys(name for each in builds.values() for name in each["bytes_a_photo"])
    rows = [
        (f"bytes: {name}", *(str(each["bytes_a_photo"].get(name, "")) for each in builds.values()))
        for name in parts
    ]
    kinds = next(iter(builds.values()))["making"]["processor_seconds"]
    rows += [
        (
            f"seconds: {kind}",
            *(f"{each['making']['processor_seconds'][kind]:.2f}" for each in builds.values()),
        )
        for kind in kinds
    ]
    rows.append(("seconds, as they pass", *(f"{each['making']['seconds']:.2f}" for each in builds.values())))
    return record.table(("a photo, and in all", *builds), rows)
