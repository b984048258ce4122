"""One file that carries a training set: photos at the working resolution and what their pixels should be
called.

A zip archive with ``pack.json`` (the class list's identity, and of each photo its name, its part and whether
people labelled it) and, by number, ``photos/<n>.avif`` and ``targets/<n>.png``: two channels of 8 bits at
half the photo's size, class id and weight × 255.
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import Outputs
from dsslic_search.training.dataset import Part, Sample, photos_of
from dsslic_search.training.targets import Targets, load_targets

MAX_AREA = 448 * 352  # pixels of a packed photo: those that SegNet works at
WEIGHT_STEPS = 3  # that a pixel's weight is kept in: finer ones cost bytes and teach nothing
QUALITIES = (80, 70, 65, 60, 55, 50, 45, 40, 35)  # of AVIF, tried from the best
TRIED_ONE_IN = 16  # photos that the quality is chosen on
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


def pack(data: Path, out: Path, budget: int, outputs: Outputs | None = None) -> str:
    """Write the training and the calibration part of the data folder to ``out``, at the best quality that
    keeps it within ``budget`` bytes; returns what was written, in words. UsageError when no quality does, or
    when there are no photos."""
    samples = [(part, s) for part in ("training", "calibration") for s in photos_of(data, part)]
    if not samples:
        raise UsageError(f"{data}: no photos found; expected scenes/<set>, photos/<set> and codec/<set>")
    quality = _quality_for([s for _, s in samples], budget)
    rows, buffer = [], io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for number, (part, sample) in enumerate(samples):
            archive.writestr(f"photos/{number}.avif", _photo(sample, quality))
            archive.writestr(f"targets/{number}.png", _target(sample))
            name = "/".join([*sample.image.parts[-4:-2], sample.image.stem])
            rows.append({"name": name, "part": part, "labelled": sample.labels is not None})
        listed = {"classes": vocabulary.default().identity, "photos": rows}
        archive.writestr("pack.json", json.dumps(listed))
    (outputs or Outputs()).write(out, buffer.getvalue())
    return f"{len(rows)} photos, AVIF {quality}, {buffer.tell() / 1e6:.1f} MB"


def read_pack(path: Path) -> list[PackedPhoto]:
    """What :func:`pack` wrote, in memory. UsageError for anything else, or for another class list."""
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
    except OSError as e:
        raise UsageError(f"{path}: cannot be read ({e.strerror}); check the path") from e
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError) as e:
        raise UsageError(f"{path}: not a packed training set; pack the data folder anew") from e
    if listed["classes"] != vocabulary.default().identity:
        raise UsageError(f"{path}: packed with another class list; pack it again from the data folder")
    return photos


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
        self.holders = {c: found for c, found in sorted(holders.items()) if c != 0}
        self.chances = [len(found) ** power for found in self.holders.values()]

    def draw(self, rng: random.Random) -> tuple[PackedPhoto, int | None]:
        """A photo, and the class to look at, if any."""
        if rng.random() >= self.share:
            return rng.choice(self.photos), None
        class_id = rng.choices(list(self.holders), self.chances)[0]
        return rng.choice(self.holders[class_id]), class_id


def class_shares(targets: Targets, classes: int) -> NDArray[np.float64]:
    """float64 [classes]: each class's part of the photo's pixels, weighted."""
    counts = np.bincount(targets.ids.ravel(), targets.weight.ravel(), classes)[:classes]
    return counts / targets.ids.size


def _quality_for(samples: list[Sample], budget: int) -> int:
    tried = samples[::TRIED_ONE_IN]
    rest = sum(len(_target(s)) for s in tried)
    for quality in QUALITIES:
        if (sum(len(_photo(s, quality)) for s in tried) + rest) * len(samples) / len(tried) <= budget * 0.97:
            return quality
    raise UsageError(f"{len(samples)} photos do not fit into {budget / 1e6:g} MB; allow more megabytes")


def _photo(sample: Sample, quality: int) -> bytes:
    buffer = io.BytesIO()
    _shrunk(Image.open(sample.image).convert("RGB")).save(buffer, "AVIF", quality=quality, speed=8)
    return buffer.getvalue()


def _shrunk(image: Image.Image) -> Image.Image:
    scale = (MAX_AREA / (image.width * image.height)) ** 0.5
    if scale >= 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS)


def _target(sample: Sample) -> bytes:
    targets = load_targets(sample)
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
