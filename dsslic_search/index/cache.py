"""One file for the arrays of an index, which is only a cache of the catalog.

::

    "DSSINDEX"  u32 length of header  u32 CRC-32 of header   (little-endian)
    header      JSON: format, kind, key, state (of the catalog that was read), sums (CRC-32 of the sums),
                arrays: [name, dtype, shape, offset]
    arrays      each at a multiple of 64 bytes, zeros between
    sums        u32 CRC-32 of each BLOCK bytes from the header's end to here, the last block may be shorter

``key`` names whatever the contents depend on, but for the catalog: of that they are as it was at ``state``,
of which the owner judges. A file with another kind or key, or of a wrong length, counts as not there: its
owner builds it anew. It is opened by mapping it, and a block is read and compared with its sum when something
in it is asked for first.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.source import Stale, State

MAGIC = b"DSSINDEX"
FORMAT = 4
PREAMBLE = struct.Struct("<8sII")
MAX_HEADER_BYTES = 1 << 24
ALIGNMENT = 64
BLOCK = 1 << 16

Made = dict[str, NDArray[Any]]
"""Arrays as an index builds them."""
NO_STATE = State(0, "")
"""Of arrays that follow from something else than the catalog."""


class Damaged(Stale):
    """A file of an index is not as it was written. It counts as not there from now on, so that it is built
    anew."""


class Arrays(Mapping[str, NDArray[Any]]):
    """Arrays by name, read-only: of a file, mapped, or as they were built. ``state``: the catalog's that they
    are of."""

    def __init__(self, arrays: Made, state: State = NO_STATE, blocks: _Blocks | None = None) -> None:
        for array in arrays.values():  # so that loops are not compiled for arrays that may be written, too
            array.flags.writeable = False
        self.state = state
        self._arrays = arrays
        self._blocks = blocks
        self._sound: dict[str, NDArray[Any]] = {}  # compared with their sums as a whole
        self._rows: dict[tuple[str, int], NDArray[Any]] = {}  # the same of single rows

    def __getitem__(self, name: str) -> NDArray[Any]:
        array = self._sound.get(name)
        if array is None:
            array = self._arrays[name]
            self._check(array)
            self._sound[name] = array
        return array

    def part(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """``array[..., start:stop]`` of the array of a name, of one or two dimensions; no more is read."""
        if (whole := self._sound.get(name)) is not None:
            return whole[..., start:stop]
        part = self._arrays[name][..., start:stop]
        for row in part if part.ndim > 1 else [part]:
            self._check(row)
        return part

    def row(self, name: str, number: int) -> NDArray[Any]:
        """``array[number]`` of the array of a name, of two dimensions; no more is read."""
        row = self._rows.get((name, number))
        if row is None:
            row = self._arrays[name][number]
            self._check(row)
            self._rows[name, number] = row
        return row

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together."""
        return sum(array.nbytes for array in self._arrays.values())

    def _check(self, contiguous: NDArray[Any]) -> None:
        if self._blocks is not None and contiguous.nbytes:
            self._blocks.check(contiguous)


class _Blocks:
    """The sums of a file's blocks, and which of these were compared with them."""

    def __init__(
        self, name: str, identity: Identity, content: NDArray[np.uint8], sums: NDArray[np.uint32]
    ) -> None:
        self._name = name
        self._identity = identity
        self._content = content
        self._first = content.ctypes.data
        self._sums = sums
        self._sound = bytearray(sums.size)

    def check(self, part: NDArray[Any]) -> None:
        start = part.__array_interface__["data"][0] - self._first
        first, last = start // BLOCK, (start + part.nbytes - 1) // BLOCK
        number = self._sound.find(0, first, last + 1)
        while number >= 0:
            if zlib.crc32(self._content[number * BLOCK : (number + 1) * BLOCK].data) != self._sums[number]:
                _DAMAGED.add(self._identity)
                raise Damaged(self._name)
            self._sound[number] = 1
            number = self._sound.find(0, number + 1, last + 1)


Identity = tuple[int, int, int]
"""Of a file: device, number on it, and when it was changed, nanoseconds since 1970."""

_DAMAGED: set[Identity] = set()
"""Files that were found to be damaged: where the disk cannot be written they stay there."""


def load(path: Path, kind: str, key: str) -> Arrays | None:
    """The arrays of a file that :func:`save` wrote with the same kind and key; None when there is no such
    file. Raises Damaged, then or when an array is asked for, for one that is not as it was written."""
    try:
        with path.open("rb") as file:
            known = os.fstat(file.fileno())
            size, identity = known.st_size, (known.st_dev, known.st_ino, known.st_mtime_ns)
            if size < PREAMBLE.size or identity in _DAMAGED:
                return None
            content = np.asarray(np.memmap(file, np.uint8, "r", shape=(size,)))
    except (OSError, ValueError):
        return None
    magic, length, header_crc = PREAMBLE.unpack(content[: PREAMBLE.size].tobytes())
    start = PREAMBLE.size + length
    text = content[PREAMBLE.size : start].tobytes()
    if magic != MAGIC or len(text) != length or zlib.crc32(text) != header_crc:
        return None
    header = json.loads(text)
    if [header.get(name) for name in ("format", "kind", "key")] != [FORMAT, kind, key]:
        return None
    count = -(-(size - start) // (BLOCK + 4))
    sums = content[size - 4 * count :]
    if size - start < 4 * count or zlib.crc32(sums.data) != header["sums"]:
        return None
    arrays: Made = {}
    for name, dtype, shape, offset in header["arrays"]:
        end = offset + np.dtype(dtype).itemsize * int(np.prod(shape))
        arrays[name] = content[offset:end].view(dtype).reshape(shape)
    summed, state = content[start : size - 4 * count], State(*header["state"])
    return Arrays(arrays, state, _Blocks(path.name, identity, summed, np.frombuffer(sums.tobytes(), "<u4")))


def load_whole(path: Path, kind: str, key: str) -> Arrays | None:
    """As :func:`load`, with every block read and compared; None for a damaged one too."""
    try:
        arrays = load(path, kind, key)
        for name in arrays or ():
            _ = arrays and arrays[name]
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
    except FileNotFoundError:
        return False
    if magic != MAGIC or zlib.crc32(text) != header_crc:
        return True
    header = json.loads(text)
    return header["format"] == FORMAT and load_whole(path, header["kind"], header["key"]) is None


def save(
    path: Path, kind: str, key: str, arrays: Mapping[str, NDArray[Any]], state: State = NO_STATE
) -> None:
    """Write ``arrays``, of a state of the catalog, to ``path``: under a temporary name, then renamed, so
    that a reader sees all of it or nothing.

    Raises OSError when the folder cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    sums = _sums(plain)
    fields = {"format": FORMAT, "kind": kind, "key": key, "state": list(state), "sums": zlib.crc32(sums)}
    header = _header(fields, plain)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(PREAMBLE.pack(MAGIC, len(header), zlib.crc32(header)) + header)
            for piece in _pieces(plain):
                file.write(piece)
            file.write(sums)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


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


def _header(fields: dict[str, Any], arrays: Made) -> bytes:
    """The header as JSON, padded with spaces to end at a multiple of ALIGNMENT whatever its numbers are."""
    rows = [[name, array.dtype.str, list(array.shape), 2**62] for name, array in arrays.items()]
    start = PREAMBLE.size + len(json.dumps(fields | {"arrays": rows}))
    start += -start % ALIGNMENT
    offset = start
    for array, row in zip(arrays.values(), rows, strict=True):
        offset += -offset % ALIGNMENT
        row[3] = offset
        offset += array.nbytes
    return json.dumps(fields | {"arrays": rows}).ljust(start - PREAMBLE.size).encode()
