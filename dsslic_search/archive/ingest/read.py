"""Reading an original photo file, once."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dsslic_search.archive import paths
from dsslic_search.core.errors import PhotoError

MAX_BYTES = (1 << 31) - 1  # a larger file is no photo, and would not fit in memory beside others


@dataclass(frozen=True)
class Original:
    """A file's bytes, their SHA-256 in hex, and when it was changed last (UTC, without a time zone)."""

    path: Path
    data: bytes
    content_hash: str
    modified_at: datetime

    @property
    def name(self) -> str:
        """The path as text that can be stored and printed."""
        return paths.to_text(self.path)


def read_original(path: Path) -> Original:
    """Read a file whole. Raises PhotoError with the reason alone (not the name) when it is empty, too large
    or unreadable."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as f:
            status = os.fstat(f.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise PhotoError("not a regular file")
            if status.st_size > MAX_BYTES:
                raise PhotoError(
                    f"{status.st_size} bytes are more than the largest file that is read ({MAX_BYTES})"
                )
            data = f.read(MAX_BYTES)
    except FileNotFoundError as e:
        raise PhotoError("disappeared before it was read") from e
    except OSError as e:
        raise PhotoError(f"cannot be read ({e.strerror or e})") from e
    if not data:
        raise PhotoError("empty file (0 bytes)")
    return Original(path, data, hashlib.sha256(data).hexdigest(), _utc(status.st_mtime))


def _open_without_waiting(name: str, flags: int) -> int:
    """A file that was replaced by a pipe since the walk must not stop the ingest."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _utc(timestamp: float) -> datetime:
    try:
        return datetime.fromtimestamp(timestamp, UTC).replace(tzinfo=None)
    except (OverflowError, ValueError, OSError):  # file systems can hold times that calendars cannot
        return datetime(1970, 1, 1)
