"""What of the catalog is written into its journal, and when.

Temporary triggers of the writing connection note what a transaction touches; at its end what is known of that
*now* is read and written down, so that of each photo the last line that tells of it says all. Nothing is
written of what follows from a photo's own file (coverages, regions, embedding, words, colours), but of those
that have no file any more. Kept for catalogs in SQLite, which let one transaction write at a time.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, LargeBinary, bindparam, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import KeyedColumnElement

from dsslic_search.archive.column_types import Date, Digits, Embedding
from dsslic_search.archive.digits import to_text
from dsslic_search.archive.journal import Change, Place
from dsslic_search.archive.journals import Journals
from dsslic_search.archive.lookup import GENERATION, TOKEN, batches
from dsslic_search.archive.schema import KnownPath, Photo, Purged, SavedQuery, Setting, Tag
from dsslic_search.archive.sums import COLUMNS as DESCRIPTION
from dsslic_search.archive.sums import SUM, is_sum_of

PHOTO, PATHS, TAGS, SEEN = "photo", "paths", "tags", "seen"
SAVED, SETTING, PURGED = "saved", "setting", "purged"
"""Kinds of changes. The first three are named by the content hash of a photo, SEEN by the ids of paths."""

JOURNAL_SETTING = "journal"
OWN_SETTINGS = frozenset({GENERATION, TOKEN, JOURNAL_SETTING})
"""Of this database alone, not of what it knows."""

PHOTO_TABLE, PATH_TABLE = Photo.__table__, KnownPath.__table__
FACTS = tuple(
    column for column in PHOTO_TABLE.columns if column.name not in (*DESCRIPTION, SUM, "content_hash")
)
PATH_FACTS = tuple(column for column in PATH_TABLE.columns if column.name != "photo_id")

_FACTS_OF_PHOTOS = ", ".join(c.name for c in FACTS)
_FACTS_OF_PATHS = ", ".join(c.name for c in PATH_FACTS if c.name not in ("id", "last_seen"))
_NOTED = (
    ("photo", "INSERT", "photo", "new.id"),
    ("photo", f"UPDATE OF {_FACTS_OF_PHOTOS}", "photo", "new.id"),
    ("photo", "DELETE", "gone", "old.content_hash"),
    ("path", "INSERT", "path", "new.photo_id"),
    ("path", f"UPDATE OF photo_id, {_FACTS_OF_PATHS}", "path", "old.photo_id, new.photo_id"),
    ("path", "UPDATE OF last_seen", "seen", "new.id"),
    ("path", "DELETE", "path", "old.photo_id"),
    ("tag", "INSERT", "tag", "new.photo_id"),
    ("tag", "UPDATE", "tag", "old.photo_id, new.photo_id"),
    ("tag", "DELETE", "tag", "old.photo_id"),
    ("saved_query", "INSERT", "saved", "new.name"),
    ("saved_query", "UPDATE", "saved", "old.name, new.name"),
    ("saved_query", "DELETE", "saved", "old.name"),
    ("setting", "INSERT", "setting", "new.name"),
    ("setting", "UPDATE", "setting", "old.name, new.name"),
    ("setting", "DELETE", "setting", "old.name"),
    ("purged", "INSERT", "purged", "new.content_hash"),
    ("purged", "DELETE", "purged", "old.content_hash"),
)
"""Table, what happens to it, and what is noted: a kind, and what tells which, of one row or two."""


def _trigger(number: int, table: str, when: str, kind: str, keys: str) -> str:
    own = ", ".join(f"'{name}'" for name in sorted(OWN_SETTINGS))
    noted = ""
    for key in keys.split(", "):
        # not OR IGNORE: what the statement that fires a trigger does about conflicts goes before that;
        # with a +, as an id's affinity keeps the comparison from the index: all rows would be compared
        noted += (
            f"INSERT INTO touched SELECT '{kind}', {key} "
            f"WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = '{kind}' AND key = +{key})"
        )
        noted += f" AND {key} NOT IN ({own}); " if table == "setting" else "; "
    return f"CREATE TEMP TRIGGER IF NOT EXISTS note_{number} AFTER {when} ON main.{table} BEGIN {noted}END"


_FOLLOW = (
    "CREATE TEMP TABLE IF NOT EXISTS touched (kind TEXT, key, PRIMARY KEY (kind, key)) WITHOUT ROWID",
    *(_trigger(number, *noted) for number, noted in enumerate(_NOTED)),
)
_IS_FOLLOWED = "SELECT count(*) FROM sqlite_temp_master WHERE name = 'touched' OR name GLOB 'note_*'"
PHOTOS_IN_A_LINE = 500  # of a journal that is begun

# Made once: to put together a statement takes SQLAlchemy several times as long as to run it.
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_STATED = select(Setting.value).where(Setting.name == JOURNAL_SETTING)
_PLACE_NOW = update(Setting).where(Setting.name == JOURNAL_SETTING).values(value=bindparam("place"))
_SAY_PLACE = insert(Setting)
_HASHES = select(Photo.id, Photo.content_hash).where(Photo.id.in_(_IDS))
_PHOTOS = select(Photo.content_hash, *FACTS).where(Photo.id.in_(_IDS)).order_by(Photo.id)
_DESCRIBED = tuple(PHOTO_TABLE.c[name] for name in DESCRIPTION)
_DESCRIPTIONS = select(Photo.id, PHOTO_TABLE.c[SUM], *_DESCRIBED).where(Photo.id.in_(_IDS))
_PATHS = (
    select(KnownPath.photo_id, *PATH_FACTS)
    .where(KnownPath.photo_id.in_(_IDS))
    .order_by(KnownPath.photo_id, KnownPath.id)
)
_SEEN = select(KnownPath.id, KnownPath.last_seen).where(KnownPath.id.in_(_IDS))
_TAGS = select(Tag.photo_id, Tag.name).where(Tag.photo_id.in_(_IDS)).order_by(Tag.photo_id, Tag.name)
_NAMES: BindParameter[Any] = bindparam("names", expanding=True)
_NAMED = {
    kind: select(key, value).where(key.in_(_NAMES))
    for kind, key, value in (
        (SETTING, Setting.name, Setting.value),
        (SAVED, SavedQuery.name, SavedQuery.text),
        (PURGED, Purged.content_hash, Purged.purged_at),
    )
}


def is_kept(session: Session) -> bool:
    """Whether a catalog's database has a journal."""
    return session.connection().dialect.name == "sqlite"


def follow(session: Session) -> None:
    """Note from now on what the transaction touches."""
    connection = session.connection()
    if connection.exec_driver_sql(_IS_FOLLOWED).scalar() == len(_FOLLOW):
        return  # of the connection's earlier transactions; one that was rolled back took its own with it
    cursor = connection.connection.cursor()
    for statement in _FOLLOW:
        cursor.execute(statement)
    cursor.close()


def write(session: Session, journals: Journals, *, shed: bool = False) -> None:
    """Write down what the transaction touched, before it is committed; all there is, where the journal does
    not go on from where the catalog says it stands. ``shed``: it was to be forgotten, so that the journal is
    to be begun anew soon. Raises ArchiveError."""
    connection = session.connection()
    touched: dict[str, list[Any]] = defaultdict(list)
    for kind, key in connection.exec_driver_sql("SELECT kind, key FROM temp.touched").all():
        touched[kind].append(key)
    if not touched and not shed:
        return
    connection.exec_driver_sql("DELETE FROM temp.touched")
    place = stated(connection)
    if place is None or not journals.goes_on(place):
        _state(connection, journals.begin(place, everything(connection)))
        return
    if changes := _changes(connection, touched):
        place = journals.append(place, changes)
    if changes or shed:
        _state(connection, replace(place, shed=place.shed or shed))


def tend(session: Session, journals: Journals, *, anew: bool = False) -> None:
    """Begin the journal of a catalog that has none, or not the one it says, one that has become long, and any
    where it shall be ``anew``. For the one who writes, before anything else."""
    connection = session.connection()
    place = stated(connection)
    if anew or place is None or place.is_long or not journals.goes_on(place):
        _state(connection, journals.begin(place, everything(connection)))
    else:
        journals.follow(place)


def brought_up_to_date(connection: Connection) -> None:
    """Have the catalog, whose tables are others now, say so of its journal: the next one who writes begins it
    anew."""
    if (place := stated(connection)) is not None:
        _state(connection, replace(place, older=True))


def stated(connection: Connection) -> Place | None:
    """What a catalog says of its journal."""
    return Place.read(connection.execute(_STATED).scalar())


def says_of_journal(connection: Connection) -> bool:
    """Whether a catalog says anything of its journal, be it what `stated` can read or not."""
    return connection.execute(select(Setting.name).where(Setting.name == JOURNAL_SETTING)).first() is not None


def _state(connection: Connection, place: Place) -> None:
    if not connection.execute(_PLACE_NOW, {"place": str(place)}).rowcount:
        connection.execute(_SAY_PLACE, {"name": JOURNAL_SETTING, "value": str(place)})


def everything(connection: Connection) -> Iterator[list[Change]]:
    """All that a catalog knows, some at a time: first settings and photos, then what hangs on photos."""
    settings = connection.execute(select(Setting.name).order_by(Setting.name)).scalars().all()
    yield _changes(connection, {"setting": settings})
    ids = connection.execute(select(Photo.id).order_by(Photo.id)).scalars().all()
    for kind in "photo", "path", "tag":
        for start in range(0, len(ids), PHOTOS_IN_A_LINE):
            part = ids[start : start + PHOTOS_IN_A_LINE]
            if changes := _changes(connection, {kind: part}, but_empty=True):
                yield changes
    others: dict[str, Any] = {"saved": SavedQuery.name, "purged": Purged.content_hash}
    for kind, key in others.items():
        names = connection.execute(select(key).order_by(key)).scalars().all()
        for start in range(0, len(names), PHOTOS_IN_A_LINE):
            yield _changes(connection, {kind: names[start : start + PHOTOS_IN_A_LINE]})


def _changes(
    connection: Connection, touched: dict[str, Sequence[Any]] | dict[str, list[Any]], but_empty: bool = False
) -> list[Change]:
    """What is known now of what was touched. ``but_empty``: photos without tags are left out."""
    photos = sorted(touched.get("photo", ()))
    with_paths, with_tags = sorted(touched.get("path", ())), sorted(touched.get("tag", ()))
    hashes = _hashes(connection, {*photos, *with_paths, *with_tags})
    found: list[Change] = []
    gone = [to_text(key) for key in touched.get("gone", ())]
    there = set(hashes.values())
    found.extend((PHOTO, content_hash, None) for content_hash in sorted(gone) if content_hash not in there)
    found.extend(_photos(connection, photos))
    paths = _paths(connection, with_paths)
    found.extend((PATHS, hashes[i], paths.get(i, [])) for i in with_paths if i in hashes)
    told = {row["id"] for rows in paths.values() for row in rows}
    found.extend(_seen(connection, [row for row in touched.get("seen", ()) if row not in told]))
    tags = _tags(connection, with_tags)
    found.extend(
        (TAGS, hashes[i], tags.get(i, [])) for i in with_tags if i in hashes and (i in tags or not but_empty)
    )
    for kind, chosen in _NAMED.items():
        names = sorted({to_text(name) for name in touched.get(kind, ())} - OWN_SETTINGS)
        known = {
            name: plain(found_value)
            for start in range(0, len(names), PHOTOS_IN_A_LINE)
            for name, found_value in connection.execute(
                chosen, {"names": names[start : start + PHOTOS_IN_A_LINE]}
            )
        }
        found.extend((kind, name, known.get(name)) for name in names)
    return found


def _hashes(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    return {
        photo_id: content_hash
        for part in batches(sorted(ids))
        for photo_id, content_hash in connection.execute(_HASHES, {"ids": part})
    }


def _photos(connection: Connection, ids: Sequence[int]) -> Iterator[Change]:
    """With the description of those whose file is lost, which cannot be made again, where it is still what
    was written: a rebuild would take a value that flipped for one."""
    for part in batches(ids):
        records = [
            (content_hash, _record(FACTS, values))
            for content_hash, *values in connection.execute(_PHOTOS, {"ids": part})
        ]
        kept: dict[int, dict[str, Any]] = {}
        if lost := [record["id"] for _, record in records if "lost_at" in record]:
            kept = {
                photo_id: _record(_DESCRIBED, values)
                for photo_id, said, *values in connection.execute(_DESCRIPTIONS, {"ids": lost})
                if is_sum_of(said, values)
            }
        for content_hash, record in records:
            yield PHOTO, content_hash, record | kept.get(record["id"], {})


def _paths(connection: Connection, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for part in batches(ids):
        for photo_id, *values in connection.execute(_PATHS, {"ids": part}):
            found[photo_id].append(_record(PATH_FACTS, values))
    return found


def _seen(connection: Connection, rows: Sequence[int]) -> Iterator[Change]:
    by_date: dict[datetime, list[int]] = defaultdict(list)
    for part in batches(rows):
        for row, last_seen in connection.execute(_SEEN, {"ids": part}):
            by_date[last_seen].append(row)
    for last_seen, some in by_date.items():
        yield SEEN, ranges(some), plain(last_seen)


def _tags(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for part in batches(ids):
        for photo_id, name in connection.execute(_TAGS, {"ids": part}):
            found[photo_id].append(name)
    return found


def _record(columns: Sequence[KeyedColumnElement[Any]], values: Sequence[Any]) -> dict[str, Any]:
    """Values by the names of their columns, as JSON has them; without those that are None."""
    return {
        column.name: plain(value) for column, value in zip(columns, values, strict=True) if value is not None
    }


def plain(value: Any) -> Any:
    """A value of a column as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def value_of(column: KeyedColumnElement[Any], said: Any) -> Any:
    """The value of a column of which `plain` made this. ValueError or TypeError where it did not."""
    if said is None:
        return None
    if isinstance(column.type, Date):
        return datetime.fromisoformat(said)
    if isinstance(column.type, (LargeBinary, Embedding)) and not isinstance(column.type, Digits):
        return base64.b64decode(said, validate=True)
    if not isinstance(said, (str, int, float)):
        raise TypeError(f"no value of {column.name}")
    return said


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers from 0 on in few characters: "1-500,502"."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def bounds(said: str) -> list[tuple[int, int]]:
    """The first and the last of each row of numbers that `ranges` wrote. ValueError where it did not."""
    found = []
    for part in said.split(","):
        first, _, last = part.partition("-")
        found.append((int(first), int(last or first)))
    return found
