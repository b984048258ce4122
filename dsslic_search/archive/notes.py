"""What people add to a catalog, tags and saved queries: the names they may give, and how it is written.

Indexes hold none of it, so it is written without increasing the catalog's generation: a tag costs no rebuilt
index.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, delete, insert, select, text
from sqlalchemy.orm import Session

from dsslic_search.archive import bulk
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.lookup import TAG_NAMES, batches, most_frequent_first, no_such_tag
from dsslic_search.archive.schema import Photo, SavedQuery, Tag
from dsslic_search.archive.snapshot import are_among
from dsslic_search.core.errors import NotThereError, Remedy, TakenError, UsageError
from dsslic_search.core.text import closest, did_you_mean, folded

NAME_CHARACTERS = 64  # at most, in the name of a tag or of a saved query
_MARKS = "-_."


def name_key(name: str, what: str) -> str:
    """The form in which ``name`` is kept and compared: NFKC, case-folded. ``what`` it names, for messages:
    "tag".

    A name has 1 to 64 letters (of any script), digits, hyphens, underscores and full stops, and begins with a
    letter or a digit. Raises UsageError for any other."""
    key = folded(name)
    if not 0 < len(key) <= NAME_CHARACTERS or key[0] in _MARKS or not all(map(_allowed, key)):
        shown = name if len(name) <= NAME_CHARACTERS else name[:NAME_CHARACTERS] + "…"
        raise UsageError(
            f'{what} "{shown}": a name has 1 to {NAME_CHARACTERS} letters, digits, "-", "_" and ".", and '
            "begins with a letter or a digit"
        )
    return key


def _allowed(character: str) -> bool:
    return character in _MARKS or unicodedata.category(character)[0] in "LMN"


# Saved queries: texts under names, for "@name" in a query.


def saved_key(name: str) -> str:
    """The form in which the name of a saved query is kept, without the "@" that may stand before it;
    UsageError for others."""
    return name_key(name.removeprefix("@"), "saved query")


def save_query(catalog: Catalog, name: str, text: str, *, replace: bool = False) -> None:
    """Keep a query's text under a name. ArchiveError when there is one of that name and it is not to be
    replaced."""
    key = saved_key(name)
    with catalog.noting() as session:
        known = session.get(SavedQuery, key)
        if known is None:
            session.execute(insert(SavedQuery).values(name=key, text=text))
        elif replace:
            known.text = text
        else:
            raise TakenError(
                f'there is a saved query "{key}" already: {known.text}; replace it with '
                f"{Remedy.REPLACE}, or choose another name"
            )


def forget_query(catalog: Catalog, name: str) -> None:
    """Delete a saved query; ArchiveError when there is none of that name."""
    key = saved_key(name)
    with catalog.noting() as session:
        if session.get(SavedQuery, key) is None:
            close = closest(key, session.scalars(select(SavedQuery.name)))
            hint = did_you_mean(close) if close else f"see them with: {Remedy.SAVED_QUERIES}"
            raise NotThereError(f'no saved query "{key}"; {hint}')
        session.execute(delete(SavedQuery).where(SavedQuery.name == key))


# Tags: names that people give to photos. They are no part of what indexes hold, so they leave the catalog's
# generation alone.

IDS_LOOKED_UP = 5_000  # ids that are looked up one by one; for more, all are gone through


def tag_key(name: str) -> str:
    """The form in which a tag is kept; UsageError for an impossible name."""
    return name_key(name, "tag")


def add_tags(catalog: Catalog, names: Sequence[str], ids: NDArray[np.int64]) -> dict[str, int]:
    """Give photos tags, in one transaction; returns for each tag how many photos did not have it.
    ArchiveError, and nothing done, when there is no photo of an id."""
    keys = list(dict.fromkeys(map(tag_key, names)))
    added = {}
    with catalog.noting() as session:
        check_ids(session, ids)
        for key in keys:
            tagged = np.fromiter(session.scalars(select(Tag.photo_id).where(Tag.name == key)), np.int64)
            new = np.setdiff1d(ids, tagged).tolist()
            bulk.put(session.connection(), Tag.__table__, ("name", "photo_id"), ((key, i) for i in new))
            added[key] = len(new)
    return added


def remove_tags(catalog: Catalog, names: Sequence[str], ids: NDArray[np.int64] | None) -> dict[str, int]:
    """Take tags from photos, or with None from all, in one transaction; returns for each tag how many photos
    had it. ArchiveError, and nothing done, when there is no photo of an id; UsageError for a tag that no
    photo at all has."""
    keys = list(dict.fromkeys(map(tag_key, names)))
    removed = {}
    with catalog.noting() as session:
        if ids is not None:
            check_ids(session, ids)
        known = session.scalars(text(TAG_NAMES)).all()
        for key in keys:
            if key not in known:
                raise UsageError(no_such_tag(key, known)[0])
        for key in keys:
            tagged = np.fromiter(session.scalars(select(Tag.photo_id).where(Tag.name == key)), np.int64)
            chosen = tagged if ids is None else np.intersect1d(tagged, ids)
            if chosen.size == tagged.size:
                session.execute(delete(Tag).where(Tag.name == key))
            else:
                for part in batches(chosen):
                    session.execute(delete(Tag).where(Tag.name == key, Tag.photo_id.in_(part)))
            removed[key] = int(chosen.size)
    return removed


def tag_counts(catalog: Catalog, ids: NDArray[np.int64]) -> dict[str, int]:
    """How many photos of ``ids`` have each tag that any of them has, in the order of `Lookup.tag_counts` of
    all."""
    found = {}
    among = np.sort(ids)
    with catalog.session() as session:
        for name in session.scalars(select(Tag.name).distinct()).all():
            tagged = np.fromiter(session.scalars(select(Tag.photo_id).where(Tag.name == name)), np.int64)
            if n := int(np.count_nonzero(are_among(among, tagged))):
                found[name] = n
    return most_frequent_first(found.items())


def tagged(catalog: Catalog, ids: NDArray[np.int64]) -> int:
    """How many photos of ``ids`` have a tag at all."""
    with catalog.session() as session:
        found = np.fromiter(session.scalars(select(Tag.photo_id).distinct()), np.int64)
    return int(np.count_nonzero(are_among(np.sort(ids), found)))


_TAGS = select(Tag.name).where(Tag.photo_id == bindparam("photo")).order_by(Tag.name)


def tags_of(catalog: Catalog, photo_id: int) -> list[str]:
    """The tags of a photo by name."""
    with catalog.session() as session:
        return list(session.scalars(_TAGS, {"photo": photo_id}))


def check_ids(session: Session, ids: NDArray[np.int64]) -> None:
    """Raise ArchiveError for ids of no photo."""
    if ids.size > IDS_LOOKED_UP:
        there = np.fromiter(session.scalars(select(Photo.id)), np.int64)
    else:
        chosen = (select(Photo.id).where(Photo.id.in_(part)) for part in batches(ids))
        there = np.array([i for each in chosen for i in session.scalars(each)], np.int64)
    if (gone := np.setdiff1d(ids, there)).size:
        raise NotThereError(f"photo {gone[0]}: no such id in the archive; a query lists ids")
