"""How sure it is that two fingerprints are of the same picture.

One fingerprint is laid over the other as well as a change of scale and place along both axes allows, which
undoes a slight crop: the enhanced correlation coefficient is climbed by forwards Gauss-Newton steps
(Evangelidis and Psarakis, "Parametric image alignment using enhanced correlation coefficient maximization",
2008), all pairs at once. Then

    likeness = d (1 + c) / 2
    d: correlation of the details of luma, c: correlation of chroma, each 0 if negative

over the part that both show. Correlations do not see brightness and contrast. Details are what a cell's
surroundings do not have: without them any two sunsets would be alike. Colours count less, since a brighter
copy has lost some of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.fingerprint import CHROMA_NOISE, chroma, luma, neighbourhood

COARSE_STEPS, FINE_STEPS = 3, 5  # with half as many cells a side, then with all of them
MAX_SCALE = 1.25  # and its reciprocal the least
MAX_SHIFT = 0.12  # of a side
MAX_STEP = 0.05  # of scale, and of shift in sides
MIN_OVERLAP = 0.6  # share of the square that both must show
# correlation of the coarse cells' details without which the fine ones are not looked at
MIN_COARSE_DETAIL = 0.45
PAIRS_AT_ONCE = 512

Cells = NDArray[np.float32]
Shown = NDArray[np.bool_]
Alignments = NDArray[np.float64]
"""[n, 4]: scale and shift across, scale and shift down, see :func:`align`."""
Look = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""What :func:`looked` finds."""


@dataclass(frozen=True)
class Arithmetic:
    """What is done with the cells of many pairs: PLAIN by numpy; `index.alignment` has the same compiled.

    ``sizes``: of luma, uint8[n, s, s], the cells softened, and of these the means of 2 x 2. ``looked`` and
    ``detailed``: as :func:`looked` and :func:`detailed`."""

    sizes: Callable[[NDArray[np.uint8]], tuple[Cells, Cells]]
    looked: Callable[[Cells, Cells, Alignments], Look]
    detailed: Callable[[Cells, Cells, Alignments], NDArray[np.float64]]


def likeness(
    one: NDArray[np.uint8], other: NDArray[np.uint8], by: Arithmetic | None = None
) -> NDArray[np.float32]:
    """The likeness, float32[n], 0..1, of pairs of fingerprints, uint8[n, FINGERPRINT_BYTES] each. It does not
    matter which is which. ``by``: PLAIN, unless told."""
    found = np.zeros(len(one), np.float32)
    for start in range(0, len(one), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        found[part] = _compared(one[part], other[part], by or PLAIN)
    return found


def _compared(one: NDArray[np.uint8], other: NDArray[np.uint8], by: Arithmetic) -> NDArray[np.float32]:
    first, second = by.sizes(luma(one)), by.sizes(luma(other))
    colours = chroma(one), chroma(other)
    return np.maximum(_laid_over(first, second, *colours, by), _laid_over(second, first, *colours[::-1], by))


def _laid_over(
    one: tuple[Cells, Cells],
    other: tuple[Cells, Cells],
    still_chroma: NDArray[np.uint8],
    moving_chroma: NDArray[np.uint8],
    by: Arithmetic,
) -> NDArray[np.float32]:
    """The likeness when ``other`` is laid over ``one``, of each luma, fine and coarse."""
    (still, still_few), (moving, moving_few) = one, other
    alignments = align(still_few, moving_few, at_rest(len(still)), COARSE_STEPS, by)
    likely = np.flatnonzero(by.detailed(still_few, moving_few, alignments) >= MIN_COARSE_DETAIL)
    found = np.zeros(len(still), np.float32)
    if not likely.size:
        return found
    still, moving = still[likely], moving[likely]
    alignments = align(still, moving, alignments[likely], FINE_STEPS, by)
    detail = by.detailed(still, moving, alignments)
    colours = [(still_chroma[likely, plane], moving_chroma[likely, plane]) for plane in range(2)]
    found[likely] = np.maximum(detail, 0) * (1 + np.maximum(_colour(colours, alignments), 0)) / 2
    return found


def align(
    still: Cells, moving: Cells, alignments: Alignments, steps: int, by: Arithmetic | None = None
) -> Alignments:
    """Where ``moving`` has what ``still`` shows, found from ``alignments``: cell x of ``still``, counted from
    the middle in sides, is at scale * x + shift in ``moving``. Cells are float32[n, s, s]."""
    look = (by or PLAIN).looked
    best, found = np.full(len(still), -2.0), alignments
    for step in range(steps + 1):
        level, share, change = look(still, moving, alignments)
        better = (level > best) & (share >= MIN_OVERLAP)
        best, found = np.where(better, level, best), np.where(better[:, None], alignments, found)
        if step < steps:
            alignments = alignments + change.clip(-MAX_STEP, MAX_STEP)
            alignments[:, ::2] = alignments[:, ::2].clip(1 / MAX_SCALE, MAX_SCALE)
            alignments[:, 1::2] = alignments[:, 1::2].clip(-MAX_SHIFT, MAX_SHIFT)
    return found


def looked(still: Cells, moving: Cells, alignments: Alignments) -> Look:
    """Of ``moving`` laid over ``still`` at ``alignments``: how well they agree, float64[n], -1..1; the share
    of the square that both show, float64[n]; and the change of alignments, float64[n, 4], that would make the
    correlation greatest, were the pictures linear in it."""
    moved, shown = seen_at(moving, alignments)
    level = _correlation(still, moved, shown)
    return level, shown.mean((1, 2)), _step(still, moved, shown, alignments)


def detailed(still: Cells, moving: Cells, alignments: Alignments) -> NDArray[np.float64]:
    """How well the details agree there: float64[n], -1..1."""
    moved, shown = seen_at(moving, alignments)
    return _correlation(still - neighbourhood(still), moved - neighbourhood(moved), shown)


def at_rest(count: int) -> Alignments:
    """Alignments that leave everything where it is."""
    return np.tile(np.array([1.0, 0.0, 1.0, 0.0]), (count, 1))


def _step(still: Cells, moved: Cells, shown: Shown, alignments: Alignments) -> NDArray[np.float64]:
    across = _slope(moved, 2) / alignments[:, 0, None, None].astype(np.float32)
    down = _slope(moved, 1) / alignments[:, 2, None, None].astype(np.float32)
    middle = _middle(still.shape[1]).astype(np.float32)
    slopes = [
        _centred(np.asarray(each, np.float32), shown)
        for each in (across * middle, across, down * middle[:, None], down)
    ]
    jacobian = np.stack(slopes, -1).reshape(len(still), still[0].size, 4)
    target, now = (_centred(each, shown).reshape(len(still), -1) for each in (still, moved))
    transposed = jacobian.transpose(0, 2, 1)
    squares = (transposed @ jacobian).astype(np.float64)
    squares += np.eye(4) * (1e-3 * np.trace(squares, axis1=1, axis2=2) / 4 + 1e-6)[:, None, None]
    seen = (transposed @ np.stack([target, now], -1)).astype(np.float64)  # [n, 4, 2]
    solved = np.linalg.solve(squares, seen)
    own = np.einsum("ij,ij->i", now, now) - np.einsum("ij,ij->i", seen[..., 1], solved[..., 1])
    common = np.einsum("ij,ij->i", target, now) - np.einsum("ij,ij->i", seen[..., 0], solved[..., 1])
    gain = np.where(common > 1e-6, own / np.maximum(common, 1e-6), 1.0)
    change: NDArray[np.float64] = gain[:, None] * solved[..., 0] - solved[..., 1]
    return change


def _colour(
    pairs: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]], alignments: Alignments
) -> NDArray[np.float64]:
    """The correlation of Cb and Cr together; near 1 where both pictures are grey."""
    common = squares = others = np.zeros(len(alignments))
    for still, moving in pairs:
        moved, shown = seen_at(moving.astype(np.float32), alignments)
        a, b = _centred(still.astype(np.float32), shown), _centred(moved, shown)
        faint = CHROMA_NOISE * shown.sum((1, 2))
        common = common + np.einsum("ijk,ijk->i", a, b) + faint
        squares = squares + np.einsum("ijk,ijk->i", a, a) + faint
        others = others + np.einsum("ijk,ijk->i", b, b) + faint
    return np.asarray(common / np.sqrt(squares * others + 1e-6), np.float64)


def softened(cells: Cells) -> Cells:
    """Cells, float32[n, s, s], blended with their neighbours, 1 2 1 each way: a copy of half the size has no
    finer detail than that."""
    soft, side = cells, cells.shape[1]
    for axis in (1, 2):
        ends = [(0, 0)] * 3
        ends[axis] = (1, 1)
        wide = np.pad(soft, ends, mode="edge")
        before, after = (np.take(wide, range(start, start + side), axis) for start in (0, 2))
        soft = np.asarray((before + after + 2 * np.take(wide, range(1, side + 1), axis)) / 4, np.float32)
    return soft


def halved(cells: Cells) -> Cells:
    """Means of 2 x 2 cells."""
    return (
        cells[:, ::2, ::2] + cells[:, ::2, 1::2] + cells[:, 1::2, ::2] + cells[:, 1::2, 1::2]
    ) / np.float32(4)


def _sizes(light: NDArray[np.uint8]) -> tuple[Cells, Cells]:
    fine = softened(light.astype(np.float32))
    return fine, halved(fine)


def seen_at(cells: Cells, alignments: Alignments) -> tuple[Cells, Shown]:
    """Cells as they are at ``alignments``, and which of them lie within the picture."""
    side = cells.shape[1]
    (across, seen), (down, also_seen) = (
        _sampling(side, alignments[:, i], alignments[:, i + 1]) for i in (0, 2)
    )
    return np.asarray(down @ cells @ across.transpose(0, 2, 1), np.float32), also_seen[:, :, None] & seen[
        :, None, :
    ]


def _sampling(side: int, scale: NDArray[np.float64], shift: NDArray[np.float64]) -> tuple[Cells, Shown]:
    """float32[n, side, side] that takes a line of cells to what is between them at scale and shift; and what
    is inside."""
    at = (scale[:, None] * _middle(side) + shift[:, None] + 0.5) * side - 0.5
    inside = (at >= -0.5 - 1e-9) & (at <= side - 0.5 + 1e-9)
    weights = 1 - np.abs(at.clip(0, side - 1)[:, :, None] - np.arange(side))
    return weights.clip(0).astype(np.float32), inside


def _middle(side: int) -> NDArray[np.float64]:
    """The middles of the cells of a side, from -1/2 to 1/2."""
    return (np.arange(side) + 0.5) / side - 0.5


def _slope(cells: Cells, axis: int) -> Cells:
    """How fast cells change along an axis, in units of a side."""
    return np.asarray(np.gradient(cells, 1 / cells.shape[axis], axis=axis), np.float32)


def _centred(cells: Cells, shown: Shown) -> Cells:
    """Cells less their mean over what is shown, 0 elsewhere."""
    mean = np.einsum("ijk,ijk->i", cells, shown.astype(np.float32)) / np.maximum(shown.sum((1, 2)), 1)
    return np.where(shown, cells - mean.astype(np.float32)[:, None, None], np.float32(0))


def _correlation(one: Cells, other: Cells, shown: Shown) -> NDArray[np.float64]:
    """Pearson's coefficient over what is shown, -1..1; 0 where there is nothing to compare."""
    a, b = _centred(one, shown), _centred(other, shown)
    squares = np.einsum("ijk,ijk->i", a, a).astype(np.float64) * np.einsum("ijk,ijk->i", b, b)
    return np.asarray(np.einsum("ijk,ijk->i", a, b) / np.sqrt(squares + 1e-6), np.float64)


PLAIN = Arithmetic(_sizes, looked, detailed)
