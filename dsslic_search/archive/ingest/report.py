"""What an ingest tells while it runs and when it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from dsslic_search.archive.ingest.encode import Prepared, Source
from dsslic_search.archive.ingest.file_names import Kind
from dsslic_search.archive.ingest.passed_over import PassedOver
from dsslic_search.archive.ingest.sidecars import SidecarsRead
from dsslic_search.archive.ingest.walk import Failure, Walk
from dsslic_search.core.kinds import KeepMode


class Move(NamedTuple):
    """A photo, and the paths (as text) at which it lay and lies."""

    id: int
    before: str
    path: str


class Copy(NamedTuple):
    """A photo that was known, and a path (as text) at which it was met, too."""

    id: int
    path: str


class Version(NamedTuple):
    """A path (as text) at which the photo ``earlier`` lay, and nowhere else, until it was ``id``."""

    path: str
    earlier: int
    id: int


class Missing(NamedTuple):
    """A photo, and the last of its paths (as text)."""

    id: int
    path: str


class Unseen(NamedTuple):
    """A folder (as text) of which nothing could be told, why, and how many photos lie under it."""

    folder: str
    reason: str
    photos: int


@dataclass(frozen=True)
class Event:
    """One step of an ingest. ``done`` of ``total`` photos are settled: of a file one, until it turns out to
    be a video with more. ``kind`` "found": the walk ended,
    ``path`` is empty. "updated": a photo that was there is stored anew. "failed": every failure of the report
    is told once; those of paths that led to no file come right after "found" and settle none. ``path`` is
    text that can be printed; ``reason``: why it failed.

    "stopping": after an interruption, ``in_flight`` photos are being encoded and are still waited for.

    At the end, of photos that were known (see `IngestReport`): "moved", with the path at which it lay as
    ``before``; "copy", "back", "version" and "missing"."""

    kind: Literal[
        "found",
        "added",
        "updated",
        "present",
        "failed",
        "stopping",
        "moved",
        "copy",
        "back",
        "version",
        "missing",
    ]
    path: str
    done: int
    total: int
    reason: str = ""
    before: str = ""
    in_flight: int = 0


@dataclass
class IngestReport:
    """``found`` = ``added`` + ``updated`` + ``present`` + failed files, unless ``interrupted``; of a video
    each frame that is taken counts, and one more where it is damaged. ``failed`` also holds paths that led to
    no file. ``undecoded``: of those added or updated, files that could not be decoded and are kept as they
    are. ``passed_over``: the files that lie in the folders, too.

    Of photos that were known: ``moved``, met at another path while one of theirs ended; ``copies``, met at
    one more; ``back``, met again after they lay nowhere; ``versions``, of a file that holds another photo
    now; ``missing``, which lie nowhere any more. ``unseen``: folders of which nothing can be told, so that
    nothing is said of the photos there. ``in_bin``: of ``present``, files whose photo was removed.
    ``kept_before``: of ``updated``, how many were kept in which mode that are kept in another now.

    ``updated``: photos that were there, stored anew with other options or because their file was missing or
    damaged. ``sidecars``: files beside these photos that told of them. ``notes``: folders without photos;
    what is wrong with sidecars; how many photos stay as they are though other options were asked for; in keep
    mode "exact", what the archive has not; that a rehearsal decodes nothing.
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
    sidecars: int = 0
    moved: list[Move] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    back: list[Copy] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)
    in_bin: int = 0
    kept_before: Counter[str] = field(default_factory=Counter)
    passed_over: PassedOver = field(default_factory=PassedOver)
    notes: list[str] = field(default_factory=list)
    bytes_in: int = 0
    bytes_stored: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    milliseconds: dict[str, float] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """How many photos the catalog says something else of than before, at most."""
        known = len(self.moved) + len(self.copies) + len(self.back) + len(self.versions) + len(self.missing)
        return self.added + self.updated + known

    @property
    def videos(self) -> int:
        """Those passed over, since no frames were asked for."""
        return self.passed_over.count(Kind.VIDEO)


@dataclass
class Outcome:
    """What happened to photos that were known, as in `IngestReport`."""

    moved: list[Move] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    back: list[Copy] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)


class Teller:
    """Counts what happens into the report and passes it on."""

    def __init__(self, report: IngestReport, progress: Callable[[Event], None]) -> None:
        self.report = report
        self.stay_exact: set[str] = set()  # content hashes
        self.stay_as_made: set[str] = set()  # content hashes: effort, importances or a target asked in vain
        self.made: set[str] = set()  # content hashes of photos that this run stored
        self._sidecars: set[str] = set()  # paths: an edited copy shares its original's
        self._progress = progress
        self._done = 0

    def walked(self, walked: Walk) -> None:
        files = len(walked.files)
        self.report.found = files
        self.report.notes.extend(walked.notes)
        self.report.passed_over = walked.passed_over
        self._progress(Event("found", "", 0, files))
        for failure in walked.failures:
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
        self.made.add(source.content_hash)
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

    def happened(self, outcome: Outcome, unseen: Sequence[Unseen]) -> None:
        report = self.report
        report.moved, report.copies, report.back = outcome.moved, outcome.copies, outcome.back
        report.versions, report.missing, report.unseen = outcome.versions, outcome.missing, list(unseen)
        for moved in outcome.moved:
            self._progress(Event("moved", moved.path, self._done, report.found, before=moved.before))
        kinds: list[tuple[Literal["copy", "back", "version", "missing"], Sequence[Copy | Version | Missing]]]
        kinds = [
            ("copy", outcome.copies),
            ("back", outcome.back),
            ("version", outcome.versions),
            ("missing", outcome.missing),
        ]
        for kind, each in kinds:
            for one in each:
                self._progress(Event(kind, one.path, self._done, report.found))

    def present(self, name: str, in_bin: bool = False) -> None:
        self.report.present += 1
        self.report.in_bin += in_bin
        self._settled("present", name)

    def failed(self, name: str, reason: str) -> None:
        reason = reason.removeprefix(f"{name}: ")
        self.report.failed.append(Failure(name, reason))
        self._settled("failed", name, reason)

    def stopping(self, in_flight: int) -> None:
        self._progress(Event("stopping", "", self._done, self.report.found, in_flight=in_flight))

    def _settled(
        self, kind: Literal["added", "updated", "present", "failed"], name: str, reason: str = ""
    ) -> None:
        self._done += 1
        self._progress(Event(kind, name, self._done, self.report.found, reason))
