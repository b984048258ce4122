"""Near-duplicates: photos that show the same picture, in another size, compression or brightness, or slightly
cropped.

::

    first bytes of each file ─► compact image ─► fingerprint ─► candidate pairs ─► likeness of each ─┐
                                  │              (index file)   (by outline)       (aligned)         │
                                  └────────────► portrait, of those that are alike ◄─────────────────┘
                                                 (index file) ─► pairs that agree in every part ─► groups

No original is opened, and of each .dsslic file only the bytes up to the compact image are read: once for its
fingerprint, once more for the portrait of a photo that is like another.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import read_compacts
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.lookup import batches
from dsslic_search.archive.schema import Photo
from dsslic_search.core.kinds import HIDDEN
from dsslic_search.core.workplace import Workplace
from dsslic_search.features.agreement import Portrait, portrait, show_the_same
from dsslic_search.features.fingerprint import fingerprint, mirrored
from dsslic_search.features.likeness import PAIRS_AT_ONCE, likeness
from dsslic_search.index.alignment import arithmetic
from dsslic_search.index.fingerprints import FINGERPRINTS, PORTRAITS, Kept, candidates, kept_rows

DEFAULT_LIKENESS = 0.65  # from which two photos count as the same picture, unless told


@dataclass(frozen=True)
class Copy:
    """One photo of a group. ``bytes`` of the original. ``likeness``: how sure it is, 0..1, that another photo
    of the group is the same picture; ``mirrored``: if that is its mirror image."""

    id: int
    path: str
    width: int
    height: int
    bytes: int
    likeness: float
    mirrored: bool


@dataclass(frozen=True)
class Duplicates:
    """``groups`` of the same picture, the surest first, in each the largest picture first. ``failed``: photos
    that could not be read, by id, and why."""

    groups: tuple[tuple[Copy, ...], ...]
    photos: int
    failed: tuple[tuple[int, str], ...]


_SEEN = np.dtype([("id", np.int64), ("content_hash", "S64"), ("map_bytes", np.int64)])
"""What is known of every photo while they are compared."""


@dataclass(frozen=True)
class _Files(Sequence[tuple[str, int]]):
    """Content hash and map bytes of photos, of an array _SEEN[n], each made when it is asked for."""

    seen: NDArray[Any]

    def __len__(self) -> int:
        return len(self.seen)

    @overload
    def __getitem__(self, index: int) -> tuple[str, int]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, int]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, int] | list[tuple[str, int]]:
        if isinstance(index, slice):
            return [(hashed.decode(), size) for _, hashed, size in self.seen[index].tolist()]
        _, hashed, size = self.seen[index].tolist()
        return hashed.decode(), size


@dataclass(frozen=True)
class Links:
    """Pairs of indexes, intp[m, 2], by rising likeness of the pictures there, float32[m]; ``mirrored``:
    bool[m]."""

    pairs: NDArray[np.intp]
    likeness: NDArray[np.float32]
    mirrored: NDArray[np.bool_]


def find_duplicates(
    folder: ArchiveFolder,
    catalog: Catalog,
    threshold: float,
    mirror: bool,
    max_pixels: int,
    progress: Callable[[int, int], None] | None = None,
    place: Workplace | None = None,
) -> Duplicates:
    """Groups of photos whose likeness is ``threshold`` or more, directly or by way of others; with ``mirror``
    mirror images too.

    ``place``: where photos' files are read, else here. ``progress`` is called with photos read and to be
    read."""
    seen = select(Photo.id, Photo.content_hash, Photo.map_bytes)
    seen = seen.where(Photo.map_bytes > 0, Photo.state.not_in(HIDDEN)).order_by(Photo.id)
    with catalog.snapshot() as snapshot:
        parts = [np.array(part, _SEEN) for part in snapshot.rows(seen)]
    everyone = np.concatenate([np.empty(0, _SEEN), *parts])
    failed: dict[int, str] = {}

    def kept(
        what: Kept,
        of: NDArray[Any],
        make: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
        told: Callable[[int, int], None] | None = None,
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        def made(indexes: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
            wanted = _Files(of[list(indexes)])
            for number, row in read_compacts(folder.store, wanted, max_pixels, make, told, place):
                if isinstance(row, str):
                    failed[int(of["id"][indexes[number]])] = row
                else:
                    yield indexes[number], row

        return kept_rows(what, folder.index, of["content_hash"], made)

    prints, known = kept(FINGERPRINTS, everyone, fingerprint, progress)
    if not known.all():
        prints = prints[known]
    rows = everyone[known]
    alike = alike_pairs(prints, threshold, mirror)
    del prints, everyone  # of a million photos together most of a gigabyte
    linked = np.unique(alike.pairs)
    faces, there = kept(PORTRAITS, rows[linked], _portrait_row)
    portraits = {
        int(i): Portrait.from_row(row) for i, row, ok in zip(linked, faces, there, strict=True) if ok
    }
    links = that_agree(alike, portraits)
    copies = _copies(catalog, rows["id"], links)
    groups = [
        tuple(sorted((copies[index] for index in indexes if index in copies), key=_best_first))
        for indexes in _connected(links.pairs)
    ]
    groups = [group for group in groups if len(group) > 1]
    groups.sort(key=lambda group: (-max(copy.likeness for copy in group), group[0].id))
    return Duplicates(tuple(groups), len(rows), tuple(sorted(failed.items())))


def _portrait_row(compact: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return portrait(compact).to_row()


def alike_pairs(prints: NDArray[np.uint8], threshold: float, mirror: bool) -> Links:
    """All pairs found whose fingerprints are alike enough, and how."""
    pairs, found, turned = [], [], []
    for flip in (True, False) if mirror else (False,):
        near = candidates(prints, mirror=flip)
        pairs.append(near)
        found.append(likenesses(prints, near, flip))
        turned.append(np.full(len(near), flip))
    every = Links(np.concatenate(pairs), np.concatenate(found), np.concatenate(turned))
    order = np.argsort(every.likeness, kind="stable")
    order = order[every.likeness[order] >= threshold]
    return Links(every.pairs[order], every.likeness[order], every.mirrored[order])


def that_agree(links: Links, portraits: Mapping[int, Portrait]) -> Links:
    """Those of pictures that show the same in every part; none of which a portrait is missing."""
    there = [i for i, pair in enumerate(links.pairs.tolist()) if portraits.keys() >= set(pair)]
    by = arithmetic(len(there))

    def agreeing(start: int) -> list[int]:
        part = there[start : start + PAIRS_AT_ONCE]
        one, other = ([portraits[int(links.pairs[i, which])] for i in part] for which in (0, 1))
        same = show_the_same(one, other, links.mirrored[part], by)
        return [i for i, ok in zip(part, same, strict=True) if ok]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        same = [i for part in pool.map(agreeing, range(0, len(there), PAIRS_AT_ONCE)) for i in part]
    return Links(links.pairs[same], links.likeness[same], links.mirrored[same])


def likenesses(prints: NDArray[np.uint8], pairs: NDArray[np.intp], flip: bool) -> NDArray[np.float32]:
    """The likeness of pairs of these fingerprints, float32[m]; ``flip``: of the other's mirror image."""

    by = arithmetic(len(pairs))

    def compared(start: int) -> NDArray[np.float32]:
        first, second = prints[pairs[start : start + PAIRS_AT_ONCE].T]
        return likeness(first, mirrored(second) if flip else second, by)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate(
            [np.empty(0, np.float32), *pool.map(compared, range(0, len(pairs), PAIRS_AT_ONCE))]
        )


def _connected(pairs: NDArray[np.intp]) -> list[list[int]]:
    """The indexes that pairs join, group by group."""
    parent = {index: index for index in np.unique(pairs).tolist()}

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = index = parent[parent[index]]
        return index

    for one, other in pairs.tolist():
        parent[root(one)] = root(other)
    groups: dict[int, list[int]] = {}
    for index in parent:
        groups.setdefault(root(index), []).append(index)
    return list(groups.values())


def _copies(catalog: Catalog, ids: NDArray[np.int64], links: Links) -> dict[int, Copy]:
    """The photos of all links by index, each with its surest link; ``ids`` of all. Those that went meanwhile
    are left out."""
    # the last counts
    surest = dict(
        zip(links.pairs.ravel().tolist(), np.repeat(np.arange(len(links.pairs)), 2).tolist(), strict=True)
    )
    index = {int(ids[place]): place for place in surest}
    chosen = select(Photo.id, Photo.path, Photo.width, Photo.height, Photo.file_size)
    found: dict[int, Copy] = {}
    with catalog.snapshot() as snapshot:
        for part in batches(list(index)):
            for rows in snapshot.rows(chosen.where(Photo.id.in_(part))):
                for photo_id, path, width, height, size in rows:
                    link = surest[index[photo_id]]
                    likely = round(float(links.likeness[link]), 4)
                    turned = bool(links.mirrored[link])
                    found[index[photo_id]] = Copy(photo_id, path, width, height, size, likely, turned)
    return found


def _best_first(copy: Copy) -> tuple[int, int, int]:
    return -copy.width * copy.height, -copy.bytes, copy.id
