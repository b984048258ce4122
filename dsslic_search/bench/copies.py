"""Pictures of which it is known which are the same: photos and their altered copies, neighbouring frames of a
drive, screenshots and papers with a frame in common (`bench.screens`), each as its compact image is stored.

The same picture is what somebody made from one file by saving it otherwise: smaller, compressed again, with
other brightness or colours, slightly cropped, with a logo or a border. Frames of a drive two seconds apart
show other pictures of the same place, however alike they are.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from dsslic_search.bench.photos import photos_in, read_photo
from dsslic_search.bench.screens import KINDS, screens
from dsslic_search.codec.layers import compact
from dsslic_search.codec.quality import quantisers
from dsslic_search.codec.reduction import compact_image
from dsslic_search.core.settings import DEFAULT_QUALITY

Picture = NDArray[np.uint8]

FOLDERS = (
    "photos/corel1k",
    "photos/bsds500_train",
    "photos/houses",
    "scenes/msrc_v2",
    "scenes/labelmefacade",
)
DRIVE = "scenes/camvid"
DRIVE_NAME = 6  # characters of a frame's name that name the drive
DRIVE_FRAMES = 20  # of each drive, one after the other
SETS, OF_EACH_SET = 3, 5  # screenshots of each kind

ORIGINAL = "original"


def saved_as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    """The picture as a JPEG of this quality shows it, in RGB."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGB")


def _smaller(picture: Image.Image, share: float) -> Image.Image:
    return picture.resize((max(int(picture.width * share), 64), max(int(picture.height * share), 64)))


def _cropped(picture: Image.Image, share: float) -> Image.Image:
    """Without ``share`` of its sides, three quarters of it on the right and below."""
    width, height = picture.size
    left, top = int(width * share / 4), int(height * share / 4)
    return picture.crop((left, top, left + int(width * (1 - share)), top + int(height * (1 - share))))


def _logo(picture: Image.Image) -> Image.Image:
    """A white plate with a disc in a corner, a sixth of the width."""
    marked = picture.copy()
    size = max(picture.width // 6, 8)
    box = (picture.width - size - 8, picture.height - size // 2 - 8, picture.width - 8, picture.height - 8)
    pen = ImageDraw.Draw(marked)
    pen.rectangle(box, (255, 255, 255))
    pen.ellipse((box[0] + 4, box[1] + 4, box[0] + size // 2 - 4, box[3] - 4), (200, 30, 40))
    return marked


ALTERED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "half the size": lambda p: _smaller(p, 0.5),
    "a third of the size": lambda p: _smaller(p, 1 / 3),
    "compressed again": lambda p: saved_as_jpeg(p, 25),
    "cropped by 4 %": lambda p: _cropped(p, 0.04),
    "cropped by 8 %": lambda p: _cropped(p, 0.08),
    "brighter": lambda p: ImageEnhance.Brightness(p).enhance(1.3),
    "darker": lambda p: ImageEnhance.Brightness(p).enhance(0.6),
    "more contrast": lambda p: ImageEnhance.Contrast(p).enhance(1.4),
    "grey": lambda p: ImageOps.grayscale(p).convert("RGB"),
    "logo": _logo,
    "border": lambda p: ImageOps.expand(p, max(min(p.size) // 50, 2), (255, 255, 255)),
    "mirrored": ImageOps.mirror,
    "smaller, darker, cropped, compressed": lambda p: saved_as_jpeg(
        _smaller(ImageEnhance.Brightness(_cropped(p, 0.04)).enhance(0.8), 0.5), 40
    ),
}
"""What is done to photos."""

SAVED_AGAIN = ("half the size", "compressed again", "cropped by 4 %", "darker")
"""What of it is done to screenshots and papers."""


@dataclass(frozen=True)
class Known:
    """A picture as its compact image, uint8 [h, w, 3] (×1/8). ``family``: those of one number are the same;
    ``kind``: photos, frames, or of `screens.KINDS`; ``how`` it was altered."""

    compact: Picture
    family: int
    kind: str
    how: str


def part_of(name: str) -> bool:
    """Whether a photo of this name counts as held out: one of two, by the name's hash."""
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


def known(data: Path, held_out: bool, photos: int) -> list[Known]:
    """The pictures of one part: chosen for deciding, or ``held_out``. ``photos``: of each folder, at most.
    Both parts have other photos and other drives, and screenshots of other frames."""
    return [as_stored(*each) for each in _families(data, held_out, photos)]


def _families(data: Path, held_out: bool, photos: int) -> Iterator[tuple[Picture, int, str, str]]:
    """(pixels, family, kind, how) of every picture."""
    family = 0
    for name in FOLDERS:
        paths = [p for p in photos_in(data / name / "images") if part_of(f"{name}/{p.name}") == held_out]
        for path in paths[:: max(len(paths) // photos, 1)][:photos]:
            yield from _with_copies(read_photo(path).pixels, family, "photos", tuple(ALTERED))
            family += 1
    drives: dict[str, int] = {}
    for path in photos_in(data / DRIVE / "images"):
        drive = path.name[:DRIVE_NAME]
        drives[drive] = drives.get(drive, 0) + 1
        if part_of(f"{DRIVE}/{drive}") == held_out and drives[drive] <= DRIVE_FRAMES:
            yield read_photo(path).pixels, family, "frames", ORIGINAL
            family += 1
    for kind in KINDS:
        for pixels in screens(kind, SETS, OF_EACH_SET, seed=int(held_out)):
            yield from _with_copies(pixels, family, kind, SAVED_AGAIN)
            family += 1


def _with_copies(
    pixels: Picture, family: int, kind: str, hows: tuple[str, ...]
) -> Iterator[tuple[Picture, int, str, str]]:
    yield pixels, family, kind, ORIGINAL
    picture = Image.fromarray(pixels)
    for how in hows:
        yield np.asarray(ALTERED[how](picture)), family, kind, how


def as_stored(pixels: Picture, family: int, kind: str, how: str) -> Known:
    """As keep mode layers stores it at the usual quality."""
    chunk = compact.encode(compact_image(pixels), quantisers(DEFAULT_QUALITY).compact, quickly=True)
    return Known(compact.decode(chunk, grey=False), family, kind, how)
