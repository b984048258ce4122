"""What commands cost before they do anything: processor seconds of whole processes on a small archive.

Two builds are measured side by side: their processes take turns, so that what the machine does meanwhile
meets both.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from dsslic_search.bench.photos import photos_in
from dsslic_search.bench.processes import OTHER, THIS, builds_beside, taken_by

COMMANDS = {
    "--help": "--help",
    "query": "query sky --archive {archive}",
    "show": "show 1 --archive {archive}",
    "stats": "stats --archive {archive}",
    "classes": "classes --archive {archive}",
    "preview --stage map": "preview 1 --stage map -o out.png --archive {archive}",
    "preview --stage compact": "preview 1 --stage compact -o out.png --archive {archive}",
    "preview --stage coarse": "preview 1 --stage coarse -o out.png --archive {archive}",
    "preview --stage full": "preview 1 --stage full -o out.png --archive {archive}",
    "palette": "palette colours.gpl",
    "info": "info {archive}/photo.dsslic",
}
"""What is measured, by a short name; it runs in an empty folder."""


def run(
    images: Path, against: Path | None = None, *, rounds: int = 5, commands: Sequence[str] = tuple(COMMANDS)
) -> dict[str, Any]:
    """Processor seconds of each command, the median of ``rounds`` processes after one that is not counted.

    ``against``: the folder of another build's source, which holds its ``dsslic_search``; then with the same
    of that build, and ratios. UsageError where it holds none, and where the system does not tell what a
    process took; DSSError when a command fails.
    """
    builds = builds_beside(against)
    photos = photos_in(images.absolute())
    with tempfile.TemporaryDirectory() as place:
        archives = _archives(Path(place), photos, builds)
        seconds = {
            name: _taken(COMMANDS[name].split(), builds, archives, rounds, Path(place)) for name in commands
        }
    return {
        "photos": len(photos),
        "rounds": rounds,
        "processor_seconds": {
            name: {
                **{build: round(median(row), 3) for build, row in taken.items()},
                **({"ratio": round(median(taken[THIS]) / median(taken[OTHER]), 3)} if against else {}),
            }
            for name, taken in seconds.items()
        },
    }


def _archives(place: Path, photos: Sequence[Path], builds: Mapping[str, Path]) -> dict[str, Path]:
    """An archive for each build, of the same photos. The older build makes it, since each reads what earlier
    ones wrote and brings it up to date, and others are copies."""
    made = place / f"archive-{(maker := list(builds)[-1])}"
    spent(builds[maker], ["ingest", *map(str, photos), "--archive", str(made)], place)
    stored = next(iter(sorted(made.glob("objects/*/*.dsslic"))))
    shutil.copyfile(stored, made / "photo.dsslic")
    archives = {build: place / f"archive-{build}" for build in builds}
    for archive in archives.values():
        if archive != made:
            shutil.copytree(made, archive)
    return archives


def _taken(
    words: Sequence[str], builds: Mapping[str, Path], archives: Mapping[str, Path], rounds: int, place: Path
) -> dict[str, list[float]]:
    """What each round took of each build, which take turns in being first."""
    taken: dict[str, list[float]] = {build: [] for build in builds}
    for number in range(rounds + 1):
        for build in list(builds)[:: -1 if number % 2 else 1]:
            given = [word.format(archive=archives[build]) for word in words]
            seconds = spent(builds[build], given, place)
            if number:  # the first one compiles, and makes indexes
                taken[build].append(seconds)
    return taken


def spent(source: Path, words: Sequence[str], place: Path) -> float:
    """Processor seconds that a command of the build at ``source`` takes in a process of its own, in the
    folder ``place``. DSSError when it fails."""
    return taken_by(source, words, place).processor_seconds


def table(results: dict[str, Any]) -> Iterator[str]:
    """Lines for people."""
    rows = results["processor_seconds"]
    columns = list(next(iter(rows.values())))
    yield f"{'processor seconds':24}" + "".join(f"{column:>8}" for column in columns)
    for name, row in rows.items():
        yield f"{name:24}" + "".join(f"{row[column]:>8.2f}" for column in columns)
