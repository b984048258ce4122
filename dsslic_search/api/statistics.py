"""Statistics of an archive, or of what a query found there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dsslic_search.api.indexes import OpenIndexes
from dsslic_search.api.searching import Searcher
from dsslic_search.archive.lookup import Lookup, StateTotals, Totals
from dsslic_search.core.fields import HELD
from dsslic_search.core.settings import Settings
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.query.facets import ClassCount, Spread, count_classes, count_files, count_words
from dsslic_search.query.fact_counts import FactCount, count_facts
from dsslic_search.query.run.evaluate import Indexes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dsslic_search.archive.catalog import Catalog


@dataclass(frozen=True)
class Statistics:
    """Of ``photos``. Bytes of the originals, of the .dsslic files and of the label maps' prefixes of them;
    ``counts``: for each fact that is counted, by its plural ("formats", "cameras"), photos by value, most
    frequent first, and so ``tags``, and ``words`` that whole photos show;
    ``spreads``: of the numbers that cameras choose, by name ("iso", "exposure"), from the least to the
    greatest, None where no photo tells it; ``held``: how many photos have a title, a description, a place;
    ``months``: photos by year and month, as "2023-06", in order;
    ``undated``: photos that do not say when they were taken; ``undecoded``: those kept so, of which nothing
    is known but facts; ``states``: of the whole archive, photos and their stored bytes by state, be they in
    answers or not; none of a query. ``facts``: where they were asked for, every fact of `core.fields.FACTS`
    by name, see `query.fact_counts.FactCount`."""

    photos: int
    original_bytes: int
    stored_bytes: int
    map_bytes: int
    pixels: int
    counts: dict[str, dict[str, int]]
    spreads: dict[str, Spread | None]
    held: dict[str, int]
    months: dict[str, int]
    undated: int
    undecoded: int
    tags: dict[str, int]
    words: dict[str, int]
    classes: tuple[ClassCount, ...]
    states: dict[str, StateTotals]
    facts: dict[str, FactCount] = field(default_factory=dict)

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
    lookup: Lookup,
    catalog: Callable[[], Catalog],
    vocabulary: Vocabulary,
    settings: Settings,
    text: str | None,
    among: Sequence[str] = (),
    facts: bool = False,
) -> Statistics:
    """Of the photos that the query ``text`` finds, or of all. ``catalog`` is opened to count some of them;
    ``among``: queries that ``text`` refines; ``facts``: whether every fact is counted."""

    def asked(current: Sequence[Indexes]) -> Statistics:
        found = None if text is None else searcher.answer(current, text, limit=0, among=among)
        chosen = (
            [each.columns.shown_rows() for each in current]
            if found is None
            else [None if part.rows.size == part.mask.size else part.rows for part in found.parts]
        )
        photos = sum(
            len(each.columns) if rows is None else int(rows.size)
            for each, rows in zip(current, chosen, strict=True)
        )
        size, tags = (
            (lookup.totals(), lookup.tag_counts())
            if found is None or all(rows is None for rows in chosen)
            else _of_some(catalog(), found.all_ids)
        )
        files = [(each.files(), rows) for each, rows in zip(current, chosen, strict=True)]
        worded = [(each.words(), rows) for each, rows in zip(current, chosen, strict=True)]
        file, words = count_files(files), count_words(worded)
        wide: dict[str, FactCount] = {}
        if facts:
            from dsslic_search.archive import notes

            ids = [each.ids if rows is None else each.ids[rows] for each, rows in files]
            tagged = notes.tagged(catalog(), np.concatenate([np.empty(0, np.int64), *ids]))
            having = sum(
                int(np.count_nonzero(~(each.without() if rows is None else each.without()[rows])))
                for each, rows in worded
            )
            wide = count_facts(files, size.written, tagged, tags, having, words)
        return Statistics(
            photos=photos,
            original_bytes=size.original_bytes,
            stored_bytes=size.stored_bytes,
            map_bytes=size.map_bytes,
            pixels=size.pixels,
            counts=file.counts,
            spreads=file.spreads,
            held={name: {**size.written, "place": file.placed}[name] for name in HELD},
            months=file.months,
            undated=file.undated,
            undecoded=file.undecoded,
            tags=tags,
            words=words,
            classes=count_classes(
                [(each.columns, rows) for each, rows in zip(current, chosen, strict=True)],
                vocabulary,
                settings.presence,
            ),
            states=lookup.states() if text is None else {},
            facts=wide,
        )

    return indexes.ask(asked)


def _of_some(catalog: Catalog, ids: NDArray[np.int64]) -> tuple[Totals, dict[str, int]]:
    """Bytes and tags of the photos of ``ids``."""
    from dsslic_search.archive import notes

    with catalog.snapshot() as snapshot:
        return snapshot.totals(ids), notes.tag_counts(catalog, ids)
