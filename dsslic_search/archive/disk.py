"""Files of an archive written whole, and trouble with the disk in words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dsslic_search.core import files
from dsslic_search.core.errors import ArchiveError, Remedy


def write_whole(path: Path, data: bytes) -> None:
    """`files.write_atomically` with ArchiveError for trouble with the disk."""
    with disk_trouble(path, "written"):
        files.write_atomically(path, data)


@contextmanager
def disk_trouble(path: Path | str, done: str) -> Iterator[None]:
    """Turn OSError into ArchiveError that names the file, what could not be done with it, and what to do."""
    try:
        yield
    except OSError as e:
        if isinstance(e, FileNotFoundError):
            advice = f"see what else is missing with: {Remedy.CHECK}"
        elif e.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "free some space and run it again"
        else:
            advice = "check the disk and its permissions"
        raise ArchiveError(f"{path}: cannot be {done} ({e.strerror or e}); {advice}") from e
