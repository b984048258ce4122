"""Coverage columns: for each class and group one number a photo, to answer coverage questions about all
photos in a pass over memory; beside it the certainty of the class there and the colours that it shows.

Rows are in the order in which equally good photos are shown: newest first (date taken, else date added), then
by id. What a sixth of the photos or more have is kept as a full column of quanta, anything else as (row,
quantum) pairs. The columns alone decide a question for all photos but those whose quantum holds the bound;
these are looked up in the catalog.
"""

from __future__ import annotations

import bisect
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.certainty import UNKNOWN_CERTAINTY
from dsslic_search.core.errors import ArchiveError, FormatError, Remedy
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.features.coverage import CERTAINTY_KNOWN, COLOURS, read_shown
from dsslic_search.index import cache
from dsslic_search.index.quanta import QUANTA, doubt, quanta, span_of, ticks
from dsslic_search.index.segments import Segment, Table
from dsslic_search.index.source import Snapshot, Stale

KIND = "coverage"
FORMAT = 5
FULL_ONE_IN = 6
"""A column is full when at least one photo in so many has the thing; pairs then cost nearly as much and are
slower."""
LOOKED_UP_ROWS = 8192  # at most; more are read off the whole column
REMEMBERED_QUANTA = 4096  # of which rows and ticks are kept
MAX_QUANTUM = QUANTA + 1
_ANEW = f"describe its photos anew with: {Remedy.REINDEX}"

Classes = tuple[int, ...]


@dataclass(frozen=True)
class Columns(Table):
    """The columns of a segment.

    There is one for each of ``sets``, tuples of class ids in ascending order: the single classes and the
    vocabulary's groups. Methods raise KeyError for any other set."""

    sets: tuple[Classes, ...]
    _asked: dict[tuple[Classes, int], tuple[NDArray[np.intp], NDArray[np.int64]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def moments(self) -> NDArray[np.int64]:
        """The dates by which rows are in order, newest first: int64 microseconds since 1970."""
        return self.segment.moments

    def shown(self, lifted: int = 0) -> NDArray[np.bool_] | None:
        """Which rows answers are of, bool: all but those of photos with a flag (`core.kinds.PhotoState.flag`)
        that is not among those ``lifted``, and of those that are gone; None for all rows."""
        flags: NDArray[np.uint8] = self.arrays["flags"]
        hidden = flags & np.uint8(~lifted & 0xFF)
        shown = hidden == 0 if hidden.any() else None
        if (gone := self.segment.gone) is None:
            return shown
        return ~gone if shown is None else shown & ~gone

    def shown_rows(self) -> NDArray[np.intp] | None:
        """The rows that answers are of, ascending; None for all."""
        shown = self.shown()
        return None if shown is None else np.flatnonzero(shown)

    def row_after(self, moment: int, photo_id: int) -> int:
        """The first row that comes after a photo of that date and id, be it there or not; 0 .. len(self)."""
        wanted = (-moment, photo_id)
        return bisect.bisect_right(
            range(len(self)), wanted, key=lambda row: (-int(self.moments[row]), int(self.ids[row]))
        )

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.intp]:
        """The rows of photos that are there, in the order of ``ids``."""
        return self.segment.rows_of(ids)

    def quanta(self, classes: Classes) -> NDArray[np.uint16]:
        """The quantum of ``classes`` together in each row, uint16; treat as read-only."""
        if (column := self._full(classes)) is not None:
            return column
        rows, values = self._pairs(classes)
        scattered = np.zeros(len(self), np.uint16)
        scattered[rows] = values
        return scattered

    def at(self, classes: Classes, rows: NDArray[np.intp]) -> NDArray[np.uint16]:
        """The quanta of some rows, uint16."""
        return self._at(classes, rows, "")

    def certainty_at(self, classes: Classes, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        """How sure it is that some rows show the classes: uint8, the mean over all their labels of the
        probability that these are right, times 255; 0 where they are not shown."""
        return self._at(classes, rows, "_certainty")

    def coloured(self, classes: Classes, bit: int) -> NDArray[np.bool_]:
        """Which rows show some of the classes in a colour, by its bit: bool, the caller's own."""
        if (column := self._full(classes, "_colours")) is not None:
            return np.asarray((column & bit) != 0)
        rows, masks = self._pairs(classes, "_colours")
        held = np.zeros(len(self), bool)
        held[rows[(masks & bit) != 0]] = True
        return held

    def _at(self, classes: Classes, rows: NDArray[np.intp], what: str) -> NDArray[Any]:
        """Of some rows what is kept beside coverage, or with "" that itself; 0 where there is no coverage."""
        if (column := self._full(classes, what)) is not None:
            return np.asarray(column[rows])
        having, values = self._pairs(classes, what)
        if rows.size > LOOKED_UP_ROWS or not having.size:
            scattered = np.zeros(len(self), values.dtype)
            scattered[having] = values
            return scattered[rows]
        nearest = np.minimum(np.searchsorted(having, rows.astype(having.dtype)), having.size - 1)
        return np.where(having[nearest] == rows, values[nearest], 0).astype(values.dtype)

    def between(self, classes: Classes, first: int, last: int) -> NDArray[np.bool_]:
        """Which rows have a quantum from ``first`` to ``last``, both included: bool, the caller's own."""
        if (column := self._full(classes)) is not None:
            return _between(column, first, last)
        rows, values = self._pairs(classes)
        held = np.full(len(self), first <= 0 <= last)
        if first <= last:
            held[rows.astype(np.intp)] = _between(values, first, last)  # faster than picking those that are
        return held

    def within(self, classes: Classes, low: int, high: int) -> NDArray[np.bool_]:
        """Which rows have ``low`` to ``high`` ticks of the classes together, both included: bool, exact, the
        caller's own. A photo without a label map has not even 0.

        Raises Stale when the catalog would have to be asked but has changed."""
        fails, holds = doubt(low)
        stays, exceeds = doubt(high + 1)
        held = self.between(classes, holds, stays)
        for rows, exact in self._exactly(classes, {*range(fails + 1, holds), *range(stays + 1, exceeds)}):
            held[rows] = (low <= exact) & (exact <= high)
        return self.seen_alone(held)

    def balanced(self, terms: Sequence[tuple[Classes, int]], bound: int, above: bool) -> NDArray[np.bool_]:
        """In which rows the ticks of some classes, each taken as often as is said, come to ``bound`` or more,
        or only to more if ``above``: bool, the caller's own; exact but for the rounding of each coverage to a
        tick, far less than a pixel. A photo without a label map is none of them.

        Raises Stale when the catalog would have to be asked but has changed."""
        rounding = sum(abs(times) for _, times in terms) // 2
        least = bound + rounding + 1 if above else bound - rounding
        lower, upper = np.zeros(len(self), np.int64), np.zeros(len(self), np.int64)
        for classes, times in terms:
            fewest, most = span_of(self.quanta(classes))
            lower += times * (fewest if times > 0 else most)
            upper += times * (most if times > 0 else fewest)
        held = lower >= least
        doubtful = np.flatnonzero(~held & (upper >= least))
        exact = np.zeros(doubtful.size, np.int64)
        for classes, times in terms:
            exact += times * self._ticks(doubtful, classes)
        held[doubtful] = exact >= least
        return self.seen_alone(held)

    def seen_alone(self, held: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """``held``, a mask of all rows, changed so that it is false of photos without a label map."""
        held[self.arrays["unseen"]] = False
        return held

    @cached_property
    def _numbers(self) -> dict[Classes, int]:
        return {classes: number for number, classes in enumerate(self.sets)}

    def _full(self, classes: Classes, what: str = "") -> NDArray[Any] | None:
        number = int(self.arrays["places"][self._numbers[classes]])
        return None if number < 0 else self.arrays.row(f"full{what}", number)

    def _pairs(self, classes: Classes, what: str = "") -> tuple[NDArray[np.uint32], NDArray[Any]]:
        """Rows, ascending, and quanta, or what is kept beside these, of what has no full column."""
        number = self._numbers[classes]
        start, stop = self.arrays["starts"][number : number + 2].tolist()
        return self.arrays.part("rows", start, stop), self.arrays.part(f"pairs{what}", start, stop)

    def _exactly(
        self, classes: Classes, doubtful: set[int]
    ) -> list[tuple[NDArray[np.intp], NDArray[np.int64]]]:
        """The rows that have each of some quanta, and their ticks from the catalog. Remembered, as a
        generation never changes."""
        known = {quantum: self._asked.get((classes, quantum)) for quantum in doubtful}
        if new := {
            quantum: self._having(classes, quantum) for quantum, pair in known.items() if pair is None
        }:
            exact = self._ticks(np.concatenate([*new.values()]), classes)
            if len(self._asked) >= REMEMBERED_QUANTA:
                self._asked.clear()
            for quantum, rows in new.items():
                known[quantum] = self._asked[classes, quantum] = rows, exact[: rows.size]
                exact = exact[rows.size :]
        return [pair for pair in known.values() if pair is not None]

    def _ticks(self, rows: NDArray[np.intp], classes: Classes) -> NDArray[np.int64]:
        """The ticks of some rows, from the catalog, which is opened where there are any."""
        if not rows.size:
            return np.empty(0, np.int64)
        with self.segment.source.snapshot() as snapshot:
            if snapshot.state != self.segment.state:
                raise Stale
            return ticks(snapshot.covered(self.ids[rows], classes))

    def _having(self, classes: Classes, quantum: int) -> NDArray[np.intp]:
        """The rows that have a quantum, which is not 0."""
        if (column := self._full(classes)) is not None:
            return np.flatnonzero(column == quantum)
        rows, values = self._pairs(classes)
        return rows[np.flatnonzero(values == quantum)].astype(np.intp)


def _between(values: NDArray[np.uint16], first: int, last: int) -> NDArray[np.bool_]:
    if first > MAX_QUANTUM or last < 0 or last < first:
        return np.zeros(values.size, bool)
    if last >= MAX_QUANTUM:
        return values >= max(first, 0)
    held: NDArray[np.bool_] = values <= last
    if first > 0:
        np.logical_and(held, values >= first, out=held)
    return held


def open_columns(segment: Segment) -> Columns:
    """The columns of a segment. Raises ArchiveError when the catalog holds fractions that cannot be, and as
    `Segment.arrays`."""
    sets = column_sets(segment.vocabulary)
    key = f"{FORMAT}/{segment.vocabulary.identity}/{QUANTA}/{zlib.crc32(repr(sets).encode()):08x}"
    return Columns(segment, segment.arrays(KIND, key, lambda snapshot: _build(snapshot, sets)), sets)


def column_sets(vocabulary: Vocabulary) -> tuple[Classes, ...]:
    """What has a column: every class, then every group of more than one class, each once."""
    groups = dict.fromkeys(group.members for group in vocabulary.groups if len(group.members) > 1)
    return (*((class_id,) for class_id in range(len(vocabulary))), *groups)


_KEPT: Mapping[str, type[np.unsignedinteger[Any]]] = {
    "": np.uint16,
    "_certainty": np.uint8,
    "_colours": np.uint16,
}
"""What is kept of a thing in a photo, by the endings of the arrays' names: quanta, and what stands beside."""


@dataclass(frozen=True)
class _Rows:
    """Photos that show a thing: ``rows``, ascending, and what is kept of the thing there (see `_KEPT`)."""

    rows: NDArray[np.uint32]
    kept: Mapping[str, NDArray[Any]]

    @classmethod
    def of(
        cls,
        rows: NDArray[np.unsignedinteger[Any]],
        fractions: NDArray[np.float64],
        certainties: NDArray[np.uint8],
        colours: NDArray[np.uint16],
    ) -> _Rows:
        return cls(rows, {"": quanta(fractions), "_certainty": certainties, "_colours": colours})

    @classmethod
    def joined(cls, parts: Sequence[_Rows]) -> _Rows:
        """Of parts whose rows come one after another's."""
        kept = {what: np.concatenate([part.kept[what] for part in parts]) for what in _KEPT}
        return cls(np.concatenate([part.rows for part in parts]), kept)

    def sliced(self, part: slice) -> _Rows:
        return _Rows(self.rows[part], {what: values[part] for what, values in self.kept.items()})


def _build(snapshot: Snapshot, sets: tuple[Classes, ...]) -> cache.Made:
    """All arrays from the catalog."""
    ids = snapshot.photo_ids()
    groups = [classes for classes in sets if len(classes) > 1]
    singles = len(sets) - len(groups)
    seen = np.zeros(ids.size, bool)
    columns: list[list[_Rows]] = [[] for _ in sets]
    first = 0
    for batch in snapshot.coverages():
        found, rows = _read(batch, first, singles)
        seen[rows] = True
        certainties = np.where(
            found["colours"] & CERTAINTY_KNOWN, found["certainty"], np.uint8(UNKNOWN_CERTAINTY)
        )
        masks = found["colours"] & np.uint16(COLOURS)
        order = np.argsort(found["class_id"], kind="stable")
        starts = np.searchsorted(found["class_id"][order], np.arange(singles + 1)).tolist()
        every = _Rows.of(rows[order], found["fraction"][order], certainties[order], masks[order])
        there = {class_id for class_id in range(singles) if starts[class_id] < starts[class_id + 1]}
        for class_id in there:
            columns[class_id].append(every.sliced(slice(*starts[class_id : class_id + 2])))
        for number, classes in enumerate(groups, singles):
            if there.isdisjoint(classes):
                continue
            own = np.isin(found["class_id"], classes)
            columns[number].append(_together(rows[own], found["fraction"][own], certainties[own], masks[own]))
        first += len(batch)
    unseen = np.flatnonzero(~seen).astype(np.uint32)  # label maps say something of every pixel
    arrays: cache.Made = {"unseen": unseen, "flags": _flags(snapshot, ids, np.argsort(ids))}
    return arrays | _arrays(columns, ids.size)


def _read(
    batch: Sequence[tuple[int, bytes]], first: int, classes: int
) -> tuple[NDArray[Any], NDArray[np.uint32]]:
    """The coverages of photos in consecutive rows, of which ``first`` is the first, by row and class id:
    SHOWN[n], and the rows. Raises ArchiveError for what cannot be."""
    try:
        found, counts = read_shown([stored for _, stored in batch])
    except FormatError as e:
        raise ArchiveError(f"the catalog is damaged: {e}; {_ANEW}") from None
    place = np.repeat(np.arange(len(batch), dtype=np.uint32), counts)
    if np.any(found["class_id"] >= classes):
        known = found["class_id"] < classes
        found, place = found[known], place[known]
    if not np.all((found["fraction"] > 0) & (found["fraction"] <= 1)):
        raise ArchiveError(f"the catalog is damaged: a coverage is not in 0..1; {_ANEW}")
    sums = np.bincount(place, found["fraction"], len(batch))
    if np.any(sums > 1 + 1e-9):
        bad = batch[int(np.argmax(sums))][0]
        raise ArchiveError(
            f"the catalog is damaged: the classes of photo {bad} cover more than all of it; {_ANEW}"
        )
    return found, place + np.uint32(first)


def _together(
    rows: NDArray[np.uint32],
    fractions: NDArray[np.float64],
    certainties: NDArray[np.uint8],
    colours: NDArray[np.uint16],
) -> _Rows:
    """What the classes of a group come to in each photo, from what is known of each, by row, then by class
    id: fractions are added in this order, as the catalog does."""
    begins = np.ones(rows.size, bool)
    begins[1:] = rows[1:] != rows[:-1]
    first = np.flatnonzero(begins)
    number = np.cumsum(begins) - 1
    whole = np.bincount(number, fractions, first.size)
    mean = np.rint(np.bincount(number, fractions * certainties, first.size) / whole).astype(np.uint8)
    shown = np.bitwise_or.reduceat(colours, first) if first.size else colours
    return _Rows.of(rows[first], np.minimum(whole, 1), mean, shown)


def _arrays(columns: Sequence[Sequence[_Rows]], photos: int) -> cache.Made:
    """Columns in their order, of which each photo has some, as they are stored."""
    full: dict[str, list[NDArray[Any]]] = {what: [] for what in _KEPT}
    few: list[_Rows] = []
    places: list[int] = []  # of each column, among the full ones; -1 for pairs
    nothing = _Rows(np.empty(0, np.uint32), {what: np.empty(0, dtype) for what, dtype in _KEPT.items()})
    for parts in columns:
        column = _Rows.joined(parts) if parts else nothing
        if FULL_ONE_IN * column.rows.size >= photos > 0:
            places.append(len(full[""]))
            for what, dtype in _KEPT.items():
                full[what].append(np.zeros(photos, dtype))
                full[what][-1][column.rows] = column.kept[what]
            column = nothing
        else:
            places.append(-1)
        few.append(column)
    pairs = _Rows.joined(few)
    arrays: cache.Made = {
        "places": np.array(places, np.int16),
        "starts": np.cumsum([0, *(column.rows.size for column in few)], dtype=np.int64),
        "rows": pairs.rows,
    }
    for what, dtype in _KEPT.items():
        arrays[f"full{what}"] = np.array(full[what], dtype).reshape(len(full[what]), photos)
        arrays[f"pairs{what}"] = pairs.kept[what]
    return arrays


def _flags(snapshot: Snapshot, ids: NDArray[np.int64], by_id: NDArray[np.intp]) -> NDArray[np.uint8]:
    """`core.kinds.PhotoState.flag` of each row; empty where no photo has any. ``by_id`` sorts ``ids``."""
    hidden, flags = snapshot.hidden()
    if not hidden.size:
        return np.empty(0, np.uint8)
    of_rows = np.zeros(ids.size, np.uint8)
    of_rows[by_id[np.searchsorted(ids, hidden, sorter=by_id)]] = flags
    return of_rows
