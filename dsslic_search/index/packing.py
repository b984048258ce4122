"""Arrays of numbers in few bits, unpacked block by block with whole-array operations alone.

Values are taken as whole numbers of their type's size (floats as their bits) in blocks of BLOCK_VALUES. A
block is kept as offsets from a base in as many bits as nearly all need ("frame of reference"); the few that
need more stand beside ("patched": Zukowski et al., "Super-scalar RAM-CPU cache compression", 2006). It is
of whichever is smallest:

- the values themselves, or their differences, from each to the next, which are small where they ascend;
- only those values that are not the commonest one, and a bit for each that says whether it is;
- of an array with few different values the numbers of these in a table.

Offsets of k bits lie as k // 8 planes of bytes and k % 8 planes of bits, so that numpy alone puts them
together at some gigabytes a second.

::

    u32 blocks   u32 entries of the table, or 0   (little-endian)
    table        entries, u64 each
    u64 where each block begins, and the end of the last
    blocks       BLOCK_HEAD, [bits of values that are there], planes, places of exceptions u16, exceptions
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK_VALUES = 1 << 16
PACKED_FROM = 1 << 15
"""Arrays of fewer values are kept as they are: they are soon read, and weigh little."""
WORTH_ONE_IN = 16
"""An array is packed where that saves one byte in so many."""
MAX_TABLE = 4096  # different values that are worth a table
SAMPLED_VALUES = 1 << 14  # by which it is guessed whether there are so few
TRIMMED_ONE_IN = 256  # of the values may be exceptions below the base
SPARSE_ONE_IN = 16  # of the values must be the commonest, where the others alone are kept
TRIED_BITS = 3  # offsets of so few bits are not worth looking for less

HEAD = struct.Struct("<II")
BLOCK_HEAD = struct.Struct("<BBBxIIQQQ")
"""Bits of an offset, how (DIFFERENCES or SPARSE), bytes of an exception, number of exceptions, number of
offsets, base, what offsets are multiplied by, and the first value or the commonest."""
PLAIN, DIFFERENCES, SPARSE = range(3)

Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]


class _Frame(NamedTuple):
    """Offsets of values: ``scale`` times these, plus ``base``, are the values, modulo 2**64. ``wide``: the
    places of those that need more than ``width`` bits."""

    base: int
    scale: int
    width: int
    offsets: Words
    wide: NDArray[np.intp]
    bytes_each: int

    @property
    def nbytes(self) -> int:
        return -(-self.offsets.size * self.width // 8) + self.wide.size * (2 + self.bytes_each)


def packed(array: NDArray[Any]) -> Bytes | None:
    """An array, of numbers, in few bytes; None where that is not worth it."""
    if array.size < PACKED_FROM or array.dtype.kind not in "iufb" or array.dtype.itemsize > 8:
        return None
    flat = array.reshape(-1)
    if not _promising(flat):
        return None
    table = _table(flat)
    pieces = []
    for start in range(0, flat.size, BLOCK_VALUES):
        words = _words(flat[start : start + BLOCK_VALUES])
        pieces.append(_packed_block(words if table is None else np.searchsorted(table, words).astype("<u8")))
    stored = np.empty(0, "<u8") if table is None else table
    start = HEAD.size + 8 * (stored.size + len(pieces) + 1)
    starts = start + np.cumsum([0, *map(len, pieces)])
    whole = [HEAD.pack(len(pieces), stored.size), stored.tobytes(), starts.astype("<u8").tobytes(), *pieces]
    found = np.frombuffer(b"".join(whole), np.uint8)
    return found if WORTH_ONE_IN * (array.nbytes - found.size) >= array.nbytes else None


class Packed:
    """A packed array. ``starts``: where each block begins among its bytes, and the end of the last."""

    def __init__(self, data: Bytes) -> None:
        """``data``: as :func:`packed` gives it."""
        blocks, entries = HEAD.unpack(data[: HEAD.size].tobytes())
        begin = HEAD.size + 8 * entries
        self._data = data
        self._table = np.frombuffer(data[HEAD.size : begin].tobytes(), "<u8")
        self.starts = np.frombuffer(data[begin : begin + 8 * (blocks + 1)].tobytes(), "<u8").astype(np.intp)

    @staticmethod
    def head_bytes(data: Bytes) -> int:
        """How many bytes stand before the first block."""
        blocks, entries = HEAD.unpack(data[: HEAD.size].tobytes())
        return int(HEAD.size + 8 * (entries + blocks + 1))

    def block(self, number: int, out: NDArray[Any]) -> None:
        """Unpack a block into ``out``, contiguous, of the array's type, of BLOCK_VALUES values, or as many as
        the last one has."""
        data = self._data[self.starts[number] : self.starts[number + 1]]
        unsigned = out.view(f"u{out.dtype.itemsize}")
        if not self._table.size:
            _unpack_block(data, unsigned)
            return
        codes = np.empty(out.size, np.uint16)
        _unpack_block(data, codes)
        np.take(self._table.astype(unsigned.dtype), codes, out=unsigned)


def _words(flat: NDArray[Any]) -> Words:
    """Values as u64: whole numbers as they are, modulo 2**64, and others by their bits."""
    if flat.dtype.kind in "fb":
        flat = flat.view(f"u{flat.dtype.itemsize}")
    return (
        np.ascontiguousarray(flat).astype(np.int64 if flat.dtype.kind == "i" else np.uint64).view(np.uint64)
    )


def _promising(flat: NDArray[Any]) -> bool:
    """Whether a block in the middle becomes smaller, or has few different values."""
    start = (flat.size // BLOCK_VALUES // 2) * BLOCK_VALUES
    words = _words(flat[start : start + BLOCK_VALUES])
    raw = words.size * flat.dtype.itemsize
    if WORTH_ONE_IN * (raw - len(_packed_block(words))) >= raw:
        return True
    kinds = np.unique(words[:SAMPLED_VALUES]).size
    return 8 * WORTH_ONE_IN * flat.dtype.itemsize >= (WORTH_ONE_IN + 1) * kinds.bit_length()


def _table(flat: NDArray[Any]) -> Words | None:
    """The different values, ascending, if they are few and their numbers need fewer bits than they do."""
    sampled = _words(flat[:: max(1, flat.size // SAMPLED_VALUES)])
    if flat.dtype.itemsize == 1 or np.unique(sampled).size > MAX_TABLE:
        return None
    found: Words = np.empty(0, np.uint64)
    for start in range(0, flat.size, BLOCK_VALUES):
        found = np.union1d(found, _words(flat[start : start + BLOCK_VALUES]))
        if found.size > MAX_TABLE:
            return None
    differences = _framed(np.diff(sampled)).width if sampled.size > 1 else 0
    bits = int(found.size - 1).bit_length()
    return (
        found if bits + 1 < min(_framed(sampled).width, max(differences, bits)) or found.size == 1 else None
    )


def _framed(words: Words) -> _Frame:
    """The offsets of values, whatever base takes the fewest bytes."""
    if not words.size:
        return _Frame(0, 1, 0, words, np.empty(0, np.intp), 1)
    signed = words.view(np.int64)
    bases = {int(signed.min())}
    if words.size >= TRIMMED_ONE_IN:
        place = words.size // TRIMMED_ONE_IN
        bases.add(int(np.partition(signed, place)[place]))
    found = [_framed_from(words, base) for base in bases]
    best = min(found, key=lambda frame: frame.nbytes)
    if best.width > 16 and not best.wide.size:
        scale = int(np.gcd.reduce(best.offsets))
        if scale > 1:
            offsets = best.offsets // np.uint64(scale)
            best = best._replace(scale=scale, width=int(offsets.max()).bit_length(), offsets=offsets)
    return best


def _framed_from(words: Words, base: int) -> _Frame:
    offsets = words - np.uint64(base % 2**64)
    lengths = np.minimum(np.frexp(offsets.astype(np.float64))[1], 64)  # rounded up next to 2**64
    counts = np.bincount(lengths, minlength=65)
    most = int(np.flatnonzero(counts)[-1])
    bytes_each = next(size for size in (1, 2, 4, 8) if 8 * size >= most)
    over = words.size - np.cumsum(counts)
    costs = np.arange(65) * words.size + over * 8 * (2 + bytes_each)
    width = int(np.argmin(costs[: most + 1]))
    return _Frame(base, 1, width, offsets, np.flatnonzero(lengths > width), bytes_each)


def _packed_block(words: Words) -> bytes:
    """A block as the module says."""
    best, how, other, there = _framed(words), PLAIN, 0, b""
    if best.width > TRIED_BITS or best.wide.size:
        steps = _framed(np.diff(words))
        if steps.nbytes < best.nbytes:
            best, how, other = steps, DIFFERENCES, int(words[0])
        signed = words.view(np.int64)
        for common in {int(signed.min()), int(signed.max())}:
            is_common = signed == common
            if SPARSE_ONE_IN * np.count_nonzero(is_common) >= words.size:
                others = _framed(words[~is_common])
                if others.nbytes + words.size // 8 < best.nbytes + (len(there)):
                    best, how, other = others, SPARSE, common % 2**64
                    there = np.packbits(~is_common).tobytes()
    exceptions = best.offsets[best.wide]
    sizes = best.width, how, best.bytes_each, best.wide.size, best.offsets.size
    head = BLOCK_HEAD.pack(*sizes, best.base % 2**64, best.scale, other)
    planes = [
        (best.offsets >> np.uint64(8 * plane)).astype(np.uint8).tobytes() for plane in range(best.width // 8)
    ]
    planes += [
        np.packbits((best.offsets >> np.uint64(bit)).astype(np.uint8) & 1).tobytes()
        for bit in range(best.width - best.width % 8, best.width)
    ]
    wide = best.wide.astype("<u2").tobytes(), exceptions.astype(f"<u{best.bytes_each}").tobytes()
    return b"".join([head, there, *planes, *wide])


def _unpack_block(data: Bytes, out: NDArray[Any]) -> None:
    """Into ``out``, of an unsigned type: what is too large for it is taken modulo its range."""
    width, how, bytes_each, exceptions, count, base, scale, other = BLOCK_HEAD.unpack(
        data[: BLOCK_HEAD.size].tobytes()
    )
    at = BLOCK_HEAD.size
    kind, places = out.dtype.type, None
    if how == SPARSE:
        there = data[at : (at := at + -(-out.size // 8))]
        places = np.flatnonzero(np.unpackbits(there, count=out.size))
    values = np.zeros(count, kind) if how != PLAIN else out
    if how == PLAIN:
        values[:] = 0
    for plane in range(width // 8):
        taken = data[at : (at := at + count)]
        if plane < values.itemsize:
            np.bitwise_or(values, taken.astype(kind) << kind(8 * plane), out=values)
    if width % 8:
        rest = np.zeros(count, np.uint8)
        for bit in range(width % 8):
            bits = np.unpackbits(data[at : (at := at + -(-count // 8))], count=count)
            rest |= bits << np.uint8(bit)
        if width // 8 < values.itemsize:
            np.bitwise_or(values, rest.astype(kind) << kind(width - width % 8), out=values)
    if exceptions:
        wide = data[at : (at := at + 2 * exceptions)].view("<u2")
        values[wide] = data[at : at + bytes_each * exceptions].view(f"<u{bytes_each}").astype(kind)
    most = np.iinfo(kind).max
    if scale != 1:
        np.multiply(values, kind(scale & most), out=values)
    if base:
        np.add(values, kind(base & most), out=values)
    if how == DIFFERENCES:
        out[0] = other & most
        np.cumsum(values, out=out[1:], dtype=kind)
        out[1:] += out[0]
    elif how == SPARSE:
        out[:] = other & most
        out[places] = values
