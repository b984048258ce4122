"""Arrays of numbers in few bits, unpacked block by block.

Values are taken as whole numbers of their type's size (floats as their bits) in blocks of BLOCK_VALUES. A
block is kept as offsets from a base in as many bits as nearly all need ("frame of reference"); the few that
need more stand beside ("patched": Zukowski et al., "Super-scalar RAM-CPU cache compression", 2006). It is
of whichever is smallest:

- the values themselves, or their differences, from each to the next, which are small where they ascend;
- only those values that are not among the 1, 3 or 7 commonest, and for each 1, 2 or 3 bits that tell which of
  these it is, or none;
- of an array with few different values the numbers of these in a table.

Offsets of k bits lie as k // 8 planes of bytes and k % 8 planes of bits, so that numpy alone puts them
together at some gigabytes a second. Where numba is there, and it has paid to load it, the loops of
`index.packing_loops` do it in a fifth of the time.

::

    u32 blocks   u32 entries of the table, or 0   (little-endian)
    table        entries, u64 each
    u64 where each block begins, and the end of the last
    blocks       BLOCK_HEAD, [the commonest values u64, planes of their numbers], planes, places of exceptions
                 u16, exceptions
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index import packing_loops
from dsslic_search.index.commonest import MOST_NUMBERS, Commonest, Words
from dsslic_search.index.compiling import on_all_processors, quick
from dsslic_search.index.packing_loops import SPREAD

BLOCK_VALUES = 1 << 16
PACKED_FROM = 1 << 15
"""Arrays of fewer values are kept as they are: they are soon read, and weigh little."""
PACKED_AT_ONCE = 4
"""Blocks from which on they are dealt out to threads."""
WORTH_ONE_IN = 16
"""An array is packed where that saves one byte in so many."""
BYTES_WORTH_ONE_IN = 8
"""The same of one of bytes, which is looked at in the file as it is where it is not packed, and takes no
memory of its own."""
MAX_TABLE = 4096  # different values that are worth a table
SAMPLED_VALUES = 1 << 14  # by which it is guessed whether there are so few
SAMPLED_FOR_BASE = 1024  # by which it is guessed where most values begin
TRIMMED_ONE_IN = 256  # of the values may be exceptions below the base
TRIED_BITS = 3  # offsets of so few bits are not worth looking for less

HEAD = struct.Struct("<II")
BLOCK_HEAD = struct.Struct("<BBBxIIQQQ")
"""Bits of an offset, how (PLAIN, DIFFERENCES or COMMON + bits of a number), bytes of an exception, number of
exceptions, number of offsets, base, what offsets are multiplied by, and the first value."""
PLAIN, DIFFERENCES, COMMON = range(3)

Bytes = NDArray[np.uint8]


class _Head(NamedTuple):
    """What BLOCK_HEAD says."""

    width: int
    way: int
    bytes_each: int
    exceptions: int
    offsets: int
    base: int
    scale: int
    first: int

    def fits(self, nbytes: int, values: int) -> bool:
        """Whether a block of so many bytes may hold so many values."""
        bits = max(self.way - COMMON, 0)
        planes = [(self.offsets, self.width), *([(values, bits)] if bits else [])]
        sizes = [width // 8 * count + width % 8 * -(-count // 8) for count, width in planes]
        behind = self.exceptions * (2 + self.bytes_each) + (8 * (2**bits - 1) if bits else 0)
        told = {PLAIN: values, DIFFERENCES: values - 1}.get(self.way, self.offsets)
        return (
            max(self.width, bits) <= 64
            and self.offsets == told <= values
            and BLOCK_HEAD.size + sum(sizes) + behind <= nbytes
        )


class _Frame(NamedTuple):
    """Offsets of values: ``scale`` times these, plus ``base``, are the values, modulo 2**64. ``lengths``: how
    many bits each needs, if some need more than ``width``, as so many ``exceptions`` do."""

    base: int
    scale: int
    width: int
    offsets: Words
    lengths: NDArray[np.uint8]
    exceptions: int
    bytes_each: int

    @property
    def wide(self) -> NDArray[np.intp]:
        """The places of the exceptions."""
        return np.flatnonzero(self.lengths > self.width) if self.exceptions else np.empty(0, np.intp)

    @property
    def nbytes(self) -> int:
        return -(-self.offsets.size * self.width // 8) + self.exceptions * (2 + self.bytes_each)


def packed(array: NDArray[Any]) -> Bytes | None:
    """An array, of numbers, in few bytes; None where that is not worth it."""
    if array.size < PACKED_FROM or array.dtype.kind not in "iufb" or array.dtype.itemsize > 8:
        return None
    flat = array.reshape(-1)
    blocks = -(-flat.size // BLOCK_VALUES)
    middle = flat.size // BLOCK_VALUES // 2
    words = _words(flat[middle * BLOCK_VALUES : (middle + 1) * BLOCK_VALUES])
    way = _best_way(words)
    if not _promising(words, way, flat.dtype.itemsize):
        return None
    table = _table(flat)

    def block(number: int) -> Words:
        words = _words(flat[number * BLOCK_VALUES : (number + 1) * BLOCK_VALUES])
        return words if table is None else np.searchsorted(table, words).astype("<u8")

    known = {middle: way} if table is None else {}
    sampled = {0, blocks // 2, blocks - 1}
    ways = {known[number] if number in known else _best_way(block(number)) for number in sampled}
    pieces = [b""] * blocks

    def pack(part: slice) -> None:
        for number in range(blocks)[part]:
            pieces[number] = _packed_block(block(number), ways)

    on_all_processors(pack, blocks, PACKED_AT_ONCE)
    stored = np.empty(0, "<u8") if table is None else table
    start = HEAD.size + 8 * (stored.size + len(pieces) + 1)
    starts = start + np.cumsum([0, *map(len, pieces)])
    whole = [HEAD.pack(len(pieces), stored.size), stored.tobytes(), starts.astype("<u8").tobytes(), *pieces]
    found = np.frombuffer(b"".join(whole), np.uint8)
    return found if _worth(array.nbytes, found.size, array.itemsize) else None


def _worth(raw: int, small: int, value_bytes: int) -> bool:
    return (BYTES_WORTH_ONE_IN if value_bytes == 1 else WORTH_ONE_IN) * (raw - small) >= raw


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


def _promising(words: Words, way: int, value_bytes: int) -> bool:
    """Whether a block becomes smaller in its best way, or has few different values, of so many bytes each."""
    raw = words.size * value_bytes
    if _worth(raw, _coded(words, way, Commonest(words)).nbytes, value_bytes):
        return True
    kinds = np.unique(words[:SAMPLED_VALUES]).size
    return 8 * WORTH_ONE_IN * value_bytes >= (WORTH_ONE_IN + 1) * kinds.bit_length()


def _table(flat: NDArray[Any]) -> Words | None:
    """The different values, ascending, if they are few and their numbers need fewer bits than they do."""
    sampled = _words(flat[:: max(1, flat.size // SAMPLED_VALUES)])
    if flat.dtype.itemsize == 1 or np.unique(sampled).size > MAX_TABLE:
        return None
    found = _different(flat)
    if found.size > MAX_TABLE:
        return None
    differences = _framed(np.diff(sampled)).width if sampled.size > 1 else 0
    bits = int(found.size - 1).bit_length()
    return (
        found if bits + 1 < min(_framed(sampled).width, max(differences, bits)) or found.size == 1 else None
    )


def _different(flat: NDArray[Any]) -> Words:
    """The different values, ascending, or more than MAX_TABLE of them."""
    if flat.dtype.itemsize == 2:
        there = np.zeros(1 << 16, bool)
        there[flat.view(np.uint16)] = True
        return np.sort(_words(np.flatnonzero(there).astype(np.uint16).view(flat.dtype)))
    found: Words = np.empty(0, np.uint64)
    for start in range(0, flat.size, BLOCK_VALUES):
        found = np.union1d(found, _words(flat[start : start + BLOCK_VALUES]))
        if found.size > MAX_TABLE:
            break
    return found


def _framed(words: Words) -> _Frame:
    """The offsets of values from their least one, or from that where most begin."""
    if not words.size:
        return _Frame(0, 1, 0, words, np.empty(0, np.uint8), 0, 1)
    signed = words.view(np.int64)
    low = int(signed.min())
    sample = np.sort(signed[:: -(-signed.size // SAMPLED_FOR_BASE)])
    place = sample.size // TRIMMED_ONE_IN
    begin, end = int(sample[place]), int(sample[-1 - place])
    best = _framed_from(words, low if (end - begin).bit_length() + 1 >= (end - low).bit_length() else begin)
    if best.width > 16 and not best.exceptions:
        scale = int(np.gcd.reduce(best.offsets))
        if scale > 1:
            offsets = best.offsets // np.uint64(scale)
            best = best._replace(scale=scale, width=int(offsets.max()).bit_length(), offsets=offsets)
    return best


def _framed_from(words: Words, base: int) -> _Frame:
    if (measure := quick(packing_loops.measure, words.size)) is not None:
        offsets, lengths = np.empty(words.size, np.uint64), np.empty(words.size, np.uint8)
        counts = np.zeros(66, np.int64)  # the nearest float may be 2**64
        measure(words, np.uint64(base % 2**64), offsets, lengths, counts)
    else:
        offsets = words - np.uint64(base % 2**64)
        # the exponent of the nearest float: the bits of a number, or one more next to a power of two
        exponents = (offsets.astype(np.float64).view(np.uint64) >> np.uint64(52)).astype(np.intp)
        lengths = np.maximum(exponents - 1022, 0).astype(np.uint8)
        counts = np.bincount(lengths, minlength=66)
    most = min(int(np.flatnonzero(counts)[-1]), 64)
    if counts[65]:
        lengths = np.minimum(lengths, 64)
    counts = counts[:65]
    bytes_each = next(size for size in (1, 2, 4, 8) if 8 * size >= most)
    over = words.size - np.cumsum(counts)
    costs = np.arange(65) * words.size + over * 8 * (2 + bytes_each)
    width = int(np.argmin(costs[: most + 1]))
    return _Frame(base, 1, width, offsets, lengths, int(over[width]), bytes_each)


def _best_way(words: Words) -> int:
    """How a block takes the fewest bytes."""
    plain = _framed(words)
    if plain.width <= TRIED_BITS and not plain.exceptions:
        return PLAIN
    found = {PLAIN: plain.nbytes, DIFFERENCES: _framed(np.diff(words)).nbytes}
    common = Commonest(words)
    for bits in range(1, MOST_NUMBERS + 1):
        others = _coded(words, COMMON + bits, common).told
        found[COMMON + bits] = others.nbytes + bits * words.size // 8 + 8 * 2**bits
    return min(found, key=lambda way: found[way])


class _Coded(NamedTuple):
    """A block in one way: ``told``, offsets of values, of differences or of those that are not among the
    commonest ``values``, and the ``numbers`` that tell which these are. ``nbytes``: what it takes."""

    way: int
    first: int
    told: _Frame
    values: Words
    numbers: Bytes

    @property
    def nbytes(self) -> int:
        frame = self.told
        planes = [(frame.offsets.size, frame.width), (self.numbers.size, max(self.way - COMMON, 0))]
        sizes = [width // 8 * count + width % 8 * -(-count // 8) for count, width in planes]
        exceptions = frame.exceptions * (2 + frame.bytes_each)
        return BLOCK_HEAD.size + self.values.nbytes + sum(sizes) + exceptions


def _packed_block(words: Words, ways: Iterable[int]) -> bytes:
    """A block as the module says, in the smallest of some ways."""
    common = Commonest(words)
    best = min((_coded(words, way, common) for way in ways), key=lambda coded: coded.nbytes)
    frame = best.told
    sizes = frame.width, best.way, frame.bytes_each, frame.exceptions, frame.offsets.size
    head = BLOCK_HEAD.pack(*sizes, frame.base % 2**64, frame.scale, best.first)
    numbers = _planes(best.numbers.astype(np.uint64), max(best.way - COMMON, 0))
    wide = frame.wide
    exceptions = frame.offsets[wide].astype(f"<u{frame.bytes_each}").tobytes()
    planes = _planes(frame.offsets, frame.width)
    return b"".join([head, best.values.tobytes(), numbers, planes, wide.astype("<u2").tobytes(), exceptions])


def _coded(words: Words, way: int, common: Commonest) -> _Coded:
    none = np.empty(0, np.uint64), np.empty(0, np.uint8)
    if way == PLAIN:
        return _Coded(way, 0, _framed(words), *none)
    if way == DIFFERENCES:
        return _Coded(way, int(words[0]), _framed(np.diff(words)), *none)
    values, numbers, others = common.apart(way - COMMON)
    return _Coded(way, 0, _framed(others), values, numbers)


def _planes(offsets: Words, width: int) -> bytes:
    """Numbers of ``width`` bits as planes of bytes, then of bits."""
    if (split := quick(packing_loops.split, offsets.size)) is not None:
        found = np.zeros(width // 8 * offsets.size + width % 8 * -(-offsets.size // 8), np.uint8)
        split(offsets, width, found)
        return found.tobytes()
    planes = [(offsets >> np.uint64(8 * plane)).astype(np.uint8).tobytes() for plane in range(width // 8)]
    planes += [
        np.packbits((offsets >> np.uint64(bit)).astype(np.uint8) & 1).tobytes()
        for bit in range(width - width % 8, width)
    ]
    return b"".join(planes)


def _unpack_block(data: Bytes, out: NDArray[Any]) -> None:
    """Into ``out``, of an unsigned type: what is too large for it is taken modulo its range."""
    head = _Head(*BLOCK_HEAD.unpack(data[: BLOCK_HEAD.size].tobytes()))
    if not head.fits(data.size, out.size):
        raise ValueError("a block of packed numbers is not as it was written")
    put = quick(packing_loops.unpack, out.size)
    if put is None:
        _unpack_plainly(data, head, out)
        return
    parts = head.way, head.width, head.bytes_each, head.exceptions, head.offsets
    numbers = np.uint64(head.base), np.uint64(head.scale), np.uint64(head.first)
    put(data, BLOCK_HEAD.size, *parts, *numbers, SPREAD, out)


def _unpack_plainly(data: Bytes, head: _Head, out: NDArray[Any]) -> None:
    """The same with whole-array operations."""
    width, way, bytes_each, exceptions, count, base, scale, first = head
    at, kind = BLOCK_HEAD.size, out.dtype.type
    if way > COMMON:
        bits = way - COMMON
        values = data[at : (at := at + 8 * (2**bits - 1))].view("<u8")
        numbers = np.zeros(out.size, np.uint8)
        at = _add_planes(data, at, bits, numbers)
        others = np.flatnonzero(numbers == values.size)
        np.take(np.append(values, values[:1]).astype(kind), numbers, out=out)
    told = out if way == PLAIN else np.empty(count, kind)
    told[:] = 0
    at = _add_planes(data, at, width, told)
    if exceptions:
        wide = data[at : (at := at + 2 * exceptions)].view("<u2")
        told[wide] = data[at : at + bytes_each * exceptions].view(f"<u{bytes_each}").astype(kind)
    most = np.iinfo(kind).max
    if scale != 1:
        np.multiply(told, kind(scale & most), out=told)
    if base:
        np.add(told, kind(base & most), out=told)
    if way == DIFFERENCES:
        out[0] = first & most
        np.cumsum(told, out=out[1:], dtype=kind)
        out[1:] += out[0]
    elif way > COMMON:
        out[others] = told


def _add_planes(data: Bytes, at: int, width: int, out: NDArray[Any]) -> int:
    """Put numbers, as :func:`_planes` gives them from ``at`` on, into ``out``, which has zeros; where they
    end."""
    kind, count = out.dtype.type, out.size
    for plane in range(width // 8):
        taken = data[at : (at := at + count)]
        if plane < out.itemsize:
            np.bitwise_or(out, taken.astype(kind) << kind(8 * plane), out=out)
    if width % 8:
        rest = np.zeros(count, np.uint8)
        for bit in range(width % 8):
            rest |= np.unpackbits(data[at : (at := at + -(-count // 8))], count=count) << np.uint8(bit)
        if width // 8 < out.itemsize:
            np.bitwise_or(out, rest.astype(kind) << kind(width - width % 8), out=out)
    return at
