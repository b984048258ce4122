"""What photos show according to people: the evidence that probabilities of words are judged by.

Photos that people labelled (MSRC, COCO, horses) tell for some classes of the vocabulary whether they are
there; of Corel, of rooms and fronts of houses, and of the sea, the set or the name of a photo tells. None of
them was among the photos that the ImageNet head was trained on, as far as is known. What is
fitted on one half of the photos, by a hash of their names, is judged on the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.core.wordnet import image_words
from dsslic_search.training.dataset import in_validation

LEAST_SHARE = 0.005  # of the pixels, from which people's labels say that a thing is there
WORD_OF_CLASS = {
    "aeroplane": "airplane",
    "bicycle": "bicycle",
    "bird": "bird",
    "boat": "boat",
    "bottle": "bottle",
    "bus": "bus",
    "car": "car",
    "cat": "cat",
    "chair": "chair",
    "cow": "cattle",
    "dog": "dog",
    "flower": "flower",
    "horse": "horse",
    "motorbike": "motorcycle",
    "sheep": "sheep",
    "sofa": "sofa",
    "train": "train",
}
"""Words for classes that people labelled wherever they are, in sets that have them at all."""
ANIMALS = ("bird", "cat", "cattle", "dog", "horse", "sheep", "elephant", "dinosaur")
VEHICLES = ("airplane", "bicycle", "boat", "bus", "car", "motorcycle", "train")
# Of Corel the number of a photo tells its kind; which words it shows, and which it may show.
_COREL = (
    ((), (*ANIMALS, "food", "building", "seashore")),  # Africa
    (("seashore",), ("boat", "building", "bird", "mountain")),
    (("building",), ("bus", "car", "bicycle", "motorcycle", "boat", "flower", "bird", "seashore")),
    (("bus",), ("car", "building", "bicycle", "motorcycle", "train")),
    (("dinosaur",), ()),
    (("elephant",), ("bird",)),
    (("flower",), ()),
    (("horse",), ()),
    (("mountain",), ("building", "seashore", "boat")),
    (("food",), ("flower", "bottle")),
)
_ROOMS = {"bedroom": ("bed",), "kitchen": (), "bathroom": (), "frontal": ("building",)}
_OUT_OF_ROOMS = (*ANIMALS, *VEHICLES, "seashore", "mountain")


@dataclass(frozen=True)
class Evidence:
    """``synsets``: what each column is about, the identities of `core.wordnet` that a word means, under
    ``words``. ``shown``, ``known``: bool [photos, columns], whether it is there, and whether that is known.
    ``half``: bool [photos], which of them are of the half that is fitted on first."""

    words: tuple[str, ...]
    synsets: tuple[tuple[str, ...], ...]
    shown: NDArray[np.bool_]
    known: NDArray[np.bool_]
    half: NDArray[np.bool_]


def opened(path: Path) -> NDArray[np.uint8]:
    """A photo of a data folder: uint8 [H, W, 3]."""
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def of_synset(of_leaves: NDArray[Any], synsets: Iterable[str]) -> NDArray[Any]:
    """[photos] of [photos, leaves]: the sum over all leaves that are of some of these kinds."""
    found: NDArray[Any] = of_leaves[:, list(image_words().leaves_of(synsets))].sum(1)
    return found


def _labelled(data: Path, name: str, own: frozenset[str]) -> list[tuple[Path, set[str], set[str]]]:
    """(photo, words shown, words not shown) of a set whose labels know the classes ``own``."""
    classes = vocabulary.default()
    ids = {word: classes.id_of(one) for one, word in WORD_OF_CLASS.items() if one in own}
    found = []
    for image in sorted((data / "scenes" / name / "images").glob("*.jpg")):
        if in_validation(name, image.stem):
            continue
        labels = np.array(Image.open(data / "scenes" / name / "labels" / f"{image.stem}.png"))
        share = np.bincount(labels.ravel(), minlength=256) / labels.size
        shown = {word for word, class_id in ids.items() if share[class_id] >= LEAST_SHARE}
        absent = {word for word, class_id in ids.items() if share[class_id] == 0}
        found.append((image, shown, absent))
    return found


def _corel(data: Path) -> list[tuple[Path, set[str], set[str]]]:
    every = {word for shown, _ in _COREL for word in shown} | set(WORD_OF_CLASS.values())
    found = []
    for image in sorted((data / "photos" / "corel1k" / "images").glob("*.jpg")):
        shown, possible = _COREL[int(image.stem) // 100]
        found.append((image, set(shown), every - set(shown) - set(possible)))
    return found


def _rooms(data: Path) -> list[tuple[Path, set[str], set[str]]]:
    return [
        (image, set(_ROOMS[image.stem.partition("_")[2]]), set(_OUT_OF_ROOMS) - {"car"})
        for image in sorted((data / "photos" / "houses" / "images").glob("*.jpg"))
    ]


_MSRC = frozenset(
    {"aeroplane", "bicycle", "bird", "boat", "car", "cat", "chair", "cow", "dog", "flower", "sheep"}
)
_COCO = frozenset(WORD_OF_CLASS) - {"flower"}
SETS: tuple[tuple[str, Callable[[Path], list[tuple[Path, set[str], set[str]]]]], ...] = (
    ("msrc_v2", lambda data: _labelled(data, "msrc_v2", _MSRC)),
    ("coco128", lambda data: _labelled(data, "coco128", _COCO)),
    ("weizmann_horse", lambda data: _labelled(data, "weizmann_horse", frozenset({"horse"}))),
    ("corel1k", _corel),
    ("houses", _rooms),
    (
        "sea_intel",
        lambda data: [
            (image, {"seashore"}, {*ANIMALS} - {"bird"})
            for image in sorted((data / "photos" / "sea_intel" / "images").glob("*.jpg"))
        ],
    ),
)


def in_first_half(name: str, stem: str) -> bool:
    """Whether a photo of a set is of the half that is fitted on first."""
    return hashlib.sha256(f"{name}/{stem}".encode()).digest()[2] % 2 == 0


def gather(data: Path) -> tuple[list[Path], Evidence]:
    """All photos that people tell of, and what is known of them. UsageError when there are none."""
    told = [(name, *each) for name, tell in SETS for each in tell(data)]
    if not told:
        raise UsageError(f"{data}: no photos that people tell of; expected scenes/ and photos/ sets")
    words = tuple(sorted({word for _, _, shown, _ in told for word in shown}))
    return [path for _, path, _, _ in told], Evidence(
        words,
        tuple(image_words().meanings(word) for word in words),
        np.array([[word in shown for word in words] for _, _, shown, _ in told], bool),
        np.array([[word in shown | absent for word in words] for _, _, shown, absent in told], bool),
        np.array([in_first_half(name, path.stem) for name, path, *_ in told], bool),
    )
