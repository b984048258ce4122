"""What the encoder finds out about one photo by trying: what a choice of the residual costs, how strongly the
decoded photo should be restored, and how fine a compact image the file's bytes allow."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.bpg.colour import bands
from dsslic_search.codec.bpg.x265 import Search
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.layers import compact, residual
from dsslic_search.codec.layers.planes import Planes
from dsslic_search.codec.layers.terms import SIXTY_FOURTHS, Terms
from dsslic_search.networks import runtime
from dsslic_search.networks.grid import LABEL_SCALE, SCALE

WINDOW_SIDE = 64  # pixels, of the parts of a photo that the restoration's strength is fitted to
GRAPHIC_FLAT_SHARE = 0.6  # of a graphic's pixels equal the one to their left
GRAPHIC_EDGE_STEP = 24  # grey levels
GRAPHIC_EDGE_SHARE = 0.1  # of the others differ from it by more than that
MAX_STRENGTH = 255  # sixty-fourths: what a byte holds
FINER_UP_TO_QUALITY = 50  # up to which the compact image is coarse enough to gain by a finer QP
FINER_ONE_IN = 200  # bytes of a file that a finer compact image may take more
FINER_MOST_QPS = 8
_BYTES_A_QP = 1.15  # of a compact image, beside those at the next coarser QP


def rate_distortion_cost(
    photo: NDArray[np.uint8],
    picture: bytes,
    planes: Planes,
    terms: Terms,
    coarse: NDArray[np.uint8] | None,
    qp: int,
) -> float:
    """D + λ·R of a residual: squared error in grey levels², of the mean of the photo's channels, and bits at
    their price.

    ``photo``: uint8 [H, W, 3] or [H, W]; ``picture``: its coded residual under ``terms``, relative to
    ``coarse``, and ``planes``: decoded from it.
    """
    distortion = 0.0
    for at in bands(*photo.shape[:2]):
        shown = residual.reconstruct(
            tuple(p[at] for p in planes), terms, coarse=None if coarse is None else coarse[at]
        )
        distortion += squared_error(shown, photo[at], 4)
    channels = 1 if photo.ndim == 2 else 3
    return distortion / channels + bit_price(qp) * 8 * len(picture)


def bit_price(qp: int) -> float:
    """λ, the squared error in grey levels² that a bit is worth at a QP: 0.57·2^((QP − 12) / 3), as the HEVC
    reference software has it for intra pictures."""
    return float(0.57 * 2 ** ((qp - 12) / 3))


def search_for(photo: NDArray[np.uint8], search: Search) -> Search:
    """What x265 should try on a photo, uint8 [H, W, 3] or [H, W], where ``search`` is wanted: everything on
    screenshots, drawings and other graphics, which have sharp edges between flat areas."""
    return Search.EVERYTHING if search is Search.PHOTO and is_graphic(photo) else search


def is_graphic(photo: NDArray[np.uint8]) -> bool:
    """Whether most pixels equal their neighbour, and many of the others differ from it sharply."""
    green = photo if photo.ndim == 2 else photo[..., 1]
    count = flat = sharp = 0
    for at in bands(*green.shape):
        steps = np.abs(np.diff(green[at].astype(np.int16), axis=1))
        count += steps.size
        flat += int(np.count_nonzero(steps == 0))
        sharp += int(np.count_nonzero(steps > GRAPHIC_EDGE_STEP))
    return flat >= GRAPHIC_FLAT_SHARE * count and sharp > GRAPHIC_EDGE_SHARE * (count - flat)


def restoration_strength(
    photo: NDArray[np.uint8],
    planes: Planes,
    terms: Terms,
    coarse: NDArray[np.uint8] | None,
    marks: NDArray[np.int64],
    qp: int,
) -> int:
    """How much of the restoration network's correction leaves the least squared error, 0..255 in 1/64.

    Least squares in one unknown: what is lacking, projected on the correction. ``photo``, ``planes``,
    ``terms`` and ``coarse`` as for :func:`rate_distortion_cost`; ``marks``: the whole photo's labels, int64
    [⌈H/8⌉·2, ⌈W/8⌉·2]. Looks at the parts of the photo that :func:`windows` gives.
    """
    along = power = 0.0
    for ys, xs in windows(*photo.shape[:2]):
        part = residual.reconstruct(
            tuple(p[ys, xs] for p in planes), terms, coarse=None if coarse is None else coarse[ys, xs]
        )
        under = marks[ys.start // LABEL_SCALE :, xs.start // LABEL_SCALE :]
        lacking = photo[ys, xs] - part.astype(np.float32) / 4
        for rows, columns, correction in runtime.corrections(part, under, qp):
            along += float(np.vdot(lacking[rows, columns], correction))
            power += float(np.vdot(correction, correction))
    return int(np.clip(round(SIXTY_FOURTHS * along / power), 0, MAX_STRENGTH)) if power else 0


def finer_compact(image: NDArray[np.uint8], coded: Chunk, qp: int, file_bytes: int) -> tuple[Chunk, int]:
    """A compact image coded at the finest QP for which a file of ``file_bytes`` gets at most half a percent
    longer, and that QP, as far as the usual growth from one QP to the next foretells it; ``coded`` and ``qp``
    where there is none.

    ``image``: uint8 [h, w, 3] or [h, w], of which ``coded`` was made at ``qp``. What it gains:
    docs/decisions/0006-compact-image.md.
    """
    limit = len(coded.data) + file_bytes // FINER_ONE_IN
    if limit <= len(coded.data):
        return coded, qp
    steps = int(math.log(limit / len(coded.data)) / math.log(_BYTES_A_QP))
    for finer in range(min(steps, FINER_MOST_QPS, qp), 0, -1):
        tried = compact.encode(image, qp - finer)
        if len(tried.data) <= limit:
            return tried, qp - finer
    return coded, qp


def windows(height: int, width: int) -> list[tuple[slice, slice]]:
    """(rows, columns) of the parts of a photo that stand for it: four windows around its middle, their
    corners on whole compact pixels, or all of a small photo."""
    if height * width <= 8 * WINDOW_SIDE**2:
        return [(slice(0, height), slice(0, width))]
    sides = min(height, WINDOW_SIDE), min(width, WINDOW_SIDE)
    starts = [
        sorted({(size - side) * k // 4 // SCALE * SCALE for k in (1, 3)})
        for size, side in zip((height, width), sides, strict=True)
    ]
    return [(slice(y, y + sides[0]), slice(x, x + sides[1])) for y in starts[0] for x in starts[1]]


def squared_error(shown: NDArray[np.integer], wanted: NDArray[np.uint8], parts: int = 1) -> float:
    """Sum of squared errors in grey levels² of what is shown in ``parts`` of a grey level."""
    differences = (shown[at].astype(np.float32) / parts - wanted[at] for at in bands(*shown.shape[:2]))
    return sum(float(np.square(each).sum(dtype=np.float64)) for each in differences)
