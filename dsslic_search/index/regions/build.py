"""The regions of a whole catalog, sorted by class, then by row: from stored bytes to arrays without a loop
over photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import ArchiveError, FormatError, Remedy
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.features.region_numbers import LINES, Scenes
from dsslic_search.features.scene import moved, read_scenes
from dsslic_search.index import cache
from dsslic_search.index.regions.relate import HALF, LIMITS, Limits
from dsslic_search.index.source import Snapshot

COMMON_ONE_IN = 6  # a class is common when at least one photo in so many has it

Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class _Part:
    """Some photos' regions, sorted by class, then by row. ``starts`` and ``contact_starts``: where each class
    begins among the regions and among their contacts, and the ends. ``row`` and ``touched`` (number of
    contacts) are of each region."""

    starts: Numbers
    contact_starts: Numbers
    row: NDArray[np.uint32]
    touched: NDArray[np.uint8]
    boxes: NDArray[np.uint16]
    lines: NDArray[np.uint8]
    contacts: NDArray[np.uint8]


def gathered(snapshot: Snapshot, vocabulary: Vocabulary) -> cache.Made:
    """The arrays of `index.regions.table.Regions` from the catalog. Raises ArchiveError as `open_regions`
    does."""
    classes, groups = len(vocabulary), [group.members for group in vocabulary.groups]
    photos = 0
    parts = [_sorted([], 0, vocabulary)]
    for batch in snapshot.regions():
        parts.append(_sorted(batch, photos, vocabulary))
        photos += len(batch)

    def joined(name: str, starts: str = "starts") -> NDArray[Any]:
        """One array of all parts, class by class: parts are in the order of their rows."""
        bounds = [(getattr(part, name), getattr(part, starts).tolist()) for part in parts]
        return np.concatenate(
            [array[..., at[c] : at[c + 1]] for c in range(classes) for array, at in bounds], axis=-1
        )

    row, touched = joined("row"), joined("touched")
    ends = np.sum([part.starts for part in parts], axis=0)  # of the classes, from that of none
    begins = np.ones(row.size, bool)
    begins[1:] = row[1:] != row[:-1]
    begins[ends[ends < row.size]] = True
    first, lines = np.flatnonzero(begins), joined("lines")
    begun = np.searchsorted(first, ends)
    return (
        {
            "starts": ends,
            "row": row,
            "groups": begun,
            "rows": row[first],
            "first": _pointers(np.append(first, row.size)),
            "boxes": joined("boxes"),
            "lines": lines,
            "zones": _best_shares(lines, first),
            "members": np.array([np.isin(range(classes), members) for members in groups]).reshape(
                -1, classes
            ),
        }
        | _by_row(row[first], begun, photos)
        | _by_pair(joined("contacts", "contact_starts"), touched, ends, classes + len(groups))
    )


def _by_row(rows: NDArray[np.uint32], groups: Numbers, photos: int) -> cache.Made:
    """For each class that is common: its group in each row, or -1. ``rows``: of all groups; ``groups``: where
    those of each class begin among them."""
    common = np.flatnonzero((np.diff(groups) * COMMON_ONE_IN >= photos) & (np.diff(groups) > 0))
    by_row = np.full((common.size, photos), -1, np.int32 if rows.size < 2**31 else np.int64)
    for group_in, class_id in zip(by_row, common.tolist(), strict=True):
        start, stop = groups[class_id : class_id + 2].tolist()
        group_in[rows[start:stop]] = np.arange(start, stop)
    return {"common": common, "by_row": by_row}


def shares_inside(lines: NDArray[np.uint8], limits: Limits) -> NDArray[np.uint8]:
    """Which share of each region, ``lines`` uint8[12, n], lies in the columns or in the rows of a zone, the
    lesser: uint8[n]."""
    across, down = limits
    shares = [
        lines[start + LINES.index(line)]
        for start, line in ((0, across), (len(LINES), down))
        if line is not None
    ]
    lesser: NDArray[np.uint8] = shares[0] if len(shares) == 1 else np.minimum(*shares)
    return lesser


def _best_shares(lines: NDArray[np.uint8], first: Numbers) -> NDArray[np.uint8]:
    """For each of LIMITS, the greatest share of a region of each group, plus 1, if it is half or more, else
    0: uint8[limits, groups]."""
    best = np.zeros((len(LIMITS), first.size), np.uint8)
    for number, limits in enumerate(LIMITS if first.size else ()):
        shares = np.maximum.reduceat(shares_inside(lines, limits), first)
        best[number] = (shares + 1) * (shares >= HALF)
    return best


def _by_pair(
    contacts: NDArray[np.uint8], touched: NDArray[np.uint8], starts: Numbers, things: int
) -> cache.Made:
    """Contacts, uint8[3, n] (thing, under, border), of regions that are sorted by class, sorted by the thing
    that is touched too: a class or, from their number on, a group."""
    classes = starts.size - 1
    toucher = np.repeat(
        np.arange(touched.size, dtype=np.uint32 if touched.size < 2**32 else np.int64), touched
    )
    bounds = np.cumsum(np.append(0, touched))[starts].tolist()
    sizes = np.zeros((classes, things), np.int64)
    for class_id in range(classes):
        part = slice(*bounds[class_id : class_id + 2])
        order = np.argsort(contacts[0, part], kind="stable")
        sizes[class_id] = np.bincount(contacts[0, part], minlength=things)
        toucher[part], contacts[:, part] = toucher[part][order], contacts[:, part][:, order]
    return {"pairs": np.append(0, np.cumsum(sizes)), "toucher": toucher, "shares": contacts[1:]}


def _sorted(batch: Sequence[tuple[int, bytes | None]], row: int, vocabulary: Vocabulary) -> _Part:
    """The regions of photos in consecutive rows, of which ``row`` is the first."""
    scenes = _read(batch, vocabulary)
    counts, touching = scenes.counts, scenes.touching
    photo = np.repeat(np.arange(row, row + len(batch), dtype=np.uint32), counts)
    toucher = np.repeat(np.cumsum(counts) - counts, touching) + scenes.contacts["region"]
    order = np.argsort(scenes.regions["class_id"], kind="stable")
    regions, touched = scenes.regions[order], np.bincount(toucher, minlength=order.size)
    contacts = scenes.contacts[moved(touched, order)]
    starts = np.searchsorted(regions["class_id"], np.arange(len(vocabulary) + 1))
    touched = touched[order]
    return _Part(
        starts=starts,
        contact_starts=np.append(0, np.cumsum(touched))[starts],
        row=photo[order],
        touched=touched.astype(np.uint8),
        boxes=np.stack([regions[name] for name in ("area", "left", "top", "right", "bottom", "x", "y")]),
        lines=np.concatenate([regions["columns"].T, regions["rows"].T]),
        contacts=np.stack([contacts[name] for name in ("class_id", "under", "border")]),
    )


def _read(batch: Sequence[tuple[int, bytes | None]], vocabulary: Vocabulary) -> Scenes:
    stored = [data for _, data in batch if data is not None]
    if len(stored) < len(batch):
        photo_id = next(i for i, data in batch if data is None)
        raise ArchiveError(
            f"the catalog does not know the regions of photo {photo_id}, and perhaps of others: it was made "
            "by an older version; "
            f"describe its photos anew with: {Remedy.REINDEX}"
        )
    try:
        scenes = read_scenes(stored)
    except FormatError as e:
        raise ArchiveError(
            f"the catalog is damaged: {e}; describe its photos anew with: {Remedy.REINDEX}"
        ) from None
    things = len(vocabulary) + len(vocabulary.groups)
    if np.any(scenes.regions["class_id"] >= len(vocabulary)) or np.any(scenes.contacts["class_id"] >= things):
        raise ArchiveError(
            "the catalog is damaged: a region has a class that is not in the vocabulary; mend it with: "
            f"{Remedy.REINDEX}"
        )
    return scenes


def _pointers(indexes: NDArray[Any]) -> NDArray[Any]:
    """Ascending indexes in as few bytes as hold them: uint32, or as they are."""
    return indexes if indexes.size and indexes[-1] >= 2**32 else indexes.astype(np.uint32)
