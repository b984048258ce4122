"""The residual's layer: what the coarse image, as far as it is trusted, lacks of the photo, as a BPG picture
of three or one planes behind its terms (:mod:`dsslic_search.codec.layers.terms`).

r = x − w·x′. HEVC predicts even areas and edges by itself, and a coarse image from an eighth of each side
mostly gets in its way: the trust w is 0 unless the encoder found that more saves bits, and 1 where classes
matter unequally, for then r is scaled class by class. Planes are along the photo's colour axes
(:mod:`dsslic_search.codec.layers.axes`): four steps a grey level for w = 0, otherwise two, around the middle,
as differences need twice the room.

A lossless file has the photo itself in this layer: :mod:`dsslic_search.codec.layers.lossless`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import bpg
from dsslic_search.codec.bpg.colour import bands
from dsslic_search.codec.bpg.x265 import Search
from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.codec.layers.axes import BIT_DEPTH, FRACTION_BITS
from dsslic_search.codec.layers.planes import Planes, read_samples
from dsslic_search.codec.layers.terms import SIXTY_FOURTHS, Terms
from dsslic_search.core.kinds import Stage, Tune

FIRST_BPG = 1  # as version 0.1 wrote it: r = x − x′ in BT.601, without terms
BPG = 2
JPEG_XL = 3  # the photo itself
NORMALISED = 4  # as the paper has it: :mod:`dsslic_search.codec.layers.normalised`
LAYER = Layer("RESI", "the residual", (FIRST_BPG, BPG, JPEG_XL, NORMALISED), (Stage.FULL,), holds_photo=True)

DIFFERENCE_QP_OFFSET = 6  # differences are coded at half the scale: the same distortion needs a QP 6 lower
WHITE_QUARTERS = 255 << FRACTION_BITS
_MIDDLE = 1 << (BIT_DEPTH - 1)

Quarters = NDArray[np.int16]  # pixels [H, W, 3] or [H, W] in quarters of a grey level


def chunk(terms: Terms, picture: bytes) -> Chunk:
    """The layer of a picture that :func:`encode_picture` made under ``terms``, or under terms that differ in
    the restoration alone."""
    return LAYER.chunk(BPG, terms.to_bytes() + picture)


def encode_picture(
    pixels: NDArray[np.uint8],
    qp: int,
    terms: Terms,
    *,
    coarse: NDArray[np.uint8] | None = None,
    labels: NDArray[np.uint8] | None = None,
    preset: str = "slow",
    search: Search = Search.PLAIN,
    tune: Tune = Tune.PSNR,
) -> bytes:
    """The BPG picture of a photo, uint8 [H, W, 3] or [H, W], under ``terms``.

    ``qp``: as for coding the photo directly, 0..51. ``coarse``: of the photo's shape, needed where
    ``terms.trust`` is not 0; ``labels``: class ids [H, W], needed where there are gains. ``preset`` and
    ``search``: how hard to try, and ``tune``: what for, see
    :func:`dsslic_search.codec.bpg.hevc.encode_intra`.
    """
    height, width = pixels.shape[:2]
    count = 1 if terms.axes is None else 3

    def make(rows: slice) -> list[NDArray[np.uint16]]:
        planes = [np.empty((rows.stop - rows.start, width), np.uint16) for _ in range(count)]
        for part in bands(rows.stop - rows.start, width):
            at = slice(rows.start + part.start, rows.start + part.stop)
            made = _to_planes(
                pixels[at],
                terms,
                None if coarse is None else coarse[at],
                None if labels is None else labels[at],
            )
            for plane, values in zip(planes, made, strict=True):
                plane[part] = values
        return planes

    lowered = max(0, qp - DIFFERENCE_QP_OFFSET) if terms.trust else qp
    return bpg.encode_rows(
        make,
        (height, width, count),
        qp=lowered,
        bit_depth=BIT_DEPTH,
        preset=preset,
        search=search,
        tune=tune,
    )


def _to_planes(
    pixels: NDArray[np.uint8],
    terms: Terms,
    coarse: NDArray[np.uint8] | None,
    labels: NDArray[np.uint8] | None,
) -> Planes:
    if not terms.trust:
        return (
            ((pixels.astype(np.uint16) << FRACTION_BITS).astype(np.uint16, copy=False),)
            if terms.axes is None
            else terms.axes.planes(pixels)
        )
    assert coarse is not None
    difference: NDArray[np.int16] = pixels - predicted(coarse, terms.trust)
    if terms.gains is not None:
        assert labels is not None
        gains = _spread(terms.gains.table()[labels], difference.ndim)
        difference = ((difference * gains + SIXTY_FOURTHS // 2) // SIXTY_FOURTHS).astype(np.int16)
    return (
        ((2 * difference + _MIDDLE).astype(np.uint16),)
        if terms.axes is None
        else terms.axes.difference_planes(difference)
    )


def reconstruct(
    planes: Planes,
    terms: Terms,
    *,
    coarse: NDArray[np.uint8] | None = None,
    labels: NDArray[np.uint8] | None = None,
) -> Quarters:
    """The photo from the decoded planes of its residual, before restoration: int16 of the photo's shape,
    quarters of a grey level in 0..1020. Arguments as for :func:`encode_picture`."""
    out = np.empty(_shape(planes, terms), np.int16)
    for at, found in _decoded(planes, terms, coarse, labels):
        out[at] = found
    return out


def reconstruct_whole(
    planes: Planes,
    terms: Terms,
    *,
    coarse: NDArray[np.uint8] | None = None,
    labels: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """:func:`reconstruct` in whole grey levels, uint8, for photos that are not to be restored."""
    out = np.empty(_shape(planes, terms), np.uint8)
    for at, found in _decoded(planes, terms, coarse, labels):
        out[at] = whole(found)
    return out


def _shape(planes: Planes, terms: Terms) -> tuple[int, ...]:
    return planes[0].shape if terms.axes is None else (*planes[0].shape, 3)


def _decoded(
    planes: Planes,
    terms: Terms,
    coarse: NDArray[np.uint8] | None,
    labels: NDArray[np.uint8] | None,
) -> Iterator[tuple[slice, NDArray[np.signedinteger]]]:
    """Bands of rows, and the photo there in quarters of a grey level, 0..1020."""
    for at in bands(*planes[0].shape):
        part = tuple(plane[at] for plane in planes)
        found = _from_planes(
            part, terms, None if coarse is None else coarse[at], None if labels is None else labels[at]
        )
        yield at, np.clip(found, 0, WHITE_QUARTERS)


def _from_planes(
    planes: Planes,
    terms: Terms,
    coarse: NDArray[np.uint8] | None,
    labels: NDArray[np.uint8] | None,
) -> NDArray[np.signedinteger]:
    if not terms.trust:
        return planes[0].astype(np.int16) if terms.axes is None else terms.axes.pixels(planes)
    assert coarse is not None
    expected = predicted(coarse, terms.trust) << FRACTION_BITS
    found = _difference_quarters(planes, terms)
    if terms.gains is None:
        return found + expected
    assert labels is not None
    gains = _spread(terms.gains.table()[labels], found.ndim)
    return (found * np.int32(2 * SIXTY_FOURTHS) + gains) // (2 * gains) + expected


def _difference_quarters(planes: Planes, terms: Terms) -> Quarters:
    if terms.axes is None:
        return (planes[0].astype(np.int16) - _MIDDLE) * np.int16(2)
    return terms.axes.differences(planes)


def differences(planes: Planes, terms: Terms) -> NDArray[np.int16]:
    """What planes hold under terms that lean on the coarse image: r, times the gain of its class where there
    are gains, in whole grey levels."""
    return ((_difference_quarters(planes, terms) + np.int16(2)) >> np.int16(FRACTION_BITS)).astype(np.int16)


def predicted(coarse: NDArray[np.uint8], trust: int) -> NDArray[np.int16]:
    """w·x′ + (1 − w)·128, rounded: what little is trusted leaves a middle grey."""
    return (
        (coarse.astype(np.int16) * trust + 128 * (SIXTY_FOURTHS - trust) + SIXTY_FOURTHS // 2)
        // SIXTY_FOURTHS
    ).astype(np.int16)


def whole(quarters: NDArray[np.signedinteger]) -> NDArray[np.uint8]:
    """Quarters of a grey level in 0..1020 → uint8."""
    return ((quarters + 2) >> FRACTION_BITS).astype(np.uint8)


def _spread(per_pixel: NDArray[np.int32], dimensions: int) -> NDArray[np.int32]:
    return per_pixel[..., None] if dimensions == 3 else per_pixel


def decode_first(chunk: Chunk, coarse: NDArray[np.uint8], grey: bool) -> NDArray[np.uint8]:
    """The photo, uint8 of the shape of ``coarse``, from a layer of codec :data:`FIRST_BPG` and the coarse
    image that it was taken from. FormatError when the chunk is damaged or not of that size."""
    height, width = coarse.shape[:2]
    return apply_first(coarse, read_samples(chunk.data, grey, BIT_DEPTH, (height, width)))


def apply_first(coarse: NDArray[np.uint8], samples: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The photo from a residual as version 0.1 wrote it: samples 512 + 2·(x − x′), of red, green and blue or
    of one plane."""
    return (coarse + _first_difference(samples)).clip(0, 255).astype(np.uint8)


def first_differences(data: bytes, grey: bool) -> NDArray[np.int16]:
    """x − x′ alone, of the picture of a residual as version 0.1 wrote it."""
    return _first_difference(read_samples(data, grey, BIT_DEPTH, None))


def _first_difference(samples: NDArray[np.uint16]) -> NDArray[np.int16]:
    return ((samples.astype(np.int16) - _MIDDLE + 1) >> 1).astype(np.int16)
