"""The columns that `index.files` asks, made from the catalog: an array a fact, texts as numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.fact import Values
from dsslic_search.core.fields import INDEXED
from dsslic_search.core.files import native_name
from dsslic_search.core.text import folded_name
from dsslic_search.index.cache import Made
from dsslic_search.index.patterns import split
from dsslic_search.index.source import Snapshot


def facts(snapshot: Snapshot) -> Made:
    """The columns of all files, in the order of ``snapshot.photo_ids``; ``placed``: the rows that have a
    place, from south to north."""
    parts = [_facts(rows) for rows in snapshot.files()] or [_facts([])]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    for column in INDEXED:
        if column.values == "text":
            arrays |= _coded(column.array, arrays[column.array].tolist())
        elif column.values == "words":
            lists = [text.split("\n") if text else [] for text in arrays[column.array].tolist()]
            arrays |= _coded(column.array, (word for words in lists for word in words))
            arrays[f"{column.array}_starts"] = np.cumsum([0, *map(len, lists)]).astype(np.uint32)
    known = np.flatnonzero(~np.isnan(arrays["latitude"] + arrays["longitude"]))
    arrays["placed"] = known[np.argsort(arrays["latitude"][known], kind="stable")].astype(np.uint32)
    ids = snapshot.photo_ids()
    in_order = _paths(snapshot, ids)
    arrays["copy_rows"], copies = _copies(snapshot, ids)
    arrays |= _coded("folder", map(_folder, [*in_order, *copies]))
    arrays["copy_folder"] = arrays["folder"][len(in_order) :]
    arrays["folder"] = arrays["folder"][: len(in_order)]
    for name in ("path", "name"):
        arrays[name] = _ranks([path_key(name, path) for path in in_order])
    return arrays


def _paths(snapshot: Snapshot, ids: NDArray[np.int64]) -> list[str]:
    """The paths of all photos, in the order of ``ids``."""
    found = [""] * ids.size
    by_id = np.argsort(ids)
    for part in snapshot.paths():
        rows = by_id[np.searchsorted(ids, [photo_id for photo_id, _ in part], sorter=by_id)]
        for row, (_, path) in zip(rows.tolist(), part, strict=True):
            found[row] = path
    return found


def _copies(snapshot: Snapshot, ids: NDArray[np.int64]) -> tuple[NDArray[np.uint32], list[str]]:
    """The other paths at which photos lie, with the row of each; ``ids`` of all rows."""
    by_id = np.argsort(ids)
    copies = [copy for part in snapshot.copies() for copy in part]
    asked = np.array([photo_id for photo_id, _ in copies], np.int64)
    rows = by_id[np.searchsorted(ids, asked, sorter=by_id)].astype(np.uint32)
    return rows, [path for _, path in copies]


def _folder(path: str) -> str:
    """As patterns are tested on it."""
    return split(folded_name(native_name(path)))[0]


def _facts(rows: Sequence[tuple[Any, ...]]) -> Made:
    """Columns of some rows of the catalog; the texts as objects."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(INDEXED)
    return {
        column.array: _ARRAYS[column.values](values) for column, values in zip(INDEXED, columns, strict=True)
    }


_ARRAYS: Mapping[Values, Callable[[Sequence[Any]], NDArray[Any]]] = {
    "date": lambda dates: np.array(dates, "datetime64[us]").astype(np.int64),  # no date becomes NEVER
    "whole": lambda numbers: np.array(numbers, np.int64),
    "pixels": lambda numbers: np.array(numbers, np.uint32),
    "degrees": lambda angles: np.array(angles, np.float64),  # none becomes not a number
    "whole or none": lambda numbers: np.array(numbers, np.float64),
    "number or none": lambda numbers: np.array(numbers, np.float64),
    "text": lambda texts: np.array([text or "" for text in texts], object),
    "words": lambda texts: np.array([text or "" for text in texts], object),
    "colours": lambda masks: np.array([mask or 0 for mask in masks], np.uint16),  # every photo has some
}


def _coded(name: str, values: Iterable[str]) -> Made:
    """Values as numbers of a table, in as few bytes as will do, and the table."""
    values = list(values)
    table = sorted(set(values))
    numbers = {value: number for number, value in enumerate(table)}
    return {
        name: np.array([numbers[value] for value in values], np.min_scalar_type(len(table))),
        f"{name}s": np.frombuffer(json.dumps(table).encode(), np.uint8),
    }


def _ranks(keys: Sequence[str]) -> NDArray[np.uint32]:
    """The rank of each key among all in order; equal ones have one rank."""
    ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return np.array([ranks[key] for key in keys], np.uint32)


def path_key(column: str, path: str) -> str:
    """What paths and names are put in order by: without regard to capitals first."""
    text = path if column == "path" else split(path)[1]
    return f"{folded_name(text)}\0{text}"
