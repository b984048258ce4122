"""Photos to ingest: those that are given, as they are, and variants with cameras, dates and places."""

from __future__ import annotations

import io
import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from tests.behaviour.plain import PHOTO_FOLDER

MODIFIED = 1_700_000_000  # seconds since 1970: when every photo file was changed last
VARIANTS = 40  # photos
CAMERAS = (
    None, ("Canon", "Canon EOS 5D Mark II"), ("NIKON CORPORATION", "NIKON D90"), ("SONY", "ILCE-7M3"),
    ("Apple", "iPhone 12, mini"), ("", "Pentax K-1"), ("LEICA CAMERA AG", "Leica M10"),
    ("Canon", "PowerShot S95"), ("Fotogerät Müller", "Größe 7"), ("samsung", ""),
)  # fmt: skip
TAKEN = (
    None, "1994:07:14 18:00:00", "1999:12:31 23:59:59", "2000:01:01 00:00:00", "2012:02:29 12:00:00",
    "2019:05:31 23:59:59", "2019:06:01 00:00:00", "2020:03:14 15:09:26", "2020:12:31 08:30:00", None,
    "2022:07:04 10:00:00", "2023:06:05 10:20:30", "2023:06:30 23:59:59", "2023:09:01 07:00:00",
    "2024:02:29 11:11:11", "2024:12:25 09:00:00", "0000:00:00 00:00:00",
)  # fmt: skip
PLACES = (
    None, (48.8584, 2.2945), (48.853, 2.3499), (48.8049, 2.1204), (51.5007, -0.1246), None,
    (-33.8568, 151.2153), (-0.18, -78.4678), (-17.7134, 178.065), (-16.8, -179.9), (64.1466, -21.9426),
)  # fmt: skip
FOLDERS = ("holiday/2023", "Trip", "home", "my photos", "holiday/2019/best")


def exif_of(number: int) -> Image.Exif:
    """Camera, date and place, another combination for every number."""
    exif = Image.Exif()
    camera, taken, place = CAMERAS[number % 10], TAKEN[number * 5 % 17], PLACES[number * 3 % 11]
    if camera is not None:
        exif[271], exif[272] = camera
    if taken is not None:
        exif[34665] = {36867: taken}
    if place is not None:
        latitude, longitude = ((abs(v) // 1, abs(v) % 1 * 60, 0.0) for v in place)
        south, west = (v < 0 for v in place)
        exif[34853] = {1: "NS"[south], 2: latitude, 3: "EW"[west], 4: longitude}
    return exif


def write_photo(image: Image.Image, path: Path, kind: str, **options: Any) -> Path:
    """Save a photo in a folder that may not be there yet, changed last when all others were."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, kind, **options)
    os.utime(path, (MODIFIED, MODIFIED))
    return path


def gather(photos: Path) -> list[Path]:
    """Copies of the photos in a folder, as they are, in the folder of photos."""
    copies = []
    for path in sorted(path for path in photos.iterdir() if path.suffix in (".jpg", ".png")):
        copies.append(Path(shutil.copy(path, Path.cwd() / PHOTO_FOLDER)))
        os.utime(copies[-1], (MODIFIED, MODIFIED))
    return copies


def variants(photos: Sequence[Path]) -> Iterator[Path]:
    """Small, turned, mirrored, cut and recompressed ones, with cameras, dates and places."""
    root = Path.cwd() / PHOTO_FOLDER
    for number, path in enumerate(itertools.islice(itertools.cycle(photos), VARIANTS)):
        with Image.open(path) as opened:
            image = opened.convert("L" if number % 9 == 8 else "RGB")
        image.thumbnail((320 - 4 * number, 320 - 4 * number))
        if number % 5 == 1:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if number % 5 == 2:
            image = image.crop((0, 0, image.width, image.width // 3))
        exif = exif_of(number)
        if number % 6 == 3:
            exif[274] = 2 + number % 7  # orientation
        name = "beach.jpg" if number == 9 else f"{'IMG' if number % 3 else 'img'}_{number:04}.jpg"
        yield write_photo(image, root / FOLDERS[number % 5] / name, "JPEG", quality=60 + number, exif=exif)


def reduced(path: Path, side: int = 200) -> bytes:
    """A photo of at most ``side`` pixels a side, as the bytes of a PNG."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    image.thumbnail((side, side))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
