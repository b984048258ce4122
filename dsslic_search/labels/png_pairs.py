"""``png``: a palette PNG of class numbers and a 16-bit PNG of region numbers each photo, and a legend.

::

    legend.json            {"classes": [{"id", "name", "colour"}…], "images": [{"name", "picture"}…]}
    labels/NAME.png        class numbers, 255 unknown
    regions/NAME.png       region numbers from 1, 0 for what is no class
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dsslic_search.core.errors import FormatError
from dsslic_search.core.text import quoted
from dsslic_search.core.vocabulary import UNKNOWN, hex_colour
from dsslic_search.labels.pictures import Files, field, png, read, read_json, read_png, said, to_json
from dsslic_search.labels.scene import Images, LabelFiles, LabelledImage, Legend

LEGEND = "legend.json"


def palette_of(legend: Legend) -> bytes:
    """768 bytes, r g b of each number; numbers without a class are white."""
    colours = b"".join(map(bytes, legend.colours))
    return colours + b"\xff" * (768 - len(colours))


class Writer:
    """Files of label maps, one after another, and at the end those about all of them."""

    def __init__(self, legend: Legend) -> None:
        self._legend = legend
        self._images: list[dict[str, str]] = []

    def image(self, image: LabelledImage) -> Files:
        """Those of one map."""
        self._images.append({"name": image.name, "picture": image.picture})
        numbers = png(np.minimum(image.numbers, 65535).astype(np.uint16))
        return [
            (f"labels/{image.name}.png", png(image.labels, palette_of(self._legend))),
            (f"regions/{image.name}.png", numbers),
        ]

    def end(self) -> Files:
        """Those about all."""
        known = enumerate(zip(self._legend.names, self._legend.colours, strict=True))
        classes = [{"id": i, "name": name, "colour": hex_colour(colour)} for i, (name, colour) in known]
        return [(LEGEND, to_json({"classes": classes, "images": self._images}))]


def read_files(folder: Path, most: int) -> LabelFiles:
    """What `Writer` wrote, or others in its way; regions are those that classes make."""
    content = read_json(folder / LEGEND)
    where = said(folder / LEGEND)
    names = names_of(content, where)
    pictures = {
        field(entry, "name", str, where): field(entry, "picture", str, where)
        for entry in field(content, "images", list, where)
    }

    def read_all() -> Iterator[LabelledImage]:
        for name, picture in pictures.items():
            file = folder / "labels" / f"{Path(name).name}.png"
            labels = read_png(read(file), most, said(file))
            if labels.ndim != 2 or np.any((labels >= len(names)) & (labels != UNKNOWN)):
                raise FormatError(f"{said(file)}: not a picture of numbers that {LEGEND} names")
            yield LabelledImage(name, picture, labels.astype(np.uint8))

    images = Images(read_all)
    return LabelFiles(names, images)


def names_of(content: Any, where: str) -> tuple[str, ...]:
    """The names of classes by number, numbers without one "other". FormatError where numbers are no class
    numbers."""
    named = {}
    for entry in field(content, "classes", list, where):
        number = field(entry, "id", int, where)
        if not 0 <= number < UNKNOWN:
            raise FormatError(
                f"{where}: {quoted(str(number))} is no number of a class; they go from 0 to {UNKNOWN - 1}"
            )
        named[number] = field(entry, "name", str, where)
    return tuple(named.get(number, "other") for number in range(max(named, default=0) + 1))
