"""Photos with label maps for training, and the fixed split that validation never leaks into.

A data folder holds sets as ``scenes/<set>``, ``photos/<set>`` and ``codec/<set>``; each set has
``images/*.jpg``, ``teacher/*.png`` (the teacher's class ids), ``confidence/*.png`` (its largest probability ×
255, 1/8 size) and, in ``scenes`` only, ``labels/*.png`` (class ids chosen by people, 255 = unknown).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dsslic_search.core.errors import UsageError

Part = Literal["training", "calibration", "validation"]
SCENES = ("msrc_v2", "camvid", "labelmefacade", "ccp", "cocostuff_spade21")  # of the first validation split
LATER_SCENES = ("weizmann_horse", "coco128")
# Sets of photos that only the teacher labelled, of which parts are held out too.
SPLIT_PHOTOS = ("houses", "sea_intel")
# Neighbouring frames of CamVid are nearly the same picture, and LabelMeFacade's photos come in walks through
# one place: there whole sequences and whole places are held out.
VALIDATION_SEQUENCES = ("0006R0",)
VALIDATION_PLACES = (
    "static_outdoor_street_city_cambridge_uk",
    "april21_static_outdoor_davis",
    "static_barcelona_street_city_outdoor_2005",
)
VALIDATION_ONE_PHOTO_IN = 6
# A part of the other photos is not trained on either: it sets what a trained network cannot tell of itself
# (its calibration).
CALIBRATION_SETS = ("msrc_v2", "ccp", "labelmefacade", *LATER_SCENES, *SPLIT_PHOTOS)
CALIBRATION_ONE_PHOTO_IN = 10
# Corel's dinosaurs, elephants and flowers: no class of ours, kept to see what is said of them.
UNTRAINED_COREL = range(400, 700)


@dataclass(frozen=True)
class Sample:
    """Paths of one photo; ``labels`` is None where no person labelled it."""

    image: Path
    teacher: Path
    confidence: Path
    labels: Path | None

    @property
    def dataset(self) -> str:
        """The name of its set."""
        return self.image.parts[-3]


def in_validation(dataset: str, stem: str) -> bool:
    """Whether a photo belongs to the validation split: by sequence, by place, by house, or else one name in
    six by hash."""
    if dataset == "houses":  # the rooms of one house are seen together
        stem = stem.split("_")[0]
    if dataset == "camvid":
        return stem.startswith(VALIDATION_SEQUENCES)
    place = stem.split("__")[0]
    if dataset == "labelmefacade" and not place.startswith("spatial_envelope"):
        return place in VALIDATION_PLACES
    return hashlib.sha256(f"{dataset}/{stem}".encode()).digest()[0] % VALIDATION_ONE_PHOTO_IN == 0


def in_calibration(dataset: str, stem: str) -> bool:
    """Whether a photo outside the validation split is kept from training; of LabelMeFacade only photos of no
    walk."""
    if dataset == "houses":
        stem = stem.split("_")[0]
    if dataset not in CALIBRATION_SETS or (
        dataset == "labelmefacade" and not stem.startswith("spatial_envelope")
    ):
        return False
    return hashlib.sha256(f"{dataset}/{stem}".encode()).digest()[1] % CALIBRATION_ONE_PHOTO_IN == 0


def part_of(sample: Sample) -> Part:
    """Which part of its set a photo belongs to. Only sets that people labelled, and SPLIT_PHOTOS, have parts
    that are kept from training."""
    name, stem = sample.dataset, sample.image.stem
    if sample.labels is None and name not in SPLIT_PHOTOS:
        return "training"
    if in_validation(name, stem):
        return "validation"
    return "calibration" if in_calibration(name, stem) else "training"


def _samples(folder: Path) -> list[Sample]:
    found = []
    for image in sorted((folder / "images").glob("*.jpg")):
        labels = folder / "labels" / f"{image.stem}.png"
        found.append(
            Sample(
                image=image,
                teacher=folder / "teacher" / f"{image.stem}.png",
                confidence=folder / "confidence" / f"{image.stem}.png",
                labels=labels if labels.exists() else None,
            )
        )
    return found


def scene_samples(
    data: Path, validation: bool, calibration: bool | None = None, sets: Sequence[str] = SCENES
) -> list[Sample]:
    """Photos that people labelled: the validation split, or the others, of these only those in or outside the
    calibration part when ``calibration`` is given. UsageError when there are none."""
    found = [
        s
        for name in sets
        for s in _samples(data / "scenes" / name)
        if in_validation(name, s.image.stem) == validation
    ]
    if calibration is not None:
        found = [s for s in found if in_calibration(s.dataset, s.image.stem) == calibration]
    if not found:
        raise UsageError(f"{data}: no labelled photos found; expected scenes/<set>/images and labels")
    return found


def teacher_samples(data: Path, kinds: tuple[str, ...] = ("photos", "codec")) -> list[Sample]:
    """Photos that only the teacher labelled."""
    return [s for kind in kinds for folder in sorted((data / kind).glob("*")) for s in _samples(folder)]


def photos_of(data: Path, part: Part) -> list[Sample]:
    """All photos of one part: those that people labelled, then those that only the teacher did."""
    scenes = [s for name in (*SCENES, *LATER_SCENES) for s in _samples(data / "scenes" / name)]
    return [s for s in scenes + teacher_samples(data) if part_of(s) == part and not _of_no_class(s)]


def _of_no_class(sample: Sample) -> bool:
    return (
        sample.dataset == "corel1k"
        and sample.image.stem.isdigit()
        and int(sample.image.stem) in UNTRAINED_COREL
    )
