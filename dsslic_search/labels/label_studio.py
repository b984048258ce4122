"""``label-studio``: tasks.json for Label Studio, each region a brush mask in its own run lengths. Polygons
are read as well.

A brush mask is the picture's r, g, b, a in turn, written as a stream of bits: 32 for the number of values, 5
for the bits of a value less one, four times 4 for the bits of a length less one; then runs: a bit (1: one
value repeated, 0: values as they are), 2 bits for which length's bits, the length less one, and the value or
the values. The last byte is filled up with zeros."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import FormatError
from dsslic_search.core.text import quoted
from dsslic_search.labels.pictures import Files, corners, field, read_json, said, to_json
from dsslic_search.labels.scene import Images, LabelFiles, LabelledImage, Legend, Mask, Names, empty, paint
from dsslic_search.labels.shapes import fill

FILE = "tasks.json"
_LENGTH_BITS = (3, 7, 12, 16)
_VALUE_BITS = 8


class Writer:
    """One file about all label maps."""

    def __init__(self, legend: Legend) -> None:
        self._legend = legend
        self._tasks: list[dict[str, Any]] = []

    def image(self, image: LabelledImage) -> Files:
        whole = np.zeros((image.height, image.width), bool)
        result = []
        for r in image.regions:
            within = whole[r.top : r.top + r.height, r.left : r.left + r.width]
            within[r.mask] = True
            result.append(
                {
                    "id": f"region-{r.number}",
                    "type": "brushlabels",
                    "from_name": "tag",
                    "to_name": "image",
                    "original_width": image.width,
                    "original_height": image.height,
                    "image_rotation": 0,
                    "value": {
                        "format": "rle",
                        "rle": write_brush(whole),
                        "brushlabels": [self._legend.names[r.class_id]],
                    },
                }
            )
            within[r.mask] = False
        self._tasks.append({"data": {"image": image.picture}, "annotations": [{"result": result}]})
        return []

    def end(self) -> Files:
        return [(FILE, to_json(self._tasks))]


def read_files(path: Path, most: int) -> LabelFiles:
    """The label maps of a file of tasks, or of ``tasks.json`` in a folder: of each task the last annotation,
    else the last prediction."""
    path = path / FILE if path.is_dir() else path
    content, where = read_json(path), said(path)
    if not isinstance(content, list):
        raise FormatError(f"{where}: not a list of tasks")
    names = Names(where)

    def read_all() -> Iterator[LabelledImage]:
        for task in content:
            data = field(task, "data", dict, where)
            name = next((value for value in data.values() if isinstance(value, str)), "")
            about = f"{where}, {quoted(name)}"
            made = task.get("annotations") or task.get("predictions") or []
            result = field(made[-1], "result", list, about) if isinstance(made, list) and made else []
            shapes = [r for r in result if isinstance(r, dict) and "original_width" in r]
            if not shapes:
                continue
            size = (
                field(shapes[0], "original_width", int, about),
                field(shapes[0], "original_height", int, about),
            )
            labels = empty(*size, most, about)
            for shape in shapes:
                value = field(shape, "value", dict, about)
                called = value.get("brushlabels") or value.get("polygonlabels") or value.get("labels") or [""]
                if not isinstance(called, list):
                    raise FormatError(f"{about}: labels are a list of names")
                mask = _mask(value, size, about)
                paint(labels, names.number(str(called[0])), 0, 0, mask)
            yield LabelledImage(PurePosixPath(name).stem, name, labels)

    images = Images(read_all)
    return LabelFiles(names.all, images)


def _mask(value: dict[str, Any], size: tuple[int, int], where: str) -> Mask:
    width, height = size
    if value.get("format") == "rle":
        return read_brush(field(value, "rle", list, where), width, height, where)
    points = field(value, "points", list, where)
    if not all(isinstance(p, list) and len(p) == 2 for p in points):
        raise FormatError(f"{where}: points are pairs of numbers")
    found = corners([n for point in points for n in point], where)
    return fill([[(x * width / 100, y * height / 100) for x, y in found]], width, height)  # percent


def write_brush(mask: Mask) -> list[int]:
    """A mask, bool[h, w], as the bytes of the stream: white where it is, and clear elsewhere."""
    values = np.repeat(mask.ravel(), 4)
    changes = np.flatnonzero(np.diff(values)) + 1
    bounds = [0, *changes.tolist(), values.size]
    bits = [_bits(values.size, 32), _bits(_VALUE_BITS - 1, 5), *(_bits(n - 1, 4) for n in _LENGTH_BITS)]
    for begin, end in pairwise(bounds):
        shown = _bits(255 if values[begin] else 0, _VALUE_BITS)
        while begin < end:
            length = min(end - begin, 1 << _LENGTH_BITS[-1])
            kind = next(k for k, n in enumerate(_LENGTH_BITS) if length - 1 < 1 << n)
            bits += ["1", _bits(kind, 2), _bits(length - 1, _LENGTH_BITS[kind]), shown]
            begin += length
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def _bits(number: int, count: int) -> str:
    return format(number, f"0{count}b")


def read_brush(stream: Iterable[Any], width: int, height: int, where: str) -> Mask:
    """The mask, bool[height, width], of a stream's bytes: what is not clear; takes four bytes a pixel.
    FormatError for others."""
    numbers = list(stream)
    if not all(type(n) is int and 0 <= n < 256 for n in numbers):
        raise FormatError(f"{where}: run lengths of a brush are bytes")
    bits = np.unpackbits(np.array(numbers, np.uint8)).tolist()
    at = 0

    def take(count: int) -> int:
        nonlocal at
        if at + count > len(bits):
            raise FormatError(f"{where}: run lengths of a brush are cut off")
        number = 0
        for bit in bits[at : at + count]:
            number = number << 1 | bit
        at += count
        return number

    size = take(32)
    if size != width * height * 4:
        raise FormatError(f"{where}: a brush of {size} values for a picture of {width} × {height} pixels")
    value_bits = take(5) + 1
    length_bits = [take(4) + 1 for _ in range(4)]
    values: NDArray[np.bool_] = np.zeros(size, bool)
    done = 0
    while done < size:
        repeated = take(1)
        length = take(length_bits[take(2)]) + 1
        if done + length > size:
            raise FormatError(f"{where}: run lengths of a brush go beyond its picture")
        if repeated:
            values[done : done + length] = take(value_bits) != 0
        else:
            values[done : done + length] = [take(value_bits) != 0 for _ in range(length)]
        done += length
    return values.reshape(height, width, 4)[..., 3]
