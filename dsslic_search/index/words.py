"""Which photos show which words, and how surely.

For each leaf of `core.wordnet` the rows that have it among their likeliest words stand together, with its
probability in 1/PARTS: a word costs as much as there are photos that may show it. What a photo does not have
among those words counts as 0. Rows are those of the coverage columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.blobs import Blobs
from dsslic_search.core.errors import ArchiveError, FormatError, Remedy
from dsslic_search.features.image_words import LEAVES, PARTS, WORD, ManyWords, read_words
from dsslic_search.index import cache
from dsslic_search.index.segment import Segment, Table
from dsslic_search.index.source import Snapshot

KIND = "words"
KEY = "2"

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Words(Table):
    """The words of a segment. ``arrays``: ``starts`` of each leaf's part of ``rows`` and
    ``parts``; ``without``: the rows that have no words, because their files have none."""

    def parts(self, leaves: Sequence[int]) -> NDArray[np.uint8]:
        """The probability that a photo shows any of some leaves, in 1/PARTS, uint8 of all rows: the sum of
        theirs."""
        starts = self.arrays["starts"]
        sums = np.zeros(len(self), np.int64)
        for leaf in leaves:  # no photo stands twice with one leaf
            part = int(starts[leaf]), int(starts[leaf + 1])
            sums[self.arrays.part("rows", *part)] += self.arrays.part("parts", *part)
        return np.minimum(sums, PARTS).astype(np.uint8)

    def without(self) -> Mask:
        """Photos that have no words."""
        held = np.zeros(len(self), bool)
        held[self.arrays["without"]] = True
        return held

    def counts(self, thresholds: Sequence[int], rows: NDArray[np.intp] | None = None) -> NDArray[np.int64]:
        """How many photos, of ``rows`` where given, show each leaf with its threshold at least, int64
        [LEAVES]."""
        starts, leaves = self.arrays["starts"], np.arange(LEAVES)
        leaf = np.repeat(leaves, np.diff(starts))
        counted = self.arrays["parts"] >= np.asarray(thresholds)[leaf]
        if rows is not None:
            among = np.zeros(len(self), bool)
            among[rows] = True
            counted &= among[self.arrays["rows"]]
        return np.bincount(leaf[counted], minlength=LEAVES)


def open_words(segment: Segment) -> Words:
    """The words of a segment; see `Segment.arrays`."""
    return Words(segment, segment.arrays(KIND, KEY, _build))


def words_of(stored: Blobs) -> tuple[Mask, ManyWords]:
    """Which of some photos have words, and what these show. Raises ArchiveError for what cannot be."""
    known = stored.known
    try:
        return known, read_words(Blobs(stored.data, stored.sizes[known]))
    except FormatError as e:
        raise ArchiveError(
            f"the catalog is damaged: {e}; describe its photos anew with: {Remedy.REINDEX}"
        ) from None


def _build(snapshot: Snapshot) -> cache.Made:
    parts, lengths = [np.empty(0, WORD)], [np.empty(0, np.intp)]
    without = [np.empty(0, np.uint32)]
    photos = 0
    for batch in snapshot.image_words():
        known, found = words_of(batch.blobs)
        without.append((photos + np.flatnonzero(~known)).astype(np.uint32))
        counts = np.zeros(known.size, np.intp)
        counts[known] = found.counts
        parts.append(found.words)
        lengths.append(counts)
        photos += known.size
    words = np.concatenate(parts)
    rows = np.repeat(np.arange(photos, dtype=np.uint32), np.concatenate(lengths))
    order = np.argsort(words["leaf"], kind="stable")
    return {
        "starts": np.searchsorted(words["leaf"][order], np.arange(LEAVES + 1)).astype(np.int64),
        "rows": rows[order],
        "parts": np.ascontiguousarray(words["parts"][order]),
        "without": np.concatenate(without),
    }
