"""``yolo``: a text file of polygons each photo as Ultralytics' segmentation takes them, and data.yaml.

::

    data.yaml          names of the classes by number
    labels/NAME.txt    a region a line: class number, then x and y of each corner as shares of the sides

Region numbers are those of lines. Sizes are not in these files: `sizes.json` has them, for reading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from dsslic_search.core.errors import FormatError
from dsslic_search.core.text import quoted
from dsslic_search.labels.pictures import Files, corners, field, read, read_json, said, to_json
from dsslic_search.labels.scene import Images, LabelFiles, LabelledImage, Legend, Names, empty, paint
from dsslic_search.labels.shapes import fill, one_ring, rings

_DATA, _SIZES = "data.yaml", "sizes.json"


class Writer:
    """A file each label map, and those about all. Class 0, "other", keeps its number."""

    def __init__(self, legend: Legend) -> None:
        self._legend = legend
        self._sizes: list[dict[str, str | int]] = []

    def image(self, image: LabelledImage) -> Files:
        self._sizes.append(
            {"name": image.name, "picture": image.picture, "width": image.width, "height": image.height}
        )
        lines = []
        for r in image.regions:
            ring = one_ring(rings(r.mask))
            shares = [f"{(x + r.left) / image.width:.8g} {(y + r.top) / image.height:.8g}" for x, y in ring]
            lines.append(f"{r.class_id} {' '.join(shares)}\n")
        return [(f"labels/{image.name}.txt", "".join(lines).encode())]

    def end(self) -> Files:
        names = "".join(f"  {i}: {json.dumps(name)}\n" for i, name in enumerate(self._legend.names))
        return [(_DATA, f"names:\n{names}".encode()), (_SIZES, to_json(self._sizes))]


def read_files(folder: Path, most: int) -> LabelFiles:
    """The label maps of a folder: ``labels/*.txt`` of which ``sizes.json`` tells the pixels. FormatError
    where it does not."""
    by_number = _class_names(folder / _DATA)
    names = Names(said(folder / _DATA))
    content, where = read_json(folder / _SIZES), said(folder / _SIZES)

    def read_all() -> Iterator[LabelledImage]:
        for entry in content if isinstance(content, list) else ():
            name = field(entry, "name", str, where)
            width, height = field(entry, "width", int, where), field(entry, "height", int, where)
            labels = empty(width, height, most, where)
            file = folder / "labels" / f"{Path(name).name}.txt"
            for line in read(file).decode("ascii", "replace").splitlines():
                number, *shares = line.split() or [""]
                if number not in by_number:
                    raise FormatError(f"{said(file)}: {_DATA} names no class {quoted(number)}")
                try:
                    flat = [float(share) for share in shares]
                except ValueError as e:
                    raise FormatError(f"{said(file)}: not a class number and shares of sides") from e
                ring = [(x * width, y * height) for x, y in corners(flat, said(file))]
                paint(labels, names.number(by_number[number]), 0, 0, fill([ring], width, height))
            yield LabelledImage(name, field(entry, "picture", str, where), labels)

    images = Images(read_all)
    return LabelFiles(names.all, images)


def _class_names(file: Path) -> dict[str, str]:
    """By number, out of the one list of data.yaml that is needed, so that no reader of YAML is."""
    found: dict[str, str] = {}
    within = False
    for line in read(file).decode("utf-8", "replace").splitlines():
        if not line.startswith((" ", "-")):
            within = line.strip() == "names:"
            continue
        text = line.strip()
        if within and text.startswith("- "):
            found[str(len(found))] = text[2:].strip().strip("\"'")
        elif within and ":" in text:
            number, _, name = text.partition(":")
            found[number.strip()] = name.strip().strip("\"'")
    if not found:
        raise FormatError(f"{said(file)}: no list of names")
    return found
