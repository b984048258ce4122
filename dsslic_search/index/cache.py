"""One file for the arrays of an index, which is only a cache of the catalog.

::

    "DSSINDEX"  u32 length of header  u32 CRC-32 of header   (little-endian)
    header      JSON: format, kind, key, generation, crc (CRC-32 of all that follows the header),
                arrays: [name, dtype, shape, offset]
    arrays      each at a multiple of 64 bytes, zeros between

``generation`` is the catalog's when the index was built, ``key`` names whatever else the contents depend on.
A file with another kind, key or generation, with a wrong checksum or of a wrong length counts as not there:
its owner builds it anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.source import Snapshot, Source

MAGIC = b"DSSINDEX"
FORMAT = 1
PREAMBLE = struct.Struct("<8sII")
ALIGNMENT = 64

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Table:
    """What an index knows of all photos of one generation of the catalog, by row: newest first (date taken,
    else date added), then by id. ``arrays``: as they are stored, ``ids`` among them."""

    generation: int
    arrays: Arrays

    def __len__(self) -> int:
        return int(self.ids.size)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Photo ids in row order, int64."""
        return self.arrays["ids"]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together."""
        return sum(array.nbytes for array in self.arrays.values())


def opened(
    source: Source, path: Path, kind: str, key: str, build: Callable[[Snapshot], Arrays]
) -> tuple[int, Arrays]:
    """(generation, arrays) of the catalog as it is now: from ``path`` if a sound and current file is there,
    else built and stored.

    A folder that cannot be written costs time at the next opening, nothing else."""
    generation = source.generation()
    arrays = load(path, kind, key, generation)
    if arrays is None:
        with source.snapshot() as snapshot:
            generation, arrays = snapshot.generation, build(snapshot)
        with contextlib.suppress(OSError):
            save(path, kind, key, generation, arrays)
            arrays = load(path, kind, key, generation) or arrays
    return generation, arrays


def load(path: Path, kind: str, key: str, generation: int) -> Arrays | None:
    """The arrays of a file that :func:`save` wrote with the same kind, key and generation, mapped into
    memory, read-only; None when there is no such file or any byte of it is not as it was written."""
    try:
        size = path.stat().st_size
        if size < PREAMBLE.size:
            return None
        content = np.asarray(np.memmap(path, np.uint8, "r"))
    except (OSError, ValueError):
        return None
    magic, length, header_crc = PREAMBLE.unpack(content[: PREAMBLE.size].tobytes())
    start = PREAMBLE.size + length
    text = content[PREAMBLE.size : start].tobytes()
    if magic != MAGIC or len(text) != length or zlib.crc32(text) != header_crc:
        return None
    header = json.loads(text)
    if [header.get(name) for name in ("format", "kind", "key", "generation")] != [
        FORMAT,
        kind,
        key,
        generation,
    ]:
        return None
    if zlib.crc32(content[start:].data) != header["crc"]:
        return None
    arrays: Arrays = {}
    for name, dtype, shape, offset in header["arrays"]:
        end = offset + np.dtype(dtype).itemsize * int(np.prod(shape))
        arrays[name] = content[offset:end].view(dtype).reshape(shape)
    return arrays


def save(path: Path, kind: str, key: str, generation: int, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write ``arrays`` to ``path``: under a temporary name first, then renamed, so that a reader sees all of
    it or nothing.

    Raises OSError when the folder cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    header = _header(kind, key, generation, plain)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(PREAMBLE.pack(MAGIC, len(header), zlib.crc32(header)) + header)
            for array, padding in _pieces(PREAMBLE.size + len(header), plain):
                file.write(bytes(padding))
                file.write(_octets(array))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _octets(array: NDArray[Any]) -> memoryview:
    """The bytes of a contiguous array, not copied."""
    return array.reshape(-1).view(np.uint8).data


def _pieces(start: int, arrays: Mapping[str, NDArray[Any]]) -> list[tuple[NDArray[Any], int]]:
    """Each array with the number of zero bytes before it, when the first may begin at ``start``."""
    pieces = []
    for array in arrays.values():
        padding = -start % ALIGNMENT
        pieces.append((array, padding))
        start += padding + array.nbytes
    return pieces


def _header(kind: str, key: str, generation: int, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The header as JSON, padded with spaces to end at a multiple of ALIGNMENT whatever its numbers are."""
    fields: dict[str, Any] = {
        "format": FORMAT,
        "kind": kind,
        "key": key,
        "generation": generation,
        "crc": 2**32 - 1,
    }
    rows = [[name, array.dtype.str, list(array.shape), 2**62] for name, array in arrays.items()]
    longest = len(json.dumps(fields | {"arrays": rows}))
    start = PREAMBLE.size + longest
    start += -start % ALIGNMENT
    crc, offset = 0, start
    for (array, padding), row in zip(_pieces(start, arrays), rows, strict=True):
        crc = zlib.crc32(bytes(padding), crc)
        crc = zlib.crc32(_octets(array), crc)
        row[3] = offset + padding
        offset += padding + array.nbytes
    return json.dumps(fields | {"crc": crc, "arrays": rows}).ljust(start - PREAMBLE.size).encode()
