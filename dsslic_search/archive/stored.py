"""What an object file says of itself, and whether it is the file that its photo's catalog row describes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from dsslic_search.archive.features import MapFeatures, features_of
from dsslic_search.archive.store import Store
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, FormatError

if TYPE_CHECKING:
    from dsslic_search.codec.container import Layout


@dataclass(frozen=True)
class ObjectFacts:
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

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the upright photo."""
        return self.width, self.height


FIELDS = tuple(f.name for f in fields(ObjectFacts))

State = Literal["sound", "outdated", "damaged", "missing", "unreadable"]


@dataclass(frozen=True)
class Finding:
    """What `examine` found. ``facts``: those of the file's header, where it can be read. ``reason``: why it
    is not "sound".

    "outdated": the file is sound and of this photo, but the row describes an earlier one: something stopped
    between writing the file and the row. "unreadable": the disk does not give the file, or a newer version
    wrote it; its contents may be sound, so nothing may be deleted.
    """

    state: State
    reason: str = ""
    facts: ObjectFacts | None = None


def examine(store: Store, content_hash: str, row: ObjectFacts, read_data: bool = False) -> Finding:
    """Compare the object file of a photo with its row: its length and header, with ``read_data`` all its
    checksums too."""
    from dsslic_search.codec import container

    try:
        size = store.size_of(content_hash)
        if size is None:
            return Finding("missing", "its file is missing")
        try:
            layout = _layout(store, content_hash)
            facts = _facts(layout)
        except FormatError as e:
            if _is_newer(store, content_hash):
                return Finding("unreadable", str(e))
            return Finding(
                "damaged", str(e) if size == row.stored_bytes else _wrong_length(size, row.stored_bytes)
            )
        if size != layout.total:
            return Finding("damaged", _wrong_length(size, layout.total), facts)
        if read_data:
            try:
                container.read(store.read(content_hash))
            except FormatError as e:
                return Finding("damaged", str(e), facts)
        if facts == row:
            return Finding("sound", facts=facts)
        if facts.size != row.size or not _is_of(store, content_hash, layout):
            return Finding("damaged", "its file is that of another photo", facts)
    except ArchiveError as e:
        return Finding("unreadable", str(e))
    return Finding(
        "outdated",
        "the catalog describes an earlier file of it, since an ingest was interrupted there",
        facts,
    )


def read_features(store: Store, content_hash: str, map_bytes: int) -> MapFeatures:
    """Describe a photo anew, in the shipped vocabulary, from the first ``map_bytes`` bytes of its file.
    Raises FormatError or ArchiveError."""
    from dsslic_search.codec.decoder import read_meanings

    return features_of(read_meanings(store.read_prefix(content_hash, map_bytes)), vocabulary.default())


def _layout(store: Store, content_hash: str) -> Layout:
    from dsslic_search.codec import container

    length = container.header_length(store.read_prefix(content_hash, container.PREAMBLE))
    return container.read_layout(store.read_prefix(content_hash, length))


def _facts(layout: Layout) -> ObjectFacts:
    """FormatError when the file has no label map."""
    header = layout.header
    return ObjectFacts(
        width=header.width,
        height=header.height,
        keep=header.keep,
        quality=header.quality,
        stored_bytes=layout.total,
        map_bytes=layout.stage_bytes("map"),
        vocabulary=header.vocabulary,
        segmenter=header.segmenter,
    )


def _is_of(store: Store, content_hash: str, layout: Layout) -> bool:
    """Whether the file was made from the original of this hash, as far as it can tell: keep mode layers keeps
    no hash."""
    from dsslic_search.codec import container

    entry = layout.find(container.HASH)
    if entry is None:
        return True
    return (
        store.read_prefix(content_hash, entry.offset + entry.length, start=entry.offset).hex() == content_hash
    )


def _is_newer(store: Store, content_hash: str) -> bool:
    """Whether a header that cannot be read is one that a newer version may have written, rather than
    damage."""
    from dsslic_search.codec import container

    start = store.read_prefix(content_hash, container.PREAMBLE)
    if len(start) < container.PREAMBLE or not start.startswith(container.MAGIC):
        return False
    header = store.read_prefix(content_hash, int.from_bytes(start[9:11], "little"))
    return start[8] > container.VERSION or zlib.crc32(header[:-4]) == int.from_bytes(header[-4:], "little")


def _wrong_length(size: int, due: int) -> str:
    return f"its file has {size} bytes instead of {due}"
