"""Saved queries: texts under names, for "@name" in a query."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.models import SavedQuery
from dsslic_search.archive.notes import name_key, noting
from dsslic_search.errors import ArchiveError, UsageError


def saved_key(name: str) -> str:
    """The form in which the name of a saved query is kept, without the "@" that may stand before it; UsageError for others."""
    return name_key(name.removeprefix("@"), "saved query")


def save(catalog: Catalog, name: str, text: str, *, replace: bool = False) -> None:
    """Keep a query's text under a name. ArchiveError when there is one of that name and it is not to be replaced."""
    key = saved_key(name)
    with noting(catalog) as session:
        known = session.get(SavedQuery, key)
        if known is None:
            session.execute(insert(SavedQuery).values(name=key, text=text))
        elif replace:
            known.text = text
        else:
            raise ArchiveError(f'there is a saved query "{key}" already: {known.text}; replace it with --force, or choose another name')


def text_of(catalog: Catalog, name: str) -> str | None:
    """The text of a saved query, None when there is none of that name (or cannot be)."""
    try:
        key = saved_key(name)
    except UsageError:
        return None
    with catalog.session() as session:
        return session.scalar(select(SavedQuery.text).where(SavedQuery.name == key))


def listed(catalog: Catalog) -> dict[str, str]:
    """All saved queries by name."""
    with catalog.session() as session:
        return dict(session.execute(select(SavedQuery.name, SavedQuery.text).order_by(SavedQuery.name)).all())


def forget(catalog: Catalog, name: str) -> None:
    """Delete a saved query; ArchiveError when there is none of that name."""
    key = saved_key(name)
    with noting(catalog) as session:
        if session.get(SavedQuery, key) is None:
            raise ArchiveError(f'no saved query "{key}"; see them with: dss-search save --list')
        session.execute(delete(SavedQuery).where(SavedQuery.name == key))
