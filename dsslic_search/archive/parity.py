"""Parity beside the files of photos: blocks by which flipped, overwritten and lost ones are made again.

A file is cut into k blocks, of which a Reed–Solomon code over GF(256) makes m more (zfec: Vandermonde
matrices, the field's polynomial 0x11d), so that any k of the k + m give the file back. They lie beside it as
``….parity``; byte by byte: docs/parity.md. The head, which says what is right by checksums, is there twice.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.schema import Photo, Setting
from dsslic_search.archive.store import Store
from dsslic_search.core.errors import ArchiveError, FormatError, MissingExtraError

MAGIC = b"\x89DPAR\r\n\x1a"
VERSION = 1
SETTING = "parity"
LEAST_PERCENT, MOST_PERCENT = 1, 25
MOST_BLOCKS = 200
LEAST_BLOCK_BYTES = 64
EXTRA = 'pip install "dsslic-search[parity]"'

_HEAD = struct.Struct("<8sBBBxIQ32s")  # magic, version, k, m, bytes of a block, bytes and SHA-256 of the file
_SUM = struct.Struct("<I")


@dataclass
class ParityReport:
    """``percent``: of what is to have parity from now on, 0 for none. ``photos``: files whose parity was
    written, or with 0 deleted, in so many ``bytes``. ``failed``: (photo id, reason)."""

    percent: int
    photos: int = 0
    bytes: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Parity:
    """What a parity file holds: ``blocks`` are the m that were made, ``sums`` the CRC-32 of all k + m."""

    block_bytes: int
    file_bytes: int
    digest: bytes
    sums: tuple[int, ...]
    blocks: tuple[bytes, ...]

    @property
    def count(self) -> int:
        """k: blocks that the file itself was cut into."""
        return len(self.sums) - len(self.blocks)

    @property
    def sound(self) -> dict[int, bytes]:
        """The blocks that are as they were made, by their number from k on."""
        numbered = enumerate(self.blocks, self.count)
        return {number: block for number, block in numbered if zlib.crc32(block) == self.sums[number]}

    def is_of(self, data: bytes) -> bool:
        """Whether it was made from this very file."""
        return len(data) == self.file_bytes and hashlib.sha256(data).digest() == self.digest


def made(data: bytes, percent: int) -> bytes:
    """The parity file of a file, with at least ``percent`` of its blocks, 1..25."""
    block_bytes = max(LEAST_BLOCK_BYTES, -(-len(data) // MOST_BLOCKS))
    count = max(1, -(-len(data) // block_bytes))
    more = -(-count * percent // 100)
    blocks = _cut(data, count, block_bytes)
    blocks += _zfec().Encoder(count, count + more).encode(blocks, tuple(range(count, count + more)))
    head = _HEAD.pack(
        MAGIC, VERSION, count, more, block_bytes, len(data), hashlib.sha256(data).digest()
    ) + b"".join(_SUM.pack(zlib.crc32(block)) for block in blocks)
    head += _SUM.pack(zlib.crc32(head))
    return head + b"".join(blocks[count:]) + head


def read(stored: bytes) -> Parity:
    """A parity file, by whichever of its heads is sound; damage among its blocks it notices itself.
    FormatError where neither is, and for what is none."""
    for head, rest in _heads(stored):
        if len(head) < _HEAD.size or zlib.crc32(head[:-4]) != _SUM.unpack(head[-4:])[0]:
            continue
        magic, version, count, more, block_bytes, file_bytes, digest = _HEAD.unpack_from(head)
        if magic != MAGIC or version != VERSION or len(head) != _head_bytes(count, more):
            continue
        sums = tuple(number for (number,) in _SUM.iter_unpack(head[_HEAD.size : -4]))
        starts = range(0, more * block_bytes, block_bytes)
        blocks = tuple(rest[start : start + block_bytes] for start in starts)
        return Parity(block_bytes, file_bytes, digest, sums, blocks)
    raise FormatError("no parity file, or one whose heads are both damaged")


def _heads(stored: bytes) -> list[tuple[bytes, bytes]]:
    """Where a head may be, each with the blocks that there are by it: at the start, and at the end."""
    found = []
    if len(stored) >= _HEAD.size:
        length = _head_bytes(stored[9], stored[10])
        found.append((stored[:length], stored[length:]))
    last = stored.rfind(MAGIC)
    if last > 0:
        head = stored[last:]
        length = len(head)
        found.append((head, stored[length:last]))
    return found


def _head_bytes(count: int, more: int) -> int:
    return _HEAD.size + _SUM.size * (count + more + 1)


def mended(data: bytes, parity: Parity) -> bytes | None:
    """The file that parity was made from, out of what is left of it; None where too much is lost. What was
    put in or taken out in the midst moves all behind it, and counts as lost from there on."""
    if parity.is_of(data):
        return data
    count = parity.count
    blocks = _cut(data[: parity.file_bytes], count, parity.block_bytes)
    there = {n: block for n, block in enumerate(blocks) if zlib.crc32(block) == parity.sums[n]}
    spare = iter(parity.sound.items())
    chosen: list[tuple[int, bytes]] = []
    for number in range(count):
        block = there.get(number)
        each = (number, block) if block is not None else next(spare, None)
        if each is None:
            return None
        chosen.append(each)
    decoder = _zfec().Decoder(count, len(parity.sums))
    whole = b"".join(decoder.decode([block for _, block in chosen], [number for number, _ in chosen]))
    whole = whole[: parity.file_bytes]
    return whole if parity.is_of(whole) else None


def _cut(data: bytes, count: int, block_bytes: int) -> list[bytes]:
    """Blocks of one size, the last filled with zeros."""
    filled = data.ljust(count * block_bytes, b"\0")
    return [filled[start : start + block_bytes] for start in range(0, count * block_bytes, block_bytes)]


def _zfec() -> Any:
    try:
        import zfec
    except ImportError as e:
        raise MissingExtraError(f"parity needs an extra package: {EXTRA}") from e
    return zfec


# Of an archive


def wanted(catalog: Catalog) -> int:
    """The percentage of parity that files are to have, 0 for none."""
    return int(catalog.settings().get(SETTING, 0))


def want(catalog: Catalog, percent: int) -> None:
    """Remember that percentage for all files that are written from now on."""
    if percent:
        _zfec()
    if wanted(catalog) != percent:
        with catalog.noting() as session:
            session.execute(delete(Setting).where(Setting.name == SETTING))
            session.execute(insert(Setting).values(name=SETTING, value=str(percent)))


def writer(catalog: Catalog, store: Store) -> Callable[[str, bytes], None]:
    """Writes the file of a photo, and its parity where that is wanted; parity of an earlier file is deleted
    first, so that none is ever taken for that of a later one."""
    percent = wanted(catalog)
    if percent:
        _zfec()

    def write(content_hash: str, data: bytes) -> None:
        store.remove_parity(content_hash)
        store.write(content_hash, data)
        if percent:
            store.write_parity(content_hash, made(data, percent))

    return write


def complete(
    archive: ArchiveFolder, percent: int, progress: Callable[[int, int], None] | None = None
) -> ParityReport:
    """Give all files of an archive parity, and those to come: those that have none, another amount, or that
    of an earlier file, get theirs. With 0 all is deleted. Damaged files are in ``failed``, and keep what
    parity they have. May be stopped and run again. ``progress`` is called with photos done and in all."""
    report = ParityReport(percent)
    with archive.writing() as catalog:
        archive.remove_leftovers()
        want(catalog, percent)
        with catalog.session() as session:
            photos = session.execute(select(Photo.id, Photo.content_hash).order_by(Photo.id)).all()
        for done, (photo_id, content_hash) in enumerate(photos, 1):
            try:
                report.bytes += _complete(archive.store, content_hash, percent, report)
            except (ArchiveError, FormatError) as e:
                report.failed.append((photo_id, str(e)))
            if progress is not None:
                progress(done, len(photos))
    return report


def _complete(store: Store, content_hash: str, percent: int, report: ParityReport) -> int:
    if not percent:
        gone = store.remove_parity(content_hash)
        report.photos += bool(gone)
        return gone
    from dsslic_search.codec import container

    data = store.read(content_hash)
    there = store.read_parity(content_hash)
    new = made(data, percent)
    if there == new:
        return 0
    container.read(data)
    store.write_parity(content_hash, new)
    report.photos += 1
    return len(new)


def is_current(store: Store, content_hash: str, data: bytes) -> bool:
    """Whether a file has sound parity of its own."""
    stored = store.read_parity(content_hash)
    if stored is None:
        return False
    try:
        parity = read(stored)
    except FormatError:
        return False
    return parity.is_of(data) and len(parity.sound) == len(parity.blocks) and stored == _again(parity)


def _again(parity: Parity) -> bytes:
    """A parity file of what another one holds."""
    head = _HEAD.pack(
        MAGIC,
        VERSION,
        parity.count,
        len(parity.blocks),
        parity.block_bytes,
        parity.file_bytes,
        parity.digest,
    ) + b"".join(map(_SUM.pack, parity.sums))
    head += _SUM.pack(zlib.crc32(head))
    return head + b"".join(parity.blocks) + head


def mend(store: Store, content_hash: str) -> bytes | None:
    """The bytes that the file of a photo had when its parity was made, if they can be made again and are a
    sound .dsslic file; None without parity. Writes nothing."""
    from dsslic_search.codec import container

    stored = store.read_parity(content_hash)
    if stored is None:
        return None
    try:
        data = store.read(content_hash) if store.size_of(content_hash) is not None else b""
        whole = mended(data, read(stored))
        if whole is not None:
            container.read(whole)
    except (FormatError, ArchiveError):
        return None
    return whole
