"""Bring photos into an archive, and make it follow what happened to those that are there.

The calling thread walks, reads, hashes and writes; worker threads encode (the codec works outside Python's
lock). A photo is added by writing its object file, then its catalog row, in one transaction of its own, and
stored anew in the same way; where known photos lie is written a batch at a time. So whatever stops an ingest,
what was stored stays whole, and running it again goes on where it stopped and ends in the same place.

Into a catalog that is a database several machines put photos at once, each those that it has a lease of
(`archive.leases`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from dsslic_search.archive import later_facts, outside, parity
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest import remembered
from dsslic_search.archive.ingest.compare import compare, endings
from dsslic_search.archive.ingest.encode import Prepare, prepare_photo
from dsslic_search.archive.ingest.flight import Flight, Rehearsal
from dsslic_search.archive.ingest.look import Looker
from dsslic_search.archive.ingest.memory import Budget, Weigh, default_total, weight_of
from dsslic_search.archive.ingest.places import Places
from dsslic_search.archive.ingest.report import Event, IngestReport, Teller, Unseen
from dsslic_search.archive.ingest.sources import Beyond
from dsslic_search.archive.ingest.taking import Rules, Takes, Taking
from dsslic_search.archive.ingest.walk import Scope, Walk, walk
from dsslic_search.archive.ingest.wanted import ALL, Wanted
from dsslic_search.archive.known_paths import Known, under
from dsslic_search.archive.reindex import make_current
from dsslic_search.archive.repair import take_back
from dsslic_search.archive.schema import KnownPath
from dsslic_search.archive.terms import require_current
from dsslic_search.core.files import absolute, path_to_text, text_to_path
from dsslic_search.core.kinds import KeepMode
from dsslic_search.core.settings import Settings
from dsslic_search.core.text import counted

if TYPE_CHECKING:
    from dsslic_search.archive.ingest.frames import FrameChoice
    from dsslic_search.codec.options import EncodeOptions

INGEST, SYNC = Rules(), Rules(anew=False)


def ingest(
    archive: ArchiveFolder,
    chosen: Sequence[Path | Scope],
    options: EncodeOptions,
    *,
    settings: Settings,
    dry_run: bool = False,
    frames: FrameChoice | None = None,
    even_undecoded: bool = False,
    wanted: Wanted = ALL,
    rules: Rules = INGEST,
    workers: int = 2,
    memory: int | None = None,
    percent: int | None = None,
    progress: Callable[[Event], None] | None = None,
    prepare: Prepare = prepare_photo,
    weigh: Weigh = weight_of,
    now_ns: Callable[[], int] = time.time_ns,
) -> IngestReport:
    """Add the photos at ``chosen`` files and folders that are not in the archive yet, by content; by
    ``rules``, store those anew that are there in another way than ``options`` say, but for photos kept
    exactly, or whose file is missing or damaged. Of those that are known the paths at which they lie now
    are noted: moved, copied, back, replaced by another version, or missing.

    Files that cannot be used are skipped and listed in the report. KeyboardInterrupt ends it early: what is
    encoded is still stored, nothing is said to be missing, and the report says ``interrupted``. ``dry_run``
    reads and compares, decodes nothing, and writes nothing at all. A new archive is made unless no file is
    found. ``frames``: which frames of videos are photos; None passes videos over, and counts them.
    ``even_undecoded``: keep what cannot be decoded as it is, if it is a picture or a video by its sort.
    ``wanted``: which files in the folders. ``progress`` is called in the calling thread, ``prepare`` in the
    workers; at most ``workers`` + 2 photos are in memory at a time, and as many as ``memory``, bytes in all,
    has room for, as ``weigh`` says (`archive.ingest.memory`; None for half of what there is). ``percent``: of
    parity that files are to have from now on, None for what is remembered. ``now_ns``: the time, nanoseconds
    since 1970.

    Raises UsageError when that is less than any photo takes, and where frames or what cannot be decoded do
    not go with the keep mode; ArchiveError when the archive cannot be used or written (another writer, newer
    version, disk full), WeightsError and the like when no photo could be encoded.
    """
    start = time.perf_counter()
    beyond = Beyond(options.mode, frames, even_undecoded)
    budget = Budget(default_total() if memory is None else memory)
    report = IngestReport(dry_run=dry_run)
    tell = Teller(report, progress or (lambda _event: None))
    run = _Run(archive, chosen, options, beyond.within(wanted), rules, beyond, settings, now_ns, tell)

    def with_catalog(catalog: Catalog, walked: Walk | None = None) -> None:
        with catalog.leases.apart():
            later_facts.begin(catalog)
            make_current(catalog)
            archive.remember_classes()
            archive.remove_leftovers()
            if percent is not None:
                parity.want(catalog, percent)
            if n := len(take_back(catalog, archive.store)):
                are, their = ("is", "its file is") if n == 1 else ("are", "their files are")
                report.notes.append(f"{counted(n, 'photo')} {are} back: {their} there again")
        walked = walked or run.find()
        known = run.known(catalog)
        places = Places(catalog, known, write=True)
        flight = Flight(archive.store, catalog, settings, workers, budget, prepare, places, tell, weigh)
        run.take(walked, known, catalog, places, flight)
        with catalog.leases.apart():
            remembered.keep(catalog, run.folders, options if rules.anew else None, frames, even_undecoded)

    try:
        if dry_run:
            _rehearse(archive, run, tell)
        elif archive.exists:
            with archive.writing(create=True, together=True) as catalog:
                require_current(catalog)
                with_catalog(catalog)
        elif (walked := run.find()).files:
            with archive.writing(create=True, together=True) as catalog:
                with_catalog(catalog, walked)
    except KeyboardInterrupt:
        report.interrupted = True
    report.notes += _notes(tell, options.mode)
    report.seconds = time.perf_counter() - start
    return report


@dataclass(frozen=True)
class _Run:
    """What one run of an ingest is asked for, and who is told."""

    archive: ArchiveFolder
    chosen: Sequence[Path | Scope]
    options: EncodeOptions
    wanted: Wanted
    rules: Rules
    beyond: Beyond
    settings: Settings
    now_ns: Callable[[], int]
    tell: Teller

    @property
    def scopes(self) -> list[Scope]:
        return [each if isinstance(each, Scope) else Scope(absolute(each)) for each in self.chosen]

    @property
    def folders(self) -> list[Path]:
        """Of what was named, the folders."""
        named = (scope.folder for scope in self.scopes if scope.within is None)
        return [folder for folder in named if outside.is_folder(folder)]

    def find(self) -> Walk:
        walked = walk(self.chosen, self.archive.root, self.wanted)
        self.tell.walked(walked)
        return walked

    def known(self, catalog: Catalog) -> dict[str, list[Known]]:
        """What is known of all that was named, by path as text."""
        found = under(catalog, [scope.folder for scope in self.scopes])
        deep = [scope.folder for scope in self.scopes if scope.recursive]
        flat = {scope.folder for scope in self.scopes if not scope.recursive}
        if flat:
            found = {
                text: rows
                for text, rows in found.items()
                if (path := text_to_path(text)).parent in flat or any(map(path.is_relative_to, deep))
            }
        return found

    def take(
        self,
        walked: Walk,
        known: dict[str, list[Known]],
        catalog: Catalog | None,
        places: Places,
        flight: Takes,
    ) -> None:
        """Take what the walk found, then see what became of the files that it did not find."""
        comparison = compare(walked.files, known)
        store, max_pixels = self.archive.store, self.settings.max_pixels
        taking = Taking(
            store,
            catalog,
            self.options,
            self.rules,
            self.beyond,
            max_pixels,
            self.now_ns,
            places,
            flight,
            self.tell,
            self.archive.waiting,
        )
        try:
            taking.take(walked.files, comparison)
        except KeyboardInterrupt:
            places.flush()
            raise
        look = Looker()
        roots = [str(scope.within or scope.folder) for scope in self.scopes]
        unseen: list[Unseen] = []
        listed = {path_to_text(found.path) for found in walked.files}
        for rows, named in ((comparison.unlisted, True), (places.others_of_moved(listed), False)):
            elsewhere = places.lies_elsewhere(rows, look)
            ended = endings(rows, roots, walked.files, look, elsewhere, self.rules.even_empty)
            places.gone(ended.gone)
            if named:
                unseen = [
                    Unseen(path_to_text(folder), reason, len(photos))
                    for (folder, reason), photos in ended.unseen.items()
                ]
        self.tell.happened(places.finish(), unseen)


def _rehearse(archive: ArchiveFolder, run: _Run, tell: Teller) -> None:
    with _as_it_is(archive) as catalog:
        told = catalog if catalog is not None and inspect(catalog.engine).has_table(_PATHS) else None
        known = {} if told is None else run.known(told)
        places = Places(told, known, write=False)
        run.take(run.find(), known, catalog, places, Rehearsal(places, tell))


_PATHS = KnownPath.__tablename__  # a table that older catalogs do not have


@contextmanager
def _as_it_is(archive: ArchiveFolder) -> Iterator[Catalog | None]:
    """The catalog, not migrated; None where there is no archive."""
    if not archive.exists:
        yield None
        return
    archive.verify()
    with Catalog.open(archive.catalog, change=False) as catalog:
        yield catalog


def _notes(tell: Teller, keep: KeepMode) -> Iterator[str]:
    report = tell.report
    if report.dry_run and (report.added or report.updated):
        yield "nothing was decoded: files that are no photos, or damaged, show only when they are put in"
    if keep is KeepMode.EXACT and (left := report.passed_over.only_here()):
        yield f"not in the archive, keep them when you delete originals: {left}"
    if n := len(tell.stay_exact):
        yield f"{counted(n, 'photo')} {'is' if n == 1 else 'are'} kept exactly already and {_stay(n)} so"
    if n := len(tell.stay_as_made - tell.made):
        yield (
            f"{counted(n, 'photo')} {_stay(n)} as {'it is' if n == 1 else 'they are'}: effort, tune, "
            "importances and targets count for new photos only"
        )


def _stay(count: int) -> str:
    return "stays" if count == 1 else "stay"
