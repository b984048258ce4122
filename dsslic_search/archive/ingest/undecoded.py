"""Files that cannot be decoded here, kept byte for byte: found by their facts alone, and decoded by a later
ingest that can."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from dsslic_search.archive.features import NOTHING_SEEN
from dsslic_search.archive.ingest.encode import Prepared, Source
from dsslic_search.archive.ingest.file_names import PHOTO_EXTENSIONS, UNREAD_EXTENSIONS, VIDEO_EXTENSIONS
from dsslic_search.core.errors import PhotoError
from dsslic_search.core.kinds import KeepMode

if TYPE_CHECKING:
    from dsslic_search.codec.picture.facts import Beside, PhotoFacts
    from dsslic_search.codec.picture.raster import Embedded

UNKNOWN_SIZE = 0, 0
_NO_PICTURES = frozenset({"PDF"})  # of the kinds that are known by how they begin
_NOBODY = "00" * 8  # the identity of what had no part in a file


def prepare_undecoded(source: Source, reason: str, quality: int, max_pixels: int, beside: Beside) -> Prepared:
    """What is kept of a file that is no photo here for some ``reason``. PhotoError, with that reason, where
    it is not even a picture or a video by its sort."""
    from dsslic_search.codec import container
    from dsslic_search.codec.header import Header
    from dsslic_search.codec.layers import original, provenance
    from dsslic_search.codec.picture.facts import turn_of

    kind = kind_by_sort(source)
    if kind is None:
        raise PhotoError(reason)
    start = time.perf_counter()
    (width, height), embedded, told = _known_of(source, kind, max_pixels)
    turn = turn_of(embedded)
    if (turn or 1) >= 5:
        width, height = height, width
    header = Header(
        width=width,
        height=height,
        grey=False,
        keep=KeepMode.UNDECODED,
        map_scale=1,
        compact_scale=1,
        quality=quality,
        compact_qp=0,
        residual_qp=0,
        vocabulary=_NOBODY,
        segmenter=_NOBODY,
        finenet=_NOBODY,
    )
    why = reason.removeprefix(f"{source.name}: ")
    chunks = [original.encode_hash(source.data), original.encode(source.data)]
    data = container.pack(header, [*chunks, provenance.encode(0, (f"not decoded: {why}",))])
    facts = {**_facts(source, embedded, beside, told), "turn": turn, "bit_depth": None, "profile": None}
    return Prepared(
        format=kind,
        width=width,
        height=height,
        facts=facts,
        data=data,
        map_bytes=0,
        quality=quality,
        vocabulary=_NOBODY,
        segmenter=_NOBODY,
        features=NOTHING_SEEN,
        milliseconds={"original": (time.perf_counter() - start) * 1000},
        keep=KeepMode.UNDECODED,
    )


def kind_by_sort(source: Source) -> str | None:
    """What sort of picture or video a file is: by how it begins, else by its name; None for none."""
    from dsslic_search.codec.picture.formats.signature import kind_of
    from dsslic_search.codec.picture.video import FORMAT

    kind = kind_of(source.data)
    if kind is not None:
        return None if kind in _NO_PICTURES else FORMAT if kind == "video" else kind
    ending = source.path.suffix.lower()
    if ending in VIDEO_EXTENSIONS:
        return FORMAT
    return ending[1:].upper() if ending in PHOTO_EXTENSIONS | UNREAD_EXTENSIONS else None


def _known_of(source: Source, kind: str, max_pixels: int) -> tuple[tuple[int, int], Embedded, PhotoFacts]:
    """Width and height before it is turned, what stands beside the pixels, and what a video's container
    says, as far as each can be read."""
    from dsslic_search.codec.picture import exif, video
    from dsslic_search.codec.picture.facts import NO_FACTS
    from dsslic_search.codec.picture.raster import Embedded
    from dsslic_search.codec.picture.video_metadata import facts_of

    if kind == video.FORMAT:
        with suppress(PhotoError), video.Clip(source.path, source.name) as clip:
            height, width = clip.size
            return (width, height), Embedded(), facts_of(clip.metadata)
        return UNKNOWN_SIZE, Embedded(), NO_FACTS
    try:
        header = source.header(max_pixels)
        size = header.width, header.height
        return size, header.embedded(), NO_FACTS
    except Exception:  # damage can make libraries raise nearly anything
        return UNKNOWN_SIZE, Embedded(exif=exif.of_tiff(source.data)), NO_FACTS  # raw files are TIFF


def _facts(source: Source, embedded: Embedded, beside: Beside, told: PhotoFacts) -> PhotoFacts:
    from dsslic_search.codec.picture.facts import facts_of

    return facts_of(embedded, source.path.name, beside, container=told)
