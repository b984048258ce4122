"""The revisions of a catalog's schema that this version knows, by the names of the migrations' files."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from dsslic_search.core.errors import ArchiveError

_REVISION_FILE = re.compile(r"(\d{4})_\w+\.py")


def migrations_folder() -> Path:
    """Where the migrations are: inside an installed package, or at the top of a source tree."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "migrations", package.parent / "migrations"):
        if (place / "env.py").is_file():
            return place
    raise ArchiveError(f"no migrations folder beside {package}; reinstall dsslic-search")


@cache
def revisions() -> tuple[str, ...]:
    """All revision ids this version knows, oldest first."""
    return tuple(
        sorted(
            m[1]
            for p in (migrations_folder() / "versions").iterdir()
            if (m := _REVISION_FILE.fullmatch(p.name))
        )
    )


def head_revision() -> str:
    """The revision id of this version's schema."""
    return revisions()[-1]


def check_known(where: str, stored: str | None) -> None:
    """Raise ArchiveError when the stored revision is none of this version's. ``where`` the catalog is, for
    the message."""
    if stored is not None and stored not in revisions():
        raise ArchiveError(
            f"{where}: made by a newer dsslic-search (catalog revision {stored}, this one knows up to "
            f"{head_revision()}); "
            "update dsslic-search; nothing was changed"
        )
