"""The lock of the one process that writes to an archive, which one that is, and whose turn is next.

Who asks first has to get through ``lock.next``, which he holds while he waits for the lock itself. So one who
lets the lock go and asks again at once stands behind the one who waits.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.core.errors import ArchiveError, BusyError, Remedy
from dsslic_search.core.files import write_atomically
from dsslic_search.core.plain_json import parsed

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK, NEXT = "lock", "lock.next"
WRITER = "writer.json"
"""Tells who holds the lock: pid, host, command, since (UTC). It is no lock itself, and may be out of date."""


def untold(_sentence: str) -> None:
    """Nobody is told who is waited for."""


@contextmanager
def locked(
    root: Path,
    wait: float = 0,
    waiting: Callable[[str], None] = untold,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[None]:
    """Hold the archive's lock, in turn with others who wait for it. Waits at most ``wait`` seconds for
    another process (or another holder in this one) to end, which ``waiting`` is told, then raises BusyError,
    which says who it is and since when. The lock ends with the process, however that ends."""
    from filelock import FileLock, Timeout

    def wait_for_it() -> None:
        unit = "second" if wait == 1 else "seconds"
        waiting(f"{_holder(root, now())}; waiting for it, {wait:g} {unit} at most")

    lock = FileLock(root / LOCK)
    try:
        _acquire(FileLock(root / NEXT), lock, wait, wait_for_it)
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


def may_be_held(root: Path) -> bool:
    """Whether somebody seems to hold the archive's lock, without asking for it; of another machine's process
    its word is taken."""
    try:
        told = parsed((root / WRITER).read_bytes())
        pid, host = int(told["pid"]), str(told["host"])
    except OSError:
        return False
    except (ValueError, KeyError, TypeError):  # torn
        return True
    if host == platform.node() and os.name == "posix":
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            pass
    return True


def _acquire(turn: BaseFileLock, lock: BaseFileLock, wait: float, waiting: Callable[[], None]) -> None:
    """Get ``lock`` while holding ``turn``, in ``wait`` seconds in all; ``waiting`` is called where it has to
    be waited for, once. Timeout of filelock where that is not enough."""
    from filelock import Timeout

    told_at: float | None = None
    for each in turn, lock:
        try:
            left = 0.0 if told_at is None else max(0.0, told_at + wait - time.monotonic())
            try:
                each.acquire(timeout=left)
            except Timeout:
                if not wait or told_at is not None:
                    raise
                told_at = time.monotonic()
                waiting()
                each.acquire(timeout=wait)
        except BaseException:
            if each is lock:
                turn.release()
            raise
    turn.release()


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
