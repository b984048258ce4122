"""``labelme``: a JSON file each photo as Labelme writes it, each region a mask in a box. Polygons and
rectangles are read as well."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dsslic_search.core.errors import FormatError, PhotoError
from dsslic_search.core.text import quoted
from dsslic_search.labels.pictures import Files, corners, field, png, read_json, read_png, said, to_json
from dsslic_search.labels.scene import Images, LabelFiles, LabelledImage, Legend, Mask, Names, empty, paint
from dsslic_search.labels.shapes import fill

VERSION = "5.5.0"  # of the program whose files these are like


class Writer:
    """A file each label map."""

    def __init__(self, legend: Legend) -> None:
        self._legend = legend

    def image(self, image: LabelledImage) -> Files:
        shapes = [
            {
                "label": self._legend.names[r.class_id],
                "points": [[r.left, r.top], [r.left + r.width - 1, r.top + r.height - 1]],
                "group_id": r.number,
                "description": "",
                "shape_type": "mask",
                "flags": {},
                "mask": base64.b64encode(png(r.mask)).decode(),
            }
            for r in image.regions
        ]
        content: dict[str, Any] = {
            "version": VERSION,
            "flags": {},
            "shapes": shapes,
            "imagePath": image.picture,
            "imageData": None,
            "imageHeight": image.height,
            "imageWidth": image.width,
        }
        return [(f"{image.name}.json", to_json(content))]

    def end(self) -> Files:
        return []


def read_files(folder: Path, most: int) -> LabelFiles:
    """The label maps of all JSON files of a folder that are Labelme's."""
    names = Names(said(folder))
    if not folder.is_dir():
        raise PhotoError(f"{said(folder)}: not a folder; there is a file each photo in one")

    def read_all() -> Iterator[LabelledImage]:
        for file in sorted(folder.glob("*.json")):
            content, where = read_json(file), said(file)
            if not isinstance(content, dict) or "shapes" not in content:
                continue
            size = field(content, "imageWidth", int, where), field(content, "imageHeight", int, where)
            labels = empty(*size, most, where)
            for shape in field(content, "shapes", list, where):
                number = names.number(field(shape, "label", str, where))
                paint(labels, number, *_mask(shape, size, most, where))
            yield LabelledImage(file.stem, field(content, "imagePath", str, where), labels)

    images = Images(read_all)
    return LabelFiles(names.all, images)


def _mask(shape: dict[str, Any], size: tuple[int, int], most: int, where: str) -> tuple[int, int, Mask]:
    """Left, top, and what is painted from there."""
    points = field(shape, "points", list, where)
    if not all(isinstance(p, list) and len(p) == 2 for p in points):
        raise FormatError(f"{where}: points are pairs of numbers")
    flat = [n for point in points for n in point]
    match shape.get("shape_type", "polygon"):
        case "mask":
            try:
                data = base64.b64decode(field(shape, "mask", str, where), validate=True)
            except ValueError as e:
                raise FormatError(f"{where}: a mask that is not base64") from e
            mask = read_png(data, most, where)
            if mask.ndim != 2 or len(flat) != 4 or not all(isinstance(n, (int, float)) for n in flat):
                raise FormatError(f"{where}: a mask takes a grey picture and two corners")
            if not all(abs(n) <= 1e9 for n in flat):
                raise FormatError(f"{where}: a mask beyond any picture")
            return round(flat[0]), round(flat[1]), np.asarray(mask != 0)
        case "rectangle" if len(flat) == 4:
            x0, y0, x1, y1 = flat
            flat = [x0, y0, x1, y0, x1, y1, x0, y1]
        case "polygon":
            pass
        case kind:
            raise FormatError(f"{where}: a shape of kind {quoted(str(kind))} has no area")
    return 0, 0, fill([corners(flat, where)], *size)
