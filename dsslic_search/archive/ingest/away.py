"""Photos encoded on other machines: what `archive.ingest.flight` has its workers do, sent to a Ray cluster.

Files are read here, since what is new is told by their content, and the bytes go along: the other machines
need neither the photos' folder nor the archive's. What they make comes back, and is stored here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsslic_search.archive.ingest.encode import Prepared, Source, prepare_photo
from dsslic_search.archive.ingest.frames import Frame
from dsslic_search.archive.ingest.memory import Budget, memory_there
from dsslic_search.core.errors import PhotoError, UsageError
from dsslic_search.core.settings import Settings
from dsslic_search.core.text import size_text

if TYPE_CHECKING:
    from dsslic_search.codec.options import EncodeOptions
    from dsslic_search.codec.picture.facts import Beside
    from dsslic_search.core.ray_cluster import RayCluster


AWAY_BYTES = 1_000_000  # of a photo that is encoded elsewhere, beside its file
COPIES = 3  # of its file, or of a frame's pixels: as it is, as it is sent, and what comes back
FRAME_PIXEL_BYTES = 3


def weight_while_away(source: Source, _options: EncodeOptions, max_pixels: int, _budget: Budget) -> int:
    """Bytes that a photo takes here while another machine encodes it."""
    size = len(source.data)
    if isinstance(source, Frame):
        header = source.header(max_pixels)
        size = FRAME_PIXEL_BYTES * header.width * header.height
    return COPIES * size + AWAY_BYTES


@dataclass
class Away:
    """A cluster that encodes photos; `prepare` is as `archive.ingest.encode.prepare_photo`."""

    cluster: RayCluster
    _doing: dict[tuple[EncodeOptions, Settings], Callable[..., Prepared]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self, source: Source, options: EncodeOptions, settings: Settings, beside: Beside) -> Prepared:
        """Raises PhotoError also for a photo that no machine there has memory for, and for one whose encoders
        all came to grief."""
        memory = memory_there(source, options, settings.max_pixels)
        if memory > self.cluster.largest:
            raise PhotoError(
                f"{source.name}: takes about {size_text(memory)} to encode, and no machine of the Ray "
                f"cluster has more than {size_text(self.cluster.largest)} to give"
            )
        return self._as_asked(options, settings)(source, beside, memory=memory)

    def _as_asked(self, options: EncodeOptions, settings: Settings) -> Callable[..., Prepared]:
        key = options, settings
        with self._lock:
            if key not in self._doing:
                try:
                    self._doing[key] = self.cluster.doing(_prepare, options, settings, lost=PhotoError)
                except (TypeError, AttributeError, ValueError) as e:  # what pickle raises
                    raise UsageError(f"this segmenter cannot be sent to other machines ({e})") from e
            return self._doing[key]


def _prepare(options: EncodeOptions, settings: Settings, source: Source, beside: Beside) -> Prepared:
    return prepare_photo(source, options, settings, beside)
