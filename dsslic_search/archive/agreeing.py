"""Whether a catalog says what its journal does: SQLite has no checksums, the journal's lines have.

A bit that flips in a path, a date or a tag makes no database that SQLite would find fault with. What both say
is compared as hashes; dates at which files were looked at last, of which the journal tells for many files at
once, are compared file by file, with two numbers of eight bytes for each.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from typing import Any

import numpy as np
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from dsslic_search.archive.damage import DamagedCatalogError
from dsslic_search.archive.journal import GOES_ON, Change, Journal
from dsslic_search.archive.journaling import (
    OWN_SETTINGS,
    PATHS,
    PHOTO,
    SEEN,
    SETTING,
    TAGS,
    bounds,
    everything,
    stated,
)
from dsslic_search.archive.replaying import REBUILD_SETTING
from dsslic_search.core.moments import microseconds

LAST_SEEN = "last_seen"
_LOOKS = "SELECT id, last_seen, tags_given IN (0, 1) AND typeof(tags_given) = 'integer' FROM path ORDER BY id"
_STREAMED = {"yield_per": 10_000}
_NONE, _UNSAID = -(2**63), -(2**63) + 1  # no date is
_END = 2**63 - 1  # behind all ids
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
    looks = _Looks(connection)
    for line in journal.lines(place.length):
        if line.content is not None:
            changes = line.content.get("set", ())
            _take(said, changes)
            looks.take(changes)
    known: dict[bytes, int] = {}
    try:
        for changes in everything(connection):
            _take(known, changes)
    except (ValueError, TypeError, ArithmeticError, SQLAlchemyError, DamagedCatalogError):
        return UNREADABLE
    if journal.stand(place) not in GOES_ON:
        return 0  # somebody who was stopped began it anew meanwhile
    differ = sum(said.get(key) != known.get(key) for key in said.keys() | known.keys())
    return differ + looks.differing()


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


class _Looks:
    """When files were looked at last, by the catalog and by a journal."""

    def __init__(self, connection: Connection) -> None:
        ids, dates = array("q"), array("q")
        self._odd = 0
        for path_id, last_seen, is_truth in connection.exec_driver_sql(_LOOKS, execution_options=_STREAMED):
            ids.append(path_id)
            dates.append(last_seen if isinstance(last_seen, int) else _NONE)
            self._odd += not is_truth
        ids.append(_END)
        dates.append(_NONE)
        self._ids, self._dates = np.frombuffer(ids, np.int64), np.frombuffer(dates, np.int64)
        self._said = np.full(self._ids.size, _UNSAID)

    def take(self, changes: Iterable[Change]) -> None:
        """What a line of the journal tells of paths that the catalog still has."""
        for kind, name, value in changes:
            if kind == SEEN:
                moment = microseconds(datetime.fromisoformat(value))
                for first, last in bounds(name):
                    start, end = np.searchsorted(self._ids[:-1], [first, last + 1])
                    self._said[start:end] = moment
            elif kind == PATHS and value:
                told = np.array([row["id"] for row in value], np.int64)
                moments = [microseconds(datetime.fromisoformat(row[LAST_SEEN])) for row in value]
                places = np.searchsorted(self._ids, told)
                there = self._ids[places] == told
                self._said[places[there]] = np.array(moments, np.int64)[there]

    def differing(self) -> int:
        """Of how many paths both say otherwise; of those of which one says nothing the rest is compared. With
        those whose yes or no is neither, as Python does not tell it."""
        known = self._said != _UNSAID
        return int(np.count_nonzero(known & (self._said != self._dates))) + self._odd


def _key(kind: str, name: str) -> bytes:
    return blake2b(f"{kind} {name}".encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _sum(value: Any) -> int:
    return zlib.crc32(json.dumps(value, sort_keys=True).encode())
