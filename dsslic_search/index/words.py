"""Which photos show which words, and how surely.

For each leaf of `core.wordnet` the rows that have it among their likeliest words stand together, with its
probability in 1/PARTS: a word costs as much as there are photos that may show it. What a photo does not have
among those words counts as 0. Rows are those of the coverage columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.features.image_words import LEAVES, PARTS, WORD, stored_words
from dsslic_search.index import cache
from dsslic_search.index.source import Snapshot, Source

FILE = "image.words"
KIND = "words"
KEY = "1"

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Words(cache.Table):
    """The words of one generation of the catalog. ``arrays``: ``starts`` of each leaf's part of ``rows`` and
    ``parts``; ``without``: the rows that have no words, because their files have none."""

    def parts(self, leaves: Sequence[int]) -> NDArray[np.uint8]:
        """The probability that a photo shows any of some leaves, in 1/PARTS, uint8 of all rows: the sum of
        theirs."""
        starts = self.arrays["starts"]
        sums = np.zeros(len(self), np.int64)
        for leaf in leaves:  # no photo stands twice with one leaf
            part = slice(int(starts[leaf]), int(starts[leaf + 1]))
            sums[self.arrays["rows"][part]] += self.arrays["parts"][part]
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


def open_words(source: Source, folder: Path, vocabulary: Vocabulary) -> Words:
    """The words of the catalog as it is now: from ``folder`` if a sound and current file is there, else built
    and stored. A folder that cannot be written costs time at the next opening, nothing else."""
    return Words(*cache.opened(source, folder / FILE, KIND, KEY, _build))


def _build(snapshot: Snapshot) -> cache.Arrays:
    ids: list[int] = []
    parts, lengths, without = [np.empty(0, WORD)], [], []
    for batch in snapshot.image_words():
        for photo_id, stored in batch:
            if stored is None:
                without.append(len(ids))
            else:
                parts.append(stored_words(stored))
            lengths.append(0 if stored is None else parts[-1].size)
            ids.append(photo_id)
    words = np.concatenate(parts)
    rows = np.repeat(np.arange(len(ids), dtype=np.uint32), lengths)
    order = np.argsort(words["leaf"], kind="stable")
    return {
        "ids": np.array(ids, np.int64),
        "starts": np.searchsorted(words["leaf"][order], np.arange(LEAVES + 1)).astype(np.int64),
        "rows": rows[order],
        "parts": np.ascontiguousarray(words["parts"][order]),
        "without": np.array(without, np.uint32),
    }
