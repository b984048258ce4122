"""Photos of one's own: a folder of them, wherever they lie below it, alone or with label maps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core import naming
from dsslic_search.core.errors import PhotoError, UsageError
from dsslic_search.core.settings import Settings
from dsslic_search.core.text import quoted
from dsslic_search.core.vocabulary import OTHER, UNKNOWN, Vocabulary, built_in
from dsslic_search.labels.scene import LabelFiles, LabelledImage

SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"),
    *(".heic", ".heif", ".avif", ".jxl", ".jp2"),
)
MOST_PIXELS = 1 << 20
"""Of a photo in training: larger ones are reduced, which takes the traces of their JPEG away too."""
HELD_OUT_ONE_PHOTO_IN = 10
LIKE_SHAPE = 0.02  # by which the proportions of a label map may differ from its photo's

Pixels = NDArray[np.uint8]


def photos_below(folder: Path) -> list[Path]:
    """The photos in a folder and all below it, in order. UsageError where there is none."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder; name one that holds photos")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise UsageError(f"{folder}: no photos in there or below; they end in {', '.join(SUFFIXES)}")
    return found


def read_photo(path: Path) -> Pixels:
    """A photo as it is encoded, upright sRGB, uint8 [H, W, 3], of at most MOST_PIXELS. PhotoError where it
    cannot be read."""
    from PIL import Image

    from dsslic_search.codec.picture.open import open_photo

    try:
        data = path.read_bytes()
    except OSError as e:
        raise PhotoError(f"{path}: cannot be read ({e.strerror})") from e
    pixels = open_photo(data, str(path), Settings().max_pixels).pixels
    scale = (MOST_PIXELS / (pixels.shape[0] * pixels.shape[1])) ** 0.5
    if scale >= 1:
        return pixels
    size = max(1, int(pixels.shape[1] * scale)), max(1, int(pixels.shape[0] * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))


def readable(paths: Sequence[Path]) -> Iterator[tuple[Path, Pixels]]:
    """The photos that can be read, and of each its pixels; for the others a line is printed. PhotoError, that
    of the first, where none can."""
    first: PhotoError | None = None
    some = False
    for path in paths:
        try:
            pixels = read_photo(path)
        except PhotoError as e:
            first = first or e
            print(f"left out: {e}", flush=True)
            continue
        some = True
        yield path, pixels
    if not some and first is not None:
        raise first


def is_held_out(name: str) -> bool:
    """Whether a photo is kept from training, to see how a network does on what it does not know."""
    return hashlib.sha256(name.encode()).digest()[1] % HELD_OUT_ONE_PHOTO_IN == 0


@dataclass(frozen=True)
class OwnPhoto:
    """``labels``: by people, uint8 [h, w] of any size, in the class list of the training, UNKNOWN where
    nobody knows; None where nobody labelled the photo."""

    name: str
    path: Path
    labels: NDArray[np.uint8] | None


def labelled_photos(folder: Path, labels: LabelFiles, classes: Vocabulary) -> list[OwnPhoto]:
    """The photos of a folder, with the label maps that are theirs: of pictures at the same path, or of the
    same name. Their classes are understood by name (`core.naming`); those that mean nothing in the shipped
    list are "other". UsageError that names the first thing that does not fit: a label map without a photo, or
    with two, and a class that a list of one's own does not have."""
    table = _numbers(labels, classes)
    maps: dict[Path, LabelledImage] = {}
    photos = photos_below(folder)
    for image in labels.images:
        path = _photo_of(image, photos, folder)
        if path in maps:
            raise UsageError(f"{path}: two label maps are of it, {maps[path].name} and {image.name}")
        maps[path] = image
    if not maps:
        raise UsageError(f"{folder}: there is not one label map for its photos")
    return [
        OwnPhoto(
            path.relative_to(folder).as_posix(), path, table[maps[path].labels] if path in maps else None
        )
        for path in photos
    ]


def fitted(labels: NDArray[np.uint8], pixels: Pixels, name: str) -> NDArray[np.uint8]:
    """A label map at the size of its photo's pixels, each by the label at its middle. UsageError where it is
    of another shape."""
    height, width = pixels.shape[:2]
    shape = (labels.shape[1] / labels.shape[0]) / (width / height)
    slack = LIKE_SHAPE + 1 / min(*labels.shape, height, width)
    if not 1 - slack <= shape <= 1 + slack:
        raise UsageError(
            f"{name}: its label map of {labels.shape[1]} × {labels.shape[0]} is of another shape than the "
            f"photo, {width} × {height} in training; is it turned, or that of another photo?"
        )
    rows, columns = (
        (2 * np.arange(to) + 1) * of // (2 * to) for to, of in zip((height, width), labels.shape, strict=True)
    )
    return labels[np.ix_(rows, columns)]


def _numbers(labels: LabelFiles, classes: Vocabulary) -> NDArray[np.uint8]:
    """The class of each number of the label maps, uint8 [256]."""
    table, strange = np.full(256, UNKNOWN, np.uint8), []
    used = {int(number) for image in labels.images for number in np.unique(image.labels)}
    for number, name in enumerate(labels.names):
        meant = naming.class_named(name, classes)
        if meant.how == "unknown" and number in used and naming.normal(name) != classes.classes[OTHER].name:
            strange.append(quoted(name))
        table[number] = meant.class_id
    if strange and classes.identity != built_in().identity:
        raise UsageError(
            f"the label maps have a class {strange[0]} that the class list {quoted(classes.name)} has not, "
            "under no name and no synonym; add it there"
        )
    if strange:
        print(f"of no class here, so they are other: {', '.join(strange)}", flush=True)
    return table


def _photo_of(image: LabelledImage, photos: Sequence[Path], folder: Path) -> Path:
    """The photo that a label map is of."""
    wanted = Path(image.picture or image.name)
    same = [path for path in photos if path == wanted or path.relative_to(folder) == wanted]
    same = same or [path for path in photos if path.name == wanted.name]
    same = same or [path for path in photos if path.stem == Path(image.name).stem]
    if len(same) != 1:
        found = f"{len(same)} photos have that name, {same[0]} first" if same else "no photo has that name"
        raise UsageError(f"{image.picture or image.name}: labelled, but in {folder} {found}")
    return same[0]
