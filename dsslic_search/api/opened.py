"""What an archive keeps open: catalog, indexes and searcher, each opened when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from dsslic_search.api.arguments import number_of, path_of
from dsslic_search.core import vocabulary
from dsslic_search.core.cached import opened_property
from dsslic_search.core.settings import LONGEST_WAIT_SECONDS, Settings, archive_path, new_archive_urls

if TYPE_CHECKING:
    from dsslic_search.api.indexes import OpenIndexes
    from dsslic_search.api.searching import Searcher
    from dsslic_search.api.shards import Shards
    from dsslic_search.archive.catalog import Catalog
    from dsslic_search.archive.folder import ArchiveFolder
    from dsslic_search.archive.lookup import Lookup


class OpenArchive:
    """A directory, the settings, and what is open of it until `close`; see `api.archive.Archive`."""

    def __init__(
        self,
        path: Path | str | None = None,
        settings: Settings | None = None,
        *,
        wait: float | None = None,
        waiting: Callable[[str], None] | None = None,
    ) -> None:
        """``wait``: seconds to wait for another process that writes to the archive, else those of the
        settings; ``waiting`` is told in a sentence, once, where that is so."""
        from dsslic_search.archive.folder import ArchiveFolder
        from dsslic_search.archive.lock import untold
        from dsslic_search.archive.manifest import Manifest

        self.settings = settings or Settings()
        if wait is not None:
            self.settings = replace(self.settings, wait=number_of(wait, "wait", 0, LONGEST_WAIT_SECONDS))
        root = archive_path(None if path is None else path_of(path, "the path"))
        new = Manifest(*new_archive_urls())
        self._begin(ArchiveFolder(root, new, wait=self.settings.wait, waiting=waiting or untold))

    def _begin(self, folder: ArchiveFolder) -> None:
        self.turn = threading.RLock()
        self.folder = folder
        self.folder.adopt_classes()
        self.vocabulary = vocabulary.default()

    def __getstate__(self) -> dict[str, Any]:
        """A copy, in this process or another, is of the same archive and opens it for itself."""
        return {"settings": self.settings, "folder": self.folder}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.settings = state["settings"]
        self._begin(state["folder"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the catalog and the indexes."""
        for name in ("_indexes", "_searcher"):
            self.__dict__.pop(name, None)
        if shards := self.__dict__.pop("_shards", None):
            shards.close()
        for name in ("_lookup", "catalog"):
            if opened := self.__dict__.pop(name, None):
                opened.close()

    def _check_words(self) -> None:
        """Before photos are described: UsageError for a class list of one's own with words that no query
        could say."""
        if vocabulary.own_in_use() is not None:
            from dsslic_search.query.language.lexicon import word_table

            word_table(self.vocabulary)

    @opened_property
    def catalog(self) -> Catalog:
        """The catalog, opened at first use."""
        return _current(self.folder.open_catalog())

    @opened_property
    def _lookup(self) -> Lookup:
        """The same for looking things up, and for little more than queries need."""
        return _current(self.folder.open_lookup(lambda: self.catalog))

    @opened_property
    def _indexes(self) -> OpenIndexes:
        from dsslic_search.api.indexes import OpenIndexes

        elsewhere = self.folder.published(self._lookup.settings)
        return OpenIndexes(self._lookup, self.folder.index, self.vocabulary, elsewhere)

    @opened_property
    def _searcher(self) -> Searcher:
        from dsslic_search.api.searching import Searcher

        reached = self.folder, self._lookup, lambda: self.catalog
        return Searcher(*reached, self.settings, self.vocabulary, self._shards)

    @opened_property
    def _shards(self) -> Shards | None:
        count = self.settings.shards
        if count == 1:
            return None
        from dsslic_search.api.shards import Shards, of_archive

        return Shards(self._lookup, count, of_archive(self.folder.root, count))


def speak(path: Path | None) -> Path | None:
    """Put the class list of the archive at ``path`` in use, where it has its own and none has been in use
    yet; for what is to be understood before the archive is opened. Returns the path."""
    from dsslic_search.archive.folder import ArchiveFolder

    ArchiveFolder(archive_path(path)).adopt_classes()
    return path


Opened = TypeVar("Opened", bound="Lookup")


def _current(catalog: Opened) -> Opened:
    """A catalog that was just opened; closed, with ArchiveError, where it has to be reindexed first."""
    from dsslic_search.archive.terms import require_current

    try:
        require_current(catalog)
    except BaseException:
        catalog.close()
        raise
    return catalog
