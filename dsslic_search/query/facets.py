"""What is in all photos, or in those that a query found: counts by class, month, camera and the like, from
columns alone."""

from __future__ import annotations

import bisect
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.fact import Fact
from dsslic_search.core.fields import COUNTED, NAMED, SPREAD
from dsslic_search.core.kinds import KeepMode
from dsslic_search.core.moments import NEVER
from dsslic_search.core.text import plural_of
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.index.columns import Columns
from dsslic_search.index.files import Files
from dsslic_search.index.quanta import QUANTA, TICKS
from dsslic_search.index.words import Words

MOST_SPOTS = 2_000  # on a map
FIELDS = (1e-4, 1e-3, 0.01, 0.1, 0.5, 1, 2, 5, 10)  # degrees, from about ten metres on
HISTOGRAM_BINS = 8  # each an eighth of 0..1

Rows = NDArray[np.intp] | None  # ascending; None: all


@dataclass(frozen=True)
class ClassCount:
    """``photos`` show the class (at least ``presence`` of it, 0..1). Over those: ``mean_coverage``, 0..1,
    to 1/65000, and ``histogram``, how many have a coverage in each eighth of 0..1."""

    name: str
    photos: int
    mean_coverage: float
    histogram: tuple[int, ...]
    synonyms: tuple[str, ...]
    groups: tuple[str, ...]
    presence: float


@dataclass(frozen=True)
class Stop:
    """``photos`` have a number of at least ``start`` and below ``end``; None where that side is open."""

    start: float | None
    end: float | None
    photos: int


@dataclass(frozen=True)
class Spread:
    """A number that ``photos`` tell: the least and the greatest of them, and the one in the middle, of two
    the smaller; ``stops``: how many are in each stop, from that of the least to that of the greatest."""

    photos: int
    least: float
    median: float
    greatest: float
    stops: tuple[Stop, ...]


@dataclass(frozen=True)
class FileCounts:
    """``counts``: for each fact that is counted, by its plural, as "cameras", photos by value, most frequent
    first; ``spreads``: by name, as "iso", None where no photo tells it; ``placed``: photos that tell where
    they were taken; ``months``: photos by year and month, as "2023-06", in order; ``undated``: photos that do
    not say when they were taken; ``undecoded``: photos that are kept so."""

    counts: dict[str, dict[str, int]]
    spreads: dict[str, Spread | None]
    placed: int
    months: dict[str, int]
    undated: int
    undecoded: int


def count_classes(
    parts: Sequence[tuple[Columns, Rows]], vocabulary: Vocabulary, presence: float | None
) -> tuple[ClassCount, ...]:
    """Every class with the photos that show at least ``presence`` (0..1; None: its own threshold) of it,
    exactly, most frequent first; zeros without columns. ``parts``: of each segment the columns, and the rows
    that are counted."""
    listed = []
    for each in vocabulary.classes:
        least = each.presence if presence is None else presence
        levels = np.concatenate(
            [np.empty(0), *(_levels(columns, each.id, least, rows) for columns, rows in parts)]
        )
        listed.append(
            ClassCount(
                name=each.name,
                photos=levels.size,
                mean_coverage=round(float(levels.mean()), 6) if levels.size else 0.0,
                histogram=tuple(
                    np.bincount(
                        np.minimum((levels * HISTOGRAM_BINS).astype(np.intp), HISTOGRAM_BINS - 1),
                        minlength=HISTOGRAM_BINS,
                    ).tolist()
                ),
                synonyms=each.synonyms,
                groups=tuple(group.name for group in vocabulary.groups if each.id in group.members),
                presence=least,
            )
        )
    return tuple(sorted(listed, key=lambda count: -count.photos))


def count_files(parts: Sequence[tuple[Files, Rows]]) -> FileCounts:
    """What the photos' files tell; ``parts`` as for :func:`count_classes`."""
    counts = {name: Counter[str]() for name in (*COUNTED, "keep")}
    numbers: dict[str, list[NDArray[np.float64]]] = {name: [np.empty(0)] for name in SPREAD}
    taken, placed = [np.empty(0, np.int64)], 0
    for files, rows in parts:
        dates = files.values("taken")
        taken.append(dates if rows is None else dates[rows])
        for name, counted in counts.items():
            counted.update(files.counts(name, rows))
        for name, known in numbers.items():
            known.append(files.known(name, rows))
        placed += _placed(files, rows)
    every = np.concatenate(taken)
    dated = every[every != NEVER]
    return FileCounts(
        counts={counted_as(name): _most_first(counts[name].items()) for name in COUNTED},
        spreads={name: _spread(np.concatenate(numbers[name]), NAMED[name]) for name in SPREAD},
        placed=placed,
        months=_by_month(dated),
        undated=every.size - dated.size,
        undecoded=counts["keep"][KeepMode.UNDECODED],
    )


def tallied(by: str, months: Mapping[str, int], counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Photos by the fact that a query asks to count by: of the ``months`` of `FileCounts` by year or month,
    in order, or of its ``counts``, the most frequent value first. Photos without it are left out."""
    if by == "month":
        return dict(months)
    if by != "year":
        return dict(counts[counted_as(by)])
    years = Counter[str]()
    for month, count in months.items():
        years[month[:4]] += count
    return dict(years)


def count_words(parts: Sequence[tuple[Words, Rows]]) -> dict[str, int]:
    """Photos by word, of those that are leaves, most frequent first; a photo counts from the word's threshold
    on. ``parts`` as for :func:`count_classes`."""
    from dsslic_search.core import wordnet

    table, thresholds = wordnet.image_words(), wordnet.thresholds()
    least = [thresholds.of((leaf,)) for leaf in table.leaves]
    counts = np.sum([words.counts(least, rows) for words, rows in parts], axis=0)
    return _most_first((table.name_of_leaf(n), int(counts[n])) for n in np.flatnonzero(counts).tolist())


def count_folders(parts: Sequence[tuple[Files, Rows]]) -> dict[str, int]:
    """Photos by the folder in which they are shown, with its slash, each counted for all folders above it
    too; in order. ``parts`` as for :func:`count_classes`."""
    counts = Counter[str]()
    for files, rows in parts:
        numbers = files.arrays["folder"] if rows is None else files.arrays["folder"][rows]
        names = files.table("folder")
        for number, count in enumerate(np.bincount(numbers, minlength=len(names)).tolist()):
            end = len(names[number]) if count else 0
            while end > 0:
                counts[names[number][:end]] += count
                end = names[number].rfind("/", 0, end - 1) + 1
    return dict(sorted(counts.items()))


@dataclass(frozen=True)
class Spot:
    """``photos`` were taken about ``latitude`` and ``longitude`` (degrees, the mean of theirs); ``id``: of
    the one that was, where there is one alone. ``box``: south, west, north and east of them all."""

    latitude: float
    longitude: float
    photos: int
    id: int | None
    box: tuple[float, float, float, float]


def count_places(parts: Sequence[tuple[Files, Rows]], most: int = MOST_SPOTS) -> tuple[Spot, ...]:
    """Photos by where they were taken, of those that tell it, in fields of a grid that is as fine as makes at
    most ``most`` spots; from south to north. ``parts`` as for :func:`count_classes`."""
    found: list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]] = []
    for files, rows in parts:
        placed = files.arrays["placed"].astype(np.intp)
        chosen = placed if rows is None else placed[np.isin(placed, rows)]
        found.append((files.arrays["latitude"][chosen], files.arrays["longitude"][chosen], files.ids[chosen]))
    latitudes, longitudes, ids = (
        np.concatenate([np.empty(0, np.float64 if n < 2 else np.int64), *(each[n] for each in found)])
        for n in range(3)
    )

    def too_many(number: int) -> bool:
        return np.unique(_fields(latitudes, longitudes, FIELDS[number])).size > most

    number = min(bisect.bisect_left(range(len(FIELDS)), True, key=lambda n: not too_many(n)), len(FIELDS) - 1)
    _, first, numbers, counts = np.unique(
        _fields(latitudes, longitudes, FIELDS[number]),
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    sums = [np.bincount(numbers, each, minlength=counts.size) for each in (latitudes, longitudes)]
    edges = np.repeat([[np.inf], [np.inf], [-np.inf], [-np.inf]], counts.size, 1)
    for edge, least, degrees in zip(edges, (1, 1, 0, 0), 2 * (latitudes, longitudes), strict=True):
        (np.minimum if least else np.maximum).at(edge, numbers, degrees)
    return tuple(
        Spot(
            round(float(sums[0][n]) / count, 5),
            round(float(sums[1][n]) / count, 5),
            count,
            int(ids[first[n]]) if count == 1 else None,
            tuple(edges[:, n].tolist()),
        )
        for n, count in enumerate(counts.tolist())
    )


def _fields(
    latitudes: NDArray[np.float64], longitudes: NDArray[np.float64], degrees: float
) -> NDArray[np.int64]:
    """The field of a grid in which each place lies, by a number that grows from south to north."""
    rows, columns = (np.floor(each / degrees).astype(np.int64) for each in (latitudes, longitudes))
    return rows * (1 << 32) + columns


def counted_as(name: str) -> str:
    """What the counts of a fact are called."""
    return name if name == "people" else plural_of(name)


def _levels(columns: Columns, class_id: int, presence: float, rows: Rows) -> NDArray[np.float64]:
    """The coverage, to 1 / QUANTA, of a class in each photo that shows it."""
    shown = columns.within((class_id,), max(1, round(presence * TICKS)), TICKS)
    chosen = np.flatnonzero(shown) if rows is None else rows[shown[rows]]
    return np.minimum((columns.at((class_id,), chosen) - 0.5) / QUANTA, 1.0)


def _placed(files: Files, rows: Rows) -> int:
    """How many photos tell where they were taken."""
    missing = files.unknown("place")
    return int(np.count_nonzero(~missing if rows is None else ~missing[rows]))


def _spread(numbers: NDArray[np.float64], fact: Fact) -> Spread | None:
    """Of the numbers of some photos, in any order."""
    if not numbers.size:
        return None
    whole = fact.columns[0].values == "whole or none"
    ascending = np.sort(numbers.astype(np.int64) if whole else numbers)
    edges = (None, *fact.stops, None)
    counts = np.bincount(np.searchsorted(fact.stops, ascending, side="right"), minlength=len(edges) - 1)
    some = np.flatnonzero(counts)
    stops = [
        Stop(start, end, n)
        for (start, end), n in zip(itertools.pairwise(edges), counts.tolist(), strict=True)
    ]
    return Spread(
        photos=numbers.size,
        least=ascending[0].item(),
        median=ascending[(numbers.size - 1) // 2].item(),
        greatest=ascending[-1].item(),
        stops=tuple(stops[some[0] : some[-1] + 1]),
    )


def _most_first(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    return dict(sorted(counts, key=lambda each: (-each[1], each[0])))


def _by_month(dates: NDArray[np.int64]) -> dict[str, int]:
    """Dates in microseconds since 1970 counted by month."""
    months, counts = np.unique(dates.view("datetime64[us]").astype("datetime64[M]"), return_counts=True)
    return dict(zip(np.datetime_as_string(months).tolist(), counts.tolist(), strict=True))
