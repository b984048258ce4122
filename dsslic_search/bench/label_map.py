"""The label-map coder: bytes beside other coders, speed, the first call of a process, and what damaged
streams do to it."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.bench import damage
from dsslic_search.codec.layers.label_map import coder

PEERS = ("flif_E100", "flif_E100_N", "jxl_e7", "jxl_e9", "webp_lossless", "png")
TIMED_ROUNDS = 3
FIRST_CALL = """
import time
start = time.perf_counter()
import numpy as np
from dsslic_search.codec.layers.label_map import coder
coder.decode(coder.encode(np.zeros((64, 64), np.uint8)))
print(time.perf_counter() - start)
"""


def run(table: Path, data: Path) -> dict[str, Any]:
    """Measure on the maps that ``table`` lists: a CSV of map (a path under ``data``) and the bytes of each
    coder of PEERS.

    Speeds are megapixels a second on one core after warm-up, the best of three rounds; those of 512×512 maps
    apart as well. Every map is decoded and compared; ValueError if one differs.
    """
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    maps = [np.asarray(Image.open(data / row["map"])) for row in rows]
    coder.decode(coder.encode(maps[0]))
    coded = [coder.encode(labels) for labels in maps]
    for row, labels, stream in zip(rows, maps, coded, strict=True):
        if not np.array_equal(coder.decode(stream), labels):
            raise ValueError(f"{row['map']} does not come back as it was")
    total = sum(map(len, coded))
    peers = {name: sum(int(row[name]) for row in rows) for name in PEERS}
    groups: dict[str, list[int]] = {}
    for row, stream in zip(rows, coded, strict=True):
        group = groups.setdefault(str(Path(row["map"]).parent), [0, 0])
        group[0] += len(stream)
        group[1] += int(row["flif_E100"])
    square = [i for i, labels in enumerate(maps) if labels.shape == (512, 512)]
    return {
        "maps": len(maps),
        "megapixels": sum(labels.size for labels in maps) / 1e6,
        "bytes": total,
        "peer_bytes": peers,
        "ratio": {name: total / size for name, size in peers.items()},
        "ratio_to_flif_E100_by_set": {name: ours / theirs for name, (ours, theirs) in groups.items()},
        "megapixels_per_second": _speed(maps, coded),
        "megapixels_per_second_512": _speed([maps[i] for i in square], [coded[i] for i in square])
        if square
        else None,
        "first_call_seconds": first_call(),
    }


def _speed(maps: list[NDArray[np.uint8]], coded: list[bytes]) -> dict[str, float]:
    pixels = sum(labels.size for labels in maps)
    encoding, decoding = [], []
    for _ in range(TIMED_ROUNDS):
        start = time.perf_counter()
        for labels in maps:
            coder.encode(labels)
        middle = time.perf_counter()
        for stream in coded:
            coder.decode(stream)
        encoding.append(middle - start)
        decoding.append(time.perf_counter() - middle)
    return {"encode": pixels / min(encoding) / 1e6, "decode": pixels / min(decoding) / 1e6}


def first_call() -> float:
    """Seconds from importing the coder to the first map coded and decoded in a fresh process that finds the
    compiled code on disk."""
    seconds = [
        float(subprocess.run([sys.executable, "-c", FIRST_CALL], capture_output=True, check=True).stdout)
        for _ in range(TIMED_ROUNDS)
    ]
    return min(seconds)


def fuzz(streams: int, seed: int) -> dict[str, Any]:
    """Decode ``streams`` damaged streams of small maps: each must give a map of the size declared or
    FormatError, else it is raised here. Returns what :func:`dsslic_search.bench.damage.fuzz` does."""
    random = np.random.default_rng(seed)

    def decode(stream: bytes, _: int) -> None:
        labels = coder.decode(stream, max_pixels=1 << 16)
        if labels.shape != coder.read_size(stream) or labels.dtype != np.uint8:
            raise AssertionError(f"{stream.hex()} decodes to {labels.dtype} {labels.shape}")

    sound = [coder.encode(labels) for labels in small_maps(random)]
    return {"seed": seed, **damage.fuzz(sound, decode, streams, random)}


def small_maps(random: np.random.Generator) -> list[NDArray[np.uint8]]:
    """Maps of areas, stripes, noise and one label, in small sizes."""
    maps: list[NDArray[np.uint8]] = [np.zeros((16, 16), np.uint8), np.full((1, 1), 255, np.uint8)]
    for height, width in ((1, 40), (40, 1), (9, 13), (24, 32), (33, 31)):
        areas = np.zeros((height, width), np.uint8)
        for _ in range(6):
            y, x = random.integers(height), random.integers(width)
            areas[y : y + height // 2 + 1, x : x + width // 2 + 1] = random.integers(51)
        stripes = (np.add.outer(np.arange(height), np.arange(width)) // 3 % 4).astype(np.uint8)
        maps += [
            areas,
            stripes,
            random.integers(0, 3, (height, width), np.uint8),
            random.integers(0, 256, (height, width), np.uint8),
        ]
    return maps
