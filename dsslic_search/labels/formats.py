"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol

from dsslic_search.core.errors import UsageError
from dsslic_search.core.text import closest, did_you_mean, quoted
from dsslic_search.labels import scene
from dsslic_search.labels.pictures import Files
from dsslic_search.labels.scene import LabelFiles, LabelledImage, Legend

_MODULES = {
    "png": "png_pairs",
    "coco": "coco",
    "coco-panoptic": "panoptic",
    "cityscapes": "cityscapes",
    "voc": "voc",
    "labelme": "labelme",
    "cvat": "cvat",
    "label-studio": "label_studio",
    "yolo": "yolo",
}
FORMATS = tuple(_MODULES)


class Writer(Protocol):
    """Makes the files of label maps, one map after another."""

    def image(self, image: LabelledImage) -> Files:
        """Those of one map."""

    def end(self) -> Files:
        """Those about all."""


def writer(name: str, legend: Legend) -> Writer:
    """For a format. UsageError where there is none of that name."""
    made: Writer = _module(name).Writer(legend)  # type: ignore[attr-defined]
    return made


def reader(name: str, most_pixels: int | None = None) -> Callable[[Path], LabelFiles]:
    """Of a format: takes a folder, or the file about all, and raises FormatError for what is no such file, or
    has a label map of more than ``most_pixels`` (without it `scene.MAX_PIXELS`), PhotoError where it cannot
    be read. UsageError where there is no format of that name."""
    most = scene.MAX_PIXELS if most_pixels is None else most_pixels
    read: Callable[[Path, int], LabelFiles] = _module(name).read_files  # type: ignore[attr-defined]
    return lambda path: read(path, most)


def _module(name: str) -> object:
    if name not in _MODULES:
        close = closest(name, FORMATS)
        hint = did_you_mean(close) if close else f"there are {', '.join(FORMATS)}"
        raise UsageError(f"no format of label maps is called {quoted(name)}: {hint}")
    return import_module(f"dsslic_search.labels.{_MODULES[name]}")
