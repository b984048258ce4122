"""BPG: files of the reference encoder shown as its decoder shows them, and what damaged files do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dsslic_search.bench import damage
from dsslic_search.codec import bpg
from dsslic_search.codec.bpg.header import read_header
from dsslic_search.core.errors import UsageError

MOST_PIXELS = 1 << 16


def run(vectors: Path) -> dict[str, Any]:
    """Decode the reference encoder's files in the folder ``vectors``, NAME.bpg, and compare them with what
    its decoder showed, NAME.dec.png: how many there are, and how many grey levels a sample is off at most."""
    files = _files(vectors)
    differences = {}
    for path in files:
        with Image.open(path.with_suffix(".dec.png")) as opened:
            wanted = np.asarray(opened.convert("RGB")).astype(int)
        shown = bpg.decode(path.read_bytes(), max_pixels=MOST_PIXELS).rgb8()
        if shown.shape != wanted.shape:
            raise ValueError(f"{path} has another size than its PNG")
        differences[path.stem] = int(np.abs(shown - wanted).max())
    return {
        "files": len(files),
        "exact": sum(not levels for levels in differences.values()),
        "largest_difference": max(differences.values()),
    }


def fuzz(vectors: Path, streams: int, seed: int) -> dict[str, Any]:
    """Decode ``streams`` damaged copies of these files: each must give a picture of the size declared or
    FormatError, else it is raised here. Returns what :func:`dsslic_search.bench.damage.fuzz` does."""

    def decode(data: bytes, number: int) -> None:
        shown = bpg.decode(data, max_pixels=MOST_PIXELS).rgb8()
        header, _ = read_header(data)
        if shown.shape != (header.height, header.width, 3):
            raise AssertionError(f"{data.hex()} decodes to {list(shown.shape)}")

    sound = [path.read_bytes() for path in _files(vectors)]
    return {"seed": seed, **damage.fuzz(sound, decode, streams, np.random.default_rng(seed))}


def _files(vectors: Path) -> list[Path]:
    files = [path for path in sorted(vectors.glob("*.bpg")) if path.with_suffix(".dec.png").exists()]
    if not files:
        raise UsageError(f"{vectors}: holds no BPG files with what they show, NAME.bpg and NAME.dec.png")
    return files
