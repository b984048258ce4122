"""One's own photos as a packed training set for SegNet: those of a folder with label maps in any format of
`labels.formats`, or those of an archive that people labelled there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import Outputs
from dsslic_search.core.vocabulary import OTHER, UNKNOWN, Vocabulary
from dsslic_search.query.language.lexicon import word_table
from dsslic_search.training.dataset import Part
from dsslic_search.training.own import OwnPhoto, fitted, is_held_out, labelled_photos, read_photo
from dsslic_search.training.pack import Item, write_pack
from dsslic_search.training.targets import Targets

if TYPE_CHECKING:
    from dsslic_search.api import Archive
    from dsslic_search.labels.scene import LabelFiles
    from dsslic_search.training.teacher import Teacher

SILENT_WEIGHT = np.float32(0.5)
"""Of what a teacher says in photos that people labelled and left blank there."""


def read_labels(path: Path, form: str) -> LabelFiles:
    """Label maps in one of `labels.formats.FORMATS`. UsageError for another, and where there is nothing;
    FormatError and PhotoError for files that are none."""
    from dsslic_search.labels.formats import reader

    read = reader(form)
    if not path.exists():
        raise UsageError(f"{path}: there is nothing there; name the folder, or the file, of label maps")
    return read(path)


def read_classes(path: Path | None) -> Vocabulary:
    """A class list of one's own; without one that in use. UsageError that says what is wrong with it."""
    if path is None:
        return vocabulary.default()
    own = vocabulary.read_own(path)
    word_table(own)
    return own


def pack_folder(
    folder: Path,
    labels: LabelFiles,
    classes: Vocabulary,
    out: Path,
    budget: int,
    *,
    teacher: Teacher | None = None,
    outputs: Outputs | None = None,
) -> str:
    """Write a folder's photos with their label maps to ``out``, in at most ``budget`` bytes; returns what was
    written, in words. ``teacher`` says what people left blank, and what photos without a label map show;
    without one these are left out. UsageError that names the first thing that is not as expected."""
    photos = [
        photo
        for photo in labelled_photos(folder, labels, classes)
        if photo.labels is not None or teacher is not None
    ]
    for photo in photos:
        if photo.labels is not None:  # before the long work
            fitted(photo.labels, read_photo(photo.path), str(photo.path))
    held = _held_out([photo.name for photo in photos if photo.labels is not None])
    items = [
        Item(
            f"own/{photo.name}",
            _part(photo.name, held),
            photo.labels is not None,
            partial(_image, photo.path),
            partial(_targets, photo, teacher),
        )
        for photo in photos
    ]
    return write_pack(items, out, budget, outputs, classes)


def pack_archive(archive: Archive, out: Path, budget: int, *, outputs: Outputs | None = None) -> str:
    """The same of the photos of an archive that people labelled (`Archive.import_labels`), in its classes.
    UsageError where there are none."""
    ids = archive.labelled()
    if not ids:
        raise UsageError(
            f"{archive.folder.root}: no photo here has a label map by people, so there is nothing to learn "
            "from; import some first"
        )
    held = _held_out([str(photo_id) for photo_id in ids])
    items = [
        Item(
            f"archive/{photo_id}",
            _part(str(photo_id), held),
            True,
            partial(_shown, archive, photo_id),
            partial(_labelled, archive, photo_id),
        )
        for photo_id in ids
    ]
    return write_pack(items, out, budget, outputs, archive.vocabulary)


def _held_out(names: Sequence[str]) -> frozenset[str]:
    """Those that training does not see; never all of them."""
    held = frozenset(filter(is_held_out, names))
    return frozenset() if len(held) == len(names) else held


def _part(name: str, held: frozenset[str]) -> Part:
    return "calibration" if name in held else "training"


def _image(path: Path) -> Image.Image:
    return Image.fromarray(read_photo(path))


def _targets(photo: OwnPhoto, teacher: Teacher | None) -> Targets:
    pixels = read_photo(photo.path)
    ids = np.full(pixels.shape[:2], OTHER, np.uint8)
    weight = np.zeros(pixels.shape[:2], np.float32)
    if teacher is not None:
        ids, sure = teacher.taught(photo.path, pixels)
        weight = np.square(sure)
    if photo.labels is None:
        return Targets(ids, weight)
    human = fitted(photo.labels, pixels, str(photo.path))
    known = human != UNKNOWN
    return Targets(np.where(known, human, ids), np.where(known, np.float32(1), SILENT_WEIGHT * weight))


def _shown(archive: Archive, photo_id: int) -> Image.Image:
    return archive.preview(photo_id).image.convert("RGB")


def _labelled(archive: Archive, photo_id: int) -> Targets:
    """At twice the size of the map, as packs are at half that of their photos."""
    ids = archive.label_map(photo_id).repeat(2, 0).repeat(2, 1)
    return Targets(ids, np.ones(ids.shape, np.float32))
