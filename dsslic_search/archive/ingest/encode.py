"""One photo of an ingest: what it is made of, as a file of its own read once, and everything that an archive
keeps of it made of that, in the worker threads."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dsslic_search.archive import bucket_files
from dsslic_search.archive.features import MapFeatures, colours_of, features_of
from dsslic_search.archive.outside import Status, open_without_waiting
from dsslic_search.archive.paths import FileThere
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import PhotoError
from dsslic_search.core.files import LARGEST_FILE_BYTES, in_bucket, path_to_text
from dsslic_search.core.kinds import KeepMode
from dsslic_search.core.settings import Settings

if TYPE_CHECKING:
    from dsslic_search.codec.options import EncodeOptions
    from dsslic_search.codec.picture.facts import Beside, PhotoFacts
    from dsslic_search.codec.picture.header import Header
    from dsslic_search.codec.picture.raster import Embedded
    from dsslic_search.codec.picture.stripping import Strip

CLOCK_STEP_NS = 2_000_000_000  # the coarsest in which a file system (FAT) keeps when files were changed


class Source(Protocol):
    """What a photo of the archive is made of: a file of its own (`Original`), or a frame of a video
    (`archive.ingest.frames.Frame`)."""

    @property
    def path(self) -> Path:
        """The file, beside which sidecars may stand."""

    @property
    def name(self) -> str:
        """What the catalog has as its path, as text that can be stored and printed."""

    @property
    def data(self) -> bytes:
        """What the content hash is the SHA-256 of: the bytes of the photo's file."""

    @property
    def content_hash(self) -> str:
        """In hex."""

    @property
    def modified_at(self) -> datetime:
        """When the file was changed last, UTC, without a time zone."""

    @property
    def file_size(self) -> int:
        """Bytes that the photo takes at its place."""

    @property
    def there(self) -> FileThere:
        """Where it was met."""

    def fetch(self) -> None:
        """Read what is not read yet, in the thread that reads. PhotoError where that cannot be had, nor
        anything behind it in the file."""

    def header(self, max_pixels: int) -> Header:
        """What gives its pixels. PhotoError, which starts with ``name``, where it is no photo."""

    def facts(self, embedded: Embedded, beside: Beside, strip: Strip) -> PhotoFacts:
        """What metadata tell: those beside its pixels, those beside its file."""


@dataclass(frozen=True)
class Original:
    """A file's bytes, their SHA-256 in hex, and when it was changed last (UTC, without a time zone; and in
    nanoseconds since 1970, None where that cannot be relied on)."""

    path: Path
    data: bytes
    content_hash: str
    modified_at: datetime
    modified_ns: int | None = None

    @property
    def name(self) -> str:
        """The path as text that can be stored and printed."""
        return path_to_text(self.path)

    @property
    def file_size(self) -> int:
        return len(self.data)

    @property
    def there(self) -> FileThere:
        return FileThere(self.path, len(self.data), self.modified_ns)

    def fetch(self) -> None:
        """All of it was read."""

    def header(self, max_pixels: int) -> Header:
        from dsslic_search.codec.picture.open import read_header

        return read_header(self.data, self.name, max_pixels)

    def facts(self, embedded: Embedded, beside: Beside, strip: Strip) -> PhotoFacts:
        from dsslic_search.codec.picture.facts import facts_of

        return facts_of(embedded, self.path.name, beside, strip)


def read_original(path: Path, now_ns: Callable[[], int] = time.time_ns) -> Original:
    """Read a file whole. Raises PhotoError with the reason alone (not the name) when it is empty, too large
    or unreadable, or changes meanwhile. ``now_ns``: the time, nanoseconds since 1970."""
    try:
        status, data = _read_object(path) if in_bucket(path) else _read_file(path)
    except FileNotFoundError as e:
        raise PhotoError("disappeared before it was read") from e
    except OSError as e:
        raise PhotoError(f"cannot be read ({e.strerror or e})") from e
    if not data:
        raise PhotoError("the file is empty (0 bytes)")
    return Original(
        path,
        data,
        hashlib.sha256(data).hexdigest(),
        changed_at(status.st_mtime),
        dependable(status.st_mtime_ns, now_ns()),
    )


def _read_file(path: Path) -> tuple[Status, bytes]:
    with open(path, "rb", opener=open_without_waiting) as f:
        status = os.fstat(f.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise PhotoError("not a regular file")
        _check_size(status)
        data = f.read(LARGEST_FILE_BYTES)
        check_unchanged(status, os.fstat(f.fileno()))
    return status, data


def _read_object(path: Path) -> tuple[Status, bytes]:
    """As it is at one moment."""
    status, data = bucket_files.read(path, LARGEST_FILE_BYTES)
    _check_size(status)
    return status, data


def _check_size(status: Status) -> None:
    if status.st_size > LARGEST_FILE_BYTES:
        raise PhotoError(
            f"{status.st_size} bytes are more than the largest file that is read ({LARGEST_FILE_BYTES})"
        )


def check_unchanged(before: os.stat_result, after: os.stat_result) -> None:
    """PhotoError where a file was changed while it was read."""
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise PhotoError("changed while it was read; the next sync takes it")


def dependable(modified_ns: int, now_ns: int) -> int | None:
    """When a file was changed last, nanoseconds since 1970; None where that is so short ago that another
    change might have the same time."""
    return None if abs(now_ns - modified_ns) < CLOCK_STEP_NS else modified_ns


def changed_at(timestamp: float) -> datetime:
    """A file system's time in UTC, without a time zone."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).replace(tzinfo=None)
    except (OverflowError, ValueError, OSError):  # file systems can hold times that calendars cannot
        return datetime(1970, 1, 1)


@dataclass(frozen=True)
class Prepared:
    """``data``: the .dsslic file, whose first ``map_bytes`` hold the base layer. ``width``, ``height``: of
    the upright photo, pixels. ``facts``: what its file tells beside them, by column. ``milliseconds``: wall
    time per step. ``keep``: how it is kept, where that is not as the options say."""

    format: str
    width: int
    height: int
    facts: PhotoFacts
    data: bytes
    map_bytes: int
    quality: int
    vocabulary: str
    segmenter: str
    features: MapFeatures
    milliseconds: Mapping[str, float]
    keep: KeepMode | None = None


Prepare = Callable[[Source, "EncodeOptions", Settings, "Beside"], Prepared]


def prepare_photo(source: Source, options: EncodeOptions, settings: Settings, beside: Beside) -> Prepared:
    """Open, encode and describe a photo; ``beside``: what stands beside its file. Raises PhotoError when it
    is none, other DSSErrors when the codec cannot work."""
    from dsslic_search.codec.picture.facts import turn_of
    from dsslic_search.codec.picture.stripping import Strip
    from dsslic_search.codec.reduction import decoded_for

    start = time.perf_counter()
    photo = decoded_for(source.header(settings.max_pixels), source.name, options)
    opened = time.perf_counter()
    # Only now, since what loads the networks takes seconds, and a file that is no photo needs none.
    from dsslic_search.codec.encoder import encode_photo
    from dsslic_search.networks.runtime import use_one_thread

    use_one_thread()  # each worker has a photo of its own
    encoded = encode_photo(photo, options, source.data, source.content_hash)
    coded = time.perf_counter()
    label_map = encoded.dialect.meant(encoded.label_map)
    colours = colours_of(encoded.data, label_map, encoded.map_scale)
    features = features_of(
        label_map, vocabulary.default(), encoded.certainties, encoded.words.to_bytes(), colours
    )
    done = time.perf_counter()
    strip = Strip(options.strip)
    return Prepared(
        format=photo.format,
        width=photo.width,
        height=photo.height,
        facts={
            **source.facts(photo.embedded, beside, strip),
            "turn": None if strip is Strip.METADATA else turn_of(photo.embedded),
            "bit_depth": photo.bits,
            "profile": photo.profile or None,
        },
        data=encoded.data,
        map_bytes=encoded.map_bytes,
        quality=encoded.quality,
        vocabulary=encoded.vocabulary,
        segmenter=encoded.segmenter,
        features=features,
        milliseconds={
            "open": (opened - start) * 1000,
            **encoded.milliseconds,
            "features": (done - coded) * 1000,
        },
    )
