"""The .dsslic file of a stored photo: reading it from its start as far as is needed, and whether it is the
file that the photo's catalog row describes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from dsslic_search.archive.store import Store
from dsslic_search.core.cached import cached_property
from dsslic_search.core.errors import ArchiveError, FormatError, StageError
from dsslic_search.core.kinds import KeepMode

if TYPE_CHECKING:
    from dsslic_search.codec.chunk import Chunk
    from dsslic_search.codec.container import Contents
    from dsslic_search.codec.header import Entry
    from dsslic_search.codec.picture.raster import Embedded


class StoredFile:
    """The object file of a photo, read from its start on: no byte twice, and none past what was asked for.

    Every method raises ArchiveError for trouble with the disk; what reads the header or finds a stage also
    FormatError for damage, and StageError for a stage that the file does not have.
    """

    def __init__(self, store: Store, content_hash: str) -> None:
        self.store = store
        self.content_hash = content_hash
        self.data = b""
        """The bytes read so far."""

    def prefix(self, end: int) -> bytes:
        """The first ``end`` bytes (fewer if the file is shorter), or more where more was read already."""
        if end > len(self.data):
            end = max(end, self.store.ahead)
            self.data += self.store.read_prefix(self.content_hash, end, start=len(self.data))
        return self.data

    @cached_property
    def contents(self) -> Contents:
        """Header and chunk table."""
        from dsslic_search.codec import container

        length = container.header_length(self.prefix(container.PREAMBLE))
        return container.read_contents(self.prefix(length))

    def stage(self, stage: str) -> bytes:
        """The bytes that hold a stage, as :func:`dsslic_search.codec.decoder.decode_stage` takes them."""
        return self.prefix(self.contents.stage_bytes(stage))

    def part(self, entry: Entry) -> bytes:
        """A chunk's bytes, unchecked; reads no byte before the chunk."""
        if entry.offset + entry.length <= len(self.data):
            return self.data[entry.offset : entry.offset + entry.length]
        return self.store.read_prefix(self.content_hash, entry.offset + entry.length, start=entry.offset)

    def chunk(self, kind: str) -> Chunk | None:
        """A chunk of the file, checked, reading no other; None when it has none. FormatError for damage."""
        from dsslic_search.codec import container

        entry = self.contents.find(kind)
        return None if entry is None else container.checked(self.contents, entry, self.part(entry))


def stored_metadata(store: Store, content_hash: str) -> tuple[Embedded, int]:
    """What a photo's file keeps of its metadata, and in how many bytes; without what is damaged or cannot be
    read."""
    from dsslic_search.codec.layers import metadata
    from dsslic_search.codec.picture.raster import Embedded

    found: dict[str, bytes] = {}
    count = 0
    file = StoredFile(store, content_hash)
    for name, layer in metadata.OF_EMBEDDED.items():
        with suppress(FormatError, ArchiveError):
            chunk = file.chunk(layer.kind) if layer is not metadata.ICC else None
            if chunk is not None:
                found[name] = metadata.decode(layer, chunk)
                count += len(chunk.data)
    return Embedded(**found), count


@dataclass(frozen=True)
class ObjectRecord:
    """What a photo's row and the header of its object file both tell, under the names of the row's
    columns."""

    width: int
    height: int
    keep: str
    quality: int
    stored_bytes: int
    map_bytes: int
    vocabulary: str
    segmenter: str

    @classmethod
    def of_header(cls, contents: Contents) -> ObjectRecord:
        """As the header of a file tells them; StageError when the file lacks its label map."""
        header = contents.header
        return cls(
            width=header.width,
            height=header.height,
            keep=header.keep,
            quality=header.quality,
            stored_bytes=contents.total,
            map_bytes=contents.base_bytes if header.keep.is_seen else 0,
            vocabulary=header.vocabulary,
            segmenter=header.segmenter,
        )

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the upright photo."""
        return self.width, self.height


MAX_HEADER_BYTES = 65535
"""More no header has."""
RECORD_NAMES = tuple(f.name for f in fields(ObjectRecord))


class Fault(StrEnum):
    """What is wrong with the object file of a photo, or with its row."""

    MISSING = "missing"
    """There is no file."""
    UNREADABLE = "unreadable"
    """The disk does not give it, or a newer version wrote it: it may be sound, so nothing may be deleted."""
    INVALID = "invalid"
    """It is no sound .dsslic file: its header, or with all data read one of its chunks, is damaged, or it
    lacks what its keep mode is about."""
    WRONG_LENGTH = "wrong length"
    """It has more or fewer bytes than its header, or else its row, says."""
    OTHER_PHOTO = "other photo"
    """It is a sound file of another photo."""
    OUTDATED_ROW = "outdated row"
    """The file is sound and of this photo, but the row describes an earlier one: something stopped between
    writing the file and the row."""


DAMAGE = frozenset({Fault.INVALID, Fault.WRONG_LENGTH, Fault.OTHER_PHOTO})
"""Faults by which a file is not what was stored."""


@dataclass(frozen=True)
class Examination:
    """What `examine` found. ``fault``: None for a sound file that the row describes. ``record``: what the
    file's header tells, where it can be read. ``detail``: for UNREADABLE and INVALID, the sentence of the
    disk or of the codec. ``actual_bytes``, ``expected_bytes``: for WRONG_LENGTH."""

    fault: Fault | None
    record: ObjectRecord | None = None
    detail: str = ""
    actual_bytes: int | None = None
    expected_bytes: int | None = None

    @property
    def damaged(self) -> bool:
        return self.fault in DAMAGE

    def may_be_only_copy(self, row: ObjectRecord) -> bool:
        """Whether the file may hold the only copy of an original: by its own word or by that of its row, of
        which either may be wrong."""
        holding = {mode for mode in KeepMode if mode.holds_original}
        return not holding.isdisjoint((row.keep, self.record and self.record.keep))


def examine(store: Store, content_hash: str, row: ObjectRecord, read_data: bool = False) -> Examination:
    """Compare the object file of a photo with its row: its length and header, with ``read_data`` all its
    checksums too."""
    from dsslic_search.codec import container

    file = StoredFile(store, content_hash)
    try:
        size = store.size_of(content_hash)
        if size is None:
            return Examination(Fault.MISSING)
        try:
            contents = file.contents
        except FormatError as e:
            if container.may_be_newer(file.prefix(MAX_HEADER_BYTES)):
                return Examination(Fault.UNREADABLE, detail=str(e))
            if size != row.stored_bytes:
                return _wrong_length(None, size, row.stored_bytes)
            return Examination(Fault.INVALID, detail=str(e))
        try:
            contents.check_kept()
        except StageError as e:
            return Examination(Fault.INVALID, detail=str(e))
        record = ObjectRecord.of_header(contents)
        if size != record.stored_bytes:
            return _wrong_length(record, size, record.stored_bytes)
        if read_data:
            try:
                container.read(store.read(content_hash))
            except FormatError as e:
                return Examination(Fault.INVALID, record, str(e))
        if record == row:
            return Examination(None, record)
        if record.size != row.size or not _is_of(file):
            return Examination(Fault.OTHER_PHOTO, record)
    except ArchiveError as e:
        return Examination(Fault.UNREADABLE, detail=str(e))
    return Examination(Fault.OUTDATED_ROW, record)


def _wrong_length(record: ObjectRecord | None, actual: int, expected: int) -> Examination:
    return Examination(Fault.WRONG_LENGTH, record, actual_bytes=actual, expected_bytes=expected)


def _is_of(file: StoredFile) -> bool:
    """Whether the file was made from the original of its name's hash, as far as it can tell: keep modes
    layers and coarse keep no hash."""
    from dsslic_search.codec.layers import original

    entry = file.contents.find(original.HASH.kind)
    return entry is None or file.part(entry).hex() == file.content_hash
