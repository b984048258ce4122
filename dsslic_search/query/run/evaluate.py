"""What one query works with: what it compares photos with, and for each segment of the catalog the indexes,
opened as they are needed, and what was found in them so far. What each step of a plan asks of the indexes:
`query.steps`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.cached import cached_property
from dsslic_search.features.image_words import ImageWords
from dsslic_search.features.resemblance import mixture
from dsslic_search.index.columns import Columns, open_columns
from dsslic_search.index.files import Files, open_files
from dsslic_search.index.regions.relate import InZone, Matches, RegionTest
from dsslic_search.index.regions.table import Regions, open_regions
from dsslic_search.index.room import ROOM
from dsslic_search.index.segment import Segment
from dsslic_search.index.vectors.image import ImageVectors, open_image_vectors
from dsslic_search.index.vectors.table import Vectors, open_vectors
from dsslic_search.index.words import Words, open_words
from dsslic_search.query.run.rank import Mask, Rows, top
from dsslic_search.query.run.side_by_side import of_each

COMPARED_ALONE_ONE_IN = 2
"""Where fewer than one in so many of the photos that may pass is wanted, those alone are looked at; else all
are, once for this query and the next page."""
SCORED_ALL_ONE_IN = 8
"""To find the vectors of more than one photo in so many is slower than to score all."""
SCORED_ROWS = 60_000
"""Of so many photos all are scored: to choose candidates takes as long."""
LOOPS_AHEAD_FROM = 10_000
"""Photos of an archive whose first question about regions loads compiled loops, which takes a second."""
UNPACKED_AHEAD_FROM = 200_000
"""Photos of an archive from which on something is unpacked before it is asked for; of fewer that is soon
done."""
UNPACKED_AHEAD = 0.8
"""The part of the room that is filled so."""
MADE_TOGETHER = 16
"""To make an index takes so many times as long as to ask it, and more."""

Classes = tuple[int, ...]
Operand = tuple[str, bool]
"""What photos are compared with: a path, or "#" and an id; and whether its mirror image counts too."""
EmbeddingsOf = Callable[[str, bool], NDArray[np.float32]]
"""The embeddings of an operand, float32[m, DIMENSION], the best of which counts; may raise DSSError."""
ImageOf = Callable[[str], ImageWords | None]
"""What an operand shows as a whole; None where that is not known. May raise DSSError."""


By = Literal["layout", "look", "both"]
"""What likeness is by: layouts, what photos show as a whole, or the mixture of both that "like" means."""


@dataclass(frozen=True)
class Resembled:
    """What photos shall be like: ``embeddings``, float32[m, DIMENSION], of layouts, the best of which counts;
    ``image``: what is shown as a whole, where that is known. Without it likeness is by layout, whatever
    ``by`` says. By look alone, a photo whose file does not say what it shows is like nothing."""

    embeddings: NDArray[np.float32]
    image: ImageWords | None = None
    by: By = "both"


@dataclass(frozen=True)
class Indexes:
    """Where answers about the photos of one segment come from. All but the columns are opened when a query
    needs them."""

    columns: Columns
    vectors: Callable[[], Vectors]
    regions: Callable[[], Regions]
    files: Callable[[], Files]
    words: Callable[[], Words]
    images: Callable[[], ImageVectors]

    @classmethod
    def of(cls, segment: Segment) -> Indexes:
        """Those of a segment."""
        return cls(
            open_columns(segment),
            cache(lambda: open_vectors(segment)),
            cache(lambda: open_regions(segment)),
            cache(lambda: open_files(segment)),
            cache(lambda: open_words(segment)),
            cache(lambda: open_image_vectors(segment)),
        )

    @classmethod
    def all_of(cls, segment: Segment) -> Indexes:
        """Those of a segment, all of them opened, on all processors: those that are not there are made.
        Raises what the first that fails raises."""
        kinds: tuple[Callable[[Segment], object], ...] = (
            *(open_regions, open_files, open_columns),  # what takes longest comes first
            *(open_vectors, open_words, open_image_vectors),
        )
        of_each(lambda opened: opened(segment), kinds, MADE_TOGETHER * len(segment))
        return cls.of(segment)


def unpack_ahead(indexes: Sequence[Indexes]) -> None:
    """Unpack beforehand, in this thread, what questions of large archives need first: full columns, and the
    regions of the commonest classes, up to a part of the room that there is for all. Raises what opening the
    indexes raises."""
    photos = sum(len(each.columns) for each in indexes)
    if photos < UNPACKED_AHEAD_FROM:
        return
    for each in indexes:
        each.columns.unpack_ahead()
    left = UNPACKED_AHEAD * ROOM.nbytes - ROOM.taken
    for each in indexes:
        each.regions().unpack_ahead(int(left * len(each.columns) / photos))


class Operands:
    """What a query compares photos with, found once."""

    def __init__(
        self,
        embeddings_of: EmbeddingsOf,
        known: Mapping[Operand, Resembled],
        image_of: ImageOf | None = None,
    ) -> None:
        """``known``: operands that ``embeddings_of`` and ``image_of`` need not be asked for. Without
        ``image_of`` all others are compared by layout alone."""
        self._embeddings_of = embeddings_of
        self._embeddings = {operand: resembled.embeddings for operand, resembled in known.items()}
        self._image_of = image_of
        self._images: dict[str, ImageWords | None] = {
            operand: None if resembled.by == "layout" else resembled.image
            for (operand, _), resembled in known.items()
        }
        self._by_look = frozenset(
            operand for (operand, _), each in known.items() if each.by == "look" and each.image is not None
        )

    def embeddings(self, operand: str, mirrored: bool) -> NDArray[np.float32]:
        """Those of an operand, float32[m, DIMENSION]."""
        key = operand, mirrored
        if key not in self._embeddings:
            self._embeddings[key] = self._embeddings_of(operand, mirrored)
        return self._embeddings[key]

    def image(self, operand: str) -> ImageWords | None:
        """What an operand shows as a whole, if that is known."""
        if operand not in self._images:
            self._images[operand] = None if self._image_of is None else self._image_of(operand)
        return self._images[operand]

    def by_look(self, operand: str) -> bool:
        """Whether photos are compared with an operand by what they show as a whole alone."""
        return operand in self._by_look

    @property
    def known(self) -> dict[Operand, Resembled]:
        """All operands so far, as such a mapping: of these alone, the same photos are found."""
        return {
            operand: Resembled(found, self.image(operand[0]), "look" if self.by_look(operand[0]) else "both")
            for operand, found in self._embeddings.items()
        }

    @property
    def compared_with(self) -> tuple[tuple[Operand, bytes], ...]:
        """The operands so far with what they are compared by, as plain values."""
        return tuple(
            (
                operand,
                (b"" if self.by_look(operand[0]) else found.tobytes())
                + (image.to_bytes() if (image := self.image(operand[0])) else b""),
            )
            for operand, found in self._embeddings.items()
        )


class Evaluation:
    """One query's work in one segment. Regions, files and words that were looked at are remembered by the
    step that asked for them: ``matches_of``, ``mask_of`` and ``parts_of``, by the ``id`` of the step."""

    def __init__(self, indexes: Indexes, operands: Operands, lifted: int = 0) -> None:
        """``lifted``: which photos are not left out of answers (`index.columns.Columns.shown`)."""
        self.columns = indexes.columns
        self.operands = operands
        self._shown = indexes.columns.shown(lifted)
        self.matches_of: dict[int, Matches] = {}
        self.mask_of: dict[int, Mask] = {}
        self.parts_of: dict[int, NDArray[np.uint8]] = {}
        self._indexes = indexes
        self._likeness: dict[Operand, NDArray[np.float32]] = {}  # of all photos, by row

    @cached_property
    def vectors(self) -> Vectors:
        return self._indexes.vectors()

    @cached_property
    def regions(self) -> Regions:
        return self._indexes.regions()

    @cached_property
    def files(self) -> Files:
        return self._indexes.files()

    @cached_property
    def words(self) -> Words:
        return self._indexes.words()

    @cached_property
    def images(self) -> ImageVectors:
        return self._indexes.images()

    def of_shown(self, mask: Mask) -> Mask:
        """A mask without the photos that are left out of answers."""
        return mask if self._shown is None else mask & self._shown

    @property
    def photos(self) -> int:
        """How many photos are not left out."""
        return len(self.columns) if self._shown is None else int(np.count_nonzero(self._shown))

    def likeness(self, operand: str, mirrored: bool, rows: Rows) -> NDArray[np.float32]:
        """Of some photos to an operand: float32, about -1..1."""
        key = operand, mirrored
        if SCORED_ALL_ONE_IN * rows.size > len(self.columns) and key not in self._likeness:
            self._likeness[key] = self._alike(operand, mirrored, None)
        if key in self._likeness:
            return self._likeness[key][rows]
        return self._alike(operand, mirrored, rows)

    def _alike(self, operand: str, mirrored: bool, rows: Rows | None) -> NDArray[np.float32]:
        """Of all photos where no rows are given."""
        image = self.operands.image(operand)
        if image is not None and self.operands.by_look(operand):
            return np.nan_to_num(self.images.scores(image, rows), nan=-1)
        layout = self.vectors.scores(self.operands.embeddings(operand, mirrored), rows)
        return layout if image is None else mixture().of(layout, self.images.scores(image, rows))

    def nearest(
        self, operand: str, mirrored: bool, mask: Mask, k: int
    ) -> tuple[Rows, NDArray[np.float32]] | None:
        """The ``k`` photos of ``mask`` most like an operand, best first and equal ones in their order, and
        how like they are; fewer where so many are not found. None where that takes a look at all of them, as
        :meth:`likeness` does.

        Of a large archive candidates are chosen among those in the mask. A photo among the most alike by a
        mixture is so by layout or by image."""
        passing = int(np.count_nonzero(mask))
        if passing <= SCORED_ROWS or self.operands.by_look(operand):
            return None
        embeddings, image = self.operands.embeddings(operand, mirrored), self.operands.image(operand)
        among = None if passing == mask.size else mask
        chosen = self.vectors.candidates(embeddings, k, among)
        if chosen is None:
            return None
        if image is None:
            return chosen.best(k, lambda rows: self._alike(operand, mirrored, rows))
        if not self.images.chooses:
            return None
        rows = np.union1d(chosen.rows, self.images.candidates(image, chosen.rows.size, among))
        found = top(rows, self._alike(operand, mirrored, rows), k)
        return found.rows, found.numbers

    def region_matches(
        self, classes: Classes, test: RegionTest, among: Mask | None, *, count: bool
    ) -> Matches:
        """The regions that pass, in photos of ``among`` at least; ``count``: how many."""
        regions, key = self.regions, ("matches", classes, test, count)
        one_by_one = regions.looks(classes, test, count=count)
        if not one_by_one and not isinstance(test, InZone):
            return regions.passing(classes, test, count=count)
        known: Matches | None = ROOM.known(regions, key)
        if known is not None:
            return known
        if one_by_one and among is not None:
            wanted = regions.concerned(classes, test, among)
            if COMPARED_ALONE_ONE_IN * wanted.size < regions.concerned(classes, test).size:
                return regions.passing(classes, test, wanted, count=count)
        found = regions.passing(classes, test, count=count)
        kept: Matches = ROOM.get(regions, key, lambda: found, found.nbytes)
        return kept
