"""Who says what a photo shows where people do not: the interface, and the two that there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import UsageError

if TYPE_CHECKING:
    from dsslic_search.networks.segmenter import Segmenter

Taught = tuple[NDArray[np.uint8], NDArray[np.float32]]


class Teacher(Protocol):
    """Anything that labels photos for training."""

    def taught(self, image: Path, pixels: NDArray[np.uint8] | None = None) -> Taught:
        """Of the photo at ``image``: the class of each pixel, uint8 [H, W] of the class list in use, and how
        sure that is, float32 [H, W] in 0..1. ``pixels``: uint8 [H, W, 3], where they were read already, and
        perhaps made smaller; the answer is of their size."""


def teacher_named(name: str) -> Teacher | None:
    """The segmenter of that name (`networks.segmenter.open_segmenter`, also for what is raised) as a teacher;
    None for "none"."""
    if name == "none":
        return None
    from dsslic_search.networks.segmenter import open_segmenter

    return SegmenterTeacher(open_segmenter(name))


class FiledTeacher:
    """What a scene parser said, in files: ``teacher/<stem>.png`` and ``confidence/<stem>.png`` (× 255, at any
    size) beside the ``images`` folder that holds the photo."""

    def taught(self, image: Path, pixels: NDArray[np.uint8] | None = None) -> Taught:
        """UsageError where one of the files is not there, naming it."""
        from PIL import Image

        folder = image.parent.parent
        files = [folder / kind / f"{image.stem}.png" for kind in ("teacher", "confidence")]
        for file in files:
            if not file.is_file():
                raise UsageError(
                    f"{file}: missing, so nobody says what {image.name} shows; put the teacher's file there, "
                    "or take another teacher, such as segnet"
                )
        ids = np.array(Image.open(files[0]))
        sure = Image.open(files[1]).resize(ids.shape[::-1], Image.Resampling.BILINEAR)
        return ids, np.asarray(sure, np.float32) / np.float32(255)


class SegmenterTeacher:
    """A segmenter (`networks.segmenter`): SegNet, or any other."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter

    def taught(self, image: Path, pixels: NDArray[np.uint8] | None = None) -> Taught:
        """PhotoError where the photo cannot be read."""
        from dsslic_search.networks.segmenter import segmented
        from dsslic_search.training.own import read_photo

        photo = read_photo(image) if pixels is None else pixels
        labels, sure = segmented(self._segmenter, photo, (photo.shape[0], photo.shape[1]))
        meant = self._segmenter.dialect.meant(labels)
        return meant, np.ones(meant.shape, np.float32) if sure is None else sure
