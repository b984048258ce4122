"""What an ingest tells while it runs and when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dsslic_search.archive.ingest.walk import Failure


@dataclass(frozen=True)
class Event:
    """One step of an ingest. ``done`` of ``total`` files are settled. ``kind`` "found": the walk ended,
    ``path`` is empty. "updated": a photo that was there is stored anew. "failed": every failure of the report
    is told once; those of paths that led to no file come right after "found" and settle none. ``path`` is
    text that can be printed; ``reason``: why it failed."""

    kind: Literal["found", "added", "updated", "present", "failed"]
    path: str
    done: int
    total: int
    reason: str = ""


@dataclass
class IngestReport:
    """``found`` = ``added`` + ``updated`` + ``present`` + failed files, unless ``interrupted``. ``failed``
    also holds paths that led to no file.

    ``updated``: photos that were there, stored anew with other options or because their file was missing or
    damaged. ``notes``: folders without photos; how many photos stay kept exactly though other options were
    asked for. ``bytes_in`` and ``bytes_stored``: originals and .dsslic files of the photos added or updated.
    ``milliseconds``: wall time per step, summed over these photos (steps of several photos run at once). With
    ``dry_run``, ``added``, ``updated`` and ``bytes_in`` are what would be and nothing was written.
    """

    dry_run: bool = False
    found: int = 0
    added: int = 0
    updated: int = 0
    present: int = 0
    failed: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    bytes_in: int = 0
    bytes_stored: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    milliseconds: dict[str, float] = field(default_factory=dict)
