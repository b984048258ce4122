"""Which files an ingest tries: those named, and the photos in the folders named; and what it passes over."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dsslic_search.archive import outside
from dsslic_search.archive.ingest.file_names import Kind, extension, kind_of_file, kind_of_folder
from dsslic_search.archive.ingest.live_photos import clips_of
from dsslic_search.archive.ingest.passed_over import PassedOver
from dsslic_search.archive.ingest.sidecars import Folder
from dsslic_search.archive.ingest.wanted import ALL, Wanted
from dsslic_search.archive.outside import Entry, Status
from dsslic_search.core.files import absolute, in_bucket, path_to_text
from dsslic_search.core.output import ARCHIVE_MANIFEST, is_archive

_SIDECAR_ENDINGS = (".xmp", ".json")  # those that are read


class Failure(NamedTuple):
    """A path (as text) that was skipped, and why."""

    path: str
    reason: str


class Found(NamedTuple):
    """A file to try. ``size``: bytes; ``modified_ns``: when it was changed last, nanoseconds since 1970;
    ``file``: device and inode, alike for all names of one file."""

    path: Path
    size: int
    modified_ns: int
    file: tuple[int, int]


@dataclass(frozen=True)
class Scope:
    """A folder to walk: with all below it, or its files alone. ``within``: the folder that was named, if it
    lies in that; what would not be met on the way from there is passed over. Such a folder need not be there
    any more."""

    folder: Path
    recursive: bool = True
    within: Path | None = None


@dataclass
class Walk:
    """``files``: in order, each once. ``failures``: what could not be looked at. ``notes``: folders without
    photos."""

    files: list[Found] = field(default_factory=list)
    passed_over: PassedOver = field(default_factory=PassedOver)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def videos(self) -> int:
        """How many videos are passed over."""
        return self.passed_over.count(Kind.VIDEO)


def walk(chosen: Iterable[Path | Scope], leave_out: Path | None = None, wanted: Wanted = ALL) -> Walk:
    """Find the files to ingest. Folders are walked in order of names, links to folders after all that really
    lie in those named, so that a photo is met where it really is; each is visited once. Archives, the folder
    ``leave_out`` that becomes one, hidden entries, and the bins and thumbnails of other programs are passed
    over."""
    walker = _Walker(leave_out, wanted)
    for each in chosen:
        walker.take(Scope(absolute(each)) if isinstance(each, Path) else each)
    walker.follow_links()
    walker.result.passed_over.leave_out({path_to_text(path) for path in walker.named})
    return walker.result


@dataclass
class _Folder:
    """A folder that was named. ``links``: those to folders that were met in it and are not walked yet.
    ``tells``: whether anything in it is tried or told of."""

    scope: Scope
    links: list[str] = field(default_factory=list)
    tells: bool = False


class _Walker:
    def __init__(self, leave_out: Path | None, wanted: Wanted) -> None:
        self.result = Walk()
        self.named: set[Path] = set()
        self._wanted = wanted
        self._archive = None if leave_out is None else _identity(leave_out)
        self._visited: set[tuple[int, int]] = set()
        self._seen: set[Path] = set()
        self._folders: list[_Folder] = []

    def take(self, scope: Scope) -> None:
        """A file or folder that was named; a part of one that was may be gone by now, or be a file."""
        path, text = scope.folder, path_to_text(scope.folder)
        is_part = scope.within is not None and scope.within != path
        try:
            status = outside.stat(path)
        except (OSError, ValueError) as e:
            if not (is_part and isinstance(e, (FileNotFoundError, NotADirectoryError))):
                self.result.failures.append(Failure(text, reason_of(e)))
            return
        if stat.S_ISDIR(status.st_mode):
            if not self._is_passed_over(scope):
                self._take_folder(scope)
        elif is_part:
            return
        elif not stat.S_ISREG(status.st_mode):
            self.result.failures.append(Failure(text, "not a regular file"))
        else:
            self.named.add(path)
            self._take_file(path, status)

    def _take_folder(self, scope: Scope) -> None:
        if _identity(scope.folder) not in self._visited:
            self._folders.append(folder := _Folder(scope))
            self._walk(folder, str(scope.folder))

    def follow_links(self) -> None:
        """Walk what is left: the folders that links lead to."""
        for folder in self._folders:
            while folder.links:
                self._walk(folder, folder.links.pop(0))
            if folder.scope.within is None and not folder.tells:
                text = path_to_text(folder.scope.folder)
                self.result.notes.append(
                    f"{text}: no photos in this folder (files named .jpg, .png, .webp, .tif …)"
                )

    def _take_file(self, path: Path, status: Status) -> None:
        if path not in self._seen:
            self._seen.add(path)
            file = status.st_dev, status.st_ino
            self.result.files.append(Found(path, status.st_size, status.st_mtime_ns, file))

    def _is_passed_over(self, scope: Scope) -> bool:
        """Whether a folder lies where the walk from the one named would not come."""
        if scope.within is None or scope.folder == scope.within:
            return False
        below = scope.folder.relative_to(scope.within).parts
        return any(
            self._kind_of_folder(str(scope.within.joinpath(*below[:n])), "/".join(below[:n])) is not None
            for n in range(1, len(below) + 1)
        )

    def _kind_of_folder(self, path: str, below: str) -> Kind | None:
        if self._wanted.excludes(path, below):
            return Kind.EXCLUDED
        kind = kind_of_folder(name := below.rpartition("/")[2])
        return None if kind is not None and self._wanted.names(name) else kind

    def _kind_of_file(self, path: str, below: str) -> Kind | None:
        name = below.rpartition("/")[2]
        kind = kind_of_file(path, name, self._wanted.endings)
        if self._wanted.excludes(path, below):
            return Kind.EXCLUDED
        if not self._wanted.include:
            return kind
        hidden = kind in (Kind.HIDDEN, Kind.THUMBNAILS) and not self._wanted.names(name)
        if not hidden and self._wanted.includes(path, below):
            return None
        return kind or Kind.EXCLUDED

    def _walk(self, named: _Folder, start: str) -> None:
        """All in a folder but what links lead to."""
        result, scope = self.result, named.scope
        before = len(result.files), len(result.failures), result.videos
        top = str(scope.within or scope.folder)
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            identity = _identity(folder)
            if identity is None or identity in self._visited:
                continue
            self._visited.add(identity)
            try:
                entries = outside.listed(folder)
            except OSError as e:
                self.result.failures.append(Failure(path_to_text(folder), reason_of(e)))
                continue
            if identity == self._archive or (_has(entries, ARCHIVE_MANIFEST) and _is_archive(folder)):
                self.result.passed_over.add(Kind.ARCHIVE, path_to_text(folder))
                continue
            inner, links = self._take_entries(entries, top)
            if scope.recursive:
                waiting.extend(reversed(inner))
                named.links.extend(links)
        named.tells |= before != (len(result.files), len(result.failures), result.videos)

    def _take_entries(self, entries: Sequence[Entry], top: str) -> tuple[list[str], list[str]]:
        """The files of a folder; returns the folders in it that are to be walked, and the links to such."""
        inner: list[str] = []
        links: list[str] = []
        tried: list[str] = []
        told: list[tuple[str, Kind]] = []
        clips = self._clips_of_photos(entries)
        for entry in entries:
            below = entry.path[len(top) :].lstrip("/")
            if _is(entry.is_dir):
                kind = self._kind_of_folder(entry.path, below)
                if kind is None:
                    (links if _is(entry.is_symlink) else inner).append(entry.path)
                elif not _is(entry.is_symlink):
                    self._count_in(entry.path, kind, entry.name)
                continue
            kind = self._kind_of_file(entry.path, below)
            if entry.name in clips and kind is not Kind.EXCLUDED:
                kind = Kind.CLIP
            if kind is None:
                kind = self._try(entry)
            if kind is None:
                tried.append(entry.name)
            else:
                told.append((entry.name, kind))
        used = _sidecars_of(tried, [name for name, kind in told if kind in (Kind.LONE_SIDECAR, Kind.OTHER)])
        folder = os.path.dirname(entries[0].path) if entries else ""  # noqa: PTH120 (a str, and many of them)
        for name, kind in told:
            within = name if kind is Kind.THUMBNAILS else ""
            path = path_to_text(os.path.join(folder, name))  # noqa: PTH118 (a str, too)
            self.result.passed_over.add(Kind.SIDECAR if name in used else kind, path, within)
        return inner, links

    def _clips_of_photos(self, entries: Sequence[Entry]) -> set[str]:
        """The names in a folder of clips that belong to photos and are passed over for that."""
        if self._wanted.clips or not entries:
            return set()
        names = [entry.name for entry in entries]
        folder = os.path.dirname(entries[0].path)  # noqa: PTH120 (a str, and many of them)
        asked = self._wanted.asks_for_ending
        return clips_of(names, [name for name in names if not asked(extension(name))], folder)

    def _try(self, entry: Entry) -> Kind | None:
        """None for a file that is tried, or could not be looked at, which is told."""
        try:
            status = entry.stat()
        except OSError:
            if _is(entry.is_symlink):
                self.result.failures.append(Failure(path_to_text(entry.path), "a link that leads nowhere"))
            return None
        if not stat.S_ISREG(status.st_mode):
            return Kind.OTHER
        self._take_file(Path(entry.path), status)
        return None

    def _count_in(self, folder: str, kind: Kind, name: str) -> None:
        """All files in a folder that is passed over, by their names alone."""
        for path in outside.files_below(folder):
            self.result.passed_over.add(kind, path_to_text(path), name)


def _sidecars_of(photos: Sequence[str], others: Sequence[str]) -> set[str]:
    """Of the other files' names in a folder those that tell of its photos."""
    sidecars = [name for name in others if name.lower().endswith(_SIDECAR_ENDINGS)]
    if not sidecars:
        return set()
    folder = Folder(sidecars)
    found = {name for photo in photos for name in (*folder.packets(photo), folder.export(photo))}
    return {name for name in found if name is not None}


def _is_archive(folder: str) -> bool:
    """Archives are on disks; of some the object files are in a bucket, which pass for no photos."""
    return not in_bucket(folder) and is_archive(Path(folder))


def _has(entries: Sequence[Entry], name: str) -> bool:
    return any(entry.name == name for entry in entries)


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
        return outside.identity(path)
    except OSError:
        return None


def reason_of(error: OSError | ValueError) -> str:
    """What is wrong with a path."""
    if isinstance(error, FileNotFoundError):
        return "no such file or directory"
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or error})"
    return "not a path that can exist"
