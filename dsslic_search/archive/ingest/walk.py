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


class Failure(NamedTuple):
    """A path (as text) that was skipped, and why."""

    path: str
    reason: str


@dataclass
class Walk:
    """``files``: in order, each once. ``failures``: what could not be looked at. ``notes``: folders without
    photos."""

    files: list[Path] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def walk(chosen: Iterable[Path], leave_out: Path) -> Walk:
    """Find the files to ingest. Folders are walked in order of names; hidden entries and the archive's own
    folder ``leave_out`` are passed over; links to folders are followed, each folder being visited once."""
    result = Walk()
    visited = {_identity(leave_out)}
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
            result.files.extend(p for p in _photos_in(path, visited, result.failures) if p not in seen)
            if not again and before == (len(result.files), len(result.failures)):
                result.notes.append(
                    f"{path_to_text(path)}: no photos in this folder (files named .jpg, .png, .webp, .tif …)"
                )
        elif not stat.S_ISREG(mode):
            result.failures.append(Failure(path_to_text(path), "not a regular file"))
        elif path not in seen:
            result.files.append(path)
        seen.update(result.files[before[0] :])
    return result


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
            elif os.path.splitext(entry.name)[1].lower() in PHOTO_EXTENSIONS:  # noqa: PTH122 (a str, and many of them)
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
