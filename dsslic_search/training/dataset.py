"""Photos with label maps for training, and the fixed split that validation never leaks into.

A data folder holds sets as ``scenes/<set>``, ``photos/<set>`` and ``codec/<set>``; each set has ``images/*.jpg``,
``teacher/*.png`` (the teacher's class ids), ``confidence/*.png`` (its largest probability × 255, 1/8 size) and,
in ``scenes`` only, ``labels/*.png`` (class ids chosen by people, 255 = unknown).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.errors import UsageError
from dsslic_search.vocabulary import UNKNOWN

SCENES = ("msrc_v2", "camvid", "labelmefacade", "ccp", "cocostuff_spade21")
# Neighbouring frames of CamVid are nearly the same picture, and LabelMeFacade's photos come in walks through one place:
# there whole sequences and whole places are held out.
VALIDATION_SEQUENCES = ("0006R0",)
VALIDATION_PLACES = (
    "static_outdoor_street_city_cambridge_uk",
    "april21_static_outdoor_davis",
    "static_barcelona_street_city_outdoor_2005",
)
VALIDATION_ONE_IN = 6


@dataclass(frozen=True)
class Sample:
    """Paths of one photo; ``labels`` is None where no person labelled it."""

    image: Path
    teacher: Path
    confidence: Path
    labels: Path | None


def in_validation(dataset: str, stem: str) -> bool:
    """Whether a labelled photo belongs to the validation split: by sequence, by place, or else one name in six by hash."""
    if dataset == "camvid":
        return stem.startswith(VALIDATION_SEQUENCES)
    place = stem.split("__")[0]
    if dataset == "labelmefacade" and not place.startswith("spatial_envelope"):
        return place in VALIDATION_PLACES
    return hashlib.sha256(f"{dataset}/{stem}".encode()).digest()[0] % VALIDATION_ONE_IN == 0


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


def scene_samples(data: Path, validation: bool) -> list[Sample]:
    """Photos that people labelled: the validation split, or all the others. UsageError when there are none."""
    found = [s for name in SCENES for s in _samples(data / "scenes" / name) if in_validation(name, s.image.stem) == validation]
    if not found:
        raise UsageError(f"{data}: no labelled photos found; expected scenes/<set>/images and labels")
    return found


def teacher_samples(data: Path, kinds: tuple[str, ...] = ("photos", "codec")) -> list[Sample]:
    """Photos that only the teacher labelled."""
    return [s for kind in kinds for folder in sorted((data / kind).glob("*")) for s in _samples(folder)]


def load_targets(sample: Sample) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Class ids uint8 [H, W] and how much each pixel counts, float32 [H, W] in 0..1.

    People overrule the teacher wherever they said something; elsewhere the teacher's pixel counts as much as
    the teacher was sure of it (half as much in photos that people labelled and left blank there).
    """
    labels = np.array(Image.open(sample.teacher))
    sure = Image.open(sample.confidence).resize(labels.shape[::-1], Image.Resampling.BILINEAR)
    weight = (np.asarray(sure, np.float32) / 255) ** 2
    if sample.labels is not None:
        human = np.array(Image.open(sample.labels))
        known = human != UNKNOWN
        labels[known] = human[known]
        weight = np.where(known, np.float32(1), weight * np.float32(0.5))
    return labels, weight.astype(np.float32)
