"""The photos of an ingest that are being encoded: worker threads, and what they make put into the archive."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dsslic_search.archive import labelled, parity, schema
from dsslic_search.archive.catalog import Catalog, utc_now
from dsslic_search.archive.ingest.decide import NOTHING, Choice
from dsslic_search.archive.ingest.encode import Prepare, Prepared, Source
from dsslic_search.archive.ingest.memory import Budget, Weigh, weight_of
from dsslic_search.archive.ingest.places import Places
from dsslic_search.archive.ingest.report import Teller
from dsslic_search.archive.ingest.sidecars import Sidecars
from dsslic_search.archive.ingest.undecoded import prepare_undecoded
from dsslic_search.archive.rating import but_unsaid
from dsslic_search.archive.store import Store
from dsslic_search.core.errors import DSSError, FormatError, PhotoError, TargetError
from dsslic_search.core.files import path_to_text
from dsslic_search.core.settings import Settings

if TYPE_CHECKING:
    from dsslic_search.codec.options import EncodeOptions
    from dsslic_search.codec.picture.facts import Beside

log = logging.getLogger(__name__)


@dataclass
class _Job:
    """A photo that is being encoded, and files of the same content met meanwhile."""

    source: Source
    choice: Choice
    weight: int
    twins: list[Source] = field(default_factory=list)


class Flight:
    """One ingest's worker threads and the photos in them. The thread that starts them settles them, too."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        settings: Settings,
        workers: int,
        budget: Budget,
        prepare: Prepare,
        places: Places,
        tell: Teller,
        weigh: Weigh = weight_of,
    ) -> None:
        self._weigh = weigh
        self._catalog, self._places, self._tell = catalog, places, tell
        self._store, self._write = store, parity.writer(catalog, store)
        self._settings, self._prepare = settings, prepare
        self._workers, self._budget = max(1, workers), budget
        self._sidecars = Sidecars()
        self._flying: dict[Future[Prepared], _Job] = {}
        self._listing = threading.Lock()

    @contextmanager
    def open(self) -> Iterator[None]:
        """When the block ends well, all photos are settled. On KeyboardInterrupt those that a worker has
        begun are finished and stored before it goes on up."""
        with ThreadPoolExecutor(self._workers, "dss-ingest") as self._pool:
            try:
                yield
                self._settle_until(0)
            except BaseException as error:
                self._pool.shutdown(wait=False, cancel_futures=True)
                if isinstance(error, KeyboardInterrupt) and (begun := self._begun()):
                    self._tell.stopping(begun)
                self._pool.shutdown(wait=True)
                if isinstance(error, KeyboardInterrupt):
                    self._rescue()
                raise

    @property
    def keys(self) -> frozenset[str]:
        """The paths and the content hashes of the photos in flight."""
        jobs = self._flying.values()
        twins = (twin.there for job in jobs for twin in job.twins)
        paths = (path_to_text(there.path) for there in (*(job.source.there for job in jobs), *twins))
        return frozenset((*paths, *(job.source.content_hash for job in jobs)))

    def settle(self) -> None:
        """Wait until no photo is in flight."""
        self._settle_until(0)

    def is_twin(self, source: Source) -> bool:
        """Whether a photo of this content is in flight; then the file counts as met with it."""
        for job in self._flying.values():
            if job.source.content_hash == source.content_hash:
                job.twins.append(source)
                return True
        return False

    def start(self, source: Source, choice: Choice) -> None:
        """Have a photo encoded, and stored as ``choice`` says; waits while there is no room for it."""
        source.fetch()
        try:
            weight = self._weigh(source, choice.options, self._settings.max_pixels, self._budget)
        except PhotoError as e:
            self._fail(_Job(source, choice, 0), str(e))
            return
        while self._flying and not self._budget.has_room_for(weight):
            self._settle_first()
        self._budget.take(weight)
        sidecars = self._sidecars.of(source.path)
        self._tell.sidecars(sidecars)
        with self._listing:
            future = self._pool.submit(self._once_listed, source, choice, sidecars.beside)
            self._flying[future] = _Job(source, choice, weight)
        self._settle_until(self._workers + 1)

    def _once_listed(self, source: Source, choice: Choice, beside: Beside) -> Prepared:
        """In a worker: begins nothing that an interruption would not know of."""
        with self._listing:
            pass
        return self._prepared(source, choice, beside)

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
        done = wait(self._flying, return_when=FIRST_COMPLETED).done
        for future in [each for each in self._flying if each in done]:  # in the order of the walk
            job = self._flying.pop(future)
            self._budget.give_back(job.weight)
            self._settle(future, job)

    def _begun(self) -> int:
        return sum(not future.cancelled() for future in self._flying)

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
                self._stays(job)
                return
            self._fail(job, str(e).removeprefix(f"{name}: "))
        except DSSError:
            raise  # not this photo's fault: the next would fail as well
        except MemoryError:
            self._fail(job, "not enough memory to encode it")
        except Exception as e:
            log.warning("unexpected error at %s", name, exc_info=e)
            self._fail(job, f"unexpected error, please report it ({type(e).__name__}: {e})")
        else:
            photo_id = self._keep(job.source, job.choice, prepared)
            for twin in job.twins:
                self._places.seen(photo_id, twin.there)
                self._tell.present(twin.name)

    def _stays(self, job: _Job) -> None:
        assert job.choice.photo_id is not None
        for source in (job.source, *job.twins):
            self._places.seen(job.choice.photo_id, source.there)
            self._tell.present(source.name)

    def _fail(self, job: _Job, reason: str) -> None:
        for source in (job.source, *job.twins):
            if job.choice.photo_id is not None:  # its content is known, whatever became of it now
                self._places.seen(job.choice.photo_id, source.there)
            self._tell.failed(source.name, reason)

    def _keep(self, source: Source, choice: Choice, prepared: Prepared) -> int:
        start = time.perf_counter()
        if choice.photo_id is not None:
            prepared = _as_people_say(self._store, source.content_hash, prepared)
        self._catalog.leases.require_held()
        self._write(source.content_hash, prepared.data)
        values = _columns(source, prepared, choice.options)
        photo_id = choice.photo_id
        if photo_id is None:
            self._places.before_adding(source.there)
            photo = schema.Photo(
                path=source.name, content_hash=source.content_hash, added_at=utc_now(), **values
            )
            photo_id = self._catalog.add(photo, prepared.features, source.there)
            self._places.added(photo_id, source.there)
        else:
            stripped = choice.options.strip != NOTHING
            kept = values if stripped else but_unsaid(values)
            self._catalog.update(photo_id, kept, prepared.features, shed=stripped)
            self._places.seen(photo_id, source.there)
        self._tell.stored(
            source, choice.photo_id is not None, prepared, {"store": (time.perf_counter() - start) * 1000}
        )
        return photo_id


class Rehearsal:
    """As `Flight`, with nothing encoded and nothing written."""

    def __init__(self, places: Places, tell: Teller) -> None:
        self._places, self._tell = places, tell
        self._met: dict[str, int] = {}  # ids by content hash, of our own below 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """Nothing is to be opened."""
        yield

    keys: frozenset[str] = frozenset()

    def settle(self) -> None:
        """Nothing is in flight."""

    def is_twin(self, source: Source) -> bool:
        """As `Flight.is_twin`, of all photos met so far."""
        photo_id = self._met.get(source.content_hash)
        if photo_id is None:
            return False
        self._places.seen(photo_id, source.there)
        self._tell.present(source.name)
        return True

    def start(self, source: Source, choice: Choice) -> None:
        """Tell what would be stored."""
        if choice.photo_id is None:
            photo_id = -1 - len(self._met)
            self._places.before_adding(source.there)
            self._places.added(photo_id, source.there)
        else:
            photo_id = choice.photo_id
            self._places.seen(photo_id, source.there)
        self._met[source.content_hash] = photo_id
        self._tell.stored(source, choice.photo_id is not None)


def _as_people_say(store: Store, content_hash: str, prepared: Prepared) -> Prepared:
    """A photo that is stored anew with the label map that people gave it, if they did."""
    found = labelled.carried_over(store, content_hash, prepared.data, prepared.features)
    if found is None:
        return prepared
    data, map_bytes, features = found
    return replace(prepared, data=data, map_bytes=map_bytes, features=features)


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
