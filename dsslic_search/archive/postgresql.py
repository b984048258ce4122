"""What is PostgreSQL's alone about a catalog there: how it is reached (psycopg, the extra `postgresql`), what
it has to be like, who may write, and its troubles in words. `archive.database` has the same of SQLite."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from dsslic_search.archive.leases import POLL_SECONDS, Leases, SharedLeases
from dsslic_search.core.errors import ArchiveError, BusyError, Remedy

DRIVER = "postgresql+psycopg"
CONNECT_SECONDS = 15

_WRITER = 0x6473736C  # number of the advisory lock of those that write
_UPDATING, _APART, _TURN, _PUBLISHING = _WRITER + 1, _WRITER + 2, _WRITER + 3, _WRITER + 4

_BY_BYTES = ("C", "POSIX", "C.UTF-8", "C.UTF8", "C.utf8")
"""Collations that order text by its bytes, as SQLite does, and as the order of answers is defined."""


def with_driver(url: URL) -> URL:
    """A URL that names none of PostgreSQL's drivers, with ours."""
    return url.set(drivername=DRIVER) if url.drivername == "postgresql" else url


def engine_options() -> dict[str, Any]:
    """What SQLAlchemy is told of such an engine."""
    program = Path(sys.argv[0]).name
    command = sys.argv[1] if program == "dss-search" and len(sys.argv) > 1 else program
    named = f"{command}, process {os.getpid()} on {platform.node()}"
    return {
        "pool_pre_ping": True,  # a server may have been started anew since
        "connect_args": {"connect_timeout": CONNECT_SECONDS, "application_name": named[:63]},
    }


def require_fit(connection: Connection) -> None:
    """Raise ArchiveError for a database whose text is not UTF-8, or is not ordered by its bytes."""
    asked = (
        "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()"
    )
    encoding, collation = connection.execute(text(asked)).one()
    if encoding != "UTF8" or collation not in _BY_BYTES:
        name = connection.engine.url.database
        raise ArchiveError(
            f"{connection.engine.url!r}: its text is {encoding} in the order of {collation}, and has to be "
            f"UTF8 in the order of C; make it with: CREATE DATABASE {name} TEMPLATE template0 "
            "ENCODING 'UTF8' LOCALE 'C'"
        )


def wait_to_update(connection: Connection) -> None:
    """Until this transaction ends, let nobody else bring the schema up to date."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPDATING})


def take_turn(connection: Connection) -> None:
    """Until this transaction ends, let no other that takes its turn go on."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TURN})


@contextmanager
def writer(
    engine: Engine, wait: float, waiting: Callable[[str], None], together: bool = False
) -> Iterator[Leases]:
    """Hold the lock of the one process, on whatever machine, that writes to the catalog; as
    `archive.lock.locked` does that of a folder. ``together``: hold it with all others that ask so, each of
    which works on what it has a lease of. The server gives it back when the connection ends."""
    taken = f"SELECT pg_try_advisory_lock{'_shared' if together else ''}(:key)"
    given_back = f"SELECT pg_advisory_unlock{'_shared' if together else ''}(:key)"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        until = time.monotonic() + wait
        told = False
        while not connection.execute(text(taken), {"key": _WRITER}).scalar():
            if time.monotonic() >= until:
                raise BusyError(
                    _holder(connection),
                    f"wait for it with {Remedy.WAIT}, or use another archive with {Remedy.OTHER_ARCHIVE}",
                )
            if not told:
                unit = "second" if wait == 1 else "seconds"
                waiting(f"{_holder(connection)}; waiting for it, {wait:g} {unit} at most")
                told = True
            time.sleep(POLL_SECONDS)
        leases = SharedLeases(connection, _APART) if together else Leases()
        try:
            yield leases
        finally:
            with suppress(SQLAlchemyError):  # with the connection all of them have ended
                leases.keep_only(())
                connection.execute(text(given_back), {"key": _WRITER})


@contextmanager
def publishing(engine: Engine, wait: float) -> Iterator[Connection | None]:
    """Be the one process, on whatever machine, that publishes indexes (`archive.published`). What is given is
    the connection that the lock belongs to; None where another process is at it for ``wait`` seconds."""
    taken = text("SELECT pg_try_advisory_lock(:key)")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        until = time.monotonic() + wait
        while not connection.execute(taken, {"key": _PUBLISHING}).scalar():
            if time.monotonic() >= until:
                yield None
                return
            time.sleep(POLL_SECONDS)
        try:
            yield connection
        finally:
            with suppress(SQLAlchemyError):  # with the connection it has ended
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _PUBLISHING})


def _holder(connection: Connection) -> str:
    """Who holds the lock, as the start of a sentence."""
    asked = (
        "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid) "
        "WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :key AND pg_locks.database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    who = connection.execute(text(asked), {"key": _WRITER}).scalar()
    return f"{connection.engine.url!r}: {who or 'another process'} is writing to it"


def in_words(error: BaseException) -> str | None:
    """What an error of psycopg says, and what to do; None for one of something else."""
    if "psycopg" not in sys.modules:
        return None
    import psycopg

    if not isinstance(error, psycopg.Error):
        return None
    said = " ".join(str(error).split())
    if isinstance(error, psycopg.errors.DiskFull):
        return "no space left on the disk of the catalog's database; free some space and run it again"
    refused = psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidAuthorizationSpecification
    if isinstance(error, refused):
        return f"the catalog's database does not allow it ({said}); check the user of its address"
    if isinstance(error, (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)):
        return "others changed the same rows of the catalog at the same moment; run it again"
    if isinstance(error, psycopg.OperationalError):
        return (
            f"the catalog's database cannot be reached, or ended the connection ({said}); check that it "
            "runs, and its address, user and password"
        )
    return None
