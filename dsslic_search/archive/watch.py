"""Make an archive follow its folders as their files change: a sync of all, then of what was touched and has
settled, and of all again from time to time, since network disks do not tell of every change."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol

from dsslic_search.archive.ingest.walk import Scope
from dsslic_search.archive.settling import Settling, joined
from dsslic_search.core.errors import ArchiveError, BusyError, DSSError, MissingExtraError, Remedy, UsageError
from dsslic_search.core.files import in_bucket, path_to_text

if TYPE_CHECKING:
    from collections.abc import Generator

    from dsslic_search.archive.ingest.report import IngestReport

EXTRA = 'pip install "dsslic-search[watch]"'
LOCK_SECONDS = 5.0
"""How long one try waits for another process that writes to the archive; between tries events are taken."""

TICK_MILLISECONDS = 1000
"""How often it is asked what has settled, at the least."""

POLL_MILLISECONDS = 5000
"""How often all folders are read where the system does not tell of changes."""


_UNTOLD = "Unable to decode path"
"""How watchfiles begins to say that something happened to a file whose name is not UTF-8."""


class Follow(Protocol):
    """A sync of folders. ``unsettled``: paths, as the system has them, that it shall leave out; ``wait``:
    seconds to wait for another process that writes. Raises what `archive.ingest.sync.sync` does."""

    def __call__(
        self, folders: Sequence[Path | Scope], unsettled: frozenset[str], wait: float
    ) -> IngestReport: ...


Changes = Callable[[Sequence[Path]], "Generator[list[str]]"]
"""Watches folders that are there: yields the paths that were touched since it began, or since the last time,
at least once in `TICK_MILLISECONDS`, if need be none. It ends when the watch shall stop, and where it cannot
tell what happened."""


@dataclass
class Watch:
    """``folders``: absolute paths. ``every``: seconds from one sync of all to the next. ``told`` gets every
    report, ``trouble`` a sentence about what did not go well and is tried again."""

    follow: Follow
    folders: Sequence[Path]
    settling: Settling
    changes: Changes
    stop: Event
    told: Callable[[IngestReport], None]
    trouble: Callable[[str], None]
    every: float = 3600.0
    seconds: Callable[[], float] = time.monotonic
    _put_off: list[Path | Scope] = field(default_factory=list)
    _busy: bool = False

    def run(self) -> None:
        """Follow the folders until `stop` is set. KeyboardInterrupt comes through, once what is in flight is
        stored. Raises what the first sync of all does, and what opening the folders to watch does."""
        self._round(first=True)
        while not self.stop.is_set():
            self._round(first=False)

    def _round(self, first: bool) -> None:
        """A sync of all, and what happens until it is time for the next, or a folder that is watched is
        another than it was: mounted, say."""
        began, there = self.seconds(), self._identities()
        self._put_off = list(self.folders)
        begun = False
        with closing(self.changes([each for each in self.folders if there[each] is not None])) as changes:
            for paths in changes:
                for path in paths:
                    self.settling.touched(path)
                due = self.settling.due(self.seconds())
                if not begun or self._busy:
                    begun = True
                    self._sync(due, first)
                elif self.seconds() - began >= self.every or self._identities() != there:
                    self._put_off += due
                    return
                elif due:
                    self._sync(due)

    def _sync(self, due: Sequence[Scope], first: bool = False) -> None:
        """One sync of what is due and what was put off; where that fails, it is put off."""
        wanted = _joined([*self._put_off, *due])
        self._put_off = wanted
        try:
            report = self.follow(wanted, self.settling.unsettled, LOCK_SECONDS if self._busy else 0)
        except BusyError as e:
            if not self._busy:
                self.trouble(f"{e.holder}; waiting for it")
            self._busy = True
            return
        except (DSSError, OSError) as e:
            if first:
                raise
            self._busy = False
            self.trouble(f"{e}; it is tried again with the next change")
            return
        self._put_off, self._busy = [], False
        self.told(report)
        if report.interrupted:
            raise KeyboardInterrupt

    def _identities(self) -> dict[Path, tuple[int, int] | None]:
        """Device and inode of each folder."""
        found: dict[Path, tuple[int, int] | None] = {}
        for folder in self.folders:
            try:
                status = folder.stat()
            except OSError:
                found[folder] = None
            else:
                found[folder] = status.st_dev, status.st_ino
        return found


def _joined(wanted: Sequence[Path | Scope]) -> list[Path | Scope]:
    """Whole folders first; with them nothing that lies in them."""
    whole = [each for each in wanted if isinstance(each, Path)]
    return [*whole, *joined(each for each in wanted if isinstance(each, Scope) and each.within not in whole)]


def changes_of_files(stop: Event, poll: bool, tick_milliseconds: int = TICK_MILLISECONDS) -> Changes:
    """What the system tells of files, through watchfiles; with ``poll`` by reading the folders again and
    again. MissingExtraError without that package."""
    try:
        import watchfiles
    except ImportError as e:
        raise MissingExtraError(f"watching folders needs an extra package: {EXTRA}") from e

    def changes(folders: Sequence[Path]) -> Generator[list[str]]:
        if not folders:
            yield from _nothing(stop, tick_milliseconds / 1000)
            return
        watching = watchfiles.watch(
            *folders,
            watch_filter=None,
            rust_timeout=tick_milliseconds,
            yield_on_timeout=True,
            stop_event=stop,
            force_polling=poll or None,
            poll_delay_ms=POLL_MILLISECONDS,
            ignore_permission_denied=True,
        )
        begun = False
        try:
            for batch in watching:
                begun = True
                yield [path for _, path in batch]
        except (OSError, RuntimeError) as e:
            if not begun:
                if _UNTOLD not in str(e):
                    raise _not_watched(e) from e
                yield []
            # a name that is not UTF-8, say: the next sync of all finds what it was
        finally:
            watching.close()

    return changes


def _nothing(stop: Event, tick: float) -> Iterator[list[str]]:
    yield []
    while not stop.wait(tick):
        yield []


def _not_watched(error: OSError | RuntimeError) -> DSSError:
    words = str(error)
    if "limit" in words or "No space left" in words or "Too many open" in words:
        return ArchiveError(
            "too many folders to watch; raise the system's fs.inotify.max_user_watches and "
            f"max_user_instances, or use {Remedy.POLL}"
        )
    return ArchiveError(f"the folders cannot be watched ({words}); try {Remedy.POLL}")


def require_folders(folders: Sequence[Path]) -> None:
    """UsageError for what is there and is no folder, and where no folder is there, or none was named."""
    if not folders:
        raise UsageError("no folder was ingested so far; name those that the archive shall follow")
    for folder in folders:
        if in_bucket(folder):
            raise UsageError(
                f"{path_to_text(folder)}: a bucket tells of no changes; name folders on disks, and have the "
                "archive follow the bucket from time to time"
            )
        if folder.exists() and not folder.is_dir():
            raise UsageError(
                f"{path_to_text(folder)}: only folders are watched; name the folder that it is in"
            )
    if not any(os.path.isdir(folder) for folder in folders):  # noqa: PTH112 (raises for no path)
        raise UsageError(f"{path_to_text(folders[0])}: no such folder; attach its disk, or name another")
