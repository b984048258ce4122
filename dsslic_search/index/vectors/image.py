"""The image embeddings of a segment's photos, and which of them are like one.

Rows are those of the segment. A score is the
cosine by :mod:`dsslic_search.index.vectors.scan`, NaN where there is nothing to compare with: no embedding,
or one that another network made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.cached import cached_property
from dsslic_search.features.image_words import MAKER_BYTES, ImageWords
from dsslic_search.index import cache
from dsslic_search.index.segment import Segment, Table
from dsslic_search.index.source import Snapshot
from dsslic_search.index.vectors import candidates
from dsslic_search.index.vectors.scan import Scan, question
from dsslic_search.index.words import words_of

KIND = "image"
KEY = "2"
PIECE = 4  # numbers that the quantiser takes together
NO_MAKER = 255

Rows = NDArray[np.intp]
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class ImageVectors(Table):
    """The image embeddings of a segment. ``arrays``: ``makers``, uint8[m,
    MAKER_BYTES], what made them, and ``made_by``, uint8[n], which of these made each, NO_MAKER for photos
    without; ``packed``, int8[n, k], zeros at the end of shorter ones; ``scales``, float32[n], which bring
    them to length 1; in large archives ``candidates``, bytes."""

    def scores(self, asked: ImageWords, rows: Rows | None = None) -> Scores:
        """The cosine with ``asked`` of all photos, or of those in ``rows`` in their order: float32, NaN where
        there is nothing to compare with."""
        made_by = self.arrays["made_by"] if rows is None else self.arrays["made_by"][rows]
        maker = self._number(asked.maker)
        if maker == NO_MAKER:
            return np.full(made_by.size, np.nan, np.float32)
        found = self._scan.scores(question(self._unit(asked).astype(np.float64)), rows)
        found[made_by != maker] = np.nan
        return found

    def comparable(self, asked: ImageWords) -> NDArray[np.bool_]:
        """Which photos have something to compare with ``asked``."""
        maker = self._number(asked.maker)
        return np.asarray((self.arrays["made_by"] == maker) & (maker != NO_MAKER))

    @property
    def chooses(self) -> bool:
        """Whether there are so many that candidates are chosen."""
        return "candidates" in self.arrays

    def candidates(self, asked: ImageWords, count: int, among: NDArray[np.bool_] | None = None) -> Rows:
        """The rows of about ``count`` photos, of those ``among`` some if these are given, that may be those
        most like ``asked``."""
        return candidates.candidates_of(self.arrays)(self._unit(asked)[:, : self._width], count, among).rows

    def _unit(self, asked: ImageWords) -> NDArray[np.float32]:
        """What is asked for as float32[1, k] of length 1, or 0 for one of zeros."""
        numbers = np.zeros((1, max(self._width, len(asked.embedding))), np.float32)
        numbers[0, : len(asked.embedding)] = asked.embedding
        unit = numbers[:, : self._width] / np.maximum(np.linalg.norm(numbers), 1)
        return np.asarray(unit, np.float32)

    def _number(self, maker: str) -> int:
        return _makers(self.arrays["makers"]).get(maker, NO_MAKER)

    @property
    def _width(self) -> int:
        return int(self.arrays["packed"].shape[1])

    @cached_property
    def _scan(self) -> Scan:
        return Scan(self.arrays["packed"], self.arrays["scales"])


def _makers(stored: NDArray[np.uint8]) -> dict[str, int]:
    return {row.tobytes().hex(): number for number, row in enumerate(stored)}


def open_image_vectors(segment: Segment) -> ImageVectors:
    """The image embeddings of a segment; see `Segment.arrays`."""
    return ImageVectors(segment, segment.arrays(KIND, KEY, _build))


def _build(snapshot: Snapshot) -> cache.Made:
    makers: dict[str, int] = {}
    made_by, sizes = [np.empty(0, np.uint8)], [np.empty(0, np.intp)]
    numbers = [np.empty(0, np.int8)]
    for batch in snapshot.image_words():
        known, found = words_of(batch.blobs)
        own, lengths = np.full(known.size, NO_MAKER, np.uint8), np.zeros(known.size, np.intp)
        lengths[known] = found.sizes
        names = found.makers.view("<u8").ravel()
        _, first, number = np.unique(names, return_index=True, return_inverse=True)
        of_batch = np.empty(first.size, np.uint8)
        for place in np.argsort(first).tolist():  # makers have numbers in the order in which they come
            name = found.makers[first[place]].tobytes().hex()
            # more makers than have a number are no maker to compare with
            room = name in makers or len(makers) < NO_MAKER
            of_batch[place] = makers.setdefault(name, len(makers)) if room else NO_MAKER
        own[known] = of_batch[number]
        made_by.append(own)
        sizes.append(lengths)
        numbers.append(found.numbers)
    return arrays_of(list(makers), np.concatenate(made_by), np.concatenate(sizes), np.concatenate(numbers))


def arrays_of(
    makers: list[str], made_by: NDArray[np.uint8], sizes: NDArray[np.intp], numbers: NDArray[np.int8]
) -> cache.Made:
    """What ImageVectors holds of photos whose embeddings have so many ``numbers``, one after another's, 0 for
    those without."""
    longest = int(sizes.max(initial=0))
    packed = np.zeros((made_by.size, -(-longest // PIECE) * PIECE), np.int8)
    packed[np.arange(packed.shape[1]) < sizes[:, None]] = numbers
    squares = np.einsum("ij,ij->i", packed, packed, dtype=np.int64)
    scales = (1 / np.sqrt(np.maximum(squares, 1))).astype(np.float32)
    stored = np.frombuffer(bytes.fromhex("".join(makers)), np.uint8).reshape(-1, MAKER_BYTES)
    arrays: cache.Made = {"makers": stored, "made_by": made_by, "packed": packed, "scales": scales}
    if packed.shape[1] and made_by.size >= candidates.CHOSEN_FROM:
        width = packed.shape[1]
        units = candidates.Vectors(packed, np.ones(width, np.float32), scales, np.arange(width), width)
        arrays["candidates"] = candidates.quantised(units, PIECE)
    return arrays
