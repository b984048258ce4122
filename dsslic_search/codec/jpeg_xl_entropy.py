"""The entropy coding of JPEG XL (ISO/IEC 18181-1, annex C), as far as an ICC profile needs it: clustered
prefix codes, hybrid integers, LZ77. All that encoders write of profiles is coded so; ANS, which the standard
allows too, is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsslic_search.core.errors import FormatError

_PREFIX_BITS = 15  # of the longest prefix code
_LENGTHS_ORDER = (1, 2, 3, 4, 0, 5, 17, 6, 16, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_LENGTHS_OF_LENGTHS = ({0: 0, 1: 4, 2: 3}, {3: 2}, {7: 1, 15: 5})
"""By codes of 2, 3 and 4 bits."""


class Bits:
    """Bits of a codestream from one on, least significant first. FormatError where they end."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data, self._at, self._end = data, at, 8 * len(data)

    def peek(self, count: int) -> int:
        """Of the next; zeros stand for what is not there."""
        start = self._at >> 3
        window = self._data[start : start + 8]
        return (int.from_bytes(window, "little") >> (self._at & 7)) & ((1 << count) - 1)

    def skip(self, count: int) -> None:
        self._at += count
        if self._at > self._end:
            raise FormatError("the JPEG XL data ends inside its colour profile")

    def u(self, count: int) -> int:
        if not count:
            return 0
        value = self.peek(count)
        self.skip(count)
        return value

    def u32(self, *ways: tuple[int, int]) -> int:
        offset, count = ways[self.u(2)]
        return offset + self.u(count)

    def u64(self) -> int:
        way = self.u(2)
        if way < 3:
            return ((0, 1, 17)[way]) + self.u((0, 4, 8)[way])
        value, shift = self.u(12), 12
        while self.u(1):
            count = min(8, 64 - shift)
            value |= self.u(count) << shift
            shift += count
            if shift >= 64:
                break
        return value

    def variable(self, count_bits: int) -> int:
        """An integer whose length in bits comes first, in so many."""
        if not self.u(1):
            return 0
        count = self.u(count_bits)
        return self.u(count) + (1 << count)


@dataclass(frozen=True)
class _Hybrid:
    """How a token is continued by bits: the exponent from which on it is, and how many bits of the number
    are in the token at its top and at its bottom."""

    split: int
    top: int
    bottom: int

    def value(self, token: int, bits: Bits) -> int:
        if token < 1 << self.split:
            return token
        inside = self.top + self.bottom
        count = self.split - inside + ((token - (1 << self.split)) >> inside)
        if count > 32:
            raise FormatError("an integer of the JPEG XL data has too many bits")
        low, token = token & ((1 << self.bottom) - 1), token >> self.bottom
        high = (1 << self.top) | (token & ((1 << self.top) - 1))
        return (((high << count) | bits.u(count)) << self.bottom) | low


def _hybrid(bits: Bits, exponent_bits: int) -> _Hybrid:
    split = bits.u(exponent_bits.bit_length())
    if split > exponent_bits:
        raise FormatError("an integer of the JPEG XL data has too large an exponent")
    if split == exponent_bits:
        return _Hybrid(split, 0, 0)
    top = bits.u(split.bit_length())
    if top > split:
        raise FormatError("an integer of the JPEG XL data is not well described")
    bottom = bits.u((split - top).bit_length())
    if top + bottom > split:
        raise FormatError("an integer of the JPEG XL data is not well described")
    return _Hybrid(split, top, bottom)


class Decoder:
    """Integers of some contexts, one after the other."""

    def __init__(self, bits: Bits, contexts: int, may_repeat: bool = True) -> None:
        """Reads how they are coded."""
        self._bits = bits
        self._repeats_from: int | None = None
        self._written: list[int] = []
        self._copies, self._copied_from = 0, 0
        if bits.u(1):
            if not may_repeat:
                raise FormatError("the JPEG XL data repeats what it may not")
            self._repeats_from = bits.u32((224, 0), (512, 0), (4096, 0), (8, 15))
            self._shortest = bits.u32((3, 0), (4, 0), (5, 2), (9, 8))
            contexts += 1
            self._length = _hybrid(bits, 8)
        self._clusters = _clusters(bits, contexts) if contexts > 1 else [0]
        count = max(self._clusters) + 1
        if not bits.u(1):
            raise FormatError("the colour profile of the JPEG XL data is coded by ANS, which is not read")
        self._hybrids = [_hybrid(bits, _PREFIX_BITS) for _ in range(count)]
        sizes = [bits.variable(4) + 1 for _ in range(count)]
        self._codes = [_by_length(_prefix_code(bits, size)) for size in sizes]

    def read(self, context: int) -> int:
        """The next, which is of a context."""
        if not self._copies:
            cluster = self._clusters[context]
            token = self._symbol(cluster)
            if self._repeats_from is None or token < self._repeats_from:
                value = self._hybrids[cluster].value(token, self._bits)
                self._written.append(value)
                return value
            self._copies = self._length.value(token - self._repeats_from, self._bits) + self._shortest
            cluster = self._clusters[-1]
            distance = self._hybrids[cluster].value(self._symbol(cluster), self._bits) + 1
            self._copied_from = len(self._written) - min(distance, len(self._written))
        value = self._written[self._copied_from] if self._copied_from < len(self._written) else 0
        self._copies -= 1
        self._copied_from += 1
        self._written.append(value)
        return value

    def _symbol(self, cluster: int) -> int:
        window = self._bits.peek(_PREFIX_BITS)
        for length, mask, symbols in self._codes[cluster]:
            symbol = symbols.get(window & mask)
            if symbol is not None:
                self._bits.skip(length)
                return symbol
        raise FormatError("the JPEG XL data has a code that stands for nothing")


def _clusters(bits: Bits, contexts: int) -> list[int]:
    """Which distribution each context has."""
    if bits.u(1):
        count = bits.u(2)
        return [bits.u(count) for _ in range(contexts)]
    moves_to_front = bits.u(1)
    decoder = Decoder(bits, 1, may_repeat=contexts > 2)
    found = [decoder.read(0) for _ in range(contexts)]
    if max(found) > 255:
        raise FormatError("the JPEG XL data has too many distributions")
    if moves_to_front:
        front = list(range(256))
        for i, place in enumerate(found):
            found[i] = front.pop(place)
            front.insert(0, found[i])
    return found


def _coded(bits: Bits, codes: Sequence[dict[int, int]], shortest: int) -> int:
    window = bits.peek(7)
    for length, of_length in enumerate(codes, shortest):
        found = of_length.get(window & ((1 << length) - 1))
        if found is not None:
            bits.skip(length)
            return found
    raise FormatError("the JPEG XL data has a code that stands for nothing")


def _prefix_code(bits: Bits, size: int) -> dict[tuple[int, int], int]:
    """The symbols by length and bits of their codes, the first bit the lowest."""
    if size == 1:
        return {(0, 0): 0}
    skipped = bits.u(2)
    if skipped == 1:
        return _simple_code(bits, size)
    of_lengths, space, used = [0] * 18, 32, 0
    for place in _LENGTHS_ORDER[skipped:]:
        of_lengths[place] = length = _coded(bits, _LENGTHS_OF_LENGTHS, 2)
        if length:
            space -= 32 >> length
            used += 1
        if space <= 0:
            break
    if space != 0 and used != 1:
        raise FormatError("a prefix code of the JPEG XL data is damaged")
    return _canonical(_code_lengths(bits, _canonical(of_lengths), size))


def _by_length(code: dict[tuple[int, int], int]) -> list[tuple[int, int, dict[int, int]]]:
    """A code's lengths, shortest first, with the mask of so many bits and the symbols by these bits."""
    found: dict[int, dict[int, int]] = {}
    for (length, window), symbol in code.items():
        found.setdefault(length, {})[window] = symbol
    return [(length, (1 << length) - 1, found[length]) for length in sorted(found)]


def _simple_code(bits: Bits, size: int) -> dict[tuple[int, int], int]:
    symbols = [bits.u((size - 1).bit_length()) for _ in range(bits.u(2) + 1)]
    lengths_by_count = {1: (0,), 2: (1, 1), 3: (1, 2, 2), 4: (2, 2, 2, 2)}
    chosen = lengths_by_count[len(symbols)]
    if len(symbols) == 4 and bits.u(1):
        chosen = (1, 2, 3, 3)
    if max(symbols) >= size or len(set(symbols)) != len(symbols):
        raise FormatError("a prefix code of the JPEG XL data is damaged")
    lengths = [0] * size
    for symbol, length in zip(symbols, chosen, strict=True):
        lengths[symbol] = length
    return {(0, 0): symbols[0]} if len(symbols) == 1 else _canonical(lengths)


def _code_lengths(bits: Bits, code: dict[tuple[int, int], int], size: int) -> list[int]:
    lengths: list[int] = []
    before, repeated, times, space = 8, 0, 0, 1 << _PREFIX_BITS
    while len(lengths) < size and space > 0:
        window = bits.peek(5)
        coded = ((n, window & ((1 << n) - 1)) for n in range(6))
        found = next((each for each in coded if each in code), None)
        if found is None:
            raise FormatError("a prefix code of the JPEG XL data is damaged")
        bits.skip(found[0])
        length = code[found]
        if length < 16:
            times, count = 0, 1
            before = length or before
        else:
            new = before if length == 16 else 0
            times = times if repeated == new else 0
            repeated, old = new, times
            times = ((times - 2) << (length - 14) if times else 0) + bits.u(length - 14) + 3
            length, count = new, times - old
        lengths += [length] * count
        space -= count << (_PREFIX_BITS - length) if length else 0
    if len(lengths) > size or space != 0:
        raise FormatError("a prefix code of the JPEG XL data is damaged")
    return lengths + [0] * (size - len(lengths))


def _canonical(lengths: Sequence[int]) -> dict[tuple[int, int], int]:
    """The code that lengths say: shorter codes first, then smaller symbols."""
    used = [(length, symbol) for symbol, length in enumerate(lengths) if length]
    if len(used) == 1:
        return {(0, 0): used[0][1]}
    code, codes, before = 0, {}, 0
    for length, symbol in sorted(used):
        code <<= length - before
        before = length
        codes[length, int(f"{code:0{length}b}"[::-1], 2)] = symbol
        code += 1
    return codes
