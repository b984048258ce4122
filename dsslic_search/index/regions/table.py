"""The regions of all photos, to answer questions about where things are from the photos that have them,
looking at no others. `index.regions.relate` has the questions.

Rows are those of the columns: newest first, then by id. Regions lie class by class, each class by row, the
regions of one class in one photo (a *group*) largest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.region_numbers import SHARES, UNITS
from dsslic_search.features.scene import PLAIN
from dsslic_search.index import cache
from dsslic_search.index.compiling import runnable
from dsslic_search.index.regions import frequent, kernels
from dsslic_search.index.regions.build import gathered, shares_inside
from dsslic_search.index.regions.relate import (
    HALF,
    LIMITS,
    RELATIONS,
    ZONES,
    Anywhere,
    Between,
    Contact,
    InZone,
    RegionMatches,
    RegionTest,
    Related,
    compares,
    comparison,
    degree_table,
)
from dsslic_search.index.segments import Segment, Table
from dsslic_search.index.source import Snapshot

KIND = "regions"
ARRANGEMENT = 3  # the version of the arrays; a file of another one is made anew

Groups = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class Regions(Table):
    """The regions of a segment.

    ``arrays``: starts (int64[classes + 1]: where a class's regions begin) and row (of
    each region); groups (int64[classes + 1]: where a class's groups begin), rows (of each group) and first
    (its first region, one more at the end); by_row (int32[common, n]: the group of each of the ``common``
    classes in each row, or -1); boxes (uint16[7, regions]: area, left, top, right, bottom, x, y in 1/UNITS);
    lines (uint8[12, regions]: shares of LINES, columns then rows); zones (uint8[limits, groups]: the greatest
    share within each of LIMITS plus 1, or 0 for less than half). members (bool[groups of
    classes, classes]: the classes of each group of the vocabulary). Contacts lie by class, touched thing (a
    class, or further on a group of the vocabulary where its share is not the sum of its classes'),
    region: pairs (int64[classes * things + 1]: where those of two begin), toucher (the region of each
    contact) and shares (uint8[2, contacts]: under, border). And those of `index.regions.frequent`."""

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
                return self._any_in_zone(classes, LIMITS.index(ZONES[zone]))
            case InZone():
                return self._by_share(classes, test, count)
            case Related(relation, _) if isinstance(RELATIONS[relation], Contact):
                return self._by_share(classes, test, count)
        return self._compared(classes, test, rows, count)

    def concerned(self, classes: tuple[int, ...], test: RegionTest) -> NDArray[np.uint32]:
        """The rows, ascending, of photos that are looked at for a test that compares regions; no others can
        pass."""
        known = self._kept(classes, test)
        return min(map(self.rows, [classes, *_others(test)]), key=len) if known is None else known[0]

    def compares(self, classes: tuple[int, ...], test: RegionTest, *, count: bool) -> bool:
        """Whether regions have to be compared with others, photo by photo, to answer."""
        return compares(test) and (count or self._kept(classes, test) is None)

    def _all(self, classes: tuple[int, ...]) -> RegionMatches:
        """Every region passes, the largest most clearly."""
        counts, best = self._zeros(), self._zeros()
        for class_id in classes:
            start, rows = self._groups_of(class_id)
            first = self.arrays["first"][start : start + rows.size + 1]
            areas = self.arrays["boxes"][kernels.AREA]
            runnable(kernels.counting, rows.size)(rows, first, areas, counts, best)
        return RegionMatches(best, counts, degree_table(UNITS / 4))

    def _any_in_zone(self, classes: tuple[int, ...], limits: int) -> RegionMatches:
        """Whether a region lies in the zone of that number in LIMITS, from the shares found beforehand."""
        best = np.zeros(len(self), np.uint8)
        for number, class_id in enumerate(classes):
            start, rows = self._groups_of(class_id)
            shares = self.arrays["zones"][limits, start : start + rows.size]
            best[rows] = np.maximum(best[rows], shares) if number else shares
        return RegionMatches(best, None, degree_table(SHARES))

    def _by_share(self, classes: tuple[int, ...], test: InZone | Related, count: bool) -> RegionMatches:
        """For a test that is passed by the share of a region that lies in a zone, or that touches a thing."""
        counts, best = np.zeros(len(self) if count else 0, np.uint16), np.zeros(len(self), np.uint8)
        for class_id in classes:
            if isinstance(test, InZone):
                part = slice(*self.arrays["starts"][class_id : class_id + 2].tolist())
                rows, least = self.arrays["row"][part], HALF
                shares = shares_inside(self.arrays["lines"][:, part], ZONES[test.zone])
            else:
                contact = RELATIONS[test.relation]
                assert isinstance(contact, Contact)
                (rows, shares), least = self._touching(class_id, contact, test.classes), contact.least
            runnable(kernels.marking, rows.size)(rows, shares, least, count, counts, best)
        return RegionMatches(best, counts if count else None, degree_table(SHARES))

    def _touching(
        self, class_id: int, contact: Contact, touched: tuple[int, ...]
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        """The rows of regions of a class, and the share (of 1/SHARES) of their foot or outline that is at the
        classes ``touched``, for all regions where there is any."""
        start, stop = self.arrays["starts"][class_id : class_id + 2].tolist()
        touchers: slice | NDArray[Any]
        if len(touched) == 1:
            part = self._contacts(class_id, touched[0])
            touchers, shares = self.arrays["toucher"][part], self.arrays["shares"][:, part]
        else:
            touchers, shares = slice(start, stop), np.zeros((2, stop - start), np.uint16)
            for other in touched:
                part = self._contacts(class_id, other)
                shares[:, self.arrays["toucher"][part] - start] += self.arrays["shares"][:, part]
            np.minimum(shares, SHARES, out=shares)
            part = self._contacts(class_id, self._number_of(touched))
            shares[:, self.arrays["toucher"][part] - start] = self.arrays["shares"][:, part]
        under, border = shares
        if contact.by_foot and contact.by_border:
            share = np.maximum(under, border)
        else:
            share = under if contact.by_foot else border
        return self.arrays["row"][touchers], share.astype(np.uint8)

    def _contacts(self, class_id: int, thing: int) -> slice:
        """Where the contacts of a class's regions with a thing lie, a class or a group by its number."""
        pair = class_id * (self.classes + len(self.arrays["members"])) + thing
        return slice(*self.arrays["pairs"][pair : pair + 2].tolist())

    def _number_of(self, classes: tuple[int, ...]) -> int:
        """The number of a group of the vocabulary. Raises ValueError for other classes, since what they take
        together is not known."""
        same = np.all(self.arrays["members"] == np.isin(np.arange(self.classes), classes), axis=1)
        if not same.any():
            raise ValueError(f"the classes {classes} are no group of the vocabulary")
        return self.classes + int(np.argmax(same))

    def _compared(
        self, classes: tuple[int, ...], test: RegionTest, rows: NDArray[np.uint32] | None, count: bool
    ) -> RegionMatches:
        best = self._zeros()
        *_, clearest = comparison(test, self.arrays["first"], self.arrays["boxes"])
        degree_of = degree_table(clearest)
        known = self._kept(classes, test)
        if known is not None and not count:
            best[known[0]] = known[1]
            return RegionMatches(best, None, degree_of)
        photos = self.concerned(classes, test) if rows is None else rows
        others = self.groups([c for part in _others(test) for c in part], photos)
        numbers, best[photos] = self.compared(test, self.groups(classes, photos), others)
        if not count:
            return RegionMatches(best, None, degree_of)
        counts = self._zeros()
        counts[photos] = numbers
        return RegionMatches(best, counts, degree_of)

    def compared(
        self, test: RegionTest, groups: Groups, others: Groups
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """Of some photos, for a test that :func:`relate.compares` regions: how many regions of ``groups``
        pass, and the measure of the best of them plus 1. ``others``: the groups that the test names, in its
        order."""
        loop, arguments, _ = comparison(test, self.arrays["first"], self.arrays["boxes"])
        counts, best = np.empty(len(groups), np.uint16), np.empty(len(groups), np.uint16)
        runnable(loop, len(groups))(groups, others, *arguments, counts, best)
        return counts, best

    def _kept(self, classes: tuple[int, ...], test: RegionTest) -> frequent.KeptMatches | None:
        return frequent.kept_matches(self.arrays, classes, test)

    def _zeros(self) -> NDArray[np.uint16]:
        return np.zeros(len(self), np.uint16)

    def _groups_of(self, class_id: int) -> tuple[int, NDArray[np.uint32]]:
        """A class's first group, and the rows of its groups, ascending."""
        start, stop = self.arrays["groups"][class_id : class_id + 2].tolist()
        return start, self.arrays["rows"][start:stop]

    def rows(self, classes: Sequence[int]) -> NDArray[np.uint32]:
        """The rows that have one of the classes, ascending."""
        if len(classes) == 1:
            return self._groups_of(classes[0])[1]
        there = np.zeros(len(self), bool)
        for class_id in classes:
            there[self._groups_of(class_id)[1]] = True
        return np.flatnonzero(there).astype(np.uint32)

    def groups(self, classes: Sequence[int], photos: NDArray[np.uint32]) -> Groups:
        """The group of each class in each of the rows ``photos`` (ascending), -1 where there is none:
        [photos, classes]."""
        by_row = self.arrays["by_row"]
        groups = np.full((photos.size, len(classes)), -1, by_row.dtype)
        for number, class_id in enumerate(classes):
            start, rows = self._groups_of(class_id)
            common = np.flatnonzero(self.arrays["common"] == class_id)
            if np.may_share_memory(rows, photos):  # they are the same
                groups[:, number] = np.arange(start, start + rows.size)
            elif common.size:
                groups[:, number] = by_row[common[0], photos]
            elif rows.size:
                nearest = np.minimum(np.searchsorted(rows, photos), rows.size - 1)
                groups[:, number] = np.where(rows[nearest] == photos, start + nearest, -1)
        return groups


def open_regions(segment: Segment) -> Regions:
    """The regions of a segment. Raises ArchiveError when the catalog does not know the regions of a photo, or
    has nonsense instead, and as `Segment.arrays`."""
    vocabulary = segment.vocabulary

    def build(snapshot: Snapshot) -> cache.Made:
        arrays = gathered(snapshot, vocabulary) | frequent.NOTHING_KEPT
        return arrays | frequent.found_beforehand(Regions(segment, cache.Arrays(arrays)))

    return Regions(segment, segment.arrays(KIND, f"{vocabulary.identity}/{PLAIN}/{ARRANGEMENT}", build))


def _others(test: RegionTest) -> list[tuple[int, ...]]:
    """The classes that a test compares with."""
    match test:
        case Between(first, second):
            return [first, second]
        case Related(_, classes):
            return [classes]
    return []
