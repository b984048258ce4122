"""What a residual's layer says before its picture: how to understand it, and what to do with the photo then.

::

    trust 1 byte, in 1/64 · strength of the restoration 1 byte, in 1/64
    · [identity of its network 8 bytes, if strength > 0]
    · weighted classes 1 byte · [gain of all others 1 byte
    · (class 1 byte · gain 1 byte) each, if any; gains in 1/64]
    · [colour axes 9 bytes, unless grey] · BPG picture
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.layers import axes
from dsslic_search.codec.layers.axes import Axes
from dsslic_search.core.errors import FormatError

SIXTY_FOURTHS = 64  # of a trust, strength or gain of 1: the unit that they are stored in
NO_NETWORK = "0" * 16  # the identity that stands for none


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
    """What a layer says before its picture. ``trust``: w, 0..64 in 1/64. ``strength``: of the
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
    at = 0

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        if at > len(chunk):
            raise FormatError("the residual's terms are cut short")
        return chunk[at - count : at]

    trust, strength = take(2)
    if trust > SIXTY_FOURTHS:
        raise FormatError("the residual's terms are damaged (impossible trust)")
    restorer = take(8).hex() if strength else NO_NETWORK
    gains, weighted = None, take(1)[0]
    if weighted:
        raw = take(1 + 2 * weighted)
        pairs = tuple(zip(raw[1::2], raw[2::2], strict=True))
        if (
            not trust
            or not all(1 <= gain <= SIXTY_FOURTHS for gain in (raw[0], *raw[2::2]))
            or len(dict(pairs)) != len(pairs)
        ):
            raise FormatError("the residual's terms are damaged (impossible gains)")
        gains = Gains(raw[0], pairs)
    found = None if grey else axes.from_bytes(take(axes.CODED_BYTES))
    return Terms(trust, strength, restorer, gains, found), chunk[at:]
