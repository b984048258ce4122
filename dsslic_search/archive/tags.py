"""Tags: names that people give to photos. They are no part of what indexes hold, so they leave the catalog's generation alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.models import Photo, Tag
from dsslic_search.archive.notes import name_key, noting
from dsslic_search.archive.statistics import held
from dsslic_search.errors import ArchiveError

_MANY = 500  # ids in one statement; databases bound the number of parameters
FEW = 5_000  # ids that are looked up one by one; for more, all are gone through
_INSERTED = 20_000  # rows in one statement executed many times


def tag_key(name: str) -> str:
    """The form in which a tag is kept; UsageError for an impossible name."""
    return name_key(name, "tag")


def add(catalog: Catalog, names: Sequence[str], ids: NDArray[np.int64]) -> dict[str, int]:
    """Give photos tags, in one transaction; returns for each tag how many photos did not have it. ArchiveError, and nothing done,
    when there is no photo of an id."""
    keys = list(dict.fromkeys(map(tag_key, names)))
    added = {}
    with noting(catalog) as session:
        _check(session, ids)
        for key in keys:
            tagged = np.fromiter(session.scalars(select(Tag.photo_id).where(Tag.name == key)), np.int64)
            new = np.setdiff1d(ids, tagged).tolist()
            for start in range(0, len(new), _INSERTED):
                session.connection().execute(insert(Tag), [{"name": key, "photo_id": i} for i in new[start : start + _INSERTED]])
            added[key] = len(new)
    return added


def remove(catalog: Catalog, names: Sequence[str], ids: NDArray[np.int64] | None) -> dict[str, int]:
    """Take tags from photos, or with None from all, in one transaction; returns for each tag how many photos had it. ArchiveError, and
    nothing done, when there is no photo of an id."""
    keys = list(dict.fromkeys(map(tag_key, names)))
    removed = {}
    with noting(catalog) as session:
        if ids is not None:
            _check(session, ids)
        for key in keys:
            tagged = np.fromiter(session.scalars(select(Tag.photo_id).where(Tag.name == key)), np.int64)
            chosen = tagged if ids is None else np.intersect1d(tagged, ids)
            if chosen.size == tagged.size:
                session.execute(delete(Tag).where(Tag.name == key))
            else:
                for start in range(0, chosen.size, _MANY):
                    part = chosen[start : start + _MANY].tolist()
                    session.execute(delete(Tag).where(Tag.name == key, Tag.photo_id.in_(part)))
            removed[key] = int(chosen.size)
    return removed


def counts(catalog: Catalog, ids: NDArray[np.int64] | None = None) -> dict[str, int]:
    """How many photos have each tag, of all or of ``ids``; most frequent first, then by name."""
    with catalog.session() as session:
        if ids is None:
            found = dict(session.execute(select(Tag.name, func.count()).group_by(Tag.name)).all())
        else:
            found = {}
            among = np.sort(ids)
            for name in session.scalars(select(Tag.name).distinct()).all():
                tagged = np.fromiter(session.scalars(select(Tag.photo_id).where(Tag.name == name)), np.int64)
                if n := int(np.count_nonzero(held(among, tagged))):
                    found[name] = n
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def of_photo(catalog: Catalog, photo_id: int) -> list[str]:
    """The tags of a photo by name."""
    with catalog.session() as session:
        return list(session.scalars(select(Tag.name).where(Tag.photo_id == photo_id).order_by(Tag.name)))


def _check(session: Session, ids: NDArray[np.int64]) -> None:
    """Raise ArchiveError for ids of no photo."""
    if ids.size > FEW:
        there = np.fromiter(session.scalars(select(Photo.id)), np.int64)
    else:
        parts = (ids[start : start + _MANY].tolist() for start in range(0, ids.size, _MANY))
        there = np.array([i for part in parts for i in session.scalars(select(Photo.id).where(Photo.id.in_(part)))], np.int64)
    if (gone := np.setdiff1d(ids, there)).size:
        raise ArchiveError(f"photo {gone[0]}: no such id in the archive; a query lists ids")
