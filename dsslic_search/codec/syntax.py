"""Where the bits of a .dsslic file go, by the parts of its syntax."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dsslic_search.codec import container, short_chunks
from dsslic_search.codec.bpg import bare
from dsslic_search.codec.bpg.header import read_header, read_tools
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.container import Contents
from dsslic_search.codec.header import Entry, Header
from dsslic_search.codec.layers import alpha, compact, normalised, people, residual, words
from dsslic_search.codec.layers.terms import read_terms
from dsslic_search.core.errors import FormatError
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS

BPG_PARTS = ("BPG header", "HEVC header", "HEVC data")
_BPG = {
    (compact.LAYER.kind, compact.BPG),
    (alpha.LAYER.kind, alpha.BPG),
    (residual.LAYER.kind, residual.FIRST_BPG),
}


class Part(NamedTuple):
    """``kind``: of its chunk, "" for the file's header; ``part``: what it is, "all" where a layer has no
    parts; ``bits``."""

    kind: str
    part: str
    bits: int


class Element(NamedTuple):
    """``kind``: of its chunk; ``element``: a syntax element of HEVC by its name in the standard, or what else
    takes bits; ``component``: luma, Cb or Cr, "" of what belongs to none; ``bits``: whole 65536ths; ``bins``:
    how many were coded for it."""

    kind: str
    element: str
    component: str
    bits: float
    bins: int


def parts_of(data: bytes) -> list[Part]:
    """Of a whole file, in order; their bits sum to the file's. What of HEVC data is for what, tells
    :func:`elements_of`. FormatError where the file is damaged."""
    contents = container.read(data)
    header = contents.header
    found = [Part("", "all", 8 * contents.header_bytes)]
    for entry, chunk, stored in _chunks(data, contents):
        if not entry.short:
            sizes = list(_split(chunk, header.grey))
        elif short_chunks.is_whole(stored):
            sizes = [("header", 8), *_split(chunk, header.grey)]
        else:
            sizes = list(_split_short(chunk, stored, header))
        found += [Part(entry.kind, name, bits) for name, bits in sizes if bits]
        if rest := 8 * entry.length - sum(bits for _, bits in sizes):
            found.append(Part(entry.kind, "all" if not sizes else "rest", rest))
    return found


def elements_of(data: bytes) -> list[Element]:
    """What takes the bits of the HEVC data of each layer of a whole file: these sum to the layer's part "HEVC
    data".

    A bin takes the logarithm of the part of the arithmetic coder's range that it leaves. FormatError where
    the file is damaged, or a layer is coded with what cannot be told apart.
    """
    from dsslic_search.codec.bpg.slice_syntax import costs_of_file

    contents = container.read(data)
    found = []
    for entry, chunk, stored in _chunks(data, contents):
        if (picture := _picture(chunk, contents.header.grey)) is not None:
            costs = costs_of_file(picture, max_pixels=DEFAULT_MAX_PIXELS)
            at = short_chunks.picture_at(entry.kind, stored, contents.header) if entry.short else 0
            spared = bare.spared(stored[at:]) if entry.short and not short_chunks.is_whole(stored) else {}
            told = [cost._replace(bits=cost.bits - spared.get(cost.element, 0)) for cost in costs]
            found += [Element(entry.kind, *cost) for cost in told if cost.bits]
    return found


def _chunks(data: bytes, contents: Contents) -> Iterator[tuple[Entry, Chunk, bytes]]:
    """The chunks of a file, and their bytes as they are stored."""
    for entry in contents.entries:
        chunk = container.read_chunk(data, contents, entry.kind)
        assert chunk is not None
        yield entry, chunk, data[entry.offset : entry.offset + entry.length]


def _picture(chunk: Chunk, grey: bool) -> bytes | None:
    """The BPG file in a chunk, if there is one."""
    if (chunk.kind, chunk.codec) in _BPG:
        return chunk.data
    if (chunk.kind, chunk.codec) == (residual.LAYER.kind, residual.BPG):
        return read_terms(chunk.data, grey)[1]
    if (chunk.kind, chunk.codec) == (residual.LAYER.kind, residual.NORMALISED):
        return normalised.read_mapping(chunk.data)[1]
    return None


def _split(chunk: Chunk, grey: bool) -> Iterator[tuple[str, int]]:
    """The parts of a chunk with their bits; none where it has no parts that are known here."""
    size = 8 * len(chunk.data)
    if (picture := _picture(chunk, grey)) is not None:
        if 8 * len(picture) < size:
            yield "terms", size - 8 * len(picture)
        yield from _bpg(picture)
    elif (chunk.kind, chunk.codec) == (people.LAYER.kind, people.WITH_CLASSES):
        head, listed = (8 * length for length in people.lengths(chunk))
        yield from (("header", head), ("class list", listed), ("labels", size - head - listed))
    elif (chunk.kind, chunk.codec) == (words.LAYER.kind, words.PLAIN):
        vector = 8 * len(words.decode(chunk).embedding)
        head = 8 * 10  # 8 bytes say who made it, one each how many numbers and words
        yield from (("header", head), ("vector", vector), ("words", size - head - vector))


def _split_short(chunk: Chunk, stored: bytes, header: Header) -> Iterator[tuple[str, int]]:
    """The same of one that is stored in short."""
    size = 8 * len(stored)
    if chunk.kind == words.LAYER.kind:
        vector = short_chunks.vector_bits(words.decode(chunk))
        yield from (("header", 8), ("vector", vector), ("words", size - 8 - vector))
        return
    at = short_chunks.picture_at(chunk.kind, stored, header)
    yield "terms", 8 * at
    if short_chunks.is_whole(stored[at:]):
        picture = _picture(chunk, header.grey)
        assert picture is not None
        yield "header", 8
        yield from _bpg(picture)
    else:
        yield from (("HEVC header", 8), ("HEVC data", size - 8 * at - 8))


def _bpg(data: bytes) -> Iterator[tuple[str, int]]:
    header, body = read_header(data)
    if header.alpha is not None:
        raise FormatError("a layer's picture has an alpha plane")
    _, coded = read_tools(body)
    sizes = len(data) - len(body), len(body) - len(coded), len(coded)
    yield from ((name, 8 * size) for name, size in zip(BPG_PARTS, sizes, strict=True))
