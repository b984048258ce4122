"""One file that carries a training set: photos at the working resolution and what their pixels should be
called.

A zip archive with ``pack.json`` (the class list's identity, the list itself where it is one's own, and of
each photo its name, its part and whether people labelled it) and, by number, ``photos/<n>.avif`` and
``targets/<n>.png``: two channels of 8 bits at half the photo's size, class id and weight × 255.
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import Outputs
from dsslic_search.core.vocabulary import OTHER, Vocabulary
from dsslic_search.training.dataset import Part, photos_of
from dsslic_search.training.targets import Targets, load_targets

MAX_AREA = 448 * 352  # pixels of a packed photo: those that SegNet works at
WEIGHT_STEPS = 3  # that a pixel's weight is kept in: finer ones cost bytes and teach nothing
QUALITIES = (80, 70, 65, 60, 55, 50, 45, 40, 35)  # of AVIF, tried from the best
TRIED_ONE_IN = 16  # photos that the quality is chosen on
PARTS: tuple[Part, ...] = ("training", "calibration")
POWER_OF_OTHER = 0.65  # it stands for hundreds of kinds of things
MOST_OF_OTHER = 0.25  # of all other classes together: in some sets each photo has something of no class
MIN_SHARE = 0.003  # of a photo's weight that makes a class one that it has


@dataclass(frozen=True)
class PackedPhoto:
    """``name`` as ``<kind>/<set>/<stem>``; ``labelled``: by people; ``photo`` and ``target``: the bytes of
    AVIF and PNG."""

    name: str
    part: Part
    labelled: bool
    photo: bytes
    target: bytes

    @property
    def pixels(self) -> Image.Image:
        """RGB."""
        return Image.open(io.BytesIO(self.photo)).convert("RGB")

    @property
    def targets(self) -> Targets:
        """At half the size of the photo."""
        both = np.asarray(Image.open(io.BytesIO(self.target)))
        return Targets(both[..., 0], both[..., 1].astype(np.float32) / np.float32(255))


@dataclass(frozen=True)
class Item:
    """A photo to be packed; ``image`` and ``targets`` read it when they are asked."""

    name: str
    part: Part
    labelled: bool
    image: Callable[[], Image.Image]
    targets: Callable[[], Targets]


def pack(data: Path, out: Path, budget: int, outputs: Outputs | None = None) -> str:
    """Write the training and the calibration part of the data folder to ``out``, at the best quality that
    keeps it within ``budget`` bytes; returns what was written, in words. UsageError when no quality does, or
    when there are no photos."""
    items = [
        Item(
            "/".join([*s.image.parts[-4:-2], s.image.stem]),
            part,
            s.labels is not None,
            partial(_opened, s.image),
            partial(load_targets, s),
        )
        for part in PARTS
        for s in photos_of(data, part)
    ]
    if not items:
        raise UsageError(f"{data}: no photos found; expected scenes/<set>, photos/<set> and codec/<set>")
    return write_pack(items, out, budget, outputs)


def write_pack(
    items: Sequence[Item],
    out: Path,
    budget: int,
    outputs: Outputs | None = None,
    classes: Vocabulary | None = None,
) -> str:
    """The same of any photos; ``classes``: whose ids the targets are, the list in use unless told."""
    spoken = classes or vocabulary.default()
    quality = _quality_for(items, budget)
    rows, buffer = [], io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for number, item in enumerate(items):
            archive.writestr(f"photos/{number}.avif", _photo(item, quality))
            archive.writestr(f"targets/{number}.png", _target(item))
            rows.append({"name": item.name, "part": item.part, "labelled": item.labelled})
        listed: dict[str, Any] = {"classes": spoken.identity, "photos": rows}
        if classes is not None:
            listed["vocabulary"] = vocabulary.written(classes)
        archive.writestr("pack.json", json.dumps(listed))
    (outputs or Outputs()).write(out, buffer.getvalue())
    return f"{len(rows)} photos, AVIF {quality}, {buffer.tell() / 1e6:.1f} MB"


def read_pack(path: Path) -> list[PackedPhoto]:
    """The photos of :func:`read_whole`."""
    return read_whole(path)[0]


def read_whole(path: Path) -> tuple[list[PackedPhoto], Vocabulary]:
    """What :func:`write_pack` wrote, in memory, and the class list of its targets. UsageError for anything
    else, or where that is a list that is not known any more."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = json.loads(archive.read("pack.json"))
            photos = [
                PackedPhoto(
                    row["name"],
                    row["part"],
                    row["labelled"],
                    archive.read(f"photos/{number}.avif"),
                    archive.read(f"targets/{number}.png"),
                )
                for number, row in enumerate(listed["photos"])
            ]
        told = listed.get("vocabulary")
        classes = vocabulary.default() if told is None else vocabulary.parse(told)
    except OSError as e:
        raise UsageError(f"{path}: cannot be read ({e.strerror}); check the path") from e
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError) as e:
        raise UsageError(f"{path}: not a packed training set; pack the data folder anew") from e
    if listed["classes"] != classes.identity:
        raise UsageError(f"{path}: packed with another class list; pack it again from the data folder")
    return photos, classes


class Balanced:
    """Photos drawn so that rare classes come often: a share of the draws choose a class first, then a photo
    that has it.

    Classes are chosen in proportion to (photos that have it) ** ``power``; a photo has a class that makes at
    least MIN_SHARE of its weighted pixels.
    """

    def __init__(self, photos: Sequence[PackedPhoto], classes: int, power: float, share: float) -> None:
        self.photos, self.share = photos, share
        self.counts = np.zeros(classes)
        holders: dict[int, list[PackedPhoto]] = {}
        for photo in photos:
            shares = class_shares(photo.targets, classes)
            self.counts += shares
            for class_id in np.flatnonzero(shares >= MIN_SHARE):
                holders.setdefault(int(class_id), []).append(photo)
        others = holders.pop(OTHER, [])
        self.holders = dict(sorted(holders.items()))
        self.chances = [len(found) ** power for found in self.holders.values()]
        if others and self.holders:
            self.chances.append(min(len(others) ** POWER_OF_OTHER, sum(self.chances) * MOST_OF_OTHER))
            self.holders[OTHER] = others

    def draw(self, rng: random.Random) -> tuple[PackedPhoto, int | None]:
        """A photo, and the class to look at, if any."""
        if rng.random() >= self.share:
            return rng.choice(self.photos), None
        if not self.holders:  # nothing but "other"
            return rng.choice(self.photos), None
        class_id = rng.choices(list(self.holders), self.chances)[0]
        return rng.choice(self.holders[class_id]), class_id


def class_shares(targets: Targets, classes: int) -> NDArray[np.float64]:
    """float64 [classes]: each class's part of the photo's pixels, weighted."""
    counts = np.bincount(targets.ids.ravel(), targets.weight.ravel(), classes)[:classes]
    return counts / targets.ids.size


def _quality_for(samples: Sequence[Item], budget: int) -> int:
    tried = samples[::TRIED_ONE_IN]
    rest = sum(len(_target(s)) for s in tried)
    for quality in QUALITIES:
        if (sum(len(_photo(s, quality)) for s in tried) + rest) * len(samples) / len(tried) <= budget * 0.97:
            return quality
    raise UsageError(f"{len(samples)} photos do not fit into {budget / 1e6:g} MB; allow more megabytes")


def _opened(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


def _photo(item: Item, quality: int) -> bytes:
    buffer = io.BytesIO()
    _shrunk(item.image()).save(buffer, "AVIF", quality=quality, speed=8)
    return buffer.getvalue()


def _shrunk(image: Image.Image) -> Image.Image:
    scale = (MAX_AREA / (image.width * image.height)) ** 0.5
    if scale >= 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS)


def _target(item: Item) -> bytes:
    targets = item.targets()
    height, width = targets.ids.shape
    scale = 0.5 * min(1.0, (MAX_AREA / (height * width)) ** 0.5)
    ys, xs = (
        np.minimum(((np.arange(max(1, round(n * scale))) + 0.5) / scale).astype(int), n - 1)
        for n in (height, width)
    )
    weight = np.rint(np.rint(targets.weight[np.ix_(ys, xs)] * WEIGHT_STEPS) * (255 / WEIGHT_STEPS))
    both = np.stack([targets.ids[np.ix_(ys, xs)], weight.astype(np.uint8)], -1)
    buffer = io.BytesIO()
    Image.fromarray(both, "LA").save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
