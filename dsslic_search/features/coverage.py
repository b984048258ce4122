"""How much of a photo each class covers, and what is stored of the classes that it shows.

::

    SHOWN each, by rising class id; nothing for a photo that shows none

    little-endian, no padding

The bits CERTAINTY_KNOWN and COLOURS_KNOWN of ``colours`` say that certainty and colours are known; the others
are those of `core.colour_terms`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.blobs import Blobs
from dsslic_search.core.errors import FormatError

SHOWN = np.dtype([("class_id", "u1"), ("certainty", "u1"), ("colours", "<u2"), ("fraction", "<f8")])
CERTAINTY_KNOWN, COLOURS_KNOWN = 1 << 14, 1 << 15
COLOURS = CERTAINTY_KNOWN - 1  # the bits of a mask

_SHOWN = struct.Struct("<BBHd")


class Shown(NamedTuple):
    """What is known of a class in a photo: the fraction of the pixels that it covers, 0..1; its certainty,
    0..255, the mean probability of its labels; and the mask of its colours (`core.colour_terms`); None where
    these are not known."""

    class_id: int
    fraction: float
    certainty: int | None = None
    colours: int | None = None


def pack_shown(shown: Iterable[Shown]) -> bytes:
    """The classes of a photo, by rising id, as they are stored."""
    return b"".join(
        _SHOWN.pack(
            class_id,
            certainty or 0,
            (colours or 0)
            | (0 if certainty is None else CERTAINTY_KNOWN)
            | (0 if colours is None else COLOURS_KNOWN),
            fraction,
        )
        for class_id, fraction, certainty, colours in shown
    )


def unpack_shown(stored: bytes) -> tuple[Shown, ...]:
    """What :func:`pack_shown` packed. FormatError for another length than it gives."""
    if len(stored) % _SHOWN.size:
        raise FormatError("stored coverages are cut off")
    return tuple(
        Shown(
            class_id,
            fraction,
            certainty if colours & CERTAINTY_KNOWN else None,
            colours & COLOURS if colours & COLOURS_KNOWN else None,
        )
        for class_id, certainty, colours, fraction in _SHOWN.iter_unpack(stored)
    )


def read_shown(stored: Sequence[bytes] | Blobs) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The classes of many photos, SHOWN[n], one photo's after another's, and how many each has, intp. Raises
    FormatError for what :func:`pack_shown` did not pack."""
    blobs = Blobs.of(stored)
    sizes = blobs.lengths
    if np.any(sizes % SHOWN.itemsize):
        raise FormatError("stored coverages are cut off")
    counts = sizes // SHOWN.itemsize
    found = blobs.data.view(SHOWN)
    key = (np.repeat(np.arange(counts.size, dtype=np.intp), counts) << 8) + found["class_id"]
    if np.any(np.diff(key) <= 0):
        raise FormatError("stored coverages do not stand by rising class id")
    return found, counts


def coverage(label_map: NDArray[np.uint8], classes: int) -> NDArray[np.float64]:
    """The fraction of the pixels of ``label_map`` (uint8, h x w) that each class covers.

    Returns float64[classes], each the correctly rounded quotient of two integers, 0..1, with sum 1.
    Raises ValueError for a map without pixels or with a class id that is not below ``classes``.
    """
    check_label_map(label_map)
    counts = np.bincount(label_map.ravel(), minlength=classes)
    if counts.size > classes:
        raise ValueError(f"class id {counts.size - 1} in a label map of {classes} classes")
    return counts / np.float64(label_map.size)


def check_label_map(label_map: NDArray[np.uint8]) -> None:
    """Raise ValueError for what is not h x w with at least one pixel."""
    if label_map.ndim != 2 or label_map.size == 0:
        raise ValueError(
            f"a label map needs two dimensions and at least one pixel, not the shape {label_map.shape}"
        )
