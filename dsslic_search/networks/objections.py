"""What the words of a whole photo say against regions of its label map.

A segmenter gives every pixel some class of its own, and has none for an elephant: it calls it a horse. The
network of image words knows some four hundred kinds of animals. So a region of an animal stays only where
that animal's words hold at least their part of the probability of all animals, as soon as all animals
together are likely; and a person goes where plants, fruit, fungi or insects are likely, of which such a photo
is full. What goes becomes ``other``. From which parts on is chosen by
:mod:`dsslic_search.training.objections` on photos that people labelled, and is in ``objections.json`` beside
this module.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core import vocabulary
from dsslic_search.core.wordnet import image_words

PERSON = "person"
WORD_OF_ANIMAL = {
    "bird": "bird",
    "cat": "cat",
    "cow": "cattle",
    "dog": "dog",
    "horse": "horse",
    "sheep": "sheep",
}
"""The word that means all of a class, and nothing else."""
CLOSE_UPS = ("plant", "flower", "fruit", "vegetable", "fungus", "insect")
"""What fills photos in which a segmenter takes petals for skin."""
CHOSEN = Path(__file__).with_name("objections.json")


@dataclass(frozen=True)
class Evidence:
    """What words speak for, each in 0..1: ``animals`` all of them together, ``parts`` those of each class, by
    its name, among them, ``close_ups`` the kinds of CLOSE_UPS."""

    animals: float
    parts: Mapping[str, float]
    close_ups: float

    @classmethod
    def of(cls, probabilities: NDArray[np.float32]) -> Evidence:
        """Of the probabilities of all image words, float32 [leaves]."""
        animals = float(probabilities[_leaves("animal")].sum())
        parts = {
            name: float(probabilities[_leaves(word)].sum()) / max(animals, 1e-9)
            for name, word in WORD_OF_ANIMAL.items()
        }
        return cls(animals, parts, float(probabilities[_leaves(*CLOSE_UPS)].sum()))


@dataclass(frozen=True)
class Objections:
    """``animals``: how likely animals have to be before any is doubted; ``least_part`` of each class;
    ``close_ups``: how likely those have to be before persons are doubted."""

    animals: float
    least_part: Mapping[str, float]
    close_ups: float

    def ruled_out(self, evidence: Evidence) -> tuple[int, ...]:
        """The ids of the classes that a photo does not show, whatever its regions say; ascending."""
        names = [
            name
            for name, least in self.least_part.items()
            if evidence.animals >= self.animals and evidence.parts[name] < least
        ]
        if evidence.close_ups >= self.close_ups:
            names.append(PERSON)
        return tuple(sorted(vocabulary.built_in().id_of(name) for name in names))


def chosen() -> Objections:
    """Those that were fitted."""
    return _read(CHOSEN)


def heed(
    labels: NDArray[np.uint8], certainty: NDArray[np.float32], probabilities: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The class ids uint8 [h, w] in the shipped vocabulary and the certainty float32 [h, w] of each, as the
    probabilities of all image words, float32 [leaves], leave them; what becomes ``other`` is not certain at
    all."""
    objected = np.isin(labels, chosen().ruled_out(Evidence.of(probabilities)))
    if not objected.any():
        return labels, certainty
    return (
        np.where(objected, np.uint8(vocabulary.OTHER), labels),
        np.where(objected, np.float32(0), certainty),
    )


@cache
def _read(path: Path) -> Objections:
    stored = json.loads(path.read_text("utf-8"))
    return Objections(stored["animals"], stored["least_part"], stored["close_ups"])


@cache
def _leaves(*words: str) -> NDArray[np.intp]:
    """The numbers of all image words that are of some kind that one of ``words`` means."""
    table = image_words()
    return np.array(table.leaves_of([kind for word in words for kind in table.meanings(word)]), np.intp)
