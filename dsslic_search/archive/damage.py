"""What is said of a catalog that is not what was written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dsslic_search.core.errors import ArchiveError, Remedy
from dsslic_search.core.moments import date_of
from dsslic_search.core.text import printable


class DamagedCatalogError(ArchiveError):
    """The database is not what was written."""

    @classmethod
    def because(cls, why: str, where: str = "") -> DamagedCatalogError:
        """``why``: in a few words. ``where``: the database, as messages name it."""
        return cls(f"{where}: {in_words(why)}" if where else in_words(why))


def in_words(why: str) -> str:
    """That a catalog is damaged, and what to do."""
    return (
        f"the catalog is damaged ({printable(why)}); make it anew from the photos' files and the journal "
        f"with: {Remedy.REBUILD}"
    )


def date_in(stored: Any) -> datetime:
    """A date as a catalog has it: in SQLite microseconds since 1970. DamagedCatalogError where it is none."""
    if isinstance(stored, datetime):
        return stored
    try:
        return date_of(stored)
    except (OverflowError, TypeError):
        raise DamagedCatalogError.because("a date in it is none") from None
