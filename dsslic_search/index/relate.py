"""What can be asked of regions: where they lie, and how they lie to others. Definitions: docs/query-language.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.features.scene import Line

# Of the columns and of the rows that a zone takes; None: all of them.
ZONES: dict[str, tuple[Line | None, Line | None]] = {
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

RELATIONS = ("left of", "right of", "above", "below", "on", "in", "surrounded by", "next to", "in front of", "behind")


@dataclass(frozen=True)
class Anywhere:
    """Every region passes."""


@dataclass(frozen=True)
class InZone:
    """Regions at least half of whose pixels lie in the columns of the zone, and half in its rows. ``zone``: a key of ZONES."""

    zone: str


@dataclass(frozen=True)
class Related:
    """Regions that lie so to some other region (or, for contacts, to the pixels) of ``classes``. ``relation``: one of RELATIONS."""

    relation: str
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Between:
    """Regions that lie between one of ``first`` and one of ``second``, in either order, side by side or one above the other."""

    first: tuple[int, ...]
    second: tuple[int, ...]


Test = Anywhere | InZone | Related | Between


@dataclass(frozen=True)
class Found:
    """The photos with a region that passes. ``rows``: intp, ascending; ``counts``: uint16, regions that pass, 1 or more;
    ``degrees``: float32, how clearly the clearest of them passes, > 0 .. 1."""

    rows: NDArray[np.intp]
    counts: NDArray[np.uint16]
    degrees: NDArray[np.float32]
