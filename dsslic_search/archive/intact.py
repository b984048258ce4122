"""Whether a catalog's database is in itself what was written, beyond what SQLite's own check looks at: its
tables, indexes and triggers those of this version, and the name of its state the last of its history."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import URL, Connection

from dsslic_search.archive import database, triggers
from dsslic_search.archive.lookup import GENERATION, TOKEN
from dsslic_search.archive.schema import Base

_LAST = (
    f"SELECT (SELECT value FROM setting WHERE name = '{GENERATION}'), "
    f"(SELECT value FROM setting WHERE name = '{TOKEN}'), generation, token "
    "FROM history ORDER BY generation DESC LIMIT 1"
)


def faults(connection: Connection, thorough: bool) -> list[str]:
    """What is wrong with it, in words; nothing where it is sound. ``thorough``: with each row of each index
    compared with its table, which takes two or three times as long."""
    found = []
    if connection.dialect.name == "sqlite":
        asked = f"PRAGMA {'integrity_check' if thorough else 'quick_check'}(10)"
        said = [str(row[0]) for row in connection.exec_driver_sql(asked)]
        found = [line for line in said if line != "ok"]
        if not found and _shape(connection) != _shape_of_models():
            found.append("its tables, indexes or triggers are not those of this version")
    if not found and not _is_named_as_last(connection):
        found.append("its number and name are not the last of its history")
    return found


def has_rows_of_no_photo(connection: Connection) -> bool:
    """Whether there are paths or tags of photos that are not there; PostgreSQL lets none be."""
    if connection.dialect.name != "sqlite":
        return False
    return connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None


def _is_named_as_last(connection: Connection) -> bool:
    row = connection.exec_driver_sql(_LAST).one_or_none()
    if row is None:
        return False  # each catalog begins with one
    generation, token, last, its_token = row
    return (str(last), its_token) == (generation if generation is not None else "0", token)


@cache
def _shape_of_models() -> dict[Any, Any]:
    engine = database.make_engine(URL.create("sqlite"))
    try:
        with engine.connect() as connection:
            Base.metadata.create_all(connection)
            return _shape(connection)
    finally:
        engine.dispose()


def _shape(connection: Connection) -> dict[Any, Any]:
    """Of our tables in an SQLite database; what others added to it is left out."""
    shape: dict[Any, Any] = {}
    cursor = connection.connection.cursor()  # of some forty questions SQLAlchemy's share would be the most

    def ask(pragma: str, name: str) -> list[tuple[Any, ...]]:
        cursor.execute(f'PRAGMA {pragma}("{name}")')
        return list(cursor.fetchall())

    for table, columns in ((name, each.columns) for name, each in Base.metadata.tables.items()):
        shape[table] = [
            (name, kind, needed, key)
            for _, name, kind, needed, _, key in ask("table_info", table)
            if name in columns
        ]
        shape[table, "keys"] = sorted(key[2:] for key in ask("foreign_key_list", table))
        for _, name, unique, origin, partial in ask("index_list", table):
            indexed = [tuple(each[2:]) for each in ask("index_xinfo", name)]
            if origin != "c":  # of a constraint: SQLite names them by their order, which migrations change
                shape[table, str(indexed)] = unique, partial
            elif name in _INDEXES:
                shape[table, name] = unique, partial, indexed
    asked = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    cursor.execute(asked)
    for name, written in cursor.fetchall():
        if name in triggers.NAMES:
            shape[name] = " ".join(written.split())
    cursor.close()
    return shape


_INDEXES = frozenset(str(index.name) for table in Base.metadata.tables.values() for index in table.indexes)
