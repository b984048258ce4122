"""What the files of an ingest are made into: a file a photo, or of a video its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from dsslic_search.archive.ingest.encode import Source, read_original
from dsslic_search.archive.ingest.file_names import UNREAD_EXTENSIONS, VIDEO_EXTENSIONS, is_named_video
from dsslic_search.archive.ingest.frames import FrameChoice, is_video, taken
from dsslic_search.archive.ingest.report import Teller
from dsslic_search.archive.ingest.wanted import Wanted
from dsslic_search.core.errors import PhotoError, Remedy, UsageError
from dsslic_search.core.files import path_to_text
from dsslic_search.core.kinds import KeepMode


@dataclass(frozen=True)
class Beyond:
    """What is asked for beyond photos. ``frames``: of videos, which; None for none. ``undecoded``: files that
    are pictures or videos by their sort but cannot be decoded, as they are. UsageError for what does not go
    with the keep mode."""

    keep: KeepMode
    frames: FrameChoice | None = None
    undecoded: bool = False

    def __post_init__(self) -> None:
        if self.frames is not None and self.keep is KeepMode.EXACT:
            raise UsageError(
                "a frame of a video has no file of its own to be kept exactly; keep frames as layers, coarse "
                "or reference"
            )
        if self.undecoded and self.keep is not KeepMode.EXACT:
            raise UsageError(
                f'only keep mode "{KeepMode.EXACT}" keeps files that cannot be decoded: '
                f"{Remedy.EVEN_UNDECODED} does not go with another"
            )

    @property
    def videos(self) -> bool:
        """Whether anything is made of videos."""
        return self.frames is not None or self.undecoded

    def within(self, wanted: Wanted) -> Wanted:
        """What is wanted of the files in folders, with these. No frames are taken of clips that belong to
        photos, but whoever keeps what cannot be decoded keeps them, too."""
        videos = VIDEO_EXTENSIONS if self.videos else frozenset()
        unread = UNREAD_EXTENSIONS if self.undecoded else frozenset()
        return replace(wanted, endings=wanted.endings | videos | unread, clips=self.undecoded)


def offer_all(
    path: Path,
    beyond: Beyond,
    max_pixels: int,
    now_ns: Callable[[], int],
    tell: Teller,
    offer: Callable[[Source], None],
) -> bool:
    """Offer each photo that a file is made into. Where it cannot be read, or not to its end, that is told
    once, and the answer is False. ``now_ns``: the time, nanoseconds since 1970."""
    left = 1
    try:
        with _sources(path, beyond, max_pixels, now_ns) as sources:
            tell.expect(len(sources) - left)
            left = len(sources)
            for source in sources:
                offer(source)
                left -= 1
        return True
    except PhotoError as e:
        reason = str(e)
    except MemoryError:
        reason = "not enough memory to read it"
    tell.expect(1 - left)
    tell.failed(path_to_text(path), reason)
    return False


class _Sources(Protocol):
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Source]: ...


@contextmanager
def _sources(path: Path, beyond: Beyond, max_pixels: int, now_ns: Callable[[], int]) -> Iterator[_Sources]:
    """PhotoError where the file cannot be read."""
    if beyond.frames is not None and is_video(path):
        with taken(path, beyond.frames, max_pixels, now_ns) as frames:
            yield frames
    elif not beyond.undecoded and is_named_video(path) and is_video(path):
        raise PhotoError(f"a video, not a photo; take frames of it with {Remedy.FRAMES}")
    else:
        yield [read_original(path, now_ns)]
