"""What the catalog knows of many files, column by column, as it comes to the index of files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import ArchiveError, Remedy
from dsslic_search.core.fact import Values
from dsslic_search.core.fields import INDEXED

NOTHING = -(1 << 63)
"""Among whole numbers, where nothing is known."""
TEXTS: tuple[Values, ...] = ("text", "words")
"""What columns of texts hold; others hold numbers."""
WHOLE: tuple[Values, ...] = ("date", "whole", "pixels", "colours")
"""What columns of nothing but whole numbers hold."""

Known = NDArray[np.int64] | NDArray[np.float64] | Sequence[str | None]
"""Of each photo a whole number, NOTHING where none is known; a number, NaN where none is; or a text."""


class KnownFiles(NamedTuple):
    """``ids``, int64[n], and ``paths`` of some photos; ``columns``: what is known of them in each of
    `core.fields.INDEXED`, None where that is nothing."""

    ids: NDArray[np.int64]
    columns: tuple[Known | None, ...]
    paths: Sequence[str]

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]], paths: Sequence[str]) -> KnownFiles:
        """From rows of their values, None where nothing is known, dates as microseconds since 1970. Raises
        ArchiveError where a number is none."""
        values = tuple(zip(*rows, strict=True)) or ((),) * len(INDEXED)
        columns = tuple(_known(column.values, own) for column, own in zip(INDEXED, values, strict=True))
        return cls(np.array(values[_ID], np.int64), columns, paths)

    def some(self, chosen: NDArray[np.bool_]) -> KnownFiles:
        """Those that are chosen, bool[n]."""
        columns = tuple(
            known[chosen] if isinstance(known, np.ndarray) else known and [*compress(known, chosen)]
            for known in self.columns
        )
        return KnownFiles(self.ids[chosen], columns, [*compress(self.paths, chosen)])


_ID = [column.name for column in INDEXED].index("id")


def _known(kind: Values, values: Sequence[Any]) -> Known | None:
    if values.count(None) == len(values):
        return None
    if kind in TEXTS:
        return values
    dtype: Any = np.int64 if kind in WHOLE else np.float64
    nothing = NOTHING if kind in WHOLE else np.nan
    known = [nothing if value is None else value for value in values] if None in values else values
    try:
        found: Known = np.array(known, dtype)
    except (ValueError, TypeError, OverflowError):
        raise another_kind() from None
    return found


def another_kind() -> ArchiveError:
    """What to raise for a value that is none of its column."""
    return ArchiveError(
        "the catalog is damaged (a value in it is of another kind); make it anew from the photos' files and "
        f"the journal with: {Remedy.REBUILD}"
    )
