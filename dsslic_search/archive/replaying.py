"""What a journal says, put into a catalog that has nothing yet. Its photos are described afterwards."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Delete, Executable, Insert, bindparam, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.journal import Change, Journal, Place, check_version, name_in
from dsslic_search.archive.journaling import (
    FACTS,
    OWN_SETTINGS,
    PATH_FACTS,
    PATH_TABLE,
    PATHS,
    PHOTO,
    PHOTO_TABLE,
    PURGED,
    TAGS,
    bounds,
    value_of,
)
from dsslic_search.archive.schema import KnownPath, Photo, Purged, SavedQuery, Setting, Tag
from dsslic_search.archive.sums import COLUMNS as DESCRIPTION
from dsslic_search.archive.sums import SUM, sum_of

LINES_AT_ONCE = 200  # in a transaction
REBUILD_SETTING = "rebuild"
_HASH = re.compile(r"[0-9a-f]{64}")
IMPOSSIBLE = ValueError, TypeError, KeyError, AttributeError, OverflowError
"""What `apply` raises of what nobody wrote."""
_NOTHING = {"embedding": b"", "coverages": b""}
_OF_NOBODY = (
    "DELETE FROM path WHERE photo_id NOT IN (SELECT id FROM photo)",
    "DELETE FROM tag WHERE photo_id NOT IN (SELECT id FROM photo)",
    "UPDATE path SET replaced_by = NULL WHERE replaced_by NOT IN (SELECT id FROM photo)",
)

# made once: to make a statement takes longer than to run it
_KNOWN = select(Photo.id).where(Photo.content_hash == bindparam("name"))
_PUT_PHOTO = insert(PHOTO_TABLE).prefix_with("OR REPLACE")  # type: ignore[arg-type]  # it is a table
_PUT_PATH = insert(PATH_TABLE).prefix_with("OR REPLACE")  # type: ignore[arg-type]
_PUT_TAG = insert(Tag)
_NO_PATHS = delete(KnownPath).where(KnownPath.photo_id == bindparam("photo"))
_SEEN = (
    update(KnownPath)
    .where(KnownPath.id.between(bindparam("first"), bindparam("last")))
    .values(last_seen=bindparam("moment"))
)
_NO_TAGS = delete(Tag).where(Tag.photo_id == bindparam("photo"))


@dataclass
class Replay:
    """``unread``: lines that are not what was written, or not there. ``place``: where the catalog stands in
    it; None where anything is unread. ``pending``: paths and tags of photos of which it says nothing else,
    by kind and content hash."""

    unread: int = 0
    place: Place | None = None
    pending: dict[tuple[str, str], Any] = field(default_factory=dict)


def replay(catalog: Catalog, journal: Journal, length: int | None) -> Replay:
    """Put all that a journal says, in its first ``length`` bytes, into a catalog without foreign keys, or
    what of it is not in it yet, as another run was stopped. Raises ArchiveError for trouble with the disk or
    the database, and for a journal of a newer version."""
    result, name, expected, end, begun = Replay(), "", 0, 0, 0
    identity, done = begun_from(catalog) or ("-", -1)
    some: list[dict[str, Any]] = []
    for line in journal.lines(length):
        content = line.content
        if line.number == 0:
            check_version(journal.path, content)
            name = name_in(content) or ""
        number = None if content is None else content.get("n")
        if content is None or not isinstance(number, int) or number < expected:
            result.unread += 1
            expected += content is None
            continue
        result.unread += number - expected
        expected, end = number + 1, line.end
        if content.get("whole") is True:
            begun = end
        some.append(content)
        if len(some) >= LINES_AT_ONCE:
            _put(catalog, some, identity, done, result)
            some = []
    _put(catalog, some, identity, done, result)
    with catalog.noting() as session:
        for statement in _OF_NOBODY:
            session.connection().exec_driver_sql(statement)
    if not result.unread and name and begun:
        result.place = Place(name, expected, end, begun)
    return result


def begun_from(catalog: Catalog) -> tuple[str, int] | None:
    """Which journal a catalog is made from, and up to which line."""
    said = catalog.settings().get(REBUILD_SETTING, "").split(" ")
    return (said[0], int(said[1])) if len(said) == 2 else None


def say(connection: Connection, identity: str, number: int) -> None:
    """Note in a catalog which journal it is made from, and up to which line."""
    _named(connection, Setting, "name", REBUILD_SETTING, "value", f"{identity} {number}")


def _put(catalog: Catalog, some: list[dict[str, Any]], identity: str, done: int, result: Replay) -> None:
    new = [content for content in some if content["n"] > done]
    for content in some:
        if content["n"] <= done:
            _keep_pending(catalog, content, result)
    if not new:
        return
    with catalog.noting() as session:
        connection = session.connection()
        for content in new:
            if "set" not in content:
                continue
            try:
                with connection.begin_nested():
                    for change in content["set"]:
                        apply(connection, _checked(change), result.pending)
            except (*IMPOSSIBLE, SQLAlchemyError):
                result.unread += 1
        say(connection, identity, new[-1]["n"])


def _keep_pending(catalog: Catalog, content: dict[str, Any], result: Replay) -> None:
    """Of a line that was put in before: what waits for its photo."""
    for change in content.get("set", ()):
        kind, name, value = _checked(change)
        if kind in (PATHS, TAGS) and not catalog.has(name):
            result.pending[kind, name] = value
        elif kind == PHOTO and value is None:
            _drop(result.pending, name)


def _checked(change: Any) -> Change:
    kind, name, value = change
    if not isinstance(kind, str) or not isinstance(name, str):
        raise TypeError
    if kind in (PHOTO, PATHS, TAGS, PURGED) and not _HASH.fullmatch(name):
        raise ValueError
    return kind, name, value


def apply(connection: Connection, change: Change, pending: dict[tuple[str, str], Any]) -> None:
    """Make one change; what it tells of a photo that is not there is put into ``pending``. One of
    `IMPOSSIBLE`, or an error of the database, where it is none. Kinds of later versions are passed over."""
    kind, name, value = change
    match kind:
        case "photo":
            _photo(connection, name, value, pending)
        case "paths" | "tags":
            photo_id = connection.execute(_KNOWN, {"name": name}).scalar()
            if photo_id is None:
                pending[kind, name] = value
            elif kind == PATHS:
                _paths(connection, photo_id, value)
            else:
                _tags(connection, photo_id, value)
        case "seen":
            last_seen = value_of(PATH_TABLE.c["last_seen"], value)
            ranges = [{"first": first, "last": last, "moment": last_seen} for first, last in bounds(name)]
            _execute_all(connection, _SEEN, ranges)
        case "setting" if name not in OWN_SETTINGS:
            _named(connection, Setting, "name", name, "value", value)
        case "saved":
            _named(connection, SavedQuery, "name", name, "text", value)
        case "purged":
            purged_at = value_of(Purged.__table__.c["purged_at"], value)
            _named(connection, Purged, "content_hash", name, "purged_at", purged_at)


def _photo(
    connection: Connection, content_hash: str, value: Any, pending: dict[tuple[str, str], Any]
) -> None:
    photo_id = connection.execute(_KNOWN, {"name": content_hash}).scalar()
    if value is None:
        _drop(pending, content_hash)
        if photo_id is not None:
            for table in KnownPath, Tag:
                connection.execute(delete(table).where(table.photo_id == photo_id))
            left = update(KnownPath).where(KnownPath.replaced_by == photo_id)
            connection.execute(left.values(replaced_by=None))
            connection.execute(delete(Photo).where(Photo.id == photo_id))
        return
    columns = [*FACTS, *(PHOTO_TABLE.c[each] for each in DESCRIPTION)]
    row = {column.name: value_of(column, value.get(column.name)) for column in columns}
    row |= {each: row[each] or nothing for each, nothing in _NOTHING.items()}
    for column in FACTS:
        if row[column.name] is None and not column.nullable:
            raise ValueError(column.name)
    row[SUM] = sum_of(*(row[name] for name in DESCRIPTION))
    connection.execute(_PUT_PHOTO, {"content_hash": content_hash, **row})
    for kind in PATHS, TAGS:
        if (kind, content_hash) in pending:
            apply(connection, (kind, content_hash, pending.pop((kind, content_hash))), pending)


def _paths(connection: Connection, photo_id: int, rows: Any) -> None:
    connection.execute(_NO_PATHS, {"photo": photo_id})
    put = [{column.name: value_of(column, row.get(column.name)) for column in PATH_FACTS} for row in rows]
    _execute_all(connection, _PUT_PATH, [{"photo_id": photo_id, **each} for each in put])


def _tags(connection: Connection, photo_id: int, names: Any) -> None:
    connection.execute(_NO_TAGS, {"photo": photo_id})
    _execute_all(connection, _PUT_TAG, [{"name": str(name), "photo_id": photo_id} for name in names])


def _execute_all(connection: Connection, statement: Executable, rows: list[dict[str, Any]]) -> None:
    if rows:  # of none SQLAlchemy makes one without values
        connection.execute(statement, rows)


def _named(connection: Connection, table: Any, key: str, name: str, column: str, value: Any) -> None:
    drop, put = _replacing(table, key)
    if value is None:
        connection.execute(drop, {"key": name})
    else:
        connection.execute(put, {key: name, column: value})


@cache
def _replacing(table: Any, key: str) -> tuple[Delete, Insert]:
    return delete(table).where(getattr(table, key) == bindparam("key")), insert(table).prefix_with(
        "OR REPLACE"
    )


def _drop(pending: dict[tuple[str, str], Any], content_hash: str) -> None:
    for kind in PATHS, TAGS:
        pending.pop((kind, content_hash), None)
