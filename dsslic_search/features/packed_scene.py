"""The regions of photos in fewer bytes, without loss: less than half of what they take plainly.

::

    u8 PACKED   numbers, bit by bit, the lowest bit of each and of each byte first; zeros to the end

What follows from what stands before is left out, and a number takes as many bits as the greatest that it can
be there:

==================== =====================================================================================
of the photo         regions (10 bits), things (8), width - 1 (8) and height - 1 (8) of a grid on which all
                     boxes lie: that of the label map, or a coarser one; the things (8 each), rising:
                     classes of regions and all that is touched
of each region       its class, as a number among the things; left, width - 1, top and height - 1 on the
                     grid; then its area, at most that of its box; x - left and y - top
of each that crosses the share of the first half (8); what both halves lack to the whole (1)
the middle
of each that crosses the share of the first (8), if it crosses the first line, and of the last (8), if it
lines of thirds      crosses the second; what all three lack to the whole (2)
of each that crosses the share of the middle half (8)
lines of quarters
of each region       a bit for each thing: whether it touches that
of each contact      whether anything of the foot stands on it (1) and which share does, if so (8); which
                     share of the outline it takes (8)
==================== =====================================================================================

A number stands for all regions of a photo, or all contacts, before the next. Lines that regions cross are of
the columns first, then of the rows. What a region does not cross is known: all of it lies on one side. Many
photos are read or written at once, a number of all of them in a few operations on arrays, and one function
says for both what follows on what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.blobs import Blobs
from dsslic_search.core.errors import FormatError
from dsslic_search.features.region_numbers import CONTACT, MIN_REGION_AREA, REGION, SHARES, UNITS, Scenes

PACKED = 3
MAX_SIDE = 256  # of a grid
MAX_REGIONS, MAX_THINGS = 1023, 255  # of a photo
PIECE = 16  # bits that are read at once
BITS_AT_ONCE = 100_000  # that are written in one go; more take the memory of one kind of number at a time
LEAST_BITS = 16  # of a region: a centroid in a box of one cell takes as many
HEAD_BITS = 34  # of a photo, before its things
_EVERY_SIDE = (1 << 64) - 1  # bits of 64 numbers of cells
SPARE = 1 << 13  # bytes; more than one kind of number of a photo's regions can take

Numbers = NDArray[np.int64]
Given = Callable[[str], Any]

_LENGTHS = np.frexp(np.arange(1 << 16))[1].astype(np.int64)
"""How many bits the numbers up to 65535 take."""
_MASKS = ((1 << np.arange(17)) - 1).astype(np.uint32)
"""The greatest number of so many bits."""


class _Bits(Protocol):
    """Where numbers stand, photo by photo."""

    def each(self, bits: int, values: Numbers | None) -> Numbers:
        """A number of each photo."""

    def items(self, photo: Numbers, bits: Numbers | int, values: Numbers | None) -> Numbers:
        """Numbers of items, by photo, each of so many bits."""

    def flags(
        self, photo: Numbers, each: Numbers, values: NDArray[np.bool_] | None
    ) -> tuple[Numbers, Numbers]:
        """So many bits of each item, by photo: the items and the places of those that are set. ``values``: of
        all bits, item by item."""

    def need(self, bits: Numbers | int) -> None:
        """Raises FormatError where fewer bits than these are left of a photo."""


class _Reader:
    def __init__(self, stored: Sequence[bytes]) -> None:
        sizes = np.fromiter(map(len, stored), np.int64, len(stored))
        data = b"".join([*stored, bytes(4 + MAX_THINGS // 8)])
        self._window = np.ndarray((len(data) - 3,), "<u4", data, 0, (1,))
        self._end = 8 * np.cumsum(sizes)
        self._at = self._end - 8 * (sizes - 1)  # after the format

    def each(self, bits: int, _values: Numbers | None) -> Numbers:
        self.need(bits)
        found = self._read(self._at, bits)
        self._at = self._at + bits
        return found

    def items(self, photo: Numbers, bits: Numbers | int, _values: Numbers | None) -> Numbers:
        at, taken = _places(photo, bits, self._at)
        self.need(taken)
        found = self._read(at, bits)
        self._at = self._at + taken
        return found

    def flags(
        self, photo: Numbers, each: Numbers, _values: NDArray[np.bool_] | None
    ) -> tuple[Numbers, Numbers]:
        at, taken = _places(photo, each, self._at)
        self.need(taken)
        self._at = self._at + taken
        width = int(each.max(initial=0))
        pieces = [
            self._read(at + start, np.clip(each - start, 0, PIECE)).astype("<u2")
            for start in range(0, width, PIECE)
        ]
        if not pieces:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        item, place = np.nonzero(
            np.unpackbits(np.stack(pieces, axis=1).view(np.uint8), axis=1, bitorder="little")
        )
        return item, place

    def need(self, bits: Numbers | int) -> None:
        if (self._at + bits > self._end).any():
            raise FormatError("stored regions are cut off")

    def finish(self) -> None:
        """Raises FormatError where bytes are left over."""
        if np.any(self._at + 7 < self._end):
            raise FormatError("stored regions have bytes left over")

    def _read(self, at: Numbers, bits: Numbers | int) -> Numbers:
        found = self._window[at >> 3]
        found >>= (at & 7).astype(np.uint32)
        found &= _MASKS[bits]
        numbers: Numbers = found.astype(np.int64)
        return numbers


class _Writer:
    def __init__(self, photos: int) -> None:
        self._at = np.full(photos, 8, np.int64)
        self._written: list[tuple[Numbers, Numbers, Numbers, Numbers]] = []

    def each(self, bits: int, values: Numbers | None) -> Numbers:
        return self.items(np.arange(self._at.size), bits, values)

    def items(self, photo: Numbers, bits: Numbers | int, values: Numbers | None) -> Numbers:
        assert values is not None
        at, taken = _places(photo, bits, self._at)
        bits = np.full(photo.shape, bits, np.int64)
        self._written.append((photo, at, bits, values))
        self._at = self._at + taken
        return values

    def flags(
        self, photo: Numbers, each: Numbers, values: NDArray[np.bool_] | None
    ) -> tuple[Numbers, Numbers]:
        assert values is not None
        item = np.repeat(np.arange(each.size), each)
        self.items(photo[item], 1, values.astype(np.int64))
        place = np.arange(item.size) - np.repeat(np.cumsum(each) - each, each)
        return item[values], place[values]

    def need(self, _bits: Numbers | int) -> None:
        """There is always room."""

    def finish(self) -> list[bytes]:
        """What was written of each photo."""
        sizes = (self._at + 7) // 8
        starts = np.cumsum(sizes) - sizes
        every = np.zeros(8 * int(sizes.sum()), np.uint8)
        written = self._written
        if every.size <= BITS_AT_ONCE:
            photo, at, bits, values = map(np.concatenate, zip(*written, strict=True))
            written = [(photo, at, bits, values)]
        for photo, at, bits, values in written:
            item = np.repeat(np.arange(bits.size), bits)
            bit = np.arange(item.size) - np.repeat(np.cumsum(bits) - bits, bits)
            every[(8 * starts[photo] + at)[item] + bit] = (values[item] >> bit) & 1
        data = np.packbits(every, bitorder="little")
        data[starts] = PACKED
        whole = data.tobytes()
        return [
            whole[start : start + size] for start, size in zip(starts.tolist(), sizes.tolist(), strict=True)
        ]


def _places(photo: Numbers, bits: Numbers | int, start: Numbers) -> tuple[Numbers, Numbers | int]:
    """Where items stand, by photo, of which the first are at ``start``; and how many bits all of each photo
    take."""
    if start.size == 1:  # an ingest packs photos one by one
        first = start.item()
        if isinstance(bits, int):
            length = bits * photo.size
            return np.arange(first, first + length, bits), length
        ends = bits.cumsum()
        return ends - bits + first, ends[-1:] if ends.size else 0
    if isinstance(bits, int):
        taken = bits * np.bincount(photo, minlength=start.size)
        before = bits * np.arange(photo.size)
    else:
        ends = np.append(0, np.cumsum(bits))
        before = ends[:-1]
        bounds = np.cumsum(np.bincount(photo, minlength=start.size))
        taken = np.diff(ends[bounds], prepend=0)
    return before + (start - (np.cumsum(taken) - taken))[photo], taken


def read_packed(stored: Sequence[bytes]) -> Scenes:
    """The regions of photos whose bytes begin with PACKED. Raises FormatError where these are cut off or
    cannot be; whether a label map has such regions is not looked at."""
    reader = _Reader(stored)
    found = _walk(reader, len(stored), lambda name: None)
    reader.finish()
    return found


class Fields(NamedTuple):
    """The same as Scenes, field by field. ``wide``: uint16[7, regions], area, left, top, right, bottom, x, y;
    ``small``: uint8[13, regions], class, columns, rows; ``counts``: intp, the regions of each photo;
    ``touching``: intp, the contacts of each region; ``contacts``: uint8[3, n], thing, under, border."""

    wide: NDArray[np.uint16]
    small: NDArray[np.uint8]
    counts: NDArray[np.intp]
    touching: NDArray[np.intp]
    contacts: NDArray[np.uint8]


def read_fields(stored: Sequence[bytes] | Blobs, read: Callable[..., int]) -> Fields | None:
    """The regions of photos by a loop, `packed_loops.read` as it is or compiled; None where a photo is not
    packed, or is not as `features.scene.read_scenes` takes it."""
    blobs = Blobs.of(stored)
    sizes = blobs.sizes
    if np.any(8 * sizes < 8 + HEAD_BITS):
        return None
    every, starts = np.append(blobs.data, np.zeros(SPARE, np.uint8)), np.append(0, np.cumsum(sizes))
    kind, *head = (every[starts[:-1] + place].astype(np.intp) for place in range(4))
    told = head[0] | head[1] << 8 | head[2] << 16
    counts, things = told & MAX_REGIONS, told >> 10 & MAX_THINGS
    least = HEAD_BITS + 8 * things + (LEAST_BITS + things) * counts
    if np.any(kind != PACKED) or np.any(8 + least > 8 * sizes):
        return None
    firsts = np.append(0, np.cumsum(counts))
    regions, room = int(firsts[-1]), int(np.dot(things, counts))
    wide, small = np.empty((7, regions), np.uint16), np.empty((13, regions), np.uint8)
    touching, contacts = np.empty(regions, np.intp), np.empty((3, room), np.uint8)
    window = np.ndarray((every.size - 7,), "<u8", every, 0, (1,))
    known = _LENGTHS, UNITS, SHARES, MIN_REGION_AREA
    count = read(window, starts, firsts, *known, wide, small, touching, contacts)
    return None if count < 0 else Fields(wide, small, counts, touching, contacts[:, :count])


class Packing:
    """The regions of photos, to be packed."""

    def __init__(self, scenes: Scenes) -> None:
        self._counts, self._given = scenes.counts, _given(scenes)

    def fits(self) -> NDArray[np.bool_]:
        """Which photos can be packed, bool."""
        given = self._given
        few = (self._counts <= MAX_REGIONS) & (given["things"] <= MAX_THINGS)
        return np.asarray(few & (given["width"] > 0) & (given["height"] > 0))

    def written(self) -> list[bytes]:
        """The bytes of photos that all can be packed, from which :func:`read_packed` makes the same again if
        they are regions of label maps."""
        writer = _Writer(self._counts.size)
        _walk(writer, self._counts.size, self._given.__getitem__)
        return writer.finish()


def _walk(bits: _Bits, photos: int, given: Given) -> Scenes:
    """Goes through all numbers of photos. ``given``: each when it is written, by its name; None when it is
    read."""
    every = np.arange(photos)
    counts, things = bits.each(10, given("counts")), bits.each(8, given("things"))
    width, height = bits.each(8, _less_one(given("width"))) + 1, bits.each(8, _less_one(given("height"))) + 1
    bits.need(8 * things + LEAST_BITS * counts)
    thing = bits.items(np.repeat(every, things), 8, given("thing"))

    photo = np.repeat(every, counts)
    regions = np.zeros(photo.size, REGION)
    number = bits.items(photo, _LENGTHS[np.maximum(things - 1, 0)][photo], given("class_id"))
    first_thing = (np.cumsum(things) - things)[photo]
    if (number >= things[photo]).any():
        raise FormatError("stored regions have a class that is not told")
    regions["class_id"] = thing[first_thing + number]
    left, right = _stretch(bits, photo, width[photo], given("left"), given("across"))
    top, bottom = _stretch(bits, photo, height[photo], given("top"), given("down"))
    most = (right - left + 1) * (bottom - top + 1) // UNITS
    regions["area"] = bits.items(photo, _LENGTHS[most], given("area"))
    regions["left"], regions["right"], regions["top"], regions["bottom"] = left, right, top, bottom
    regions["x"] = left + bits.items(photo, _LENGTHS[right - left], given("x"))
    regions["y"] = top + bits.items(photo, _LENGTHS[bottom - top], given("y"))
    regions["columns"] = _lines(bits, photo, left, right, given("columns"))
    regions["rows"] = _lines(bits, photo, top, bottom, given("rows"))

    each = things[photo]  # bits of what a region touches
    bits.need(things * counts)
    region, place = bits.flags(photo, each, given("touched"))
    of_photo = photo[region]
    contacts = np.zeros(region.size, CONTACT)
    contacts["region"] = region - (np.cumsum(counts) - counts)[of_photo]
    contacts["class_id"] = thing[first_thing[region] + place]
    stands = np.flatnonzero(bits.items(of_photo, 1, given("stands")))
    contacts["under"][stands] = bits.items(of_photo[stands], 8, given("under"))
    contacts["border"] = bits.items(of_photo, 8, given("border"))
    return Scenes(regions, contacts, counts, np.bincount(of_photo, minlength=photos))


def _stretch(
    bits: _Bits, photo: Numbers, side: Numbers, start: Numbers | None, length: Numbers | None
) -> tuple[Numbers, Numbers]:
    """Where regions begin and end along an axis, in 1/UNITS, of which the grid has ``side`` cells."""
    wide = _LENGTHS[side - 1]
    begin = bits.items(photo, wide, start)
    end = begin + bits.items(photo, wide, _less_one(length)) + 1
    if (end > side).any():
        raise FormatError("stored regions are larger than their photo")
    return begin * UNITS // side, end * UNITS // side


def _lines(
    bits: _Bits, photo: Numbers, low: Numbers, high: Numbers, shares: NDArray[np.uint8] | None
) -> NDArray[np.uint8]:
    """Shares of regions from ``low`` to ``high`` in stretches of an axis, uint8[n, 6] in the order of
    `LINES`."""
    given = None if shares is None else shares.astype(np.int64)

    def known(chosen: NDArray[np.bool_], wide: int, value: Callable[[Numbers], Numbers]) -> Numbers:
        """Numbers of chosen regions, 0 of others; ``value``: of the shares that are given."""
        found, rows = np.zeros(photo.size, np.int64), chosen.nonzero()[0]
        if rows.size:
            found[rows] = bits.items(photo[rows], wide, None if given is None else value(given[rows]))
        return found

    def crosses(line: int) -> NDArray[np.bool_]:
        return (low < line) & (high > line)

    half = crosses(UNITS // 2)
    first = SHARES * (high <= UNITS // 2) + known(half, 8, lambda of: of[:, 0])
    second = SHARES - first - known(half, 1, lambda of: SHARES - of[:, 0] - of[:, 1])
    one, other = crosses(UNITS // 3), crosses(2 * UNITS // 3)
    begin = SHARES * (high <= UNITS // 3) + known(one, 8, lambda of: of[:, 2])
    end = SHARES * (low >= 2 * UNITS // 3) + known(other, 8, lambda of: of[:, 4])
    middle = SHARES - begin - end - known(one | other, 2, lambda of: SHARES - of[:, 2:5].sum(axis=1))
    inside = (low >= UNITS // 4) & (high <= 3 * UNITS // 4)
    quarters = crosses(UNITS // 4) | crosses(3 * UNITS // 4)
    centre = SHARES * inside + known(quarters, 8, lambda of: of[:, 5])
    found = np.empty((photo.size, 6), np.int64)
    for number, each in enumerate((first, second, begin, middle, end, centre)):
        found[:, number] = each
    if given is None and ((found < 0) | (found > SHARES)).any():
        raise FormatError("stored regions have shares that cannot be")
    return found.astype(np.uint8)


def _given(scenes: Scenes) -> dict[str, Any]:
    """The numbers of scenes by the names that `_walk` asks for; width and height 0 where there is no grid."""
    regions, contacts, counts, touching = scenes
    photos = np.arange(counts.size)
    photo = np.repeat(photos, counts)
    of_photo = np.repeat(photos, touching)
    region = (np.cumsum(counts) - counts)[of_photo] + contacts["region"]
    keys = (photo << 8) + regions["class_id"]
    contact_keys = (of_photo << 8) + contacts["class_id"]
    told = np.unique(np.concatenate([keys, contact_keys]))
    things = np.bincount(told >> 8, minlength=counts.size)
    first = np.cumsum(things) - things
    edges = [regions[name].astype(np.int64) for name in ("left", "right", "top", "bottom")]
    width, height = grid_sides(counts, *edges[:2]), grid_sides(counts, *edges[2:])
    sides = (width[photo], width[photo], height[photo], height[photo])
    left, right, top, bottom = (-(-edge * side // UNITS) for edge, side in zip(edges, sides, strict=True))
    each = things[photo]
    touched = np.zeros(int(each.sum()), bool)
    touched[(np.cumsum(each) - each)[region] + np.searchsorted(told, contact_keys) - first[of_photo]] = True
    under = contacts["under"].astype(np.int64)
    return {
        "counts": counts, "things": things, "width": width, "height": height, "thing": told & 255,
        "class_id": np.searchsorted(told, keys) - first[photo],
        "left": left, "across": right - left, "top": top, "down": bottom - top,
        "area": regions["area"].astype(np.int64), "x": regions["x"] - edges[0], "y": regions["y"] - edges[2],
        "columns": regions["columns"], "rows": regions["rows"], "touched": touched,
        "stands": (under > 0).astype(np.int64), "under": under[under > 0],
        "border": contacts["border"].astype(np.int64),
    }  # fmt: skip


def grid_sides(counts: NDArray[np.intp], low: NDArray[Any], high: NDArray[Any]) -> Numbers:
    """The fewest cells, of each photo, on whose borders all edges lie, up to MAX_SIDE; 0 where there is no
    such number. ``low``, ``high``: edges of regions along an axis, of which each photo has ``counts``."""
    fits = np.full((counts.size, MAX_SIDE // 64), _EVERY_SIDE, "<u8")
    filled = np.flatnonzero(counts)
    if filled.size:
        both = grids()[low] & grids()[high]
        fits[filled] = np.bitwise_and.reduceat(both, (np.cumsum(counts) - counts)[filled])
    sides = np.unpackbits(fits.view(np.uint8), axis=1, bitorder="little")
    return np.where(sides.any(axis=1), sides.argmax(axis=1) + 1, 0)


@cache
def grids() -> NDArray[np.uint64]:
    """By a coordinate in 1/UNITS a bit for each number of cells, from 1 to MAX_SIDE, that have a border
    there, the lowest first: u64[UNITS + 1, MAX_SIDE / 64], little-endian."""
    table = np.zeros((UNITS + 1, MAX_SIDE), bool)
    for side in range(1, MAX_SIDE + 1):
        table[np.arange(side + 1) * UNITS // side, side - 1] = True
    return np.packbits(table, axis=1, bitorder="little").view("<u8")


def _less_one(values: Numbers | None) -> Numbers | None:
    return None if values is None else values - 1
