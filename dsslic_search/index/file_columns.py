"""The columns that `index.files` asks, made from the catalog: an array a fact, texts as numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from operator import ne
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.fact import Values
from dsslic_search.core.fields import INDEXED
from dsslic_search.core.files import native_name
from dsslic_search.core.moments import NEVER
from dsslic_search.core.text import folded_name
from dsslic_search.index.cache import Made
from dsslic_search.index.known_files import NOTHING, TEXTS, Known, another_kind
from dsslic_search.index.patterns import split
from dsslic_search.index.source import Snapshot


def facts(snapshot: Snapshot) -> Made:
    """The columns of all files, in the order of ``snapshot.photo_ids``; ``placed``: the rows that have a
    place, from south to north; ``dated``: which were taken at a known date, bool."""
    ids = snapshot.photo_ids()
    by_id = np.argsort(ids)
    rising = ids[by_id]
    columns = {column.array: _Column(column.values, ids.size) for column in INDEXED}
    paths: list[str] = []  # as they come, often nearly in their order, which those of rows are not
    places = [np.empty(0, np.intp)]
    for part in snapshot.files():
        rows = by_id[np.searchsorted(rising, part.ids)]
        places.append(rows)
        paths += part.paths
        for column, known in zip(columns.values(), part.columns, strict=True):
            if known is not None:
                column.put(rows, known)
    rows = np.concatenate(places)
    without = np.ones(ids.size, bool)
    without[rows] = False
    rows = np.append(rows, np.flatnonzero(without))
    paths += [""] * (ids.size - len(paths))
    arrays: Made = {}
    for name, column in columns.items():
        arrays |= column.arrays(name)
    known = np.flatnonzero(~np.isnan(arrays["latitude"] + arrays["longitude"]))
    arrays["placed"] = known[np.argsort(arrays["latitude"][known], kind="stable")].astype(np.uint32)
    arrays["copy_rows"], copies = _copies(snapshot, ids, by_id)
    folders, keys = _by_name(paths)
    arrays |= _coded("folder", [*folders, *_by_name(copies)[0]])
    arrays["copy_folder"] = arrays["folder"][ids.size :]
    told = {"folder": arrays["folder"][: ids.size]} | {name: _ranks(each) for name, each in keys.items()}
    for name, numbers in told.items():
        arrays[name] = np.empty_like(numbers)
        arrays[name][rows] = numbers
    del arrays["ids"]  # the segment has them, and the dates too
    arrays["dated"] = arrays.pop("taken") != NEVER
    return arrays


class _Column:
    """What is known of a fact, row by row. Texts are numbers of a table while they come in."""

    def __init__(self, values: Values, photos: int) -> None:
        self._values = values
        self._texts = _Texts()
        dtype, self._nothing = _ARRAYS.get(values, (np.intp, 0))
        self._array = np.full(photos, self._nothing, dtype)

    def put(self, rows: NDArray[np.intp], known: Known) -> None:
        """What is known of some rows. ArchiveError for a number that the column has no room for."""
        if self._values in TEXTS:
            numbers = map(self._texts.__getitem__, known)
            self._array[rows] = np.fromiter(numbers, np.intp, len(known))
            return
        values, dtype = np.asarray(known), self._array.dtype
        if values.dtype == np.int64 != dtype:
            there = values != NOTHING
            limits = np.iinfo(dtype) if dtype.kind in "iu" else None
            if limits and not np.all((limits.min <= values[there]) & (values[there] <= limits.max)):
                raise another_kind()
            values = np.where(there, values, self._nothing)
        self._array[rows] = values

    def arrays(self, name: str) -> Made:
        match self._values:
            case "text":
                return self._texts.coded(name, self._array)
            case "words":
                return self._texts.words(name, self._array)
        return {name: self._array}


_ARRAYS: Mapping[Values, tuple[Any, Any]] = {
    "date": (np.int64, NEVER),
    "whole": (np.int64, 0),
    "pixels": (np.uint32, 0),
    "degrees": (np.float64, np.nan),
    "whole or none": (np.float64, np.nan),
    "number or none": (np.float64, np.nan),
    "colours": (np.uint16, 0),  # every photo has some
}
"""Arrays by what a column holds, and what stands in them where nothing is known."""


class _Texts(dict[Any, int]):
    """Numbers of texts, in the order in which they come; none is as an empty one."""

    def __init__(self) -> None:
        super().__init__({None: 0, "": 0})
        self._names = [""]

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self._names)
        self._names.append(text)
        return number

    def coded(self, name: str, numbers: NDArray[np.intp]) -> Made:
        """Texts as numbers of the table of those that occur, in order, in as few bytes as will do; and the
        table."""
        used = np.flatnonzero(np.bincount(numbers)).tolist()
        used.sort(key=self._names.__getitem__)
        ranks = np.zeros(len(self._names), np.min_scalar_type(len(used)))
        ranks[used] = np.arange(len(used))
        return {name: ranks[numbers]} | _table(name, [self._names[number] for number in used])

    def words(self, name: str, numbers: NDArray[np.intp]) -> Made:
        """The same of the words of texts, one a line, row by row; ``_starts``: where those of each begin."""
        each = [text.split("\n") if text else [] for text in self._names]
        lengths = np.array(list(map(len, each)), np.intp)
        starts = np.cumsum(np.append(0, lengths[numbers]))
        words = _Texts()
        flat = np.fromiter((words[word] for some in each for word in some), np.intp)
        first = (np.cumsum(lengths) - lengths)[numbers]
        chosen = flat[np.repeat(first - starts[:-1], lengths[numbers]) + np.arange(int(starts[-1]))]
        return words.coded(name, chosen) | {f"{name}_starts": starts.astype(np.uint32)}


def _table(name: str, texts: Sequence[str]) -> Made:
    return {f"{name}s": np.frombuffer(json.dumps(texts).encode(), np.uint8)}


def _coded(name: str, texts: Sequence[str]) -> Made:
    numbers = _Texts()
    return numbers.coded(name, np.fromiter(map(numbers.__getitem__, texts), np.intp, len(texts)))


def _copies(
    snapshot: Snapshot, ids: NDArray[np.int64], by_id: NDArray[np.intp]
) -> tuple[NDArray[np.uint32], list[str]]:
    """The other paths at which photos lie, with the row of each; ``ids`` of all rows, which ``by_id``
    sorts."""
    copies = [copy for part in snapshot.copies() for copy in part]
    asked = np.array([photo_id for photo_id, _ in copies], np.int64)
    rows = by_id[np.searchsorted(ids, asked, sorter=by_id)].astype(np.uint32)
    return rows, [path for _, path in copies]


def _by_name(paths: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The folders of paths as patterns are tested on them, and what `path_key` gives for paths and names. No
    letter joins with a slash, nor with what stands between two paths, so all are folded at once."""
    folded = folded_name("\0".join(paths)).split("\0") if paths else []
    names = [path[path.rfind("/") + 1 :] for path in paths]
    cuts = [path.rfind("/") + 1 for path in folded]
    low = [path[cut:] for path, cut in zip(folded, cuts, strict=True)]
    folders = [path[:cut] for path, cut in zip(folded, cuts, strict=True)]
    for number, path in enumerate(paths):
        if "//u" in path:  # perhaps bytes that are not UTF-8
            folders[number] = folded_name(split(native_name(path))[0])
    by_path, by_name = (
        list(map("\0".join, zip(*both, strict=True))) for both in ((folded, paths), (low, names))
    )
    return folders, {"path": by_path, "name": by_name}


def _ranks(keys: Sequence[str]) -> NDArray[np.uint32]:
    """The rank of each key among all in order; equal ones have one rank."""
    order = sorted(range(len(keys)), key=keys.__getitem__)
    ordered = [keys[number] for number in order]
    ranks = np.zeros(len(keys), np.uint32)
    new = np.fromiter(map(ne, ordered[1:], ordered), bool, max(len(keys) - 1, 0))
    ranks[np.array(order[1:], np.intp)] = np.cumsum(new)
    return ranks


def path_key(column: str, path: str) -> str:
    """What paths and names are put in order by: without regard to capitals first."""
    text = path if column == "path" else split(path)[1]
    return f"{folded_name(text)}\0{text}"
