"""Whose files a place outside the archive's folder holds: a bucket, or a folder that a link leads to.

Two archives that keep their files in one place would lose each other's with each one they delete. So the
first that writes there leaves its name beside the files, and no other writes where it is not its own. The
name is a setting of the catalog: the machines that share a catalog share it, a catalog that is put back or
made anew of its journal still has it, and so has a copy of the whole folder, which is not told from it.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from dsslic_search.archive.store import Store
from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.plain_json import parsed

if TYPE_CHECKING:
    from dsslic_search.archive.catalog import Catalog

OWNER_SETTING = "objects_owner"
NAME = "archive/owner.json"

_FORMAT = "dsslic-search files"


def owner_of(store: Store) -> str | None:
    """Whose files those of a store are, as it is written beside them; None where nothing says so. Raises
    ArchiveError where that cannot be read."""
    if store.objects.looks(NAME) is None:
        return None
    try:
        said = parsed(store.objects.read(NAME))
        if said["format"] == _FORMAT and isinstance(said["archive"], str):
            return said["archive"]
    except (ValueError, KeyError, TypeError):
        pass
    raise ArchiveError(
        f"{store.objects.where(NAME)}: damaged; it says whose files those are: delete it if they are this "
        "archive's, and run it again"
    )


def require_free(store: Store, own: str | None) -> None:
    """Raise ArchiveError where the files of a store are another archive's than that named ``own``."""
    found = owner_of(store)
    if found is not None and found != own:
        place = store.objects.where("").rstrip("/")
        raise ArchiveError(
            f"{place}: holds the files of another archive, and what either deletes the other would lose; "
            "choose another place, or, where that archive is no more, delete "
            f"{store.objects.where(NAME)} and run it again"
        )


def claim(store: Store, catalog: Catalog) -> None:
    """Write beside the files whose they are, where nothing says so yet. Raises ArchiveError where they are
    another archive's."""
    own = catalog.settings().get(OWNER_SETTING)
    require_free(store, own)
    if own is None:
        own = secrets.token_hex(16)
        catalog.remember(OWNER_SETTING, own)
    if owner_of(store) is None:
        store.objects.write(NAME, (json.dumps({"format": _FORMAT, "archive": own}) + "\n").encode())
        require_free(store, own)  # another may have done the same meanwhile


def adopt(store: Store, catalog: Catalog) -> None:
    """Take the files for those of a catalog that is made of them, where it knows of no name."""
    found = owner_of(store)
    if found is not None and OWNER_SETTING not in catalog.settings():
        catalog.remember(OWNER_SETTING, found)
