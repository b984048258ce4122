"""``cityscapes``: three PNGs each photo as the Cityscapes tools have them, with this vocabulary's numbers.

::

    legend.json                       as of "png"
    NAME_gtFine_labelIds.png          class numbers, 255 unknown
    NAME_gtFine_instanceIds.png       16 bit: 1000 × class + number of the region among its class's, from 0;
                                      the class alone for what is no class, and for the thousandth region on
    NAME_gtFine_color.png             the classes' colours
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dsslic_search.core.errors import FormatError
from dsslic_search.core.vocabulary import UNKNOWN
from dsslic_search.labels import png_pairs
from dsslic_search.labels.pictures import Files, field, png, read, read_json, read_png, said
from dsslic_search.labels.scene import Images, LabelFiles, LabelledImage

_LABELS, _INSTANCES, _COLOURS = (f"_gtFine_{kind}.png" for kind in ("labelIds", "instanceIds", "color"))
MOST_INSTANCES = 1000


class Writer(png_pairs.Writer):
    """Files of label maps, one after another, and the legend."""

    def image(self, image: LabelledImage) -> Files:
        super().image(image)
        instances = image.labels.astype(np.uint16)
        met = dict.fromkeys(range(len(self._legend.names)), 0)
        for region in image.regions:
            within = instances[
                region.top : region.top + region.height, region.left : region.left + region.width
            ]
            if met[region.class_id] < MOST_INSTANCES:
                within[region.mask] = region.class_id * MOST_INSTANCES + met[region.class_id]
            met[region.class_id] += 1
        table = np.frombuffer(png_pairs.palette_of(self._legend), np.uint8).reshape(256, 3)
        return [
            (image.name + _LABELS, png(image.labels)),
            (image.name + _INSTANCES, png(instances)),
            (image.name + _COLOURS, png(table[image.labels])),
        ]


def read_files(folder: Path, most: int) -> LabelFiles:
    """The label maps of a folder with its legend."""
    file = folder / png_pairs.LEGEND
    content, where = read_json(file), said(file)
    names = png_pairs.names_of(content, where)

    def read_all() -> Iterator[LabelledImage]:
        for entry in field(content, "images", list, where):
            name = field(entry, "name", str, where)
            file = folder / (Path(name).name + _LABELS)
            labels = read_png(read(file), most, said(file))
            if labels.ndim != 2 or np.any((labels >= len(names)) & (labels != UNKNOWN)):
                raise FormatError(f"{said(file)}: not a picture of numbers that {png_pairs.LEGEND} names")
            yield LabelledImage(name, field(entry, "picture", str, where), labels.astype(np.uint8))

    images = Images(read_all)
    return LabelFiles(names, images)
