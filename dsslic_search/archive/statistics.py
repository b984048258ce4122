"""Bytes of what an archive holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Integer, cast, func, select

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.database import batches
from dsslic_search.archive.schema import Photo

LOOKED_UP = 20_000  # photos that are looked up one by one; for more, all are gone through

_FIGURES = Photo.file_size, Photo.stored_bytes, Photo.map_bytes, cast(Photo.width, Integer) * Photo.height


@dataclass(frozen=True)
class Totals:
    """Bytes of the originals, of the .dsslic files and of the label maps' prefixes of them; pixels of the
    photos."""

    original_bytes: int = 0
    stored_bytes: int = 0
    map_bytes: int = 0
    pixels: int = 0


def totals(catalog: Catalog, ids: NDArray[np.int64] | None = None) -> Totals:
    """Of all photos, or of those of ``ids``."""
    summed = [func.coalesce(func.sum(figure), 0) for figure in _FIGURES]
    with catalog.snapshot() as snapshot:
        if ids is None:
            found = [row for part in snapshot.rows(select(*summed)) for row in part]
        elif ids.size <= LOOKED_UP:
            found = [
                row
                for part in batches(ids)
                for rows in snapshot.rows(select(*summed).where(Photo.id.in_(part)))
                for row in rows
            ]
        else:
            found, among = [], np.sort(ids)
            for rows in snapshot.rows(select(Photo.id, *_FIGURES)):
                figures = np.array(rows, np.int64)
                found.append(figures[held(among, figures[:, 0]), 1:].sum(0).tolist())
    return Totals(*(int(sum(column)) for column in zip(*found, strict=True)))


def held(among: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of some ids are in ``among``, which is in order: for many small parts of ids, cheaper than to
    sort them all together."""
    if not among.size:
        return np.zeros(ids.size, bool)
    return np.asarray(among[np.minimum(np.searchsorted(among, ids), among.size - 1)] == ids)
