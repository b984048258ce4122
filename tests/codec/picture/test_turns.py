"""All eight orientations, in every format that has them, end upright, once.

The upright picture has a colour of its own in every corner, and is wider than high, so that each turn and
each mirror shows.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from dsslic_search.codec.picture import exif
from dsslic_search.codec.picture.facts import turn_of
from dsslic_search.codec.picture.formats.signature import kind_of
from dsslic_search.codec.picture.open import FORMATS, SourcePhoto, open_photo, read_header
from tests.heif import Heif, Property, mirror, nclx, quarters

PICTURES = Path(__file__).parents[2] / "data" / "pictures"
HEIGHT, WIDTH = 64, 96
CORNERS = {(0, 0): (220, 30, 40), (0, 1): (30, 200, 60), (1, 0): (30, 60, 220), (1, 1): (240, 220, 40)}
"""Of the upright picture, by whether they are below and right: red, green; blue, yellow."""

TURNS = range(1, 9)
# What the stored picture is made of the upright one by, EXIF 2.32, table 6: the stored row 0 is the visual
# side named first, the stored column 0 the one named second.
STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,  # top, left
    2: lambda a: a[:, ::-1],  # top, right
    3: lambda a: a[::-1, ::-1],  # bottom, right
    4: lambda a: a[::-1],  # bottom, left
    5: lambda a: a.swapaxes(0, 1),  # left, top
    6: lambda a: a[:, ::-1].swapaxes(0, 1),  # right, top
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),  # right, bottom
    8: lambda a: a[::-1].swapaxes(0, 1),  # left, bottom
}
# The same for HEIF, ISO/IEC 23008-12: quarter turns anticlockwise, then a mirror.
IN_BOXES: dict[int, tuple[Property, ...]] = {
    1: (),
    2: (mirror(1),),
    3: (quarters(2),),
    4: (mirror(0),),
    5: (quarters(1), mirror(0)),
    6: (quarters(3),),
    7: (quarters(1), mirror(1)),
    8: (quarters(1),),
}


def upright() -> np.ndarray:
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    for (below, right), colour in CORNERS.items():
        rows = slice(HEIGHT // 2, None) if below else slice(HEIGHT // 2)
        picture[rows, WIDTH // 2 :] = colour if right else picture[rows, WIDTH // 2 :]
        picture[rows, : WIDTH // 2] = picture[rows, : WIDTH // 2] if right else colour
    return picture


def stored(turn: int) -> np.ndarray:
    return np.ascontiguousarray(STORED[turn](upright()))


def orientation(turn: int) -> Image.Exif:
    found = Image.Exif()
    found[ExifTags.Base.Orientation] = turn
    found[ExifTags.Base.Make] = "Acme"
    return found


def by_exif(kind: str, **options: object) -> Callable[[int], bytes]:
    def make(turn: int) -> bytes:
        file = io.BytesIO()
        Image.fromarray(stored(turn)).save(file, kind, exif=orientation(turn), **options)
        return file.getvalue()

    return make


def heic(turn: int, *, also_in_exif: bool = False) -> bytes:
    made, picture = Heif(), stored(turn)
    planes = [np.ascontiguousarray(picture[..., i]) for i in (1, 2, 0)]
    primary = made.picture(planes, nclx(0, True), *IN_BOXES[turn])
    if also_in_exif:
        tags = orientation(turn).tobytes().removeprefix(exif.START)
        made.refer(b"cdsc", made.add(b"Exif", bytes(4) + tags), primary)
    return made.file(primary)


def heic_grid(turn: int) -> bytes:
    made, picture = Heif(), stored(turn)
    tiles = []
    for top in range(0, picture.shape[0], 32):
        for left in range(0, picture.shape[1], 32):
            part = picture[top : top + 32, left : left + 32]
            tiles.append(made.picture([np.ascontiguousarray(part[..., i]) for i in (1, 2, 0)]))
    rows, columns = picture.shape[0] // 32, picture.shape[1] // 32
    grid = made.grid(rows, columns, *picture.shape[:2], tiles, nclx(0, True), *IN_BOXES[turn])
    return made.file(grid)


def big_tiff(turn: int) -> bytes:
    """Sixteen bits, which Pillow does not read."""
    file = io.BytesIO()
    samples = stored(turn).astype(np.uint16) * 257
    tifffile.imwrite(file, samples, photometric="rgb", metadata=None, extratags=[(274, 3, 1, turn, True)])
    return file.getvalue()


def dng(turn: int) -> bytes:
    """A sensor of red, green, green, blue filters, whose colours are nearly those that are shown."""
    picture = stored(turn).astype(np.uint16) * 200
    sensor = picture[..., 1].copy()
    sensor[::2, ::2], sensor[1::2, 1::2] = picture[::2, ::2, 0], picture[1::2, 1::2, 2]
    matrix = (
        3240,
        1000,
        -1537,
        1000,
        -499,
        1000,
        -969,
        1000,
        1876,
        1000,
        42,
        1000,
        56,
        1000,
        -204,
        1000,
        1057,
        1000,
    )
    tags = [
        (50706, 1, 4, bytes((1, 4, 0, 0)), True),
        (50708, 2, 5, b"Acme\0", True),
        (33421, 3, 2, (2, 2), True),
        (33422, 1, 4, bytes((0, 1, 1, 2)), True),
        (50721, 10, 9, matrix, True),
        (50728, 5, 3, (1, 1) * 3, True),
        (50778, 3, 1, 21, True),
        (274, 3, 1, turn, True),
    ]
    file = io.BytesIO()
    tifffile.imwrite(file, sensor, photometric=32803, metadata=None, extratags=tags)
    return file.getvalue()


def ready_made(ending: str) -> Callable[[int], bytes]:
    """Made by cjxl of JPEG files with EXIF's orientation, and by avifenc with irot and imir."""
    return lambda turn: (PICTURES / "turns" / f"{turn}.{ending}").read_bytes()


WAYS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "JPEG": ("JPEG", by_exif("JPEG", quality=95, subsampling=0)),
    "JPEG, progressive": ("JPEG", by_exif("JPEG", quality=95, progressive=True)),
    "PNG": ("PNG", by_exif("PNG")),
    "WebP": ("WEBP", by_exif("WEBP", lossless=True)),
    "TIFF": ("TIFF", by_exif("TIFF")),
    "TIFF of sixteen bits": ("TIFF", big_tiff),
    "HEIC": ("HEIF", heic),
    "HEIC, in EXIF too": ("HEIF", lambda turn: heic(turn, also_in_exif=True)),
    "HEIC of tiles": ("HEIF", heic_grid),
    "AVIF": ("AVIF", ready_made("avif")),
    "AVIF by Pillow": ("AVIF", by_exif("AVIF", quality=95, subsampling="4:4:4")),
    "JPEG XL": ("JPEGXL", ready_made("jxl")),
    "DNG": ("DNG", dng),
}
NEVER_TURNED = {"JPEG2000", "GIF", "BMP", "PPM"}
"""Formats without orientations."""
CHART = np.array(json.loads((PICTURES / "values.json").read_text())["rgb8.jp2"]["patches"])[:, :3]
"""The four by four patches of the files that are ready made."""


def wanted(way: str) -> dict[tuple[int, int], tuple[int, ...]]:
    """The colours of the corners."""
    if way in ("AVIF", "JPEG XL"):
        return {
            (0, 0): tuple(CHART[0]),
            (0, 1): tuple(CHART[3]),
            (1, 0): tuple(CHART[12]),
            (1, 1): tuple(CHART[15]),
        }
    return CORNERS


def at_corners(photo: SourcePhoto) -> dict[tuple[int, int], np.ndarray]:
    """A little inside."""
    inside = photo.pixels[2:-2, 2:-2].astype(int)
    return {(below, right): inside[-below, -right] for below in (0, 1) for right in (0, 1)}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("way", WAYS)
def test_every_orientation_ends_upright_once(way: str, turn: int) -> None:
    kind, make = WAYS[way]
    photo = open_photo(make(turn), "x", 100_000)
    assert photo.format == kind
    assert photo.width * 2 == photo.height * 3
    corners, colours = at_corners(photo), wanted(way)
    for place, colour in corners.items():
        distances = {other: np.abs(colour - told).sum() for other, told in colours.items()}
        assert min(distances, key=distances.__getitem__) == place
        assert kind == "DNG" or np.abs(colour - colours[place]).max() <= 4


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("way", WAYS)
def test_what_is_kept_turns_nothing_any_more(way: str, turn: int) -> None:
    photo = open_photo(WAYS[way][1](turn), "x", 100_000)
    assert (turn_of(photo.kept) or 1) == 1


@pytest.mark.parametrize("way", ["JPEG", "PNG", "WebP", "TIFF", "HEIC, in EXIF too", "AVIF by Pillow"])
def test_the_rest_of_exif_stays(way: str) -> None:
    assert b"Acme" in open_photo(WAYS[way][1](6), "x", 100_000).kept.exif


@pytest.mark.parametrize("shrink", [2, 4, 8])
@pytest.mark.parametrize("turn", TURNS)
def test_reduced_pictures_are_turned_too(turn: int, shrink: int) -> None:
    photo = open_photo(WAYS["JPEG"][1](turn), "x", 100_000, shrink=shrink)
    assert photo.full_size == (HEIGHT, WIDTH)
    assert photo.pixels.shape[:2] == (HEIGHT // shrink, WIDTH // shrink)
    for (below, right), colour in CORNERS.items():
        assert np.abs(photo.pixels[-below, -right].astype(int) - colour).max() <= 8


def test_every_format_has_its_turns_tested() -> None:
    told = {kind_of(make(1)) for _, make in WAYS.values()}
    assert told | NEVER_TURNED == set(FORMATS) - {"RAW"}
    assert read_header(dng(1), "x", 100_000).format == "DNG"
