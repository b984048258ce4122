"""Things that people marked, pasted into other photos: what a thing is does not follow from what it lies on.

Copy-paste augmentation (Ghiasi et al. 2021, arXiv 2012.07177) for label maps: one patch of one class at a
time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.core.components import components
from dsslic_search.core.vocabulary import OTHER, UNKNOWN, Vocabulary
from dsslic_search.training.pack import PackedPhoto

CLASSES = (
    "bird", "cat", "cow", "dog", "horse", "sheep", "aeroplane", "boat", "bicycle", "motorbike",
    "bus", "train", "chair", "sofa", "bottle", "tv", "book", "flower",
)  # fmt: skip
"""Classes of things that stand for themselves, besides ``other``."""
OTHER_SHARE = 0.4  # of what is pasted: it stands for hundreds of kinds of things
LEAST, MOST = 0.006, 0.6  # of a photo, that a patch has, to be pasted
SMALLEST, LARGEST = 0.02, 0.2  # of the crop, that it gets


@dataclass(frozen=True)
class Thing:
    """A patch of ``class_id`` in a photo: ``inside``, bool [h, w] at half the photo's size, lies at ``top``
    and ``left`` of the photo's targets."""

    photo: PackedPhoto
    class_id: int
    top: int
    left: int
    inside: NDArray[np.bool_]

    @cached_property
    def cut(self) -> tuple[Image.Image, Image.Image]:
        """RGB and its mask, L, of one size."""
        pixels, (rows, columns) = self.photo.pixels, self.photo.targets.ids.shape
        height, width = self.inside.shape
        down, across = pixels.height / rows, pixels.width / columns
        box = self.left * across, self.top * down, (self.left + width) * across, (self.top + height) * down
        found = pixels.crop(tuple(map(round, box)))
        mask = Image.fromarray(np.where(self.inside, 255, 0).astype(np.uint8))
        return found, mask.resize(found.size, Image.Resampling.BILINEAR)


class Things:
    """All that can be pasted from some photos, whose targets are of a class list."""

    def __init__(self, photos: Sequence[PackedPhoto], classes: Vocabulary) -> None:
        wanted = {each.id for each in classes.classes if each.id == OTHER or each.name in CLASSES}
        self.by_class: dict[int, list[Thing]] = {}
        for photo in photos:
            for thing in _things(photo, wanted):
                self.by_class.setdefault(thing.class_id, []).append(thing)

    def draw(self, rng: random.Random) -> Thing | None:
        """One of them; of no class in OTHER_SHARE of the draws, else of each class as often."""
        named = [c for c in self.by_class if c != OTHER]
        if OTHER in self.by_class and (not named or rng.random() < OTHER_SHARE):
            return rng.choice(self.by_class[OTHER])
        return rng.choice(self.by_class[rng.choice(named)]) if named else None


def paste(
    thing: Thing, crop: Image.Image, ids: NDArray[np.uint8], weight: NDArray[np.float32], rng: random.Random
) -> None:
    """Put a thing somewhere into a crop, square, and into its targets at a quarter of its size, in place."""
    pixels, mask = thing.cut
    if rng.random() < 0.5:
        pixels, mask = (each.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for each in (pixels, mask))
    area = float(thing.inside.mean()) * pixels.width * pixels.height
    share = SMALLEST * (LARGEST / SMALLEST) ** rng.random()
    scale = (share * crop.width * crop.height / max(1.0, area)) ** 0.5
    size = max(4, round(pixels.width * scale)), max(4, round(pixels.height * scale))
    pixels, mask = (each.resize(size, Image.Resampling.BILINEAR) for each in (pixels, mask))
    left, top = (rng.randrange(-n // 4, max(1, crop.width - 3 * n // 4)) for n in size)
    crop.paste(pixels, (left, top), mask)
    whole = Image.new("L", crop.size)
    whole.paste(mask, (left, top))
    covered = np.asarray(whole.reduce(4)) > 127
    ids[covered], weight[covered] = thing.class_id, 1


def _things(photo: PackedPhoto, wanted: set[int]) -> list[Thing]:
    targets = photo.targets
    ids = np.where(targets.weight == 1, targets.ids, UNKNOWN).astype(np.uint8)
    if not wanted & set(np.unique(ids).tolist()):
        return []
    runs = components(ids)
    sizes = np.bincount(runs.part, runs.length)
    found = []
    for part in np.flatnonzero((sizes >= LEAST * ids.size) & (sizes <= MOST * ids.size)):
        mine = runs.part == part
        class_id = int(runs.label[mine][0])
        if class_id not in wanted:
            continue
        rows, lefts, ends = runs.row[mine], runs.left[mine], (runs.left + runs.length)[mine]
        top, bottom, left, right = rows.min(), rows.max() + 1, lefts.min(), ends.max()
        inside = mine[runs.of_pixel[top:bottom, left:right]]
        found.append(Thing(photo, class_id, int(top), int(left), inside))
    return found
