"""Photos that several modules encode: what networks see in them is kept for all (`tests/once.py`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from dsslic_search.codec import prediction
from dsslic_search.codec.picture.open import SourcePhoto

SAMPLES = Path(__file__).parents[1] / "samples"


def sample(name: str = "picos.jpg", side: int = 320, grey: bool = False) -> SourcePhoto:
    """A photo of the samples, its longer side at most so many pixels."""
    with Image.open(SAMPLES / name) as picture:
        picture.thumbnail((side, side))
        return _photo(np.array(picture.convert("RGB")), grey)


def crop(size: tuple[int, int], grey: bool = False) -> SourcePhoto:
    """A corner of one, of any size (height, width) up to 192×256."""
    whole = sample(side=256).pixels
    return _photo(np.ascontiguousarray(whole[: size[0], : size[1]]), grey)


def _photo(pixels: np.ndarray, grey: bool) -> SourcePhoto:
    if grey:
        pixels = np.repeat(prediction.luma(pixels)[..., None], 3, 2)
    return SourcePhoto(pixels, grey=grey)
