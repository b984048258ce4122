"""What an archive shows beside the answers to queries: counts, names, doubles, sketches, stages of photos."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dsslic_search import Archive
from tests.behaviour.encodings import STAGES
from tests.behaviour.plain import attempt, digest, picture, plain

COUNTED = (
    None,
    "sky",
    "no people, since 2019",
    "bus and no bus",
    "flwer",
    "@beach",
    "tag:best or camera:canon",
)
MATCHED = ("sky", "sky or sea, sort:path", "bus and no bus", "flwer")
LIKENESS: tuple[dict[str, Any], ...] = (
    {},
    {"mirrored": True},
    {"threshold": 0.5},
    {"threshold": 0.95},
    {"threshold": 2.0},
)
SKETCHES: Mapping[str, Any] = {
    "bands": [{"class": "sky", "box": [0, 0, 1, 0.4]}, {"class": "sea", "box": [0, 0.4, 1, 1]}],
    "shapes": {
        "canvas": [16, 9],
        "background": "grass",
        "shapes": [
            {"class": "mountain", "polygon": [[0, 0.4], [0.5, 0.1], [1, 0.4]]},
            {"class": "boats", "ellipse": [0.5, 0.6, 0.2, 0.1]},
            {"class": "human", "circle": [0.2, 0.8, 0.05]},
        ],
    },
    "group": [{"class": "vehicle", "box": [0, 0, 1, 1]}],
    "unknown": [{"class": "flwer", "box": [0, 0, 1, 1]}],
    "reversed": [{"class": "sky", "box": [1, 0, 0, 1]}],
    "empty": [],
}
SKETCHED: tuple[dict[str, Any], ...] = ({}, {"mirrored": True}, {"text": "no people"})
PHOTOS_LOOKED_AT = 24  # at least, of an archive that has so many


def write_sketches() -> None:
    """Each sketch as a file of its name in the working folder."""
    for name, drawn in SKETCHES.items():
        Path(f"{name}.json").write_text(json.dumps(drawn))


def sketched(archive: Archive, canvas: Path, **options: Any) -> list[str]:
    """The total, and rank, id and score of each photo that resembles a sketch."""
    found = archive.sketch(canvas, limit=20, **options)
    return [str(found.total), *(f"{hit.rank}. #{hit.id} {hit.score!r}" for hit in found.hits)]


def shown(archive: Archive, photo_id: int, stage: str | None) -> str:
    """A stage of a photo, and how much of its file was read for it."""
    found = archive.preview(photo_id, stage)
    return f"{found.stage} {picture(found.image)}, {found.bytes_read} of {found.bytes_total} bytes"


def photo(archive: Archive, photo_id: int) -> dict[str, Any]:
    """Tags, original and every stage of a photo."""
    return {
        "tags": attempt(archive.tags_of, photo_id),
        "original": attempt(lambda: digest(archive.original(photo_id))),
        **{str(stage): attempt(shown, archive, photo_id, stage) for stage in (*STAGES, None, "none")},
    }


def classes(archive: Archive) -> list[str]:
    """One line for each class, with all that is told of it."""
    return [" ".join(f"{k} {v}" for k, v in asdict(each).items()) for each in archive.classes()]


def about(archive: Archive) -> dict[str, Any]:
    """Everything that an archive is asked beside queries; the sketches lie in the working folder."""
    found: dict[str, Any] = {}
    for text in COUNTED:
        found[f"statistics: {text}"] = plain(attempt(archive.statistics, text))
    found["classes"] = attempt(classes, archive)
    found["tags"], found["saved"] = plain(attempt(archive.tags)), plain(attempt(archive.saved_queries))
    for options in LIKENESS:
        found[f"duplicates {options}"] = plain(attempt(archive.duplicates, **options))
    for text in MATCHED:
        found[f"matching: {text}"] = attempt(lambda text: [int(i) for i in archive.matching(text)], text)
    for name in SKETCHES:
        for options in SKETCHED:
            canvas = Path.cwd() / f"{name}.json"
            found[f"sketch {name} {options}"] = attempt(sketched, archive, canvas, **options)
    total = archive.query("everything", limit=0).total
    found["ids"] = [attempt(archive.ids, n) for n in (0, 3, total + 1)]
    looked_at = range(1, total + 1, max(1, total // PHOTOS_LOOKED_AT))
    for photo_id in (*looked_at, 0, -1, total + 1, 2**70):
        found[f"photo {photo_id}"] = photo(archive, photo_id)
    return found
