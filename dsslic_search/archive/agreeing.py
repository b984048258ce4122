"""Whether a catalog says what its journal does: SQLite has no checksums, the journal's lines have.

A bit that flips in a path, a date or a tag makes no database that SQLite would find fault with. What both say
is compared as hashes; dates at which files were looked at last, which the next look changes, are left out.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from dsslic_search.archive.journal import GOES_ON, Change, Journal
from dsslic_search.archive.journaling import (
    OWN_SETTINGS,
    PATHS,
    PHOTO,
    SEEN,
    SETTING,
    TAGS,
    everything,
    stated,
)
from dsslic_search.archive.replaying import REBUILD_SETTING

LAST_SEEN = "last_seen"
UNREADABLE = -1
_OF_THE_DATABASE = OWN_SETTINGS | {REBUILD_SETTING}


def differences(session: Session, journal: Journal) -> int:
    """Of how many things (photos, their paths, their tags, saved queries, settings …) catalog and journal say
    otherwise; 0 where the journal does not go on from the catalog, lacks lines, or is of before the catalog
    was brought up to date, and so proves nothing. `UNREADABLE` where the catalog holds what can be no value.
    Raises ArchiveError for trouble with the disk."""
    connection = session.connection()
    place = stated(connection)
    if place is None or place.older or journal.stand(place) not in GOES_ON or journal.damaged_lines(place):
        return 0
    said: dict[bytes, int] = {}
    for line in journal.lines(place.length):
        if line.content is not None:
            _take(said, line.content.get("set", ()))
    known: dict[bytes, int] = {}
    try:
        for changes in everything(connection):
            _take(known, changes)
    except (ValueError, TypeError, ArithmeticError, SQLAlchemyError):
        return UNREADABLE
    return sum(said.get(key) != known.get(key) for key in said.keys() | known.keys())


def _take(said: dict[bytes, int], changes: Iterable[Change]) -> None:
    for kind, name, value in changes:
        if kind == SEEN or (kind == SETTING and name in _OF_THE_DATABASE):
            continue
        if kind == PHOTO and value is None:
            for each in PATHS, TAGS:
                said.pop(_key(each, name), None)
        if value is None or value == []:
            said.pop(_key(kind, name), None)
        else:
            said[_key(kind, name)] = _sum(_without_looks(value) if kind == PATHS else value)


def _without_looks(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != LAST_SEEN} for row in rows]


def _key(kind: str, name: str) -> bytes:
    return blake2b(f"{kind} {name}".encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _sum(value: Any) -> int:
    return zlib.crc32(json.dumps(value, sort_keys=True).encode())
