"""The residual layer: what the coarse image, as far as it is trusted, lacks of the photo, as a BPG picture of
three or one planes.

r = x − w·x′. HEVC predicts even areas and edges by itself, and a coarse image from an eighth of each side
mostly gets in its way: the trust w is 0 unless the encoder found that more saves bits, and 1 where classes
matter unequally, for then r is scaled class by class. Planes are along the photo's colour axes
(:mod:`dsslic_search.codec.layers.axes`): four steps a grey level for w = 0, otherwise two, around the middle,
as differences need twice the room.

::

    trust 1 byte, in 1/64 · strength of the restoration 1 byte, in 1/64
    · [identity of its network 8 bytes, if strength > 0]
    · weighted classes 1 byte · [gain of all others 1 byte
    · (class 1 byte · gain 1 byte) each, if any; gains in 1/64]
    · [colour axes 9 bytes, unless grey] · BPG picture
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.bpg import file as bpg
from dsslic_search.codec.bpg.colour import bands
from dsslic_search.codec.layers import axes
from dsslic_search.codec.layers.axes import BIT_DEPTH, FRACTION_BITS, Axes
from dsslic_search.core.errors import FormatError

FULL = 64  # a trust, strength or gain of 1
DIFFERENCE_QP = 6  # differences are coded at half the scale: the same distortion needs a QP 6 lower
NO_NETWORK = "0" * 16
WHITE = 255 << FRACTION_BITS
_MIDDLE = 1 << (BIT_DEPTH - 1)

Quarters = NDArray[np.int16]  # pixels [H, W, 3] or [H, W] in quarters of a grey level


@dataclass(frozen=True)
class Gains:
    """What r is multiplied with: ``of`` class ids, and ``others``; 1..64 in 1/64, so that nothing leaves the
    range of the planes."""

    others: int
    of: tuple[tuple[int, int], ...]

    def table(self) -> NDArray[np.int32]:
        """int32 [256], by class id."""
        table = np.full(256, self.others, np.int32)
        for class_id, gain in self.of:
            table[class_id] = gain
        return table


@dataclass(frozen=True)
class Terms:
    """What a residual chunk says before its picture. ``trust``: w, 0..64 in 1/64. ``strength``: of the
    restoration after decoding, 0..255 in 1/64, 0 for none; ``restorer``: identity of its weights. ``gains``:
    only with ``trust`` > 0. ``axes``: None for grey."""

    trust: int = 0
    strength: int = 0
    restorer: str = NO_NETWORK
    gains: Gains | None = None
    axes: Axes | None = None

    def to_bytes(self) -> bytes:
        """As laid out above."""
        parts = [bytes((self.trust, self.strength)), bytes.fromhex(self.restorer) if self.strength else b""]
        parts.append(
            bytes((0,))
            if self.gains is None
            else bytes((len(self.gains.of), self.gains.others, *sum(self.gains.of, ())))
        )
        return b"".join([*parts, self.axes.to_bytes() if self.axes else b""])


def read_terms(chunk: bytes, grey: bool) -> tuple[Terms, bytes]:
    """The terms of a chunk and the BPG picture after them. FormatError when they are cut short or not
    allowed."""
    at = 2

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        if at > len(chunk):
            raise FormatError("the residual's terms are cut short")
        return chunk[at - count : at]

    if len(chunk) < at or chunk[0] > FULL:
        raise FormatError("the residual's terms are damaged (impossible trust)")
    trust, strength = chunk[:2]
    restorer = take(8).hex() if strength else NO_NETWORK
    gains, weighted = None, take(1)[0]
    if weighted:
        raw = take(1 + 2 * weighted)
        pairs = tuple(zip(raw[1::2], raw[2::2], strict=True))
        if (
            not trust
            or not all(1 <= gain <= FULL for gain in (raw[0], *raw[2::2]))
            or len(dict(pairs)) != len(pairs)
        ):
            raise FormatError("the residual's terms are damaged (impossible gains)")
        gains = Gains(raw[0], pairs)
    found = None if grey else axes.from_bytes(take(axes.BYTES))
    return Terms(trust, strength, restorer, gains, found), chunk[at:]


def restorer_of(chunk: bytes) -> str | None:
    """The identity of the restoration network that a chunk, of which the first 10 bytes do, asks for; None
    where it asks for none."""
    return chunk[2:10].hex() if chunk[1:2] > b"\0" and len(chunk) >= 10 else None


def encode(
    pixels: NDArray[np.uint8],
    qp: int,
    terms: Terms,
    *,
    coarse: NDArray[np.uint8] | None = None,
    labels: NDArray[np.uint8] | None = None,
    preset: str = "slow",
    thorough: bool = False,
) -> bytes:
    """The BPG picture of a photo, uint8 [H, W, 3] or [H, W], under ``terms``.

    ``qp``: as for coding the photo directly, 0..51. ``coarse``: of the photo's shape, needed where
    ``terms.trust`` is not 0; ``labels``: class ids [H, W], needed where there are gains. ``preset`` and
    ``thorough``: how hard to try, see :func:`dsslic_search.codec.bpg.hevc.encode_intra`.
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

    lowered = max(0, qp - DIFFERENCE_QP) if terms.trust else qp
    return bpg.encode_rows(
        make, (height, width, count), qp=lowered, bit_depth=BIT_DEPTH, preset=preset, thorough=thorough
    )


def _to_planes(
    pixels: NDArray[np.uint8],
    terms: Terms,
    coarse: NDArray[np.uint8] | None,
    labels: NDArray[np.uint8] | None,
) -> tuple[NDArray[np.uint16], ...]:
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
        difference = ((difference * gains + FULL // 2) // FULL).astype(np.int16)
    return (
        ((2 * difference + _MIDDLE).astype(np.uint16),)
        if terms.axes is None
        else terms.axes.difference_planes(difference)
    )


def decode(
    planes: tuple[NDArray[np.uint16], ...],
    terms: Terms,
    *,
    coarse: NDArray[np.uint8] | None = None,
    labels: NDArray[np.uint8] | None = None,
) -> Quarters:
    """The photo from the decoded planes of its residual, before restoration: int16 of the photo's shape,
    quarters of a grey level in 0..1020. Arguments as for :func:`encode`."""
    out = np.empty(_shape(planes, terms), np.int16)
    for at, found in _decoded(planes, terms, coarse, labels):
        out[at] = found
    return out


def decode_whole(
    planes: tuple[NDArray[np.uint16], ...],
    terms: Terms,
    *,
    coarse: NDArray[np.uint8] | None = None,
    labels: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """:func:`decode` in whole grey levels, uint8, for photos that are not to be restored."""
    out = np.empty(_shape(planes, terms), np.uint8)
    for at, found in _decoded(planes, terms, coarse, labels):
        out[at] = whole(found)
    return out


def _shape(planes: tuple[NDArray[np.uint16], ...], terms: Terms) -> tuple[int, ...]:
    return planes[0].shape if terms.axes is None else (*planes[0].shape, 3)


def _decoded(
    planes: tuple[NDArray[np.uint16], ...],
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
        yield at, np.clip(found, 0, WHITE)


def _from_planes(
    planes: tuple[NDArray[np.uint16], ...],
    terms: Terms,
    coarse: NDArray[np.uint8] | None,
    labels: NDArray[np.uint8] | None,
) -> NDArray[np.signedinteger]:
    if not terms.trust:
        return planes[0].astype(np.int16) if terms.axes is None else terms.axes.pixels(planes)
    assert coarse is not None
    expected = predicted(coarse, terms.trust) << FRACTION_BITS
    found = (
        (planes[0].astype(np.int16) - _MIDDLE) * 2 if terms.axes is None else terms.axes.differences(planes)
    )
    if terms.gains is None:
        return found + expected
    assert labels is not None
    gains = _spread(terms.gains.table()[labels], found.ndim)
    return (found * np.int32(2 * FULL) + gains) // (2 * gains) + expected


def predicted(coarse: NDArray[np.uint8], trust: int) -> NDArray[np.int16]:
    """w·x′ + (1 − w)·128, rounded: what little is trusted leaves a middle grey."""
    return ((coarse.astype(np.int16) * trust + 128 * (FULL - trust) + FULL // 2) // FULL).astype(np.int16)


def whole(quarters: NDArray[np.signedinteger]) -> NDArray[np.uint8]:
    """Quarters of a grey level in 0..1020 → uint8."""
    return ((quarters + 2) >> FRACTION_BITS).astype(np.uint8)


def _spread(per_pixel: NDArray[np.int32], dimensions: int) -> NDArray[np.int32]:
    return per_pixel[..., None] if dimensions == 3 else per_pixel


def apply_first(coarse: NDArray[np.uint8], samples: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The photo from a residual as version 0.1 wrote it: samples 512 + 2·(x − x′), of red, green and blue or
    of one plane."""
    difference = (samples.astype(np.int16) - _MIDDLE + 1) >> 1
    return (coarse + difference).clip(0, 255).astype(np.uint8)
