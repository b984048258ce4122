"""``voc``: Pascal VOC's segmentations: palette PNGs of classes and of regions, boxes in XML, and the
``labelmap.txt`` by which tools know their colours.

::

    labelmap.txt                  name:r,g,b:: each class
    ImageSets/Segmentation/default.txt
    SegmentationClass/NAME.png    palette PNG of class numbers, 255 unknown
    SegmentationObject/NAME.png   palette PNG of region numbers, 255 for the 255th on
    Annotations/NAME.xml          each region's class and box, pixels from 1
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from dsslic_search.core.errors import FormatError
from dsslic_search.core.text import quoted
from dsslic_search.core.vocabulary import UNKNOWN
from dsslic_search.labels.pictures import Files, png, read, read_png, said
from dsslic_search.labels.png_pairs import palette_of
from dsslic_search.labels.scene import Images, LabelFiles, LabelledImage, Legend

_LABELMAP, _SET = "labelmap.txt", "ImageSets/Segmentation/default.txt"


class Writer:
    """Files of label maps, one after another, and those about all."""

    def __init__(self, legend: Legend) -> None:
        self._legend = legend
        self._names: list[str] = []

    def image(self, image: LabelledImage) -> Files:
        self._names.append(image.name)
        objects = np.minimum(image.numbers, UNKNOWN).astype(np.uint8)
        return [
            (f"SegmentationClass/{image.name}.png", png(image.labels, palette_of(self._legend))),
            (f"SegmentationObject/{image.name}.png", png(objects, _object_colours())),
            (f"Annotations/{image.name}.xml", self._annotation(image).encode("utf-8", "xmlcharrefreplace")),
        ]

    def _annotation(self, image: LabelledImage) -> str:
        lines = [
            "<annotation>",
            f"<filename>{escape(image.picture)}</filename>",
            f"<size><width>{image.width}</width><height>{image.height}</height><depth>3</depth></size>",
            "<segmented>1</segmented>",
        ]
        for r in image.regions:
            box = f"<xmin>{r.left + 1}</xmin><ymin>{r.top + 1}</ymin>"
            box += f"<xmax>{r.left + r.width}</xmax><ymax>{r.top + r.height}</ymax>"
            name = escape(self._legend.names[r.class_id])
            lines.append(f"<object><name>{name}</name><bndbox>{box}</bndbox></object>")
        return "\n".join([*lines, "</annotation>", ""])

    def end(self) -> Files:
        known = zip(self._legend.names, self._legend.colours, strict=True)
        lines = [f"{name}:{r},{g},{b}::" for name, (r, g, b) in known]
        listed = "\n".join(["# label:color_rgb:parts:actions", *lines, ""])
        return [(_LABELMAP, listed.encode()), (_SET, "\n".join([*self._names, ""]).encode("utf-8"))]


def _object_colours() -> bytes:
    """VOC's own palette: the bits of a number, from the lowest, go to the highest free bits of r, g and b."""
    colours = bytearray()
    for number in range(256):
        rgb = [0, 0, 0]
        for place in range(8):
            for channel in range(3):
                rgb[channel] |= (number >> 3 * place + channel & 1) << 7 - place
        colours += bytes(rgb)
    return bytes(colours)


def read_files(folder: Path, most: int) -> LabelFiles:
    """The label maps of a folder: palette PNGs by their numbers, PNGs of colours by ``labelmap.txt``."""
    names, colours = _labelmap(folder / _LABELMAP)

    def read_all() -> Iterator[LabelledImage]:
        for file in sorted((folder / "SegmentationClass").glob("*.png")):
            pixels = read_png(read(file), most, said(file))
            if pixels.ndim == 3:
                wide = pixels.astype(np.int32) @ np.array([65536, 256, 1], np.int32)
                labels = np.full(wide.shape, UNKNOWN, np.uint8)
                for number, (r, g, b) in enumerate(colours):
                    labels[wide == r << 16 | g << 8 | b] = number
            else:
                labels = pixels.astype(np.uint8)
            if np.any((labels >= len(names)) & (labels != UNKNOWN)):
                raise FormatError(f"{said(file)}: numbers that {_LABELMAP} does not name")
            yield LabelledImage(file.stem, _picture(folder, file.stem), labels)

    images = Images(read_all)
    return LabelFiles(names, images)


def _labelmap(file: Path) -> tuple[tuple[str, ...], list[tuple[int, int, int]]]:
    names: list[str] = []
    colours: list[tuple[int, int, int]] = []
    for line in read(file).decode("utf-8", "replace").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(":")
        parts = [part.strip() for part in rest.partition(":")[0].split(",")]
        if len(parts) != 3 or not all(p.isdecimal() and len(p) < 4 and int(p) < 256 for p in parts):
            raise FormatError(f"{said(file)}: {quoted(line)} is not a name, a colon, and r, g, b")
        names.append(name)
        colours.append((int(parts[0]), int(parts[1]), int(parts[2])))
    if not 0 < len(names) <= UNKNOWN:
        raise FormatError(f"{said(file)}: {len(names)} classes; there are 1 to {UNKNOWN}")
    return tuple(names), colours


def _picture(folder: Path, name: str) -> str:
    from xml.etree import ElementTree

    file = folder / "Annotations" / f"{name}.xml"
    if not file.is_file():
        return name
    data = read(file)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise FormatError(f"{said(file)}: an annotation has no entities of its own")
    try:
        return ElementTree.fromstring(data).findtext("filename") or name
    except (ElementTree.ParseError, LookupError, ValueError) as e:  # the last two: of unknown encodings
        raise FormatError(f"{said(file)}: not XML ({e})") from e
