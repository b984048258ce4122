"""What an ingest tells while it runs and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dsslic_search.archive.ingest.encode import Prepared, Source
from dsslic_search.archive.ingest.sidecars import SidecarsRead
from dsslic_search.archive.ingest.walk import Failure
from dsslic_search.core.kinds import KeepMode


@dataclass(frozen=True)
class Event:
    """One step of an ingest. ``done`` of ``total`` photos are settled: of a file one, until it turns out to
    be a video with more. ``kind`` "found": the walk ended,
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
    """``found`` = ``added`` + ``updated`` + ``present`` + failed files, unless ``interrupted``; of a video
    each frame that is taken counts, and one more where it is damaged. ``failed`` also holds paths that led to
    no file. ``undecoded``: of those added or updated, files that could not be decoded and are kept as they
    are. ``videos``: those passed over since no frames were asked for.

    ``updated``: photos that were there, stored anew with other options or because their file was missing or
    damaged. ``sidecars``: files beside these photos that told of them. ``notes``: folders without photos;
    what is wrong with sidecars; how many photos stay kept exactly though other options were asked for.
    ``bytes_in`` and ``bytes_stored``: originals and .dsslic files of the photos added or updated.
    ``milliseconds``: wall time per step, summed over these photos (steps of several photos run at once). With
    ``dry_run``, ``added``, ``updated`` and ``bytes_in`` are what would be and nothing was written.
    """

    dry_run: bool = False
    found: int = 0
    added: int = 0
    updated: int = 0
    present: int = 0
    failed: list[Failure] = field(default_factory=list)
    undecoded: int = 0
    videos: int = 0
    sidecars: int = 0
    notes: list[str] = field(default_factory=list)
    bytes_in: int = 0
    bytes_stored: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    milliseconds: dict[str, float] = field(default_factory=dict)


class Teller:
    """Counts what happens into the report and passes it on."""

    def __init__(self, report: IngestReport, progress: Callable[[Event], None]) -> None:
        self.report = report
        self.stay_exact: set[str] = set()  # content hashes
        self._sidecars: set[str] = set()  # paths: an edited copy shares its original's
        self._progress = progress
        self._done = 0

    def walked(self, files: int, failures: Sequence[Failure]) -> None:
        self.report.found = files
        self._progress(Event("found", "", 0, files))
        for failure in failures:
            self.report.failed.append(failure)
            self._progress(Event("failed", failure.path, 0, files, failure.reason))

    def expect(self, more: int) -> None:
        """So many photos more (or fewer, below 0) are going to be settled."""
        self.report.found += more

    def stored(
        self,
        source: Source,
        anew: bool,
        prepared: Prepared | None = None,
        milliseconds: Mapping[str, float] | None = None,
    ) -> None:
        if anew:
            self.report.updated += 1
        else:
            self.report.added += 1
        self.report.bytes_in += source.file_size
        if prepared is not None:
            self.report.bytes_stored += len(prepared.data)
            self.report.undecoded += prepared.keep is KeepMode.UNDECODED
            for step, spent in {**prepared.milliseconds, **(milliseconds or {})}.items():
                self.report.milliseconds[step] = self.report.milliseconds.get(step, 0.0) + spent
        self._settled("updated" if anew else "added", source.name)

    def sidecars(self, read: SidecarsRead) -> None:
        self._sidecars.update(read.paths)
        self.report.sidecars = len(self._sidecars)
        self.report.notes += [note for note in read.notes if note not in self.report.notes]

    def present(self, name: str) -> None:
        self.report.present += 1
        self._settled("present", name)

    def failed(self, name: str, reason: str) -> None:
        reason = reason.removeprefix(f"{name}: ")
        self.report.failed.append(Failure(name, reason))
        self._settled("failed", name, reason)

    def _settled(
        self, kind: Literal["added", "updated", "present", "failed"], name: str, reason: str = ""
    ) -> None:
        self._done += 1
        self._progress(Event(kind, name, self._done, self.report.found, reason))
