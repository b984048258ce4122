"""Some photos of a catalog that stay together, and the files of their indexes; see `index.segments`."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.cached import cached_property
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.index import cache
from dsslic_search.index.source import InOrder, Snapshot, Source, Stale, State

ROWS = "rows"
FORMAT = "1"
NAME_BYTES = 8


class Elsewhere(Protocol):
    """Segments that other machines made and published. What cannot be had counts as not there: nothing here
    raises anything."""

    def fetch(self, name: str) -> bool:
        """Bring a file of a segment, by its name, to the folder of the indexes, where others have it and it
        is not there, or damaged; whether it was brought."""

    def bring(self, manifest: str) -> bool:
        """Bring the manifest that was published last under a name, and the rows of its segments; whether they
        are there now."""

    def has(self, segment: str) -> bool:
        """Whether others have the indexes of a segment, by its name."""


@dataclass(frozen=True, eq=False)
class Segment:
    """Some photos of a catalog. ``state``: of the catalog that answers are of. ``folder``: where its files
    are; None for one that lives in memory. ``rows``: ``ids`` and ``moments``, int64[n], in row order, and
    ``by_id``, uint32[n], the rows by rising id. ``gone``: bool[n], the rows of photos that changed or are no
    more; None for none. ``past``: states of the catalog, of which its files may be, that are known to
    be of its past."""

    source: Source
    state: State
    vocabulary: Vocabulary
    name: str
    folder: Path | None
    rows: cache.Arrays
    past: set[State]
    gone: NDArray[np.bool_] | None = None
    elsewhere: Elsewhere | None = None
    _opened: dict[str, cache.Arrays] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return self._photos

    @cached_property
    def _photos(self) -> int:
        return int(self.ids.size)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Photo ids in row order, int64."""
        ids: NDArray[np.int64] = self.rows["ids"]
        return ids

    @property
    def moments(self) -> NDArray[np.int64]:
        """The dates by which rows are in order, newest first: int64 microseconds since 1970."""
        return self.rows["moments"]

    @property
    def live(self) -> int:
        """How many rows are not gone."""
        return len(self) - (0 if self.gone is None else int(np.count_nonzero(self.gone)))

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.intp]:
        """The rows of those of ``ids`` that the segment has, in any order."""
        if not len(self) or not ids.size:
            return np.empty(0, np.intp)
        by_id = self.rows["by_id"]
        nearest = np.minimum(np.searchsorted(self.ids, ids, sorter=by_id), len(self) - 1)
        rows = by_id[nearest].astype(np.intp)
        found: NDArray[np.intp] = rows[self.ids[rows] == ids]
        return found

    def without_gone(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask of rows without those that are gone."""
        return mask if self.gone is None else mask & ~self.gone

    def arrays(self, kind: str, key: str, build: Callable[[Snapshot], cache.Made]) -> cache.Arrays:
        """Those of an index: open already, from its file, from another machine's, or built from the catalog
        and stored.

        A folder that cannot be written costs time at the next opening, nothing else. Raises Stale when the
        catalog has changed, and what ``build`` raises."""
        opened = self._opened.get(kind)
        if opened is None or not self._was(opened.state):
            path = None if self.folder is None else self.folder / f"{self.name}.{kind}"
            opened = None if path is None else cache.load(path, kind, key)
            if opened is None and path is not None and self.elsewhere and self.elsewhere.fetch(path.name):
                opened = cache.load(path, kind, key)
            if opened is None or not self._was(opened.state):
                with self.source.snapshot() as snapshot:
                    if snapshot.state != self.state:
                        raise Stale
                    built = self._built(snapshot, build)
                opened = _kept(path, kind, key, built, self.state)
            self.past.add(opened.state)
            self._opened[kind] = opened
        return opened

    def _built(self, snapshot: Snapshot, build: Callable[[Snapshot], cache.Made]) -> cache.Made:
        with snapshot.of(self.ids) as own:
            return build(own)

    def _was(self, state: State) -> bool:
        """Whether the catalog is in a state, or was before: what was made then is right but for rows that are
        gone now. Others are of later, or of what became of another copy of the catalog."""
        if state == self.state:
            return True
        if state.generation >= self.state.generation:
            return False
        if state in self.past:
            return True
        with self.source.snapshot() as snapshot:
            if snapshot.state != self.state:
                raise Stale
            return snapshot.changed_since(state) is not None

    def at(self, source: Source, state: State, changed: NDArray[np.int64]) -> Segment:
        """The same at a later state, in which some photos changed or went."""
        gone, rows = self.gone, self.rows_of(changed)
        if rows.size:
            gone = np.zeros(len(self), bool) if gone is None else gone.copy()
            gone[rows] = True
        return replace(self, source=source, state=state, gone=gone)


def reopened(
    source: Source, state: State, vocabulary: Vocabulary, folder: Path, name: str, past: Iterable[State],
    gone: NDArray[np.bool_] | None, known: Segment | None, elsewhere: Elsewhere | None = None,
) -> Segment:  # fmt: skip
    """A segment that another process has open; ``known``: as it was open here before. Raises Stale where its
    files are not there any more."""
    rows = cache.load_whole(folder / f"{name}.{ROWS}", ROWS, FORMAT) if known is None else known.rows
    if rows is None:
        raise Stale
    opened = {} if known is None else known._opened
    return Segment(source, state, vocabulary, name, folder, rows, set(past), gone, elsewhere, opened)


def _kept(path: Path | None, kind: str, key: str, built: cache.Made, state: State) -> cache.Arrays:
    """Arrays that were built from a catalog in some state, from their file if it can be written."""
    if path is not None:
        with contextlib.suppress(OSError):
            cache.save(path, kind, key, built, state)
            if (opened := cache.load(path, kind, key)) is not None:
                return opened
    return cache.Arrays(built, state)


@dataclass(frozen=True)
class Table:
    """What an index knows of the photos of a segment, by row. ``arrays``: as they are stored."""

    segment: Segment
    arrays: cache.Arrays

    def __len__(self) -> int:
        return len(self.segment)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Photo ids in row order, int64."""
        return self.segment.ids


def made(
    source: Source, state: State, vocabulary: Vocabulary, folder: Path | None, photos: InOrder,
    elsewhere: Elsewhere | None = None,
) -> Segment:  # fmt: skip
    """A new segment of photos; without files yet but for its rows."""
    rows = photos._asdict() | {"by_id": np.argsort(photos.ids).astype(np.uint32)}
    name = secrets.token_hex(NAME_BYTES)
    kept = _kept(None if folder is None else folder / f"{name}.{ROWS}", ROWS, FORMAT, rows, state)
    return Segment(source, state, vocabulary, name, folder, kept, {state}, elsewhere=elsewhere)
