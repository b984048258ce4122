"""The header of the usual file in some forty bytes: what most files have in common is not said. In version 2
chunks are as they are in version 1, in version 3 those that can be are in short, too
(:mod:`dsslic_search.codec.short_chunks`).

::

    89 44 53 4C │ length │ flags │ width, height │ quality │ shipped │ lengths, checksums of chunks │ CRC-32

``docs/format.md`` has it byte by byte. What cannot be said so is written with the long header, which says
everything (:mod:`dsslic_search.codec.container`).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from dsslic_search.codec.header import WHOLE_CRC, Header, Line
from dsslic_search.codec.layers import (
    alpha,
    certainty,
    compact,
    label_map,
    metadata,
    original,
    people,
    provenance,
    residual,
    words,
)
from dsslic_search.codec.numbers import number, read_number
from dsslic_search.codec.quality import quantisers
from dsslic_search.core.errors import FormatError
from dsslic_search.core.kinds import KeepMode
from dsslic_search.core.settings import LOSSLESS
from dsslic_search.networks.grid import SCALE

MAGIC = b"\x89DSL"
LEAST = 14  # bytes of the shortest: the fifth byte of version 1 is 13, that of later versions may be less
_CHECKSUM = 4

# (vocabulary, segmenter, FineNet), by their identities, as files name them by number, up to 15 where chunks
# are in short: since they do, rows are only ever added
SHIPPED = (
    ("817902e1dae7288d", "c033ba33710b21ce", "0000000000000000"),
    ("817902e1dae7288d", "c033ba33710b21ce", "9f55d17f7865f66f"),
    ("817902e1dae7288d", "c033ba33710b21ce", "721a2691c0e54fef"),
    ("817902e1dae7288d", "ef3e737fa9c7d211", "0000000000000000"),
    ("817902e1dae7288d", "ef3e737fa9c7d211", "9f55d17f7865f66f"),
    ("817902e1dae7288d", "ef3e737fa9c7d211", "721a2691c0e54fef"),
    ("817902e1dae7288d", "3a8cdd6b0f488985", "0000000000000000"),
    ("817902e1dae7288d", "3a8cdd6b0f488985", "9f55d17f7865f66f"),
    ("817902e1dae7288d", "3a8cdd6b0f488985", "721a2691c0e54fef"),
)

# kinds of chunks that have a short form
IN_SHORT = (words.LAYER.kind, compact.LAYER.kind, residual.LAYER.kind)

_KEPT = (KeepMode.LAYERS, KeepMode.REFERENCE, KeepMode.COARSE)
_GREY, _KEEP_SHIFT, _OWN_SCALE, _SHORT_CHUNKS, _FIRST_CHUNK = 1, 1, 8, 16, 5
_OWN_QPS = 128  # in the byte of the quality
_FINER_SHIFT, _ROWS = 4, 16  # in the byte of the networks, where chunks are in short
_MAP = (label_map.LAYER.kind, label_map.CONTEXT_MIXING)
# chunks that a bit of the flags stands for, in the order of the file, each with the codec that it then has
_MAYBE = (
    (people.LAYER.kind, people.WITH_CLASSES),
    (certainty.LAYER.kind, certainty.MEAN_BYTES),
    (words.LAYER.kind, words.PLAIN),
    (compact.LAYER.kind, compact.BPG),
    (residual.LAYER.kind, residual.BPG),
    (alpha.LAYER.kind, alpha.BPG),
    (original.HASH.kind, original.SHA_256),
    (metadata.EXIF.kind, metadata.DEFLATED),
    (metadata.XMP.kind, metadata.DEFLATED),
    (metadata.IPTC.kind, metadata.DEFLATED),
    (provenance.LAYER.kind, provenance.DEFLATED_JSON),
)


def can_say(header: Header, found: Sequence[tuple[str, int]]) -> bool:
    """Whether this can be said in short: a header, and a file's chunks by kind and codec."""
    identities = header.vocabulary, header.segmenter, header.finenet
    if header.keep not in _KEPT or identities not in SHIPPED or header.compact_scale != SCALE:
        return False
    if not 1 <= header.quality <= LOSSLESS:
        return False
    return _MAP in found and list(found) == [each for each in (_MAP, *_MAYBE) if each in found]


def write(header: Header, lines: Sequence[Line]) -> bytes:
    """The header and table of a file that can be said in short."""
    identities = header.vocabulary, header.segmenter, header.finenet
    found = [(line.kind, line.codec) for line in lines]
    in_short = any(line.short for line in lines)
    sides = header.width, header.height
    own_scale = header.map_scale != label_map.scale_for(header.height, header.width)
    flags = header.grey * _GREY | _KEPT.index(header.keep) << _KEEP_SHIFT | own_scale * _OWN_SCALE
    flags |= in_short * _SHORT_CHUNKS
    for bit, each in enumerate(_MAYBE):
        flags |= (each in found) << _FIRST_CHUNK + bit
    usual = quantisers(header.quality)
    finer = usual.compact - header.compact_qp
    own_qps = header.residual_qp != usual.residual or not 0 <= finer < (_ROWS if in_short else 1)
    told = [flags.to_bytes(2, "little"), *map(number, sides)]
    if own_scale:
        told.append(number(header.map_scale))
    told.append(bytes([header.quality | own_qps * _OWN_QPS]))
    if own_qps:
        told.append(bytes([header.compact_qp, header.residual_qp]))
    told.append(bytes([SHIPPED.index(identities) | (0 if own_qps else finer << _FINER_SHIFT)]))
    for line in lines:
        size = checksum_bytes(line.length)
        told += number(line.length), (line.checksum & _mask(size)).to_bytes(size, "little")
    body = b"".join(told)
    head = MAGIC + bytes([len(MAGIC) + 1 + len(body) + _CHECKSUM]) + body
    return head + zlib.crc32(head).to_bytes(_CHECKSUM, "little")


def checksum_bytes(length: int) -> int:
    """How many bytes of a chunk's CRC-32 are kept: of a chunk of less than 128 bytes two, of one of less than
    16 384 three, which still notice whatever happens to any one byte; else all four."""
    return min(len(number(length)) + 1, 4)


def _mask(size: int) -> int:
    return WHOLE_CRC >> 8 * (4 - size)


def read(head: bytes) -> tuple[Header, list[Line]]:
    """What :func:`write` was given, from a whole header whose length and checksum are right; ``mask`` tells
    which bits of checksums are there. FormatError for what cannot be."""
    body = head[:-_CHECKSUM]
    where = "the .dsslic header"
    at = len(MAGIC) + 1

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        if at > len(body):
            raise FormatError(f"{where} is cut off")
        return body[at - count : at]

    def take_number() -> int:
        nonlocal at
        value, at = read_number(body, at, where)
        return value

    flags = int.from_bytes(take(2), "little")
    in_short = flags & _SHORT_CHUNKS > 0
    width, height = take_number(), take_number()
    scale = take_number() if flags & _OWN_SCALE else label_map.scale_for(height, width)
    told = take(1)[0]
    quality = told & ~_OWN_QPS
    if not 1 <= quality <= LOSSLESS:
        raise FormatError("impossible quality in the .dsslic header")
    usual = quantisers(quality)
    compact_qp, residual_qp = take(2) if told & _OWN_QPS else (usual.compact, usual.residual)
    named = take(1)[0]
    if in_short:
        compact_qp = max(0, compact_qp - (named >> _FINER_SHIFT))
        named %= _ROWS
    if named >= len(SHIPPED):
        raise FormatError("the .dsslic header names networks that came later: upgrade dsslic-search")
    keep = flags >> _KEEP_SHIFT & 3
    if keep >= len(_KEPT):
        raise FormatError("unknown flags in the .dsslic header: upgrade dsslic-search")
    vocabulary, segmenter, finenet = SHIPPED[named]
    header = Header(
        width=width,
        height=height,
        grey=bool(flags & _GREY),
        keep=_KEPT[keep],
        map_scale=scale,
        compact_scale=SCALE,
        quality=quality,
        compact_qp=compact_qp,
        residual_qp=residual_qp,
        vocabulary=vocabulary,
        segmenter=segmenter,
        finenet=finenet,
    )
    lines = []
    for kind, codec in (_MAP, *(each for bit, each in enumerate(_MAYBE) if flags >> _FIRST_CHUNK + bit & 1)):
        length = take_number()
        size = checksum_bytes(length)
        checksum = int.from_bytes(take(size), "little")
        lines.append(Line(kind, codec, length, checksum, _mask(size), in_short and kind in IN_SHORT))
    if at != len(body):
        raise FormatError("damaged .dsslic header (it goes on after its table)")
    return header, lines
