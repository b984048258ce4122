"""What the pixels of a training photo should be called: people's word, else the teacher's, mended where more
is known than the teacher could see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.core import vocabulary
from dsslic_search.core.vocabulary import OTHER, UNKNOWN
from dsslic_search.training import things
from dsslic_search.training.dataset import Sample
from dsslic_search.training.teacher import FiledTeacher, Teacher

ANIMALS = ("bird", "cat", "cow", "dog", "horse", "sheep")
# WordNet 3.0 offsets of ImageNet's animals: those that are a class of ours, and the last animal of all
KINDS_OF_ANIMALS = (
    (1514668, 1622779, "bird"),
    (1795545, 1860187, "bird"),
    (2002556, 2058221, "bird"),
    (2085620, 2113978, "dog"),
    (2123045, 2124075, "cat"),
    (2389026, 2389026, "horse"),
    (2403003, 2403003, "cow"),
    (2412080, 2415577, "sheep"),
)
LAST_ANIMAL = 2655020
COREL_HORSES = range(700, 800)
SURELY = ("person", "sky", "grass", "tree")  # that the teacher tells from things where it is SURE
SURE = 0.9
INSIDE_COUNTS, AROUND_COUNTS = 0.67, 0.33  # where a thing of no class is seen, and perhaps seen


@dataclass(frozen=True)
class Targets:
    """``ids`` uint8 [H, W]: the class of each pixel; ``weight`` float32 [H, W] in 0..1: what it counts."""

    ids: NDArray[np.uint8]
    weight: NDArray[np.float32]


def load_targets(sample: Sample, teacher: Teacher | None = None) -> Targets:
    """The targets of a photo; ``teacher``: the files beside it unless told.

    People overrule the teacher wherever they said something; elsewhere the teacher's pixel counts as much as
    the teacher was sure of it (half as much in photos that people labelled and left blank there). Where the
    photo's name tells which animal it shows, the teacher's other animals are that one, or ``other`` when it
    is of no class. ``house`` becomes ``building``: people call house fronts so, the teacher now this, now
    that, and a query for either finds both. Where an ImageNet photo shows the thing of no class that it is
    named after (`training.things`), it is ``other``, and what lies around it counts less.
    """
    ours = vocabulary.default()
    ids, sure = (teacher or FiledTeacher()).taught(sample.image)
    weight = sure**2
    animal = animal_of(sample)
    if animal is not None:
        ids[np.isin(ids, [ours.id_of(name) for name in ANIMALS])] = ours.id_of(animal)
    _of_no_class(sample, ids, weight, sure)
    if sample.labels is not None:
        human = np.array(Image.open(sample.labels))
        known = human != UNKNOWN
        ids = np.where(known, human, ids)
        weight = np.where(known, np.float32(1), weight * np.float32(0.5))
    ids[ids == ours.id_of("house")] = ours.id_of("building")
    return Targets(ids, weight.astype(np.float32))


def _of_no_class(
    sample: Sample, ids: NDArray[np.uint8], weight: NDArray[np.float32], sure: NDArray[np.float32]
) -> None:
    """Write ``other`` where a thing of no class is seen. What the teacher never takes for a thing when it is
    sure stays: who holds it, and what it stands before."""
    places = things.seen(sample, ids.shape)
    if places is None:
        return
    kept = np.isin(ids, [vocabulary.default().id_of(name) for name in SURELY]) & (sure >= SURE)
    around, inside = (places >= things.AROUND) & ~kept, (places >= things.INSIDE) & ~kept
    weight[around & (ids != OTHER)] *= AROUND_COUNTS
    ids[inside] = OTHER
    weight[inside] = np.maximum(weight[inside], INSIDE_COUNTS)


def animal_of(sample: Sample) -> str | None:
    """The class of the only animals that a photo shows, as far as its name tells it: "other" for an animal of
    no class, None where nothing is known."""
    stem = sample.image.stem
    if sample.dataset == "corel1k":
        return "horse" if stem.isdigit() and int(stem) in COREL_HORSES else None
    if sample.dataset != "imagenet_sample" or not stem[1:9].isdigit():
        return None
    offset = int(stem[1:9])
    if offset > LAST_ANIMAL:
        return None
    return next((name for first, last, name in KINDS_OF_ANIMALS if first <= offset <= last), "other")
