"""What is stored of a photo's regions: whole numbers, so that every answer from them is exact.

::

    u8 FORMAT   u16 number of regions   regions, REGION each   contacts, CONTACT each

    little-endian, no padding

Coordinates count in 1/UNITS of the photo's width or height, areas in 1/UNITS of its pixels, shares in
1/SHARES, all rounded down. 252 is divisible by 2, 3 and 4, so a share is at least 1/2 exactly when its number
is at least 126.

A group of classes (`core.vocabulary`) has a contact where its share is not the sum of the shares of its
classes (or the whole where that is more) and one of the two is half or more. Its number follows on the class
ids. In format 1 no group has one.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import FormatError

FORMAT = 2
WITHOUT_GROUPS = 1  # the format before groups had contacts; what has it is read as well
UNITS = 60_000  # that make the width, the height or the area of a photo
SHARES = 252  # that make the whole of a region, of its foot or of its outline
MIN_REGION_AREA = UNITS // 1000  # in 1/UNITS of the pixels; smaller regions are noise of the segmentation

Line = Literal["first half", "second half", "first third", "middle third", "last third", "middle half"]
LINES: tuple[Line, ...] = get_args(Line)  # stretches of an axis, in the order of the shares in REGION

REGION = np.dtype(
    [
        ("class_id", "u1"),
        ("area", "<u2"),
        ("left", "<u2"),
        ("top", "<u2"),
        ("right", "<u2"),  # exclusive, as is bottom
        ("bottom", "<u2"),
        ("x", "<u2"),  # centroid
        ("y", "<u2"),
        ("columns", "u1", len(LINES)),  # share of the pixels whose centre lies in each stretch of the width
        ("rows", "u1", len(LINES)),  # and of the height
    ]
)
CONTACT = np.dtype(
    [
        ("region", "<u2"),  # number of the region in the photo
        ("class_id", "u1"),  # that it touches, or the number of a group
        ("under", "u1"),  # share of the foot that stands on the class
        ("border", "u1"),  # share of the outline that the class takes
    ]
)

_HEAD = struct.Struct("<BH")


@dataclass(frozen=True, eq=False)
class SceneRegions:
    """The regions of a photo, largest first (``regions``: REGION[n]), and the classes and groups that each
    touches (``contacts``: CONTACT[m], by region, then by class and by group). y grows downwards."""

    regions: NDArray[np.void]
    contacts: NDArray[np.void]

    def to_bytes(self) -> bytes:
        """As it is stored."""
        return _HEAD.pack(FORMAT, self.regions.size) + self.regions.tobytes() + self.contacts.tobytes()

    @classmethod
    def none(cls) -> SceneRegions:
        """Of a photo without any."""
        return cls(np.empty(0, REGION), np.empty(0, CONTACT))

    @classmethod
    def from_bytes(cls, data: bytes) -> SceneRegions:
        """What :meth:`to_bytes` stored. Raises FormatError for anything else."""
        scene, _, _ = read_scenes([data])
        return scene


def read_scenes(stored: Sequence[bytes]) -> tuple[SceneRegions, NDArray[np.intp], NDArray[np.intp]]:
    """The regions of many photos, one photo's after another's, and how many regions and contacts each photo
    has (intp).

    In ``contacts`` regions are numbered from 0 in every photo. Raises FormatError when one of them is
    nonsense."""
    sizes = np.fromiter(map(len, stored), np.intp, len(stored))
    if np.any(sizes < _HEAD.size):
        raise FormatError("stored regions are cut off")
    data = np.frombuffer(b"".join(stored), np.uint8)
    starts = np.cumsum(sizes) - sizes
    if np.any((data[starts] < WITHOUT_GROUPS) | (data[starts] > FORMAT)):
        raise FormatError(f"stored regions are of another format than {WITHOUT_GROUPS} to {FORMAT}")
    counts = data[starts + 1] + 256 * data[starts + 2].astype(np.intp)
    rest = sizes - _HEAD.size - counts * REGION.itemsize
    touching = rest // CONTACT.itemsize
    if np.any(rest < 0) or np.any(rest % CONTACT.itemsize):
        raise FormatError("stored regions are cut off or have bytes left over")
    lengths = np.stack([np.full_like(sizes, _HEAD.size), counts * REGION.itemsize, rest], axis=1)
    kind = np.repeat(np.tile(np.arange(3, dtype=np.uint8), len(stored)), lengths.ravel())
    regions, contacts = data[kind == 1].view(REGION), data[kind == 2].view(CONTACT)
    _check(regions, contacts, counts, touching)
    return SceneRegions(regions, contacts), counts, touching


def _check(
    regions: NDArray[Any], contacts: NDArray[Any], counts: NDArray[np.intp], touching: NDArray[np.intp]
) -> None:
    """Raise FormatError for values that no label map has."""
    within = [
        (regions["left"] <= regions["x"]) & (regions["x"] <= regions["right"]) & (regions["right"] <= UNITS),
        (regions["top"] <= regions["y"]) & (regions["y"] <= regions["bottom"]) & (regions["bottom"] <= UNITS),
        (regions["area"] >= MIN_REGION_AREA) & (regions["area"] <= UNITS),
        np.all(regions["columns"] <= SHARES, axis=1) & np.all(regions["rows"] <= SHARES, axis=1),
        (contacts["under"] <= SHARES)
        & (contacts["border"] <= SHARES)
        & (contacts["under"] | contacts["border"] > 0),
        contacts["region"] < np.repeat(counts, touching),
    ]
    key = (
        np.repeat(np.arange(counts.size) << 24, touching)
        + (contacts["region"].astype(np.intp) << 8)
        + contacts["class_id"]
    )
    if not all(np.all(right) for right in within) or np.any(np.diff(key) <= 0):
        raise FormatError("stored regions have values that no label map has")
