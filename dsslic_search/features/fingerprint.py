"""A small portrait of a photo, made from its compact image, by which the same picture is known again.

::

    picture ─► luma, mean of 24 x 24 cells, brightness and contrast evened out ─┐
          └──► Cb and Cr, means of 8 x 8 cells ─────────────────────────────────┴─► 704 bytes
    704 bytes ─► descriptor, 96 numbers

Whole photos are squeezed into the square, so the same picture in another size has the same fingerprint. The
descriptor is for finding candidates by inner product: slightly cropped or retouched copies have descriptors
that are near. `features.likeness` then compares two fingerprints carefully.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LUMA_SIDE = 24  # cells of luma a side
CHROMA_SIDE = 8  # cells of Cb and of Cr a side
FINGERPRINT_BYTES = LUMA_SIDE * LUMA_SIDE + 2 * CHROMA_SIDE * CHROMA_SIDE  # bytes of a fingerprint

DESCRIPTOR_LUMA_SIDE = 8  # means of the fingerprint's cells a side
_DESCRIPTOR_CHROMA_SIDE = 4
DESCRIPTOR_LENGTH = DESCRIPTOR_LUMA_SIDE**2 + 2 * _DESCRIPTOR_CHROMA_SIDE**2  # numbers of a descriptor
_CHROMA_SHARE = 0.2  # of a descriptor's squared length
_LOCAL_CONTRAST = 0.7  # share of its neighbourhood's mean that is taken away from each cell of luma
CHROMA_NOISE = 20.0  # variance below which colours hardly count: what the compact image's coding adds

LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue
_GREY = 128.0  # what stands for no colour, and for the mean of luma
_LUMA_RANGE = 127.0  # the greatest distance from it


def fingerprint(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The fingerprint, uint8[FINGERPRINT_BYTES], of a picture, uint8 [h, w, 3] sRGB or [h, w] grey, of any
    size."""
    rgb = np.repeat(picture[..., None], 3, 2) if picture.ndim == 2 else picture
    cells = means(rgb, LUMA_SIDE, LUMA_SIDE) @ LUMA_WEIGHTS
    cells -= cells.mean()
    cells *= _LUMA_RANGE / max(float(np.abs(cells).max()), 1e-3)
    few = means(rgb, CHROMA_SIDE, CHROMA_SIDE)
    blue = few @ np.array([-0.168736, -0.331264, 0.5], np.float32)
    red = few @ np.array([0.5, -0.418688, -0.081312], np.float32)
    parts = [np.rint(each + _GREY).clip(0, 255).astype(np.uint8).ravel() for each in (cells, blue, red)]
    return np.concatenate(parts)


def mirrored(prints: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The fingerprints, uint8[n, FINGERPRINT_BYTES], of the mirror images of pictures of which ``prints`` are
    those."""
    return np.concatenate(
        [
            luma(prints)[:, :, ::-1].reshape(len(prints), -1),
            chroma(prints)[..., ::-1].reshape(len(prints), -1),
        ],
        1,
    )


def luma(prints: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The luma of fingerprints, uint8[n, LUMA_SIDE, LUMA_SIDE], in a scale of each picture's own."""
    return prints[:, : LUMA_SIDE * LUMA_SIDE].reshape(-1, LUMA_SIDE, LUMA_SIDE)


def chroma(prints: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cb and Cr of fingerprints, uint8[n, 2, CHROMA_SIDE, CHROMA_SIDE], 128 for grey."""
    return prints[:, LUMA_SIDE * LUMA_SIDE :].reshape(-1, 2, CHROMA_SIDE, CHROMA_SIDE)


def descriptors(prints: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The descriptors of fingerprints, float32[n, DESCRIPTOR_LENGTH], of length 1 (or 0, for a picture
    without any contrast).

    The inner product of a picture's descriptor with that of a copy that is resized, recompressed, made
    brighter or darker is above 0.85, of a copy that is cropped by 4 % above 0.8; of two different pictures it
    is above 0.6 in one pair of a thousand."""
    count, block, patch = (
        len(prints),
        LUMA_SIDE // DESCRIPTOR_LUMA_SIDE,
        CHROMA_SIDE // _DESCRIPTOR_CHROMA_SIDE,
    )
    coarse = (
        luma(prints)
        .reshape(count, DESCRIPTOR_LUMA_SIDE, block, DESCRIPTOR_LUMA_SIDE, block)
        .mean((2, 4), dtype=np.float32)
    )
    coarse -= coarse.mean((1, 2), keepdims=True)
    coarse -= np.float32(_LOCAL_CONTRAST) * neighbourhood(coarse)
    colour = (
        chroma(prints)
        .reshape(count, 2, _DESCRIPTOR_CHROMA_SIDE, patch, _DESCRIPTOR_CHROMA_SIDE, patch)
        .mean((3, 5), dtype=np.float32)
    )
    colour -= colour.mean((2, 3), keepdims=True)
    faint = 2 * _DESCRIPTOR_CHROMA_SIDE * _DESCRIPTOR_CHROMA_SIDE * CHROMA_NOISE
    light = _unit(coarse.reshape(count, -1)) * np.float32(np.sqrt(1 - _CHROMA_SHARE))
    return _unit(
        np.concatenate(
            [light, _unit(colour.reshape(count, -1), faint) * np.float32(np.sqrt(_CHROMA_SHARE))], 1
        )
    )


def hues(prints: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What fingerprints show of colours, float32[n, 2 * CHROMA_SIDE² + 1], of length 1: the inner product of
    two is the correlation of their chroma as `features.likeness` has it, without any alignment; near 1 where
    both pictures are grey."""
    colour = chroma(prints).astype(np.float32)
    colour -= colour.mean((2, 3), keepdims=True)
    faint = np.full((len(prints), 1), np.sqrt(2 * CHROMA_SIDE**2 * CHROMA_NOISE), np.float32)
    return _unit(np.concatenate([colour.reshape(len(prints), -1), faint], 1))


def neighbourhood(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the 3 x 3 cells around each cell of float32[n, h, w]; the cells at the edge go on
    outside."""
    height, width = cells.shape[1:]
    wide = np.pad(cells, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = wide[:, :height] + wide[:, 1 : height + 1] + wide[:, 2:]
    return np.asarray((rows[..., :width] + rows[..., 1 : width + 1] + rows[..., 2:]) / 9, np.float32)


def _unit(rows: NDArray[np.float32], more: float = 1e-6) -> NDArray[np.float32]:
    """Rows divided by their length, or by somewhat more."""
    return np.asarray(rows / np.sqrt(np.einsum("ij,ij->i", rows, rows) + more)[:, None], np.float32)


def means(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float32]:
    """The mean colours, float32[height, width, 3], of so many cells of a picture, uint8 [h, w, 3]."""
    rows, columns = _shares(picture.shape[0], height), _shares(picture.shape[1], width)
    across = np.tensordot(columns, picture.astype(np.float32), (1, 1))  # [width, h, 3]
    return np.asarray(np.tensordot(rows, across, (1, 1)), np.float32)


@lru_cache(maxsize=64)
def _shares(length: int, cells: int) -> NDArray[np.float32]:
    """float32[cells, length]: how much of each cell every pixel of a side makes up; rows sum to 1."""
    edges = np.arange(cells + 1) * (length / cells)
    pixels = np.arange(length)
    shares = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.asarray(shares.clip(0) * (cells / length), np.float32)
