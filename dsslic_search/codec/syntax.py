"""Where the bits of a .dsslic file go, by the parts of its syntax."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dsslic_search.codec import container
from dsslic_search.codec.bpg.header import read_header, read_tools
from dsslic_search.codec.chunk import Chunk
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
    found = [Part("", "all", 8 * contents.header_bytes)]
    for entry in contents.entries:
        chunk = container.read_chunk(data, contents, entry.kind)
        assert chunk is not None
        sizes = list(_split(chunk, contents.header.grey))
        found += [Part(entry.kind, name, 8 * size) for name, size in sizes if size]
        if rest := entry.length - sum(size for _, size in sizes):
            found.append(Part(entry.kind, "all" if not sizes else "rest", 8 * rest))
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
    for entry in contents.entries:
        chunk = container.read_chunk(data, contents, entry.kind)
        assert chunk is not None
        if (picture := _picture(chunk, contents.header.grey)) is not None:
            costs = costs_of_file(picture, max_pixels=DEFAULT_MAX_PIXELS)
            found += [Element(entry.kind, *cost) for cost in costs]
    return found


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
    """The parts of a chunk with their bytes; none where it has no parts that are known here."""
    size = len(chunk.data)
    if (picture := _picture(chunk, grey)) is not None:
        if len(picture) < size:
            yield "terms", size - len(picture)
        yield from _bpg(picture)
    elif (chunk.kind, chunk.codec) == (people.LAYER.kind, people.WITH_CLASSES):
        head, listed = people.lengths(chunk)
        yield from (("header", head), ("class list", listed), ("labels", size - head - listed))
    elif (chunk.kind, chunk.codec) == (words.LAYER.kind, words.PLAIN):
        seen = words.decode(chunk)
        numbers = len(seen.embedding)
        of_words = size - 10 - numbers  # 8 bytes say who made it, one each how many numbers and words
        yield from (("header", 10), ("vector", numbers), ("words", of_words))


def _bpg(data: bytes) -> Iterator[tuple[str, int]]:
    header, body = read_header(data)
    if header.alpha is not None:
        raise FormatError("a layer's picture has an alpha plane")
    _, coded = read_tools(body)
    sizes = len(data) - len(body), len(body) - len(coded), len(coded)
    yield from zip(BPG_PARTS, sizes, strict=True)
