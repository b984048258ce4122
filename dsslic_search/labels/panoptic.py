"""``coco-panoptic``: COCO's panoptic.json beside PNGs whose colours are region numbers: r + 256 g +
65536 b."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dsslic_search.core.errors import FormatError
from dsslic_search.core.text import quoted
from dsslic_search.labels.coco import box, categories
from dsslic_search.labels.pictures import Files, field, png, read, read_json, read_png, said, to_json
from dsslic_search.labels.scene import Images, LabelFiles, LabelledImage, Legend, Names, empty

FILE, FOLDER = "panoptic.json", "panoptic"


class Writer:
    """A PNG each label map, and one file about all."""

    def __init__(self, legend: Legend) -> None:
        self._legend = legend
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def image(self, image: LabelledImage) -> Files:
        number = len(self._images) + 1
        self._images.append(
            {"id": number, "file_name": image.picture, "width": image.width, "height": image.height}
        )
        segments = [
            {"id": r.number, "category_id": r.class_id, "area": r.area, "bbox": box(r), "iscrowd": 0}
            for r in image.regions
        ]
        self._annotations.append(
            {"image_id": number, "file_name": f"{image.name}.png", "segments_info": segments}
        )
        numbers = image.numbers
        pixels = np.stack([numbers & 255, numbers >> 8 & 255, numbers >> 16], -1).astype(np.uint8)
        return [(f"{FOLDER}/{image.name}.png", png(pixels))]

    def end(self) -> Files:
        known = [{**c, "isthing": 1} for c in categories(self._legend)]
        content = {"images": self._images, "annotations": self._annotations, "categories": known}
        return [(FILE, to_json(content))]


def read_files(path: Path, most: int) -> LabelFiles:
    """The label maps of a file whose PNGs lie in ``panoptic`` or in a folder of its own name beside it."""
    path = path / FILE if path.is_dir() else path
    content, where = read_json(path), said(path)
    folder = path.parent / FOLDER if (path.parent / FOLDER).is_dir() else path.with_suffix("")
    names = Names(where)
    category = {
        field(c, "id", int, where): names.number(field(c, "name", str, where))
        for c in field(content, "categories", list, where)
    }
    pictures = {
        field(i, "id", int, where): field(i, "file_name", str, where)
        for i in field(content, "images", list, where)
    }

    def read_all() -> Iterator[LabelledImage]:
        for annotation in field(content, "annotations", list, where):
            file = folder / Path(field(annotation, "file_name", str, where)).name
            pixels = read_png(read(file), most, said(file)).astype(np.int32)
            if pixels.ndim != 3:
                raise FormatError(f"{said(file)}: not a picture of colours")
            numbers = pixels[..., 0] | pixels[..., 1] << 8 | pixels[..., 2] << 16
            labels = empty(numbers.shape[1], numbers.shape[0], most, said(file))
            for segment in field(annotation, "segments_info", list, where):
                kind = field(segment, "category_id", int, where)
                if kind not in category:
                    raise FormatError(f"{where}: no category has the id {quoted(str(kind))}")
                labels[numbers == field(segment, "id", int, where)] = category[kind]
            image_id = field(annotation, "image_id", int, where)
            yield LabelledImage(file.stem, pictures.get(image_id, file.name), labels)

    images = Images(read_all)
    return LabelFiles(names.all, images)
