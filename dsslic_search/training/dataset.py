"""Photos with label maps for training, and the fixed split that validation never leaks into.

A data folder holds sets as ``scenes/<set>``, ``photos/<set>`` and ``codec/<set>``; each set has
``images/*.jpg``, ``teacher/*.png`` (the teacher's class ids), ``confidence/*.png`` (its largest probability ×
255, 1/8 size) and, in ``scenes`` only, ``labels/*.png`` (class ids chosen by people, 255 = unknown). A folder
beside it may hold what the teacher's second thoughts were, ``<kind>/<set>/<stem>.npz``: see
:mod:`dsslic_search.training.soften`.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.core.errors import UsageError
from dsslic_search.core.vocabulary import UNKNOWN

SCENES = ("msrc_v2", "camvid", "labelmefacade", "ccp", "cocostuff_spade21")
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
CALIBRATION_SETS = ("msrc_v2", "ccp", "labelmefacade")
CALIBRATION_ONE_PHOTO_IN = 10
GUESSES = 4  # classes kept of what the teacher thought of a pixel


@dataclass(frozen=True)
class Sample:
    """Paths of one photo; ``labels`` is None where no person labelled it."""

    image: Path
    teacher: Path
    confidence: Path
    labels: Path | None

    @property
    def soft(self) -> Path:
        """Where the teacher's probabilities are in a folder of them."""
        kind, name = self.image.parts[-4:-2]
        return Path(kind, name, f"{self.image.stem}.npz")


def in_validation(dataset: str, stem: str) -> bool:
    """Whether a labelled photo belongs to the validation split: by sequence, by place, or else one name in
    six by hash."""
    if dataset == "camvid":
        return stem.startswith(VALIDATION_SEQUENCES)
    place = stem.split("__")[0]
    if dataset == "labelmefacade" and not place.startswith("spatial_envelope"):
        return place in VALIDATION_PLACES
    return hashlib.sha256(f"{dataset}/{stem}".encode()).digest()[0] % VALIDATION_ONE_PHOTO_IN == 0


def in_calibration(dataset: str, stem: str) -> bool:
    """Whether a labelled photo outside the validation split is kept from training; of LabelMeFacade only
    photos of no walk."""
    if dataset not in CALIBRATION_SETS or (
        dataset == "labelmefacade" and not stem.startswith("spatial_envelope")
    ):
        return False
    return hashlib.sha256(f"{dataset}/{stem}".encode()).digest()[1] % CALIBRATION_ONE_PHOTO_IN == 0


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


def scene_samples(data: Path, validation: bool, calibration: bool | None = None) -> list[Sample]:
    """Photos that people labelled: the validation split, or the others, of these only those in or outside the
    calibration part when ``calibration`` is given. UsageError when there are none."""
    found = [
        s
        for name in SCENES
        for s in _samples(data / "scenes" / name)
        if in_validation(name, s.image.stem) == validation
    ]
    if calibration is not None:
        found = [s for s in found if in_calibration(s.image.parts[-3], s.image.stem) == calibration]
    if not found:
        raise UsageError(f"{data}: no labelled photos found; expected scenes/<set>/images and labels")
    return found


def teacher_samples(data: Path, kinds: tuple[str, ...] = ("photos", "codec")) -> list[Sample]:
    """Photos that only the teacher labelled."""
    return [s for kind in kinds for folder in sorted((data / kind).glob("*")) for s in _samples(folder)]


@dataclass(frozen=True)
class Targets:
    """What a photo's pixels should be called. ``ids`` uint8 [GUESSES, H, W], ``shares`` float32 [GUESSES, H,
    W] summing to 1 over the guesses, ``weight`` float32 [H, W] in 0..1: how much each pixel counts."""

    ids: NDArray[np.uint8]
    shares: NDArray[np.float32]
    weight: NDArray[np.float32]


def load_targets(sample: Sample, soft: Path | None = None) -> Targets:
    """The targets of a photo.

    People overrule the teacher wherever they said something; elsewhere the teacher's pixel counts as much as
    the teacher was sure of it (half as much in photos that people labelled and left blank there). Where the
    folder ``soft`` has the teacher's probabilities they are the target, else its first guess alone.
    """
    first = np.array(Image.open(sample.teacher))
    sure = Image.open(sample.confidence).resize(first.shape[::-1], Image.Resampling.BILINEAR)
    weight = (np.asarray(sure, np.float32) / 255) ** 2
    ids = np.repeat(first[None], GUESSES, 0)
    shares = np.zeros(ids.shape, np.float32)
    shares[0] = 1
    if soft is not None and (soft / sample.soft).exists():
        with np.load(soft / sample.soft) as stored:
            guessed, share = stored["ids"][:GUESSES], stored["share"][:GUESSES].astype(np.float32)
        ys, xs = (np.arange(n) * size // n for n, size in zip(first.shape, guessed.shape[1:], strict=True))
        ids, shares = guessed[:, ys][:, :, xs], share[:, ys][:, :, xs]
        shares /= np.maximum(shares.sum(0), 1)
    if sample.labels is not None:
        human = np.array(Image.open(sample.labels))
        known = human != UNKNOWN
        ids[:, known] = human[known]
        shares[:, known] = np.array([1, *[0] * (GUESSES - 1)], np.float32)[:, None]
        weight = np.where(known, np.float32(1), weight * np.float32(0.5))
    return Targets(ids, shares, weight.astype(np.float32))


class Balanced:
    """Samples drawn so that rare classes come often: half of the draws choose a class first, then a photo
    that has it.

    Classes are chosen in proportion to (photos that have it) ** ``power``; a photo has a class that is the
    first guess of at least 1 % of its pixels, weighted.
    """

    def __init__(self, samples: list[Sample], classes: int, power: float, share: float) -> None:
        self.samples, self.share = samples, share
        holders: dict[int, list[Sample]] = {}
        for sample in samples:
            targets = load_targets(sample)
            counts = np.bincount(targets.ids[0].ravel(), targets.weight.ravel(), classes)[:classes]
            for class_id in np.flatnonzero(counts >= 0.01 * targets.weight.size):
                holders.setdefault(int(class_id), []).append(sample)
        self.holders = {c: found for c, found in sorted(holders.items()) if c != 0}
        self.chances = [len(found) ** power for found in self.holders.values()]

    def draw(self, rng: random.Random) -> tuple[Sample, int | None]:
        """A sample, and the class to look at, if any."""
        if rng.random() >= self.share:
            return rng.choice(self.samples), None
        class_id = rng.choices(list(self.holders), self.chances)[0]
        return rng.choice(self.holders[class_id]), class_id
