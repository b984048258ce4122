"""The files of an archive as the machines of a cluster see them, which read them where they lie: in a bucket,
or in a folder that has to be at the same path for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from dsslic_search.archive.store import Store
from dsslic_search.core.errors import ClusterError
from dsslic_search.core.workplace import Here, Workplace

Made = TypeVar("Made")


@dataclass(frozen=True)
class _Seen:
    """``witness``: the content hash and the bytes of a file that is there; None where none is."""

    store: Store
    witness: tuple[str, int] | None

    @classmethod
    def of(cls, store: Store) -> _Seen:
        first = next(store.hashes(), None)
        size = None if first is None else store.size_of(first)
        plain = Store(store.root)  # without what is open of it
        return cls(plain, None if first is None or size is None else (first, size))


@lru_cache(maxsize=4)
def _checked(seen: _Seen) -> Store:
    if seen.witness is not None and seen.store.size_of(seen.witness[0]) != seen.witness[1]:
        raise ClusterError(
            f"{seen.store.where(seen.witness[0])}: not there for a machine of the Ray cluster; the archive's "
            "files have to be in a bucket, or in a folder that all machines see at the same path"
        )
    return seen.store


def doing(
    place: Workplace, function: Callable[..., Made], store: Store, *shared: object
) -> Callable[..., Made]:
    """As `core.workplace.Workplace.doing`, of a function whose first argument is a store. ClusterError from
    what it gives where another machine does not see the store's files."""
    if isinstance(place, Here):
        return place.doing(function, store, *shared)
    return place.doing(_with_store, function, _Seen.of(store), *shared)


def _with_store(function: Callable[..., Made], seen: _Seen, *others: object) -> Made:
    return function(_checked(seen), *others)
