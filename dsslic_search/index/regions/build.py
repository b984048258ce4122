"""The regions of a whole catalog, sorted by class, then by row: from stored bytes to arrays without a loop
over photos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import ArchiveError, FormatError, Remedy
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.features import packed_loops
from dsslic_search.features.packed_scene import Fields, grid_sides, grids, read_fields
from dsslic_search.features.region_numbers import LINES, SHARES, UNITS, Scenes
from dsslic_search.features.scene import moved, read_scenes
from dsslic_search.index import cache
from dsslic_search.index.compiling import Loop, compiled, in_turn, quick
from dsslic_search.index.regions import build_loops
from dsslic_search.index.regions.stretches import DIVISIONS, HALF, NARROW, STEPS, codes
from dsslic_search.index.source import Snapshot, Stored

Numbers = NDArray[np.intp]

EDGES = ("left", "top", "right", "bottom")
CENTRES = ("x", "y")
SIDES = {"columns": "width", "rows": "height"}
AXES = {"columns": ("left", "x", "right"), "rows": ("top", "y", "bottom")}
STRETCHES = tuple(f"{axis} {name}" for axis in ("columns", "rows") for name in DIVISIONS)
"""Names of arrays of regions, and SIDES of photos, by axis; of each axis, the numbers that count along it."""
_PLACES = np.array(
    [[LINES.index(line) for line in lines] + [-1] * (3 - len(lines)) for lines in DIVISIONS.values()], np.intp
)
"""Of the stretches of each division among LINES, -1 after the last."""
VALUES_A_PHOTO = 2000
"""Numbers that whole-array operations put together for the regions of a photo, for `compiling.quick`."""


@dataclass(frozen=True)
class _Part:
    """Some photos' regions, sorted by class, then by row. ``starts`` and ``contact_starts``: where each class
    begins among the regions and among their contacts, and the ends. ``row`` and ``touched`` (number of
    contacts) are of each region. ``areas``; ``edges``: EDGES; ``centres``: CENTRES; ``stretches``: STRETCHES,
    all as they are kept; ``sides``: SIDES of each photo; ``contacts``: thing, under, border."""

    starts: Numbers
    contact_starts: Numbers
    row: NDArray[np.uint32]
    touched: NDArray[np.uint8]
    areas: NDArray[np.uint16]
    edges: NDArray[np.uint16]
    centres: NDArray[np.int16]
    stretches: NDArray[np.uint16]
    sides: NDArray[np.uint16]
    contacts: NDArray[np.uint8]


def gathered(snapshot: Snapshot, vocabulary: Vocabulary) -> cache.Made:
    """The arrays of `index.regions.table.Regions` from the catalog. Raises ArchiveError as `open_regions`
    does."""
    classes = len(vocabulary)

    def batches() -> Iterator[tuple[Stored, int]]:
        photos = 0
        for batch in snapshot.regions():
            yield batch, photos
            photos += batch.ids.size

    read = quick(packed_loops.read, VALUES_A_PHOTO * snapshot.photo_ids().size)
    parts = [*in_turn(lambda each: _sorted(*each, vocabulary, read), batches())]
    parts = parts or [_sorted(Stored.of([]), 0, vocabulary, read)]

    def joined(name: str, starts: str = "starts") -> NDArray[Any]:
        """One array of all parts, class by class: parts are in the order of their rows."""
        if len(parts) == 1:
            return np.ascontiguousarray(getattr(parts[0], name))
        bounds = [(getattr(part, name), getattr(part, starts).tolist()) for part in parts]
        return np.concatenate(
            [array[..., at[c] : at[c + 1]] for c in range(classes) for array, at in bounds], axis=-1
        )

    row, touched = joined("row"), joined("touched")
    ends = np.sum([part.starts for part in parts], axis=0)  # of the classes, from that of none
    begins = np.ones(row.size, bool)
    begins[1:] = row[1:] != row[:-1]
    begins[ends[ends < row.size]] = True
    first = np.flatnonzero(begins)
    return (
        {
            "starts": ends,
            "groups": np.searchsorted(first, ends),
            "rows": row[first],
            "sizes": np.diff(first, append=row.size).astype(np.uint16),
            "areas": joined("areas")[first],
        }
        | dict(zip(SIDES.values(), np.concatenate([part.sides for part in parts], axis=1), strict=True))
        | dict(zip(EDGES, _narrow(joined("edges")), strict=True))
        | dict(zip(CENTRES, joined("centres"), strict=True))
        | {
            name: numbers.astype(np.uint8) if name.split()[1] in NARROW else numbers
            for name, numbers in zip(STRETCHES, joined("stretches"), strict=True)
        }
        | _by_pair(joined("contacts", "contact_starts"), touched, ends, classes + len(vocabulary.groups))
    )


def _narrow(numbers: NDArray[np.uint16]) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The same in bytes, if all fit: to touch memory first takes as long as to unpack what is put there."""
    fit = numbers.max(initial=0) <= np.iinfo(np.uint8).max
    return numbers.astype(np.uint8) if fit else numbers


def _by_pair(
    contacts: NDArray[np.uint8], touched: NDArray[np.uint8], starts: Numbers, things: int
) -> cache.Made:
    """Contacts, uint8[3, n] (thing, under, border), of regions that are sorted by class, sorted by the thing
    that is touched too: a class or, from their number on, a group."""
    classes = starts.size - 1
    if (by_thing := quick(build_loops.by_thing, contacts.shape[1])) is not None:
        bounds = np.cumsum(np.append(0, touched), dtype=np.intp)[starts].tolist()
        sizes = np.zeros((classes, things), np.int64)
        found, regions = np.empty_like(contacts[1:]), np.empty(contacts.shape[1], np.uint32)
        for class_id in np.flatnonzero(np.diff(bounds)).tolist():
            start = starts[class_id]
            part, own = slice(*bounds[class_id : class_id + 2]), slice(start, starts[class_id + 1])
            sizes[class_id] = np.bincount(contacts[0, part], minlength=things)
            place = np.cumsum(sizes[class_id]) - sizes[class_id]
            by_thing(*contacts[:, part], touched[own], place, regions[part], *found[:, part])
        return _of_pairs(sizes, regions, *found)
    classes_of = np.repeat(np.arange(classes), np.diff(starts))  # of each region
    toucher = np.repeat(np.arange(touched.size), touched)
    pair = classes_of[toucher] * things + contacts[0]
    order = np.argsort(pair, kind="stable")
    toucher = toucher[order]
    return _of_pairs(
        np.bincount(pair, minlength=classes * things),
        (toucher - starts[classes_of[toucher]]).astype(np.uint32),
        *np.ascontiguousarray(contacts[1:, order]),
    )


def _of_pairs(
    sizes: NDArray[np.int64], toucher: NDArray[np.uint32], under: NDArray[np.uint8], border: NDArray[np.uint8]
) -> cache.Made:
    pairs = np.append(0, np.cumsum(sizes))
    return {"pairs": pairs, "toucher": toucher, "under": under, "border": border}


def _of_half(
    contacts: NDArray[np.uint8], touched: Numbers, vocabulary: Vocabulary
) -> tuple[NDArray[np.uint8], Numbers]:
    """Contacts as they are kept, uint8[3, n], by region, and how many each region has. ``contacts``: as they
    are stored, of which each region has ``touched``.

    What is less than half counts as nothing, and a contact that is nothing is left out; a group has one where
    its shares are not the sums of those that are left of its classes, or the whole where these are more."""
    classes = len(vocabulary)
    if (loop := quick(build_loops.of_half, 10 * contacts.shape[1])) is not None:
        groups_of = _groups_of(vocabulary)
        room = contacts.shape[1] * (1 + groups_of.shape[1])  # each may bring one of every group of its class
        kept_now, left = np.empty((3, room), np.uint8), np.empty(touched.size, np.intp)
        ways = classes, groups_of, len(vocabulary.groups), HALF, SHARES
        count = loop(contacts, touched, *ways, kept_now, left)
        return kept_now[:, :count], left
    toucher = np.repeat(np.arange(touched.size), touched)
    thing, shares = contacts[0], contacts[1:]
    halves = shares * (shares >= HALF)
    kept = (thing < classes) & halves.any(axis=0)
    touchers, found = [toucher[kept]], [np.concatenate([thing[None, kept], halves[:, kept]])]
    for number, group in enumerate(vocabulary.groups, classes):
        among = np.zeros(256, bool)
        among[list(group.members)] = True
        members, own = among[thing], thing == number
        if not (members.any() or own.any()):
            continue
        exact = _summed(toucher[members], shares[:, members], touched.size)
        exact[:, toucher[own]] = shares[:, own]
        exact *= exact >= HALF
        told = _summed(toucher[members & kept], halves[:, members & kept], touched.size)
        other = np.flatnonzero((exact != told).any(axis=0))
        touchers.append(other)
        found.append(np.concatenate([np.full((1, other.size), number, np.uint8), exact[:, other]]))
    every = np.concatenate(touchers)
    order = np.argsort(every, kind="stable")
    return np.concatenate(found, axis=1)[:, order], np.bincount(every, minlength=touched.size)


@lru_cache(maxsize=10)
def _groups_of(vocabulary: Vocabulary) -> Numbers:
    """The numbers of the groups of each class, -1 after the last."""
    of_each: list[list[int]] = [[] for _ in range(len(vocabulary))]
    for number, group in enumerate(vocabulary.groups):
        for class_id in group.members:
            of_each[class_id].append(number)
    width = max(map(len, of_each), default=0)
    return np.array([numbers + [-1] * (width - len(numbers)) for numbers in of_each], np.intp).reshape(
        len(vocabulary), width
    )


def _summed(touchers: Numbers, shares: NDArray[np.uint8], regions: int) -> NDArray[np.uint8]:
    """The sums of shares by region, at most the whole: uint8[2, regions]."""
    sums = np.stack([np.bincount(touchers, share, regions) for share in shares])
    return np.minimum(sums, SHARES).astype(np.uint8)


def _sorted(batch: Stored, row: int, vocabulary: Vocabulary, read: Loop | None) -> _Part:
    """The regions of photos in consecutive rows, of which ``row`` is the first. ``read``: the loop that reads
    them, compiled, if that pays."""
    if read is not None and (fields := _fields(batch, vocabulary, read)) is not None:
        return _arranged(fields, row, vocabulary)
    scenes = _read(batch, vocabulary)
    counts, touching = scenes.counts, scenes.touching
    photo = np.repeat(np.arange(row, row + batch.ids.size, dtype=np.uint32), counts)
    toucher = np.repeat(np.cumsum(counts) - counts, touching) + scenes.contacts["region"]
    order = np.argsort(scenes.regions["class_id"], kind="stable")
    regions, touched = scenes.regions[order], np.bincount(toucher, minlength=order.size)
    stored = scenes.contacts[moved(touched, order)]
    starts = np.searchsorted(regions["class_id"], np.arange(len(vocabulary) + 1))
    told = np.stack([stored[name] for name in ("class_id", "under", "border")])
    contacts, touched = _of_half(told, touched[order], vocabulary)
    along = [_along(scenes, order, axis) for axis in AXES]
    return _Part(
        starts=starts,
        contact_starts=np.append(0, np.cumsum(touched))[starts],
        row=photo[order],
        touched=touched.astype(np.uint8),
        areas=regions["area"].copy(),
        edges=np.concatenate([each.edges for each in along])[[0, 2, 1, 3]],
        centres=np.stack([each.centres for each in along]),
        stretches=np.concatenate([each.stretches for each in along]),
        sides=np.stack([each.sides for each in along]),
        contacts=contacts,
    )


def _fields(batch: Stored, vocabulary: Vocabulary, read: Loop) -> Fields | None:
    """The regions of some photos field by field; None where :func:`_read` may have something to say."""
    fields = read_fields(batch.blobs, read) if batch.blobs.known.all() else None
    if fields is None:
        return None
    classes, things = len(vocabulary), len(vocabulary) + len(vocabulary.groups)
    known = fields.small[0].max(initial=0) < classes and fields.contacts[0].max(initial=0) < things
    return fields if known else None


def _arranged(fields: Fields, row: int, vocabulary: Vocabulary) -> _Part:
    """As :func:`_sorted`, compiled."""
    contacts, touched = _of_half(np.ascontiguousarray(fields.contacts), fields.touching, vocabulary)
    photos, regions, classes = fields.counts.size, fields.touching.size, len(vocabulary)
    part = _Part(
        starts=np.zeros(classes + 1, np.intp),
        contact_starts=np.zeros(classes + 1, np.intp),
        row=np.empty(regions, np.uint32),
        touched=np.empty(regions, np.uint8),
        areas=np.empty(regions, np.uint16),
        edges=np.empty((len(EDGES), regions), np.uint16),
        centres=np.empty((len(CENTRES), regions), np.int16),
        stretches=np.empty((len(STRETCHES), regions), np.uint16),
        sides=np.empty((len(SIDES), photos), np.uint16),
        contacts=np.empty(contacts.shape, np.uint8),
    )
    compiled(build_loops.arrange)(
        np.append(0, np.cumsum(fields.counts)), row, fields.wide, fields.small, touched,
        np.ascontiguousarray(contacts), UNITS, grids(), _PLACES, HALF, STEPS,
        *(getattr(part, field.name) for field in dataclass_fields(part)),
    )  # fmt: skip
    return part


def _read(batch: Stored, vocabulary: Vocabulary) -> Scenes:
    known = batch.blobs.known
    if not known.all():
        photo_id = batch.ids[np.argmin(known)]
        raise ArchiveError(
            f"the catalog does not know the regions of photo {photo_id}, and perhaps of others: it was made "
            "by an older version; "
            f"describe its photos anew with: {Remedy.REINDEX}"
        )
    try:
        scenes = read_scenes(batch.blobs.whole())
    except FormatError as e:
        raise ArchiveError(
            f"the catalog is damaged: {e}; describe its photos anew with: {Remedy.REINDEX}"
        ) from None
    things = len(vocabulary) + len(vocabulary.groups)
    if np.any(scenes.regions["class_id"] >= len(vocabulary)) or np.any(scenes.contacts["class_id"] >= things):
        raise ArchiveError(
            "the catalog is damaged: a region has a class that is not in the vocabulary; mend it with: "
            f"{Remedy.REINDEX}"
        )
    return scenes


class _Along(NamedTuple):
    """What is kept of regions along an axis. ``sides``: of each photo, uint16, the cells of a grid on whose
    borders all edges lie, UNITS for one that has every coordinate; ``edges``: uint16[2, n], how many cells
    the lower one is from the beginning, and the other from the end; ``centres``: int16[n], how far the
    centroid is from the middle of the box, rounded down; ``stretches``: uint16[divisions, n], the numbers of
    `stretches.codes`."""

    sides: NDArray[np.uint16]
    edges: NDArray[np.uint16]
    centres: NDArray[np.int16]
    stretches: NDArray[np.uint16]


def _along(scenes: Scenes, order: Numbers, axis: str) -> _Along:
    """Of the regions of some photos, put into an order."""
    names = AXES[axis]
    sides = grid_sides(scenes.counts, scenes.regions[names[0]], scenes.regions[names[2]])
    sides[sides == 0] = UNITS
    regions = scenes.regions[order]
    side = np.repeat(sides, scenes.counts)[order]
    low, centre, high = (regions[name].astype(np.int64) for name in names)
    shares = regions[axis].T
    divided = [codes(shares[[LINES.index(line) for line in lines]]) for lines in DIVISIONS.values()]
    return _Along(
        sides=sides.astype(np.uint16),
        edges=np.stack([-(-low * side // UNITS), side + (-high * side // UNITS)]).astype(np.uint16),
        centres=(centre - ((low + high) >> 1)).astype(np.int16),
        stretches=np.stack(divided),
    )
