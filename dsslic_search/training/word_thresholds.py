"""From which probability a photo counts as showing a word: the least, but LEAST_PARTS at least, at which
WANTED_PRECISION of those that it finds do show it, of the photos that `training.word_evidence` tells of.

Words of which too few photos are known get OTHERWISE, at which a calibrated probability is right more often
than not. What thresholds are worth is measured in two halves: chosen on one, judged on the other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dsslic_search.core.files import write_atomically
from dsslic_search.features.image_words import LEAVES, PARTS, ImageWords
from dsslic_search.networks import runtime
from dsslic_search.training import image_words, word_evidence
from dsslic_search.training.word_evidence import Evidence

WANTED_PRECISION = 0.8
LEAST_SHOWING = 8  # photos, from which a word gets a threshold of its own
LEAST_PARTS = 13  # a twentieth: there are more photos without a thing in the world than among those known
OTHERWISE = 128  # a half
BEYOND_DOUBT = PARTS  # for a word that is never right often enough


@dataclass(frozen=True)
class Found:
    """``parts``: uint8 [photos, words], what each photo's stored words give each word of the evidence, in
    1/PARTS."""

    parts: NDArray[np.int64]
    evidence: Evidence

    def least(self, column: int) -> int:
        """The threshold of a word. One photo more is taken to be found wrongly: precisions of a few photos
        flatter."""
        known = self.evidence.known[:, column]
        right, parts = self.evidence.shown[known, column], self.parts[known, column]
        for threshold in range(LEAST_PARTS, PARTS):
            held = parts >= threshold
            if right[held].sum() >= WANTED_PRECISION * (held.sum() + 1):
                return threshold
        return BEYOND_DOUBT

    def counts(self, column: int, threshold: int) -> NDArray[np.int64]:
        """How many photos are found rightly, are found, and show the word."""
        known, shown = self.evidence.known[:, column], self.evidence.shown[:, column]
        held = (self.parts[:, column] >= threshold) & known
        return np.array([(held & shown).sum(), held.sum(), shown.sum()], np.int64)

    def part(self, rows: NDArray[np.bool_]) -> Found:
        """Of some photos alone."""
        e = self.evidence
        return Found(
            self.parts[rows], replace(e, shown=e.shown[rows], known=e.known[rows], half=e.half[rows])
        )


def look(data: Path, run: Path) -> Found:
    """What the shipped network sees in the photos. ``run``: where features are kept."""
    photos, evidence = word_evidence.gather(data)
    net = runtime.network(runtime.IMAGE_WORDS)
    with torch.inference_mode():
        scores = net.classifier(torch.from_numpy(image_words.features(net, photos, run)))
        probabilities = torch.softmax(scores / net.config.temperature, 1).numpy()
    stored = np.zeros((len(photos), LEAVES), np.int64)
    nothing = np.zeros(net.config.embedding, np.int8)
    for row, each in enumerate(probabilities):
        for leaf, parts in ImageWords.of("00" * 8, each, nothing).words:
            stored[row, leaf] = parts
    columns = [word_evidence.of_synset(stored, synset) for synset in evidence.synsets]
    return Found(np.minimum(np.stack(columns, 1), PARTS), evidence)


def make(data: Path, run: Path, out: Path) -> dict[str, Any]:
    """Write the thresholds with what they are worth; returns what was written."""
    found = look(data, run)
    evidence = found.evidence
    halves = [found.part(evidence.half), found.part(~evidence.half)]
    words: dict[str, Any] = {}
    for column, (word, synsets) in enumerate(zip(evidence.words, evidence.synsets, strict=True)):
        shown = int(evidence.shown[:, column].sum())
        if shown < LEAST_SHOWING:
            continue
        judged = [judge.counts(column, fit.least(column)) for fit, judge in (halves, halves[::-1])]
        right, held, there = (judged[0] + judged[1]).tolist()
        row = {
            "word": word,
            "parts": found.least(column),
            "photos": shown,
            "precision": round(right / max(held, 1), 3),
            "recall": round(right / max(there, 1), 3),
        }
        words |= dict.fromkeys(synsets, row)
    written = {
        "maker": runtime.identity(runtime.IMAGE_WORDS),
        "otherwise": OTHERWISE,
        "words": dict(sorted(words.items())),
    }
    write_atomically(out, (json.dumps(written, indent=1) + "\n").encode())
    return written
