"""What the header of an index's file says, checked before anything is made of it."""

from __future__ import annotations

import math
import sys
from typing import Any, NamedTuple

import numpy as np

from dsslic_search.core.plain_json import parsed
from dsslic_search.index.packing import BLOCK_HEAD, BLOCK_VALUES
from dsslic_search.index.source import State

MOST_DIMENSIONS = 8
MOST_BYTES_A_VALUE = 256


class Stored(NamedTuple):
    """An array in the file: ``offset`` from the file's start; ``packed_bytes``: None where it is not
    packed."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    packed_bytes: int | None

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in the file."""
        return self.dtype.itemsize * math.prod(self.shape) if self.packed_bytes is None else self.packed_bytes


class Header(NamedTuple):
    """``format``, ``kind`` and ``key`` tell what the file is; ``sums``: the checksum of its blocks' sums."""

    format: int
    kind: str
    key: str
    sums: int
    state: State
    arrays: tuple[Stored, ...]


def read(text: bytes, size: int) -> Header | None:
    """The header, of a file of ``size`` bytes; None for what no file of that size can have."""
    try:
        told = parsed(text)
        changes, token = told["state"]
        arrays = tuple(_stored(*row) for row in told["arrays"])
        plain = told["format"], told["kind"], told["key"], told["sums"]
    except (ValueError, TypeError, KeyError):
        return None
    if [type(each) for each in (*plain, changes, token)] != [int, str, str, int, int, str]:
        return None
    inside = all(each.offset >= 0 and each.offset + each.nbytes <= size for each in arrays)
    return Header(*plain, State(changes, token), arrays) if inside else None


def format_of(text: bytes) -> int | None:
    """The number of the format alone, of any version; None where there is none."""
    try:
        found = parsed(text)["format"]
    except (ValueError, TypeError, KeyError):
        return None
    return found if isinstance(found, int) else None


def _stored(name: Any, dtype: Any, shape: Any, offset: Any, packed_bytes: Any) -> Stored:
    """An array; ValueError or TypeError for one that cannot be."""
    numbers = [*shape, offset, *([] if packed_bytes is None else [packed_bytes])]
    if not isinstance(name, str) or not isinstance(dtype, str) or not isinstance(shape, list):
        raise TypeError("an array's name, type or shape is none")
    if any(type(number) is not int or number < 0 for number in numbers) or len(shape) > MOST_DIMENSIONS:
        raise ValueError("an array's sizes are none")
    kind = np.dtype(dtype)
    if kind.hasobject or not 0 < kind.itemsize <= MOST_BYTES_A_VALUE:
        raise ValueError("an array of no values")
    if math.prod(max(number, 1) for number in shape) * kind.itemsize > sys.maxsize:
        raise ValueError("an array beyond any address, empty or not")
    if packed_bytes is not None and (
        kind.kind not in "iufb"
        or kind.itemsize > 8
        or math.prod(shape) > BLOCK_VALUES * (packed_bytes // BLOCK_HEAD.size)
    ):
        raise ValueError("more values than can be packed into so few bytes")
    return Stored(name, kind, tuple(shape), offset, packed_bytes)
