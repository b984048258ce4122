"""SQLAlchemy engines for catalogs, and database trouble in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from dsslic_search.errors import ArchiveError

BUSY_SECONDS = 30.0  # how long a writer waits for another; a catalog transaction takes milliseconds

_WRITING = "catalog_writing"  # execution option


def url_of(where: Path | str) -> URL:
    """The database URL of an SQLite file, or a URL as it is. Raises ArchiveError when it is not one."""
    if isinstance(where, Path):
        return URL.create("sqlite", database=str(where.absolute()))
    try:
        return make_url(where)
    except ArgumentError as e:
        # It may hold a password, so it is not shown.
        raise ArchiveError("the catalog's address is not a database URL; write it like postgresql://user@host/name") from e


def make_engine(url: URL, *, foreign_keys: bool = True, immutable: bool = False) -> Engine:
    """An engine whose SQLite transactions are real ones.

    Python's sqlite3 begins transactions late, and never before DDL; here every transaction begins with BEGIN, and one
    from `for_writing` with BEGIN IMMEDIATE, so that it waits its turn instead of failing half-way. ``immutable``: an SQLite
    file that nobody can change is read as it is, without the lock and log files that SQLite makes beside it otherwise.
    """
    options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}} if url.get_backend_name() == "sqlite" else {}
    if immutable:
        name = Path(url.database or "").absolute().as_uri() + "?mode=ro&immutable=1"
        options = {"creator": lambda: sqlite3.connect(name, uri=True, check_same_thread=False)}
    try:
        engine = create_engine(url, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as e:
        raise ArchiveError(f"{url!r}: no driver for this kind of database is installed ({e}); install it or use the default") from e
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _connect(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
            connection.execute("PRAGMA synchronous = NORMAL")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITING) else "BEGIN")

    return engine


def for_writing(engine: Engine) -> Engine:
    """The same engine (one pool) whose transactions are going to write."""
    return engine.execution_options(**{_WRITING: True})


@contextmanager
def database_trouble(where: str) -> Iterator[None]:
    """Turn database errors into ArchiveError that says what is wrong with the catalog at ``where`` and what to do."""
    try:
        yield
    except SQLAlchemyError as e:
        cause = getattr(e, "orig", None) or e
        raise ArchiveError(f"{where}: {_in_words(cause)}") from e


def _in_words(cause: BaseException) -> str:
    code = getattr(cause, "sqlite_errorcode", -1) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "the catalog is in use by another program for too long; wait for it to end and try again"
    if code == sqlite3.SQLITE_FULL:
        return "no space left on the disk of the catalog; free some space and run it again"
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return f"the catalog is damaged ({cause}); restore it from a backup, or ingest the photos again into a new archive"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return f"the catalog cannot be opened or written ({cause}); check the path and its permissions"
    return f"the catalog's database reports: {cause}"
