"""What `index.files` keeps, made from the catalog: one array a fact, texts as numbers of a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.index.cache import Arrays
from dsslic_search.index.names import folded, split
from dsslic_search.index.source import Snapshot


def facts(snapshot: Snapshot) -> Arrays:
    """The columns of all files, in the order of ``snapshot.photo_ids``; ``placed``: the rows that have a place, from south to north."""
    parts = [_facts(rows) for rows in snapshot.files()] or [_facts([])]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    for name in ("camera", "format", "keep"):
        arrays |= _coded(name, arrays[name].tolist())
    known = np.flatnonzero(~np.isnan(arrays["latitude"] + arrays["longitude"]))
    arrays["placed"] = known[np.argsort(arrays["latitude"][known], kind="stable")].astype(np.uint32)
    in_order = _paths(snapshot, arrays["ids"])
    arrays |= _coded("folder", (split(folded(path))[0] for path in in_order))
    for column in ("path", "name"):
        arrays[column] = _places([order_key(column, path) for path in in_order])
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


def _facts(rows: Sequence[tuple[Any, ...]]) -> Arrays:
    """Columns of some rows of the catalog; the texts as objects."""
    ids, taken, added, width, height, size, latitude, longitude, camera, kind, keep = zip(*rows, strict=True) if rows else ((),) * 11
    return {
        "ids": np.array(ids, np.int64),
        "taken": np.array(taken, "datetime64[us]").astype(np.int64),  # no date becomes NEVER
        "added": np.array(added, "datetime64[us]").astype(np.int64),
        "width": np.array(width, np.uint32),
        "height": np.array(height, np.uint32),
        "size": np.array(size, np.int64),
        "latitude": np.array(latitude, np.float64),  # none becomes not a number
        "longitude": np.array(longitude, np.float64),
        "camera": np.array([each or "" for each in camera], object),
        "format": np.array(kind, object),
        "keep": np.array(keep, object),
    }


def _coded(name: str, values: Iterable[str]) -> Arrays:
    """Values as numbers of a table, in as few bytes as will do, and the table."""
    values = list(values)
    table = sorted(set(values))
    numbers = {value: number for number, value in enumerate(table)}
    return {
        name: np.array([numbers[value] for value in values], np.min_scalar_type(len(table))),
        f"{name}s": np.frombuffer(json.dumps(table).encode(), np.uint8),
    }


def _places(keys: Sequence[str]) -> NDArray[np.uint32]:
    """The place of each key among all in order; equal ones have one place."""
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    return np.array([places[key] for key in keys], np.uint32)


def order_key(column: str, path: str) -> str:
    """What paths and names are put in order by: without regard to capitals first."""
    text = path if column == "path" else split(path)[1]
    return f"{folded(text)}\0{text}"
