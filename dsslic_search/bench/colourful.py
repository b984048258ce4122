"""How well "colourful" by the terms of a photo's mask agrees with the measure of Hasler and Süsstrunk (2003,
Measuring colourfulness in natural images), on photos of the training part alone:
``python -m dsslic_search.bench.colourful DATA``.

Their measure, of sRGB pixels, is of the opponents rg = R − G and yb = (R + G) / 2 − B: the root of the sum of
their variances, and 0.3 times the length of their mean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.bench.colours import seen
from dsslic_search.bench.photos import read_photo
from dsslic_search.core.colour_terms import CHROMATIC, named
from dsslic_search.training.dataset import photos_of

STEPS = {33: "moderately", 45: "averagely", 59: "quite"}
"""Of their seven steps (from 0, 15, 33, 45, 59, 82 and 109 on), those at which photos are counted, by what
people called them."""
ONE_IN = 6
"""Of the photos every so many are looked at."""


def colourfulness(pixels: NDArray[Any]) -> float:
    """Hasler and Süsstrunk's measure of sRGB pixels [h, w, 3] in 0..255: 0 for grey, some 110 at most in
    photos."""
    red, green, blue = np.moveaxis(np.asarray(pixels, np.float64), -1, 0)
    opponents = red - green, (red + green) / 2 - blue
    spread = np.hypot(*(each.std() for each in opponents))
    return float(spread + 0.3 * np.hypot(*(each.mean() for each in opponents)))


def measured(data: Path) -> Iterator[tuple[int, float]]:
    """For photos of the training part how many chromatic terms their masks have, and the measure."""
    for sample in photos_of(data, "training")[::ONE_IN]:
        pixels = read_photo(sample.image).pixels
        yield len(CHROMATIC.intersection(named(seen(pixels).photo))), colourfulness(pixels)


def table(found: Sequence[tuple[int, float]]) -> Iterator[str]:
    """Lines: for each least number of terms how many photos have it, their mean measure, how many of them are
    colourful by the measure, and how many of those that are by the measure are found, at each of STEPS."""
    terms, measure = (np.array(column) for column in zip(*found, strict=True))
    yield f"| {len(found)} photos: terms at least | photos | mean | {' | '.join(STEPS.values())} |"
    yield f"|---|---:|---:|{'---:|' * len(STEPS)}"
    for least in range(int(terms.max()) + 1):
        told = terms >= least
        shares = []
        for step in STEPS:
            both = np.count_nonzero(told & (measure >= step))
            shares.append(f"{both / told.sum():.2f} right, {both / (measure >= step).sum():.2f} found")
        yield f"| {least} | {told.sum()} | {measure[told].mean():.0f} | {' | '.join(shares)} |"


if __name__ == "__main__":
    sys.stdout.write("\n".join([*table(list(measured(Path(sys.argv[1])))), ""]))
