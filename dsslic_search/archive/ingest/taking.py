"""What an ingest does with each file of a walk: nothing, where it is as it was; else it reads it, and takes
what is new."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import bindparam, select

from dsslic_search.archive import bin
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.ingest.compare import Comparison, compare
from dsslic_search.archive.ingest.decide import NOTHING, Choice, choose
from dsslic_search.archive.ingest.encode import Source, dependable
from dsslic_search.archive.ingest.places import Places
from dsslic_search.archive.ingest.report import Teller
from dsslic_search.archive.ingest.sources import Beyond, offer_all
from dsslic_search.archive.known_paths import lying_at
from dsslic_search.archive.leases import POLL_SECONDS, Leases
from dsslic_search.archive.paths import FileThere
from dsslic_search.archive.schema import Photo
from dsslic_search.archive.store import Store
from dsslic_search.core.files import path_to_text
from dsslic_search.core.kinds import KeepMode, PhotoState, Tune
from dsslic_search.core.settings import DEFAULT_EFFORT

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from dsslic_search.archive.ingest.walk import Found
    from dsslic_search.archive.known_paths import Known
    from dsslic_search.codec.options import EncodeOptions


@dataclass(frozen=True)
class Rules:
    """How an ingest treats what is known. ``anew``: store photos anew that are kept otherwise than the
    options say. ``rehash``: read files that look unchanged, too. ``even_empty``: what lay in folders that are
    empty, or not there, is gone. ``even_removed``: take photos back that were removed."""

    anew: bool = True
    rehash: bool = False
    even_empty: bool = False
    even_removed: bool = False


class Takes(Protocol):
    """`archive.ingest.flight.Flight`, or the rehearsal of one."""

    @property
    def keys(self) -> frozenset[str]: ...
    def open(self) -> AbstractContextManager[None]: ...
    def settle(self) -> None: ...
    def is_twin(self, source: Source) -> bool: ...
    def start(self, source: Source, choice: Choice) -> None: ...


@dataclass(frozen=True)
class Stand:
    """What the catalog has of some content."""

    photo_id: int
    state: str
    keep: str
    quality: int


_STAND = select(Photo.id, Photo.state, Photo.keep, Photo.quality).where(
    Photo.content_hash == bindparam("content_hash")
)


class Taking:
    """The files of one run, in the order of the walk. ``catalog``: None where there is none yet."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog | None,
        options: EncodeOptions,
        rules: Rules,
        beyond: Beyond,
        max_pixels: int,
        now_ns: Callable[[], int],
        places: Places,
        flight: Takes,
        tell: Teller,
        waiting: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """``waiting`` is told, once, where another machine's work is waited for."""
        self._store, self._catalog, self._options, self._rules = store, catalog, options, rules
        self._beyond, self._max_pixels, self._now_ns = beyond, max_pixels, now_ns
        self._places, self._flight, self._tell = places, flight, tell
        self._leases = Leases() if catalog is None else catalog.leases
        self._waiting, self._waits = waiting, False

    def take(self, files: Sequence[Found], comparison: Comparison) -> None:
        """All of them; the same content met again while it is in flight waits for that. Files that another
        machine works on come last: it has put them in by then, or has died."""
        with self._flight.open():
            others: list[Found] = []
            for found in files:
                rows = comparison.unchanged.get(found.path, [])
                if self._passes(found, rows):
                    continue
                if self._may_have(path_to_text(found.path)):
                    self._read_once(found)
                else:
                    others.append(found)
            for found in others:
                path = path_to_text(found.path)
                self._wait_for(path, path)
                self._read_once(found)
            self._flight.settle()
            self._leases.keep_only(())
        self._places.end_left()

    def _passes(self, found: Found, rows: list[Known]) -> bool:
        """Whether a file needs nothing; then that is noted. ``rows``: of the photos that it is, as it was."""
        passes = bool(rows) and not self._rules.rehash and all(map(self._stays, rows))
        if passes:
            self._pass(found, rows)
        return passes

    def _may_have(self, key: str, holding: frozenset[str] = frozenset()) -> bool:
        """Whether the lease of a key is ours now; those of what is neither in flight nor ``holding`` are
        given back."""
        if not self._leases.shared:
            return True
        self._leases.keep_only(self._flight.keys | holding)
        return self._leases.take(key)

    def _wait_for(self, key: str, path: str, holding: frozenset[str] = frozenset()) -> None:
        """Until the lease of a key, of the file at a path, is ours. With nothing in flight, so that nobody
        waits for us meanwhile."""
        if not self._may_have(key, holding):
            self._flight.settle()
            if not self._waits and not self._may_have(key, holding):
                self._waiting(f"{path}: another machine is putting it in; waiting until it has, or ends")
                self._waits = True
            while not self._may_have(key, holding):
                time.sleep(POLL_SECONDS)

    def _read_once(self, found: Found) -> None:
        """Read a file whose lease is ours, unless another machine has put it in since."""
        if self._leases.shared and self._catalog is not None:
            text = path_to_text(found.path)
            now = lying_at(self._catalog, text)
            if now:
                self._places.learn(text, now)
            if self._passes(found, compare([found], {text: now}).unchanged.get(found.path, [])):
                return
        self._read(found)

    def _stays(self, row: Known) -> bool:
        """Whether a photo whose file is unchanged needs nothing of it."""
        if row.state == PhotoState.REMOVED:
            return not self._rules.even_removed
        if row.state == PhotoState.LOST:
            return False
        if not self._rules.anew:
            return True
        if row.part and self._beyond.videos:
            return False  # other frames may be asked for than last time
        return self._choice(row.content_hash).action == "present"

    def _pass(self, found: Found, rows: Sequence[Known]) -> None:
        self._tell.expect(len(rows) - 1)
        for row in rows:
            there = FileThere(found.path, found.size, found.modified_ns, row.part)
            self._places.seen(row.photo_id, there)
            in_bin = row.state == PhotoState.REMOVED
            self._tell.present(row.path + row.part, in_bin)
            if not in_bin:
                self._tell_as_made(row.content_hash)

    def _read(self, found: Found) -> None:
        hashes: dict[str, str] = {}
        modified_ns = dependable(found.modified_ns, self._now_ns())

        def offer(source: Source) -> None:
            hashes[source.there.part] = source.content_hash
            self._offer(source)

        whole = offer_all(found.path, self._beyond, self._max_pixels, self._now_ns, self._tell, offer)
        if whole:
            self._places.others(FileThere(found.path, found.size, modified_ns), hashes)

    def _offer(self, source: Source) -> None:
        if self._flight.is_twin(source):
            return
        path = path_to_text(source.there.path)
        self._wait_for(source.content_hash, path, frozenset([path]))
        stand = self._stand(source.content_hash)
        if stand is None:
            self._offer_new(source)
            return
        if stand.state == PhotoState.REMOVED:
            if not self._rules.even_removed:
                self._places.seen(stand.photo_id, source.there)
                self._tell.present(source.name, in_bin=True)
                return
            self._places.take_back(stand.photo_id)
            stand = self._stand(source.content_hash) or stand  # it may be lost, too
        choice = Choice("present", self._options, stand.photo_id)
        if self._rules.anew:
            choice = self._choice(source.content_hash)
        elif stand.state == PhotoState.LOST:
            choice = self._choice(source.content_hash, self._as_kept(stand))
        if choice.action == "update":
            if choice.options.keep != stand.keep:
                self._tell.report.kept_before[stand.keep] += 1
            self._flight.start(source, choice)
            return
        self._places.seen(stand.photo_id, source.there)
        if choice.action == "cannot":
            self._tell.failed(source.name, choice.reason)
        else:
            self._tell_as_made(source.content_hash)
            self._tell.present(source.name)

    def _offer_new(self, source: Source) -> None:
        if self._is_purged(source.content_hash):
            if not self._rules.even_removed:
                self._places.nothing(source.there)
                self._tell.present(source.name, in_bin=True)
                return
            self._places.allow(source.content_hash)
        self._flight.start(source, Choice("add", self._options, even_undecoded=self._beyond.undecoded))

    def _choice(self, content_hash: str, options: EncodeOptions | None = None) -> Choice:
        if self._catalog is None:
            return Choice("add", self._options)
        asked = options or self._options
        choice = choose(self._catalog, self._store, content_hash, asked, self._beyond.undecoded)
        if choice.stays_exact:
            self._tell.stay_exact.add(content_hash)
        return choice

    def _as_kept(self, stand: Stand) -> EncodeOptions:
        """Those of the run, but for what a photo that is lost was kept as."""
        keep = KeepMode.EXACT if stand.keep == KeepMode.UNDECODED else stand.keep
        plain = replace(self._options, target=None, importance=(), strip=NOTHING, tune=Tune.PSNR)
        return replace(plain, keep=keep, quality=stand.quality)

    def _tell_as_made(self, content_hash: str) -> None:
        asked = self._options
        tuned = asked.importance or asked.target or str(asked.tune) != Tune.PSNR
        if self._rules.anew and (asked.effort != DEFAULT_EFFORT or tuned):
            self._tell.stay_as_made.add(content_hash)

    def _stand(self, content_hash: str) -> Stand | None:
        if self._catalog is None:
            return None
        if not self._places.known:  # an older catalog, in a rehearsal
            found = self._catalog.known(content_hash)
            return (
                None if found is None else Stand(found[0], PhotoState.HERE, found[1].keep, found[1].quality)
            )
        with self._catalog.reading() as connection:
            row = connection.execute(_STAND, {"content_hash": content_hash}).one_or_none()
        return None if row is None else Stand(*row)

    def _is_purged(self, content_hash: str) -> bool:
        if self._catalog is None or not self._places.known:
            return False
        return bin.is_purged(self._catalog, content_hash)
