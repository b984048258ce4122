"""Where photos lie, as one run of an ingest finds it: what is known at its start, what it sees, and what
follows when it ends.

Rows of photos that are known are written a batch at a time, since each batch makes the indexes anew. What
is told at the end (moved, copied, back, replaced, missing) is worked out here by the rules of
`archive.paths`, so that a rehearsal, which writes nothing, tells the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from pathlib import PurePath

import numpy as np
from sqlalchemy import update

from dsslic_search.archive import bin, paths
from dsslic_search.archive.catalog import Catalog, utc_now
from dsslic_search.archive.ingest.look import Here, Look
from dsslic_search.archive.ingest.report import Copy, Missing, Move, Outcome, Version
from dsslic_search.archive.known_paths import Known, rows_of, touch
from dsslic_search.archive.paths import FileThere
from dsslic_search.archive.schema import Photo
from dsslic_search.core.files import path_to_text, text_to_path
from dsslic_search.core.kinds import PhotoState

ROWS_AT_ONCE = 1000  # in a transaction

Key = tuple[str, str]
"""Path, as text, and part of the file."""


class Places:
    """The paths of one run. ``catalog``: None where there is none that could tell. ``known``: what it knows
    of the folders named, by path as text. ``write``: False for a rehearsal."""

    def __init__(self, catalog: Catalog | None, known: Mapping[str, Sequence[Known]], write: bool) -> None:
        self._catalog, self._known, self._write = catalog, dict(known), write
        self._before: dict[int, frozenset[Key]] = {}  # where photos that something happened to lay at first
        self._live: dict[int, set[Key]] = {}  # and lie now
        self._states: dict[int, str] = {}
        self._appeared: dict[int, list[Key]] = defaultdict(list)
        self._ended: dict[int, dict[Key, int | None]] = defaultdict(dict)  # and which photo made it a version
        self._placed: list[tuple[int, FileThere]] = []
        self._refreshed: list[tuple[int, FileThere]] = []
        self._touched: list[int] = []
        self._gone: list[int] = []
        self._left: list[Known] = []  # where none of the photos that lay there does any more

    @property
    def known(self) -> bool:
        """Whether there is anything that could tell where photos lay."""
        return self._catalog is not None

    def learn(self, path: str, rows: Sequence[Known]) -> None:
        """What is known by now of a path, as text, where another machine has been at work."""
        self._known[path] = rows

    def seen(self, photo_id: int, there: FileThere) -> None:
        """A known photo lies there."""
        key = _key(there)
        own = [row for row in self._at(key) if row.photo_id == photo_id and row.live]
        if own and key not in self._ended[photo_id]:
            if (own[0].size, own[0].modified_ns) == (there.size, there.modified_ns):
                self._touched.append(own[0].row)
            else:
                self._refreshed.append((photo_id, there))
        else:
            self._load([photo_id])
            self._displace(key, photo_id)
            self._live[photo_id].add(key)
            self._appeared[photo_id].append(key)
            self._placed.append((photo_id, there))
        if len(self._placed) + len(self._refreshed) >= ROWS_AT_ONCE:
            self.flush()

    def before_adding(self, there: FileThere) -> None:
        """To be called before a new photo is added there, in a transaction of its own: what was seen earlier
        is written first, since what a photo replaces depends on where it lies by then."""
        self.flush()
        self._load(row.photo_id for row in self._at(_key(there)) if row.live)

    def added(self, photo_id: int, there: FileThere) -> None:
        """A new photo was added there."""
        key = _key(there)
        self._displace(key, photo_id)
        self._before[photo_id], self._live[photo_id] = frozenset([key]), {key}
        self._states[photo_id] = PhotoState.HERE

    def others(self, there: FileThere, hashes: Mapping[str, str]) -> None:
        """Of a file that was read, and made into photos of these content ``hashes`` by part: the other parts
        that are known are as they were, if any of them is, else gone with what the file was."""
        rows = [row for row in self._known.get(path_to_text(there.path), ()) if row.live]
        left = [row for row in rows if row.part not in hashes]
        if any(row.content_hash in hashes.values() for row in rows):
            for row in left:
                self.seen(row.photo_id, FileThere(there.path, there.size, there.modified_ns, row.part))
        else:
            self._left += left

    def nothing(self, there: FileThere) -> None:
        """No photo of the archive lies there any more."""
        self._left += [row for row in self._at(_key(there)) if row.live]

    def end_left(self) -> None:
        """After all files: what lay at files that hold no photo of the archive any more is gone from there.
        Not before, since what a photo is replaced by depends on where else it lies."""
        self.gone([row for row in self._left if (row.path, row.part) in self._live_at(row.photo_id)])
        self._left = []

    def _live_at(self, photo_id: int) -> set[Key]:
        self._load([photo_id])
        return self._live[photo_id]

    def gone(self, rows: Iterable[Known]) -> None:
        """Files of these live rows are not there any more."""
        rows = list(rows)
        self._load({row.photo_id for row in rows})
        for row in rows:
            key = row.path, row.part
            self._live[row.photo_id].discard(key)
            self._ended[row.photo_id].setdefault(key, None)
            self._gone.append(row.row)

    def take_back(self, photo_id: int) -> None:
        """A photo is to be taken out of the bin."""
        if self._catalog is not None and self._write:
            bin.restore(self._catalog, np.array([photo_id], np.int64))

    def allow(self, content_hash: str) -> None:
        """Content that was deleted for good may be taken again."""
        if self._catalog is not None and self._write:
            with self._catalog.noting() as session:
                bin.unpurge(session, content_hash)

    def lies_elsewhere(self, unlisted: Iterable[Known], look: Callable[[str], Look]) -> Callable[[int], bool]:
        """Tells of a photo, by its id, whether it is seen at a path that is not among those ``unlisted``."""
        apart = {(row.path, row.part) for row in unlisted}

        def is_seen(photo_id: int) -> bool:
            self._load([photo_id])
            return any(
                isinstance(look(str(text_to_path(path))), Here)
                for path, part in self._live[photo_id]
                if (path, part) not in apart
            )

        return is_seen

    def others_of_moved(self, listed: Container[str]) -> list[Known]:
        """Live rows, in folders that were not named, of photos that were met at a new path; ``listed``: the
        files that were found, as text."""
        if self._catalog is None:
            return []
        found = rows_of(self._catalog, [photo_id for photo_id in self._appeared if photo_id > 0])
        return [
            row
            for rows in found.values()
            for row in rows
            if row.live and row.path not in self._known and row.path not in listed
        ]

    def flush(self) -> None:
        """Write what was seen so far."""
        now = utc_now()  # after all that was added meanwhile
        if self._catalog is not None and self._write:
            if self._refreshed:  # no index holds sizes and times of files
                with self._catalog.noting() as session:
                    for photo_id, there in self._refreshed:
                        paths.seen(session, photo_id, there, now)
            if self._placed:
                with self._catalog.changing() as session:
                    for photo_id, there in self._placed:
                        paths.seen(session, photo_id, there, now)
        self._refreshed, self._placed = [], []

    def finish(self) -> Outcome:
        """Write what is left, and tell what happened."""
        self.flush()
        now = utc_now()
        if self._catalog is not None and self._write:
            for start in range(0, len(self._gone), ROWS_AT_ONCE):
                with self._catalog.changing() as session:
                    paths.gone(session, self._gone[start : start + ROWS_AT_ONCE], now)
            with self._catalog.session() as reading:
                stars = paths.ratings_to_give(reading)
            if stars:  # indexes hold them
                with self._catalog.changing() as session:
                    for photo_id, rating in stars.items():
                        session.execute(update(Photo).where(Photo.id == photo_id).values(rating=rating))
            with self._catalog.noting() as session:
                paths.give_tags(session)
            touch(self._catalog, self._touched, now)
        return self._outcome()

    def _outcome(self) -> Outcome:
        result = Outcome()
        for photo_id, appeared in self._appeared.items():
            left = [k for k in self._ended[photo_id] if k in self._before[photo_id]]
            keys = list(appeared)
            if not self._before[photo_id]:
                result.back.append(Copy(photo_id, "".join(keys.pop(0))))
            while keys and left:
                before, key = _nearest(left, keys)
                left.remove(before)
                keys.remove(key)
                result.moved.append(Move(photo_id, "".join(before), "".join(key)))
            result.copies += [Copy(photo_id, "".join(key)) for key in keys]
        for photo_id, ended in self._ended.items():
            if self._live.get(photo_id) or not ended or self._states[photo_id] != PhotoState.HERE:
                continue
            later = [(key, by) for key, by in ended.items() if by is not None]
            if later:
                (path, part), by = later[-1]
                result.versions.append(Version(path + part, photo_id, by))
            else:
                result.missing.append(Missing(photo_id, "".join(next(reversed(ended)))))
        return result

    def _at(self, key: Key) -> list[Known]:
        return [row for row in self._known.get(key[0], ()) if row.part == key[1]]

    def _displace(self, key: Key, by: int) -> None:
        others = [row for row in self._at(key) if row.live and row.photo_id != by]
        self._load([row.photo_id for row in others])
        for row in others:
            if key in self._live[row.photo_id]:
                self._live[row.photo_id].discard(key)
                self._ended[row.photo_id][key] = None if self._live[row.photo_id] else by

    def _load(self, photo_ids: Iterable[int]) -> None:
        """Where photos lay before anything happened to them."""
        new = [photo_id for photo_id in dict.fromkeys(photo_ids) if photo_id not in self._before]
        if not new or self._catalog is None:
            found: dict[int, list[Known]] = {photo_id: [] for photo_id in new}
        else:
            found = rows_of(self._catalog, new)
        for photo_id, rows in found.items():
            live = frozenset((row.path, row.part) for row in rows if row.live)
            self._before[photo_id], self._live[photo_id] = live, set(live)
            self._states[photo_id] = rows[0].state if rows else PhotoState.HERE


def _key(there: FileThere) -> Key:
    return path_to_text(there.path), there.part


def _nearest(before: Sequence[Key], after: Sequence[Key]) -> tuple[Key, Key]:
    """Of paths that ended and paths that began the pair that is most likely a move: with one name, else with
    one folder."""
    pairs = [(old, new) for old in before for new in after]
    return max(pairs, key=lambda pair: _likeness(*pair))


def _likeness(old: Key, new: Key) -> tuple[bool, bool]:
    one, other = PurePath(old[0]), PurePath(new[0])
    return one.name == other.name, one.parent == other.parent
