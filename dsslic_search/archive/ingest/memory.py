"""How much memory an ingest may take, and what a photo takes of it: as many photos are in flight as fit.

What a photo takes follows from its header, before anything is decoded. The figures are peaks that were
measured (`dss-search bench ingest`), rounded up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.core.errors import PhotoError, Remedy, UsageError
from dsslic_search.core.kinds import KeepMode
from dsslic_search.core.settings import LOSSLESS
from dsslic_search.core.text import size_text

if TYPE_CHECKING:
    from dsslic_search.archive.ingest.encode import Source
    from dsslic_search.codec.options import EncodeOptions
    from dsslic_search.codec.picture.header import Header

PROGRAM_BYTES = 450_000_000  # the program itself, its libraries and networks
PHOTO_BYTES = 100_000_000  # of a photo of any size: what the networks and x265 work on at a time
PIXEL_BYTES = 12  # of a pixel that is decoded
LOSSLESS_PIXEL_BYTES = 24  # of one that becomes JPEG XL
REPACKED_PIXEL_BYTES = 30  # of one of a JPEG file that is repacked
FILE_COPIES = 2  # of an original file, at a time
REPACKED_FILE_COPIES = 3  # as it is, packed, and unpacked again, so that it is seen to come back
DEFAULT_SHARE = 2  # the machine's memory is divided by it
DEFAULT_LEAST_BYTES = 1_000_000_000  # what is taken for granted on machines with little
_JPEG = "JPEG"  # decoded at a reduced size, and repacked

_CGROUP_FILES = ("memory.max", "memory.limit_in_bytes")  # of versions 2 and 1


@dataclass
class Budget:
    """``total``: bytes that the whole program may take. ``taken``: by photos in flight."""

    total: int
    taken: int = 0

    def __post_init__(self) -> None:
        if self.total < PROGRAM_BYTES + PHOTO_BYTES:
            raise UsageError(
                f"{size_text(self.total)} of memory are less than the "
                f"{size_text(PROGRAM_BYTES + PHOTO_BYTES)} that the smallest photo takes; allow more with "
                f"{Remedy.MEMORY}"
            )

    @property
    def for_photos(self) -> int:
        """Bytes that photos in flight may take together."""
        return self.total - PROGRAM_BYTES

    def has_room_for(self, weight: int) -> bool:
        """Whether a photo of that weight fits beside those in flight."""
        return self.taken + weight <= self.for_photos

    def take(self, weight: int) -> None:
        """A photo takes off."""
        self.taken += weight

    def give_back(self, weight: int) -> None:
        """A photo has landed."""
        self.taken -= weight


def weight_of(source: Source, options: EncodeOptions, max_pixels: int, budget: Budget) -> int:
    """Bytes that a photo takes while it is encoded, by its header; of one that cannot be read, which is for
    the encoder to say, those of its file. PhotoError for one that never fits."""
    try:
        header = source.header(max_pixels)
    except PhotoError:
        return FILE_COPIES * len(source.data)
    weight = _weight(header, len(source.data), options)
    if weight > budget.for_photos:
        raise PhotoError(
            f"{source.name}: its {header.width}×{header.height} pixels take about "
            f"{size_text(PROGRAM_BYTES + weight)} to encode, more than the {size_text(budget.total)} "
            f"allowed; allow more with {Remedy.MEMORY}"
        )
    return weight


def memory_there(source: Source, options: EncodeOptions, max_pixels: int) -> int:
    """Bytes that a process takes which encodes a photo and nothing beside it; of one that cannot be read
    those of its file."""
    try:
        header = source.header(max_pixels)
    except PhotoError:
        return PROGRAM_BYTES + FILE_COPIES * len(source.data)
    return PROGRAM_BYTES + _weight(header, len(source.data), options)


def _weight(header: Header, file_bytes: int, options: EncodeOptions) -> int:
    from dsslic_search.codec import reduction

    jpeg = header.format == _JPEG
    shrink = reduction.shrink_for(header.height, header.width, options) if jpeg else 1
    each, copies = PIXEL_BYTES, FILE_COPIES
    if options.mode is KeepMode.EXACT and jpeg:
        each, copies = REPACKED_PIXEL_BYTES, REPACKED_FILE_COPIES
    elif options.quality == LOSSLESS:
        each = LOSSLESS_PIXEL_BYTES
    pixels = -(-header.width // shrink) * -(-header.height // shrink)
    return PHOTO_BYTES + copies * file_bytes + each * pixels + header.elsewhere()


Weigh = Callable[["Source", "EncodeOptions", int, Budget], int]
"""`weight_of`, or another rule for where photos are encoded otherwise."""


def default_total() -> int:
    """Half of the memory that this process may have, the machine's or that of its control group if that is
    less, but a gigabyte at the least."""
    return max(DEFAULT_LEAST_BYTES, min([_machine_bytes(), *_group_limits()]) // DEFAULT_SHARE)


def _machine_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return 8 << 30


def _group_limits(processes: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> Iterator[int]:
    """The limits of this process's control groups and of those around them (Linux); "max" is none."""
    try:
        lines = (processes / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, inner = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top = groups / "memory" if controllers else groups
        here = top / inner.strip("/")
        for folder in (here, *here.parents):
            if not folder.is_relative_to(top):
                break
            for name in _CGROUP_FILES:
                try:
                    yield int((folder / name).read_text())
                except (OSError, ValueError):
                    continue
