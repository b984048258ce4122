"""Which files that were touched have settled, so that a sync may take them: not while they are written."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from dsslic_search.archive.ingest.walk import Scope

QUIET_SECONDS = 2.0
"""How long a file must have been as it is."""

MAX_ABSENT_PATHS_OF_A_FOLDER = 100
"""Of so many paths that are not there any more the folder is walked instead, with all below it."""


class Seen(NamedTuple):
    """A file or folder as it was at one moment. ``modified_ns``: nanoseconds since 1970."""

    is_folder: bool
    size: int
    modified_ns: int


Looks = Callable[[str], Seen | None]


class _Touched(NamedTuple):
    """What was seen at a path, and since when; ``since`` None until it was looked at."""

    since: float | None = None
    seen: Seen | None = None


def look_at(path: str) -> Seen | None:
    """What lies there now; None for nothing, and for what cannot be looked at."""
    try:
        found = os.stat(path)  # noqa: PTH116 (a str, and many of them)
    except (OSError, ValueError):
        return None
    return Seen(stat.S_ISDIR(found.st_mode), found.st_size, found.st_mtime_ns)


class Settling:
    """Paths that were touched in the folders ``roots``; those at or in ``leave_out`` are ignored. Times are
    seconds of any clock that does not go back.

    A path is due when two looks at it, at least ``quiet`` seconds apart, saw the same, and in between nobody
    touched it and no look saw anything else.
    """

    def __init__(self, roots: Sequence[Path], leave_out: Path, quiet: float = QUIET_SECONDS) -> None:
        self._roots = sorted(roots, key=lambda root: len(root.parts), reverse=True)
        self._leave_out, self._quiet = os.path.realpath(leave_out), quiet
        self._touched: dict[str, _Touched] = {}

    @property
    def unsettled(self) -> frozenset[str]:
        """The files, and what was not looked at yet, that no sync shall take now."""
        return frozenset(
            path
            for path, touched in self._touched.items()
            if touched.since is None or (touched.seen is not None and not touched.seen.is_folder)
        )

    def touched(self, path: str) -> None:
        """Something happened to a file or folder."""
        really = Path(os.path.realpath(path))  # else a sync would be touched by what it writes, by a link
        if self._root_of(path) is not None and not really.is_relative_to(self._leave_out):
            self._touched[path] = _Touched()

    def due(self, now: float, look: Looks = look_at) -> list[Scope]:
        """Look at everything that was touched; what has settled is no longer waited for, and the folders to
        walk for it are returned."""
        settled: dict[str, Seen | None] = {}
        for path, touched in list(self._touched.items()):
            seen = look(path)
            if touched.since is None or seen != touched.seen:
                self._touched[path] = _Touched(now, seen)
            elif now - touched.since >= self._quiet:
                settled[path] = seen
                del self._touched[path]
        return joined(self._scopes(settled))

    def _scopes(self, settled: dict[str, Seen | None]) -> Iterable[Scope]:
        """A file's folder, a folder with all below it; so too of what is not there any more, as it may have
        been a folder."""
        absent = Counter(str(Path(path).parent) for path, seen in settled.items() if seen is None)
        for text, seen in settled.items():
            path, root = Path(text), self._root_of(text)
            if path == root:
                yield Scope(path, within=root)
            elif seen is None:
                many = absent[str(path.parent)] > MAX_ABSENT_PATHS_OF_A_FOLDER
                yield Scope(path.parent if many else path, within=root)
            elif seen.is_folder:
                yield Scope(path, within=root)
            else:
                yield Scope(path.parent, recursive=False, within=root)

    def _root_of(self, path: str) -> Path | None:
        """The innermost folder that is watched and holds the path."""
        return next((root for root in self._roots if Path(path).is_relative_to(root)), None)


def joined(scopes: Iterable[Scope]) -> list[Scope]:
    """The same folders, none that another holds, those first that are walked with all below them."""
    chosen = dict.fromkeys(scopes)
    deep = {(scope.folder, scope.within) for scope in chosen if scope.recursive}

    def is_held(scope: Scope) -> bool:
        above = scope.folder.parents if scope.recursive else (scope.folder, *scope.folder.parents)
        return any((folder, scope.within) in deep for folder in above)

    return sorted((scope for scope in chosen if not is_held(scope)), key=lambda scope: not scope.recursive)
