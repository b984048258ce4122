"""Opening a catalog's database: is it one, is it of this version, can it be written."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import URL, Engine
from sqlalchemy.exc import DBAPIError

from dsslic_search.archive import migrate
from dsslic_search.archive.engine import database_trouble, make_engine, url_of
from dsslic_search.errors import ArchiveError


def open_engine(where: Path | str, *, create: bool = False, change: bool = True) -> Engine:
    """An engine on a catalog that is up to date; see `Catalog.open` for what is done to it and what is refused."""
    url = url_of(where)
    if not create and url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise ArchiveError(f"{where}: the archive's catalog is missing; restore it from a backup or ingest the photos again")
    try:
        return _open(url, create=create, change=change)
    except ArchiveError as error:
        if create or not _needs_a_log_that_cannot_be_made(url, error):
            raise
    return _open(url, create=False, change=False, immutable=True)


def _open(url: URL, *, create: bool, change: bool, immutable: bool = False) -> Engine:
    engine = make_engine(url, immutable=immutable)
    try:
        with database_trouble(repr(url)):
            with engine.connect() as connection:
                stored = migrate.stored_revision(connection)
                migrate.check_known(repr(url), stored)
            if stored is None and not create:
                raise ArchiveError(f"{url!r}: the catalog is empty; restore it from a backup or ingest the photos again")
            if change:
                _use_write_ahead_log(engine)
                if stored != migrate.head_revision():
                    _upgrade(url)
            elif immutable and stored != migrate.head_revision():
                raise ArchiveError(f"{url!r}: made by an older dsslic-search; open it once where it can be written, to update it")
    except BaseException:
        engine.dispose()
        raise
    return engine


def _needs_a_log_that_cannot_be_made(url: URL, error: ArchiveError) -> bool:
    """Whether ``error`` comes from SQLite's write-ahead log, which even a reader must make where there is none.

    Where nothing can be written, and no log waits to be applied, the file alone is the whole catalog.
    """
    cause = error.__cause__
    code = getattr(cause.orig, "sqlite_errorcode", -1) if isinstance(cause, DBAPIError) else -1
    if code & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or not url.database:
        return False
    path = Path(url.database)
    try:
        waiting = path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        waiting = 0
    except OSError:
        return False
    return not waiting and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def _upgrade(url: URL) -> None:
    engine = make_engine(url, foreign_keys=False)
    try:
        migrate.upgrade(engine)
    finally:
        engine.dispose()


def _use_write_ahead_log(engine: Engine) -> None:
    """The mode is a property of the SQLite file; where it cannot be set (read-only files), the old mode works as well."""
    if engine.dialect.name != "sqlite":
        return
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone() != ("wal",):
            with suppress(sqlite3.OperationalError):
                cursor.execute("PRAGMA journal_mode = WAL")
