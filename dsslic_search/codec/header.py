"""What a .dsslic file says of itself before its layers, whichever way it is written: its header and the lines
of its chunk table."""

from __future__ import annotations

from dataclasses import dataclass

from dsslic_search.core.kinds import KeepMode

MAX_SIDE = 1 << 20
WHOLE_CRC = 0xFFFFFFFF


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
class Line:
    """One line of a chunk table: ``length`` in bytes, as it is stored; ``checksum``: those bits of its CRC-32
    that ``mask`` has; ``short``: whether the chunk is stored in short."""

    kind: str
    codec: int
    length: int
    checksum: int
    mask: int = WHOLE_CRC
    short: bool = False


@dataclass(frozen=True)
class Entry(Line):
    """A line and where its chunk starts: ``offset`` counts from the start of the file."""

    offset: int = 0
