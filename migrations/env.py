"""Alembic's way to a catalog: the connection that dss-search hands over, or the one named on Alembic's
command line."""

from __future__ import annotations

from logging.config import fileConfig
from pathlib import Path

from alembic import context
from sqlalchemy import URL, Connection

from dsslic_search.archive.database import for_writing, make_engine, url_of
from dsslic_search.archive.schema import Base
from dsslic_search.core.settings import archive_path


def chosen_url() -> URL:
    """``-x catalog=FILE_OR_URL``, else the catalog of the archive that DSS_ARCHIVE names, else the user's
    default one."""
    named = context.get_x_argument(as_dictionary=True).get("catalog")
    if named is None:
        return url_of(archive_path(None) / "catalog.sqlite")
    return url_of(named if "://" in named else Path(named))


def migrate(connection: Connection) -> None:
    # batch: SQLite alters a table by copying it; transactional_ddl: the engine begins real transactions.
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if (handed_over := context.config.attributes.get("connection")) is not None:
    migrate(handed_over)
else:
    if context.config.config_file_name is not None:
        fileConfig(context.config.config_file_name, disable_existing_loggers=False)
    if context.is_offline_mode():
        context.configure(url=chosen_url(), target_metadata=Base.metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
    else:
        engine = make_engine(chosen_url(), foreign_keys=False)
        with for_writing(engine).begin() as own:
            migrate(own)
        engine.dispose()
