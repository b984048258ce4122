"""The lock of the one process that writes to an archive, and which one that is."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from dsslic_search.core.errors import ArchiveError, BusyError, Remedy
from dsslic_search.core.files import write_atomically
from dsslic_search.core.plain_json import parsed

WRITER = "writer.json"
"""Tells who holds the lock: pid, host, command, since (UTC). It is no lock itself, and may be out of date."""


@contextmanager
def locked(
    root: Path,
    wait: float = 0,
    waiting: Callable[[str], None] = lambda _sentence: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[None]:
    """Hold the archive's lock. Waits at most ``wait`` seconds for another process (or another holder in this
    one) to end, which ``waiting`` is told, then raises BusyError, which says who it is and since when. The
    lock ends with the process, however that ends."""
    from filelock import FileLock, Timeout

    lock = FileLock(root / "lock")
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not wait:
                raise
            unit = "second" if wait == 1 else "seconds"
            waiting(f"{_holder(root, now())}; waiting for it, {wait:g} {unit} at most")
            lock.acquire(timeout=wait)
    except Timeout as e:
        advice = f"wait for it with {Remedy.WAIT}, or use another archive with {Remedy.OTHER_ARCHIVE}"
        raise BusyError(_holder(root, now()), advice) from e
    # filelock raises the latter where the file system cannot lock
    except (OSError, NotImplementedError) as e:
        raise ArchiveError(
            f"{root}: cannot be locked for writing ({e}); check that you may write there"
        ) from e
    try:
        with suppress(OSError):
            write_atomically(root / WRITER, json.dumps(_this_process(now())).encode())
        yield
    finally:
        with suppress(OSError):
            (root / WRITER).unlink()
        lock.release()


def _this_process(since: datetime) -> dict[str, str | int]:
    program = Path(sys.argv[0]).name
    command = sys.argv[1] if program == "dss-search" and len(sys.argv) > 1 else program
    return {"pid": os.getpid(), "host": platform.node(), "command": command, "since": since.isoformat()}


def _holder(root: Path, now: datetime) -> str:
    """Who holds the lock, as the start of a sentence."""
    try:
        told = parsed((root / WRITER).read_bytes())
        since = datetime.fromisoformat(told["since"]).astimezone()
        who = f"process {int(told['pid'])} ({told['command']})"
        host = str(told["host"])
    except (OSError, ValueError, KeyError, TypeError):  # not yet written, or torn
        return f"another dss-search is writing to {root}"
    if host != platform.node():
        who += f" on {host}"
    today = since.date() == now.astimezone().date()
    return f"{root}: {who} is writing to it since {since:%H:%M}" + ("" if today else f" of {since:%Y-%m-%d}")
