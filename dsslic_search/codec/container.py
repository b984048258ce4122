"""The .dsslic container: a checked header with a chunk table, then the chunks, nothing else.

Byte layout, little-endian (``docs/format.md`` is the same on one page):

====== ==== =========================================================
offset size field
====== ==== =========================================================
0      8    magic 89 44 53 4C 0D 0A 1A 0A
8      1    version, 1
9      2    header length in bytes, checksum included
11     4    width of the upright photo, pixels
15     4    height
19     1    bit 0: greyscale; bits 1-3: keep mode (layers, exact, reference, coarse, undecoded)
20     2    map scale: photo pixels per label-map pixel, each way
22     1    compact scale
23     1    quality, 1..100; 101 lossless
24     1    quantiser (QP) of the compact image
25     1    quantiser (QP) of the residual, as for coding the photo directly
26     8    identity of the vocabulary
34     8    identity of the segmenter
42     8    identity of the FineNet weights that the picture depends on, or 0
50     1    number of chunks
51     13×n chunk table: kind (4 letters), codec (1), length (4), CRC-32 (4)
end-4  4    CRC-32 of the header before it
====== ==== =========================================================

The kinds that there are, their order, and which stage needs which, say the layers themselves
(:mod:`dsslic_search.codec.layers.table`). Chunks follow in the order of the table without gaps, so offsets
are sums of lengths: no holes and no overlaps can be written down. A kind whose first letter is a capital is
critical: a reader that does not know it must stop.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.layers import original
from dsslic_search.codec.layers.table import LAYERS
from dsslic_search.core.errors import FormatError, StageError
from dsslic_search.core.kinds import KeepMode, Stage
from dsslic_search.core.settings import LOSSLESS

MAGIC = b"\x89DSL\r\n\x1a\n"
VERSION = 1
PREAMBLE = 11  # bytes that say how long the header is
MAX_SIDE = 1 << 20

ORDER = tuple(layer.kind for layer in LAYERS)

_WHY_NOT = {
    KeepMode.UNDECODED: " (the original could not be decoded, and is kept as it is)",
}
_WHY_NOT_FULL = {
    **_WHY_NOT,
    KeepMode.REFERENCE: " (keep mode reference: the original was left where it is)",
    KeepMode.COARSE: " (keep mode coarse: it was made without a residual)",
}

_FIXED = struct.Struct("<8sBHIIBHBBBB8s8s8sB")
_ENTRY = struct.Struct("<4sBII")
_CHECKSUM = struct.Struct("<I")


@dataclass(frozen=True)
class Header:
    """What a reader must know before any layer; identities are 16 hex digits. Sizes in pixels."""

    width: int
    height: int
    grey: bool
    keep: KeepMode
    map_scale: int
    compact_scale: int
    quality: int
    compact_qp: int
    residual_qp: int
    vocabulary: str
    segmenter: str
    finenet: str

    @property
    def map_size(self) -> tuple[int, int]:
        """(height, width) of the label map."""
        return -(-self.height // self.map_scale), -(-self.width // self.map_scale)

    @property
    def compact_size(self) -> tuple[int, int]:
        """(height, width) of the compact image."""
        return -(-self.height // self.compact_scale), -(-self.width // self.compact_scale)


@dataclass(frozen=True)
class Entry:
    """One line of the chunk table; ``offset`` counts from the start of the file."""

    kind: str
    codec: int
    offset: int
    length: int
    checksum: int


@dataclass(frozen=True)
class Contents:
    """What a file says it holds: its header and chunk table."""

    header: Header
    header_bytes: int
    entries: tuple[Entry, ...]

    @property
    def total(self) -> int:
        """Bytes of the whole file."""
        return self.header_bytes + sum(e.length for e in self.entries)

    def find(self, kind: str) -> Entry | None:
        """The table's line for a kind of chunk, or None."""
        return next((e for e in self.entries if e.kind == kind), None)

    def stage_bytes(self, stage: str) -> int:
        """How many bytes from the start of the file hold a stage.

        UsageError when there is no such stage, StageError when the file does not hold it, with what it does
        hold.
        """
        end = self._end_of(Stage.named(stage))
        if end is None:
            why = (_WHY_NOT_FULL if stage == Stage.FULL else _WHY_NOT).get(self.header.keep, "")
            others = ", ".join(s for s in Stage if self._end_of(s) is not None)
            raise StageError(f'this file has no "{stage}" stage{why}; it holds: {others or "no stage"}')
        return end

    @property
    def base_bytes(self) -> int:
        """How many bytes from the start of the file hold the base layer: the label map, and what stands with
        it, where the file has that. StageError where it has no label map."""
        beside = [e for layer in LAYERS if layer.in_base and (e := self.find(layer.kind))]
        return max([self.stage_bytes(Stage.MAP), *(e.offset + e.length for e in beside)])

    def check_kept(self) -> None:
        """StageError for a file without what its keep mode is about: the label map, by which it is found, and
        the original, where it is to hold that. This program writes none."""
        keep = self.header.keep
        if keep.is_seen:
            self.stage_bytes(Stage.MAP)
        if keep.holds_original and self.find(original.LAYER.kind) is None:
            raise StageError(f'this file lacks the original, which keep mode "{keep}" is to hold')

    def _end_of(self, stage: Stage) -> int | None:
        """How many bytes hold a stage; None when the file does not."""
        wanted = [layer for layer in LAYERS if stage in layer.stages]
        found = [(layer, e) for layer in wanted if (e := self.find(layer.kind))]
        if stage is Stage.FULL:
            held = any(layer.holds_photo for layer, _ in found)
        else:
            held = all(layer.optional or self.find(layer.kind) for layer in wanted)
        held = held and self.header.keep.is_seen
        return max(e.offset + e.length for _, e in found) if held else None


def header_bytes(chunks: int) -> int:
    """Length of a header whose table has that many chunks."""
    return _FIXED.size + _ENTRY.size * chunks + _CHECKSUM.size


def pack(header: Header, chunks: Sequence[Chunk]) -> bytes:
    """The bytes of a file. ValueError when chunks are out of order or fields out of range: a bug of the
    caller."""
    kinds = [c.kind for c in chunks]
    if kinds != [k for k in ORDER if k in kinds]:
        raise ValueError(f"chunks must be distinct and in the order {ORDER}, got {kinds}")
    length = header_bytes(len(chunks))
    head = _FIXED.pack(
        MAGIC,
        VERSION,
        length,
        header.width,
        header.height,
        int(header.grey) | tuple(KeepMode).index(header.keep) << 1,
        header.map_scale,
        header.compact_scale,
        header.quality,
        header.compact_qp,
        header.residual_qp,
        bytes.fromhex(header.vocabulary),
        bytes.fromhex(header.segmenter),
        bytes.fromhex(header.finenet),
        len(chunks),
    )
    lines = [(c.kind, c.codec, len(c.data), zlib.crc32(c.data)) for c in chunks]
    return _joined(head, lines, [c.data for c in chunks])


def _joined(fixed: bytes, lines: Sequence[tuple[str, int, int, int]], parts: Sequence[bytes]) -> bytes:
    """A file of the fixed part of its header, the lines of its chunk table, and its chunks' bytes."""
    head = fixed + b"".join(_ENTRY.pack(kind.encode(), *numbers) for kind, *numbers in lines)
    return b"".join([head, _CHECKSUM.pack(zlib.crc32(head)), *parts])


def with_chunk(data: bytes, chunk: Chunk) -> bytes:
    """A whole file with a chunk put in at its place, instead of the one of its kind where it has one; all
    other chunks, those of kinds that are not known here among them, stay as they are. FormatError where the
    file is unsound."""
    contents = read(data)
    rank = ORDER.index(chunk.kind)
    others = [e for e in contents.entries if e.kind != chunk.kind]
    before = [i for i, e in enumerate(others) if e.kind in ORDER and ORDER.index(e.kind) < rank]
    at = before[-1] + 1 if before else 0
    lines = [(e.kind, e.codec, e.length, e.checksum) for e in others]
    parts = [data[e.offset : e.offset + e.length] for e in others]
    lines.insert(at, (chunk.kind, chunk.codec, len(chunk.data), zlib.crc32(chunk.data)))
    parts.insert(at, chunk.data)
    fixed = list(_FIXED.unpack_from(data))
    fixed[2], fixed[-1] = header_bytes(len(lines)), len(lines)
    return _joined(_FIXED.pack(*fixed), lines, parts)


def without_chunk(data: bytes, kind: str) -> bytes:
    """A whole file without its chunk of a kind, all others as they are. FormatError where the file is
    unsound."""
    contents = read(data)
    kept = [e for e in contents.entries if e.kind != kind]
    lines = [(e.kind, e.codec, e.length, e.checksum) for e in kept]
    fixed = list(_FIXED.unpack_from(data))
    fixed[2], fixed[-1] = header_bytes(len(lines)), len(lines)
    return _joined(_FIXED.pack(*fixed), lines, [data[e.offset : e.offset + e.length] for e in kept])


def header_length(prefix: bytes) -> int:
    """How long the header is, from the first 11 bytes. FormatError when they are not those of a .dsslic
    file."""
    if len(prefix) < PREAMBLE or prefix[: len(MAGIC)] != MAGIC:
        raise FormatError("not a .dsslic file (its first bytes are wrong)")
    version, length = prefix[8], int.from_bytes(prefix[9:11], "little")
    if version != VERSION:
        raise FormatError(
            f"written in .dsslic version {version}, this program reads version {VERSION}: upgrade "
            "dsslic-search"
        )
    if length < _FIXED.size + _CHECKSUM.size or (length - _FIXED.size - _CHECKSUM.size) % _ENTRY.size:
        raise FormatError("damaged .dsslic header (impossible length)")
    return length


def read_contents(prefix: bytes) -> Contents:
    """Header and chunk table from the first bytes of a file. FormatError when they are damaged, short or not
    allowed."""
    length = header_length(prefix)
    if len(prefix) < length:
        raise FormatError(f"truncated .dsslic file: {len(prefix)} bytes, its header alone has {length}")
    body = prefix[: length - _CHECKSUM.size]
    if zlib.crc32(body) != _CHECKSUM.unpack_from(prefix, len(body))[0]:
        raise FormatError("damaged .dsslic header (checksum differs)")
    fields = _FIXED.unpack_from(prefix)
    count = fields[-1]
    if length != _FIXED.size + _ENTRY.size * count + _CHECKSUM.size:
        raise FormatError("damaged .dsslic header (chunk count and length disagree)")
    keep = fields[5] >> 1
    if keep >= len(KeepMode):
        raise FormatError("unknown keep mode in the .dsslic header")
    header = Header(
        width=fields[3],
        height=fields[4],
        grey=bool(fields[5] & 1),
        keep=tuple(KeepMode)[keep],
        map_scale=fields[6],
        compact_scale=fields[7],
        quality=fields[8],
        compact_qp=fields[9],
        residual_qp=fields[10],
        vocabulary=fields[11].hex(),
        segmenter=fields[12].hex(),
        finenet=fields[13].hex(),
    )
    least = 1 if header.keep.is_seen else 0  # of one that is not, the size may not be known
    if not (least <= header.width <= MAX_SIDE and least <= header.height <= MAX_SIDE):
        raise FormatError(f"impossible photo size {header.width}×{header.height} in the .dsslic header")
    if not (header.map_scale and header.compact_scale and 1 <= header.quality <= LOSSLESS):
        raise FormatError("impossible value in the .dsslic header")
    return Contents(header, length, _entries(prefix, length, count))


def _entries(prefix: bytes, offset: int, count: int) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    rank = -1
    for i in range(count):
        raw, codec, size, checksum = _ENTRY.unpack_from(prefix, _FIXED.size + i * _ENTRY.size)
        if not raw.isalpha():
            raise FormatError("damaged chunk table (a kind is not four letters)")
        kind = raw.decode("ascii")
        if kind in ORDER:
            if ORDER.index(kind) <= rank:
                raise FormatError(f"chunk {kind} is repeated or out of order")
            rank = ORDER.index(kind)
        elif kind[0].isupper():
            raise FormatError(f'unknown critical chunk "{kind}": upgrade dsslic-search')
        entries.append(Entry(kind, codec, offset, size, checksum))
        offset += size
    return tuple(entries)


def read_chunk(data: bytes, contents: Contents, kind: str) -> Chunk | None:
    """A chunk from (a prefix of) the file, its checksum compared; None when the table has no such chunk."""
    entry = contents.find(kind)
    if entry is None:
        return None
    payload = data[entry.offset : entry.offset + entry.length]
    if len(payload) != entry.length:
        raise FormatError(
            f"truncated .dsslic file: chunk {kind} ends at byte {entry.offset + entry.length}, the file at "
            f"{len(data)}"
        )
    return checked(entry, payload)


def checked(entry: Entry, payload: bytes) -> Chunk:
    """The chunk of a table's line and its bytes; FormatError when their checksum is another."""
    if zlib.crc32(payload) != entry.checksum:
        raise FormatError(f"damaged .dsslic file: the checksum of chunk {entry.kind} differs")
    return Chunk(entry.kind, entry.codec, payload)


def read(data: bytes) -> Contents:
    """Check a whole file: header, every chunk's checksum, and that nothing follows. FormatError otherwise."""
    contents = read_contents(data)
    for entry in contents.entries:
        read_chunk(data, contents, entry.kind)
    if len(data) != contents.total:
        raise FormatError(f"{len(data) - contents.total} bytes too many at the end of the .dsslic file")
    return contents
