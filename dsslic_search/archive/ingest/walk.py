"""Which files an ingest tries: those named, and the photos in the folders named."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dsslic_search.core.files import absolute, path_to_text

RAW_EXTENSIONS = frozenset(
    (".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".iiq", ".kdc", ".mrw", ".nef", ".nrw")
    + (".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srw", ".x3f")
)
# Files of these names are tried when they are found in folders; one that is named itself is tried whatever
# its name. Some are of formats that need an extra package: photos all the same, and better refused with a
# reason than passed over in silence.
PHOTO_EXTENSIONS = (
    frozenset(
        (
            ".avif",
            ".bmp",
            ".dib",
            ".gif",
            ".heic",
            ".heif",
            ".hif",
            ".j2k",
            ".jfif",
            ".jp2",
            ".jpe",
            ".jpeg",
            ".jpg",
            ".jxl",
        )
        + (".mpo", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
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


class Failure(NamedTuple):
    """A path (as text) that was skipped, and why."""

    path: str
    reason: str


@dataclass
class Walk:
    """``files``: in order, each once. ``videos``: how many files named like videos, found in folders, are not
    among them. ``failures``: what could not be looked at. ``notes``: folders without photos."""

    files: list[Path] = field(default_factory=list)
    videos: int = 0
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def walk(chosen: Iterable[Path], leave_out: Path, *, videos: bool = False, unread: bool = False) -> Walk:
    """Find the files to ingest, among them videos, and pictures of formats that are not read, where they are
    asked for. Folders are walked in order of
    names; hidden entries and the archive's own folder ``leave_out`` are passed over; links to folders are
    followed, each folder being visited once."""
    result = Walk()
    visited = {_identity(leave_out)}
    passed_over: set[Path] = set()
    tried = PHOTO_EXTENSIONS | UNREAD_EXTENSIONS if unread else PHOTO_EXTENSIONS
    seen: set[Path] = set()
    for path in chosen:
        before = len(result.files), len(result.failures)
        path = absolute(path)
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError) as e:
            result.failures.append(Failure(path_to_text(path), _reason(e)))
            continue
        if stat.S_ISDIR(mode):
            again = _identity(path) in visited
            known = len(passed_over)
            for found in _photos_in(path, visited, result.failures):
                video = is_named_video(found)
                if video and not videos:
                    passed_over.add(found)
                elif not video and found.suffix.lower() not in tried:
                    continue
                elif found not in seen:
                    result.files.append(found)
            none = before == (len(result.files), len(result.failures)) and known == len(passed_over)
            if not again and none:
                result.notes.append(
                    f"{path_to_text(path)}: no photos in this folder (files named .jpg, .png, .webp, .tif …)"
                )
        elif not stat.S_ISREG(mode):
            result.failures.append(Failure(path_to_text(path), "not a regular file"))
        elif path not in seen:
            result.files.append(path)
        seen.update(result.files[before[0] :])
    result.videos = len(passed_over - seen)
    return result


def is_named_video(path: Path) -> bool:
    """Whether a file has a name as videos have; where programs' sources have it, too, and begins as one."""
    ending = path.suffix.lower()
    return ending in VIDEO_EXTENSIONS and (ending != _SHARED_EXTENSION or _begins_as_video(path))


_SHARED_EXTENSION = ".ts"  # MPEG's transport streams, and TypeScript
_SYNC_BYTES = b"\x47"  # ISO/IEC 13818-1: with which every packet of a transport stream begins
_PACKET_BYTES = 188


def _begins_as_video(path: Path) -> bool:
    try:
        with path.open("rb") as f:
            start = f.read(_PACKET_BYTES + 1)
    except OSError:
        return False
    return len(start) > _PACKET_BYTES and start[:1] == start[-1:] == _SYNC_BYTES


_EXTENSIONS = PHOTO_EXTENSIONS | VIDEO_EXTENSIONS | UNREAD_EXTENSIONS


def _photos_in(top: Path, visited: set[tuple[int, int] | None], failures: list[Failure]) -> Iterator[Path]:
    waiting = [str(top)]
    while waiting:
        folder = waiting.pop()
        identity = _identity(folder)
        if identity is None or identity in visited:
            continue
        visited.add(identity)
        inner: list[str] = []
        try:
            with os.scandir(folder) as listed:
                entries = sorted((e for e in listed if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError as e:
            failures.append(Failure(path_to_text(folder), _reason(e)))
            continue
        for entry in entries:
            if _is(entry.is_dir):
                inner.append(entry.path)
            elif os.path.splitext(entry.name)[1].lower() in _EXTENSIONS:  # noqa: PTH122 (a str, and many of them)
                if _is(entry.is_file):
                    yield Path(entry.path)
                elif entry.is_symlink():
                    failures.append(Failure(path_to_text(entry.path), "a link that leads nowhere"))
        waiting.extend(reversed(inner))


def _is(question: object) -> bool:
    """The answer of a directory entry; False where it cannot be had, such as for a loop of links."""
    assert callable(question)
    try:
        return bool(question())
    except OSError:
        return False


def _identity(path: Path | str) -> tuple[int, int] | None:
    """Device and inode of a folder, None when there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 (a str, and many of them)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or directory"
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or error})"
    return "not a path that can exist"
