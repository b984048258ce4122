"""Clips that belong to photos: the moving half of Apple's Live Photos, and of other phones' where a program
wrote it into a file of its own.

A clip lies in the photo's folder and is called as the photo is (`IMG_1.HEIC` has `IMG_1.MOV`, iCloud's
downloader writes `IMG_1_HEVC.MOV`, Google's export of `PXL_1.MP.jpg` has `PXL_1.MP`). That alone would make a
film one whose poster lies beside it, so the clip itself must say that it is one, by Apple's content
identifier, or be no longer than such clips are.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from dsslic_search.archive import outside
from dsslic_search.archive.ingest.file_names import PHOTO_EXTENSIONS, extension

CLIP_EXTENSIONS = frozenset((".m4v", ".mov", ".mp", ".mp4", ".mv"))
"""In small letters; ".mp" and ".mv" are what Google's export writes."""
MAX_CLIP_SECONDS = 3.5  # of a clip that does not say that it is one; phones record up to 3 seconds
MAX_HEAD_BYTES = 4 << 20  # of a file's "moov" that is read; that of a clip of 3 seconds has some 10 kB

_ICLOUD_SUFFIXES = ("_hevc", "_heic")  # behind the photo's name
_IDENTIFIER_KEY = b"com.apple.quicktime.content.identifier"  # QuickTime File Format, "Metadata Keys"
_FIRST_BOXES = (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip")
_MAX_TOP_BOXES = 64


def clips_of(photos: Iterable[str], others: Iterable[str], folder: str) -> set[str]:
    """Of the names of other files in a folder those of clips that belong to one of its photos."""
    candidates = [name for name in others if extension(name) in CLIP_EXTENSIONS]
    if not candidates:
        return set()
    stems = {
        stem
        for name in photos
        if not name.startswith(".") and extension(name) in PHOTO_EXTENSIONS
        for stem in (_folded(name), _stem(_folded(name)))
    }
    return {
        name
        for name in candidates
        if not stems.isdisjoint(_photo_stems(_folded(name))) and is_live_clip(Path(folder, name))
    }


def clips_beside(photo: Path) -> list[Path]:
    """The clips that belong to a photo's file, by name; none where it is not there, or its folder cannot be
    read. Of the files in the folder those alone are opened that are called as the photo is."""
    try:
        names = outside.names(photo.parent)
    except (OSError, ValueError):
        return []
    if photo.name not in names:
        return []
    return [photo.parent / name for name in sorted(clips_of([photo.name], names, str(photo.parent)))]


def is_live_clip(path: Path) -> bool:
    """Whether a QuickTime or MP4 file is the clip of a Live Photo by what it says, or as short as one; False
    for what cannot be read."""
    try:
        if not outside.is_file(path):
            return False
        head = _movie_head(path)
    except (OSError, ValueError):
        return False
    if head is None:
        return False
    from dsslic_search.codec.picture.formats.boxes import find

    for path_of_metadata in ((b"meta",), (b"udta", b"meta")):  # Apple's, and where FFmpeg writes them
        metadata = find(head, path_of_metadata)
        if metadata is not None and _IDENTIFIER_KEY in head[metadata.start : metadata.end]:
            return True
    header = find(head, (b"mvhd",))
    seconds = None if header is None else _seconds(head[header.start : header.end])
    return seconds is not None and 0 < seconds <= MAX_CLIP_SECONDS


def _movie_head(path: Path) -> bytes | None:
    """What is in the "moov" of a file; None where it has none, or a larger one than clips have."""
    with outside.opened(path) as f:
        at = 0
        for _ in range(_MAX_TOP_BOXES):
            f.seek(at)
            start = f.read(16)
            if len(start) < 8:
                return None
            size, kind, head = int.from_bytes(start[:4], "big"), start[4:8], 8
            if at == 0 and kind not in _FIRST_BOXES:
                return None
            if size == 1:
                size, head = int.from_bytes(start[8:16], "big"), 16
            if kind == b"moov":
                if size > MAX_HEAD_BYTES:
                    return None
                f.seek(at + head)
                return f.read(size - head if size else MAX_HEAD_BYTES)
            if size < head:
                return None
            at += size
    return None


def _seconds(header: bytes) -> float | None:
    """How long a movie lasts by its "mvhd" (ISO/IEC 14496-12, 8.2.2); None where that is not told."""
    at, size = (20, 8) if header[:1] == b"\1" else (12, 4)
    scale = int.from_bytes(header[at : at + 4], "big")
    units = int.from_bytes(header[at + 4 : at + 4 + size], "big")
    if len(header) < at + 4 + size or scale == 0 or units == (1 << 8 * size) - 1:
        return None
    return units / scale


def _photo_stems(clip: str) -> set[str]:
    """What the photo of a clip may be called, without its ending, by the clip's name, folded."""
    stem = _stem(clip)
    return {stem, clip, *(stem.removesuffix(suffix) for suffix in _ICLOUD_SUFFIXES)}


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]  # noqa: PTH122 (a name)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
