"""Opening a catalog's database: is it one, is it of this version, can it be written."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError

from dsslic_search.archive import damage, postgresql, unwritable, updating
from dsslic_search.archive.damage import DamagedCatalogError
from dsslic_search.archive.lookup import SETTINGS, SQLITE_TROUBLE
from dsslic_search.archive.revisions import check_known, head_revision, migrations_folder
from dsslic_search.core.errors import ArchiveError, MissingExtraError, Remedy
from dsslic_search.core.text import printable

if TYPE_CHECKING:
    from alembic.config import Config


class NoCatalogError(ArchiveError):
    """There is no database, or nothing in it; `archive.folder` says what that means for an archive."""


def open_engine(where: Path | str, *, create: bool = False, change: bool = True) -> Engine:
    """An engine on a catalog that is up to date; see `Catalog.open` for what is done to it and what is
    refused."""
    url = url_of(where)
    if not create and url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise NoCatalogError(f"{where}: the catalog is missing")
    try:
        return _open(url, create=create, change=change)
    except ArchiveError as error:
        if create or url.get_backend_name() != "sqlite" or not url.database:
            raise
        connect = unwritable.reading(Path(url.database), getattr(error.__cause__, "orig", None))
        if connect is None:
            raise
    return _open(url, create=False, change=False, connect=connect)


def _open(url: URL, *, create: bool, change: bool, connect: unwritable.Connect | None = None) -> Engine:
    engine = make_engine(url, connect=connect)
    try:
        with database_trouble(named(url)):
            with engine.connect() as connection:
                stored = stored_revision(connection)
                check_known(named(url), stored)
            if stored is None and not create:
                raise NoCatalogError(f"{named(url)}: the catalog is empty")
            if change:
                if engine.dialect.name == "postgresql" and stored is None:
                    with engine.connect() as connection:
                        postgresql.require_fit(connection)
                _use_write_ahead_log(engine)
                if stored != head_revision():
                    _upgrade(url)
                again = stored == head_revision()
                if stored is not None and _is_file(url) and not (again and _has_own_pages(engine)):
                    engine.dispose()  # nobody may have it open, this process neither
                    _compact(Path(url.database or ""), again)
            elif connect is not None and stored != head_revision():
                raise ArchiveError(
                    f"{named(url)}: made by an older dsslic-search; open it once where it can be written, to "
                    "update it"
                )
    except BaseException:
        engine.dispose()
        raise
    return engine


_THERE_ALREADY = "duplicate column name", "already exists"  # as SQLite says it


def _upgrade(url: URL) -> None:
    engine = make_engine(url, foreign_keys=False)
    try:
        upgrade(engine)
    except OperationalError as e:
        if not any(each in str(e.orig) for each in _THERE_ALREADY):
            raise
        why = f"it has more than one of the revision that it names: {e.orig}"
        raise DamagedCatalogError.because(why, named(url)) from e
    finally:
        engine.dispose()


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and bool(url.database)


def _has_own_pages(engine: Engine) -> bool:
    with engine.connect() as connection:
        return connection.exec_driver_sql("PRAGMA page_size").scalar() == PAGE_BYTES


def _compact(path: Path, again: bool) -> None:
    """Give back what migrations left unused, and let the pages of a file be as large as those of new ones.
    Where that cannot be, because others have it open or the disk is full, the file stays as it is, that is
    told, and whoever opens it next to write tries ``again``, without a word."""
    with suppress(sqlite3.Error), closing(_connected(path, 0 if again else BUSY_SECONDS)) as connection:
        size, free = path.stat().st_size, shutil.disk_usage(path.parent).free
        why = f"{free} bytes are free on its disk and {2 * size} needed" if free < 2 * size else ""
        if not why and size >= LARGE_BYTES:
            updating.say(f"{path}: writing the catalog anew, so that it takes less room")
        try:
            if not why:
                connection.execute("PRAGMA journal_mode = DELETE")  # with a log pages keep their size
                connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
                connection.execute("VACUUM")
        except sqlite3.Error as error:
            why = str(error)
        if why and not again:
            updating.say(
                f"{path}: the catalog is up to date, but its file could not be made smaller ({why}); the "
                "next command that writes to the archive tries that again"
            )
        connection.execute("PRAGMA journal_mode = WAL")


def _connected(path: Path, seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=seconds, isolation_level=None)


def _use_write_ahead_log(engine: Engine) -> None:
    """The mode is a property of the SQLite file; where it cannot be set (read-only files), the old mode works
    as well."""
    if engine.dialect.name != "sqlite":
        return
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone() != ("wal",):
            with suppress(sqlite3.OperationalError):
                cursor.execute("PRAGMA journal_mode = WAL")


# SQLAlchemy engines for catalogs, and database trouble in words.

BUSY_SECONDS = 30.0  # how long a writer waits for another; a catalog transaction takes milliseconds

PAGE_BYTES = 8_192
"""Of a new SQLite file. A photo's row takes about a thousand, so that of the 4096 bytes that are SQLite's own
choice much stays empty."""

LARGE_BYTES = 1 << 28  # of a catalog; to write more anew takes long enough to be told

_WRITING = "catalog_writing"  # execution option


def url_of(where: Path | str) -> URL:
    """The database URL of an SQLite file, or a URL as it is. Raises ArchiveError when it is not one."""
    if isinstance(where, Path):
        return URL.create("sqlite", database=str(where.absolute()))
    try:
        return postgresql.with_driver(make_url(where))
    except ArgumentError as e:
        # It may hold a password, so it is not shown.
        raise ArchiveError(
            "the catalog's address is not a database URL; write it like postgresql://user@host/name"
        ) from e


def named(url: URL) -> str:
    """A database as messages call it: SQLite's by its file, others by their address without its password."""
    return printable(url.database) if _is_file(url) and url.database else repr(url)


def without_password(url: str) -> str:
    """A database URL as it may be kept. Raises ArchiveError when it is not one."""
    return url_of(url).set(password=None).render_as_string()


def with_password(url: str, known: str | None) -> str:
    """A URL that was kept, or the one that is ``known`` besides, if that is the same with a password."""
    return known if known is not None and without_password(known) == url else url


def reach(url: str) -> dict[str, str]:
    """The settings of the catalog at a URL; none where it is to be made. Raises ArchiveError where the
    database cannot be reached, or is of something else."""
    where = url_of(url)
    engine = make_engine(where)
    try:
        with database_trouble(named(where)), engine.connect() as connection:
            stored = stored_revision(connection)
            check_known(named(where), stored)
            if stored is None and engine.dialect.name == "postgresql":
                postgresql.require_fit(connection)
            rows = [] if stored is None else connection.execute(text(SETTINGS)).all()
            return dict(tuple(row) for row in rows)
    finally:
        engine.dispose()


def make_engine(url: URL, *, foreign_keys: bool = True, connect: unwritable.Connect | None = None) -> Engine:
    """An engine whose SQLite transactions are real ones.

    Python's sqlite3 begins transactions late, and never before DDL; here every transaction begins with BEGIN,
    and one from `for_writing` with BEGIN IMMEDIATE, so that it waits its turn instead of failing half-way.
    ``connect``: how an SQLite file is read that cannot be written, see `archive.unwritable`.
    """
    options: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        options = {"connect_args": {"timeout": BUSY_SECONDS}}
    elif url.get_backend_name() == "postgresql":
        options = postgresql.engine_options()
    if connect is not None:
        options = {"creator": connect}
    try:
        engine = create_engine(url, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as e:
        if url.drivername == postgresql.DRIVER:
            raise MissingExtraError(
                "catalogs in PostgreSQL need an extra package: pip install 'dsslic-search[postgresql]'"
            ) from e
        raise ArchiveError(
            f"{named(url)}: no driver for this kind of database is installed ({e}); install it or use the "
            "default"
        ) from e
    pool = type(engine.pool)
    logging.getLogger(f"{pool.__module__}.{pool.__name__}").addFilter(_asked_for)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _connect(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # nothing but of a new file
            connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
            connection.execute("PRAGMA synchronous = FULL")  # as durable as what the journal says

        @event.listens_for(engine, "invalidate")
        def _invalidate(connection: Any, _record: Any, _error: BaseException | None) -> None:
            """After KeyboardInterrupt in the middle of an answer: a connection that is closed keeps its
            transaction, and the lock with it, for as long as a traceback knows of the answer's cursor."""
            with suppress(sqlite3.Error):
                connection.rollback()

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(
                "BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITING) else "BEGIN"
            )

    return engine


def _asked_for(record: logging.LogRecord) -> bool:
    """What goes wrong while a connection is closed or reset the pool logs, which without anybody's logging is
    a traceback on standard error: of an interrupt, which goes on up, and of a damaged file, whose damage the
    statement before has told or the next one will."""
    if record.exc_info is None:
        return True
    return isinstance(record.exc_info[1], Exception) and logging.getLogger(record.name).hasHandlers()


def for_writing(engine: Engine) -> Engine:
    """The same engine (one pool) whose transactions are going to write."""
    return engine.execution_options(**{_WRITING: True})


@contextmanager
def database_trouble(where: str) -> Iterator[None]:
    """Turn database errors into ArchiveError that says what is wrong with the catalog at ``where`` and what
    to do."""
    try:
        yield
    except (SQLAlchemyError, *SQLITE_TROUBLE) as e:
        cause = getattr(e, "orig", None) or e
        sort = DamagedCatalogError if _tells_damage(cause) else ArchiveError
        raise sort(f"{where}: {_in_words(cause)}") from e


IN_USE = "the catalog is in use by another program for too long; wait for it to end and try again"

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


_NO_UTF_8 = "Could not decode to UTF-8"  # how sqlite3 begins what it says, without a code, of a text


def _tells_damage(cause: BaseException) -> bool:
    if isinstance(cause, UnicodeDecodeError) or str(cause).startswith(_NO_UTF_8):
        return True
    return _code(cause) in _DAMAGE


def _code(cause: BaseException) -> int:
    return int(getattr(cause, "sqlite_errorcode", -1)) & 0xFF


def _in_words(cause: BaseException) -> str:
    if said := postgresql.in_words(cause):
        return said
    code = _code(cause)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return IN_USE
    if code == sqlite3.SQLITE_FULL:
        return "no space left on the disk of the catalog; free some space and run it again"
    if _tells_damage(cause):
        return damage.in_words(str(cause) if _code(cause) in _DAMAGE else "a text in it is not UTF-8")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return (
            f"the catalog cannot be opened or written ({cause}); check the path, its permissions and the "
            "free space"
        )
    if code == sqlite3.SQLITE_IOERR:
        return (
            f"the disk of the catalog fails, or is full ({cause}); free some space, check the disk and run "
            "it again"
        )
    return f"the catalog's database reports: {cause}; see what is wrong with: {Remedy.CHECK}"


# Bring a catalog to this version's schema.


def stored_revision(connection: Connection) -> str | None:
    """The revision of a catalog, None for an empty database. Raises ArchiveError when the tables are not a
    catalog's."""
    tables = set(_table_names(connection))
    if "alembic_version" in tables:
        stored = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if stored is not None:
            return str(stored)
    if tables - {"alembic_version"}:
        raise ArchiveError(
            f"{named(connection.engine.url)}: a database of something else, not a dsslic-search catalog; "
            "choose another archive"
        )
    return None


def _table_names(connection: Connection) -> list[str]:
    if connection.dialect.name != "sqlite":
        return inspect(connection).get_table_names()
    # as the inspector asks, which takes longer than all else here
    asked = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    return list(connection.exec_driver_sql(asked).scalars())


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for the migrations on a connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Apply the missing migrations, all in one transaction: it ends at ``revision`` or where it was.

    ``engine`` must not enforce foreign keys, since SQLite changes a table by copying it; they are checked at
    the end.
    """
    from alembic import command

    from dsslic_search.archive import journaling

    with for_writing(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            postgresql.wait_to_update(connection)
        check_known(
            named(engine.url), stored_revision(connection)
        )  # another process may have been here first
        command.upgrade(alembic_config(connection), revision)
        journaling.brought_up_to_date(connection)
        if engine.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise DamagedCatalogError(
                f"{named(engine.url)}: the catalog has rows of photos that are not there; make it anew with: "
                f"{Remedy.REBUILD}"
            )
