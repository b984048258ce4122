"""Reading a whole catalog into columns, chunk by chunk, for building indexes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Executable, select
from sqlalchemy.orm import InstrumentedAttribute

from dsslic_search.archive import models
from dsslic_search.errors import ArchiveError

CHUNK = 20_000  # rows


@dataclass(frozen=True)
class PhotoChunk:
    """``ids`` int64 [n], ascending; ``embeddings`` float32 [n, dimension]."""

    ids: NDArray[np.int64]
    embeddings: NDArray[np.float32]


@dataclass(frozen=True)
class CoverageChunk:
    """One entry a (photo, class) pair: int64 [n], uint8 [n], float64 [n] in 0..1. Ordered by photo, then class."""

    photo_ids: NDArray[np.int64]
    class_ids: NDArray[np.uint8]
    fractions: NDArray[np.float64]


@dataclass(frozen=True)
class RegionChunk:
    """One entry a region: int64 [n], uint8 [n], float64 [n], ``boxes`` float64 [n, 4] (left, top, right, bottom) and
    ``centroids`` float64 [n, 2] (x, y), all fractions. Ordered by photo; within one, largest first."""

    photo_ids: NDArray[np.int64]
    class_ids: NDArray[np.uint8]
    areas: NDArray[np.float64]
    boxes: NDArray[np.float64]
    centroids: NDArray[np.float64]


class Snapshot:
    """The catalog as it was at one moment, however long the reading takes; made by `Catalog.snapshot`.

    ``generation`` is that moment's; what is built from the snapshot carries it.
    """

    def __init__(self, connection: Connection, generation: int) -> None:
        self.generation = generation
        self._connection = connection

    def rows(self, statement: Executable, chunk: int = CHUNK) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of any SELECT over the catalog, in lists of ``chunk`` (the last may be shorter)."""
        with self._connection.execution_options(yield_per=chunk).execute(statement) as result:
            yield from (list(map(tuple, part)) for part in result.partitions())

    def photos(self, chunk: int = CHUNK) -> Iterator[PhotoChunk]:
        """Ids and embeddings of all photos, by id. Raises ArchiveError when embeddings differ in length."""
        length: int | None = None
        for rows in self.rows(select(models.Photo.id, models.Photo.embedding).order_by(models.Photo.id), chunk):
            ids, blobs = zip(*rows, strict=True)
            lengths = {len(b) for b in blobs} | ({length} if length is not None else set())
            length = lengths.pop()
            if lengths or length % 4:
                raise ArchiveError("the catalog holds embeddings of several lengths, made by different versions; ingest into a new archive")
            vectors = np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), length // 4)
            yield PhotoChunk(np.array(ids, np.int64), vectors.astype(np.float32, copy=False))

    def coverages(self, chunk: int = CHUNK) -> Iterator[CoverageChunk]:
        """All coverages, by photo id and class."""
        c = models.Coverage
        for ids, classes, fractions in self._columns(chunk, (c.photo_id, c.class_id, c.fraction), (c.photo_id, c.class_id)):
            yield CoverageChunk(np.array(ids, np.int64), np.array(classes, np.uint8), np.array(fractions, np.float64))

    def regions(self, chunk: int = CHUNK) -> Iterator[RegionChunk]:
        """All regions, by photo id and the order in which they were found."""
        r = models.Region
        wanted = (r.photo_id, r.class_id, r.area, r.left, r.top, r.right, r.bottom, r.x, r.y)
        for ids, classes, areas, *places in self._columns(chunk, wanted, (r.photo_id, r.id)):
            table = np.array(places, np.float64).T
            yield RegionChunk(
                np.array(ids, np.int64), np.array(classes, np.uint8), np.array(areas, np.float64), table[:, :4].copy(), table[:, 4:].copy()
            )

    def _columns(
        self, chunk: int, wanted: tuple[InstrumentedAttribute[Any], ...], order: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...]
    ) -> Iterator[tuple[tuple[Any, ...], ...]]:
        for rows in self.rows(select(*wanted).order_by(*order), chunk):
            yield tuple(zip(*rows, strict=True))
