"""The .dsslic container: a checked header with a chunk table, then the chunks, nothing else.

Headers are written in short where that can be (:mod:`dsslic_search.codec.short_header`), with chunks as they
are (version 2) or in short, too (version 3, :mod:`dsslic_search.codec.short_chunks`), else
in full (version 1). In full, little-endian (``docs/format.md`` is the same on one page):

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
from functools import lru_cache

from dsslic_search.codec import short_chunks, short_header
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.header import MAX_SIDE, Entry, Header, Line
from dsslic_search.codec.layers import original
from dsslic_search.codec.layers.table import LAYERS
from dsslic_search.core.errors import FormatError, StageError
from dsslic_search.core.kinds import KeepMode, Stage
from dsslic_search.core.settings import LOSSLESS

MAGIC = b"\x89DSL\r\n\x1a\n"
FULL, SHORT, SHORTER = 1, 2, 3  # versions: how header and chunks are written
VERSION = SHORTER  # the newest that can be read
PREAMBLE = 11  # bytes that say how long the header is

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
class Contents:
    """What a file says it holds: its header and chunk table. ``version``: how these are written."""

    header: Header
    header_bytes: int
    entries: tuple[Entry, ...]
    version: int

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


def pack(header: Header, chunks: Sequence[Chunk], version: int = VERSION) -> bytes:
    """The bytes of a file, in the shortest version up to ``version`` that can say it. ValueError when chunks
    are out of order or fields out of range: a bug of the caller."""
    kinds = [c.kind for c in chunks]
    if kinds != [k for k in ORDER if k in kinds]:
        raise ValueError(f"chunks must be distinct and in the order {ORDER}, got {kinds}")
    return _joined(header, chunks, version)


def _joined(header: Header, chunks: Sequence[Chunk], version: int = VERSION) -> bytes:
    """A file of its header and chunks, which are in the right order."""
    in_short = version >= SHORT and short_header.can_say(header, [(c.kind, c.codec) for c in chunks])
    lines, stored = [], []
    for c in chunks:
        short = in_short and version >= SHORTER and c.kind in short_header.IN_SHORT
        data = short_chunks.shortened(c, header) if short else c.data
        lines.append(Line(c.kind, c.codec, len(data), zlib.crc32(data), short=short))
        stored.append(data)
    head = short_header.write(header, lines) if in_short else _in_full(header, lines)
    return b"".join([head, *stored])


def _in_full(header: Header, lines: Sequence[Line]) -> bytes:
    fixed = _FIXED.pack(
        MAGIC,
        FULL,
        _FIXED.size + _ENTRY.size * len(lines) + _CHECKSUM.size,
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
        len(lines),
    )
    head = fixed + b"".join(_ENTRY.pack(n.kind.encode(), n.codec, n.length, n.checksum) for n in lines)
    return head + _CHECKSUM.pack(zlib.crc32(head))


def with_chunk(data: bytes, chunk: Chunk) -> bytes:
    """A whole file with a chunk put in at its place, instead of the one of its kind where it has one; all
    other chunks, those of kinds that are not known here among them, stay as they are. FormatError where the
    file is unsound."""
    contents = read(data)
    rank = ORDER.index(chunk.kind)
    others = [each for each in _chunks(data, contents) if each.kind != chunk.kind]
    before = [i for i, each in enumerate(others) if each.kind in ORDER and ORDER.index(each.kind) < rank]
    others.insert(before[-1] + 1 if before else 0, chunk)
    return _joined(contents.header, others)


def without_chunk(data: bytes, kind: str) -> bytes:
    """A whole file without its chunk of a kind, all others as they are. FormatError where the file is
    unsound."""
    contents = read(data)
    return _joined(contents.header, [each for each in _chunks(data, contents) if each.kind != kind])


def _chunks(data: bytes, contents: Contents) -> list[Chunk]:
    """All chunks of a file that was checked."""
    return [checked(contents, e, data[e.offset : e.offset + e.length]) for e in contents.entries]


def header_length(prefix: bytes) -> int:
    """How long the header is, from the first 11 bytes. FormatError when they are not those of a .dsslic
    file."""
    version, length = _declared(prefix)
    if not version:
        raise FormatError("not a .dsslic file (its first bytes are wrong)")
    if version > VERSION:
        raise FormatError(
            f"written in .dsslic version {version}, this program reads version {VERSION}: upgrade "
            "dsslic-search"
        )
    least = _FIXED.size + _CHECKSUM.size
    if version == FULL and (length < least or (length - least) % _ENTRY.size):
        raise FormatError("damaged .dsslic header (impossible length)")
    return length


def _declared(prefix: bytes) -> tuple[int, int]:
    """(version, length of the header) by the first 11 bytes; version 0 where they are not those of a .dsslic
    file, length 0 where a later version says it in its own way."""
    if len(prefix) < PREAMBLE or not prefix.startswith(short_header.MAGIC):
        return 0, 0
    if prefix.startswith(MAGIC):
        if prefix[8] == FULL:
            return FULL, int.from_bytes(prefix[9:11], "little")
        return (prefix[8], 0) if prefix[8] > VERSION else (0, 0)
    fifth = prefix[len(short_header.MAGIC)]
    if fifth >= short_header.LEAST:
        return SHORT, fifth
    later = VERSION < fifth < MAGIC[4] and prefix[5:8] != MAGIC[5:]  # else the full header's magic, damaged
    return (fifth, 0) if later else (0, 0)


def may_be_newer(prefix: bytes) -> bool:
    """Whether a header that cannot be read is one that a newer version may have written, rather than damage:
    it says so, or its checksum is right. ``prefix``: the file's first 65 535 bytes, or all of them."""
    version, length = _declared(prefix)
    head = prefix[:length]
    return version > VERSION or (
        _CHECKSUM.size < length == len(head)
        and zlib.crc32(head[: -_CHECKSUM.size]) == _CHECKSUM.unpack(head[-_CHECKSUM.size :])[0]
    )


def read_contents(prefix: bytes) -> Contents:
    """Header and chunk table from the first bytes of a file. FormatError when they are damaged, short or not
    allowed."""
    length = header_length(prefix)
    if len(prefix) < length:
        raise FormatError(f"truncated .dsslic file: {len(prefix)} bytes, its header alone has {length}")
    return _contents(bytes(prefix[:length]))


@lru_cache(maxsize=16)  # each layer of a file that is looked at asks for them again
def _contents(head: bytes) -> Contents:
    """The same from a whole header."""
    body = head[: -_CHECKSUM.size]
    if zlib.crc32(body) != _CHECKSUM.unpack_from(head, len(body))[0]:
        raise FormatError("damaged .dsslic header (checksum differs)")
    if len(head) == head[len(short_header.MAGIC)] and not head.startswith(MAGIC):
        header, lines = short_header.read(head)
        version = SHORTER if any(line.short for line in lines) else SHORT
    else:
        version, (header, lines) = FULL, _read_full(body)
    least = 1 if header.keep.is_seen else 0  # of one that is not, the size may not be known
    if not (least <= header.width <= MAX_SIDE and least <= header.height <= MAX_SIDE):
        raise FormatError(f"impossible photo size {header.width}×{header.height} in the .dsslic header")
    if not (header.map_scale and header.compact_scale and 1 <= header.quality <= LOSSLESS):
        raise FormatError("impossible value in the .dsslic header")
    return Contents(header, len(head), _entries(lines, len(head)), version)


def _read_full(body: bytes) -> tuple[Header, list[Line]]:
    """Header and table of a full header without its checksum."""
    fields = _FIXED.unpack_from(body)
    if len(body) != _FIXED.size + _ENTRY.size * fields[-1]:
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
    lines = []
    for raw, *numbers in _ENTRY.iter_unpack(body[_FIXED.size :]):
        if not raw.isalpha():
            raise FormatError("damaged chunk table (a kind is not four letters)")
        lines.append(Line(raw.decode("ascii"), *numbers))
    return header, lines


def _entries(lines: Sequence[Line], offset: int) -> tuple[Entry, ...]:
    """Where the chunks of a table lie, the first at ``offset``."""
    entries: list[Entry] = []
    rank = -1
    for line in lines:
        if line.kind in ORDER:
            if ORDER.index(line.kind) <= rank:
                raise FormatError(f"chunk {line.kind} is repeated or out of order")
            rank = ORDER.index(line.kind)
        elif line.kind[0].isupper():
            raise FormatError(f'unknown critical chunk "{line.kind}": upgrade dsslic-search')
        entries.append(
            Entry(line.kind, line.codec, line.length, line.checksum, line.mask, line.short, offset)
        )
        offset += line.length
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
    return checked(contents, entry, payload)


def checked(contents: Contents, entry: Entry, payload: bytes) -> Chunk:
    """The chunk of a table's line and its bytes as they are stored; FormatError when their checksum is
    another."""
    if zlib.crc32(payload) & entry.mask != entry.checksum:
        raise FormatError(f"damaged .dsslic file: the checksum of chunk {entry.kind} differs")
    data = short_chunks.opened(entry.kind, payload, contents.header) if entry.short else payload
    return Chunk(entry.kind, entry.codec, data)


def read(data: bytes) -> Contents:
    """Check a whole file: header, every chunk's checksum, and that nothing follows. FormatError otherwise."""
    contents = read_contents(data)
    for entry in contents.entries:
        read_chunk(data, contents, entry.kind)
    if len(data) != contents.total:
        raise FormatError(f"{len(data) - contents.total} bytes too many at the end of the .dsslic file")
    return contents
