"""Facets: what photos, or those of an answer, have in common, counted, each with the query that asks for
them alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dsslic_search.core.fields import NAMED
from dsslic_search.query.chips import refining
from dsslic_search.query.facets import (
    Spot,
    count_classes,
    count_files,
    count_folders,
    count_places,
    count_words,
    counted_as,
    tallied,
)
from dsslic_search.query.language.written import value_as_written

__all__ = ["FacetValue", "Facets", "Tally", "facets_of", "tallied"]

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dsslic_search.core.vocabulary import Vocabulary
    from dsslic_search.query.chips import Read
    from dsslic_search.query.run.evaluate import Indexes

MOST_VALUES = 100
"""Of one facet; months and folders have all of theirs, classes all that there are."""
MOST_FOLDERS = 1_000

MOST_TALLIED = 1_000

BY_VALUE = ("camera", "lens", "keyword", "people", "rating", "format", "orientation")


@dataclass(frozen=True)
class FacetValue:
    """``count`` photos have the value that people know as ``name``; ``query`` asks for those alone."""

    name: str
    count: int
    query: str


@dataclass(frozen=True)
class Tally:
    """What a query asks to count photos ``by``, as "year": ``values``, years and months in order, of others
    the most frequent first; ``more``: how many values there are in all; ``without``: photos without one."""

    by: str
    values: tuple[FacetValue, ...]
    more: int
    without: int


@dataclass(frozen=True)
class Facets:
    """Of ``photos``. ``values``: by the plural of what is counted ("classes", "words", "months", "cameras",
    "lenses", "folders", "tags", "ratings", "formats" …), the most frequent first, months and folders in
    order; ``more``: for those that have more values than are given, how many there are in all; ``places``:
    see `query.facets.Spot`; ``undated``: photos that do not say when they were taken; ``tally``: of a query
    that asks to count photos by something."""

    photos: int
    values: dict[str, tuple[FacetValue, ...]]
    places: tuple[Spot, ...]
    undated: int
    more: dict[str, int] = field(default_factory=dict)
    tally: Tally | None = None

    def with_tags(self, tags: Mapping[str, int]) -> Facets:
        """Those of all photos, with the tags that they have now: tags change without the catalog's state."""
        condition = _field("tag")
        first = list(tags.items())[:MOST_VALUES]
        named = tuple(FacetValue(name, count, condition(name)) for name, count in first)
        more = {name: count for name, count in self.more.items() if name != "tags"}
        if len(tags) > len(named):
            more["tags"] = len(tags)
        return replace(self, values={**self.values, "tags": named}, more=more)


def facets_of(
    indexes: Sequence[Indexes],
    chosen: Sequence[NDArray[np.intp] | None],
    photos: int,
    tags: Mapping[str, int],
    text: str,
    read: Read,
    vocabulary: Vocabulary,
    presence: float | None,
    by: str | None = None,
) -> Facets:
    """The facets of ``photos`` photos, the rows ``chosen`` of each segment, that ``text`` asks for, with a
    tally where it asks to count them ``by`` something."""
    refined = refining(text, read)
    files = [(each.files(), rows) for each, rows in zip(indexes, chosen, strict=True)]
    told = count_files(files)
    classes = count_classes(
        [(each.columns, rows) for each, rows in zip(indexes, chosen, strict=True)], vocabulary, presence
    )
    words = count_words([(each.words(), rows) for each, rows in zip(indexes, chosen, strict=True)])

    def values(
        counts: Mapping[str, int], condition: Callable[[str], str], most: int = MOST_VALUES
    ) -> tuple[FacetValue, ...]:
        first = list(counts.items())[:most]
        return tuple(FacetValue(name, count, refined(condition(name))) for name, count in first)

    folders = count_folders(files)
    numbers = {"words": len(words), "folders": len(folders), "tags": len(tags)}
    found = {
        "classes": values({c.name: c.photos for c in classes if c.photos}, str, len(vocabulary)),
        "words": values(words, _field("word")),
        "months": values(told.months, _field("taken"), len(told.months)),
        "folders": values(
            _most_of(folders, MOST_FOLDERS),
            lambda folder: f"path:{value_as_written(folder)}",
            MOST_FOLDERS,
        ),
        "tags": values(tags, _field("tag")),
    }
    for name in BY_VALUE:
        counted = counted_as(name)
        found[counted] = values(told.counts[counted], _field(name))
        numbers[counted] = len(told.counts[counted])
    more = {name: number for name, number in numbers.items() if number > len(found[name])}
    tally = None
    if by:
        each = tallied(by, told.months, told.counts)
        condition = _field("taken" if by in ("year", "month") else by)
        without = photos - sum(each.values())
        tally = Tally(by, values(each, condition, MOST_TALLIED), len(each), without)
    return Facets(photos, found, count_places(files), told.undated, more, tally)


def _field(name: str) -> Callable[[str], str]:
    assert name in NAMED
    return lambda value: f"{name}:{value_as_written(value)}"


def _most_of(folders: Mapping[str, int], most: int) -> dict[str, int]:
    """The folders that hold most, in their order."""
    kept = set(sorted(folders, key=lambda folder: (-folders[folder], folder))[:most])
    return {folder: count for folder, count in folders.items() if folder in kept}
