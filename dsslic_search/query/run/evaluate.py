"""What one query works with: the indexes, opened as they are needed, and what was found in them so far.

Everything opened must be of the generation of the columns, so that rows mean the same photos everywhere;
otherwise Stale is raised. What each step of a plan asks of the indexes: `query.steps`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.columns import Columns
from dsslic_search.index.files import Files
from dsslic_search.index.regions.relate import RegionMatches, RegionTest
from dsslic_search.index.regions.table import Regions
from dsslic_search.index.source import Stale
from dsslic_search.index.vectors.table import Vectors
from dsslic_search.index.words import Words
from dsslic_search.query.run.rank import Mask, Rows

COMPARED_ALONE_ONE_IN = 2
"""Where fewer than one in so many of the photos that may pass is wanted, those alone are looked at; else all
are, once for this query and the next page."""
SCORED_ALL_ONE_IN = 64
"""To find the vectors of more than one photo in so many is slower than to score all."""
KEPT_MATCHES_BYTES = 64_000_000

Classes = tuple[int, ...]
Operand = tuple[str, bool]
"""What photos are compared with: a path, or "#" and an id; and whether its mirror image counts too."""
EmbeddingsOf = Callable[[str, bool], NDArray[np.float32]]
"""The embeddings of an operand, float32[m, DIMENSION], the best of which counts; may raise DSSError."""
Index = TypeVar("Index", Vectors, Regions, Files, Words)


@dataclass(frozen=True)
class Indexes:
    """Where answers come from, all of one generation of the catalog. All but the columns are opened when a
    query needs them.

    ``kept_matches`` has what took long to find among regions, by classes, test and whether they were counted,
    for the next queries, or next pages, that ask the same."""

    columns: Columns
    vectors: Callable[[], Vectors]
    regions: Callable[[], Regions]
    files: Callable[[], Files]
    words: Callable[[], Words]
    kept_matches: dict[tuple[Classes, RegionTest, bool], RegionMatches] = field(
        default_factory=dict, repr=False, compare=False
    )


class Evaluation:
    """One query's work. Regions, files and words that were looked at are remembered by the step that asked
    for them: ``matches_of``, ``mask_of`` and ``parts_of``, by the ``id`` of the step."""

    def __init__(
        self,
        indexes: Indexes,
        embeddings_of: EmbeddingsOf,
        known: Mapping[Operand, NDArray[np.float32]],
        lifted: int = 0,
    ) -> None:
        """``known``: embeddings of operands that ``embeddings_of`` need not be asked for. ``lifted``: which
        photos are not left out of answers (`index.columns.Columns.shown`)."""
        self.columns = indexes.columns
        self._shown = indexes.columns.shown(lifted)
        self.matches_of: dict[int, RegionMatches] = {}
        self.mask_of: dict[int, Mask] = {}
        self.parts_of: dict[int, NDArray[np.uint8]] = {}
        self._indexes = indexes
        self._embeddings_of = embeddings_of
        self._embeddings = dict(known)
        self._likeness: dict[Operand, NDArray[np.float32]] = {}  # of all photos, by row

    @cached_property
    def vectors(self) -> Vectors:
        return self._current(self._indexes.vectors())

    @cached_property
    def regions(self) -> Regions:
        return self._current(self._indexes.regions())

    @cached_property
    def files(self) -> Files:
        return self._current(self._indexes.files())

    @cached_property
    def words(self) -> Words:
        return self._current(self._indexes.words())

    def of_shown(self, mask: Mask) -> Mask:
        """A mask without the photos that are left out of answers."""
        return mask if self._shown is None else mask & self._shown

    @property
    def photos(self) -> int:
        """How many photos are not left out."""
        return len(self.columns) if self._shown is None else int(np.count_nonzero(self._shown))

    def _current(self, index: Index) -> Index:
        if index.generation != self.columns.generation:
            raise Stale
        return index

    def embeddings(self, operand: str, mirrored: bool) -> NDArray[np.float32]:
        """Those of an operand, float32[m, DIMENSION]; found once."""
        key = operand, mirrored
        if key not in self._embeddings:
            self._embeddings[key] = self._embeddings_of(operand, mirrored)
        return self._embeddings[key]

    @property
    def compared_with(self) -> tuple[tuple[Operand, bytes], ...]:
        """The operands so far with their embeddings, as plain values."""
        return tuple((operand, found.tobytes()) for operand, found in self._embeddings.items())

    def likeness(self, operand: str, mirrored: bool, rows: Rows) -> NDArray[np.float32]:
        """Of some photos to an operand: float32, about -1..1."""
        key, asked = (operand, mirrored), self.embeddings(operand, mirrored)
        if SCORED_ALL_ONE_IN * rows.size > len(self.columns) and key not in self._likeness:
            self._likeness[key] = self.vectors.scores(asked, self.columns.ids)
        if key in self._likeness:
            return self._likeness[key][rows]
        return self.vectors.scores(asked, self.columns.ids[rows])

    def region_matches(
        self, classes: Classes, test: RegionTest, among: Mask | None, *, count: bool
    ) -> RegionMatches:
        """The regions that pass, in photos of ``among`` at least; ``count``: how many."""
        regions, kept, key = self.regions, self._indexes.kept_matches, (classes, test, count)
        if not regions.compares(classes, test, count=count):
            return regions.passing(classes, test, count=count)
        if (found := kept.get(key)) is not None:
            return found
        if among is not None:
            rows = regions.concerned(classes, test)
            wanted = among[rows]
            if COMPARED_ALONE_ONE_IN * np.count_nonzero(wanted) < rows.size:
                return regions.passing(classes, test, rows[wanted], count=count)
        if sum(each.nbytes for each in list(kept.values())) > KEPT_MATCHES_BYTES:
            kept.clear()
        kept[key] = found = regions.passing(classes, test, count=count)
        return found
