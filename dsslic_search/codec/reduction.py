"""The compact image as a box average; and photos of which nothing of their own size is kept: what keep mode
"reference" needs of one, made from a picture of fewer pixels.

::

    file ── decoded at 1/shrink ──► reduced ── SegNet ──► s
                                      └─ box average ──► c

JPEG files are decoded at the reduced size, which leaves out most of the work; photos of other formats are box
averaged, which is what a JPEG decoder does there.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.open import SourcePhoto, decoded, read_header
from dsslic_search.core.kinds import KeepMode
from dsslic_search.networks.grid import SCALE

SHRINKS = (8, 4, 2, 1)  # pixels of the photo per pixel, each way: what JPEG decoders offer
OVERSAMPLING = 2
"""Pixels of the reduced picture per pixel that the segmenter looks at, each way, at the least: with fewer,
box averages would blur what it sees."""


def shrink_for(height: int, width: int, options: EncodeOptions) -> int:
    """By how much every side of a photo of that size, upright or not, may be shrunk before it is encoded.

    1 unless the keep mode is "reference" and the segmenter says at what size it looks at photos
    (``working_size``, see docs/segmenters.md)."""
    looks_at = getattr(options.chosen_segmenter(), "working_size", None)
    if options.mode is not KeepMode.REFERENCE or looks_at is None:
        return 1
    rows, columns = looks_at(height, width)
    return next(
        (
            shrink
            for shrink in SHRINKS
            if height >= OVERSAMPLING * rows * shrink and width >= OVERSAMPLING * columns * shrink
        ),
        1,
    )


def open_for(data: bytes, name: str, max_pixels: int, options: EncodeOptions) -> SourcePhoto:
    """:func:`dsslic_search.codec.picture.open.open_photo`, decoding no more than ``options`` need."""
    return decoded_for(read_header(data, name, max_pixels), name, options)


def decoded_for(header: Header, name: str, options: EncodeOptions) -> SourcePhoto:
    """:func:`dsslic_search.codec.picture.open.decoded`, in the same way."""
    shrink = shrink_for(header.height, header.width, options)
    return reduced(decoded(header, name, shrink=shrink), shrink)


def reduced(photo: SourcePhoto, shrink: int) -> SourcePhoto:
    """The photo with every side of its pixels shrunk ``shrink`` times from its full size, rounded up; as it
    is where they are shrunk so much already. Opacity, which is kept of whole photos alone, is left out."""
    still = shrink // shrunk(photo)
    if still <= 1:
        return photo
    return replace(photo, pixels=_averaged(photo.pixels, still), alpha=None)


def shrunk(photo: SourcePhoto) -> int:
    """Pixels of the photo per pixel that there is, each way, of :data:`SHRINKS`."""
    there = photo.pixels.shape[:2]
    return next(s for s in sorted(SHRINKS) if (-(-photo.height // s), -(-photo.width // s)) == there)


def box_average(photo: SourcePhoto) -> NDArray[np.uint8]:
    """The compact image in keep mode "reference": the mean of each 8×8 pixels of the photo, uint8
    [⌈H/8⌉, ⌈W/8⌉, 3]; at the lower and right edge of those that are there."""
    return _averaged(photo.pixels, SCALE // shrunk(photo))


def compact_image(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The compact image in the other keep modes: (sum + 32) // 64 of each 8×8 pixels of the whole photo,
    uint8 [H, W, 3] → [⌈H/8⌉, ⌈W/8⌉, 3]; beyond the lower and right edge the edge continues.

    To the bit what CompNet makes with the weights that ship: all units before its last convolution are 0 on
    photos (weights/compnet.md), so that it is this average and nothing else. Weights that add something need
    :func:`dsslic_search.networks.runtime.make_compact` here; a test compares the two.
    """
    height, width = pixels.shape[:2]
    below, right = -height % SCALE, -width % SCALE
    made = _averaged(pixels, SCALE)
    if below:
        strip = np.pad(pixels[height // SCALE * SCALE :], ((0, below), (0, right), (0, 0)), "edge")
        made[-1:] = _averaged(strip, SCALE)
    if right:
        strip = np.pad(pixels[:, width // SCALE * SCALE :], ((0, below), (0, right), (0, 0)), "edge")
        made[:, -1:] = _averaged(strip, SCALE)
    return made


def _averaged(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    from PIL import Image

    return np.array(Image.fromarray(pixels).reduce(factor)) if factor > 1 else pixels
