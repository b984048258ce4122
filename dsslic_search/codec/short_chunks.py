"""Chunks of the usual file in fewer bytes (version 3): what most of their kind have in common is not said.

::

    word   who looked 1 byte · bits: likeness, words, zeros up to a whole byte
    COMP   picture
    RESI   restorer 1 byte · [strength 1 byte, if there is one] · [colour axes 9 bytes, unless grey] · picture

A picture is one as :mod:`dsslic_search.codec.bpg.bare` has it. ``docs/format.md`` has all of it bit by bit.
What cannot be said so comes behind a byte of 255 as it is; so every chunk has a short form, and comes back
from it to the bit.
"""

from __future__ import annotations

from dsslic_search.codec.bpg import bare
from dsslic_search.codec.bpg.bits import BitReader, BitWriter
from dsslic_search.codec.bpg.header import Header as PictureHeader
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.header import Header
from dsslic_search.codec.layers import axes, compact, residual, words
from dsslic_search.codec.layers.terms import NO_NETWORK, Terms, read_terms
from dsslic_search.core.errors import FormatError
from dsslic_search.features.image_words import MAX_WORDS, ImageWords

# restorers, and networks of words with how many numbers their vectors have: since files name them by number,
# rows are only ever added
RESTORERS = (NO_NETWORK, "346dd6a9ac8ea059", "b1df76b7c3bff6fa")
MAKERS = (("870402cbe8323019", 48),)

_AS_IT_IS = 255
_COUNT_BITS, _WORD_BITS, _PARTS_BITS = 4, 10, 8  # how many words, the number of each, the probability of one
_VECTOR_RICE, _FALL_RICE = 5, 3  # low bits of what a vector's numbers and falling probabilities are coded in
_MOST_WORDS_BYTES = 256  # more than what is sound takes
_LATER = "a chunk of the file is written in a way that came later: upgrade dsslic-search"


def shortened(chunk: Chunk, header: Header) -> bytes:
    """The bytes of a chunk of a kind that has a short form. :func:`opened` is the way back."""
    if chunk.kind == compact.LAYER.kind:
        return bare.bare(chunk.data, _compact_header(header))
    in_words = chunk.kind == words.LAYER.kind
    short = _short_words(chunk.data) if in_words else _short_residual(chunk.data, header)
    return bytes([_AS_IT_IS]) + chunk.data if short is None else short


def opened(kind: str, short: bytes, header: Header) -> bytes:
    """A chunk's bytes from those of its short form. FormatError where these are damaged."""
    if not short:
        raise FormatError(f"damaged .dsslic file: chunk {kind} is empty")
    if is_whole(short):
        return short[1:]
    if kind == words.LAYER.kind:
        return _words(short)
    if kind == compact.LAYER.kind:
        return bare.whole(short, _compact_header(header))
    return _residual(short, header)


def is_whole(short: bytes) -> bool:
    """Whether a short form is a byte and then the chunk as it is."""
    return short[:1] == bytes([_AS_IT_IS])


def picture_at(kind: str, short: bytes, header: Header) -> int:
    """Where the picture begins in the short form of a compact image or a residual."""
    if kind == compact.LAYER.kind:
        return 0
    return 1 + (short[0] > 0) + (0 if header.grey else axes.CODED_BYTES)


def vector_bits(said: ImageWords) -> int:
    """How many bits the vector takes in short."""
    return sum((_unsigned(value) >> _VECTOR_RICE) + 1 + _VECTOR_RICE for value in said.embedding)


def _compact_header(header: Header) -> PictureHeader:
    return _picture_header(header.compact_size, compact.BIT_DEPTH, header.grey)


def _residual_header(header: Header) -> PictureHeader:
    return _picture_header((header.height, header.width), axes.BIT_DEPTH, header.grey)


def _picture_header(size: tuple[int, int], bit_depth: int, grey: bool) -> PictureHeader:
    return PictureHeader(size[1], size[0], bit_depth, "400" if grey else "444")


def _short_residual(data: bytes, header: Header) -> bytes | None:
    try:
        terms, picture = read_terms(data, header.grey)
    except FormatError:
        return None
    usual = Terms(0, terms.strength, terms.restorer, None, terms.axes)
    if terms != usual or terms.restorer not in RESTORERS or usual.to_bytes() + picture != data:
        return None
    strength = bytes([terms.strength]) if terms.strength else b""
    told = terms.axes.to_bytes() if terms.axes else b""
    short = bare.bare(picture, _residual_header(header))
    return bytes([RESTORERS.index(terms.restorer)]) + strength + told + short


def _residual(short: bytes, header: Header) -> bytes:
    if short[0] >= len(RESTORERS):
        raise FormatError(_LATER)
    at = picture_at(residual.LAYER.kind, short, header)
    strength = short[1] if short[0] and len(short) > 1 else 0
    if len(short) <= at or (short[0] and not strength):
        raise FormatError("the residual's terms are cut short or damaged")
    told = short[at - axes.CODED_BYTES : at]
    found = None if header.grey else axes.from_bytes(told)
    terms = Terms(0, strength, RESTORERS[short[0]], None, found)
    return terms.to_bytes() + bare.whole(short[at:], _residual_header(header))


def _short_words(data: bytes) -> bytes | None:
    try:
        said = ImageWords.from_bytes(data)
    except FormatError:
        return None
    maker = said.maker, len(said.embedding)
    if maker not in MAKERS or len(said.words) > MAX_WORDS:
        return None
    bits = BitWriter()
    for value in said.embedding:
        _write_rice(bits, _unsigned(value), _VECTOR_RICE)
    bits.bits(len(said.words), _COUNT_BITS)
    before = None
    for word, parts in said.words:
        bits.bits(word, _WORD_BITS)
        if before is None:
            bits.bits(parts, _PARTS_BITS)
        else:
            _write_rice(bits, before - parts, _FALL_RICE)
        before = parts
    return bytes([MAKERS.index(maker)]) + bits.to_bytes()


def _unsigned(value: int) -> int:
    """0, 1, 2, 3, 4 … of 0, −1, 1, −2, 2 …"""
    return 2 * value if value >= 0 else -2 * value - 1


def _words(short: bytes) -> bytes:
    if short[0] >= len(MAKERS):
        raise FormatError(_LATER)
    if len(short) > _MOST_WORDS_BYTES:
        raise FormatError("what the file says of its words is longer than it can be")
    maker, numbers = MAKERS[short[0]]
    bits = BitReader(short[1:], "what the file says of its words")
    coded = [_read_rice(bits, _VECTOR_RICE, 255) for _ in range(numbers)]
    embedding = tuple(value // 2 if value % 2 == 0 else -(value + 1) // 2 for value in coded)
    said: list[tuple[int, int]] = []
    for _ in range(bits.bits(_COUNT_BITS)):
        word = bits.bits(_WORD_BITS)
        parts = said[-1][1] - _read_rice(bits, _FALL_RICE, said[-1][1]) if said else bits.bits(_PARTS_BITS)
        said.append((word, parts))
    left = 8 * (len(short) - 1) - bits.position
    if left >= 8 or bits.bits(left):
        raise FormatError("what the file says of its words goes on after its end: the data is damaged")
    return ImageWords(maker, embedding, tuple(said)).to_bytes()


def _write_rice(bits: BitWriter, value: int, low: int) -> None:
    """``value`` >> ``low`` zeros, a one, then its ``low`` lowest bits."""
    bits.bits(1, (value >> low) + 1)
    bits.bits(value & (1 << low) - 1, low)


def _read_rice(bits: BitReader, low: int, largest: int) -> int:
    """The reverse; FormatError for more than ``largest``."""
    high = 0
    while not bits.flag():
        high += 1
        if high << low > largest:
            raise FormatError("what the file says of its words holds a number that is too large")
    value = high << low | bits.bits(low)
    if value > largest:
        raise FormatError("what the file says of its words holds a number that is too large")
    return value
