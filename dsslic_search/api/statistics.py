"""Statistics of an archive, or of what a query found there."""

from __future__ import annotations

from dataclasses import dataclass

from dsslic_search.api.indexes import OpenIndexes
from dsslic_search.api.searching import Searcher
from dsslic_search.archive import notes
from dsslic_search.archive.catalog import Catalog
from dsslic_search.core.settings import Settings
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.query.facets import ClassCount, count_classes, count_files
from dsslic_search.query.run.evaluate import Indexes


@dataclass(frozen=True)
class Statistics:
    """Of ``photos``. Bytes of the originals, of the .dsslic files and of the label maps' prefixes of them;
    ``counts``: for each fact that is counted, by its plural ("formats", "cameras"), photos by value, most
    frequent first, and so ``tags``; ``months``: photos by year and month, as "2023-06", in order;
    ``undated``: photos that do not say when they were taken."""

    photos: int
    original_bytes: int
    stored_bytes: int
    map_bytes: int
    pixels: int
    counts: dict[str, dict[str, int]]
    months: dict[str, int]
    undated: int
    tags: dict[str, int]
    classes: tuple[ClassCount, ...]

    @property
    def formats(self) -> dict[str, int]:
        """Photos by format."""
        return self.counts["formats"]

    @property
    def cameras(self) -> dict[str, int]:
        """Photos by camera."""
        return self.counts["cameras"]


def statistics(
    indexes: OpenIndexes,
    searcher: Searcher,
    catalog: Catalog,
    vocabulary: Vocabulary,
    settings: Settings,
    text: str | None,
) -> Statistics:
    """Of the photos that the query ``text`` finds, or of all."""

    def asked(current: Indexes) -> Statistics:
        columns = current.columns
        rows = None if text is None else searcher.answer(current, text, limit=0).rows
        ids = None if rows is None or rows.size == len(columns) else columns.ids[rows]
        with catalog.snapshot() as snapshot:
            size = snapshot.totals(ids)
        file = count_files(current.files(), rows)
        return Statistics(
            photos=len(columns) if rows is None else int(rows.size),
            original_bytes=size.original_bytes,
            stored_bytes=size.stored_bytes,
            map_bytes=size.map_bytes,
            pixels=size.pixels,
            counts=file.counts,
            months=file.months,
            undated=file.undated,
            tags=notes.tag_counts(catalog, ids),
            classes=count_classes(columns, vocabulary, settings.presence, rows),
        )

    return indexes.ask(asked)
