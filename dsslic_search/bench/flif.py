"""FLIF: files of the reference encoder read, ours beside them in size, speed on label maps, and what damaged
files do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.bench import damage
from dsslic_search.codec import flif
from dsslic_search.codec.flif.file import read_header
from dsslic_search.core.errors import UsageError

WAYS = {"N": False, "I": True}  # NAME.N.flif in rows and NAME.I.flif interlaced, by the reference encoder
TIMED_SIDE = 512
TIMED_ROUNDS = 3
MOST_PIXELS = 1 << 16  # of a damaged file
SMALL = 8000  # bytes of the files that are damaged


def run(vectors: Path, maps: Path) -> dict[str, Any]:
    """Measure on the folder ``vectors`` of NAME.png with what the reference encoder made of them,
    NAME.SETTING.flif; and on label maps, PNGs in the folder ``maps``, brought to 512 × 512.

    Every file is decoded and compared; ValueError if one differs. Speeds are megapixels a second of processor
    time after warm-up, the best of three rounds.
    """
    files = sorted(vectors.glob("*.flif"))
    pictures = {path.stem: np.asarray(Image.open(path)) for path in sorted(vectors.glob("*.png"))}
    if not files or not pictures:
        raise UsageError(f"{vectors}: holds no FLIF files with PNGs of the same names")
    read = 0
    for path in files:
        shown = flif.decode(path.read_bytes()).pixels
        if (wanted := pictures.get(path.name.partition(".")[0])) is not None:
            read += 1
            if not np.array_equal(shown, wanted):
                raise ValueError(f"{path} is another picture than its PNG")
    sizes = {}
    for name, pixels in pictures.items():
        for way, interlaced in WAYS.items():
            peer = vectors / f"{name}.{way}.flif"
            if peer.exists():
                ours, theirs = len(_checked(pixels, interlaced, name)), peer.stat().st_size
                sizes[f"{name}.{way}"] = {"bytes": ours, "reference": theirs, "ratio": ours / theirs}
    return {
        "files": len(files),
        "compared": read,
        "sizes": sizes,
        "largest_ratio": max((each["ratio"] for each in sizes.values()), default=None),
        "megapixels_per_second_512": {way: _speed(maps, interlaced) for way, interlaced in WAYS.items()},
    }


def _checked(pixels: NDArray[np.uint8], interlaced: bool, name: str) -> bytes:
    coded = flif.encode(pixels, interlaced=interlaced)
    if not np.array_equal(flif.decode(coded).pixels, pixels):
        raise ValueError(f"{name} does not come back as it was")
    return coded


def _speed(folder: Path, interlaced: bool) -> dict[str, float]:
    paths = sorted(folder.glob("*.png"))
    if not paths:
        raise UsageError(f"{folder}: holds no label maps as PNG")
    side = TIMED_SIDE, TIMED_SIDE
    maps = [np.asarray(Image.open(path).resize(side, Image.Resampling.NEAREST)) for path in paths]
    coded = [_checked(labels, interlaced, path.name) for labels, path in zip(maps, paths, strict=True)]
    encoding, decoding = [], []
    for _ in range(TIMED_ROUNDS):
        start = time.process_time()
        for labels in maps:
            flif.encode(labels, interlaced=interlaced)
        middle = time.process_time()
        for data in coded:
            flif.decode(data)
        encoding.append(middle - start)
        decoding.append(time.process_time() - middle)
    pixels = sum(labels.size for labels in maps) / 1e6
    return {"maps": len(maps), "encode": pixels / min(encoding), "decode": pixels / min(decoding)}


def fuzz(vectors: Path, streams: int, seed: int) -> dict[str, Any]:
    """Decode ``streams`` damaged copies of small files, every second one as the start of a file: each must
    give a picture of the size declared or FormatError, else it is raised here. Returns what
    :func:`dsslic_search.bench.damage.fuzz` does."""
    sound = [data for path in sorted(vectors.glob("*.flif")) if len(data := path.read_bytes()) < SMALL]

    def decode(data: bytes, number: int) -> None:
        pixels = flif.decode(data, max_pixels=MOST_PIXELS, partial=number % 2 == 1).pixels
        header, _ = read_header(data)
        if pixels.shape[:2] != (header.height, header.width):
            raise AssertionError(f"{data.hex()} decodes to {list(pixels.shape)}")

    return {"seed": seed, **damage.fuzz(sound, decode, streams, np.random.default_rng(seed))}
