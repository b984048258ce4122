"""From which part of the words' probability on a region is believed: chosen on photos that people labelled.

What a segmenter says wrongly does not enter, so that new weights of one need no new choice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dsslic_search.core import vocabulary
from dsslic_search.core.output import Outputs
from dsslic_search.core.settings import DEFAULT_PRESENCE
from dsslic_search.networks import runtime
from dsslic_search.networks.objections import PERSON, WORD_OF_ANIMAL, Evidence, Objections
from dsslic_search.training.dataset import LATER_SCENES, SCENES, scene_samples

ANIMALS_LIKELY = 0.3  # from which probability of all animals on words tell animals apart
PARTS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
CLOSE_UPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LOST = 0.02  # of the photos that truly show an animal, that may be objected to
MIN_PHOTOS = 8  # that show a class, for it to be doubted at all

Shown = tuple[frozenset[str], Evidence]


def choose(photos: Sequence[Shown]) -> Objections:
    """Of what photos show according to people, and what their words speak for: the strictest rule that loses
    at most LOST of the photos of each animal; and for persons the least of CLOSE_UPS which is twice what any
    photo of a person has."""
    parts: dict[str, float] = {}
    for name in WORD_OF_ANIMAL:
        true = [e.parts[name] for shown, e in photos if name in shown and e.animals >= ANIMALS_LIKELY]
        allowed = [p for p in PARTS if _lost(true, p) <= LOST]
        if len(true) >= MIN_PHOTOS and allowed:
            parts[name] = max(allowed)
    most = max((e.close_ups for shown, e in photos if PERSON in shown), default=1.0)
    close_ups = next((least for least in CLOSE_UPS if least >= 2 * most), 1.0)
    return Objections(ANIMALS_LIKELY, parts, close_ups)


def fit(data: Path, out: Path, outputs: Outputs) -> Objections:
    """Choose on the photos under ``data`` that people labelled, outside the validation split, and write the
    choice to ``out`` as `networks.objections` reads it."""
    found = choose(list(_photos(data)))
    stored = {
        "words": runtime.identity(runtime.IMAGE_WORDS),
        "animals": found.animals,
        "least_part": dict(found.least_part),
        "close_ups": found.close_ups,
    }
    outputs.write(out, (json.dumps(stored, indent=1) + "\n").encode(), text=True)
    return found


def _photos(data: Path) -> Iterable[Shown]:
    classes = vocabulary.default().classes
    for sample in scene_samples(data, validation=False, sets=(*SCENES, *LATER_SCENES)):
        assert sample.labels is not None
        counts = np.bincount(np.asarray(Image.open(sample.labels)).ravel(), minlength=256)
        least = DEFAULT_PRESENCE * max(1, counts[: len(classes)].sum())
        shown = frozenset(c.name for c, count in zip(classes, counts, strict=False) if count >= least)
        pixels = np.asarray(Image.open(sample.image).convert("RGB"))
        yield shown, Evidence.of(runtime.image_words(pixels)[0])


def _lost(true: Sequence[float], least: float) -> float:
    return float(np.mean(np.array(true) < least)) if true else 1.0
