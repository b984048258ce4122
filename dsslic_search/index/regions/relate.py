"""What can be asked of a region: in which part of the photo it lies, and how it lies to other regions.

Each part and each relation is one entry here, with the numbers that decide it and with its rule in words,
which :mod:`dsslic_search.query.explain` shows. The same rules for people: docs/query-language.md. Coordinates
count in 1/UNITS of the photo's width or height, shares in 1/SHARES
(:mod:`dsslic_search.features.region_numbers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.region_numbers import SHARES, UNITS, Line
from dsslic_search.index.compiling import Loop
from dsslic_search.index.regions import kernels
from dsslic_search.index.regions.build import AXES, SIDES
from dsslic_search.index.regions.stretches import DIVISION_OF, HALF, SHARES_OF

THREE_QUARTERS = SHARES * 3 // 4
NEXT_TO_GAP = UNITS // 20
"""How many 1/UNITS of the width at most are between things that are next to each other."""

# Zones: the parts of a photo

# of the columns and of the rows that a zone takes; None: all of them
Limits = tuple[Line | None, Line] | tuple[Line, Line | None]

ZONES: dict[str, Limits] = {
    "left": ("first half", None),
    "right": ("second half", None),
    "top": (None, "first half"),
    "bottom": (None, "second half"),
    "left third": ("first third", None),
    "middle third": ("middle third", None),
    "right third": ("last third", None),
    "top third": (None, "first third"),
    "bottom third": (None, "last third"),
    "centre": ("middle half", "middle half"),
    "middle": ("middle half", "middle half"),
    "top left": ("first half", "first half"),
    "top right": ("second half", "first half"),
    "bottom left": ("first half", "second half"),
    "bottom right": ("second half", "second half"),
}

_COLUMNS = {"first": "left", "second": "right", "last": "right", "middle": "middle"}
_ROWS = {"first": "top", "second": "bottom", "last": "bottom", "middle": "middle"}


def zone_rule(zone: str) -> str:
    """When a region lies in a zone, in words."""
    parts = []
    for line, words, side in zip(ZONES[zone], (_COLUMNS, _ROWS), ("width", "height"), strict=True):
        if line is not None:
            which, part = line.split()
            parts.append(f"{words[which]} {part}" + (f" of the {side}" if which == "middle" else ""))
    return f"half of a region or more is in the {', and half or more in the '.join(parts)}"


# Relations: how a region lies to another, or to the pixels of a thing


@dataclass(frozen=True)
class Beside:
    """A region lies before another along an ``axis``, "columns" or "rows", when it ends before the other's
    centroid, and its centroid is before where the other begins; ``sign`` -1: the axis the other way round.
    ``reverse``: the relation in which the other stands to it then."""

    rule: str
    reverse: str
    axis: str
    sign: int


@dataclass(frozen=True)
class Meeting:
    """Boxes of two regions share rows and, by ``way``, are at most NEXT_TO_GAP columns apart (0), or share
    columns too and the region's lower edge is lower (1) or higher (-1) than the other's."""

    rule: str
    reverse: str
    way: int


@dataclass(frozen=True)
class Contact:
    """At least ``least`` 1/SHARES of the region's foot (``by_foot``) or outline (``by_border``) touch pixels
    of a thing, be they of a region or not. With both, the greater share counts."""

    rule: str
    by_foot: bool
    by_border: bool
    least: int


RELATIONS: dict[str, Beside | Contact | Meeting] = {
    "left of": Beside(
        "its right edge is left of the other's centre, its centre left of the other's left edge",
        "right of", "columns", 1,
    ),
    "right of": Beside(
        "its left edge is right of the other's centre, its centre right of the other's right edge",
        "left of", "columns", -1,
    ),
    "above": Beside(
        "its bottom edge is above the other's centre, its centre above the other's top edge",
        "below", "rows", 1,
    ),
    "below": Beside(
        "its top edge is below the other's centre, its centre below the other's bottom edge",
        "above", "rows", -1,
    ),
    "on": Contact(
        "the other is right under half of its foot or more",
        by_foot=True, by_border=False, least=HALF,
    ),
    "in": Contact(
        "the other is right under half of its foot or more, or at half of its outline or more",
        by_foot=True, by_border=True, least=HALF,
    ),
    "surrounded by": Contact(
        "the other is at three quarters of its outline or more",
        by_foot=False, by_border=True, least=THREE_QUARTERS,
    ),
    "next to": Meeting("they share rows, with at most 5% of the width between them", "next to", 0),
    "in front of": Meeting("their boxes overlap, and its bottom edge is lower", "behind", 1),
    "behind": Meeting("their boxes overlap, and its bottom edge is higher", "in front of", -1),
}  # fmt: skip

AROUND_RULE = "it is at three quarters of the other's outline or more"
""" "A around B" asks for a B that is surrounded by A (`query.plan`), so no index knows it."""
BETWEEN_RULE = "one is left of it and the other right of it, or one above it and the other below"


# What is asked of the regions of some classes


@dataclass(frozen=True)
class Anywhere:
    """Every region passes."""


@dataclass(frozen=True)
class InZone:
    """Regions at least half of whose pixels lie in the columns of the zone, and half in its rows. ``zone``: a
    key of ZONES."""

    zone: str


@dataclass(frozen=True)
class Related:
    """Regions that lie so to some other region (or, for a Contact, to the pixels) of ``classes``.
    ``relation``: a key of RELATIONS."""

    relation: str
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Between:
    """Regions that lie between one of ``first`` and one of ``second``, in either order, side by side or one
    above the other."""

    first: tuple[int, ...]
    second: tuple[int, ...]


RegionTest = Anywhere | InZone | Related | Between


def things_of(test: RegionTest) -> tuple[tuple[int, ...], ...]:
    """The classes of the things, beside that of the region itself, that a test speaks of."""
    match test:
        case Related(_, classes):
            return (classes,)
        case Between(first, second):
            return first, second
    return ()


def compares(test: RegionTest) -> bool:
    """Whether a test compares regions with one another."""
    if isinstance(test, Related):
        return not isinstance(RELATIONS[test.relation], Contact)
    return isinstance(test, Between)


def looking(test: RegionTest) -> tuple[Loop, tuple[str, ...], tuple[Any, ...]]:
    """What decides a test that :func:`compares` regions: a loop of `kernels`; the arrays that it takes after
    the groups, by name; and its arguments between the grids and ``counted``. KeyError for a relation that
    there is not, TypeError for any other test."""
    (left, x, right), (top, y, bottom) = AXES.values()
    width, height = SIDES.values()
    match test:
        case Between(between, _):
            taken = (left, right, x, width, top, bottom, y, height)
            return kernels.amid, taken, (len(between),)
        case Related(relation, _):
            match RELATIONS[relation]:
                case Beside(axis=axis, sign=sign):
                    low, centre, high = AXES[axis]
                    return kernels.beside, (low, high, centre, SIDES[axis]), (sign,)
                case Meeting(way=way):
                    boxes = (left, right, width, top, bottom, height)
                    if way == 0:
                        return kernels.adjacent, boxes, (NEXT_TO_GAP,)
                    return kernels.overlapping, boxes, (way,)
    raise TypeError(test)


def zoning(zone: str) -> tuple[list[str], list[NDArray[np.uint8]]]:
    """What decides whether a region lies in a zone: the arrays of numbers that tell which parts of its sides
    it fills, by name, one or two; and for each the share by such a number, uint8[65536], of which at least
    HALF is due. KeyError for a zone that there is not."""
    lines = {axis: line for axis, line in zip(AXES, ZONES[zone], strict=True) if line is not None}
    codes = [f"{axis} {DIVISION_OF[line]}" for axis, line in lines.items()]
    return codes, [_SHARES_BY_CODE[line] for line in lines.values()]


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


_SHARES_BY_CODE = {
    line: _read_only(np.append(shares, np.zeros((1 << 16) - shares.size, np.uint8)))
    for line, shares in SHARES_OF.items()
}
"""As SHARES_OF, with 0 for numbers that no region has."""


def clearest(test: RegionTest) -> float:
    """The measure from which on a region passes a test that :func:`compares` regions as clearly as can be."""
    next_to = isinstance(test, Related) and RELATIONS[test.relation] == RELATIONS["next to"]
    return 2 * NEXT_TO_GAP if next_to else UNITS / 2


# What is found


class Matches(Protocol):
    """What :class:`RegionMatches` tells, however it is kept."""

    @property
    def best(self) -> NDArray[np.uint8] | NDArray[np.uint16]: ...

    @property
    def counts(self) -> NDArray[np.uint16] | None: ...

    @property
    def nbytes(self) -> int: ...

    def within(
        self, low: int, high: int | None, rows: NDArray[np.intp] | None = None
    ) -> NDArray[np.bool_]: ...

    def degrees(self, rows: NDArray[np.intp]) -> NDArray[np.float32]: ...

    def reaching(self, value: float, *, above: bool = False) -> NDArray[np.bool_]: ...


@dataclass(frozen=True, eq=False)
class RegionMatches:
    """Which photos have regions that pass a test, by row.

    ``best``: uint8[n] or uint16[n], the measure of the region that passes most clearly, plus 1; 0 where none
    passes. ``counts``: uint16[n], regions that pass; None if only whether there is one was asked.
    ``degree_of``: float32, the degree for each value of ``best``, rising, 0 for 0 and then at least 1/255."""

    best: NDArray[np.uint8] | NDArray[np.uint16]
    counts: NDArray[np.uint16] | None
    degree_of: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        return self.best.nbytes + (0 if self.counts is None else self.counts.nbytes)

    def within(self, low: int, high: int | None, rows: NDArray[np.intp] | None = None) -> NDArray[np.bool_]:
        """Which rows (of ``rows``, if given) have ``low`` to ``high`` regions that pass (None: or more):
        bool, the caller's own.

        Raises ValueError for a range that is neither none at all nor any at all, if they were not counted."""
        if self.counts is None and needs_counts(low, high):
            raise ValueError("regions were not counted")
        counts = self.best if self.counts is None else self.counts  # both are 0 where none passes
        counts = counts if rows is None else counts[rows]
        held = counts >= low
        if high is not None:
            np.logical_and(held, counts <= high, out=held)
        return held

    def degrees(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """How clearly the clearest region of some rows passes: float32, > 0 .. 1, and 0 where none does."""
        return self.degree_of[self.best[rows]]

    def reaching(self, value: float, *, above: bool = False) -> NDArray[np.bool_]:
        """Which rows have a degree of at least ``value``, or with ``above`` more: bool, the caller's own."""
        first = int(np.searchsorted(self.degree_of, np.float32(value), "right" if above else "left"))
        return np.zeros(self.best.size, bool) if first > np.iinfo(self.best.dtype).max else self.best >= first


def needs_counts(low: int, high: int | None) -> bool:
    """Whether the numbers of regions matter to a range of them, and not only whether there are any."""
    return high != 0 if high is not None else low > 1


@lru_cache(maxsize=8)
def degree_table(clearest: float) -> NDArray[np.float32]:
    """The degree of each measure plus 1, from at least 1/255 to 1 for the measure ``clearest`` and more; 0
    for 0; float32[UNITS + 2], read-only."""
    degrees = np.clip((np.arange(UNITS + 2) - 1) / clearest, 1 / 255, 1).astype(np.float32)
    degrees[0] = 0
    degrees.flags.writeable = False
    return degrees
