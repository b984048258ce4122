"""What people add to a catalog, tags and saved queries: the names they may give, and how it is written.

Indexes hold none of it, so it is written without increasing the catalog's generation: a tag costs no rebuilt index.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.engine import database_trouble, for_writing
from dsslic_search.errors import UsageError

LONGEST = 64  # characters of a name
_MARKS = "-_."


def name_key(name: str, what: str) -> str:
    """The form in which ``name`` is kept and compared: NFKC, case-folded. ``what`` it names, for messages: "tag".

    A name has 1 to 64 letters (of any script), digits, hyphens, underscores and full stops, and begins with a letter or a
    digit. Raises UsageError for any other."""
    key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    if not 0 < len(key) <= LONGEST or key[0] in _MARKS or not all(map(_allowed, key)):
        shown = name if len(name) <= LONGEST else name[:LONGEST] + "…"
        raise UsageError(
            f'{what} "{shown}": a name has 1 to {LONGEST} letters, digits, "-", "_" and ".", and begins with a letter or a digit'
        )
    return key


def _allowed(character: str) -> bool:
    return character in _MARKS or unicodedata.category(character)[0] in "LMN"


@contextmanager
def noting(catalog: Catalog) -> Iterator[Session]:
    """A transaction that changes tags and saved queries alone, committed when the block ends well."""
    with database_trouble(catalog.name), Session(for_writing(catalog.engine), expire_on_commit=False) as session, session.begin():
        yield session
