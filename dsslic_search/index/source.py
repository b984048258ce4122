"""What an index needs of the catalog."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Snapshot(Protocol):
    """The catalog at one moment. Reading from it may raise ArchiveError."""

    generation: int

    def photo_ids(self) -> NDArray[np.int64]:
        """All photos: newest first (date taken, else date added), then by id."""

    def coverages(self, class_id: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The photos that have a class, in any order: ids and fractions."""

    def covered(self, ids: NDArray[np.int64], classes: Sequence[int]) -> NDArray[np.float64]:
        """The fraction of each photo that the classes cover together, summed in order of class id; 0 for photos not there."""

    def embeddings(self) -> Iterator[list[tuple[int, bytes]]]:
        """(id, embedding) of all photos in the order of `photo_ids`, in lists; embeddings are float32, little-endian."""


class Source(Protocol):
    """A catalog that changes."""

    def generation(self) -> int:
        """A number that every change of the catalog increases."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """The whole catalog at one moment, until the ``with`` ends."""
