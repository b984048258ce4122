"""The open indexes of an archive, kept between queries."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.index.blocks import Damaged
from dsslic_search.index.source import Frozen, Source, Stale, State

if TYPE_CHECKING:
    from dsslic_search.index.segment import Elsewhere, Segment
    from dsslic_search.index.segments import Manifest, Segments
    from dsslic_search.query.run.evaluate import Indexes

T = TypeVar("T")

MANY_SEGMENTS = 32
"""A question that finds more small ones joins them first: each takes its time of every question."""


class OpenIndexes:
    """Indexes are opened when a question first needs them; what changes in the catalog is added before the
    next one. Safe to ask from several threads."""

    def __init__(
        self, catalog: Source, folder: Path, vocabulary: Vocabulary, elsewhere: Elsewhere | None = None
    ) -> None:
        """``elsewhere``: who may have segments that others made."""
        self._catalog = catalog
        self._folder = folder
        self._vocabulary = vocabulary
        self._elsewhere = elsewhere
        self._state: State | None = None
        self._written: Manifest | None = None
        self._opened: tuple[Indexes, ...] = ()
        self._turn = threading.RLock()

    def ask(self, question: Callable[[Sequence[Indexes]], T]) -> T:
        """What ``question`` makes of the indexes of each segment of the catalog as it is now.

        It may be asked again: where the catalog changes before all indexes that it needs are open (it raises
        Stale), of the catalog as it is at one moment; and where a file of theirs is found to be damaged,
        which is then made anew."""
        while True:
            try:
                return question(self._current())
            except Damaged:
                self._state = self._written = None
            except Stale:
                break
        with self._catalog.snapshot() as snapshot:
            while True:
                try:
                    return question(tuple(map(self._of, self._segments(Frozen(snapshot)).parts)))
                except Damaged:
                    self._written = None

    def settle(self) -> State | None:
        """Join small segments, and open every index of those that are written, so that no question has to
        make any, nor any other machine's that takes them. The state that they are of from now on; None where
        the folder cannot be written."""
        from dsslic_search.index.segments import merged, remember
        from dsslic_search.query.run.evaluate import Indexes

        elsewhere = self._elsewhere
        found = merged(self._catalog, self._folder, self._vocabulary, elsewhere, theirs=True)
        for part in found.parts:
            if part.folder is not None and not (elsewhere and elsewhere.has(part.name)):
                with contextlib.suppress(Stale):  # the next question makes what is missing
                    Indexes.all_of(part)
        if found.written is not None:
            remember(self._folder, found.written)
        self._state, self._written = None, found.written
        return found.written and found.written.state

    def _current(self) -> tuple[Indexes, ...]:
        with self._turn:
            if self._state is None or self._state != self._catalog.state():
                segments = self._segments(self._catalog)
                self._opened = tuple(map(self._of, segments.parts))
                self._state = segments.state
            return self._opened

    def _segments(self, source: Source) -> Segments:
        from dsslic_search.index.segments import MAX_PHOTOS, merged, open_segments

        with self._turn:
            given = self._folder, self._vocabulary
            found = open_segments(source, *given, self._written, self._elsewhere)
            if sum(2 * part.live < MAX_PHOTOS for part in found.parts) > MANY_SEGMENTS:
                found = merged(source, *given, self._elsewhere)
            self._written = found.written
            return found

    @staticmethod
    def _of(segment: Segment) -> Indexes:
        from dsslic_search.query.run.evaluate import Indexes

        return Indexes.of(segment)
