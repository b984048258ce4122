"""What is stored of a photo's regions: as `features.packed_scene` packs them, or where these bytes would not
give them back,

::

    u8 PLAIN   u16 number of regions   regions, REGION each   contacts, CONTACT each

    little-endian, no padding

A group of classes (`core.vocabulary`) has a contact where its share is not the sum of the shares of its
classes (or the whole where that is more) and one of the two is half or more. Its number follows on the class
ids. In format 1 no group has one.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import FormatError
from dsslic_search.features.packed_scene import PACKED, Packing, read_packed
from dsslic_search.features.region_numbers import (
    CONTACT,
    MIN_REGION_AREA,
    REGION,
    SHARES,
    UNITS,
    Scenes,
)

PLAIN = 2
WITHOUT_GROUPS = 1  # plain, before groups had contacts; what has it is read as well
CURRENT = (PLAIN, PACKED)

_HEAD = struct.Struct("<BH")


@dataclass(frozen=True, eq=False)
class SceneRegions:
    """The regions of a photo, largest first (``regions``: REGION[n]), and the classes and groups that each
    touches (``contacts``: CONTACT[m], by region, then by class and by group). y grows downwards."""

    regions: NDArray[np.void]
    contacts: NDArray[np.void]

    def to_bytes(self) -> bytes:
        """As it is stored."""
        return packed([self.plain()])[0]

    def plain(self) -> bytes:
        """As it is stored where it cannot be packed."""
        return _HEAD.pack(PLAIN, self.regions.size) + self.regions.tobytes() + self.contacts.tobytes()

    @classmethod
    def none(cls) -> SceneRegions:
        """Of a photo without any."""
        return cls(np.empty(0, REGION), np.empty(0, CONTACT))

    @classmethod
    def from_bytes(cls, data: bytes) -> SceneRegions:
        """What :meth:`to_bytes` stored. Raises FormatError for anything else."""
        scenes = read_scenes([data])
        return cls(scenes.regions, scenes.contacts)


def read_scenes(stored: Sequence[bytes]) -> Scenes:
    """The regions of many photos. Raises FormatError when one of them is nonsense."""
    formats = np.fromiter((data[0] if data else 0 for data in stored), np.uint8, len(stored))
    if np.any((formats < WITHOUT_GROUPS) | (formats > PACKED)):
        short = not all(stored)
        raise FormatError(
            "stored regions are cut off"
            if short
            else f"stored regions are of another format than {WITHOUT_GROUPS} to {PACKED}"
        )
    is_packed = formats == PACKED
    if is_packed.all():
        scenes = read_packed(stored)
    elif not is_packed.any():
        scenes = _read_plain(stored)
    else:
        scenes = _in_turn(
            is_packed,
            _read_plain([data for data in stored if data[0] != PACKED]),
            read_packed([data for data in stored if data[0] == PACKED]),
        )
    _check(*scenes)
    return scenes


def packed(stored: Sequence[bytes]) -> list[bytes]:
    """The bytes of photos with those in the format PLAIN packed, if that loses nothing; others are as they
    were."""
    chosen = [number for number, data in enumerate(stored) if data[:1] == bytes([PLAIN])]
    found = list(stored)
    try:
        packing = Packing(_read_plain([stored[number] for number in chosen]))
        if not (fit := packing.fits()).all():
            chosen = [number for number, fits in zip(chosen, fit.tolist(), strict=True) if fits]
            packing = Packing(_read_plain([stored[number] for number in chosen]))
        asked = [stored[number] for number in chosen]
        made = packing.written()
        again = plain(made)
    except (FormatError, IndexError, ValueError):  # of nonsense, which stays
        return found if len(stored) == 1 else [data for each in stored for data in packed([each])]
    for number, before, data, after in zip(chosen, asked, made, again, strict=True):
        found[number] = data if after == before else before
    return found


def plain(stored: Sequence[bytes]) -> list[bytes]:
    """The bytes of photos with those that are packed in the format PLAIN; others are as they were. Raises
    FormatError for damage."""
    chosen = [number for number, data in enumerate(stored) if data[:1] == bytes([PACKED])]
    found = list(stored)
    regions, contacts, counts, touching = read_packed([stored[number] for number in chosen])
    region, contact = np.cumsum(counts) - counts, np.cumsum(touching) - touching
    for place, number in enumerate(chosen):
        found[number] = SceneRegions(
            regions[region[place] : region[place] + counts[place]],
            contacts[contact[place] : contact[place] + touching[place]],
        ).plain()
    return found


def _in_turn(second: NDArray[np.bool_], *both: Scenes) -> Scenes:
    """The photos of two parts, ``second`` telling of each photo whether it is of that."""
    order = np.empty(second.size, np.intp)
    order[np.argsort(second, kind="stable")] = np.arange(second.size)
    counts, touching = (np.concatenate([part[k] for part in both]) for k in (2, 3))
    return Scenes(
        np.concatenate([part.regions for part in both])[moved(counts, order)],
        np.concatenate([part.contacts for part in both])[moved(touching, order)],
        counts[order],
        touching[order],
    )


def moved(lengths: NDArray[np.intp], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """For stretches of the given lengths, one after another, put into another order: where each item was
    before."""
    starts = np.cumsum(lengths) - lengths
    lengths, starts = lengths[order], starts[order]
    begins = np.cumsum(lengths) - lengths
    return np.repeat(starts - begins, lengths) + np.arange(int(lengths.sum()))


def _read_plain(stored: Sequence[bytes]) -> Scenes:
    sizes = np.fromiter(map(len, stored), np.intp, len(stored))
    if np.any(sizes < _HEAD.size):
        raise FormatError("stored regions are cut off")
    data = np.frombuffer(b"".join(stored), np.uint8)
    starts = np.cumsum(sizes) - sizes
    counts = data[starts + 1] + 256 * data[starts + 2].astype(np.intp)
    rest = sizes - _HEAD.size - counts * REGION.itemsize
    touching = rest // CONTACT.itemsize
    if np.any(rest < 0) or np.any(rest % CONTACT.itemsize):
        raise FormatError("stored regions are cut off or have bytes left over")
    lengths = np.stack([np.full_like(sizes, _HEAD.size), counts * REGION.itemsize, rest], axis=1)
    kind = np.repeat(np.tile(np.arange(3, dtype=np.uint8), len(stored)), lengths.ravel())
    return Scenes(data[kind == 1].view(REGION), data[kind == 2].view(CONTACT), counts, touching)


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
