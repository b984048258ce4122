"""The regions of all photos, to answer questions about where things are from the photos that have them,
looking at no others. `index.regions.relate` has the questions.

Rows are those of the columns: newest first, then by id. Regions lie class by class, each class by row, the
regions of one class in one photo (a *group*) largest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.cached import cached_property
from dsslic_search.features.region_numbers import SHARES, UNITS
from dsslic_search.features.scene import PLAIN
from dsslic_search.index import cache
from dsslic_search.index.compiling import on_all_processors, quick, runnable
from dsslic_search.index.regions import frequent, kernels
from dsslic_search.index.regions.build import CENTRES, EDGES, SIDES, STRETCHES, gathered
from dsslic_search.index.regions.groups import Groups, placed
from dsslic_search.index.regions.present import Present
from dsslic_search.index.regions.relate import (
    RELATIONS,
    Anywhere,
    Contact,
    InZone,
    Matches,
    RegionMatches,
    RegionTest,
    Related,
    clearest,
    compares,
    degree_table,
    looking,
    things_of,
    zoning,
)
from dsslic_search.index.regions.stretches import HALF
from dsslic_search.index.room import ROOM
from dsslic_search.index.segment import Segment, Table
from dsslic_search.index.source import Snapshot

KIND = "regions"
ARRANGEMENT = 7  # the version of the arrays; a file of another one is made anew
GROUPS = ("rows", "sizes")  # arrays of groups that tell where these are


@dataclass(frozen=True)
class Regions(Table):
    """The regions of a segment.

    ``arrays``: starts and groups (int64[classes + 1]: where a class's regions and its groups begin); rows,
    sizes and areas (of each group: its photo, how many regions it has, and the area of the largest in
    1/UNITS); SIDES (of each photo), EDGES, CENTRES and STRETCHES (of each region), as `index.regions.build`
    makes them, those in bytes that fit into these. Contacts lie by class, touched thing (a class, or further
    on a group of the vocabulary where its share is not the sum of its classes'), region: pairs
    (int64[classes * things + 1]: where those of two begin), toucher (uint32: the region of each contact, from
    0 in each class), under and border (uint8: shares; 0 for less than half).
    And those of `index.regions.frequent`.

    What more the loops need is made of these for the classes that are asked for, and kept while there is
    room."""

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.arrays["starts"].size) - 1

    def passing(
        self,
        classes: tuple[int, ...],
        test: RegionTest,
        rows: NDArray[np.uint32] | None = None,
        *,
        count: bool = True,
    ) -> Matches:
        """The regions of ``classes`` that pass ``test``, photo by photo. Without ``count`` they may be left
        uncounted; photos not among ``rows`` (ascending), if these are given, may be left out where
        :meth:`looks` says that each takes its time.

        ``classes``: different ids of the vocabulary. Raises KeyError for a zone or relation that there is
        not, ValueError where it has to touch several classes that are no group of the vocabulary."""
        match test:
            case Anywhere():
                return self._all(classes)
            case InZone(zone):
                return self._in_zone(classes, zone, count)
            case Related(relation, touched) if isinstance(contact := RELATIONS[relation], Contact):
                return self._touching(classes, contact, touched, count)
        if not count and (known := self._measured(classes, test)) is not None:
            best = np.zeros(len(self), np.uint16)
            best[known[0]] = known[1]
            return RegionMatches(best, None, degree_table(clearest(test)))
        return self._looked_at(classes, test, self.concerned(classes, test) if rows is None else rows, count)

    def unpack_ahead(self, nbytes: int) -> None:
        """Unpack what is of the classes with the most regions, about so many bytes, in this thread alone."""
        starts = self._bounds["starts"]
        for class_id in sorted(range(self.classes), key=lambda c: starts[c] - starts[c + 1]):
            things = self.classes + len(self.segment.vocabulary.groups)
            contacts = self.arrays["pairs"][[class_id * things, (class_id + 1) * things]].tolist()
            for part, names in (
                (self._part("groups", class_id), GROUPS),
                (self._part("starts", class_id), (*EDGES, *CENTRES, *STRETCHES)),
                (contacts, ("toucher", "under", "border")),
            ):
                nbytes -= sum(self.arrays.part(name, *part).nbytes for name in names)
            if nbytes < 0:
                return
        for name in frequent.NOTHING_KEPT:
            self.arrays.part(name, 0, self.arrays[name].size)

    def concerned(
        self, classes: tuple[int, ...], test: RegionTest, among: NDArray[np.bool_] | None = None
    ) -> NDArray[np.uint32]:
        """The rows, ascending, of photos that are looked at for a test that :meth:`looks` at each; no others
        can pass. Only those ``among`` some, bool, if these are given."""
        known = frequent.kept(self.arrays, classes, test)
        rows = min(map(self.rows, [classes, *things_of(test)]), key=len) if known is None else known[0]
        if among is None:
            return rows
        if (chosen := quick(kernels.chosen, rows.size)) is None:
            return rows[among[rows]]
        found = np.empty(rows.size + 1, np.uint32)
        return found[: chosen(rows, among, found)]

    def looks(self, classes: tuple[int, ...], test: RegionTest, *, count: bool) -> bool:
        """Whether regions have to be looked at photo by photo to answer."""
        return compares(test) and (count or self._measured(classes, test) is None)

    def _measured(
        self, classes: tuple[int, ...], test: RegionTest
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint16]] | None:
        """The rows that pass and the best measures there, plus 1, if these are kept."""
        known = frequent.kept(self.arrays, classes, test)
        return None if known is None or known[1] is None else (known[0], known[1])

    def _all(self, classes: tuple[int, ...]) -> Matches:
        self.arrays.ready((name, *self._part("groups", c)) for c in classes for name in (*GROUPS, "areas"))
        groups = [
            (self.rows((c,)), self._of_groups("sizes", c), self._of_groups("areas", c)) for c in classes
        ]
        if len(groups) == 1:
            return Present(len(self), *groups[0], degree_of=degree_table(UNITS / 4))
        counts, best = np.zeros(len(self), np.uint16), np.zeros(len(self), np.uint16)
        for rows, sizes, areas in groups:
            runnable(kernels.counting, rows.size)(rows, sizes, areas, counts, best)
        return RegionMatches(best, counts, degree_table(UNITS / 4))

    def _in_zone(self, classes: tuple[int, ...], zone: str, count: bool) -> RegionMatches:
        """Of all photos, since all regions of a class are looked at sooner than some photos' are found."""
        names, shares = zoning(zone)
        parts = [(c, self._part("groups", c), self._part("starts", c)) for c in classes]
        self.arrays.ready((name, *groups) for _, groups, _ in parts for name in GROUPS)
        self.arrays.ready((name, *regions) for _, _, regions in parts for name in names)
        counts, best = np.zeros(len(self) if count else 0, np.uint16), np.zeros(len(self), np.uint8)
        for class_id, _, (start, stop) in parts:
            rows, sizes = self.rows((class_id,)), self._of_groups("sizes", class_id)
            codes = [self.arrays.part(name, start, stop) for name in names]
            if (loop := quick(kernels.zoned, 4 * (stop - start))) is None:
                _zoned_plainly(rows, sizes, codes, shares, counts, best)
                continue

            def look(part: slice, every: tuple[Any, ...] = (loop, rows, sizes, codes)) -> None:
                loop, rows, sizes, codes = every
                begin = int(sizes[: part.start].sum())
                own = [each[begin:] for each in (codes[0], codes[-1])]
                ways = shares[0], shares[-1], len(shares) > 1, HALF, _LOGARITHMS
                loop(rows[part], sizes[part], *own, *ways, count, counts, best)

            on_all_processors(look, rows.size)
        return RegionMatches(best, counts if count else None, degree_table(SHARES))

    def _looked_at(
        self, classes: tuple[int, ...], test: RegionTest, photos: NDArray[np.uint32], count: bool
    ) -> RegionMatches:
        """What some photos' regions are asked, one photo after another."""
        loop, names, arguments = looking(test)
        others = [c for part in things_of(test) for c in part]
        every = tuple(dict.fromkeys([*classes, *others]))
        self.arrays.ready(
            chain(
                ((name, *self._part("groups", c)) for c in every for name in GROUPS),
                (
                    (name, *self._part("starts", c))
                    for c in every
                    for name in names
                    if name not in SIDES.values()
                ),
                ((name, 0, len(self)) for name in names if name in SIDES.values()),
            )
        )
        taken = [self._array(name, every) for name in names]
        groups = {
            c: Groups(self.rows((c,)), self._of_groups("sizes", c), self._part("starts", c)[0]) for c in every
        }
        compiled = runnable(loop, photos.size + sum(each.rows.size for each in groups.values()))
        counts = np.zeros(len(self) if count else 0, np.uint16)
        best = np.zeros(len(self), np.uint16)
        grids = self._grids  # that boxes lie on
        walked, own = [groups[c] for c in [*classes, *others]], len(classes)

        def look(part: slice) -> None:
            for of, firsts, sizes in placed(walked, photos[part]):
                ways = firsts[:own], sizes[:own], firsts[own:], sizes[own:], *taken, *grids, *arguments
                compiled(of, *ways, count, counts, best)

        on_all_processors(look, photos.size)
        return RegionMatches(best, counts if count else None, degree_table(clearest(test)))

    def _array(self, name: str, classes: tuple[int, ...]) -> NDArray[Any]:
        """An array of regions, or one of SIDES of photos, of which what is of some classes may be looked
        at."""
        if name in SIDES.values():
            return self.arrays[name]
        return self.arrays.parts(name, [self._part("starts", c) for c in classes])

    @property
    def _grids(self) -> tuple[NDArray[np.uint16], NDArray[np.int32]]:
        """Where the cells of grids of the sizes that there are begin, in 1/UNITS, one grid after another; and
        where, by its size, each grid begins among these."""

        def make() -> tuple[NDArray[np.uint16], NDArray[np.int32]]:
            used = np.zeros(UNITS + 1, bool)
            for side in SIDES.values():
                used[self.arrays[side]] = True
            sizes, offsets = np.flatnonzero(used), np.zeros(UNITS + 1, np.int32)
            offsets[sizes] = np.cumsum(sizes + 1) - (sizes + 1)
            grids = [np.arange(size + 1) * UNITS // size for size in sizes.tolist()]
            borders = np.concatenate([np.empty(0, np.int64), *grids]).astype(np.uint16)
            borders.flags.writeable = offsets.flags.writeable = False
            return borders, offsets

        return ROOM.get(self.arrays, "grids", make, 4 * UNITS)

    def _touching(
        self, classes: tuple[int, ...], contact: Contact, touched: tuple[int, ...], count: bool
    ) -> RegionMatches:
        """Regions of which as much of the foot or outline as is due is at the classes ``touched``."""
        counts = np.zeros(len(self) if count else 0, np.uint16)
        best = np.zeros(len(self), np.uint8)
        for class_id in classes:
            rows, sizes = self.rows((class_id,)), self._of_groups("sizes", class_id)
            toucher, *sides = self._shares(class_id, touched)
            ways = contact.by_foot, contact.by_border, contact.least
            loop = runnable(kernels.touching, rows.size)
            loop(rows, sizes, toucher, *sides, *ways, count, counts, best)
        return RegionMatches(best, counts if count else None, degree_table(SHARES))

    def _shares(
        self, class_id: int, touched: tuple[int, ...]
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.uint8]]:
        """The regions of a class, ascending, from 0, that touch ``touched`` with half or more, and the shares
        (of 1/SHARES) of foot and outline."""
        if len(touched) == 1:
            return self._contacts(class_id, touched[0])
        start, stop = self._part("starts", class_id)
        sums = np.zeros((2, stop - start), np.uint16)
        for other in touched:
            toucher, *sides = self._contacts(class_id, other)
            sums[:, toucher] += sides
        np.minimum(sums, SHARES, out=sums)
        toucher, *sides = self._contacts(class_id, self._number_of(touched))
        sums[:, toucher] = sides
        found = np.flatnonzero(sums.any(axis=0)).astype(np.uint32)
        under, border = sums[:, found].astype(np.uint8)
        for array in (
            found,
            under,
            border,
        ):  # so that loops are not compiled for arrays that may be written, too
            array.flags.writeable = False
        return found, under, border

    def _contacts(
        self, class_id: int, thing: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.uint8]]:
        """The contacts of a class's regions with a thing, a class or a group by its number: region, under,
        border."""
        pair = class_id * (self.classes + len(self.segment.vocabulary.groups)) + thing
        part = self.arrays["pairs"][pair : pair + 2].tolist()
        toucher, under, border = (self.arrays.part(name, *part) for name in ("toucher", "under", "border"))
        return toucher, under, border

    def _number_of(self, classes: tuple[int, ...]) -> int:
        """The number of a group of the vocabulary. Raises ValueError for other classes, since what they take
        together is not known."""
        for number, group in enumerate(self.segment.vocabulary.groups, self.classes):
            if set(group.members) == set(classes):
                return number
        raise ValueError(f"the classes {classes} are no group of the vocabulary")

    def _part(self, starts: str, class_id: int) -> tuple[int, int]:
        """Where what is of a class begins and ends, by the array ``starts``."""
        bounds = self._bounds[starts]
        return bounds[class_id], bounds[class_id + 1]

    @cached_property
    def _bounds(self) -> dict[str, list[int]]:
        return {name: self.arrays[name].tolist() for name in ("starts", "groups")}

    def _of_groups(self, name: str, class_id: int) -> NDArray[Any]:
        """What an array of groups has of those of a class."""
        return self.arrays.part(name, *self._part("groups", class_id))

    def rows(self, classes: Sequence[int]) -> NDArray[np.uint32]:
        """The rows that have one of the classes, ascending."""
        if len(classes) == 1:
            return self._of_groups("rows", classes[0])
        there = np.zeros(len(self), bool)
        for class_id in classes:
            there[self.rows((class_id,))] = True
        return np.flatnonzero(there).astype(np.uint32)


_LOGARITHMS = np.array([0] + [size.bit_length() - 1 for size in range(1, 32)], np.uint8)
"""Of sizes, to the base 2, rounded down."""
_LOGARITHMS.flags.writeable = False


def _zoned_plainly(
    rows: NDArray[np.uint32],
    sizes: NDArray[np.uint16],
    codes: Sequence[NDArray[np.uint16]],
    shares: Sequence[NDArray[np.uint8]],
    counts: NDArray[np.uint16],
    best: NDArray[np.uint8],
) -> None:
    """As `kernels.zoned` does, by whole-array operations; with ``counts`` of no photos nothing is counted."""
    if not rows.size:
        return
    each = np.minimum(shares[0][codes[0]], shares[-1][codes[-1]])
    starts = np.cumsum(sizes, dtype=np.intp) - sizes
    top = np.maximum.reduceat(each, starts)
    best[rows] = np.maximum(best[rows], (top + np.uint8(1)) * (top >= HALF))
    if counts.size:
        counts[rows] += np.add.reduceat(each >= HALF, starts, dtype=np.uint16)


def open_regions(segment: Segment) -> Regions:
    """The regions of a segment. Raises ArchiveError when the catalog does not know the regions of a photo, or
    has nonsense instead, and as `Segment.arrays`."""
    vocabulary = segment.vocabulary

    def build(snapshot: Snapshot) -> cache.Made:
        arrays = gathered(snapshot, vocabulary) | frequent.NOTHING_KEPT
        return arrays | frequent.found_beforehand(Regions(segment, cache.Arrays(arrays)))

    return Regions(segment, segment.arrays(KIND, f"{vocabulary.identity}/{PLAIN}/{ARRANGEMENT}", build))
