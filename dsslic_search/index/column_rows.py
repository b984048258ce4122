"""What `index.columns` keeps, made from the catalog: for each class the photos that show it, and what is
known of it there; and what is known of a group, from what is known of its classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.certainty import UNKNOWN_CERTAINTY
from dsslic_search.core.errors import ArchiveError, FormatError, Remedy
from dsslic_search.features.coverage import CERTAINTY_KNOWN, COLOURS, read_shown
from dsslic_search.index import cache, column_loops
from dsslic_search.index.compiling import Loop, compiled, quick
from dsslic_search.index.quanta import quanta
from dsslic_search.index.source import Snapshot, Stored

Classes = tuple[int, ...]
_ONE = 1 << 32
MOST_GATHERED = 64
"""Classes of a group, of which the sums in a photo are an int32."""
_NO_MORE = np.empty(0, np.int16), np.empty(0, np.int16)
_ANEW = f"describe its photos anew with: {Remedy.REINDEX}"

KEPT: Mapping[str, type[np.unsignedinteger[Any]]] = {
    "": np.uint16,
    "_certainty": np.uint8,
    "_colours": np.uint16,
}
"""What is kept of a thing in a photo, by the endings of the arrays' names: quanta, and what stands beside."""


@dataclass(frozen=True)
class Rows:
    """Photos that show a thing: ``rows``, ascending, and what is kept of the thing there (see `KEPT`)."""

    rows: NDArray[np.uint32]
    kept: Mapping[str, NDArray[Any]]
    BYTES: ClassVar[int] = 9
    """Of a row with what is kept."""

    @classmethod
    def of(
        cls,
        rows: NDArray[np.unsignedinteger[Any]],
        fractions: NDArray[np.float64],
        certainties: NDArray[np.uint8],
        colours: NDArray[np.uint16],
    ) -> Rows:
        return cls(rows, {"": quanta(fractions), "_certainty": certainties, "_colours": colours})

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """Of parts whose rows come one after another's."""
        if len(parts) == 1:
            return parts[0]
        kept = {what: np.concatenate([part.kept[what] for part in parts]) for what in KEPT}
        return cls(np.concatenate([part.rows for part in parts]), kept)

    def sliced(self, part: slice) -> Rows:
        return Rows(self.rows[part], {what: values[part] for what, values in self.kept.items()})


def columns_of(snapshot: Snapshot, sets: tuple[Classes, ...]) -> cache.Made:
    """All arrays from the catalog."""
    ids = snapshot.photo_ids()
    groups = [classes for classes in sets if len(classes) > 1]
    singles = len(sets) - len(groups)
    seen = np.zeros(ids.size, bool)
    columns: list[list[Rows]] = [[] for _ in sets]
    first = 0
    for batch in snapshot.coverages():
        found, rows = _read(batch, first, singles)
        seen[rows] = True
        kinds, fractions, colours = (found[n].copy() for n in ("class_id", "fraction", "colours"))
        certainties = np.where(colours & CERTAINTY_KNOWN, found["certainty"], np.uint8(UNKNOWN_CERTAINTY))
        masks = colours & np.uint16(COLOURS)
        order = np.argsort(kinds, kind="stable")
        starts = np.searchsorted(kinds[order], np.arange(singles + 1)).tolist()
        every = Rows.of(rows[order], fractions[order], certainties[order], masks[order])
        there = {class_id for class_id in range(singles) if starts[class_id] < starts[class_id + 1]}
        for class_id in there:
            columns[class_id].append(every.sliced(slice(*starts[class_id : class_id + 2])))
        for number, classes in enumerate(groups, singles):
            shown = there.intersection(classes)
            if len(shown) < 2:  # a group is what its one class is
                columns[number] += [columns[class_id][-1] for class_id in shown]
                continue
            members = np.zeros(singles, bool)
            members[list(shown)] = True
            own = np.flatnonzero(members[kinds])
            columns[number].append(_together(rows[own], fractions[own], certainties[own], masks[own]))
        first += batch.ids.size
    unseen = np.flatnonzero(~seen).astype(np.uint32)  # label maps say something of every pixel
    arrays: cache.Made = {"unseen": unseen, "flags": _flags(snapshot, ids, np.argsort(ids))}
    return arrays | _arrays(columns, sets, ids.size)


def _read(batch: Stored, first: int, classes: int) -> tuple[NDArray[Any], NDArray[np.uint32]]:
    """The coverages of photos in consecutive rows, of which ``first`` is the first, by row and class id:
    SHOWN[n], and the rows. Raises ArchiveError for what cannot be."""
    try:
        found, counts = read_shown(batch.blobs)
    except FormatError as e:
        raise ArchiveError(f"the catalog is damaged: {e}; {_ANEW}") from None
    place = np.repeat(np.arange(batch.ids.size, dtype=np.uint32), counts)
    if np.any(found["class_id"] >= classes):
        known = found["class_id"] < classes
        found, place = found[known], place[known]
    if not np.all((found["fraction"] > 0) & (found["fraction"] <= 1)):
        raise ArchiveError(f"the catalog is damaged: a coverage is not in 0..1; {_ANEW}")
    sums = np.bincount(place, found["fraction"], batch.ids.size)
    if np.any(sums > 1 + 1e-9):
        bad = batch.ids[np.argmax(sums)]
        raise ArchiveError(
            f"the catalog is damaged: the classes of photo {bad} cover more than all of it; {_ANEW}"
        )
    return found, place + np.uint32(first)


def _together(
    rows: NDArray[np.uint32],
    fractions: NDArray[np.float64],
    certainties: NDArray[np.uint8],
    colours: NDArray[np.uint16],
) -> Rows:
    """What the classes of a group come to in each photo, from what is known of each, by row, then by class
    id: fractions are added in this order, as the catalog does."""
    begins = np.ones(rows.size, bool)
    begins[1:] = rows[1:] != rows[:-1]
    first = np.flatnonzero(begins)
    number = np.cumsum(begins) - 1
    whole = np.bincount(number, fractions, first.size)
    mean = np.rint(np.bincount(number, fractions * certainties, first.size) / whole).astype(np.uint8)
    shown = np.bitwise_or.reduceat(colours, first) if first.size else colours
    return Rows.of(rows[first], np.minimum(whole, 1), mean, shown)


def _arrays(columns: Sequence[Sequence[Rows]], sets: Sequence[Classes], photos: int) -> cache.Made:
    """Columns in their order, of which each photo has some, as they are stored: pairs of the classes; of
    groups what cannot be told from these."""
    nothing = Rows(np.empty(0, np.uint32), {what: np.empty(0, dtype) for what, dtype in KEPT.items()})
    joined = [Rows.joined(parts) if parts else nothing for parts in columns]
    singles = [column for classes, column in zip(sets, joined, strict=True) if len(classes) == 1]
    pairs = Rows.joined([nothing, *singles])
    more: dict[str, list[NDArray[np.int16]]] = {"": [], "_certainty": []}
    for classes, column in zip(sets[len(singles) :], joined[len(singles) :], strict=True):
        shown = [singles[class_id] for class_id in classes if singles[class_id].rows.size]
        if len(shown) < 2:  # no photo has several
            for corrections in more.values():
                corrections.append(np.empty(0, np.int16))
            continue
        guessed = together(shown, photos, None)
        several = guessed.kept["several"]
        for what, corrections in more.items():
            exact = column.kept[what][several].astype(np.int32)
            corrections.append((exact - guessed.kept[what][several]).astype(np.int16))
    arrays: cache.Made = {
        "sizes": np.array([column.rows.size for column in joined], np.int64),
        "starts": np.cumsum([0, *(column.rows.size for column in singles)], dtype=np.int64),
        "rows": pairs.rows,
        "more_starts": np.cumsum([0, *(each.size for each in more[""])], dtype=np.int64),
    }
    arrays |= {f"pairs{what}": pairs.kept[what] for what in KEPT}
    arrays |= {
        f"more{what}": np.concatenate([np.empty(0, np.int16), *corrections])
        for what, corrections in more.items()
    }
    return arrays


def together(members: Sequence[Rows], photos: int, more: Mapping[str, NDArray[np.int16]] | None) -> Rows:
    """What is kept of a group, from what is kept of its classes: where a photo shows one of them, the same.

    Where it shows several, colours are those of all, and quantum and certainty are guessed and put right by
    ``more``, a number for each such row; with None they stay guessed, and "several" tells which these are."""
    if len(members) < MOST_GATHERED and (gather := quick(column_loops.gather, photos)) is not None:
        return _together_in_loops(gather, members, photos, more)
    # of each row how many classes, times _ONE, and the sum of their quanta, less 1 each: one sum for both
    sums, weighed = np.zeros(photos, np.int64), np.zeros(photos, np.int64)
    colours = np.zeros(photos, np.uint16)
    for member in members:
        quantum = np.maximum(member.kept[""], 1).astype(np.int64)
        sums[member.rows] += quantum + (_ONE - 1)
        weighed[member.rows] += (2 * quantum - 1) * member.kept["_certainty"]
        colours[member.rows] |= member.kept["_colours"]
    rows = np.flatnonzero(sums)
    sums = sums[rows]
    number, rounded = sums >> 32, sums & (_ONE - 1)
    weights = 2 * rounded + number
    mean = (2 * weighed[rows] + weights) // (2 * weights)
    found: dict[str, NDArray[Any]] = {
        "": (rounded + 1).astype(np.uint16),
        "_certainty": mean.astype(np.uint8),
        "_colours": colours[rows],
    }
    several = number > 1
    if more is None:
        return Rows(rows.astype(np.uint32), found | {"several": several})
    for what, corrections in more.items():
        values = found[what]
        values[several] = (values[several].astype(np.int32) + corrections).astype(values.dtype)
    return Rows(rows.astype(np.uint32), found)


def quanta_together(
    members: Sequence[tuple[NDArray[np.uint32], NDArray[Any]]],
    more: NDArray[np.int16],
    column: NDArray[np.uint16],
) -> bool:
    """The quanta of a group in each row into ``column``, which has zeros, as :func:`together` tells them,
    from the rows and quanta of its classes; False where that is not compiled, and nothing is done."""
    add = quick(column_loops.add, column.size) if len(members) < MOST_GATHERED else None
    if add is None:
        return False
    sums, classes = np.zeros(column.size, np.int32), np.zeros(column.size, np.uint8)
    for rows, quanta_of_class in members:
        add(rows, quanta_of_class, sums, classes)
    compiled(column_loops.sum_up)(sums, classes, more, column)
    return True


def _together_in_loops(
    gather: Loop, members: Sequence[Rows], photos: int, more: Mapping[str, NDArray[np.int16]] | None
) -> Rows:
    """The same, compiled."""
    sums, weighed = np.zeros(photos, np.int32), np.zeros(photos, np.int32)
    classes, masks = np.zeros(photos, np.uint8), np.zeros(photos, np.uint16)
    for member in members:
        gather(member.rows, *member.kept.values(), sums, weighed, classes, masks)
    rows, several = np.empty(photos, np.uint32), np.empty(photos, bool)
    kept: dict[str, NDArray[Any]] = {what: np.empty(photos, dtype) for what, dtype in KEPT.items()}
    corrections = _NO_MORE if more is None else (more[""], more["_certainty"])
    ways = more is not None, *corrections
    count = compiled(column_loops.settle)(sums, weighed, classes, masks, *ways, rows, *kept.values(), several)
    found = {what: values[:count].copy() for what, values in kept.items()}
    return Rows(rows[:count].copy(), found if more is not None else found | {"several": several[:count]})


def _flags(snapshot: Snapshot, ids: NDArray[np.int64], by_id: NDArray[np.intp]) -> NDArray[np.uint8]:
    """`core.kinds.PhotoState.flag` of each row; empty where no photo has any. ``by_id`` sorts ``ids``."""
    hidden, flags = snapshot.hidden()
    if not hidden.size:
        return np.empty(0, np.uint8)
    of_rows = np.zeros(ids.size, np.uint8)
    of_rows[by_id[np.searchsorted(ids, hidden, sorter=by_id)]] = flags
    return of_rows
