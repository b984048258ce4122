"""What a predicate about files asks of their index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.files import Files
from dsslic_search.query.ast import (
    FilePredicate,
    Near,
    Number,
    Orientation,
    Period,
    Recurring,
    Text,
    Unknown,
    Within,
)


def filtered(files: Files, predicate: FilePredicate) -> NDArray[np.bool_]:
    """The photos whose files are as a predicate says: bool, the caller's own."""
    match predicate:
        case Period(name, start, end):
            return files.period(name, start, end)
        case Recurring(name, low, high):
            return files.recurring(name, low, high)
        case Text(name, pattern):
            return files.text(name, pattern)
        case Number(name, low, high):
            return files.figure(name, low, high)
        case Orientation(name):
            return files.orientation(name)
        case Near(latitude, longitude, metres):
            return files.near(latitude, longitude, metres)
        case Within(south, west, north, east):
            return files.within(south, west, north, east)
        case Unknown(name):
            return files.unknown(name)
