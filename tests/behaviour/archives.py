"""Archives: one of photos and one of painted scenes, filled here and asked; and those of another build, asked
again."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dsslic_search import Archive
from tests.behaviour.answers import asked
from tests.behaviour.photos import variants
from tests.behaviour.plain import attempt, plain
from tests.behaviour.runs import run
from tests.behaviour.scenes import PaintedLabels, scenes
from tests.behaviour.views import about

NAMES = ("photos", "painted")
KEEPS = ("coarse", "layers", "coarse", "exact", "coarse", "reference", "coarse")  # of photos, in turn
SAVED = {
    "beach": "sea or earth", "sorted": "sky, sort:-size", "nested": "@beach and not @sorted",
    "self": "@self", "Größe": "size:>1kB", "a b": "sky", "": "sky", "wrong": "flwer", "BEACH": "sky",
    "like": "like #3",
}  # fmt: skip
TAGGED: Mapping[str, Sequence[int]] = {
    "best": range(2, 30, 3), "private,Best": [4, 5, 9], "été": [1, 2], "a b": [1], "none": [10**6], "": [1],
    "empty": [],
}  # fmt: skip
UNTAGGED = {"private": [5, 6], "été": None, "nothing": [1], "a b": [1]}


def fill(archive: Archive, files: Sequence[Path], **options: Any) -> list[Any]:
    """What is reported of ingesting each photo; one at a time, so that ids and dates follow the order."""
    reports = []
    for number, path in enumerate(files):
        keep = KEEPS[number % len(KEEPS)]
        quality = 60 if keep == "layers" else None
        report = asdict(archive.ingest([path], keep=keep, quality=quality, workers=1, **options))
        report["steps"] = sorted(report.pop("milliseconds"))
        reports.append(plain(report))
    return reports


def name_things(archive: Archive) -> dict[str, Any]:
    """Save queries, give and take tags, rightly and wrongly."""
    found = {}
    for name, text in SAVED.items():
        found[f"save {name}"] = attempt(archive.save, name, text)
    found["replace like"] = attempt(archive.save, "like", "like #2", replace=True)
    found["make a circle"] = attempt(archive.save, "circle", "@circle or sky", replace=True)
    found["forget"] = attempt(archive.forget, "like")
    found["forget again"] = attempt(archive.forget, "like")
    for names, ids in TAGGED.items():
        found[f"tag {names}"] = attempt(archive.tag, names.split(","), list(ids))
    for names, chosen in UNTAGGED.items():
        found[f"untag {names}"] = attempt(archive.untag, [names], chosen)
    return found


def make(folder: Path, photos: Sequence[Path], colours: Mapping[str, str]) -> dict[str, Any]:
    """Fill two archives in a folder and name things in them; ``colours``: #rrggbb of each class."""
    found: dict[str, Any] = {}
    with Archive(folder / "photos") as archive:
        ingested = fill(archive, [*photos, *variants(photos)])
        found["photos"] = {"ingest": ingested, "names": name_things(archive)}
        painter = PaintedLabels(colours, attempt(lambda: archive.dialect(archive.photo(1))))
    with Archive(folder / "painted") as archive:
        ingested = fill(archive, list(scenes(colours)), segmenter=painter)
        found["painted"] = {"ingest": ingested, "names": name_things(archive)}
    return found


def ask(folder: Path, words: Mapping[str, Sequence[str]], *, stored: bool) -> dict[str, Any]:
    """What both archives in a folder answer and show; the words as for ``asked``."""
    found = {}
    for name in NAMES:
        with Archive(folder / name) as archive:
            queries = asked(archive, words=words, stored=stored, painted=name == "painted")
            found[name] = {"queries": queries, "about": about(archive)}
    return found


def ask_again(kept: Path, words: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Ask copies of archives that were filled earlier, check them, and build their indexes anew."""
    copies = Path(shutil.copytree(kept, Path.cwd() / "stored"))
    found = ask(copies, words, stored=True)
    for name in NAMES:
        for command in ("show 3 --json", "show 12", "stats --json", "check --read-data", "reindex --json"):
            found[name][command] = run(*command.split(), "--archive", copies / name)
        query = ("query", "person on grass or sky > 20%", "--explain")
        found[name]["after reindex"] = run(*query, "--archive", copies / name)
    return found
