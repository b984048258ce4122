"""Whether two pictures whose fingerprints are alike show the same in every part, by their compact images.

Screenshots, papers and slides of one template have fingerprints that are alike, since bars and margins are
most of what a fingerprint sees. So the compact images, which are finer, are laid over each other, and each
part of them is asked for itself:

::

    luma of both, up to 64 x 64 cells ─► laid over each other ─► details ─► correlation of 8 x 8 cells each
                                                                            └─► weighted mean = agreement

A part with strong details counts hardly more than one with faint ones: the fourth root of their variance, as
far as it is more than what coding adds. What two pictures must agree to is more where one shade, of paper or
of a screen, covers much of both: there little else tells them apart. These numbers were chosen on the
deciding part of `bench.copies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.fingerprint import LUMA_WEIGHTS, means, neighbourhood
from dsslic_search.features.likeness import (
    Arithmetic,
    Cells,
    Shown,
    align,
    at_rest,
    halved,
    seen_at,
    softened,
)

SIDES = (64, 48, 32, 24)  # cells a side in which pictures are compared: the most that both have pixels for
PORTRAIT_BYTES = 3 + SIDES[0] ** 2
MIN_PIXELS_A_CELL = 0.9  # along the shorter sides of both
PART_SIDE = 8  # cells a side of a part
COARSEST_SIDE = 16  # cells a side from which pictures are laid over each other
STEPS = 3  # of each size of cells
NOISE = 0.5  # variance of details that coding alone may make
WEIGHT_EXPONENT = 0.25  # of the variance of a part's details
MIN_SHOWN = 1 / 3  # of a part's cells that lie in both pictures
GROUND_SHADES = 7  # levels of luma that count as one shade
PAIRS_AT_ONCE = 128

# Share of a picture that one shade covers, and the agreement wanted there: between these in proportion.
PHOTO_GROUND, PHOTO_AGREEMENT = 0.2, 0.66
PAPER_GROUND, PAPER_AGREEMENT = 0.4, 0.82


@dataclass(frozen=True)
class Portrait:
    """What of a compact image is compared: ``luma``, uint8 [h, w] of at most 64 x 64 cells, and the share
    ``ground``, 0..1, of the image that its commonest shade covers."""

    luma: NDArray[np.uint8]
    ground: float

    def to_row(self) -> NDArray[np.uint8]:
        """uint8[PORTRAIT_BYTES]: height, width, ground in 255ths, then the cells and zeros."""
        row = np.zeros(PORTRAIT_BYTES, np.uint8)
        row[:3] = *self.luma.shape, round(self.ground * 255)
        row[3 : 3 + self.luma.size] = self.luma.ravel()
        return row

    @classmethod
    def from_row(cls, row: NDArray[np.uint8]) -> Portrait:
        """What was made into this row."""
        height, width, ground = row[:3].tolist()
        return cls(row[3 : 3 + height * width].reshape(height, width), ground / 255)


def portrait(compact: NDArray[np.uint8]) -> Portrait:
    """The portrait of a compact image, uint8 [h, w, 3] sRGB or [h, w] grey."""
    if compact.ndim == 2:
        compact = np.repeat(compact[..., None], 3, 2)
    height, width = (min(n, SIDES[0]) for n in compact.shape[:2])
    light = np.rint(compact @ LUMA_WEIGHTS).astype(np.uint8)
    counts = np.convolve(np.bincount(light.ravel(), minlength=256), np.ones(GROUND_SHADES), "same")
    cells = np.rint(means(compact, height, width) @ LUMA_WEIGHTS).clip(0, 255).astype(np.uint8)
    return Portrait(cells, float(counts.max() / light.size))


def show_the_same(
    one: Sequence[Portrait],
    other: Sequence[Portrait],
    turned: NDArray[np.bool_],
    by: Arithmetic | None = None,
) -> NDArray[np.bool_]:
    """bool[n]: of each pair whether it agrees as far as it must. ``turned``: pairs of which the other is
    mirrored first. ``by``: what pictures are laid over each other with."""
    ground = np.array([min(a.ground, b.ground) for a, b in zip(one, other, strict=True)])
    return np.asarray(agreement(one, other, turned, by) >= wanted_agreement(ground), bool)


def wanted_agreement(ground: NDArray[np.float64]) -> NDArray[np.float64]:
    """The least agreement of pictures of which one shade covers these shares."""
    return np.interp(ground, (PHOTO_GROUND, PAPER_GROUND), (PHOTO_AGREEMENT, PAPER_AGREEMENT))


def agreement(
    one: Sequence[Portrait],
    other: Sequence[Portrait],
    turned: NDArray[np.bool_],
    by: Arithmetic | None = None,
) -> NDArray[np.float32]:
    """float32[n], -1..1: how far the pictures of each pair agree, part by part; 1 without any detail."""
    found = np.empty(len(one), np.float32)
    sides = np.array([_side(a, b) for a, b in zip(one, other, strict=True)], int)
    for side in np.unique(sides).tolist():
        pairs = np.flatnonzero(sides == side)
        for start in range(0, pairs.size, PAIRS_AT_ONCE):
            part = pairs[start : start + PAIRS_AT_ONCE]
            still = np.stack([_cells(one[i], side) for i in part])
            moving = np.stack([_cells(other[i], side)[:, :: -1 if turned[i] else 1] for i in part])
            found[part] = _agreement(softened(still), softened(moving), by)
    return found


def _side(one: Portrait, other: Portrait) -> int:
    pixels = min(one.luma.shape + other.luma.shape)
    return next((side for side in SIDES if side * MIN_PIXELS_A_CELL <= pixels), SIDES[-1])


def _cells(each: Portrait, side: int) -> Cells:
    return np.asarray(means(each.luma[..., None], side, side)[..., 0], np.float32)


def _agreement(still: Cells, moving: Cells, by: Arithmetic | None) -> NDArray[np.float32]:
    """Of cells float32[n, s, s] each."""
    laid, shown = _laid_over(still, moving, by)
    seen = shown.astype(np.float32)
    a, b = (_details(cells) * seen for cells in (still, laid))
    size = np.maximum(_parts(seen), 1)
    ones, others, common = _parts(a * a) / size, _parts(b * b) / size, _parts(a * b) / size
    alike = common / np.sqrt((ones + NOISE) * (others + NOISE))
    contrast = np.sqrt((ones.sum(1) + 1e-6) / (others.sum(1) + 1e-6))[:, None]
    weights = (np.maximum(ones - NOISE, 0) / contrast + np.maximum(others - NOISE, 0) * contrast) ** (
        WEIGHT_EXPONENT
    ) * (size > MIN_SHOWN * PART_SIDE**2)
    total = weights.sum(1)
    mean = (weights * alike).sum(1) / np.maximum(total, 1e-9)
    return np.asarray(np.where(total > 0, mean, 1), np.float32)


def _laid_over(still: Cells, moving: Cells, by: Arithmetic | None) -> tuple[Cells, Shown]:
    """``moving`` where it fits ``still`` best, found in coarse cells first."""
    sizes = [(still, moving)]
    while sizes[-1][0].shape[1] > COARSEST_SIDE:
        sizes.append((halved(sizes[-1][0]), halved(sizes[-1][1])))
    alignments = at_rest(len(still))
    for one, other in reversed(sizes):
        alignments = align(one, other, alignments, STEPS, by)
    return seen_at(moving, alignments)


def _details(cells: Cells) -> Cells:
    """Cells less what surrounds them."""
    return cells - neighbourhood(neighbourhood(cells))


def _parts(cells: Cells) -> Cells:
    """Sums over each part, float32[n, parts]."""
    count, across = len(cells), cells.shape[1] // PART_SIDE
    sums = cells.reshape(count, across, PART_SIDE, across, PART_SIDE).sum((2, 4))
    return np.asarray(sums.reshape(count, -1), np.float32)
