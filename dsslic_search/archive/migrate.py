"""Bring a catalog to this version's schema.

Revisions are files ``migrations/versions/NNNN_what.py`` whose revision id is NNNN, in a single line. So the newest
revision is known from the file names, and a catalog that has it is opened without importing Alembic.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from dsslic_search.archive.engine import for_writing
from dsslic_search.errors import ArchiveError

_REVISION_FILE = re.compile(r"(\d{4})_\w+\.py")


def folder() -> Path:
    """Where the migrations are: inside an installed package, or at the top of a source tree."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "migrations", package.parent / "migrations"):
        if (place / "env.py").is_file():
            return place
    raise ArchiveError(f"no migrations folder beside {package}; reinstall dsslic-search")


@cache
def revisions() -> tuple[str, ...]:
    """All revision ids this version knows, oldest first."""
    return tuple(sorted(m[1] for p in (folder() / "versions").iterdir() if (m := _REVISION_FILE.fullmatch(p.name))))


def head_revision() -> str:
    """The revision id of this version's schema."""
    return revisions()[-1]


def stored_revision(connection: Connection) -> str | None:
    """The revision of a catalog, None for an empty database. Raises ArchiveError when the tables are not a catalog's."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" in tables:
        stored = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if stored is not None:
            return str(stored)
    if tables - {"alembic_version"}:
        raise ArchiveError(f"{connection.engine.url!r}: a database of something else, not a dsslic-search catalog; choose another archive")
    return None


def check_known(where: str, stored: str | None) -> None:
    """Raise ArchiveError when the stored revision is none of this version's."""
    if stored is not None and stored not in revisions():
        raise ArchiveError(
            f"{where}: made by a newer dsslic-search (catalog revision {stored}, this one knows up to {head_revision()}); "
            "update dsslic-search; nothing was changed"
        )


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Apply the missing migrations, all in one transaction: it ends at ``revision`` or where it was.

    ``engine`` must not enforce foreign keys, since SQLite changes a table by copying it; they are checked at the end.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with for_writing(engine).begin() as connection:
        check_known(repr(engine.url), stored_revision(connection))  # another process may have been here first
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        if engine.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise ArchiveError(f"{engine.url!r}: the catalog has rows of photos that are not there; restore it from a backup")
