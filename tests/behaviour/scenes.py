"""Painted scenes: pictures in the colours of the classes, whose label maps are known without a network."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.behaviour.photos import FOLDERS, exif_of, write_photo
from tests.behaviour.plain import PHOTO_FOLDER

SCENES = 168  # pictures: 24 times each format
FORMATS = ("PNG", "WEBP", "TIFF", "PNG", "BMP", "PNG", "GIF")
SIZES = ((120, 90), (90, 120), (96, 96), (160, 60), (128, 72), (60, 140))  # pixels: width, height
BACKGROUNDS = (  # bands from the top
    ("sky", "sea", "earth"), ("sky", "mountain", "grass"), ("sky", "building", "road"), ("wall", "floor"),
    ("sky", "tree", "water"), ("sky", "field"), ("ceiling", "wall", "floor"),
    ("sky", "house", "sidewalk", "road"), ("water",), ("sky", "grass"), ("other",),
)  # fmt: skip
OBJECTS = (  # on the background of the same number
    ("boat", "person", "bird"), ("cow", "sheep", "horse", "person"),
    ("car", "bus", "person", "bicycle", "tree", "signboard"), ("table", "chair", "cat", "tv", "painting"),
    ("boat", "bird", "person"), ("person", "horse", "tree", "house"),
    ("bed", "windowpane", "curtain", "rug", "dog"), ("car", "person", "dog", "tree", "fence", "pole"),
    ("boat", "person"), ("dog", "person", "flower", "tree", "house"), ("bottle", "book"),
)  # fmt: skip

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, from 0 to 1."""


def arranged(number: int) -> Iterator[tuple[str, Box]]:
    """Things in relations that chance seldom gives: class and box."""
    size = 0.15 + number % 5 / 50
    if number % 8 == 0:  # a house in a wood, a dog on a rug
        yield "tree", (0.3 - size, 0.3 - size, 0.5 + size, 0.6 + size)
        yield "house", (0.3, 0.3, 0.5, 0.6)
        yield "rug", (0.7, 0.8, 0.7 + size, 0.9)
        yield "dog", (0.72, 0.75, 0.7 + size / 2, 0.84)
    elif number % 8 == 1:  # people in rows
        for k in range(number // 8 % 21):
            column, row = 0.13 * (k % 7), 0.15 * (k // 7)
            yield "person", (0.05 + column, 0.5 + row, 0.1 + column, 0.58 + row)
    elif number % 8 == 2:  # between and in front of others
        yield "car", (0.02, 0.7, size, 0.85)
        yield "person", (0.4, 0.6, 0.45, 0.6 + size)
        yield ("tree", "car", "bus")[number // 8 % 3], (0.8 - size, 0.5, 0.95, 0.85)
    elif number % 8 == 3:  # a rider before a building
        yield "building", (0.3, 0.2, 0.9, 0.7 - size)
        yield "horse", (0.5, 0.5, 0.65, 0.8)
        yield "person", (0.54, 0.5 - size, 0.6, 0.5)
        yield "aeroplane", (0.1, 0.1, 0.1 + size, 0.15)


def painted(number: int, colours: Mapping[str, str], chosen: random.Random) -> Image.Image:
    """Bands of background, things strewn on them, and things arranged."""
    width, height = SIZES[number % len(SIZES)]
    image = Image.new("RGB", (width, height), colours["other"])
    draw = ImageDraw.Draw(image)
    bands, things = BACKGROUNDS[number % len(BACKGROUNDS)], OBJECTS[number % len(OBJECTS)]
    cuts = [0, *sorted(chosen.randrange(1, 20) * height // 20 for _ in bands[1:]), height]
    for name, top, bottom in zip(bands, cuts, cuts[1:], strict=False):
        draw.rectangle((0, top, width, bottom), fill=colours[name])
    for _ in range(chosen.randrange(7)):
        name = chosen.choice(things)
        across, down = chosen.randrange(3, width // 3), chosen.randrange(3, height // 3)
        left, top = chosen.randrange(-2, width - 4), chosen.randrange(-2, height - 4)
        shape = draw.ellipse if chosen.random() < 0.4 else draw.rectangle
        shape((left, top, left + across, top + down), fill=colours[name])
    for name, box in arranged(number):
        draw.rectangle([round(v * (width, height)[k % 2]) for k, v in enumerate(box)], fill=colours[name])
    return image


def scenes(colours: Mapping[str, str]) -> Iterator[Path]:
    """Files of painted scenes, always the same; ``colours``: #rrggbb of each class."""
    chosen = random.Random(11)
    root = Path.cwd() / PHOTO_FOLDER / "scenes"
    for number in range(SCENES):
        kind = FORMATS[number % len(FORMATS)]
        name = f"{'IMG' if number % 4 else 'Scene'}_{number:04}.{kind.lower()}"
        options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
        if kind in ("PNG", "WEBP", "TIFF"):
            options["exif"] = exif_of(number).tobytes()
        path = root / FOLDERS[number % 5] / ("beach.jpg" if number == 11 else name)
        yield write_photo(painted(number, colours, chosen), path, kind, **options)


class PaintedLabels:
    """A segmenter that reads the colours of painted scenes.

    ``dialect``: that of any photo that SegNet labelled."""

    identity = "be" * 8

    def __init__(self, colours: Mapping[str, str], dialect: Any) -> None:
        self.dialect = dialect
        self._ids = {
            tuple(bytes.fromhex(colour[1:])): number for number, colour in enumerate(colours.values())
        }

    def segment(self, pixels: NDArray[np.uint8], map_size: tuple[int, int]) -> NDArray[np.uint8]:
        """As every segmenter's: class ids, uint8 [h, w] = ``map_size``."""
        rows, columns = (np.arange(n) * size // n for n, size in zip(map_size, pixels.shape, strict=False))
        sampled = pixels[np.ix_(rows, columns)]
        return np.array([[self._ids[tuple(map(int, pixel))] for pixel in row] for row in sampled], np.uint8)
