"""What nearly every command asks of a catalog: a setting, or a few photos by their ids.

It is asked in SQL that every database reads, since to load SQLAlchemy and to lay out the tables takes longer
than the rest of such a command. Python's own sqlite3 runs it on an SQLite file that is as it should be;
whatever is out of the ordinary (no file, another revision, damage, a lock, a disk that cannot be written) is
left to `archive.catalog`, which mends it or says what to do.
"""

from __future__ import annotations

import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.archive.damage import DamagedCatalogError, date_in
from dsslic_search.archive.digits import to_text
from dsslic_search.archive.revisions import head_revision
from dsslic_search.core.colour_terms import named
from dsslic_search.core.errors import ArchiveError, FormatError, Remedy
from dsslic_search.core.fact import Column, FactValue
from dsslic_search.core.fields import COLUMNS, EXPORTED
from dsslic_search.core.kinds import HIDDEN
from dsslic_search.core.text import closest, did_you_mean, quoted
from dsslic_search.features.coverage import Shown, unpack_shown
from dsslic_search.index.source import Snapshot, State

Rows = list[tuple[Any, ...]]

SQLITE_TROUBLE = sqlite3.Error, UnicodeDecodeError
"""What Python's sqlite3 raises: the second where damage makes bytes that are no UTF-8 part of SQLite's own
sentence, as with a statement of the schema that it cannot parse."""

GENERATION = "generation"
TOKEN = "token"  # of the state; see `index.source.State`

SETTINGS = "SELECT name, value FROM setting"

_HIDDEN = ", ".join(f"'{state}'" for state in HIDDEN)

FIGURES = ("file_size", "stored_bytes", "map_bytes", "CAST(width AS BIGINT) * height")
PROSE = tuple(column.name for column in COLUMNS if column.values == "prose")

IDS_IN_A_STATEMENT = 500
"""Databases bound the length of a statement, and the number of its parameters."""


def batches(ids: Sequence[int] | NDArray[np.int64]) -> Iterator[list[int]]:
    """Ids in lists that one statement can take, in their order."""
    for start in range(0, len(ids), IDS_IN_A_STATEMENT):
        yield [int(i) for i in ids[start : start + IDS_IN_A_STATEMENT]]


def most_frequent_first(counts: Iterable[tuple[Any, ...]]) -> dict[str, int]:
    """Names with how often each is there, in the order in which people are shown them."""
    return dict(sorted(counts, key=lambda each: (-each[1], each[0])))


def generation_in(settings: Mapping[str, str]) -> int:
    """How many changes of a catalog were committed, by its settings; DamagedCatalogError where that is no
    number."""
    counted = settings.get(GENERATION, "0")
    try:
        return int(counted)
    except ValueError:
        raise DamagedCatalogError.because(f"the count of its changes is {quoted(counted)}") from None


def state_in(settings: Mapping[str, str]) -> State:
    """The state of a catalog, by its settings."""
    return State(generation_in(settings), settings.get(TOKEN, ""))


@dataclass(frozen=True)
class LookedUp:
    """Of some photos, those that are there: path and what `core.fields.EXPORTED` names, by id;
    what is known of classes by photo's id and class id, of those that they show; the paths at which they lie,
    by id; and their image words as `features.image_words` stores them, by id, of those that have some."""

    photos: dict[int, tuple[str, dict[str, FactValue | tuple[str, ...]]]]
    shown: dict[tuple[int, int], Shown]
    paths: dict[int, tuple[str, ...]]
    words: dict[int, bytes]


class Kept(NamedTuple):
    """Of one photo what is kept of it under which hash, the bytes of its file that hold the label map (0
    without one), and its tags by name."""

    content_hash: str
    keep: str
    map_bytes: int
    tags: tuple[str, ...]


class Details(NamedTuple):
    """Of one photo what `LookedUp` leaves out: the hash of its original, its keep mode and state, when it was
    added (UTC), its tags by name, and its regions as `features.scene` stores them, if an index has some."""

    content_hash: str
    keep: str
    state: str
    added: datetime
    tags: tuple[str, ...]
    regions: bytes | None


@dataclass(frozen=True)
class Totals:
    """Bytes of the originals, of the .dsslic files and of the label maps' prefixes of them; pixels of the
    photos; ``written``: by the columns of `PROSE`, how many photos have a text there."""

    original_bytes: int = 0
    stored_bytes: int = 0
    map_bytes: int = 0
    pixels: int = 0
    written: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(PROSE, 0))

    @classmethod
    def of(cls, sums: Iterable[int]) -> Totals:
        """Of the figures in the order of `FIGURES` and `PROSE`."""
        original, stored, maps, pixels, *written = map(int, sums)
        return cls(original, stored, maps, pixels, dict(zip(PROSE, written, strict=True)))


@dataclass(frozen=True)
class StateTotals:
    """Photos of one state, and the bytes of their .dsslic files."""

    photos: int
    stored_bytes: int


TAG_NAMES = (
    "WITH RECURSIVE known(name) AS (SELECT min(name) FROM tag UNION ALL "
    "SELECT (SELECT min(name) FROM tag WHERE tag.name > known.name) FROM known WHERE known.name IS NOT NULL) "
    "SELECT name FROM known WHERE name IS NOT NULL"
)
"""Each name once, found in the index from one to the next: DISTINCT would read the rows of all photos."""


def no_such_tag(name: str, known: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """What to tell of a tag that no photo has, and the known ones closest to it."""
    close = closest(name, known)
    if not known:
        hint = f"there are no tags yet; give one with: {Remedy.TAG}"
    else:
        hint = did_you_mean(close) if close else f"see them all with: {Remedy.TAGS}"
    return f"no photo has the tag {quoted(name)}: {hint}", close


class Lookup(ABC):
    """A catalog, whichever way it is read. Every method raises ArchiveError for trouble with the database."""

    @abstractmethod
    def rows(self, *statements: str) -> list[Rows]:
        """The rows of each of some SELECTs, all of one moment, with values as the database's driver gives
        them."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """The whole catalog at one moment, to be read in bulk."""

    @abstractmethod
    def close(self) -> None:
        """Release the database."""

    def settings(self) -> dict[str, str]:
        """The archive's named values."""
        return dict(self.rows(SETTINGS)[0])

    def generation(self) -> int:
        """How many changes were committed so far; caches built from the catalog carry the value they saw."""
        return generation_in(self.settings())

    def state(self) -> State:
        """What it is after the last change."""
        return state_in(self.settings())

    def count(self) -> int:
        """The number of all photos, be they left out of answers or not."""
        return int(self.rows("SELECT count(*) FROM photo")[0][0][0])

    def totals(self) -> Totals:
        """Of all photos that answers are of."""
        asked = ", ".join(
            [f"coalesce(sum({each}), 0)" for each in FIGURES] + [f"count({column})" for column in PROSE]
        )
        return Totals.of(self.rows(f"SELECT {asked} FROM photo WHERE state NOT IN ({_HIDDEN})")[0][0])

    def tag_counts(self) -> dict[str, int]:
        """How many photos that answers are of have each tag; most frequent first, then by name."""
        hidden = f"SELECT id FROM photo WHERE state IN ({_HIDDEN})"
        counted = f"SELECT name, count(*) FROM tag WHERE photo_id NOT IN ({hidden}) GROUP BY name"
        return most_frequent_first(self.rows(counted)[0])

    def tag_names(self) -> list[str]:
        """All tags that any photo has, be it left out of answers or not, by name."""
        return [name for (name,) in self.rows(TAG_NAMES)[0]]

    def saved_queries(self) -> dict[str, str]:
        """The texts of all saved queries by name."""
        return dict(self.rows("SELECT name, text FROM saved_query ORDER BY name")[0])

    def states(self) -> dict[str, StateTotals]:
        """How many photos there are of each state that any photo is in, and the bytes of their files."""
        asked = "SELECT state, count(*), sum(stored_bytes) FROM photo GROUP BY state ORDER BY state"
        return {state: StateTotals(int(n), int(stored)) for state, n, stored in self.rows(asked)[0]}

    def look_up(self, ids: Sequence[int], classes: Sequence[int]) -> LookedUp:
        """What is shown of photos that a query found, of at most `IDS_IN_A_STATEMENT`, and how much they show
        of some classes."""
        names = ["id", "path", "words", "coverages" if classes else "NULL"]
        names += [column.name for column in EXPORTED.values()]
        asked = [
            f"SELECT {', '.join(names)} FROM photo WHERE id IN ({_listed(ids)})",
            f"SELECT photo_id, path || part FROM path WHERE photo_id IN ({_listed(ids)}) "
            "AND ended_at IS NULL ORDER BY first_seen, id",
        ]
        photos, lying = self.rows(*asked)
        paths: dict[int, tuple[str, ...]] = {}
        for photo_id, path in lying:
            paths[photo_id] = (*paths.get(photo_id, ()), path)
        return LookedUp(
            {
                photo_id: (
                    path,
                    {
                        name: _shown(column, value)
                        for (name, column), value in zip(EXPORTED.items(), values, strict=True)
                    },
                )
                for photo_id, path, _words, _coverages, *values in photos
            },
            {
                (row[0], each.class_id): each
                for row in (photos if classes else ())
                for each in classes_of(row[0], row[3])
                if each.class_id in classes
            },
            paths,
            {photo_id: _bytes(photo_id, words) for photo_id, _path, words, *_ in photos if words is not None},
        )

    def kept(self, ids: Sequence[int]) -> dict[int, Kept]:
        """What is kept of some photos, of those that are there, by id."""
        return {
            photo_id: Kept(to_text(digest), keep, map_bytes, tags)
            for photo_id, tags, digest, keep, map_bytes in self._tagged(
                ids, "content_hash", "keep", "map_bytes"
            )
        }

    def details(self, ids: Sequence[int]) -> dict[int, Details]:
        """What `look_up` leaves out of some photos, of those that are there, by id."""
        columns = "content_hash", "keep", "state", "added_at", "regions"
        return {
            photo_id: Details(
                to_text(digest),
                keep,
                state,
                date_in(added),
                tags,
                None if regions is None else bytes(regions),
            )
            for photo_id, tags, digest, keep, state, added, regions in self._tagged(ids, *columns)
        }

    def _tagged(self, ids: Sequence[int], *columns: str) -> Iterator[tuple[Any, ...]]:
        """Id, tags by name, and some columns of photos, of those that are there."""
        for part in batches(ids):
            photos, tagged = self.rows(
                f"SELECT id, {', '.join(columns)} FROM photo WHERE id IN ({_listed(part)})",
                f"SELECT photo_id, name FROM tag WHERE photo_id IN ({_listed(part)}) ORDER BY name",
            )
            tags: dict[int, tuple[str, ...]] = {}
            for photo_id, name in tagged:
                tags[photo_id] = (*tags.get(photo_id, ()), name)
            yield from ((row[0], tags.get(row[0], ()), *row[1:]) for row in photos)


def classes_of(photo_id: int, stored: bytes) -> tuple[Shown, ...]:
    """The stored classes of a photo. Raises ArchiveError where these are damaged."""
    try:
        return unpack_shown(stored)
    except FormatError as e:
        raise _damaged(photo_id, e) from None


def _bytes(photo_id: int, stored: Any) -> bytes:
    if isinstance(stored, str):
        raise _damaged(photo_id, FormatError("a text where bytes were"))
    return bytes(stored)


def _damaged(photo_id: int, trouble: FormatError) -> ArchiveError:
    return ArchiveError(
        f"the catalog is damaged at photo {photo_id}: {trouble}; describe its photos anew with: "
        f"{Remedy.REINDEX}"
    )


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(str(int(number)) for number in numbers)


def _shown(column: Column, value: Any) -> Any:
    """A value as callers have it. SQLite has dates as numbers; of words one stands on a line."""
    if column.values == "date":
        return None if value is None else date_in(value)
    if column.values == "colours":
        return None if value is None else named(value)
    return tuple(value.split("\n")) if isinstance(value, str) and column.values == "words" else value


class SQLiteLookup(Lookup):
    """An SQLite file, read by Python's sqlite3 until that reports anything; from then on, and in bulk, it is
    for `whole` to read. Safe to use from several threads."""

    def __init__(self, connection: sqlite3.Connection, whole: Callable[[], Lookup]) -> None:
        """Of a connection that `ready` gave."""
        self._connection: sqlite3.Connection | None = connection
        self._whole = whole
        self._turn = threading.Lock()

    def rows(self, *statements: str) -> list[Rows]:
        with self._turn:
            if self._connection is not None:
                try:
                    return _read(self._connection, statements)
                except SQLITE_TROUBLE:
                    self._close()
        return self._whole().rows(*statements)

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        return self._whole().snapshot()

    def close(self) -> None:
        with self._turn:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def open_lookup(where: Path | str, whole: Callable[[], Lookup]) -> Lookup:
    """The catalog in an SQLite file or at a database URL, for looking things up; ``whole`` opens it for
    everything else, and where anything has to be done or said first. What that raises is raised here."""
    connection = ready(where) if isinstance(where, Path) else None
    return whole() if connection is None else SQLiteLookup(connection, whole)


def ready(path: Path) -> sqlite3.Connection | None:
    """A connection to an SQLite file that is a catalog of this version's revision and keeps a write-ahead
    log; None for any other, and where that cannot be told. Leaves no file behind, and waits for nobody."""
    head = head_revision()
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error:
        return None
    try:
        asked = "PRAGMA journal_mode", "SELECT version_num FROM alembic_version"
        if [connection.execute(each).fetchall() for each in asked] == [[("wal",)], [(head,)]]:
            connection.execute("PRAGMA temp_store = MEMORY")  # questions need no room on a disk
            return connection
    except SQLITE_TROUBLE:
        pass
    connection.close()
    return None


def _read(connection: sqlite3.Connection, statements: Sequence[str]) -> list[Rows]:
    connection.execute("BEGIN")
    try:
        return [connection.execute(statement).fetchall() for statement in statements]
    finally:
        connection.rollback()  # nothing was written
