"""What files and folders are by their names: photos, videos and all that is passed over."""

from __future__ import annotations

import os
from collections.abc import Set
from enum import StrEnum
from pathlib import Path

from dsslic_search.archive import outside

RAW_EXTENSIONS = frozenset(
    (".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".iiq", ".kdc", ".mrw", ".nef", ".nrw")
    + (".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srw", ".x3f")
)
# Files of these names are tried when they are found in folders; one that is named itself is tried whatever
# its name. Some are of formats that need an extra package: photos all the same, and better refused with a
# reason than passed over.
PHOTO_EXTENSIONS = (
    frozenset(
        (".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".j2k", ".jfif", ".jp2", ".jpe")
        + (".jpeg", ".jpg", ".jxl", ".mpo", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
    )
    | RAW_EXTENSIONS
)
# Pictures that nothing here reads: only tried where they are to be kept all the same.
UNREAD_EXTENSIONS = frozenset(
    (".dds", ".exr", ".hdr", ".ico", ".jxr", ".psb", ".psd", ".qoi", ".svg", ".tga", ".wdp", ".xcf")
)
VIDEO_EXTENSIONS = frozenset(
    (".3g2", ".3gp", ".asf", ".avi", ".divx", ".flv", ".insv", ".lrv", ".m2ts", ".m2v", ".m4v", ".mkv")
    + (".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".qt", ".ts", ".vob", ".webm", ".wmv")
)
AUDIO_EXTENSIONS = frozenset(
    (".aac", ".aif", ".aiff", ".amr", ".flac", ".m4a", ".mid", ".mka", ".mp3", ".oga", ".ogg", ".opus")
    + (".wav", ".wma")
)
SIDECAR_EXTENSIONS = frozenset((".aae", ".cos", ".dop", ".nksc", ".pp3", ".thm", ".xmp"))

_SHARED_EXTENSION = ".ts"  # MPEG's transport streams, and TypeScript
_SYNC_BYTES = b"\x47"  # ISO/IEC 13818-1: with which every packet of a transport stream begins
_PACKET_BYTES = 188


class Kind(StrEnum):
    """Why a file is no photo of the archive; as JSON and ``--list-ignored`` have it."""

    VIDEO = "video"
    CLIP = "clip of a photo"
    """The moving half of a Live Photo whose still lies beside it: `archive.ingest.live_photos`."""
    AUDIO = "audio"
    SIDECAR = "sidecar"
    """It tells of a photo beside it, and is read with that."""
    LONE_SIDECAR = "sidecar without a photo"
    HIDDEN = "hidden"
    BIN = "bin"
    """In what network disks and systems keep of deleted files and of earlier days."""
    THUMBNAILS = "thumbnails"
    """Small copies that other programs made."""
    ARCHIVE = "archive"
    """A folder that is an archive of this program, and all that is in it."""
    EXCLUDED = "excluded"
    """By the globs that were given."""
    OTHER = "other"


# Names of folders, case-folded, whole.
_BINS = frozenset(
    ("#recycle", "#snapshot", "$recycle.bin", "@recently-snapshot", "@recycle", "lost+found", "recycler")
    + ("system volume information",)
)
_THUMBNAIL_FOLDERS = frozenset((".thumbnails", "@eadir"))
_THUMBNAIL_FILES = frozenset(("thumbs.db", "ehthumbs.db"))


def extension(name: str) -> str:
    """The ending of a name in small letters, with its dot; empty where it has none."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 (a str, and many of them)


def kind_of_folder(name: str) -> Kind | None:
    """Why a folder of this name is passed over with all that is in it; None where it is not."""
    folded = name.casefold()
    if folded in _THUMBNAIL_FOLDERS:
        return Kind.THUMBNAILS
    if folded in _BINS:
        return Kind.BIN
    return Kind.HIDDEN if name.startswith(".") else None


def kind_of_file(path: str, name: str, endings: Set[str] = PHOTO_EXTENSIONS) -> Kind | None:
    """Why a file is passed over; None for one that is to be tried, by the ``endings`` of those that are."""
    if name.casefold() in _THUMBNAIL_FILES:
        return Kind.THUMBNAILS
    if name.startswith("."):
        return Kind.HIDDEN
    ending = extension(name)
    if ending in VIDEO_EXTENSIONS:
        if is_named_video(Path(path)):
            return None if ending in endings else Kind.VIDEO
    elif ending in endings:
        return None
    if ending in AUDIO_EXTENSIONS:
        return Kind.AUDIO
    return Kind.LONE_SIDECAR if ending in SIDECAR_EXTENSIONS else Kind.OTHER


def is_named_video(path: Path) -> bool:
    """Whether a file has a name as videos have; where programs' sources have it, too, and begins as one."""
    ending = path.suffix.lower()
    return ending in VIDEO_EXTENSIONS and (ending != _SHARED_EXTENSION or _begins_as_video(path))


def _begins_as_video(path: Path) -> bool:
    try:
        with outside.opened(path) as f:
            start = f.read(_PACKET_BYTES + 1)
    except OSError:
        return False
    return len(start) > _PACKET_BYTES and start[:1] == start[-1:] == _SYNC_BYTES
