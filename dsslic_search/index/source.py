"""What an index needs of the catalog."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.blobs import Blobs
from dsslic_search.index.known_files import KnownFiles


class Stale(Exception):
    """The catalog changed while a query was answered. Not for people: whoever opened the indexes opens them
    again and asks anew."""


class State(NamedTuple):
    """What a catalog is after one of its changes. ``generation`` counts the changes; ``token`` is made at
    random with each, so that no two states have one name: not those of two catalogs, and not what a catalog
    became and what it becomes when it is restored from a backup and changed again."""

    generation: int
    token: str


class InOrder(NamedTuple):
    """Photos in the order in which equally good ones are shown, newest first, then by id. ``ids``: int64[n];
    ``moments``: their dates, taken or else added, int64[n], microseconds since 1970."""

    ids: NDArray[np.int64]
    moments: NDArray[np.int64]


class Stored(NamedTuple):
    """What the catalog keeps of some photos, ``ids``, int64[n], as bytes."""

    ids: NDArray[np.int64]
    blobs: Blobs

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, bytes | None]]) -> Stored:
        """From ids and bytes."""
        return cls(np.array([i for i, _ in pairs], np.int64), Blobs.of([each for _, each in pairs]))

    def pairs(self) -> list[tuple[int, bytes | None]]:
        """Each id with its bytes."""
        return list(zip(self.ids.tolist(), self.blobs.each(), strict=True))


class Snapshot(Protocol):
    """The catalog at one moment. Reading from it may raise ArchiveError."""

    state: State

    def changed_since(self, state: State) -> NDArray[np.int64] | None:
        """The photos, in any order, that were added, changed or removed since an earlier state; None where
        this cannot be told, or where the state is none of this catalog's past."""

    def of(self, ids: NDArray[np.int64]) -> AbstractContextManager[Snapshot]:
        """A snapshot of some photos alone, in this order: it is the order of `photo_ids` there. Of those that
        the catalog does not have nothing is known."""

    def newest_first(self, ids: NDArray[np.int64] | None = None) -> InOrder:
        """All photos, or those of ``ids`` that are there."""

    def photo_ids(self) -> NDArray[np.int64]:
        """All photos, newest first."""

    def coverages(self) -> Iterator[Stored]:
        """The coverages of all photos in the order of `photo_ids`, as `features.coverage` stores them."""

    def covered(self, ids: NDArray[np.int64], classes: Sequence[int]) -> NDArray[np.float64]:
        """The fraction of each photo that the classes cover together, summed in order of class id; 0 for
        photos not there."""

    def embeddings(self) -> Iterator[Stored]:
        """The embeddings of the photos that are there, in any order, as `features.embedding` stores them;
        empty for photos without a label map."""

    def regions(self) -> Iterator[Stored]:
        """The regions of all photos in the order of `photo_ids`, as `features.scene` stores them; None where
        they are not known."""

    def image_words(self) -> Iterator[Stored]:
        """The words of all photos in the order of `photo_ids`, as `features.image_words` stores them; None
        where they are not known."""

    def files(self) -> Iterator[KnownFiles]:
        """What is known of the file of each photo that is there, in any order."""

    def paths(
        self, ids: NDArray[np.int64] | None = None, letters: str = ""
    ) -> Iterator[list[tuple[int, str]]]:
        """(id, path that is shown) of all photos, or of those of ``ids`` that are there, in any order, in
        lists. ``letters``, small ones and digits of ASCII: those may be left out whose folded path is without
        them, see `index.patterns.PathTest`."""

    def copies(
        self, ids: NDArray[np.int64] | None = None, letters: str = ""
    ) -> Iterator[list[tuple[int, str]]]:
        """(id, path) of all other paths at which photos lie, or at which those of ``ids`` do, in any order,
        in lists; ``letters`` as for `paths`."""

    def hidden(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """The photos that are left out of answers, in any order: ids and `core.kinds.PhotoState.flag`."""

    def texts(self, column: str) -> Iterator[list[tuple[int, str]]]:
        """(id, text) of the photos that have a text in a column of the catalog, in any order, in lists."""

    def tagged(self, name: str | None) -> NDArray[np.int64]:
        """The ids of the photos that have a tag, or any (None), in any order."""


class Source(Protocol):
    """A catalog that changes."""

    def state(self) -> State:
        """What it is now."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """The whole catalog at one moment, until the ``with`` ends."""


@dataclass(frozen=True)
class Frozen:
    """A catalog that stays as it is at one moment, read by one thread at a time."""

    moment: Snapshot
    _reading: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def state(self) -> State:
        return self.moment.state

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with self._reading:
            yield self.moment
