"""Frames of videos as photos of the archive: which are taken, what they are called, what they are known by.

A frame's path is the clip's with the moment behind it, in seconds, as "clip.mp4#t=12.0" (W3C Media
Fragments); it is the frame that is shown then. Its content hash is the SHA-256 of a line with the clip's and
the time, exact, at which the frame itself begins: however its moment was chosen, it is the same photo.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.archive import outside
from dsslic_search.archive.ingest.encode import changed_at, check_unchanged, dependable
from dsslic_search.archive.ingest.file_names import is_named_video
from dsslic_search.archive.outside import open_without_waiting
from dsslic_search.archive.paths import FileThere
from dsslic_search.core.errors import PhotoError, UsageError
from dsslic_search.core.files import in_bucket, path_to_text, text_to_path
from dsslic_search.core.text import parse_duration

if TYPE_CHECKING:
    from dsslic_search.codec.picture.facts import Beside, PhotoFacts
    from dsslic_search.codec.picture.header import Header
    from dsslic_search.codec.picture.raster import Embedded, Raster
    from dsslic_search.codec.picture.stripping import Strip
    from dsslic_search.codec.picture.video import Clip, Shown

SCENES = "scenes"
LEAST_SECONDS = Fraction(1, 1000)  # between frames
_MOMENT = "#t="
_MICROSECONDS = 1_000_000  # in a second: moments are written to one


@dataclass(frozen=True)
class FrameChoice:
    """Which frames of a clip are taken: those shown every so many seconds; None for the first of each
    scene."""

    every: Fraction | None


def read_choice(text: str) -> FrameChoice:
    """What "2s", "500ms", "1m" or "scenes" asks for; UsageError for anything else."""
    if text.strip().casefold() == SCENES:
        return FrameChoice(None)
    try:
        seconds = parse_duration(text)
    except ValueError as e:
        raise UsageError(f"frames: {e}, nor {SCENES}") from None
    if seconds < LEAST_SECONDS:
        raise UsageError(f"frames: {text} is less than the 1ms that frames are taken apart at the least")
    return FrameChoice(seconds)


def is_video(path: Path) -> bool:
    """Whether a file is a video by how it begins, or by its name where that tells nothing."""
    from dsslic_search.codec.picture.formats.signature import START_BYTES, kind_of

    try:
        with outside.opened(path) as f:
            kind = kind_of(f.read(START_BYTES))
    except OSError:  # reading it will say why
        return False
    return kind == "video" or (kind is None and is_named_video(path))


def moment_text(moment: Fraction) -> str:
    """Seconds, as a path has them: with a fraction, to the microsecond, never before the moment."""
    whole, part = divmod(-(-moment * _MICROSECONDS // 1), _MICROSECONDS)
    return f"{whole}.{part:06d}".rstrip("0") + ("0" if not part else "")


def split_name(name: str) -> tuple[Path, Fraction]:
    """The clip and the moment of the path that a frame has in the catalog."""
    clip, _, moment = name.rpartition(_MOMENT)
    return text_to_path(clip), Fraction(moment)


@dataclass(frozen=True)
class OpenClip:
    """A clip of which frames are taken, and what they have in common; ``size``: its bytes;
    ``modified_ns``: as `archive.ingest.encode.Original` has it."""

    path: Path
    size: int
    clip: Clip
    clip_hash: str
    modified_at: datetime
    modified_ns: int | None
    told: PhotoFacts

    def __getstate__(self) -> dict[str, object]:
        """As it goes to another process: without the open clip."""
        return {name: value for name, value in self.__dict__.items() if name != "clip"}

    def frame(self, shown: Shown, moment: Fraction) -> Frame:
        """The frame that is shown at a moment."""
        return Frame(self, shown, moment)


@dataclass
class Frame:
    """A frame of a clip as what a photo is made of (`archive.ingest.encode.Source`)."""

    of: OpenClip
    shown: Shown
    moment: Fraction
    _pixels: Header | None = field(default=None, repr=False)

    @property
    def path(self) -> Path:
        return self.of.path

    @property
    def name(self) -> str:
        return path_to_text(self.of.path) + self._part

    @property
    def there(self) -> FileThere:
        return FileThere(self.of.path, self.of.size, self.of.modified_ns, self._part)

    @property
    def _part(self) -> str:
        return f"{_MOMENT}{moment_text(self.moment)}"

    @property
    def data(self) -> bytes:
        return f"{self.of.clip_hash}{_MOMENT}{self.shown.at}".encode()

    @property
    def content_hash(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def modified_at(self) -> datetime:
        return self.of.modified_at

    @property
    def file_size(self) -> int:
        return self.shown.size

    def fetch(self) -> None:
        """Decode it."""
        self._pixels = self.of.clip.decode(self.shown)

    def __getstate__(self) -> dict[str, object]:
        """As it goes to another process: with its pixels, which the clip would give here alone."""
        from dsslic_search.codec.picture.header import Header

        if self._pixels is None:
            self.fetch()
        assert self._pixels is not None
        raster = self._pixels.decode(1)
        still = partial(_still, raster)
        pixels = Header(self._pixels.format, self._pixels.width, self._pixels.height, still)
        return {**self.__dict__, "_pixels": pixels}

    def header(self, max_pixels: int) -> Header:
        from dsslic_search.codec.picture.open import check_size

        if self._pixels is None:
            self.fetch()
        assert self._pixels is not None
        check_size(self._pixels.width, self._pixels.height, self.name, max_pixels)
        return self._pixels

    def facts(self, embedded: Embedded, beside: Beside, strip: Strip) -> PhotoFacts:
        """What the clip's metadata tell, its date being that of its first frame."""
        from dsslic_search.codec.picture.facts import facts_of

        found = facts_of(embedded, self.of.path.name, beside, strip, self.of.told)
        began = found["taken_at"]
        if not isinstance(began, datetime):
            return found
        try:
            return {**found, "taken_at": began + timedelta(seconds=int(self.shown.at))}
        except OverflowError:
            return found


def _still(raster: Raster, _shrink: int) -> Raster:
    return raster


class Frames:
    """The frames taken of a clip, in order: as many as ``len``, each made when it is its turn. The one behind
    them, where the clip ends too early, is a PhotoError."""

    def __init__(self, of: OpenClip, chosen: list[tuple[Shown, Fraction]]) -> None:
        self._of, self._chosen = of, chosen

    def __len__(self) -> int:
        return len(self._chosen)

    def __iter__(self) -> Iterator[Frame]:
        for shown, moment in self._chosen:
            yield self._of.frame(shown, moment)
        self._of.clip.check_whole()


@contextmanager
def opened(path: Path, now_ns: Callable[[], int] = time.time_ns) -> Iterator[OpenClip]:
    """A clip, open. PhotoError with the reason alone (not the name) where it cannot be read."""
    from dsslic_search.codec.picture.video import Clip
    from dsslic_search.codec.picture.video_metadata import facts_of

    if in_bucket(path):
        raise PhotoError("a video in a bucket; copy it to a disk to take frames of it")
    name = path_to_text(path)
    try:
        with open(path, "rb", opener=open_without_waiting) as f:
            status = os.fstat(f.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise PhotoError("not a regular file")
            clip_hash = hashlib.file_digest(f, "sha256").hexdigest()
            check_unchanged(status, os.fstat(f.fileno()))
    except FileNotFoundError as e:
        raise PhotoError("disappeared before it was read") from e
    except OSError as e:
        raise PhotoError(f"cannot be read ({e.strerror or e})") from e
    with Clip(path, name) as clip:
        yield OpenClip(
            path,
            status.st_size,
            clip,
            clip_hash,
            changed_at(status.st_mtime),
            dependable(status.st_mtime_ns, now_ns()),
            facts_of(clip.metadata),
        )


@contextmanager
def taken(
    path: Path, choice: FrameChoice, max_pixels: int, now_ns: Callable[[], int] = time.time_ns
) -> Iterator[Frames]:
    """The frames of a clip that are taken; PhotoError where there are none, or each has more than
    ``max_pixels`` pixels."""
    from dsslic_search.codec.picture.open import check_size
    from dsslic_search.codec.picture.video import every

    with opened(path, now_ns) as of:
        height, width = of.clip.size
        check_size(width, height, of.clip.name, max_pixels)
        if choice.every is None:
            chosen = [(shown, shown.at) for shown in of.clip.scenes()]
        else:
            chosen = list(every(of.clip.frames, choice.every))
        yield Frames(of, chosen)


def found_again(name: str, content_hash: str) -> tuple[Header | None, int]:
    """The frame of that path in the catalog, decoded again, and the bytes of its clip; None where the clip is
    not what it was. OSError where it is gone, PhotoError where it cannot be decoded."""
    path, moment = split_name(name)
    size = path.stat().st_size
    with opened(path) as of:
        frame = of.frame(of.clip.at(moment), moment)
        if frame.content_hash != content_hash:
            return None, size
        frame.fetch()
        return frame._pixels, size
