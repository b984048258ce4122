"""What the catalog knows of files, in columns: dates, sizes, places, cameras. Rows are those of the coverage
columns.

Paths are not kept, only the folder of each and its rank among all paths in order, and the folders of other
paths at which photos lie; what a pattern needs more is asked of the catalog, as are tags, which change
without the catalog's generation. Patterns are tested on paths as files have them (`core.files.native_name`).
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.colour_terms import shows
from dsslic_search.core.fields import INDEXED, NAMED
from dsslic_search.core.files import native_name, native_part
from dsslic_search.core.kinds import ANY_STATE
from dsslic_search.core.moments import NEVER, microseconds
from dsslic_search.core.text import folded_name
from dsslic_search.index import spots
from dsslic_search.index.file_columns import facts, path_key
from dsslic_search.index.patterns import PathTest, name_test, path_test, text_test, word_test
from dsslic_search.index.room import ROOM
from dsslic_search.index.segment import Segment, Table
from dsslic_search.index.source import Snapshot, Stale

KIND = "files"
KEY = "5 " + " ".join(column.array for column in INDEXED)  # files with other columns are built anew
COMPARED_RUNS = 16  # runs of numbers; up to so many are faster compared with than looked up
REMEMBERED_PATTERNS = 16  # whose rows are kept

Mask = NDArray[np.bool_]
Orientation = Literal["portrait", "landscape", "square", "panorama"]
ORIENTATIONS: tuple[Orientation, ...] = get_args(Orientation)


@dataclass(frozen=True)
class Files(Table):
    """The facts of a segment's files. Every method that gives a mask, bool[n] of all rows, gives
    the caller its own."""

    _named: dict[tuple[str, str], Mask] = field(default_factory=dict, repr=False, compare=False)
    _sorted: dict[str, NDArray[np.intp]] = field(default_factory=dict, repr=False, compare=False)
    _said: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def table(self, column: str) -> tuple[str, ...]:
        """The different values of a column of texts, or "folder", in order; rows have their numbers in
        ``arrays[column]``. "" stands for none."""
        return tuple(json.loads(self.arrays[f"{column}s"].tobytes()))

    def there(self, column: str) -> tuple[str, ...]:
        """Those of the values that photos which are not gone have."""
        values, gone = self.table(column), self.segment.gone
        if gone is None:
            return values
        starts = self.arrays.get(f"{column}_starts")
        live = np.repeat(~gone, 1 if starts is None else self._words_each(column))
        numbers = [self.arrays[column][live]]
        if column == "folder":
            numbers.append(self.arrays["copy_folder"][~gone[self.arrays["copy_rows"]]])
        return tuple(values[number] for number in np.unique(np.concatenate(numbers)).tolist())

    def said(self, column: str) -> str:
        """Those values without regard to capitals, a zero between them."""
        if column not in self._said:
            self._said[column] = "\0".join(self.there(column)).casefold()
        return self._said[column]

    def period(self, name: str, start: datetime | None, end: datetime | None) -> Mask:
        """Photos of a date, "taken" or "added", from ``start`` to before ``end``, both without a time
        zone."""
        first = NEVER + 1 if start is None else microseconds(start)
        last = np.iinfo(np.int64).max if end is None else microseconds(end) - 1
        if name == "taken":  # rows are in the order of these dates, but for those that have none
            held = np.zeros(len(self), bool)
            part = slice(self._before(last), self._before(first - 1))
            held[part] = self.arrays["dated"][part]
            return held
        dates: NDArray[np.int64] = self.arrays[name]
        return np.logical_and(dates >= first, dates <= last)

    def recurring(self, name: str, low: int, high: int) -> Mask:
        """Photos taken in some months, weekdays, hours or days of any year (`query.ast.Recurring`)."""
        taken, known = self._taken, self.arrays["dated"]
        if name == "hour":
            numbers = taken // _HOUR % 24
        else:
            days = taken // (24 * _HOUR)
            first = int(days[known].min(initial=0))
            last = int(days[known].max(initial=first))
            numbers = _of_days(name, first, last)[np.where(known, days - first, 0)]
        held: Mask = (
            (numbers >= low) & (numbers <= high) if low <= high else (numbers >= low) | (numbers <= high)
        )
        np.logical_and(held, known, out=held)
        return held

    def figure(self, name: str, low: float | None, high: float | None) -> Mask:
        """Photos of which a number is from ``low`` to ``high``, both included."""
        values: NDArray[Any] = (
            self._product(name, np.float64) / 1e6 if name == "megapixels" else self._array(name)
        )
        held: Mask = values >= (-np.inf if low is None else low)  # false of what is not known
        if name in ("width", "height", "megapixels"):
            np.logical_and(held, values > 0, out=held)
        if high is not None:
            np.logical_and(held, values <= high, out=held)
        return held

    def orientation(self, name: Orientation) -> Mask:
        """Photos that are higher than wide, wider than high, as wide as high, or at least twice as long as
        short."""
        width, height = self.arrays["width"], self.arrays["height"]
        held: Mask
        match name:
            case "portrait":
                held = height > width
            case "landscape":
                held = width > height
            case "square":
                held = width == height
            case "panorama":
                held = (width >= 2 * height) | (height >= 2 * width)
        return np.logical_and(held, width > 0, out=held)  # 0 where the size is not known

    def near(self, latitude: float, longitude: float, metres: float) -> Mask:
        """Photos taken at most so far from a place (degrees), along the surface of a sphere."""
        return spots.near(self.arrays, latitude, longitude, metres)

    def within(self, south: float, west: float, north: float, east: float) -> Mask:
        """Photos taken between two latitudes, and from one longitude eastward to another (degrees)."""
        return spots.within(self.arrays, south, west, north, east)

    def unknown(self, name: str) -> Mask:
        """Photos that do not have an optional fact: do not say when, with what, or where they were taken."""
        held: Mask
        match NAMED[name].kind:
            case "date":
                held = self._array(name) == NEVER
            case "place":
                held = np.ones(len(self), bool)
                held[self.arrays["placed"]] = False
            case "number":
                held = np.isnan(self._array(name))
            case "colour":
                held = self._array(name) == 0
            case "words":
                held = self._words_each(self._named_array(name)) == 0
            case "prose":
                held = ~self._told(name, lambda text: True)
            case "tag":
                held = ~self._tagged(None)
            case _:
                held = self._of_table(name, lambda value: value == "")
        return held

    def text(self, name: str, pattern: str) -> Mask:
        """Photos of which a text matches: a text or path by `index.patterns`, words, tags and colours as a
        whole. Raises Stale when the catalog has to be asked and has changed."""
        match NAMED[name].kind:
            case "text":
                matches = text_test(pattern)
                return self._of_table(name, lambda value: value != "" and matches(value))
            case "prose":
                return self._told(name, text_test(pattern))
            case "words":
                return self._of_words(self._named_array(name), word_test(pattern))
            case "texts":
                return self._anywhere(name, pattern)
            case "colour":
                return shows(self._array(name), pattern)
            case "tag":
                return self._tagged(pattern)
            case "path":
                if (known := self._named.get((name, pattern))) is None:
                    make, native = path_test if name == "path" else name_test, native_part(pattern)
                    known = self._matching(make(native))
                    if len(self._named) >= REMEMBERED_PATTERNS:
                        self._named.clear()
                    self._named[name, pattern] = known
                return known.copy()
            case _:
                if name == "is" and pattern == ANY_STATE:
                    return np.ones(len(self), bool)
                return self._of_table(name, lambda value: value.casefold() == pattern.casefold())

    def _tagged(self, name: str | None) -> Mask:
        """Photos that have a tag, or any."""
        with self.segment.source.snapshot() as snapshot:
            return np.isin(self.ids, snapshot.tagged(name))

    def values(self, name: str) -> NDArray[np.int64]:
        """What photos are sorted by: dates (NEVER for none), figures (megapixels: pixels), and for path and
        name their rank."""
        if name == "megapixels":
            return self._product(name, np.int64)
        values = self._array(name)
        if values.dtype.kind != "f":
            return values.astype(np.int64)
        measure = NAMED[name].measure
        assert measure is not None
        known = ~np.isnan(values)
        steps = np.full(len(self), NEVER)
        steps[known] = np.rint(values[known] / float(measure.step)).astype(np.int64)
        return steps

    def counts(self, name: str, rows: NDArray[np.intp] | None = None) -> dict[str, int]:
        """How many photos, all or those of some rows, have each value of a fact: a word, one of many words,
        a number, or an orientation, of which a photo may have two; those without are left out."""
        if NAMED[name].kind == "number":
            known, numbers = np.unique(self.known(name, rows), return_counts=True)
            return {f"{value:g}": n for value, n in zip(known.tolist(), numbers.tolist(), strict=True)}
        if NAMED[name].kind == "orientation":
            held = {value: self.orientation(value) for value in ORIENTATIONS}
            each = {v: int(np.count_nonzero(m if rows is None else m[rows])) for v, m in held.items()}
            return {value: n for value, n in each.items() if n}
        column = self._named_array(name)
        numbers = self.arrays[column]
        if NAMED[name].kind == "words":
            chosen = np.arange(len(self)) if rows is None else rows
            numbers = numbers[np.isin(self._rows_of_words(column), chosen)]
        elif rows is not None:
            numbers = numbers[rows]
        names = self.table(column)
        found = np.bincount(numbers, minlength=len(names)).tolist()
        return {name: n for name, n in zip(names, found, strict=True) if name and n}

    def known(self, name: str, rows: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """The numbers of a fact that photos may lack, of all photos or of some rows, of those that have
        one."""
        values = self._array(name) if rows is None else self._array(name)[rows]
        return np.asarray(values[~np.isnan(values)], np.float64)

    def _array(self, name: str) -> NDArray[Any]:
        """The array of a fact of one column; of a path, the ranks of paths or of names."""
        if name == "id":
            return self.ids
        if name == "taken":
            return self._taken
        return self.arrays[name if NAMED[name].kind == "path" else self._named_array(name)]

    @property
    def _taken(self) -> NDArray[np.int64]:
        """When photos were taken, by which they are in order; NEVER where that is not known."""
        moments, dated = self.segment.moments, self.arrays["dated"]
        return ROOM.array(self.arrays, "taken", lambda: np.where(dated, moments, NEVER))

    def _named_array(self, name: str) -> str:
        return NAMED[name].columns[0].array

    def _product(self, name: str, dtype: type[np.number[Any]]) -> NDArray[Any]:
        """The product of the two columns that a fact is made of."""
        one, other = (self.arrays[column.array] for column in NAMED[name].columns)
        product: NDArray[Any] = np.multiply(one, other, dtype=dtype)
        return product

    def path(self, row: int) -> str:
        """The path of a photo, from the catalog. Raises Stale when that has changed."""
        with self._snapshot() as snapshot:
            return self._path(snapshot, row)

    def paths(self, rows: NDArray[np.intp]) -> list[str]:
        """Those of some photos, in the order of ``rows``, from the catalog. Raises Stale when that has
        changed."""
        ids = self.ids[rows]
        with self._snapshot() as snapshot:
            found = dict(pair for part in snapshot.paths(ids) for pair in part)
        return [found[photo_id] for photo_id in ids.tolist()]

    def rank_of(self, column: Literal["path", "name"], path: str) -> tuple[int, bool]:
        """Where a path or the name at its end belongs among the `values` of the column, and whether it is
        there.

        Raises Stale when the catalog has changed."""
        ranks = self.arrays[column]
        rows = self._in_order(column)
        wanted = path_key(column, path)
        with self._snapshot() as snapshot:
            at = bisect.bisect_left(rows, wanted, key=lambda row: path_key(column, self._path(snapshot, row)))
            there = at < rows.size and path_key(column, self._path(snapshot, rows[at])) == wanted
        return (int(ranks[rows[at]]) if at < rows.size else int(ranks.max(initial=0)) + 1), there

    def _in_order(self, column: Literal["path", "name"]) -> NDArray[np.intp]:
        """The rows by path or name, but for those that are gone: what the catalog says of these is no more
        what put them in order."""
        if column not in self._sorted:
            rows, gone = np.argsort(self.arrays[column], kind="stable"), self.segment.gone
            self._sorted[column] = rows if gone is None else rows[~gone[rows]]
        return self._sorted[column]

    @contextmanager
    def _snapshot(self) -> Iterator[Snapshot]:
        with self.segment.source.snapshot() as snapshot:
            if snapshot.state != self.segment.state:
                raise Stale
            yield snapshot

    def _path(self, snapshot: Snapshot, row: int) -> str:
        return next(path for part in snapshot.paths(self.ids[row : row + 1]) for _, path in part)

    def _before(self, moment: int) -> int:
        """How many photos are of a later date, taken or else added, than ``moment``."""
        return bisect.bisect_left(self.segment.moments, -moment, key=lambda date: -int(date))

    def _of_table(self, column: str, holds: Callable[[str], bool]) -> Mask:
        return self._numbered(column, np.array([holds(value) for value in self.table(column)], bool))

    def _of_words(self, column: str, holds: Callable[[str], bool]) -> Mask:
        """The rows that have some word."""
        chosen = np.array([holds(word) for word in self.table(column)], bool)
        held = np.zeros(len(self), bool)
        if chosen.any():
            held[self._rows_of_words(column)[chosen[self.arrays[column]]]] = True
        return held

    def _rows_of_words(self, column: str) -> NDArray[np.intp]:
        """The row of each word of a column."""
        return np.repeat(np.arange(len(self)), self._words_each(column))

    def _words_each(self, column: str) -> NDArray[np.int64]:
        """How many words each row has."""
        starts = self.arrays[f"{column}_starts"].astype(np.int64)
        return starts[1:] - starts[:-1]

    def _told(self, name: str, holds: Callable[[str], bool]) -> Mask:
        """The rows whose text, asked of the catalog, is as wanted."""
        with self._snapshot() as snapshot:
            found = [
                i for part in snapshot.texts(NAMED[name].columns[0].name) for i, text in part if holds(text)
            ]
        return np.isin(self.ids, np.array(found, np.int64))

    def _anywhere(self, name: str, pattern: str) -> Mask:
        """The rows of which one of several texts is as wanted; of a path, the name."""
        holds, held = text_test(pattern), np.zeros(len(self), bool)
        for column in NAMED[name].columns:
            match column.values:
                case "words":
                    held |= self._of_words(column.array, holds)
                case "path":
                    held |= self.text("name", pattern)
                case _:
                    held |= self._told(column.array, holds)
        return held

    def _numbered(self, column: str, chosen: Mask) -> Mask:
        """The rows whose number in a table is one of those chosen. Chosen ones are often neighbours: paths of
        one folder."""
        numbers = self.arrays[column]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8))).reshape(
            -1, 2
        )
        if len(edges) > COMPARED_RUNS:
            found: Mask = chosen[numbers]
            return found
        held = np.zeros(len(self), bool)
        for first, end in edges.tolist():
            held |= (numbers >= first) & (numbers < end)
        return held

    def _matching(self, test: PathTest) -> Mask:
        """The rows of which a path, shown or not, passes."""
        verdicts = [test.folder(folder) for folder in self.table("folder")]
        held = self._in_folders(np.array([verdict is True for verdict in verdicts], bool))
        doubtful = self._in_folders(np.array([verdict is None for verdict in verdicts], bool)) & ~held
        asked = np.flatnonzero(doubtful)
        if asked.size:
            copied = np.intersect1d(asked, self.arrays["copy_rows"])
            with self._snapshot() as snapshot:
                told = [snapshot.paths(self._some_or_all(asked), test.letters)]
                told += [snapshot.copies(self._some_or_all(copied), test.letters)] if copied.size else []
                known = [
                    photo_id
                    for parts in told
                    for part in parts
                    for photo_id, path in part
                    if test.path(folded_name(native_name(path)))
                ]
            held[asked] |= np.isin(self.ids[asked], np.array(known, np.int64))
        return held

    def _some_or_all(self, rows: NDArray[np.intp]) -> NDArray[np.int64] | None:
        """The ids of rows to be asked of the catalog; None, for all, where they are many."""
        return None if 4 * rows.size > len(self) else self.ids[rows]

    def _in_folders(self, chosen: Mask) -> Mask:
        """The rows of which a path is in a folder that is chosen, by the folders' numbers."""
        held = self._numbered("folder", chosen)
        held[self.arrays["copy_rows"][chosen[self.arrays["copy_folder"]]]] = True
        return held


_HOUR = 3_600_000_000  # microseconds


def _of_days(name: str, first: int, last: int) -> NDArray[np.int64]:
    """The months, weekdays or days of the year, as `query.ast.Recurring` has them, of the days since 1970
    from ``first`` to ``last``."""
    days = np.arange(first, last + 1)
    if name == "weekday":
        return (days + 3) % 7 + 1  # the first was a Thursday
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    numbers: NDArray[np.int64] = months.astype(np.int64) % 12 + 1
    if name == "day":
        numbers = 100 * numbers + (dates - months.astype("datetime64[D]")).astype(np.int64) + 1
    return numbers


def open_files(segment: Segment) -> Files:
    """The facts of a segment's files; see `Segment.arrays`."""
    return Files(segment, segment.arrays(KIND, KEY, facts))
