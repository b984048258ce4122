"""Pictures painted in flat colours, and segmenters that read the colours: label maps are known without a
network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from dsslic_search.core import dialect, vocabulary
from dsslic_search.core.dialect import Dialect

PAINT = {"sea": (20, 60, 160), "grass": (60, 160, 40), "person": (220, 40, 50), "other": (128, 128, 128)}

# The same things under other names, in another order, and one that we have no class for.
BEACH = {
    "name": "beach-5",
    "classes": [
        {"id": 0, "name": "human", "colour": "#ff0000", "paint": "person"},
        {"id": 1, "name": "gizmo", "colour": "#00ffff", "paint": "other"},
        {"id": 2, "name": "ocean", "colour": "#0000ff", "paint": "sea"},
        {"id": 3, "name": "backdrop", "colour": "#202020", "paint": ""},
        {"id": 4, "name": "the green", "colour": "#00ff00", "paint": "grass", "synonyms": ["lawn"]},
    ],
}
BEACH_TEXT = json.dumps(BEACH)


def beach() -> Dialect:
    return dialect.by_words(vocabulary.parse(BEACH_TEXT))


@dataclass(frozen=True)
class Painted:
    """A segmenter of painted pictures, which looks at so many places along each side at most: of a photo that
    nobody painted it sees hundreds of regions else."""

    dialect: Dialect
    identity: str
    places: int = 1 << 16

    def segment(self, pixels: np.ndarray, map_size: tuple[int, int]) -> np.ndarray:
        rows, columns = (
            np.arange(n) * min(n, self.places) // n * size // min(n, self.places)
            for n, size in zip(map_size, pixels.shape, strict=False)
        )
        sampled = pixels[np.ix_(rows, columns)].astype(int)
        ids = self._ids()
        distance = np.abs(sampled[:, :, None] - np.array(list(PAINT.values()))).sum(-1)
        return np.array([ids[thing] for thing in PAINT], np.uint8)[distance.argmin(-1)]

    def _ids(self) -> dict[str, int]:
        if self.dialect.native:
            return {thing: vocabulary.default().id_of(thing) for thing in PAINT}
        return {str(c["paint"]): int(str(c["id"])) for c in BEACH["classes"]}  # type: ignore[index]


OURS = Painted(dialect.shipped(), "aa" * 8)
COARSE = Painted(dialect.shipped(), "aa" * 8, 12)
THEIRS = Painted(beach(), "bb" * 8)


def paint(path: Path, *bands: tuple[str, float], size: tuple[int, int] = (96, 64)) -> Path:
    """A picture of horizontal bands from the top, each a thing and its share of the height."""
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    top = 0.0
    for thing, share in bands:
        pixels[round(top * height) : round((top + share) * height)] = PAINT[thing]
        top += share
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path
