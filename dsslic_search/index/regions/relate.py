"""What can be asked of regions: where they lie, and how they lie to others. Definitions:
docs/query-language.md."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.scene import UNITS, Line

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

LIMITS = tuple(dict.fromkeys(ZONES.values()))  # each once: "middle" is another name for "centre"

TOUCHING = ("on", "in", "surrounded by")  # relations to what a region touches, not to other regions
RELATIONS = ("left of", "right of", "above", "below", *TOUCHING, "next to", "in front of", "behind")


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
    """Regions that lie so to some other region (or, for contacts, to the pixels) of ``classes``.
    ``relation``: one of RELATIONS."""

    relation: str
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Between:
    """Regions that lie between one of ``first`` and one of ``second``, in either order, side by side or one
    above the other."""

    first: tuple[int, ...]
    second: tuple[int, ...]


Test = Anywhere | InZone | Related | Between


def compares(test: Test) -> bool:
    """Whether a test compares regions with one another."""
    return isinstance(test, Between) or (isinstance(test, Related) and test.relation not in TOUCHING)


@dataclass(frozen=True, eq=False)
class Found:
    """What was found among the regions of all photos, by row.

    ``best``: uint8[n] or uint16[n], the measure of the region that passes most clearly, plus 1; 0 where none
    passes. ``counts``: uint16[n], regions that pass; None if only whether there is one was asked. ``table``:
    float32, the degree for each value of ``best``, rising, 0 for 0 and then at least 1/255."""

    best: NDArray[np.uint8] | NDArray[np.uint16]
    counts: NDArray[np.uint16] | None
    table: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        return self.best.nbytes + (0 if self.counts is None else self.counts.nbytes)

    def within(self, low: int, high: int | None, rows: NDArray[np.intp] | None = None) -> NDArray[np.bool_]:
        """Which rows (of ``rows``, if given) have ``low`` to ``high`` regions that pass (None: or more):
        bool, the caller's own.

        Raises ValueError for a range that is neither none at all nor any at all, if they were not counted."""
        if self.counts is None and counted(low, high):
            raise ValueError("regions were not counted")
        counts = self.best if self.counts is None else self.counts  # both are 0 where none passes
        counts = counts if rows is None else counts[rows]
        held = counts >= low
        if high is not None:
            np.logical_and(held, counts <= high, out=held)
        return held

    def degrees(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """How clearly the clearest region of some rows passes: float32, > 0 .. 1, and 0 where none does."""
        return self.table[self.best[rows]]

    def reaching(self, value: float, *, above: bool = False) -> NDArray[np.bool_]:
        """Which rows have a degree of at least ``value``, or with ``above`` more: bool, the caller's own."""
        first = int(np.searchsorted(self.table, np.float32(value), "right" if above else "left"))
        return np.zeros(self.best.size, bool) if first > np.iinfo(self.best.dtype).max else self.best >= first


def counted(low: int, high: int | None) -> bool:
    """Whether the numbers of regions matter to a range of them, and not only whether there are any."""
    return high != 0 if high is not None else low > 1


@lru_cache(maxsize=8)
def table(whole: float) -> NDArray[np.float32]:
    """The degree of each measure plus 1, from at least 1/255 to 1 for ``whole`` and more; 0 for 0;
    float32[UNITS + 2], read-only."""
    degrees = np.clip((np.arange(UNITS + 2) - 1) / whole, 1 / 255, 1).astype(np.float32)
    degrees[0] = 0
    degrees.flags.writeable = False
    return degrees
