"""The codec: files and pixels of photos over qualities, keep modes, efforts, targets, importances and kinds
of picture; damaged files; refusals."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dsslic_search import decode, encode
from tests.behaviour.photos import exif_of, reduced
from tests.behaviour.plain import attempt, digest, picture

STAGES = ("map", "compact", "coarse", "full")
QUALITIES: tuple[int | str, ...] = (10, 40, 75, 90, "lossless")
OPTIONS: tuple[dict[str, Any], ...] = (
    *({"effort": n} for n in range(1, 10)), {"quality": 1}, {"quality": 100}, {"quality": 55, "effort": 9},
    {"bpp": 0.6}, {"psnr": 32}, {"psnr": 38.5, "effort": 3}, {"max_bytes": 4000},
    {"max_bytes": 9000, "effort": 4}, {"importance": "person=4,sky=0.25"}, {"importance": {"animal": 8}},
    {"importance": "tree=0.1", "quality": 30}, {"importance": "nature=3", "bpp": 1.5},
    {"quality": "lossless", "effort": 9},
)  # fmt: skip
REFUSED: tuple[dict[str, Any], ...] = (
    {"quality": 0}, {"quality": 102}, {"quality": "best"}, {"quality": 7.5}, {"quality": True},
    {"keep": "all"}, {"effort": 0}, {"effort": 10}, {"bpp": 0}, {"psnr": -3}, {"max_bytes": 0},
    {"bpp": 1, "quality": 3}, {"psnr": 30, "bpp": 1}, {"max_bytes": 20}, {"psnr": 90}, {"bpp": 0.0001},
    {"importance": "persn=4"}, {"importance": "person"}, {"importance": "person=many"},
    {"importance": {"person": 0}}, {"importance": {"person": 1e9}}, {"keep": "coarse", "psnr": 30},
    {"quality": "lossless", "bpp": 1}, {"keep": "exact", "importance": "sky=2"},
    {"keep": "coarse", "quality": "lossless"}, {"importance": "person=4,human=2"},
    {"quality": "lossless", "importance": "sky=2"}, {"segmenter": "./nowhere"},
)  # fmt: skip


def decoded(data: bytes, stage: str) -> str:
    """What a stage of an encoded file looks like."""
    return picture(decode(data, stage))


def coded(data: bytes) -> dict[str, Any]:
    """Length and hash of an encoded file, and what each of its stages decodes to."""
    shown = {stage: attempt(decoded, data, stage) for stage in STAGES}
    return {"bytes": len(data), "sha256": digest(data), **shown}


def encoded(image: Any, **options: Any) -> Any:
    """What encoding gives and decodes to, or the error that it ends with."""
    return attempt(lambda: coded(encode(image, **options)))


def codec(photos: Sequence[Path]) -> dict[str, Any]:
    """Everything that is asked of ``encode`` and ``decode``."""
    whole: dict[str, Any] = {}
    for path in photos:
        qualities = QUALITIES if path.suffix == ".jpg" else (75,)
        whole[path.name] = {f"layers {q}": encoded(path, quality=q) for q in qualities}
    for path in photos[::4]:
        for keep in ("exact", "coarse", "reference"):
            whole[path.name] |= {f"{keep} {q}": encoded(path, keep=keep, quality=q) for q in (40, 75)}
    found: dict[str, Any] = {"photos": whole}
    found["options"] = {
        f"{path.name} {options}": encoded(reduced(path), **options)
        for path in photos[2:12:5]
        for options in OPTIONS
    }
    found["refused"] = {str(options): encoded(reduced(photos[0], 64), **options) for options in REFUSED}
    found["pictures"] = {name: encoded(image, quality=60) for name, image in pictures(photos[4]).items()}
    found["damage"] = damage(encode(reduced(photos[5], 120), quality=50))
    found["damage of exact"] = damage(encode(reduced(photos[5], 120), keep="exact"))
    return found


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file's bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def pictures(path: Path) -> dict[str, Any]:
    """A photo in every mode and form that may be given to ``encode``, and what may not."""
    with Image.open(path) as opened:
        colour = opened.convert("RGB").resize((90, 66))
    modes = ("L", "LA", "RGBA", "P", "PA", "1", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16")
    found: dict[str, Any] = {mode: attempt(colour.convert, mode) for mode in modes}
    found["RGBA of several alphas"] = colour.copy()
    found["RGBA of several alphas"].putalpha(colour.convert("L"))
    pixels = np.asarray(colour)
    found |= {"array": pixels, "grey array": pixels[..., 0].copy(), "one channel": pixels[..., :1].copy()}
    found |= {"floats": pixels / 255, "five channels": np.zeros((4, 4, 5), np.uint8)}
    found |= {"no pixels": np.zeros((0, 4), np.uint8), "no photo": b"nothing", "no bytes": b""}
    found |= {"nothing": None, "a missing file": "nowhere.jpg"}
    for width, height in ((1, 1), (1, 9), (2, 3), (8, 8), (17, 5), (63, 64)):
        found[f"{width}×{height}"] = pixels[:height, :width].copy()
    for kind in ("JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "JPEG2000", "AVIF"):
        found[kind] = saved(colour, kind)
    found["JPEG cut short"] = found["JPEG"][:700]
    for turn in range(1, 9):
        exif = exif_of(turn)
        exif[274] = turn
        found[f"orientation {turn}"] = saved(colour, "JPEG", exif=exif)
    return found


def damage(data: bytes) -> dict[str, Any]:
    """What prefixes, files with one byte changed, and stages that do not exist decode to."""
    ends = sorted({len(data) * k // 16 for k in range(17)} | {0, 8, 11, 40, 55, 100, len(data) - 1})
    found = {f"{end} bytes, {stage}": attempt(decoded, data[:end], stage) for end in ends for stage in STAGES}
    for place in [*range(0, 60, 3), *range(60, len(data), len(data) // 24)]:
        changed = bytearray(data)
        changed[place] ^= 0x55
        found[f"byte {place}"] = attempt(decoded, bytes(changed), "full")
    return found | {stage: attempt(decoded, data, stage) for stage in ("nothing", "", "FULL")}
