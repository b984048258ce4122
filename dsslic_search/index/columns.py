"""Coverage columns: for each class and group one number a photo, to answer coverage questions about all
photos in a pass over memory; beside it the certainty of the class there and the colours that it shows.

Rows are in the order in which equally good photos are shown: newest first (date taken, else date added), then
by id. Of each class (row, quantum) pairs are kept; of a group only what cannot be told from those of its
classes. What a sixth of the photos or more have is asked as a full column. The columns alone decide a
question for all photos but those whose quantum holds the bound; these are looked up in the catalog.
"""

from __future__ import annotations

import bisect
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.cached import cached_property
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.index import column_loops
from dsslic_search.index.column_rows import KEPT, Rows, columns_of, quanta_together, together
from dsslic_search.index.compiling import compiled, quick
from dsslic_search.index.quanta import QUANTA, doubt, span_of, ticks
from dsslic_search.index.room import ROOM, zeros
from dsslic_search.index.segment import Segment, Table
from dsslic_search.index.source import Stale

KIND = "coverage"
FORMAT = 6
FULL_ONE_IN = 6
"""A column is full when at least one photo in so many has the thing; pairs then cost nearly as much and are
slower."""
TALLIED = 64
"""Rows of a full column of which it is known how many before them have the thing."""
LOOKED_UP_ONE_IN = 64
"""Where no more than one photo in so many is asked about, what stands beside its coverage is looked up."""
LOOKED_UP_ROWS = 16_384  # at most; more are read off the whole column
REMEMBERED_QUANTA = 4096  # of which rows and ticks are kept
MAX_QUANTUM = QUANTA + 1

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

    def unpack_ahead(self) -> None:
        """Make the full columns of coverage, and what certainties are looked up by."""
        for classes in self.sets:
            if self._full(classes) is not None:
                self.certainty_at(classes, np.zeros(1, np.intp))

    def at(self, classes: Classes, rows: NDArray[np.intp]) -> NDArray[np.uint16]:
        """The quanta of some rows, uint16."""
        return self._at(classes, rows, "")

    def certainty_at(self, classes: Classes, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        """How sure it is that some rows show the classes: uint8, the mean over all their labels of the
        probability that these are right, times 255; 0 where they are not shown."""
        return self._at(classes, rows, "_certainty")

    def leave_out_unsure(self, classes: Classes, least: int, held: NDArray[np.bool_]) -> None:
        """Change ``held``, a mask of all rows: where it has so many that certainties are looked up in a full
        column, those with less than ``least`` go."""
        if not self._is_full[self._numbers[classes]]:
            return
        if LOOKED_UP_ONE_IN * np.count_nonzero(held) <= len(self):
            return
        column = self._full(classes, "_certainty")
        assert column is not None
        if (narrow := quick(column_loops.narrow, column.size)) is None:
            held &= column >= least
        else:
            narrow(column, np.uint8(least), np.uint8(255), held)

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
        if what and (found := self._few(classes, rows, what)) is not None:
            return found
        if (column := self._full(classes, what)) is not None:
            return np.asarray(column[rows])
        having, values = self._pairs(classes, what)
        if rows.size > LOOKED_UP_ROWS or not having.size:
            scattered = np.zeros(len(self), values.dtype)
            scattered[having] = values
            return scattered[rows]
        if (find := quick(column_loops.find, rows.size)) is None:
            places = np.minimum(np.searchsorted(having, rows.astype(having.dtype)), having.size - 1)
            there = having[places] == rows
        else:
            places, there = np.empty(rows.size, np.intp), np.empty(rows.size, bool)
            find(having, rows, places, there)
        return np.where(there, values[places], 0).astype(values.dtype)

    def _few(self, classes: Classes, rows: NDArray[np.intp], what: str) -> NDArray[Any] | None:
        """Of few rows what is kept beside the coverage of a class, so that no full column has to be made of
        it; None where that is there, or where it pays to make it."""
        number = self._numbers[classes]
        if len(classes) > 1 or not self._is_full[number] or LOOKED_UP_ONE_IN * rows.size > len(self):
            return None
        if ROOM.known(self.arrays, ("full", number, what)) is not None:
            return None
        if (look_up := quick(column_loops.look_up, rows.size)) is None:
            return None
        column = self.quanta(classes)
        start, stop = self.arrays["starts"][number : number + 2].tolist()
        found = np.zeros(rows.size, KEPT[what])
        before = ROOM.array(self.arrays, ("before", number), lambda: self._before(column))
        look_up(column, TALLIED, before, self.arrays.part(f"pairs{what}", start, stop), rows, found)
        return found

    def _before(self, column: NDArray[np.uint16]) -> NDArray[np.uint32]:
        """How many rows before each TALLIED have a thing."""
        before = np.zeros(-(-column.size // TALLIED), np.uint32)
        compiled(column_loops.tally)(column, TALLIED, before)
        return before

    def between(
        self, classes: Classes, first: int, last: int, among: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """Which rows, of those ``among`` some if these are given, have a quantum from ``first`` to ``last``,
        both included: bool, the caller's own."""
        every = np.ones(len(self), bool) if among is None else among
        least, most = (max(first, 0), min(last, MAX_QUANTUM)) if first <= last else (1, 0)
        if least > most:
            return np.zeros(len(self), bool)
        bounds = np.uint16(least), np.uint16(most)
        if (column := self._full(classes)) is not None:
            if (narrow := quick(column_loops.narrow, column.size)) is None:
                return _between(column, *bounds) & every
            held = every if among is None else every.copy()
            narrow(column, *bounds, held)
            return held
        rows, values = self._pairs(classes)
        held = every.copy() if least == 0 else np.zeros(len(self), bool)
        if (mark := quick(column_loops.mark, rows.size)) is None:
            own = rows.astype(np.intp)
            held[own] = _between(values, *bounds) & every[own]  # faster than picking those that are
        else:
            mark(rows, values, *bounds, every, held)
        return held

    def within(
        self, classes: Classes, low: int, high: int, among: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """Which rows, of those ``among`` some if these are given, have ``low`` to ``high`` ticks of the
        classes together, both included: bool, exact, the caller's own. A photo without a label map has not
        even 0.

        Raises Stale when the catalog would have to be asked but has changed."""
        fails, holds = doubt(low)
        stays, exceeds = doubt(high + 1)
        held = self.between(classes, holds, stays, among)
        for rows, exact in self._exactly(classes, {*range(fails + 1, holds), *range(stays + 1, exceeds)}):
            found = (low <= exact) & (exact <= high)
            held[rows] = found if among is None else found & among[rows]
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
    def _is_full(self) -> list[bool]:
        """Which of the sets so many rows have that there is a full column of them."""
        full: list[bool] = (FULL_ONE_IN * self.arrays["sizes"] >= len(self)).tolist()
        return full

    @cached_property
    def _numbers(self) -> dict[Classes, int]:
        return {classes: number for number, classes in enumerate(self.sets)}

    def _full(self, classes: Classes, what: str = "") -> NDArray[Any] | None:
        """What is kept of classes in every row, 0 where they are not; None where few rows have them."""
        number = self._numbers[classes]
        if not self._is_full[number]:
            return None
        if (known := ROOM.known(self.arrays, ("full", number, what))) is not None:
            found: NDArray[Any] = known
            return found

        def make() -> NDArray[Any]:
            column = zeros(len(self), np.dtype(KEPT[what]))
            if len(classes) > 1 and not what:
                members = [(self._pairs((c,), kept=False)) for c in classes]
                if quanta_together(members, self._more(number, ""), column):
                    return column
            rows, values = self._pairs(classes, what, kept=False)
            if (put := quick(column_loops.put, rows.size)) is None:
                column[rows] = values
            else:
                put(rows, values, column)
            return column

        return ROOM.array(self.arrays, ("full", number, what), make)

    def _pairs(
        self, classes: Classes, what: str = "", *, kept: bool = True
    ) -> tuple[NDArray[np.uint32], NDArray[Any]]:
        """The rows that have classes, ascending, and quanta, or what is kept beside these. Without ``kept``
        they are not wanted again."""
        number = self._numbers[classes]
        if len(classes) > 1:
            every = self._together(number, classes) if not kept else ROOM.get(
                self.arrays, ("pairs", number), lambda: self._together(number, classes),
                Rows.BYTES * int(self.arrays["sizes"][number]),
            )  # fmt: skip
            return every.rows, every.kept[what]
        part = self.arrays["starts"][number : number + 2].tolist()
        taken = self.arrays.part if kept else self.arrays.taken
        return taken("rows", *part), taken(f"pairs{what}", *part)

    def _together(self, number: int, classes: Classes) -> Rows:
        """What is kept of a group, from what is of its classes."""
        members = [
            Rows(self._pairs((c,), kept=False)[0], {w: self._pairs((c,), w, kept=False)[1] for w in KEPT})
            for c in classes
        ]
        return together(members, len(self), {what: self._more(number, what) for what in ("", "_certainty")})

    def _more(self, number: int, what: str) -> NDArray[np.int16]:
        """By what is put right what is guessed of a group."""
        part = self.arrays["more_starts"][number - self._singles : number - self._singles + 2].tolist()
        return self.arrays.taken(f"more{what}", *part)

    @cached_property
    def _singles(self) -> int:
        return int(self.arrays["starts"].size) - 1

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


def _between(values: NDArray[np.uint16], first: np.uint16, last: np.uint16) -> NDArray[np.bool_]:
    if last >= MAX_QUANTUM:
        return values >= first
    held: NDArray[np.bool_] = values <= last
    if first > 0:
        np.logical_and(held, values >= first, out=held)
    return held


def open_columns(segment: Segment) -> Columns:
    """The columns of a segment. Raises ArchiveError when the catalog holds fractions that cannot be, and as
    `Segment.arrays`."""
    sets, key = _sets_and_key(segment.vocabulary)
    return Columns(segment, segment.arrays(KIND, key, lambda snapshot: columns_of(snapshot, sets)), sets)


@lru_cache(maxsize=10)
def _sets_and_key(vocabulary: Vocabulary) -> tuple[tuple[Classes, ...], str]:
    """The columns there are, and what tells a file that has these."""
    sets = column_sets(vocabulary)
    return sets, f"{FORMAT}/{vocabulary.identity}/{QUANTA}/{zlib.crc32(repr(sets).encode()):08x}"


def column_sets(vocabulary: Vocabulary) -> tuple[Classes, ...]:
    """What has a column: every class, then every group of more than one class, each once."""
    groups = dict.fromkeys(group.members for group in vocabulary.groups if len(group.members) > 1)
    return (*((class_id,) for class_id in range(len(vocabulary))), *groups)
