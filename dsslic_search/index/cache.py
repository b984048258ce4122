"""One file for the arrays of an index, which is only a cache of the catalog.

::

    "DSSINDEX"  u32 length of header  u32 CRC-32 of header   (little-endian)
    header      JSON: format, kind, key, state (of the catalog that was read), sums (CRC-32 of the sums),
                arrays: [name, dtype, shape, offset, bytes if it is packed (`index.packing`), or null]
    arrays      each at a multiple of 64 bytes, zeros between
    sums        u32 CRC-32 of each BLOCK bytes from the header's end to here, the last block may be shorter

``key`` names whatever the contents depend on, but for the catalog: of that they are as it was at ``state``,
of which the owner judges. A file with another kind or key, or of a wrong length, counts as not there: its
owner builds it anew. It is opened by mapping it, and a block is read and compared with its sum when something
in it is asked for first; then what is packed is unpacked, as far as it is asked for.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core import files
from dsslic_search.core.mapping import leave, mapped, refuse_too_many
from dsslic_search.index import cache_header
from dsslic_search.index.blocks import BLOCK, DAMAGED, Blocks, Damaged, Unpacked
from dsslic_search.index.compiling import on_all_processors
from dsslic_search.index.packing import packed
from dsslic_search.index.source import State

MAGIC = b"DSSINDEX"
FORMAT = 6
PREAMBLE = struct.Struct("<8sII")
MAX_HEADER_BYTES = 1 << 24
ALIGNMENT = 64
UNPACKED_AT_ONCE = 8
"""Packed blocks from which on they are dealt out to threads."""

Made = dict[str, NDArray[Any]]
"""Arrays as an index builds them."""
NO_STATE = State(0, "")
"""Of arrays that follow from something else than the catalog."""


class Arrays(Mapping[str, NDArray[Any]]):
    """Arrays by name, read-only: of a file, mapped, or as they were built. ``state``: the catalog's that they
    are of."""

    def __init__(
        self,
        arrays: Made,
        state: State = NO_STATE,
        blocks: Blocks | None = None,
        unpacked: Mapping[str, Unpacked] | None = None,
    ) -> None:
        for array in arrays.values():  # so that loops are not compiled for arrays that may be written, too
            array.flags.writeable = False
        self.state = state
        self._arrays = arrays
        self._blocks = blocks
        self._unpacked = unpacked or {}
        self._sound: dict[str, NDArray[Any]] = {}  # compared with their sums as a whole
        self._rows: dict[tuple[str, int], NDArray[Any]] = {}  # the same of single rows

    def __getitem__(self, name: str) -> NDArray[Any]:
        array = self._sound.get(name)
        if array is not None:
            return array
        if (few := self._unpacked.get(name)) is not None:
            return few.parts([(0, few.size)])
        array = self._arrays[name]
        self._check(array)
        self._sound[name] = array
        return array

    def parts(self, name: str, bounds: Iterable[tuple[int, int]]) -> NDArray[Any]:
        """The array of a name, of one or two dimensions, of which only ``array[..., start:stop]`` of the
        ``bounds`` may be looked at: no more is read."""
        if (whole := self._sound.get(name)) is not None:
            return whole
        if (few := self._unpacked.get(name)) is not None:
            starts = range(0, few.size, few.shape[-1]) if few.size else ()
            return few.parts([(row + start, row + stop) for start, stop in bounds for row in starts])
        array = self._arrays[name]
        for start, stop in bounds if self._blocks is not None else ():
            part = array[..., start:stop]
            for row in part if part.ndim > 1 else [part]:
                self._check(row)
        return array

    def part(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """``array[..., start:stop]`` of the array of a name, of one or two dimensions; no more is read."""
        return self.parts(name, [(start, stop)])[..., start:stop]

    def ready(self, parts: Iterable[tuple[str, int, int]]) -> None:
        """Unpack what :meth:`part` may be asked for next, of arrays of one dimension: on all processors."""
        todo = [
            (few, number)
            for name, start, stop in (parts if self._unpacked else ())
            if name not in self._sound and (few := self._unpacked.get(name)) is not None
            for number in few.missing(start, stop)
        ]

        def unpack(part: slice) -> None:
            for few, blocks in groupby(todo[part], itemgetter(0)):
                few.unpack([number for _, number in blocks])

        on_all_processors(unpack, len(todo), UNPACKED_AT_ONCE)

    def taken(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """As :meth:`part`, of an array of one dimension, to be put elsewhere: what has to be unpacked for it
        is not kept."""
        few = self._unpacked.get(name)
        return self.part(name, start, stop) if few is None else few.taken(start, stop)

    def row(self, name: str, number: int) -> NDArray[Any]:
        """``array[number]`` of the array of a name, of two dimensions; no more is read."""
        row = self._rows.get((name, number))
        if row is not None:
            return row
        if (few := self._unpacked.get(name)) is not None:
            start = number * few.shape[1]
            found: NDArray[Any] = few.parts([(start, start + few.shape[1])])[number]
            return found
        there: NDArray[Any] = self._arrays[name][number]
        self._check(there)
        self._rows[name, number] = there
        return there

    def leave(self, name: str) -> None:
        """Give back the memory of a mapped array that was copied, until it is asked for again."""
        if self._blocks is not None and name in self._arrays:
            leave(self._arrays[name])

    def check(self) -> None:
        """Read all that is stored. Raises Damaged where it is not as it was written."""
        for array in self._arrays.values():
            self._check(array)
        for few in self._unpacked.values():
            self._check(few.stored)

    def __iter__(self) -> Iterator[str]:
        yield from self._arrays
        yield from self._unpacked

    def __len__(self) -> int:
        return len(self._arrays) + len(self._unpacked)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together, as they are stored."""
        return sum(array.nbytes for array in self._arrays.values()) + sum(
            few.stored.nbytes for few in self._unpacked.values()
        )

    def _check(self, contiguous: NDArray[Any]) -> None:
        if self._blocks is not None and contiguous.nbytes:
            self._blocks.check(contiguous)


def load(path: Path, kind: str, key: str) -> Arrays | None:
    """The arrays of a file that :func:`save` wrote with the same kind and key; None when there is no such
    file. Raises Damaged, then or when an array is asked for, for one that is not as it was written."""
    try:
        with path.open("rb") as file:
            known = os.fstat(file.fileno())
            size, identity = known.st_size, (known.st_dev, known.st_ino, known.st_mtime_ns)
            if size < PREAMBLE.size or identity in DAMAGED:
                return None
            content = mapped(file.fileno(), size)
    except OSError as error:
        refuse_too_many(path, error)
        return None
    magic, length, header_crc = PREAMBLE.unpack(content[: PREAMBLE.size].tobytes())
    start = PREAMBLE.size + length
    text = content[PREAMBLE.size : start].tobytes()
    if magic != MAGIC or len(text) != length or zlib.crc32(text) != header_crc:
        return None
    header = cache_header.read(text, size)
    if header is None or header[:3] != (FORMAT, kind, key):
        return None
    count = -(-(size - start) // (BLOCK + 4))
    sums = content[size - 4 * count :]
    if size - start < 4 * count or zlib.crc32(sums.data) != header.sums:
        return None
    summed = content[start : size - 4 * count]
    blocks = Blocks(path.name, identity, summed, np.frombuffer(sums.tobytes(), "<u4"))
    arrays: Made = {}
    unpacked: dict[str, Unpacked] = {}
    for each in header.arrays:
        stored = content[each.offset : each.offset + each.nbytes]
        if each.packed_bytes is None:
            arrays[each.name] = stored.view(each.dtype).reshape(each.shape)
        else:
            unpacked[each.name] = Unpacked(stored, each.dtype, each.shape, blocks)
    return Arrays(arrays, header.state, blocks, unpacked)


def load_whole(path: Path, kind: str, key: str) -> Arrays | None:
    """As :func:`load`, with every block read and compared; None for a damaged one too."""
    try:
        arrays = load(path, kind, key)
        if arrays is not None:
            arrays.check()
    except Damaged:
        return None
    return arrays


def is_damaged(path: Path) -> bool:
    """Whether a file of an index is not as it was written; every block is read. One that another version
    wrote is not damaged, nor is one that is gone. Raises OSError for one that cannot be read."""
    try:
        with path.open("rb") as file:
            magic, length, header_crc = PREAMBLE.unpack(file.read(PREAMBLE.size).ljust(PREAMBLE.size, b"\0"))
            text = file.read(min(length, MAX_HEADER_BYTES))
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return False
    if magic != MAGIC or zlib.crc32(text) != header_crc:
        return True
    if cache_header.format_of(text) not in (FORMAT, None):
        return False
    header = cache_header.read(text, size)
    return header is None or load_whole(path, header.kind, header.key) is None


def save(
    path: Path, kind: str, key: str, arrays: Mapping[str, NDArray[Any]], state: State = NO_STATE
) -> None:
    """Write ``arrays``, of a state of the catalog, to ``path``: under a temporary name, then renamed, so
    that a reader sees all of it or nothing.

    Raises OSError when the folder cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    smaller = {name: small for name, array in plain.items() if (small := packed(array)) is not None}
    stored = plain | smaller
    sums = _sums(stored)
    fields = {"format": FORMAT, "kind": kind, "key": key, "state": list(state), "sums": zlib.crc32(sums)}
    header = _header(fields, plain, smaller)
    with files.replacing(path) as file:
        file.write(PREAMBLE.pack(MAGIC, len(header), zlib.crc32(header)) + header)
        for piece in _pieces(stored):
            file.write(piece)
        file.write(sums)


def _pieces(arrays: Made) -> Iterator[memoryview]:
    """The bytes of each array and the zeros before it, none copied; the first begins at a multiple of
    ALIGNMENT."""
    at = 0
    for array in arrays.values():
        yield memoryview(bytes(-at % ALIGNMENT))
        yield array.reshape(-1).view(np.uint8).data
        at += -at % ALIGNMENT + array.nbytes


def _sums(arrays: Made) -> bytes:
    """The sums of the blocks of all pieces one after another."""
    sums, crc, filled = [], 0, 0
    for piece in _pieces(arrays):
        at = 0
        while at < len(piece):
            taken = piece[at : at + BLOCK - filled]
            crc, filled, at = zlib.crc32(taken, crc), filled + len(taken), at + len(taken)
            if filled == BLOCK:
                sums.append(crc)
                crc = filled = 0
    return np.array([*sums, crc][: len(sums) + bool(filled)], "<u4").tobytes()


def _header(fields: dict[str, Any], arrays: Made, smaller: Mapping[str, NDArray[np.uint8]]) -> bytes:
    """The header as JSON, padded with spaces to end at a multiple of ALIGNMENT whatever its numbers are.
    ``smaller``: those of the arrays that are stored packed."""
    rows: list[list[Any]] = [
        [name, array.dtype.str, list(array.shape), 2**62, smaller[name].nbytes if name in smaller else None]
        for name, array in arrays.items()
    ]
    start = PREAMBLE.size + len(json.dumps(fields | {"arrays": rows}))
    start += -start % ALIGNMENT
    offset = start
    for (name, array), row in zip(arrays.items(), rows, strict=True):
        offset += -offset % ALIGNMENT
        row[3] = offset
        offset += smaller.get(name, array).nbytes
    return json.dumps(fields | {"arrays": rows}).ljust(start - PREAMBLE.size).encode()
