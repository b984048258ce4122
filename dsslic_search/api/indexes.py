"""The open indexes of an archive, kept between queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.index.source import Snapshot, Source, Stale

if TYPE_CHECKING:
    from dsslic_search.query.run.evaluate import Indexes

T = TypeVar("T")


@dataclass(frozen=True)
class _Frozen:
    """A catalog that stays as it is at one moment."""

    moment: Snapshot

    def generation(self) -> int:
        return self.moment.generation

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        yield self.moment


class OpenIndexes:
    """Indexes are opened when a question first needs them, and opened anew when the catalog has changed
    since."""

    def __init__(self, catalog: Source, folder: Path, vocabulary: Vocabulary) -> None:
        self._catalog = catalog
        self._folder = folder
        self._vocabulary = vocabulary
        self._opened: Indexes | None = None

    def ask(self, question: Callable[[Indexes], T]) -> T:
        """What ``question`` makes of the indexes of the catalog as it is now.

        It may be asked twice: where the catalog changes before all indexes that it needs are open (it raises
        Stale), it is asked again of the catalog as it is at one moment."""
        try:
            return question(self._current())
        except Stale:
            self._opened = None
        with self._catalog.snapshot() as snapshot:
            return question(self._open(_Frozen(snapshot)))

    def _current(self) -> Indexes:
        opened = self._opened
        if opened is None or opened.columns.generation != self._catalog.generation():
            self._opened = opened = self._open(self._catalog)
        return opened

    def _open(self, source: Source) -> Indexes:
        from dsslic_search.index.columns import open_columns
        from dsslic_search.index.files import open_files
        from dsslic_search.index.regions.table import open_regions
        from dsslic_search.index.vectors.image import open_image_vectors
        from dsslic_search.index.vectors.table import open_vectors
        from dsslic_search.index.words import open_words
        from dsslic_search.query.run.evaluate import Indexes

        where = source, self._folder, self._vocabulary
        return Indexes(
            open_columns(*where),
            cache(lambda: open_vectors(*where)),
            cache(lambda: open_regions(*where)),
            cache(lambda: open_files(*where)),
            cache(lambda: open_words(*where)),
            cache(lambda: open_image_vectors(*where)),
        )
