"""The regions of all photos, to answer questions about where things are from the photos that have them,
looking at no others. `index.regions.relate` has the questions.

Rows are those of the columns: newest first, then by id. Regions lie class by class, each class by row, the
regions of one class in one photo (a *group*) largest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.region_numbers import SHARES, UNITS
from dsslic_search.features.scene import PLAIN
from dsslic_search.index import cache
from dsslic_search.index.compiling import on_all_processors, runnable
from dsslic_search.index.regions import frequent, kernels
from dsslic_search.index.regions.build import AXES, SIDES, gathered
from dsslic_search.index.regions.kernels import BOTTOM, LEFT, RIGHT, TOP, X, Y
from dsslic_search.index.regions.relate import (
    RELATIONS,
    ZONES,
    Anywhere,
    Contact,
    InZone,
    Limits,
    RegionMatches,
    RegionTest,
    Related,
    clearest,
    compares,
    comparison,
    degree_table,
    things_of,
)
from dsslic_search.index.regions.stretches import DIVISION_OF, HALF, SHARES_OF, expected
from dsslic_search.index.room import ROOM
from dsslic_search.index.segments import Segment, Table
from dsslic_search.index.source import Snapshot

KIND = "regions"
ARRANGEMENT = 6  # the version of the arrays; a file of another one is made anew
COMMON_ONE_IN = 6
"""A class is common when at least one photo in so many has it; its groups are looked up by row."""

COLUMNS = {"left": LEFT, "top": TOP, "right": RIGHT, "bottom": BOTTOM, "x": X, "y": Y}  # of boxes

LOOKED_UP_ONE_IN = 64
"""Where at least one photo in so many is looked at, so are those of other classes."""
Groups = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class Regions(Table):
    """The regions of a segment.

    ``arrays``: starts and groups (int64[classes + 1]: where a class's regions and its groups begin); rows,
    sizes and areas (of each group: its photo, how many regions it has, and the area of the largest in
    1/UNITS); SIDES (of each photo), EDGES, CENTRES and STRETCHES (of each region), as `index.regions.build`
    makes them. Contacts lie by class, touched thing (a class, or further on a group of the vocabulary where
    its share is not the sum of its classes'), region: pairs (int64[classes * things + 1]: where those of two
    begin), toucher (uint32: the region of each contact, from 0 in each class), under and border (uint8:
    shares; 0 for less than half).
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
    ) -> RegionMatches:
        """The regions of ``classes`` that pass ``test``, photo by photo. Without ``count`` they may be left
        uncounted; photos not among ``rows`` (ascending), if these are given, may be left out where
        :meth:`compares` says that each takes its time.

        ``classes``: different ids of the vocabulary. Raises KeyError for a zone or relation that there is
        not, ValueError where it has to touch several classes that are no group of the vocabulary."""
        match test:
            case Anywhere():
                return self._all(classes)
            case InZone(zone) if not count:
                return self._any_in_zone(classes, ZONES[zone])
            case InZone():
                return self._by_share(classes, test, count)
            case Related(relation, _) if isinstance(RELATIONS[relation], Contact):
                return self._by_share(classes, test, count)
        return self._compared(classes, test, rows, count)

    def concerned(self, classes: tuple[int, ...], test: RegionTest) -> NDArray[np.uint32]:
        """The rows, ascending, of photos that are looked at for a test that compares regions; no others can
        pass."""
        known = frequent.kept(self.arrays, classes, test)
        return min(map(self.rows, [classes, *things_of(test)]), key=len) if known is None else known[0]

    def compares(self, classes: tuple[int, ...], test: RegionTest, *, count: bool) -> bool:
        """Whether regions have to be compared with others, photo by photo, to answer."""
        return compares(test) and (count or self._measured(classes, test) is None)

    def _measured(
        self, classes: tuple[int, ...], test: RegionTest
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint16]] | None:
        """The rows that pass and the best measures there, plus 1, if these are kept."""
        known = frequent.kept(self.arrays, classes, test)
        return None if known is None or known[1] is None else (known[0], known[1])

    def _all(self, classes: tuple[int, ...]) -> RegionMatches:
        counts, best = self._zeros(), self._zeros()
        for class_id in classes:
            rows = self.rows((class_id,))
            sizes, areas = (self._of_groups(name, class_id) for name in ("sizes", "areas"))
            runnable(kernels.counting, rows.size)(rows, sizes, areas, counts, best)
        return RegionMatches(best, counts, degree_table(UNITS / 4))

    def _any_in_zone(self, classes: tuple[int, ...], limits: Limits) -> RegionMatches:
        """Whether a region lies in a zone."""
        best = np.zeros(len(self), np.uint8)
        for number, class_id in enumerate(classes):
            rows, shares = self.rows((class_id,)), self._best_shares(class_id, limits)
            best[rows] = np.maximum(best[rows], shares) if number else shares
        return RegionMatches(best, None, degree_table(SHARES))

    def _best_shares(self, class_id: int, limits: Limits) -> NDArray[np.uint8]:
        """The greatest share within limits of a region of each group of a class, plus 1, or 0 for less than
        half."""

        def make() -> NDArray[np.uint8]:
            sizes = self._of_groups("sizes", class_id)
            if not sizes.size:
                return np.empty(0, np.uint8)
            first = np.cumsum(sizes, dtype=np.intp) - sizes
            shares = np.maximum.reduceat(self._shares_inside(class_id, limits), first)
            return np.asarray((shares + 1) * (shares >= HALF), np.uint8)

        return ROOM.array(self.arrays, ("best shares", class_id, limits), make)

    def _shares_inside(self, class_id: int, limits: Limits) -> NDArray[np.uint8]:
        """Which share of each region of a class lies in the columns or in the rows of a zone, the lesser, if
        that is half or more, else 0: uint8[n]."""
        shares = [
            np.take(SHARES_OF[line], self._stretches(class_id, axis, DIVISION_OF[line]))
            for axis, line in zip(AXES, limits, strict=True)
            if line is not None
        ]
        return shares[0] if len(shares) == 1 else np.minimum(*shares)

    def _stretches(self, class_id: int, axis: str, division: str) -> NDArray[np.uint16]:
        """The number of each region of a class for a division of a side (`index.regions.stretches`)."""

        def make() -> NDArray[np.uint16]:
            more = self.arrays.taken(f"{axis} {division}", *self._part("starts", class_id))
            return np.asarray(more + expected(*self._edges(class_id, axis), division), np.uint16)

        return ROOM.array(self.arrays, ("stretches", class_id, axis, division), make)

    def _by_share(self, classes: tuple[int, ...], test: InZone | Related, count: bool) -> RegionMatches:
        """For a test that is passed by the share of a region that lies in a zone, or that touches a thing."""
        counts, best = np.zeros(len(self) if count else 0, np.uint16), np.zeros(len(self), np.uint8)
        for class_id in classes:
            if isinstance(test, InZone):
                rows, least = self._row_of_each(class_id), HALF
                shares = self._shares_inside(class_id, ZONES[test.zone])
            else:
                contact = RELATIONS[test.relation]
                assert isinstance(contact, Contact)
                (rows, shares), least = self._touching(class_id, contact, test.classes), contact.least
            runnable(kernels.marking, rows.size)(rows, shares, least, count, counts, best)
        return RegionMatches(best, counts if count else None, degree_table(SHARES))

    def _row_of_each(self, class_id: int) -> NDArray[np.uint32]:
        """The row of each region of a class."""
        return ROOM.array(
            self.arrays,
            ("rows", class_id),
            lambda: np.repeat(self.rows((class_id,)), self._of_groups("sizes", class_id)),
        )

    def _touching(
        self, class_id: int, contact: Contact, touched: tuple[int, ...]
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        """The rows of regions of a class, and the share (of 1/SHARES) of their foot or outline that is at the
        classes ``touched``, for all regions where that is half or more."""
        rows = self._row_of_each(class_id)
        if len(touched) == 1:
            toucher, *sides = self._contacts(class_id, touched[0])
            rows = rows[toucher]
        else:
            sums = np.zeros((2, rows.size), np.uint16)
            for other in touched:
                toucher, *sides = self._contacts(class_id, other)
                sums[:, toucher] += sides
            np.minimum(sums, SHARES, out=sums)
            toucher, *sides = self._contacts(class_id, self._number_of(touched))
            sums[:, toucher] = sides
            sides = list(sums.astype(np.uint8))
        under, border = sides
        if contact.by_foot and contact.by_border:
            return rows, np.maximum(under, border)
        return rows, under if contact.by_foot else border

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

    def _compared(
        self, classes: tuple[int, ...], test: RegionTest, rows: NDArray[np.uint32] | None, count: bool
    ) -> RegionMatches:
        if not count and (known := self._measured(classes, test)) is not None:
            best = self._zeros()
            best[known[0]] = known[1]
            return RegionMatches(best, None, degree_table(clearest(test)))
        photos = self.concerned(classes, test) if rows is None else rows
        others = [c for part in things_of(test) for c in part]
        numbers, found = self.compared(
            test, [*classes, *others], self.groups(classes, photos), self.groups(others, photos)
        )
        best, degree_of = self._zeros(), degree_table(clearest(test))
        best[photos] = found
        if not count:
            return RegionMatches(best, None, degree_of)
        counts = self._zeros()
        counts[photos] = numbers
        return RegionMatches(best, counts, degree_of)

    def compared(
        self, test: RegionTest, classes: Sequence[int], groups: Groups, others: Groups
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """Of some photos, for a test that :func:`relate.compares` regions: how many regions of ``groups``
        pass, and the measure of the best of them plus 1. ``others``: the groups that the test names, in its
        order. ``classes``: those of all groups."""
        loop, arguments = comparison(test, *self._boxes(classes))
        counts, best = np.empty(len(groups), np.uint16), np.empty(len(groups), np.uint16)
        compiled = runnable(loop, len(groups))

        def compare(part: slice) -> None:
            compiled(groups[part], others[part], *arguments, counts[part], best[part])

        on_all_processors(compare, len(groups))
        return counts, best

    def _boxes(self, classes: Sequence[int]) -> tuple[NDArray[Any], NDArray[np.uint16]]:
        """Where the regions of each group begin, and their boxes; of some classes, others are left open."""
        boxes, there = ROOM.get(self.arrays, "boxes", self._no_boxes)
        for class_id in classes:
            if not there[class_id]:
                self._open_boxes(class_id, boxes)
                there[class_id] = 1
        return boxes.shown()

    def _no_boxes(self) -> tuple[Boxes, bytearray]:
        groups, regions = int(self.arrays["groups"][-1]), int(self.arrays["starts"][-1])
        first = np.empty(groups + 1, np.uint32 if regions < 2**32 else np.int64)
        return Boxes(first, np.empty((regions, 6), np.uint16)), bytearray(self.classes)

    def _open_boxes(self, class_id: int, boxes: Boxes) -> None:
        (start, stop), (group, end) = self._part("starts", class_id), self._part("groups", class_id)
        boxes.first[group] = start
        boxes.first[group + 1 : end + 1] = start + np.cumsum(
            self._of_groups("sizes", class_id), dtype=np.int64
        )
        own = boxes.boxes[start:stop]
        for axis, (low, centre, high) in AXES.items():
            one, other = self._edges(class_id, axis)
            own[:, COLUMNS[low]], own[:, COLUMNS[high]] = one, other
            middle = (one.astype(np.int32) + other) >> 1
            own[:, COLUMNS[centre]] = middle + self.arrays.taken(centre, start, stop)
        ROOM.grew(self.arrays, "boxes", own.nbytes + boxes.first[group:end].nbytes)

    def _zeros(self) -> NDArray[np.uint16]:
        return np.zeros(len(self), np.uint16)

    def _edges(self, class_id: int, axis: str) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """Where the boxes of the regions of a class begin and end along an axis, in 1/UNITS."""
        low, _, high = AXES[axis]
        begin, end, borders = self._grid(SIDES[axis])
        row, part = self._row_of_each(class_id), self._part("starts", class_id)
        return (
            np.take(borders, np.take(begin, row) + self.arrays.taken(low, *part)),
            np.take(borders, np.take(end, row) - self.arrays.taken(high, *part)),
        )

    def _grid(self, side: str) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint16]]:
        """Where the borders of the cells of each photo's grid along a side begin and end among all; and the
        borders of all grids, in 1/UNITS, one grid after another."""

        def make() -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint16]]:
            sizes, number = np.unique(self.arrays[side], return_inverse=True)
            ends = np.cumsum(sizes.astype(np.int64) + 1) - 1
            borders = [np.arange(size + 1) * UNITS // size for size in sizes.tolist()]
            every = np.concatenate([np.empty(0, np.int64), *borders]).astype(np.uint16)
            end = ends.astype(np.int32)[number]
            return end - self.arrays[side].astype(np.int32), end, every

        return ROOM.get(self.arrays, ("grid", side), make, 8 * len(self))

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

    def groups(self, classes: Sequence[int], photos: NDArray[np.uint32]) -> Groups:
        """The group of each class in each of the rows ``photos`` (ascending), -1 where there is none:
        [photos, classes]."""
        kind = np.int32 if int(self.arrays["groups"][-1]) < 2**31 else np.int64
        groups = np.full((photos.size, len(classes)), -1, kind)
        for number, class_id in enumerate(classes):
            start, rows = self._part("groups", class_id)[0], self.rows((class_id,))
            if np.may_share_memory(rows, photos):  # they are the same
                groups[:, number] = np.arange(start, start + rows.size)
            elif COMMON_ONE_IN * rows.size >= len(self) or LOOKED_UP_ONE_IN * photos.size >= len(self):
                groups[:, number] = self._by_row(class_id, start, rows, kind)[photos]
            elif rows.size:
                nearest = np.minimum(np.searchsorted(rows, photos), rows.size - 1)
                groups[:, number] = np.where(rows[nearest] == photos, start + nearest, -1)
        return groups

    def _by_row(self, class_id: int, start: int, rows: NDArray[np.uint32], kind: type[Any]) -> Groups:
        """The group of a class in each row, or -1."""

        def make() -> Groups:
            groups = np.full(len(self), -1, kind)
            groups[rows] = np.arange(start, start + rows.size)
            return groups

        return ROOM.array(self.arrays, ("by row", class_id), make)


@dataclass(frozen=True)
class Boxes:
    """``first``: the first region of each group, one more at the end; ``boxes``: uint16[regions, 6], left,
    top, right, bottom and centroid, in 1/UNITS of the photo's width or height."""

    first: NDArray[Any]
    boxes: NDArray[np.uint16]

    def shown(self) -> tuple[NDArray[Any], NDArray[np.uint16]]:
        """Both, read-only."""
        first, boxes = self.first.view(), self.boxes.view()
        first.flags.writeable = boxes.flags.writeable = False
        return first, boxes


def open_regions(segment: Segment) -> Regions:
    """The regions of a segment. Raises ArchiveError when the catalog does not know the regions of a photo, or
    has nonsense instead, and as `Segment.arrays`."""
    vocabulary = segment.vocabulary

    def build(snapshot: Snapshot) -> cache.Made:
        arrays = gathered(snapshot, vocabulary) | frequent.NOTHING_KEPT
        return arrays | frequent.found_beforehand(Regions(segment, cache.Arrays(arrays)))

    return Regions(segment, segment.arrays(KIND, f"{vocabulary.identity}/{PLAIN}/{ARRANGEMENT}", build))
