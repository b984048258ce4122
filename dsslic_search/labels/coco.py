"""``coco``: COCO's instances.json, each region a mask in uncompressed run lengths, which tell it to the pixel
(column by column, as COCO has them). Polygons are read as well, and compressed run lengths."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dsslic_search.core.errors import FormatError
from dsslic_search.core.text import quoted
from dsslic_search.labels.pictures import Files, corners, field, read_json, said
from dsslic_search.labels.scene import (
    Images,
    LabelFiles,
    LabelledImage,
    Legend,
    Mask,
    Names,
    Region,
    empty,
    paint,
)
from dsslic_search.labels.shapes import fill, from_run_lengths, run_lengths

FILE = "instances.json"


def box(region: Region) -> list[int]:
    """COCO's "bbox": left, top, width, height."""
    return [region.left, region.top, region.width, region.height]


def categories(legend: Legend) -> list[dict[str, Any]]:
    """COCO's "categories"; "other" is none."""
    return [{"id": i, "name": name, "supercategory": ""} for i, name in enumerate(legend.names) if i]


class Writer:
    """One file about all label maps. Annotations are kept as text until the end."""

    def __init__(self, legend: Legend) -> None:
        self._legend = legend
        self._images: list[dict[str, Any]] = []
        self._annotations: list[str] = []

    def image(self, image: LabelledImage) -> Files:
        number = len(self._images) + 1
        self._images.append(
            {"id": number, "file_name": image.picture, "width": image.width, "height": image.height}
        )
        whole = np.zeros((image.height, image.width), bool)
        for region in image.regions:
            within = whole[region.top : region.top + region.height, region.left : region.left + region.width]
            within[region.mask] = True
            annotation = {
                "id": len(self._annotations) + 1,
                "image_id": number,
                "category_id": region.class_id,
                "segmentation": {
                    "size": [image.height, image.width],
                    "counts": run_lengths(whole.ravel(order="F")),
                },
                "area": region.area,
                "bbox": box(region),
                "iscrowd": 0,
            }
            self._annotations.append(json.dumps(annotation, separators=(",", ":")))
            within[region.mask] = False
        return []

    def end(self) -> Files:
        head = json.dumps(
            {"images": self._images, "categories": categories(self._legend)}, ensure_ascii=False
        )
        body = ",\n".join(self._annotations)
        text = head[:-1] + ', "annotations": [\n' + body + "\n]}\n"
        return [(FILE, text.encode("utf-8", "backslashreplace"))]


def read_files(path: Path, most: int) -> LabelFiles:
    """The label maps of a file, or of ``instances.json`` in a folder. Where regions lie over each other the
    smaller one is seen."""
    path = path / FILE if path.is_dir() else path
    content, where = read_json(path), said(path)
    names = Names(where)
    category = {
        field(c, "id", int, where): names.number(field(c, "name", str, where))
        for c in field(content, "categories", list, where)
    }
    of_image: dict[int, list[dict[str, Any]]] = {}
    for annotation in field(content, "annotations", list, where):
        of_image.setdefault(field(annotation, "image_id", int, where), []).append(annotation)

    def read_all() -> Iterator[LabelledImage]:
        for entry in field(content, "images", list, where):
            name = field(entry, "file_name", str, where)
            about = f"{where}, {quoted(name)}"
            labels = empty(field(entry, "width", int, about), field(entry, "height", int, about), most, about)
            regions = []  # not their masks, each of which is as large as the picture
            for annotation in of_image.get(field(entry, "id", int, about), ()):
                number = field(annotation, "category_id", int, about)
                if number not in category:
                    raise FormatError(f"{about}: no category has the id {quoted(str(number))}")
                mask = _mask(annotation.get("segmentation"), labels.shape, about)
                regions.append((np.count_nonzero(mask), number, annotation["segmentation"]))
            for _, number, segmentation in sorted(regions, key=lambda each: -each[0]):
                paint(labels, category[number], 0, 0, _mask(segmentation, labels.shape, about))
            yield LabelledImage(Path(name).stem, name, labels)

    images = Images(read_all)
    return LabelFiles(names.all, images)


def _mask(said_as: Any, shape: tuple[int, ...], where: str) -> Mask:
    height, width = shape
    if isinstance(said_as, list):
        return fill([corners(ring, where) for ring in said_as if isinstance(ring, list)], width, height)
    size, counts = field(said_as, "size", list, where), field(said_as, "counts", (list, str), where)
    if size != [height, width]:
        raise FormatError(f"{where}: a mask of another size than its picture")
    lengths = _lengths(counts, where) if isinstance(counts, str) else counts
    if not all(type(n) is int for n in lengths):
        raise FormatError(f"{where}: run lengths are whole numbers")
    return from_run_lengths(lengths, width * height, where).reshape(width, height).T


def _lengths(text: str, where: str) -> list[int]:
    """Run lengths in COCO's compressed form: five bits a character from 48 on, the sixth says that more
    follow; from the fourth on, differences to the length two before."""
    lengths: list[int] = []
    at = 0
    while at < len(text):
        value, shift = 0, 0
        while True:
            if at >= len(text) or not 48 <= ord(text[at]) < 112 or shift > 30:
                raise FormatError(f"{where}: compressed run lengths that are none")
            part = ord(text[at]) - 48
            value |= (part & 31) << shift
            at, shift = at + 1, shift + 5
            if not part & 32:
                if part & 16:
                    value -= 1 << shift
                break
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
    return lengths
