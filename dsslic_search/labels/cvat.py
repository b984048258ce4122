"""``cvat``: annotations.xml as "CVAT for images 1.1" has it, each region a mask in run lengths. Polygons and
boxes are read as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from dsslic_search.core.errors import FormatError
from dsslic_search.core.text import quoted
from dsslic_search.core.vocabulary import hex_colour
from dsslic_search.labels.pictures import Files, corners, read, said
from dsslic_search.labels.scene import (
    Images,
    LabelFiles,
    LabelledImage,
    Legend,
    Mask,
    Names,
    check_size,
    empty,
    paint,
)
from dsslic_search.labels.shapes import fill, from_run_lengths, run_lengths

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

FILE = "annotations.xml"


class Writer:
    """One file about all label maps; kept as text until the end."""

    def __init__(self, legend: Legend) -> None:
        self._legend = legend
        self._images: list[str] = []

    def image(self, image: LabelledImage) -> Files:
        lines = [
            f'<image id="{len(self._images)}" name={quoteattr(image.picture)} '
            f'width="{image.width}" height="{image.height}">'
        ]
        for r in image.regions:
            runs = ", ".join(map(str, run_lengths(r.mask.ravel())))
            lines.append(
                f'<mask label={quoteattr(self._legend.names[r.class_id])} source="manual" occluded="0" '
                f'rle="{runs}" left="{r.left}" top="{r.top}" width="{r.width}" height="{r.height}" '
                'z_order="0"></mask>'
            )
        self._images.append("\n".join([*lines, "</image>"]))
        return []

    def end(self) -> Files:
        known = zip(self._legend.names, self._legend.colours, strict=True)
        labels = "".join(
            f"<label><name>{escape(name)}</name><color>{hex_colour(colour)}</color></label>"
            for name, colour in known
        )
        text = "\n".join(
            [
                '<?xml version="1.0" encoding="utf-8"?>',
                "<annotations>",
                "<version>1.1</version>",
                f"<meta><task><labels>{labels}</labels></task></meta>",
                *self._images,
                "</annotations>",
                "",
            ]
        )
        return [(FILE, text.encode("utf-8", "xmlcharrefreplace"))]


def read_files(path: Path, most: int) -> LabelFiles:
    """The label maps of a file, or of ``annotations.xml`` in a folder. Where shapes lie over each other,
    those of a higher z_order are seen, then later ones."""
    from xml.etree import ElementTree

    path = path / FILE if path.is_dir() else path
    data, where = read(path), said(path)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise FormatError(f"{where}: annotations have no entities of their own")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError, ValueError) as e:  # the last two: of unknown encodings
        raise FormatError(f"{where}: not XML ({e})") from e
    names = Names(where)

    def read_all() -> Iterator[LabelledImage]:
        for element in root.iter("image"):
            name = element.get("name", "")
            about = f"{where}, {quoted(name)}"
            size = _number(element, "width", about), _number(element, "height", about)
            labels = empty(*size, most, about)
            for shape in sorted(element, key=lambda each: _number(each, "z_order", about, 0)):
                if (found := _mask(shape, size, most, about)) is not None:
                    paint(labels, names.number(shape.get("label", "other")), *found)
            yield LabelledImage(Path(name).stem, name, labels)

    images = Images(read_all)
    return LabelFiles(names.all, images)


def _mask(shape: Element, size: tuple[int, int], most: int, where: str) -> tuple[int, int, Mask] | None:
    """Left, top and what is painted from there; None for shapes without an area."""
    match shape.tag:
        case "mask":
            width, height = _number(shape, "width", where), _number(shape, "height", where)
            check_size(width, height, most, where)
            flat = from_run_lengths(_numbers(shape.get("rle", ""), where), width * height, where)
            left, top = _number(shape, "left", where), _number(shape, "top", where)
            return left, top, flat.reshape(height, width)
        case "polygon":
            points = shape.get("points", "").replace(";", ",")
            return 0, 0, fill([corners(_decimals(points, where), where)], *size)
        case "box":
            sides = ",".join(shape.get(side, "") for side in ("xtl", "ytl", "xbr", "ybr"))
            (x0, y0), (x1, y1), *more = corners([*_decimals(sides, where), 0, 0], where)
            if len(more) > 1:
                raise FormatError(f"{where}: a box has four sides")
            return 0, 0, fill([[(x0, y0), (x1, y0), (x1, y1), (x0, y1)]], *size)
    return None


def _number(element: Element, name: str, where: str, default: int | None = None) -> int:
    text = element.get(name, "" if default is None else str(default))
    return _numbers(text, where)[0]


def _numbers(text: str, where: str) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError as e:
        raise FormatError(f"{where}: {quoted(text)} where whole numbers should be") from e
    if any(abs(number) > 2**40 for number in found):
        raise FormatError(f"{where}: numbers beyond any picture")
    return found


def _decimals(text: str, where: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as e:
        raise FormatError(f"{where}: {quoted(text)} where numbers should be") from e
