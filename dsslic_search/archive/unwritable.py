"""Reading an SQLite catalog on a disk that is full, read-only or failing.

Even a reader has SQLite make files beside a catalog that keeps a write-ahead log. Where that cannot be, the
file alone is the whole catalog if no log waits to be applied to it, and is read as one that nobody changes.
Where one waits (a full disk stopped whoever wrote), file and log together are read into memory once; on a
read-only disk from copies in the system's folder for temporary files, as SQLite reads a log with the right to
write alone.
"""

from __future__ import annotations

import errno
import filecmp
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from dsslic_search.core.files import TEMPORARY

LOG = "-wal"
PROBED_BYTES = 1 << 16  # twice what SQLite needs for the shared memory of a new log
_CODES = frozenset(
    (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)
)
_FORMATS = slice(18, 20)  # of a database's header: by which of its journals it is written and read
_ROLLBACK_JOURNAL = b"\1\1"
_NOT_THE_DISK = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)

Connect = Callable[[], sqlite3.Connection]


def reading(path: Path, trouble: BaseException | None) -> Connect | None:
    """How to connect to a catalog for reading alone, after ``trouble`` of opening it; None where that is not
    because nothing can be written there, or where nothing helps."""
    if getattr(trouble, "sqlite_errorcode", -1) & 0xFF not in _CODES or _can_be_written(path):
        return None
    if not _waiting(path):
        name = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        return lambda: sqlite3.connect(name, uri=True, check_same_thread=False)
    for read in _with_log, _with_log_elsewhere:
        with suppress(sqlite3.Error, OSError):
            whole = read(path)
            return lambda: _in_memory(whole)
    return None


def _can_be_written(path: Path) -> bool:
    """Whether a file beside it, and the file itself, can be; tried, as neither permissions nor free space
    tell it for sure."""
    probe = path.with_name(f".{secrets.token_hex(8)}{TEMPORARY}")
    try:
        with path.open("r+b"):
            pass
        with probe.open("xb", buffering=0) as file:
            written = file.write(bytes(PROBED_BYTES))
            os.fsync(file.fileno())
        return written == PROBED_BYTES
    except OSError as e:
        return e.errno in _NOT_THE_DISK
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def _waiting(path: Path) -> bool:
    """Whether a log is to be applied."""
    try:
        return path.with_name(path.name + LOG).stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _with_log(path: Path) -> bytes:
    """A database with its log applied, which nobody else has open: then SQLite needs no shared memory."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        whole = bytearray(connection.serialize())
    whole[_FORMATS] = _ROLLBACK_JOURNAL
    return bytes(whole)


def _with_log_elsewhere(path: Path) -> bytes:
    """The same of copies, where nothing can be written beside it. OSError where these cannot be either, or
    where somebody who may write there wrote meanwhile."""
    log = path.with_name(path.name + LOG)
    with tempfile.TemporaryDirectory(prefix="dss-search-") as folder:
        copy = Path(folder) / path.name
        logged = copy.with_name(copy.name + LOG)
        shutil.copyfile(log, logged)
        shutil.copyfile(path, copy)
        # Pages that were moved from the log to the file meanwhile are in the copied log, too.
        if not filecmp.cmp(log, logged, shallow=False):
            raise OSError(errno.EAGAIN, "written meanwhile", str(log))
        return _with_log(copy)


def _in_memory(whole: bytes) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.deserialize(whole)
    connection.execute("PRAGMA query_only = ON")  # else changes would seem to be made
    return connection
