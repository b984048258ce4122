"""What image words and their vectors are worth, on photos that people tell of (`training.word_evidence`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.layers import words
from dsslic_search.core import wordnet
from dsslic_search.features.image_words import LEAVES, PARTS, ImageWords
from dsslic_search.training import word_evidence
from dsslic_search.training.word_evidence import Evidence

NEIGHBOURS = 10
OF_A_KIND = "corel1k"  # a photo's number tells its kind, a hundred each
LEAST_SHOWING = 8  # photos, from which a word is judged


def precision_at(vectors: NDArray[np.int64], kinds: NDArray[np.int64], neighbours: int) -> float:
    """The mean share of each photo's nearest ``neighbours``, by angle, that are of its own kind. ``vectors``
    [photos, numbers]."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :neighbours]
    return float((kinds[nearest] == kinds[:, None]).mean())


def average_precision(shown: NDArray[np.bool_], parts: NDArray[np.int64]) -> float:
    """Of photos ordered by ``parts``, the greatest first: the mean, over those that show the word, of the
    share of such among all down to there. Of equal ones those that do not show it come first."""
    order = np.lexsort((shown, -parts))
    hits = shown[order]
    precisions = np.cumsum(hits) / np.arange(1, hits.size + 1)
    return float(precisions[hits].mean())


def judged(stored: NDArray[np.int64], evidence: Evidence) -> dict[str, dict[str, Any]]:
    """Each word's figures, of the photos of which it is known whether they show it. ``stored``: [photos,
    LEAVES] in 1/PARTS."""
    rows = {}
    for column, (word, synsets) in enumerate(zip(evidence.words, evidence.synsets, strict=True)):
        known = evidence.known[:, column]
        shown = evidence.shown[known, column]
        if shown.sum() < LEAST_SHOWING:
            continue
        parts = np.minimum(word_evidence.of_synset(stored[known], synsets), PARTS)
        threshold = wordnet.thresholds().of(synsets)
        held = parts >= threshold
        best = shown[np.lexsort((shown, -parts))[:NEIGHBOURS]]
        rows[word] = {
            "photos": int(shown.sum()),
            "of": int(known.sum()),
            "threshold": round(threshold / PARTS, 3),
            "precision": round(float(shown[held].mean()), 3) if held.any() else None,
            "recall": round(float(held[shown].mean()), 3),
            "average_precision": round(average_precision(shown, parts), 3),
            f"precision_at_{NEIGHBOURS}": round(float(best.mean()), 3),
        }
    return rows


def run(data: Path) -> dict[str, Any]:
    """Look at all photos under ``data`` that people tell of, as an ingest does. Thresholds were chosen on
    these photos; figures that are not so flattered stand in the card."""
    photos, evidence = word_evidence.gather(data)
    seen = [words.look(word_evidence.opened(path))[0] for path in photos]
    stored = np.zeros((len(photos), LEAVES), np.int64)
    for row, each in enumerate(seen):
        for leaf, parts in each.words:
            stored[row, leaf] = parts
    rows = [row for row, path in enumerate(photos) if path.parts[-3] == OF_A_KIND]
    kinds = np.array([int(photos[row].stem) // 100 for row in rows])
    vectors = np.array([seen[row].embedding for row in rows], np.int64)
    return {
        "photos": len(photos),
        "bytes": _sizes(seen),
        "likeness": {
            "set": OF_A_KIND,
            "photos": len(rows),
            f"precision_at_{NEIGHBOURS}": round(precision_at(vectors, kinds, NEIGHBOURS), 4),
        },
        "words": judged(stored, evidence),
    }


def _sizes(seen: list[ImageWords]) -> dict[str, float]:
    sizes = [len(each.to_bytes()) for each in seen]
    return {"mean": round(float(np.mean(sizes)), 1), "least": min(sizes), "greatest": max(sizes)}
