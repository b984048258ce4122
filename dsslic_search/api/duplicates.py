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

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import read_compacts
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.schema import Photo
from dsslic_search.core.kinds import HIDDEN
from dsslic_search.features.agreement import Portrait, portrait, show_the_same
from dsslic_search.features.fingerprint import fingerprint, mirrored
from dsslic_search.features.likeness import PAIRS_AT_ONCE, likeness
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


@dataclass(frozen=True, slots=True)
class _Row:
    """A photo of the catalog."""

    id: int
    content_hash: str
    map_bytes: int
    path: str
    width: int
    height: int
    bytes: int


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
) -> Duplicates:
    """Groups of photos whose likeness is ``threshold`` or more, directly or by way of others; with ``mirror``
    mirror images too.

    ``progress`` is called with photos read and to be read."""
    chosen = select(
        Photo.id, Photo.content_hash, Photo.map_bytes, Photo.path, Photo.width, Photo.height, Photo.file_size
    )
    with catalog.snapshot() as snapshot:
        seen = chosen.where(Photo.map_bytes > 0, Photo.state.not_in(HIDDEN)).order_by(Photo.id)
        everyone = [_Row(*row) for part in snapshot.rows(seen) for row in part]
    failed: dict[int, str] = {}

    def kept(
        what: Kept,
        of: Sequence[_Row],
        make: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
        told: Callable[[int, int], None] | None = None,
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        def made(indexes: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
            wanted = [(of[index].content_hash, of[index].map_bytes) for index in indexes]
            for number, row in read_compacts(folder.store, wanted, max_pixels, make, told):
                if isinstance(row, str):
                    failed[of[indexes[number]].id] = row
                else:
                    yield indexes[number], row

        return kept_rows(what, folder.index, [row.content_hash for row in of], made)

    prints, known = kept(FINGERPRINTS, everyone, fingerprint, progress)
    rows = [row for row, there in zip(everyone, known, strict=True) if there]
    alike = alike_pairs(prints if known.all() else prints[known], threshold, mirror)
    linked = np.unique(alike.pairs)
    faces, there = kept(PORTRAITS, [rows[i] for i in linked], lambda c: portrait(c).to_row())
    portraits = {
        int(i): Portrait.from_row(row) for i, row, ok in zip(linked, faces, there, strict=True) if ok
    }
    links = that_agree(alike, portraits)
    copies = _copies(rows, links)
    groups = [
        tuple(sorted((copies[index] for index in indexes), key=_best_first))
        for indexes in _connected(links.pairs)
    ]
    groups.sort(key=lambda group: (-max(copy.likeness for copy in group), group[0].id))
    return Duplicates(tuple(groups), len(rows), tuple(sorted(failed.items())))


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

    def agreeing(start: int) -> list[int]:
        part = there[start : start + PAIRS_AT_ONCE]
        one, other = ([portraits[int(links.pairs[i, which])] for i in part] for which in (0, 1))
        same = show_the_same(one, other, links.mirrored[part])
        return [i for i, ok in zip(part, same, strict=True) if ok]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        same = [i for part in pool.map(agreeing, range(0, len(there), PAIRS_AT_ONCE)) for i in part]
    return Links(links.pairs[same], links.likeness[same], links.mirrored[same])


def likenesses(prints: NDArray[np.uint8], pairs: NDArray[np.intp], flip: bool) -> NDArray[np.float32]:
    """The likeness of pairs of these fingerprints, float32[m]; ``flip``: of the other's mirror image."""

    def compared(start: int) -> NDArray[np.float32]:
        first, second = prints[pairs[start : start + PAIRS_AT_ONCE].T]
        return likeness(first, mirrored(second) if flip else second)

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


def _copies(rows: Sequence[_Row], links: Links) -> dict[int, Copy]:
    """The photos of all links by index, each with its surest link."""
    # the last counts
    surest = dict(
        zip(links.pairs.ravel().tolist(), np.repeat(np.arange(len(links.pairs)), 2).tolist(), strict=True)
    )
    return {
        index: _copy(rows[index], float(links.likeness[link]), bool(links.mirrored[link]))
        for index, link in surest.items()
    }


def _copy(row: _Row, alike: float, turned: bool) -> Copy:
    return Copy(row.id, row.path, row.width, row.height, row.bytes, round(alike, 4), turned)


def _best_first(copy: Copy) -> tuple[int, int, int]:
    return -copy.width * copy.height, -copy.bytes, copy.id
