"""What was measured of each photo, kept in a folder, so that a run of hours can be gone on with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dsslic_search import __version__
from dsslic_search.bench.record import NETWORKS, PACKAGES, version_of
from dsslic_search.core.files import write_atomically
from dsslic_search.networks import runtime


class KeptRows:
    """Rows of one photo by codec, as plain values, in a file each: it is of the photo's bytes, the codecs,
    their settings, and the versions and weights that make the files, so that rows of others are never
    taken. Without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        weights = {name: runtime.identity(name) for name in NETWORKS} if folder else {}
        packages = {name: version_of(name) for name in PACKAGES} if folder else {}
        self._made_by = [__version__, weights, packages]

    def file(
        self, photo: Path, names: Sequence[str], settings: Sequence[float] | None, points: int | None
    ) -> Path | None:
        """Where the rows of a photo belong."""
        if self._folder is None:
            return None
        asked: list[Any] = [hashlib.sha256(photo.read_bytes()).hexdigest(), photo.name, list(names), points]
        asked.append(None if settings is None else list(map(float, settings)))
        digest = hashlib.sha256(json.dumps([asked, self._made_by], sort_keys=True).encode()).hexdigest()
        return self._folder / f"{photo.stem}-{digest[:16]}.json"


def read(file: Path | None) -> dict[str, list[dict[str, Any]]] | None:
    """The rows that are there; None where there are none, or no whole file."""
    try:
        found = None if file is None else json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write(file: Path | None, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Keep rows, whole or not at all."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(rows).encode())
