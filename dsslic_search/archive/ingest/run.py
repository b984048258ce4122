"""Bring photos into an archive.

The calling thread walks, reads, hashes and writes; ``workers`` threads encode (the codec works outside
Python's lock). A photo is added by writing its object file, then its catalog row, in one transaction of its
own, and stored anew in the same way. So whatever stops an ingest, what was stored stays whole, and running it
again goes on where it stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsslic_search.archive import later_facts, schema
from dsslic_search.archive.catalog import Catalog, utc_now
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest.decide import Choice, choose
from dsslic_search.archive.ingest.encode import Prepare, Prepared, Source, prepare_photo
from dsslic_search.archive.ingest.memory import Budget, default_total, weight_of
from dsslic_search.archive.ingest.report import Event, IngestReport, Teller
from dsslic_search.archive.ingest.sidecars import Sidecars
from dsslic_search.archive.ingest.sources import Beyond, offer_all
from dsslic_search.archive.ingest.undecoded import prepare_undecoded
from dsslic_search.archive.ingest.walk import walk
from dsslic_search.archive.reindex import make_current
from dsslic_search.archive.store import Store
from dsslic_search.archive.terms import require_current
from dsslic_search.core.errors import DSSError, FormatError, PhotoError, TargetError
from dsslic_search.core.settings import Settings

if TYPE_CHECKING:
    from dsslic_search.archive.ingest.frames import FrameChoice
    from dsslic_search.codec.options import EncodeOptions
    from dsslic_search.codec.picture.facts import Beside

log = logging.getLogger(__name__)


def ingest(
    archive: ArchiveFolder,
    chosen: Sequence[Path],
    options: EncodeOptions,
    *,
    settings: Settings,
    dry_run: bool = False,
    frames: FrameChoice | None = None,
    even_undecoded: bool = False,
    workers: int = 2,
    memory: int | None = None,
    progress: Callable[[Event], None] | None = None,
    prepare: Prepare = prepare_photo,
) -> IngestReport:
    """Add the photos at ``chosen`` files and folders that are not in the archive yet, by content; store those
    anew that are there in another way than ``options`` say, but for photos kept exactly, or whose file is
    missing or damaged.

    Files that cannot be used are skipped and listed in the report. KeyboardInterrupt ends it early: what is
    encoded is still stored, and the report says ``interrupted``. ``dry_run`` reads and compares, and writes
    nothing at all. A new archive is made unless no file is found. ``frames``: which frames of videos are
    photos; None passes videos over, and counts them. ``even_undecoded``: keep what cannot be decoded as it
    is, if it is a picture or a video by its sort. ``progress`` is called in the calling thread, ``prepare``
    in the workers; at most ``workers`` + 2 photos are in memory at a time, and as many as ``memory``, bytes
    in all, has room for (`archive.ingest.memory`; None for half of what there is).

    Raises UsageError when that is less than any photo takes, and where frames or what cannot be decoded do
    not go with the keep mode; ArchiveError when the archive cannot be used or written (another writer, newer
    version, disk full), WeightsError and the like when no photo could be encoded.
    """
    start = time.perf_counter()
    beyond = Beyond(options.mode, frames, even_undecoded)
    budget = Budget(default_total() if memory is None else memory)
    report = IngestReport(dry_run=dry_run)
    tell = Teller(report, progress or (lambda _event: None))
    try:
        if dry_run:
            _rehearse(archive, chosen, options, tell, beyond, settings)
        elif archive.exists:
            with archive.writing(create=True) as catalog:
                require_current(catalog)
                files = _find(archive, chosen, tell, beyond)
                run = _Run(archive.store, catalog, options, settings, workers, budget, prepare, tell)
                run.add_all(files, beyond)
        elif files := _find(archive, chosen, tell, beyond):
            with archive.writing(create=True) as catalog:
                run = _Run(archive.store, catalog, options, settings, workers, budget, prepare, tell)
                run.add_all(files, beyond)
    except KeyboardInterrupt:
        report.interrupted = True
    if n := len(tell.stay_exact):
        report.notes.append(
            f"{n} photo{' is' if n == 1 else 's are'} kept exactly already and stay{'s' if n == 1 else ''} so"
        )
    report.seconds = time.perf_counter() - start
    return report


def _find(archive: ArchiveFolder, chosen: Sequence[Path], tell: Teller, beyond: Beyond) -> list[Path]:
    walked = walk(chosen, archive.root, videos=beyond.videos, unread=beyond.undecoded)
    tell.report.notes.extend(walked.notes)
    tell.report.videos = walked.videos
    tell.walked(len(walked.files), walked.failures)
    return walked.files


def _rehearse(
    archive: ArchiveFolder,
    chosen: Sequence[Path],
    options: EncodeOptions,
    tell: Teller,
    beyond: Beyond,
    settings: Settings,
) -> None:
    catalog = None
    if archive.exists:
        archive.verify()
        catalog = Catalog.open(archive.catalog, change=False)
    seen: set[str] = set()

    def offer(source: Source) -> None:
        if source.content_hash in seen:
            tell.present(source.name)
            return
        choice = (
            Choice("add", options)
            if catalog is None
            else choose(catalog, archive.store, source.content_hash, options)
        )
        if not _settled_at_once(source, choice, tell):
            seen.add(source.content_hash)
            tell.stored(source, choice.action == "update")

    try:
        for path in _find(archive, chosen, tell, beyond):
            offer_all(path, beyond, settings.max_pixels, tell, offer)
    finally:
        if catalog is not None:
            catalog.close()


def _settled_at_once(source: Source, choice: Choice, tell: Teller) -> bool:
    """Tell of a photo that is not going to be stored; False when it is."""
    if choice.stays_exact:
        tell.stay_exact.add(source.content_hash)
    if choice.action == "present":
        tell.present(source.name)
    elif choice.action == "cannot":
        tell.failed(source.name, choice.reason)
    return choice.action in ("present", "cannot")


@dataclass
class _Job:
    """A photo that is being encoded, and files of the same content met meanwhile."""

    source: Source
    choice: Choice
    weight: int
    twins: list[str] = field(default_factory=list)


class _Run:
    """One ingest's worker threads and the photos in them."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        options: EncodeOptions,
        settings: Settings,
        workers: int,
        budget: Budget,
        prepare: Prepare,
        tell: Teller,
    ) -> None:
        self._store, self._catalog, self._tell = store, catalog, tell
        self._options, self._settings, self._prepare = options, settings, prepare
        self._workers, self._budget = max(1, workers), budget
        self._sidecars = Sidecars()
        self._flying: dict[Future[Prepared], _Job] = {}

    def add_all(self, files: Sequence[Path], beyond: Beyond) -> None:
        """Add the photos among ``files``, and what is asked for beyond them. On KeyboardInterrupt what is
        encoded is stored before it goes on up."""
        later_facts.begin(self._catalog)
        make_current(self._catalog)
        self._store.remove_leftovers()
        with ThreadPoolExecutor(self._workers, "dss-ingest") as pool:
            try:
                for path in files:
                    offer = partial(self._offer, pool, beyond)
                    offer_all(path, beyond, self._settings.max_pixels, self._tell, offer)
                self._settle_until(0)
            except BaseException as error:
                pool.shutdown(wait=True, cancel_futures=True)
                if isinstance(error, KeyboardInterrupt):
                    self._rescue()
                raise

    def _offer(self, pool: ThreadPoolExecutor, beyond: Beyond, source: Source) -> None:
        self._start(pool, beyond, source)
        self._settle_until(self._workers + 1)

    def _start(self, pool: ThreadPoolExecutor, beyond: Beyond, source: Source) -> None:
        for job in self._flying.values():
            if job.source.content_hash == source.content_hash:
                job.twins.append(source.name)
                return
        choice = choose(self._catalog, self._store, source.content_hash, self._options, beyond.undecoded)
        if _settled_at_once(source, choice, self._tell):
            return
        source.fetch()
        try:
            weight = weight_of(source, choice.options, self._settings.max_pixels, self._budget)
        except PhotoError as e:
            self._tell.failed(source.name, str(e))
            return
        while self._flying and not self._budget.has_room_for(weight):
            self._settle_first()
        self._budget.take(weight)
        sidecars = self._sidecars.of(source.path)
        self._tell.sidecars(sidecars)
        future = pool.submit(self._prepared, source, choice, sidecars.beside)
        self._flying[future] = _Job(source, choice, weight)

    def _prepared(self, source: Source, choice: Choice, beside: Beside) -> Prepared:
        """In a worker: the photo, or where that is asked for what cannot be one, as it is."""
        try:
            return self._prepare(source, choice.options, self._settings, beside)
        except PhotoError as e:
            if not choice.even_undecoded:
                raise
            quality, max_pixels = choice.options.quality, self._settings.max_pixels
            return prepare_undecoded(source, str(e), quality, max_pixels, beside)

    def _settle_until(self, few: int) -> None:
        while len(self._flying) > few:
            self._settle_first()

    def _settle_first(self) -> None:
        """Wait until at least one of the photos in flight is encoded."""
        for future in wait(self._flying, return_when=FIRST_COMPLETED).done:
            job = self._flying.pop(future)
            self._budget.give_back(job.weight)
            self._settle(future, job)

    def _rescue(self) -> None:
        """After an interruption: store what the workers had finished."""
        for future, job in self._flying.items():
            if not future.cancelled() and future.exception() is None:
                self._settle(future, job)

    def _settle(self, future: Future[Prepared], job: _Job) -> None:
        name = job.source.name
        try:
            prepared = future.result()
        except (PhotoError, FormatError, TargetError) as e:
            if job.choice.stays_undecoded and isinstance(e, PhotoError):
                for each in (name, *job.twins):
                    self._tell.present(each)
                return
            reason = str(e).removeprefix(f"{name}: ")
        except DSSError:
            raise  # not this photo's fault: the next would fail as well
        except MemoryError:
            reason = "not enough memory to encode it"
        except Exception as e:
            log.warning("unexpected error at %s", name, exc_info=e)
            reason = f"unexpected error, please report it ({type(e).__name__}: {e})"
        else:
            self._keep(job.source, job.choice, prepared)
            for twin in job.twins:
                self._tell.present(twin)
            return
        for each in (name, *job.twins):
            self._tell.failed(each, reason)

    def _keep(self, source: Source, choice: Choice, prepared: Prepared) -> None:
        start = time.perf_counter()
        self._store.write(source.content_hash, prepared.data)
        values = _columns(source, prepared, choice.options)
        if choice.photo_id is None:
            self._catalog.add(
                schema.Photo(content_hash=source.content_hash, added_at=utc_now(), **values),
                prepared.features,
                source.there,
            )
        else:
            self._catalog.update(choice.photo_id, values, prepared.features, source.there)
        self._tell.stored(
            source, choice.photo_id is not None, prepared, {"store": (time.perf_counter() - start) * 1000}
        )


def _columns(source: Source, prepared: Prepared, options: EncodeOptions) -> dict[str, Any]:
    """The columns of a photo's row that are written whenever it is stored."""
    return {
        "file_size": source.file_size,
        "modified_at": source.modified_at,
        "format": prepared.format,
        "width": prepared.width,
        "height": prepared.height,
        **prepared.facts,
        "keep": prepared.keep or options.keep,
        "quality": prepared.quality,
        "stored_bytes": len(prepared.data),
        "map_bytes": prepared.map_bytes,
        "vocabulary": prepared.vocabulary,
        "segmenter": prepared.segmenter,
    }
