"""What it gains that image words speak against regions, on photos that neither network was trained on: the
validation split, where people say what is there, and photos of Corel's whose things are no class, or are
taken for another one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.codec.layers import label_map
from dsslic_search.core import vocabulary
from dsslic_search.core.settings import DEFAULT_PRESENCE
from dsslic_search.networks import objections, runtime
from dsslic_search.networks.objections import WORD_OF_ANIMAL
from dsslic_search.training.dataset import LATER_SCENES, SCENES, scene_samples

COREL = (
    ("dinosaurs called dog", range(400, 500), "dog"),
    ("elephants called horse", range(500, 600), "horse"),
    ("flowers called person", range(600, 700), "person"),
    ("horses called horse", range(700, 800), "horse"),
)
"""What is counted, the numbers of the photos, and the class that is said of them. Those of the last row were
trained on: they tell what is lost."""


@dataclass(frozen=True)
class Heard:
    """Of photos, bool [photos, classes]: which classes people see (``there``), SegNet says (``said``), and
    are left by the words (``left``); on the pixels that people know."""

    there: NDArray[np.bool_]
    said: NDArray[np.bool_]
    left: NDArray[np.bool_]

    def scores(self, classes: list[int]) -> dict[str, float | int]:
        """F1 of presence without and with the words, and of what words took away how much was right."""
        there, said, left = (each[:, classes] for each in (self.there, self.said, self.left))
        return {
            "presence_f1_without_words": round(_f1(said, there), 4),
            "presence_f1": round(_f1(left, there), 4),
            "taken_away": int((said & ~left).sum()),
            "of_these_were_there": int((said & ~left & there).sum()),
        }


def run(data: Path) -> dict[str, Any]:
    """Measure on the photos under ``data``. UsageError when there are none that people labelled."""
    ours = vocabulary.default()
    heard = _heard(data)
    return {
        "photos": len(heard.there),
        "validation": heard.scores(list(range(1, len(ours)))),
        "validation_animals": heard.scores([ours.id_of(name) for name in WORD_OF_ANIMAL]),
        "corel": {name: _corel(data, numbers, ours.id_of(said)) for name, numbers, said in COREL},
    }


def _maps(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The label map of a photo, uint8 [H, W, 3], as SegNet makes it and as words leave it."""
    scale = label_map.scale_for(*pixels.shape[:2])
    size = -(-pixels.shape[0] // scale), -(-pixels.shape[1] // scale)
    labels, certainty = runtime.segment(pixels, size)
    return labels, objections.heed(labels, certainty, runtime.image_words(pixels)[0])[0]


def _heard(data: Path) -> Heard:
    classes = len(vocabulary.default())
    rows: list[list[NDArray[np.bool_]]] = []
    for sample in scene_samples(data, validation=True, sets=(*SCENES, *LATER_SCENES)):
        assert sample.labels is not None
        truth = np.asarray(Image.open(sample.labels))
        maps = _maps(_pixels(sample.image))
        ys, xs = (
            (np.arange(n) * full / n).astype(int) for n, full in zip(maps[0].shape, truth.shape, strict=True)
        )
        there = truth[np.ix_(ys, xs)]
        known = there < classes
        if known.any():
            rows.append([_present(each[known], classes) for each in (there, *maps)])
    return Heard(*(np.array(each) for each in zip(*rows, strict=True)))


def _corel(data: Path, numbers: Iterable[int], said: int) -> dict[str, float | int]:
    folder = data / "photos" / "corel1k" / "images"
    found = [folder / f"{number}.jpg" for number in numbers]
    photos = [_maps(_pixels(path)) for path in found if path.exists()]
    without, left = (
        sum(float(np.mean(maps[which] == said)) >= DEFAULT_PRESENCE for maps in photos) for which in (0, 1)
    )
    return {
        "photos": len(photos),
        "share_without_words": round(without / max(1, len(photos)), 4),
        "share": round(left / max(1, len(photos)), 4),
    }


def _pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def _present(ids: NDArray[np.uint8], classes: int) -> NDArray[np.bool_]:
    return np.bincount(ids, minlength=classes) >= DEFAULT_PRESENCE * ids.size


def _f1(said: NDArray[np.bool_], there: NDArray[np.bool_]) -> float:
    return 2 * float((said & there).sum()) / max(1.0, float(said.sum() + there.sum()))
